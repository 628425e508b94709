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

// A path without doubled and trailing slashes and `.`, so that no comparison with the root is
// fooled; "/" is empty. `..` stays: what it means is the kernel's to say.
std::string plain(const std::string& path);

// How much of a plain path names the jail's root, by whatever name: that of `path`, one through a
// link of the host, or another mount of it. At least `from` characters, but not all of them. npos:
// the path does not lie below the root. Error: "PREFIX: strerror", where it cannot be told.
Result<size_t> find_root(const std::string& root, const std::string& path, size_t from = 0);

// Opens a mount point (O_PATH) as J4.3 says. It must be absolute. Where it lies below `root`, it is
// opened beneath it, so that it cannot be elsewhere: every component below the root is there, no
// symbolic link, and no `..` that climbs over the root. Texts: "PATH: not an absolute pathname",
// "PREFIX: STRERROR", "PREFIX is a symbolic link", "PREFIX: leads out of ROOT". Any other, and the
// root itself, by ordinary resolution.
Result<Fd> open_point(const std::string& root, const std::string& point);

// Opens (O_PATH) a mount's source where it lies below `root`: as a point, since the links there are
// the jail's. No descriptor: it lies elsewhere, or the root is "/", and ordinary resolution is
// right. A relative one counts from the working directory.
Result<Fd> open_source(const std::string& root, const std::string& source);

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
