// What root may do in a jail: from jail.conf's words to what the kernel knows. One table
// (os/linux/privileges.cc) that process 1, exec.* and jexec all use.
#pragma once

#include <string>

#include "base/result.h"
#include "base/text.h"

namespace jail {

// Takes everything that `rights` does not grant from what this process will execute: on Linux the
// capabilities (bounding, inheritable, ambient and, but for the two that a change of user needs,
// permitted and effective; the next exec takes those two). Words: "vnet", "nosuser",
// "noreserved_ports", "securelevel=N", and names of allow.* without the prefix ("raw_sockets",
// "mlock", ...). Unknown words grant nothing. Call as root, last before a change of user and exec;
// on an error the process has lost some of its rights and must not go on.
Result<void> drop_privileges(const Words& rights);

// What this system cannot express of one permission that is given (or, with "no" in front, taken)
// other than by its default, as one sentence for a remark; empty where it means what it means on
// FreeBSD (J2.3, doc/COMPAT.md), and for a word that is none. `word` as in `rights`, or "mount.FS".
std::string privilege_remark(const std::string& word);

}  // namespace jail
