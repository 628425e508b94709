#include "cmd/raw_terminal.h"

#include <cerrno>
#include <initializer_list>

#include "base/sys.h"

namespace jail {
namespace {

// For the handlers, which have nothing else.
int terminal = -1;
termios before, raw;
volatile sig_atomic_t resized = 0;

// Those whose default ends a program and that somebody might send, or that we might deserve.
constexpr int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGABRT, SIGSEGV, SIGBUS,
                          SIGFPE, SIGILL, SIGALRM, SIGPIPE, SIGUSR1, SIGUSR2, SIGXCPU};

// What a hostile jail made the terminal answer is not for the shell to read. Waits for no output:
// the terminal may take none.
void restore() {
  if (terminal < 0) return;
  sys::tcflush(terminal, TCIFLUSH);
  sys::tcsetattr(terminal, TCSANOW, &before);
}

void end_by(int signal) {
  restore();
  ::signal(signal, SIG_DFL);
  sys::kill(getpid(), signal);  // comes when the handler returns
}

void stop_self() {
  const int saved = errno;
  restore();
  sys::kill(getpid(), SIGSTOP);
  // Continued in the background, this stops us anew: as it should.
  if (terminal >= 0) sys::tcsetattr(terminal, TCSANOW, &raw);
  resized = 1;
  errno = saved;
}

void on_stop(int /*signal*/) {
  stop_self();
}

void on_continue(int /*signal*/) {
  const int saved = errno;
  if (terminal >= 0) sys::tcsetattr(terminal, TCSANOW, &raw);
  resized = 1;
  errno = saved;
}

void on_resize(int /*signal*/) {
  resized = 1;
}

// Everything is blocked in a handler, so none is entered while another changes the terminal.
void handle(int signal, void (*handler)(int)) {
  struct sigaction action{}, old{};
  if (sigaction(signal, nullptr, &old) != 0 || old.sa_handler == SIG_IGN) return;
  action.sa_handler = handler;
  sigfillset(&action.sa_mask);
  if (sigaction(signal, &action, nullptr) != 0) return;  // it keeps its meaning
}

}  // namespace

RawTerminal::RawTerminal(int fd) {
  sigemptyset(&before_);
  if (sys::tcgetattr(fd, &before) != 0) return;
  is_terminal_ = true;
  raw = before;
  cfmakeraw(&raw);
  // Held but in ppoll(2), so that none comes between a look at resized and the wait. Those that end
  // us are not: they must end us also in a write that blocks.
  sigset_t held;
  sigemptyset(&held);
  for (int signal : {SIGWINCH, SIGCONT, SIGTSTP}) sigaddset(&held, signal);
  sigprocmask(SIG_BLOCK, &held, &before_);
  for (int signal : {SIGWINCH, SIGCONT, SIGTSTP}) sigdelset(&before_, signal);
  terminal = fd;
  for (int signal : deadly) handle(signal, end_by);
  handle(SIGTSTP, on_stop);
  handle(SIGCONT, on_continue);
  handle(SIGWINCH, on_resize);
  sys::tcsetattr(fd, TCSANOW, &raw);
}

RawTerminal::~RawTerminal() {
  if (!is_terminal_) return;
  restore();
  terminal = -1;
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool RawTerminal::take_resized() {
  const bool was = resized != 0;
  resized = 0;
  return was;
}

void RawTerminal::suspend() {
  stop_self();
}

}  // namespace jail
