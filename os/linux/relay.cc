// A command of a jail in the place of this process. On FreeBSD jexec(8) attaches and becomes the
// command; here a process cannot enter a pid namespace, so there are three:
//
//   caller's shell -- outer (this process) == socket == waiter (in the jail) -- command
//
// The waiter is the command's parent so that no zombie of the jail waits for a process outside,
// which may be stopped: process 1 could not finish dying (L4). For the same reason the outer half
// ignores SIGCHLD, and the waiter, its child, leaves no zombie either; what became of the command
// comes through the socket, and its closing tells either half that the other is gone.
//
// Signals. All three are in the caller's process group, so the terminal's reach the command by
// themselves; the outer half hands on those sent to it alone by kill(2). Stops: both halves block
// SIGTSTP, SIGTTIN and SIGTTOU. It is the command that stops or does not; the waiter sees it and
// the outer half stops itself, which is what the caller's shell sees. When that continues us, the
// waiter continues the command. A stop noticed before we were continued last is old news and no
// reason to stop again; hence the turns.
//
// Terminal. A shell with job control makes groups of its own and gives them the terminal; it cannot
// give it back, as the number of our group means nothing in there. So we take it back when it stops
// or ends, and with its modes when it was killed.
#include <fmt/format.h>
#include <sys/resource.h>
#include <termios.h>

#include "base/file.h"
#include "os/linux/abi.h"
#include "os/linux/child.h"
#include "os/linux/waiter.h"

namespace jail {
namespace {

// The outer half.
struct Outer {
  Fd signals, relay, terminal;
  termios modes{};  // of the terminal, before the command
  bool modes_known = false;
  int32_t turn = 0;
  int32_t stop = 0;  // the number of the one that we stopped for last
};

constexpr int moments = 100;  // of 10 ms, for the processes of a jail that is being ended

// Our controlling terminal, if one of the standard descriptors is it.
Fd find_terminal() {
  for (int fd : {0, 1, 2})
    if (tcgetpgrp(fd) != -1) return Fd(sys::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  return Fd();
}

void take_terminal(const Outer& outer) {
  if (outer.terminal) tcsetpgrp(outer.terminal.get(), getpgrp());
}

bool in_foreground(const Outer& outer) {
  return outer.terminal && tcgetpgrp(outer.terminal.get()) == getpgrp();
}

// Whoever ends by itself leaves the modes as it wants them. A shell that is killed while a line is
// edited cannot.
int killed(const Outer& outer, int status) {
  if (outer.modes_known && WIFSIGNALED(status) && in_foreground(outer))
    sys::tcsetattr(outer.terminal.get(), TCSANOW, &outer.modes);
  return status;
}

// The jail was ended, and the waiter with it, which cannot tell any more whether the terminal was
// the command's: it was, if it is left to a group that nobody is in.
int ended_with_the_jail(const Outer& outer) {
  for (int i = 0; outer.terminal && !in_foreground(outer) && i < moments; ++i) {
    const pid_t group = tcgetpgrp(outer.terminal.get());
    if (group <= 0 || (sys::kill(-group, 0) != 0 && errno == ESRCH))
      take_terminal(outer);
    else
      sys::poll(nullptr, 0, 10);
  }
  return killed(outer, SIGKILL);
}

// By si_code the waiter knows whether the command has had the signal already: the kernel sends the
// terminal's to the whole group, which the command may still be in.
void hand_on_signals(Outer& outer) {
  signalfd_siginfo info;
  while (sys::read(outer.signals.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCONT) {
      outer.turn++;
      tell(outer.relay.get(), {.kind = RelayWord::go_on,
                               .value = outer.stop,
                               .turn = outer.turn,
                               .flag = in_foreground(outer)});
    } else {
      uint32_t by_kernel = info.ssi_code > 0;
      tell(outer.relay.get(), {.kind = RelayWord::signal,
                               .value = static_cast<int32_t>(info.ssi_signo),
                               .flag = by_kernel});
    }
  }
}

int relay_until_the_end(Outer& outer) {
  for (;;) {
    pollfd fds[] = {{outer.signals.get(), POLLIN, 0}, {outer.relay.get(), POLLIN, 0}};
    if (sys::poll(fds, 2, -1) < 0) continue;
    // Signals first: a SIGCONT that is here must count before a stop that is older.
    if (fds[0].revents) hand_on_signals(outer);
    if (!fds[1].revents) continue;
    Result<std::optional<RelayWord>> heard = hear(outer.relay.get());
    if (!heard) return ended_with_the_jail(outer);
    if (!*heard) continue;
    const RelayWord& word = **heard;
    bool is_news = word.kind == RelayWord::ended ||
                   (word.kind == RelayWord::stopped && word.turn == outer.turn);
    if (is_news && word.flag) take_terminal(outer);
    if (word.kind == RelayWord::ended) return killed(outer, word.value);
    if (!is_news) continue;
    outer.stop = word.value;
    sys::kill(getpid(), SIGSTOP);
  }
}

// The streams are the command's alone: a reader of its output sees the end when the command closes
// it.
Result<void> release_streams() {
  Fd nothing = TRY(open_at(AT_FDCWD, "/dev/null", O_RDWR));
  for (int fd : {0, 1, 2})
    if (sys::dup2(nothing.get(), fd) < 0) return fail_errno("/dev/null");
  return {};
}

}  // namespace

Result<int> relay_command(const Command& command) {
  Launch laid_out = TRY(lay_out(command));
  int ends[2];
  if (sys::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("socketpair");
  Fd inner(ends[1]);
  Outer outer{.signals = {}, .relay = Fd(ends[0]), .terminal = find_terminal()};
  outer.modes_known = outer.terminal && sys::tcgetattr(outer.terminal.get(), &outer.modes) == 0;
  laid_out.relay = inner.get();
  laid_out.terminal = outer.terminal.get();
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  outer.signals.reset(sys::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!outer.signals) return fail_errno("signalfd");
  ::signal(SIGCHLD, SIG_IGN);
  Running waiter = TRY(launch(laid_out));
  waiter.pid = -1;  // from here on its number may be anybody's: nobody reaps it
  inner.reset();
  ignore(release_streams(), "the command runs; a reader of its output just waits for us too");
  int status = relay_until_the_end(outer);
  // Until the waiter has gone (there is nothing to be had, as SIGCHLD is ignored): whoever inherits
  // it from us may never reap it, and process 1 of the jail could not finish dying.
  while (sys::waitpid(-1, nullptr, 0) >= 0) continue;
  return status;
}

void end_like(int status) {
  if (!WIFSIGNALED(status)) std::exit(WEXITSTATUS(status));
  // The core, if there is one, is the command's.
  rlimit none{0, 0};
  sys::setrlimit(RLIMIT_CORE, &none);
  sys::prctl(PR_SET_DUMPABLE, 0);
  ::signal(WTERMSIG(status), SIG_DFL);
  sigset_t it;
  sigemptyset(&it);
  sigaddset(&it, WTERMSIG(status));
  sys::kill(getpid(), WTERMSIG(status));
  sigprocmask(SIG_UNBLOCK, &it, nullptr);
  _exit(128 + WTERMSIG(status));
}

}  // namespace jail
