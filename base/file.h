// Whole small files and directories: read, replaced atomically, listed, made. Paths are the host's
// and links in them are followed: nothing here may be used below a jail's root (os/root.h).
#pragma once

#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "base/text.h"

namespace jail {

// Opens a path below the directory `dir` (AT_FDCWD for the working directory) with open(2)'s flags
// plus O_CLOEXEC. `mode` counts with O_CREAT only, less the umask. Error: "PATH: strerror".
Result<Fd> open_at(int dir, const std::string& path, int flags, unsigned mode = 0);

// The rest of the file behind `fd`, at most `limit` bytes: more is EFBIG, so that no file can fill
// our memory. Error: "read: strerror", without a path; the file offset is then anywhere.
Result<std::string> read_all(int fd, size_t limit = 64U << 20);

// The content of a file. Errors: "PATH: strerror" where it cannot be opened, "PATH: read: strerror"
// (EFBIG beyond `limit` bytes) where it cannot be read.
Result<std::string> read_file(int dir, const std::string& path, size_t limit = 64U << 20);

// Writes all of `text` to `fd`, going on after short writes and EINTR. Error: "write: strerror"; a
// part of the text may be written then.
Result<void> write_all(int fd, std::string_view text);

// Puts `text` into `name` below `dir` by a temporary file (`name` with ".new") and a rename, so
// that a reader sees the old or the new text and never a part. The file's mode is exactly `mode`.
// `sync`: on disk (file and directory, so `dir` cannot be AT_FDCWD) when this returns. On failure
// the old text stands and nothing else is left behind; only where the last step, the directory's
// fsync(2), fails is the new text there, perhaps not on disk. Two callers at a time would share the
// temporary file: whoever replaces a file holds its lock. Killed in between, we leave the ".new",
// which the next replacement overwrites.
Result<void> replace_file(int dir, const std::string& name, std::string_view text, unsigned mode,
                          bool sync);

// How many directories a directory holds, without reading it (st_nlink less "." and its own entry);
// nothing where that cannot be told: there is no such directory, or its file system does not count
// them in st_nlink, as btrfs.
std::optional<size_t> count_directories(const std::string& path);

// The names in the directory `path` below `dir` but "." and "..", in no order; `directories`: of
// directories only, as far as the file system says the type with the name (d_type: cgroup2 and
// tmpfs do; where it does not, none is listed). Error: "PATH: strerror"; EFBIG: more than `most`;
// never a part of the names.
Result<Words> list_directory(int dir, const std::string& path, bool directories = false,
                             size_t most = SIZE_MAX);

// Makes a directory and all missing ones above it, mode 0755 but for the last one's `mode`, all
// less the umask. One that is there is fine and keeps its mode; so is any other file of that name,
// which the next use of the path finds out. Error: "PATH: strerror"; those above may be made then.
Result<void> make_directories(const std::string& path, unsigned mode);

}  // namespace jail
