// What root may do in a jail: from jail.conf's words to what the kernel knows. One table (os/linux/privileges.cc) that
// process 1, exec.* and jexec all use.
#pragma once

#include <string>

#include "base/result.h"
#include "base/text.h"

namespace jail {

// Drops everything that `rights` does not grant, for this process and all it executes: capabilities (bounding,
// inheritable, ambient, effective), on Linux. Words: "vnet", "nosuser", "securelevel=N", and names of allow.* without the
// prefix ("raw_sockets", "mlock", ...). Unknown words grant nothing. Call as root, last before a change of user.
Result<void> drop_privileges(const Words& rights);

// What this system cannot express of one permission, as a remark for the user; empty where it can (doc/COMPAT.md).
std::string privilege_remark(const std::string& word);

}  // namespace jail
