#include "init/jail_file.h"

#include <algorithm>
#include <fcntl.h>

#include "base/file.h"
#include "base/sys.h"
#include "os/process1.h"

namespace jail {

namespace {

constexpr size_t slack = 16384;  // bytes; files of /proc have no size
// What a reader makes of a text, words and all, takes less than so many times its size.
constexpr size_t growth = 32;

}  // namespace

Result<std::string> read_jail_file(const std::string& path, size_t limit) {
  const Fd file = TRY(open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat status;
  if (sys::fstat(file.get(), &status) != 0) return fail_errno(path);
  if (!S_ISREG(status.st_mode)) return fail(EINVAL, path + ": not a regular file");
  const size_t size = static_cast<size_t>(status.st_size);
  if (size > limit) return fail_errno(path, EFBIG);
  // Whoever needs memory that is not there waits for it (init/lean.cc): a file is not begun then.
  if (!is_memory_for(growth * (size + slack))) return fail_errno(path, ENOMEM);
  // One that grows meanwhile is not followed further than we have asked for.
  return in(path, read_all(file.get(), std::min(limit, size + slack)));
}

bool is_in_jail(const std::string& path) {
  struct stat status;
  return sys::fstatat(AT_FDCWD, path.c_str(), &status, 0) == 0;
}

}  // namespace jail
