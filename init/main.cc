// jinit: process 1 of a jail. In its reaping mode, the only one so far, it adopts and reaps orphans, listens for the
// host's word whether the jail is to stay without processes, and otherwise sleeps: it polls nothing, allocates nothing
// and wakes nobody. Descriptors, from os/linux/boot.cc: 3 listens for the host, 4 is cgroup.events of the group that
// holds every other process of the jail. Static, without {fmt} and without exceptions.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int control_fd = 3, events_fd = 4, signals_fd = 5;

bool persist = true;

// Whether any process but us is left. When in doubt, yes: leaving ends the jail.
bool others_left() {
  char text[256];
  ssize_t size = pread(events_fd, text, sizeof text - 1, 0);
  if (size < 0) return true;
  text[size] = '\0';
  return strstr(text, "populated 0") == nullptr;
}

// From here on the kernel ends everything that is left in the jail.
void leave_if_alone() {
  if (!persist && !others_left()) _exit(0);
}

void reap() {
  signalfd_siginfo info;
  while (read(signals_fd, &info, sizeof info) == sizeof info) continue;
  while (waitpid(-1, nullptr, WNOHANG) > 0) continue;
}

// One request a connection, a word; the answer is a word too. Only the host reaches this socket.
void answer() {
  int client = accept4(control_fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (client < 0) return;
  // The host writes at once, but we must not wait for it: what is not there within a second is not asked.
  pollfd request{client, POLLIN, 0};
  char word[32] = "";
  ssize_t size = poll(&request, 1, 1000) == 1 ? read(client, word, sizeof word - 1) : -1;
  word[size < 0 ? 0 : size] = '\0';
  const char* reply = "unknown";
  if (strcmp(word, "persist") == 0 || strcmp(word, "nopersist") == 0) {
    persist = word[0] == 'p';
    reply = persist || others_left() ? "ok" : "leaving";
  }
  if (send(client, reply, strlen(reply), MSG_NOSIGNAL) < 0) reply = nullptr;
  close(client);
}

int reap_for_ever() {
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &children, nullptr) != 0) return 1;
  if (signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK) != signals_fd) return 1;  // the lowest that is free
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return 1;  // the jail's root must not trace us
  // From here on we may not exit but by leave_if_alone(): the jail would end.
  for (;;) {
    pollfd sources[] = {{signals_fd, POLLIN, 0}, {control_fd, POLLIN, 0}, {persist ? -1 : events_fd, POLLPRI, 0}};
    if (poll(sources, 3, -1) < 0 && errno != EINTR) continue;
    reap();
    if (sources[1].revents != 0) answer();
    leave_if_alone();
  }
}

}  // namespace

int main(int count, char** words) {
  if (count == 2 && strcmp(words[1], "--jail") == 0 && getpid() == 1) return reap_for_ever();
  (void)fprintf(stderr, "usage: jinit is started by jail(8) as process 1 of a jail\n");
  return 64;
}
