#include "os/users.h"

#include <array>
#include <charconv>
#include <grp.h>
#include <pwd.h>
#include <set>

#include "base/file.h"
#include "base/sys.h"
#include "os/root.h"

namespace jail {
namespace {

constexpr size_t file_limit = 16U << 20;  // bytes; the jail wrote these files
constexpr size_t group_limit = 65536;     // NGROUPS_MAX, what setgroups(2) takes

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

// The jail chose what lies at `path`: opening must not wait (a FIFO), nor act (a device), nor
// reading end in our memory.
Result<std::string> read_in_root(int root, const char* path) {
  Result<Fd> fd = open_in_root(root, JailPath{path}, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd && (fd.error().code == ENOENT || fd.error().code == ENOTDIR)) return std::string();
  if (!fd) return std::unexpected(std::move(fd.error()));
  struct stat status;
  if (sys::fstat(fd->get(), &status) != 0) return fail_errno(path);
  if (!S_ISREG(status.st_mode)) return fail(EINVAL, std::string(path) + ": not a regular file");
  return in(path, read_all(fd->get(), file_limit));
}

template <class Key>
Result<std::optional<User>> lookup(int root, Key key) {
  std::string passwd = TRY(read_in_root(root, "/etc/passwd"));
  std::string group = TRY(read_in_root(root, "/etc/group"));
  return find_user(passwd, group, key);
}

// A call of getpwnam_r's kind, with as much room as it asks for.
template <class Call>
Result<std::optional<User>> ask_host(Call call) {
  std::string room(4096, '\0');
  passwd entry{}, *found = nullptr;
  int code;
  while ((code = call(&entry, room.data(), room.size(), &found)) == ERANGE &&
         room.size() < file_limit)
    room.resize(room.size() * 2);
  // "Not found" has many names (getpwnam(3), ERRORS); these are no failures.
  if (!found && (code == 0 || code == ENOENT || code == ESRCH || code == EBADF || code == EPERM))
    return std::nullopt;
  if (!found) return fail(code, std::strerror(code));
  User user{.name = entry.pw_name,
            .uid = entry.pw_uid,
            .gid = entry.pw_gid,
            .home = {},
            .shell = {},
            .groups = {}};
  user.home = entry.pw_dir ? entry.pw_dir : "";
  user.shell = entry.pw_shell ? entry.pw_shell : "";
  // Not every system says how much room it wants, so the room doubles.
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  while (getgrouplist(entry.pw_name, entry.pw_gid, groups.data(), &count) < 0) {
    if (groups.size() >= group_limit) return fail_errno("groups", E2BIG);
    groups.resize(groups.size() * 2);
    count = static_cast<int>(groups.size());
  }
  groups.resize(static_cast<size_t>(count));
  std::set<gid_t> known;
  for (gid_t gid : groups)
    if (known.insert(gid).second) user.groups.push_back(gid);
  return user;
}

}  // namespace

std::optional<User> find_user(std::string_view passwd, std::string_view group,
                              std::string_view name) {
  return find(passwd, group, [&](const User& user) { return user.name == name; });
}

std::optional<User> find_user(std::string_view passwd, std::string_view group, uid_t uid) {
  return find(passwd, group, [&](const User& user) { return user.uid == uid; });
}

Result<std::optional<User>> lookup_user(int root, std::string_view name) {
  return lookup(root, name);
}

Result<std::optional<User>> lookup_user(int root, uid_t uid) {
  return lookup(root, uid);
}

Result<std::optional<User>> host_user(const std::string& name) {
  return ask_host([&](passwd* entry, char* room, size_t size, passwd** found) {
    return getpwnam_r(name.c_str(), entry, room, size, found);
  });
}

Result<std::optional<User>> host_user(uid_t uid) {
  return ask_host([&](passwd* entry, char* room, size_t size, passwd** found) {
    return getpwuid_r(uid, entry, room, size, found);
  });
}

}  // namespace jail
