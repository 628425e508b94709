// Files that the jail has laid out for process 1: whatever they are, reading them neither waits nor
// fills the memory.
#pragma once

#include <string>

#include "base/result.h"

namespace jail {

// The content of a regular file of at most `limit` bytes. Errors: "PATH: strerror" (ENOENT where
// there is none), EINVAL for what is no regular file - a FIFO is not waited for -, EFBIG, ENOMEM
// where there is not the memory that reading it may take.
Result<std::string> read_jail_file(const std::string& path, size_t limit);

// Whether there is anything at the path, links followed.
bool is_in_jail(const std::string& path);

}  // namespace jail
