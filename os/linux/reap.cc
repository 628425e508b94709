#include "os/reap.h"

#include <string.h>

#include "base/fd.h"
#include "os/linux/abi.h"

namespace jail {

namespace {

// Descriptors to wait for, and what the host has said last.
struct Reaper {
  int control, events, signals;
  bool persist = true;
};

// Whether any process but us is left. When in doubt, yes: leaving ends the jail.
bool others_left(const Reaper& reaper) {
  char text[256];
  ssize_t size = sys::pread(reaper.events, text, sizeof text - 1, 0);
  if (size < 0) return true;
  text[size] = '\0';
  return strstr(text, "populated 0") == nullptr;
}

// From here on the kernel ends everything that is left in the jail.
void leave_if_alone(const Reaper& reaper) {
  if (!reaper.persist && !others_left(reaper)) _exit(0);
}

// The signals are drained before the children are: one that ends in between leaves a new signal
// behind. Ten ends may be one signal, so the number of signals says nothing.
void reap(const Reaper& reaper) {
  signalfd_siginfo info;
  while (sys::read(reaper.signals, &info, sizeof info) == sizeof info) continue;
  while (sys::waitpid(-1, nullptr, WNOHANG) > 0) continue;
}

// One request a connection, a word; the answer is a word too. Only the host reaches this socket.
void answer(Reaper& reaper) {
  Fd client(sys::accept4(reaper.control, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!client) return;
  // The host writes at once, but we must not wait for it: what is not there within a second is not
  // asked.
  pollfd request{client.get(), POLLIN, 0};
  char word[32] = "";
  ssize_t size =
      sys::poll(&request, 1, 1000) == 1 ? sys::read(client.get(), word, sizeof word - 1) : -1;
  word[size < 0 ? 0 : size] = '\0';
  const char* reply = "unknown";
  if (strcmp(word, "persist") == 0 || strcmp(word, "nopersist") == 0) {
    reaper.persist = word[0] == 'p';
    reply = reaper.persist || others_left(reaper) ? "ok" : "leaving";
  }
  if (sys::send(client.get(), reply, strlen(reply), MSG_NOSIGNAL) < 0) return;  // it has not waited
}

}  // namespace

int reap_for_ever(int control, int events) {
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &children, nullptr) != 0) return 1;
  Reaper reaper{control, events, sys::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (reaper.signals < 0) return 1;
  if (sys::prctl(PR_SET_DUMPABLE, 0) != 0) return 1;  // the jail's root must not trace us
  // From here on we may not exit but by leave_if_alone(): the jail would end.
  for (;;) {
    pollfd sources[] = {{reaper.signals, POLLIN, 0},
                        {control, POLLIN, 0},
                        {reaper.persist ? -1 : events, POLLPRI, 0}};
    if (sys::poll(sources, 3, -1) < 0) continue;
    reap(reaper);
    if (sources[1].revents != 0) answer(reaper);
    leave_if_alone(reaper);
  }
}

}  // namespace jail
