// Mounts of a jail. On Linux every function acts in the mount namespace of the calling process, which is the jail's
// view or the jail itself (L1, L2); every mount is built detached, made a slave, and attached by descriptor below the
// root, so that no symbolic link in a hostile tree leads out of it. Error texts begin with the path concerned.
#pragma once

#include <string>

#include "base/result.h"
#include "base/text.h"

namespace jail {

// One line of fstab(5), decoded (conf/fstab.h has the reader).
struct MountWords {
  std::string type, source, point, options;
};

// Checks a mount point as J4.3 says: absolute; where it lies below `root` (textually), every component below the root
// is there and no symbolic link. Texts: "PATH: not an absolute pathname", "PREFIX: STRERROR", "PREFIX is a symbolic
// link".
Result<void> check_mount_point(const std::string& root, const std::string& point);

// Checks and makes one mount. Types of FreeBSD by their meaning here (nullfs: bind, not recursive; tmpfs; procfs and
// linprocfs: proc; linsysfs: sysfs, read-only; devfs: devices() below; fdescfs; unionfs: overlay) and any type of this
// kernel by its own name with mount(8)'s options. ENODEV for a type that there is not.
Result<void> mount_words(const std::string& root, const MountWords& words);

// True for the types that belong to a pid namespace and therefore are mounted by process 1 itself at each boot
// (procfs, linprocfs, proc).
bool mounted_at_boot(const std::string& type);

// A small /dev on `point`: the device nodes, links and directories that devfs ruleset `ruleset` of devfs.rules(5)
// shows, by their meaning (1 hides everything; 2 the basics; 3 and 4 as FreeBSD's jail rulesets), with devpts.
Result<void> make_devices(const std::string& root, const std::string& point, int ruleset);

}  // namespace jail
