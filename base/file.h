// Whole small files: read, replaced atomically, appended to.
#pragma once

#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "base/text.h"

namespace jail {

// Opens a path below the directory `dir` (AT_FDCWD for the working directory) with open(2)'s flags
// plus O_CLOEXEC. Error: "PATH: strerror".
Result<Fd> open_at(int dir, const std::string& path, int flags, unsigned mode = 0);

// The rest of the file behind `fd`, at most `limit` bytes: more is EFBIG, so that no file can fill
// our memory.
Result<std::string> read_all(int fd, size_t limit = 64U << 20);

// The content of a file. Errors as open_at and read_all.
Result<std::string> read_file(int dir, const std::string& path, size_t limit = 64U << 20);

// Writes all of `text` to `fd`, going on after short writes and EINTR.
Result<void> write_all(int fd, std::string_view text);

// Puts `text` into `name` below `dir` by a temporary file and a rename, so that a reader sees the
// old or the new text and never a part. `sync`: on disk (file and directory) when this returns. On
// failure nothing is left behind.
Result<void> replace_file(int dir, const std::string& name, std::string_view text, unsigned mode,
                          bool sync);

// How many directories a directory holds, without reading it; nothing where it cannot be told (not
// every file system counts them in st_nlink).
std::optional<size_t> count_directories(const std::string& path);

// The names in the directory `path` below `dir` but "." and "..", in no order; `directories`: of
// directories only.
Result<Words> list_directory(int dir, const std::string& path, bool directories = false);

// Makes a directory and all missing ones above it, mode 0755 but for the last one's `mode`. One
// that is there is fine.
Result<void> make_directories(const std::string& path, unsigned mode);

}  // namespace jail
