#include "os/adopt.h"

#include <climits>
#include <sys/ioctl.h>

#include "os/linux/abi.h"

namespace jail {

bool adopt_orphans() {
  return getpid() == 1 || sys::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

bool signal_when_parent_ends(int signal) {
  const pid_t parent = getppid();
  if (sys::prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(signal)) != 0) return false;
  return getppid() == parent || sys::kill(getpid(), signal) == 0;
}

bool let_go_of_terminal(int fd) {
  return sys::ioctl(fd, TIOCNOTTY) == 0;
}

bool take_terminal(int fd) {
  return sys::ioctl(fd, TIOCSCTTY) == 0;
}

void close_from(int first) {
  sys::close_range(static_cast<unsigned>(first), UINT_MAX, 0);
}

}  // namespace jail
