// Linux: mounts that are attached nowhere yet (a descriptor of one is all there is of it: closing
// it ends the mount), and the points that they go to. What os/linux builds mounts from; never used
// above os/.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "base/text.h"

namespace jail {

// Opens a mount point (O_PATH). One below `root` is opened beneath it without links, so that it
// cannot be elsewhere; errors are those of check_mount_point(). Any other, and the root itself, by
// ordinary resolution.
Result<Fd> open_point(const std::string& root, const std::string& point);

// A new mount of the file system `type`, detached and private. Settings are fsconfig(2)'s:
// "key=value" or "flag"; attributes MOUNT_ATTR_*. Errors: "TYPE: no such file system here"
// (ENODEV); what the kernel's own log of the attempt says ("tmpfs: Bad value for 'size'"); "TYPE:
// SETTING: strerror".
Result<Fd> new_tree(const std::string& type, const Words& settings, uint64_t attributes);

// Attaches a detached mount at what `point` (of open_point) holds, over anything mounted there
// since. Below a shared mount it becomes shared itself, which is how it reaches the jail. Error:
// strerror alone.
Result<void> attach(const Fd& tree, const Fd& point);

// "/proc/self/fd/N": how a path is said to calls that take no descriptor.
std::string fd_path(const Fd& fd);

}  // namespace jail
