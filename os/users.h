// Users and groups of a tree of passwd(5) and group(5) files, read by our own parser: never NSS, so that a jail's
// files decide about the jail's users and nothing of them runs in us.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace jail {

struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home, shell;
  std::vector<gid_t> groups;  // supplementary ones, gid first; without duplicates
};

// Parses the text of a passwd and of a group file (hostile bytes allowed) and yields the user called `name`, or the one
// of that uid (the first where several match). Nothing if there is none. Lines that are no entries are passed over.
std::optional<User> find_user(std::string_view passwd, std::string_view group, std::string_view name);
std::optional<User> find_user(std::string_view passwd, std::string_view group, uid_t uid);

// The same from ETC/passwd and ETC/group below the directory `root`, opened beneath it. A file that is missing is
// empty; one over 16 MB is an error.
Result<std::optional<User>> lookup_user(int root, std::string_view name);
Result<std::optional<User>> lookup_user(int root, uid_t uid);

}  // namespace jail
