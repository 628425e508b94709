// The root directory of a jail, as seen from outside: the only way to turn a JailPath into a file.
// Never join a JailPath to a host path as text: the links in that tree belong to the jail. `root`
// is a descriptor of open_root(). How and why: the essay in os/linux/root.cc.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/path.h"
#include "base/result.h"

namespace jail {

// Opens the directory that is a jail's root (O_PATH where the system has it: good for the functions
// below and for fchdir, not for reading). Follows links, which are the host's here. Error: "PATH:
// strerror".
Result<Fd> open_root(const HostPath& path);

// Opens `path` with open(2)'s flags, plus O_CLOEXEC and O_NOCTTY, as a process of the jail would:
// links are followed, absolute ones and `..` stay inside, but no magic link of a proc file system
// is taken (ELOOP). `mode` counts with O_CREAT only. A FIFO or device of the jail may answer: use
// O_NONBLOCK or O_PATH and look at the type before you read. Error: "PATH: strerror", PATH as
// given; EAGAIN where the tree never held still.
Result<Fd> open_in_root(int root, const JailPath& path, int flags, unsigned mode = 0);

// The same, but no component may be a link (ELOOP), and `..` must not climb over the root (EXDEV).
// With O_PATH and O_NOFOLLOW the last component may be a link and is opened as such.
Result<Fd> open_without_links(int root, const JailPath& path, int flags, unsigned mode = 0);

// The name of the file that `path` comes to in the end, links followed as by open_in_root(): for a
// link /sbin/init -> ../lib/jinit "jinit". Errors as there.
Result<std::string> name_in_root(int root, const JailPath& path);

// Opens the file that exec.consolelog names, for appending and made if need be, without ever
// waiting: for a FIFO there has to be a reader. Below the jail's root every name is the jail's:
// only a regular file, reached without links, is taken there (where the root is "/", a device too).
// Errors: "exec.consolelog: LOG: not an absolute pathname", "exec.consolelog: PREFIX is a symbolic
// link", "exec.consolelog: PREFIX: strerror", "exec.consolelog: LOG is not a regular file", "open
// LOG: strerror".
Result<Fd> open_log(const std::string& root, const std::string& log);

}  // namespace jail
