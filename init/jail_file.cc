#include "init/jail_file.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/sys.h"

namespace jail {

Result<std::string> read_jail_file(const std::string& path, size_t limit) {
  const Fd file = TRY(open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat status;
  if (sys::fstat(file.get(), &status) != 0) return fail_errno(path);
  if (!S_ISREG(status.st_mode)) return fail(EINVAL, path + ": not a regular file");
  return in(path, read_all(file.get(), limit));
}

bool is_in_jail(const std::string& path) {
  struct stat status;
  return sys::fstatat(AT_FDCWD, path.c_str(), &status, 0) == 0;
}

}  // namespace jail
