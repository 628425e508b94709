#include "os/linux/waiter.h"

#include "os/linux/abi.h"
#include "os/linux/child.h"

namespace jail {
namespace {

// Descriptors (`changes` is readable on SIGCHLD), the command, and the turn of the essay in
// os/linux/relay.cc.
struct Waiter {
  int relay = -1, terminal = -1, changes = -1;
  pid_t command = -1;
  int32_t turn = 0;
  int32_t stops = 0;          // the command's so far
  bool had_terminal = false;  // when the command stopped
};

// Process groups outside of the jail are 0 in here, and no terminal at all is -1.
bool holds_terminal(const Waiter& waiter) {
  return waiter.terminal >= 0 && tcgetpgrp(waiter.terminal) > 0;
}
bool has_own_group(const Waiter& waiter) {
  return getpgid(waiter.command) > 0;
}

void tell_stop(Waiter& waiter) {
  waiter.had_terminal = holds_terminal(waiter);
  tell(waiter.relay, {.kind = RelayWord::stopped,
                      .value = waiter.stops,
                      .turn = waiter.turn,
                      .flag = waiter.had_terminal});
}

void report(Waiter& waiter, int status) {
  if (WIFSTOPPED(status)) {
    waiter.stops++;
    return tell_stop(waiter);
  }
  tell(waiter.relay, {.kind = RelayWord::ended,
                      .value = status,
                      .turn = waiter.turn,
                      .flag = holds_terminal(waiter)});
  _exit(0);
}

void report_changes(Waiter& waiter) {
  signalfd_siginfo drained[8];
  while (sys::read(waiter.changes, drained, sizeof drained) > 0) continue;
  // The signal is drained and will not come again: only "nothing more" ends this.
  int status;
  while (pid_t changed = sys::waitpid(waiter.command, &status, WNOHANG | WUNTRACED)) {
    if (changed > 0) report(waiter, status);
    if (changed < 0 && errno == ECHILD) _exit(1);
  }
}

// As a shell's fg does: the terminal first, then the signal. But the caller's shell has continued
// the whole group, and with it a command that stayed there; that may have stopped again by the time
// we hear of our turn. A stop that is newer than the one that the other half stopped for is told,
// not undone: a key would be lost else. It is by their numbers that they are told apart, for the
// next stop signal takes away a SIGCONT that the other half has not read yet.
void go_on(Waiter& waiter, const RelayWord& word) {
  waiter.turn = word.turn;
  int status;
  pid_t changed = sys::waitpid(waiter.command, &status, WNOHANG | WUNTRACED | WCONTINUED);
  bool is_on = changed > 0 && WIFCONTINUED(status);
  if (changed > 0 && !is_on) return report(waiter, status);
  if (!is_on && waiter.stops != word.value) return tell_stop(waiter);
  pid_t group = getpgid(waiter.command);
  if (group > 0 && word.flag && waiter.had_terminal) tcsetpgrp(waiter.terminal, group);
  if (!is_on) sys::kill(group > 0 ? -group : waiter.command, SIGCONT);
}

void obey(Waiter& waiter) {
  Result<std::optional<RelayWord>> heard = hear(waiter.relay);
  if (!heard) {
    // The outer half is dead: by SIGKILL, as it handles all else. So is what it stood for.
    sys::kill(waiter.command, SIGKILL);
    while (sys::waitpid(waiter.command, nullptr, 0) < 0 && errno == EINTR) continue;
    _exit(1);
  }
  if (!*heard) return;
  const RelayWord& word = **heard;
  if (word.kind == RelayWord::go_on) return go_on(waiter, word);
  // A signal that the kernel gave to our group has reached a command that stayed in it.
  if (word.kind != RelayWord::signal || (word.flag && !has_own_group(waiter))) return;
  sys::kill(waiter.command, word.value);
}

// What became of the command first: after its end no word of the other half means anything.
[[noreturn]] void serve(Waiter waiter) {
  for (;;) {
    pollfd fds[] = {{waiter.changes, POLLIN, 0}, {waiter.relay, POLLIN, 0}};
    if (sys::poll(fds, 2, -1) < 0) continue;
    if (fds[0].revents) report_changes(waiter);
    if (fds[1].revents) obey(waiter);
  }
}

}  // namespace

void tell(int relay, const RelayWord& word) {
  while (sys::write(relay, &word, sizeof word) < 0 && errno == EINTR) continue;
}

Result<std::optional<RelayWord>> hear(int relay) {
  RelayWord word;
  ssize_t size = sys::read(relay, &word, sizeof word);
  if (size == sizeof word) return word;
  // The other half's last word comes after ECONNRESET, where it left one of ours unread.
  if (size < 0 && (errno == EINTR || errno == EAGAIN || errno == ECONNRESET)) return std::nullopt;
  return fail_errno("relay", EPIPE);
}

void leave_waiter(Launch& launch) {
  Waiter waiter{.relay = launch.relay, .terminal = launch.terminal};
  // The outer half ignores SIGCHLD, and a child of ours would be gone before its status is known.
  // All signals stay blocked in the waiter: whatever the group gets, it must outlive the command.
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  waiter.changes = sys::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  if (waiter.changes < 0) give_up(launch, std::string("signalfd: ") + std::strerror(errno));
  waiter.command = sys::fork();
  if (waiter.command < 0) give_up(launch, std::string("fork: ") + std::strerror(errno));
  if (waiter.command > 0) {
    // A pipe that the command closes has to be closed: standard input, output and error are not
    // ours.
    sys::close_range(0, 2, 0);
    if (launch.command.output >= 0) Fd(launch.command.output).reset();
    serve(waiter);
  }
  for (int* fd : {&launch.relay, &launch.terminal, &waiter.changes}) {
    if (*fd >= 0) Fd(*fd).reset();
    *fd = -1;
  }
}

}  // namespace jail
