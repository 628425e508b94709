// Mounts of a jail. On Linux every function acts in the mount namespace of the calling process,
// which is the jail's view or the jail itself (L1, L2); every mount is built detached, made a
// slave, and attached by descriptor below the root, so that no symbolic link in a hostile tree
// leads out of it. Error texts begin with the path concerned, but for that of a type that there is
// not. No function keeps a descriptor, also when it fails; all of them may be called by the
// single-threaded child of a fork.
#pragma once

#include <string>

#include "base/result.h"
#include "base/text.h"

namespace jail {

// One line of fstab(5), decoded (conf/fstab.h has the reader). Options are words between commas.
struct MountWords {
  std::string type, source, point, options;
};

// Checks the point as J4.3 says (below `root`, no component may be a link) and makes one mount of
// fstab(5)'s words on it. On failure nothing is mounted - but of a proc a part may be, as only
// process 1 mounts one, which ends then.
//
// FreeBSD's types by their meaning here: nullfs (a bind, not recursive, also of a file on a file; a
// relative source counts from the working directory, which setns(2) into a view has changed), tmpfs
// (owner and mode are those of the point unless said), linsysfs (always read-only) and sysfs
// (read-only unless `rw` is said), devfs (option ruleset=N: make_devices), fdescfs (links to
// /proc/self/fd; nothing at all to do where the point is such a link, as in our own /dev), unionfs
// (overlay: the source above what is at the point; the other way round with `below`), procfs,
// linprocfs and proc (of the caller's pid namespace, with all of proc's covers; process 1 does that
// by itself, see below). Any type with the option bind or rbind is a bind. All others are this
// kernel's own types with their own options.
//
// A source below `root` (whatever its name: `root` may be a link) is found like a point: no link.
//
// Options: those of every mount as in mount(8); a mount has no devices unless `dev` is among them
// (but a devfs and a devpts, which are for nothing else).
// Those that only mount(8) and fstab(5) know (late, noauto, nfsv4acls, x-*, ...) are taken and do
// nothing (J6.36). Texts: "POINT: TYPE: unknown option WORD"; or what the kernel says. ENODEV,
// "TYPE: no such file system here", for a type that there is not.
Result<void> mount_words(const std::string& root, const MountWords& words);

// Removes what mount_words() left on disk: the work directory of a unionfs (".cellblock-work-INODE"
// beside the upper directory, on the same file system), which the kernel needs as long as the mount
// is there. To be called when the last view with that mount is gone; nothing there (or a
// link, in the jail's own tree), or another type, is a success. ENOTEMPTY where a crash left half a
// copy in it: the next mount of the same words cleans that up.
Result<void> sweep_mount(const std::string& root, const MountWords& words);

// True for the types that belong to a pid namespace and therefore are mounted by process 1 itself
// at each boot (procfs, linprocfs, proc).
bool mounted_at_boot(const std::string& type);

// A small /dev on `point`: the device nodes, links and directories that devfs ruleset `ruleset` of
// devfs.rules(5) shows, by their meaning (1 hides everything; 2 the basics; 3 those and terminals;
// 4, and 0 for "not given", what a jail has), with a devpts of its own on pts from 3 on, and empty
// directories shm and mqueue for process 1 to mount on. Complete when it is attached, but for the
// devpts, which follows. On failure nothing is mounted. EINVAL: "POINT: devfs ruleset N is not
// known here (1 to 4 are)".
Result<void> make_devices(const std::string& root, const std::string& point, int ruleset);

}  // namespace jail
