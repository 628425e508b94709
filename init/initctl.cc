#include "init/initctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

#include "base/sys.h"
#include "sup/request.h"

namespace jail {

namespace {

constexpr const char* fifo = "/run/initctl";
constexpr int32_t magic = 0x03091969, run_level_command = 1;

// As sysvinit writes it, whole or not at all: less than a pipe takes at once.
struct Request {
  int32_t magic, command, level, seconds;
  char rest[368];
};

}  // namespace

Fd open_initctl() {
  if (sys::mknodat(AT_FDCWD, fifo, S_IFIFO | 0600, 0) != 0 && errno != EEXIST) return Fd();
  Fd fd(sys::openat(AT_FDCWD, fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  struct stat status;
  if (!fd || sys::fstat(fd.get(), &status) != 0 || !S_ISFIFO(status.st_mode)) return Fd();
  return fd;
}

std::optional<InitEvent> read_initctl(int fd) {
  Request request;
  if (sys::read(fd, &request, sizeof request) != sizeof request) return std::nullopt;
  if (request.magic != magic || request.command != run_level_command) return std::nullopt;
  for (const RequestWord& level : initctl_levels())
    if (level.name[0] == request.level) return level.event;
  return std::nullopt;
}

}  // namespace jail
