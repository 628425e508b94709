#include "os/users.h"

#include <grp.h>
#include <pwd.h>
#include <set>

#include "base/file.h"
#include "base/sys.h"
#include "os/root.h"

namespace jail {
namespace {

constexpr size_t file_limit = 16U << 20;  // bytes; the jail wrote these files
constexpr size_t group_limit = 65536;     // NGROUPS_MAX

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
