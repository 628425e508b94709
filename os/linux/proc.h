// Linux: a jail's /proc. Process 1's child mounts it at each boot, after the pivot, in the new pid
// and mount namespaces.
#pragma once

#include <string>

#include "base/result.h"
#include "os/mount.h"

namespace jail {

// A new proc of the caller's pid namespace on `words.point` below `root` ("/" after the pivot),
// opened without links: nosuid, nodev, noexec, with the words' options (proc(5): hidepid=,
// subset=). What lets root change or read the host's kernel is covered: read-only, or by something
// empty. With `own_network` the caller's network namespace is the jail's own, and sys/net stays
// writable. Below the new proc stays a read-only tmpfs of one empty file and one empty directory,
// that the covers are binds of. Safe in the child of a fork without exec. Texts begin with the
// point; on failure some of it may be mounted: end the process and with it the namespace.
Result<void> mount_proc(const std::string& root, const MountWords& words, bool own_network);

}  // namespace jail
