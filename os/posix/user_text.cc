// passwd(5) and group(5) as text: the pure half of os/users.h, for jinit too. Never more than looks
// at the bytes it is given.
#include <array>
#include <charconv>
#include <set>

#include "os/users.h"

namespace jail {
namespace {

constexpr size_t group_limit = 65536;  // NGROUPS_MAX, what setgroups(2) takes

// Takes the text before the next `separator` off the front of `rest`; all of it where there is
// none.
std::string_view take(std::string_view& rest, char separator) {
  size_t end = rest.find(separator);
  std::string_view piece = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return piece;
}

// Digits only, and not the last value, which means "leave it" to setresuid(2).
std::optional<uint32_t> parse_id(std::string_view text) {
  uint32_t id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id == UINT32_MAX)
    return std::nullopt;
  return id;
}

// The fields of a line, or fewer than `least`: then it is no entry.
template <size_t count>
std::optional<std::array<std::string_view, count>> fields_of(std::string_view line, size_t least) {
  std::array<std::string_view, count> fields;
  size_t found = 0;
  if (line.find('\0') != std::string_view::npos || line.starts_with('#')) return std::nullopt;
  for (std::string_view& field : fields) {
    found++;
    bool last = line.find(':') == std::string_view::npos;
    field = take(line, ':');
    if (last) break;
  }
  std::string_view name = fields[0];
  if (found < least || name.empty() || name.starts_with('+') || name.starts_with('-'))
    return std::nullopt;
  return fields;
}

// Six fields are enough: the shell comes last and may be missing with its colon (passwd(5)).
std::optional<User> parse_user(std::string_view line) {
  auto fields = fields_of<7>(line, 6);
  if (!fields) return std::nullopt;
  auto uid = parse_id((*fields)[2]), gid = parse_id((*fields)[3]);
  if (!uid || !gid) return std::nullopt;
  User user{.name = std::string((*fields)[0]),
            .uid = *uid,
            .gid = *gid,
            .home = {},
            .shell = {},
            .groups = {}};
  user.home = (*fields)[5];
  user.shell = (*fields)[6];
  return user;
}

bool is_member(std::string_view members, std::string_view name) {
  while (!members.empty())
    if (take(members, ',') == name) return true;
  return false;
}

// A set beside the list: a hostile file may name the user in any number of groups.
void add_groups(User& user, std::string_view group) {
  std::set<gid_t> known = {user.gid};
  user.groups = {user.gid};
  while (!group.empty() && user.groups.size() < group_limit) {
    auto fields = fields_of<4>(take(group, '\n'), 4);
    if (!fields || !is_member((*fields)[3], user.name)) continue;
    auto gid = parse_id((*fields)[2]);
    if (gid && known.insert(*gid).second) user.groups.push_back(*gid);
  }
}

template <class Wanted>
std::optional<User> find(std::string_view passwd, std::string_view group, Wanted wanted) {
  while (!passwd.empty()) {
    std::optional<User> user = parse_user(take(passwd, '\n'));
    if (!user || !wanted(*user)) continue;
    add_groups(*user, group);
    return user;
  }
  return std::nullopt;
}

}  // namespace

std::optional<User> find_user(std::string_view passwd, std::string_view group,
                              std::string_view name) {
  return find(passwd, group, [&](const User& user) { return user.name == name; });
}

std::optional<User> find_user(std::string_view passwd, std::string_view group, uid_t uid) {
  return find(passwd, group, [&](const User& user) { return user.uid == uid; });
}

std::optional<gid_t> find_group(std::string_view group, std::string_view name) {
  while (!group.empty()) {
    auto fields = fields_of<4>(take(group, '\n'), 3);
    if (!fields || (*fields)[0] != name) continue;
    if (auto gid = parse_id((*fields)[2])) return gid;
  }
  return std::nullopt;
}

std::optional<uint32_t> parse_user_id(std::string_view text) {
  return parse_id(text);
}

}  // namespace jail
