// Users and groups. Those of a tree of passwd(5) and group(5) files are read by our own parser:
// never NSS, so that a jail's files decide about the jail's users and nothing of them runs in us.
// Those of the host come from wherever the host keeps them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/result.h"

namespace jail {

// What a program is started as. `home` and `shell` are the entry's text: nothing has looked whether
// they exist, and they may be empty.
struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home, shell;
  std::vector<gid_t> groups;  // supplementary ones, gid first; without duplicates

  bool operator==(const User&) const = default;
};

// Parses the text of a passwd and of a group file (hostile bytes allowed) and yields the user
// called `name`, or the one of that uid (the first where several match). Nothing if there is none.
// Lines that are no entries are passed over: fewer than six fields, ids that are no numbers below
// 4294967295, a NUL, NIS's + and -. At most 65536 groups (NGROUPS_MAX).
std::optional<User> find_user(std::string_view passwd, std::string_view group,
                              std::string_view name);
std::optional<User> find_user(std::string_view passwd, std::string_view group, uid_t uid);

// The id of the group of that name in the text of a group file, read as above.
std::optional<gid_t> find_group(std::string_view group, std::string_view name);

// A user's or group's number: digits alone, below 4294967295.
std::optional<uint32_t> parse_user_id(std::string_view text);

// The user from etc/passwd and etc/group below the directory `root`, opened beneath it (os/root.h).
// A file that is missing is empty; one that is no regular file is EINVAL, one over 16 MB EFBIG.
// Text: "PATH: CAUSE".
Result<std::optional<User>> lookup_user(int root, std::string_view name);
Result<std::optional<User>> lookup_user(int root, uid_t uid);

// The same from the host's user data base (getpwnam(3), getgrouplist(3)): NSS, so it may ask the
// network and load its modules into us. More than 65536 groups are E2BIG. Error text: strerror
// alone, or "groups: strerror".
Result<std::optional<User>> host_user(const std::string& name);
Result<std::optional<User>> host_user(uid_t uid);

}  // namespace jail
