#include "init/service_log.h"

#include <algorithm>
#include <fcntl.h>
#include <stdio.h>

#include "base/sys.h"

namespace jail {

namespace {

// A line longer than this may be cut by the change from file to file.
constexpr int64_t line_most = 64 << 10;

void name_old(char (&path)[longest_log_path + 24], const ServiceSpec& spec, int64_t number) {
  const long long wide = number;
  if (snprintf(path, sizeof path, number == 0 ? "%s" : "%s.%lld", spec.log.c_str(), wide) < 0)
    path[0] = '\0';
}

// What cannot be renamed stays, and grows: it is tried again with the next line.
void put_aside(const ServiceSpec& spec) {
  char from[longest_log_path + 24], to[longest_log_path + 24];
  if (spec.log_max_files == 0) {
    sys::unlinkat(AT_FDCWD, spec.log.c_str(), 0);
    return;
  }
  for (int64_t i = spec.log_max_files; i > 0; --i) {
    name_old(from, spec, i - 1);
    name_old(to, spec, i);
    sys::renameat(AT_FDCWD, from, AT_FDCWD, to);
  }
}

// How much of the bytes still belongs to a file of that size.
size_t share_of(const ServiceSpec& spec, int64_t size, std::string_view bytes) {
  const int64_t room = std::max<int64_t>(spec.log_max_size - size, 0);
  if (spec.log_max_size == 0 || std::cmp_less(bytes.size(), room)) return bytes.size();
  const size_t line = bytes.find('\n', room == 0 ? 0 : static_cast<size_t>(room) - 1);
  if (line != std::string_view::npos) return line + 1;
  return size > spec.log_max_size + line_most ? 0 : bytes.size();
}

}  // namespace

bool append_log(const ServiceSpec& spec, std::string_view bytes) {
  constexpr int flags =
      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  // Each turn writes something, but for one of a file that is much too long.
  for (bool too_long = false; !bytes.empty();) {
    const Fd file(sys::openat(AT_FDCWD, spec.log.c_str(), flags, 0640));
    struct stat status;
    if (!file || sys::fstat(file.get(), &status) != 0) return false;
    if (!S_ISREG(status.st_mode)) return errno = EINVAL, false;
    const size_t share = too_long ? bytes.size() : share_of(spec, status.st_size, bytes);
    const ssize_t size = share == 0 ? 0 : sys::write(file.get(), bytes.data(), share);
    if (size <= 0 && share != 0) return false;
    bytes.remove_prefix(static_cast<size_t>(size));
    const int64_t now = status.st_size + size;
    too_long = share == 0;
    const bool at_end = too_long || bytes.data()[-1] == '\n';
    if (spec.log_max_size != 0 && now >= spec.log_max_size && at_end) put_aside(spec);
  }
  return true;
}

Fd open_log_end(const ServiceSpec& spec, int64_t most) {
  Fd file(sys::openat(AT_FDCWD, spec.log.c_str(),
                      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status;
  if (!file || sys::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return Fd();
  if (sys::lseek(file.get(), std::max<int64_t>(status.st_size - most, 0), SEEK_SET) < 0)
    return Fd();
  return file;
}

}  // namespace jail
