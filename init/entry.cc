// Where the command is put, and why:
//
//   we lead a session       process 1 of a container. The command gets a session of its own, and
//                           the terminal with it: it is what it would be without us. Keys go to it,
//                           a stop by Control-Z is no stop, since nobody could continue it.
//   ... but are not alone   there are children already, of the shell that became us: letting go of
//                           the terminal would end them. A group of its own, in the foreground.
//   somebody's job          a shell's, a script's, somewhere in a pipeline: the command stays in
//                           our group, keys and stops reach it like the rest of the job, and we
//                           hand on only what was sent to us alone. When it stops, so do we: that
//                           is what the shell sees.
//   somebody's job, -g      a group of its own; we pass the foreground back and forth.
//
// All signals are blocked and none has a handler, so nothing is to be undone for the command but
// the mask, and process 1 gets also those that the kernel would not give it.
#include "init/entry.h"

#include <errno.h>
#include <getopt.h>
#include <initializer_list>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "os/adopt.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): only glibc's header has it

namespace jail {
namespace {

constexpr int refused = 125, not_executable = 126, not_found = 127;

struct Order {
  char** command = nullptr;  // nullptr: pause
  bool to_group = false;
  int parent_signal = 0;
  unsigned char statuses[256];  // what becomes of each of the command's
};

// What we were born with and the command is to be, too.
struct Birth {
  sigset_t mask;
  struct sigaction children;
};

enum class Place { session, group, job };

struct Charge {
  Place place = Place::job;
  bool to_group = false;
  bool answers = false;   // there may be a shell above that has to see our stops
  int terminal = -1;      // the controlling one
  bool in_front = false;  // the command was given the terminal's foreground and has it still
  pid_t pid = 0;          // 0: there is no command, and none has ended
  int status = -1;
};

// --- words ---

// A decimal number up to `limit` at the start of `text`, which moves behind it; -1 if there is
// none.
int take_number(const char*& text, int limit) {
  if (*text < '0' || *text > '9') return -1;
  int value = 0;
  for (; *text >= '0' && *text <= '9' && value <= limit; ++text) value = value * 10 + (*text - '0');
  return value <= limit ? value : -1;
}

// STATUS, which is to be 0, or STATUS:NEW.
bool take_status(const char* text, Order& order) {
  const int status = take_number(text, 255);
  const int becomes = *text == ':' ? take_number(++text, 255) : 0;
  if (status < 0 || becomes < 0 || *text != '\0') return false;
  order.statuses[status] = static_cast<unsigned char>(becomes);
  return true;
}

// A name with or without SIG, or a number.
bool take_signal(const char* text, Order& order) {
  static constexpr struct {
    char name[7];
    unsigned char number;
  } names[] = {{"ABRT", SIGABRT}, {"ALRM", SIGALRM}, {"CONT", SIGCONT},  {"HUP", SIGHUP},
               {"INT", SIGINT},   {"KILL", SIGKILL}, {"PIPE", SIGPIPE},  {"QUIT", SIGQUIT},
               {"STOP", SIGSTOP}, {"TERM", SIGTERM}, {"TSTP", SIGTSTP},  {"TTIN", SIGTTIN},
               {"TTOU", SIGTTOU}, {"URG", SIGURG},   {"USR1", SIGUSR1},  {"USR2", SIGUSR2},
               {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"WINCH", SIGWINCH}};
  const char* number = text;
  order.parent_signal = take_number(number, SIGRTMAX);
  if (order.parent_signal > 0) return *number == '\0';
  if (strncmp(text, "SIG", 3) == 0) text += 3;
  for (const auto& signal : names)
    if (strcmp(text, signal.name) == 0) order.parent_signal = signal.number;
  return order.parent_signal > 0;
}

constexpr char usage[] =
    "usage: jinit [-gs] [-e status[:new]] [-p signal] -- command [argument ...]\n"
    "       jinit -P\n"
    "       jinit --services directory\n";

int misuse() {
  (void)fputs(usage, stderr);
  return 64;
}

// The status to exit with at once, or -1: go on.
int read_order(int count, char** words, Order& order) {
  static constexpr option longs[] = {{"help", no_argument, nullptr, 'h'},
                                     {"version", no_argument, nullptr, 'V'},
                                     {"services", required_argument, nullptr, '?'},  // main.cc
                                     {nullptr, 0, nullptr, 0}};
  for (int status = 0; status < 256; ++status)
    order.statuses[status] = static_cast<unsigned char>(status);
  bool pause = false;
  for (int letter; (letter = getopt_long(count, words, "+ghsvVPe:p:", longs, nullptr)) != -1;) {
    const bool understood = letter == 'e'   ? take_status(optarg, order)
                            : letter == 'p' ? take_signal(optarg, order)
                                            : letter != '?';
    if (!understood) return misuse();
    if (letter == 'h') return puts(usage) < 0 ? 74 : 0;
    if (letter == 'V') return puts("jinit " CELLBLOCK_VERSION) < 0 ? 74 : 0;
    order.to_group |= letter == 'g';
    pause |= letter == 'P';
  }
  if (!pause && optind == count) return misuse();
  if (!pause) order.command = words + optind;
  return -1;
}

int give_up(const char* what) {
  (void)fprintf(stderr, "jinit: %s: %s\n", what, strerror(errno));
  return refused;
}

// --- the command's place ---

// Our controlling terminal, as a descriptor that no command inherits; -1: there is none.
int find_terminal() {
  for (int fd : {0, 1, 2})
    if (tcgetpgrp(fd) != -1 && (sys::fcntl(fd, F_GETFL) & O_ACCMODE) != O_WRONLY)
      return sys::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return sys::openat(AT_FDCWD, "/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

// Whether the program that became us has left us children. What has ended of them is reaped.
bool has_children() {
  pid_t pid;
  while ((pid = sys::waitpid(-1, nullptr, WNOHANG)) > 0) continue;
  return pid == 0;
}

void find_place(Charge& charge) {
  const bool leads = getsid(0) == getpid();
  charge.terminal = find_terminal();
  charge.answers = !leads && charge.terminal >= 0;
  charge.place = leads ? Place::session : charge.to_group ? Place::group : Place::job;
  if (charge.terminal < 0 || charge.place == Place::job) return;
  // What somebody else has in the foreground is not ours to give.
  charge.in_front = tcgetpgrp(charge.terminal) == getpgrp();
  if (leads && !(charge.in_front && !has_children() && let_go_of_terminal(charge.terminal)))
    charge.place = Place::group;
}

// --- in the child ---

void take_place(const Charge& charge) {
  if (charge.place == Place::session) {
    sys::setsid();
    if (charge.in_front) take_terminal(charge.terminal);
  } else if (charge.place == Place::group) {
    sys::setpgid(0, 0);
    if (charge.in_front) sys::tcsetpgrp(charge.terminal, getpid());
  }
}

// Sockets that were handed to us by number (sd_listen_fds(3)) are the command's.
void pass_on_sockets(pid_t ours) {
  static char variable[32];
  bool passed = false;
  for (char** one = environ; *one; ++one) {
    if (strncmp(*one, "LISTEN_PID=", 11) != 0 || strtol(*one + 11, nullptr, 10) != ours) continue;
    (void)snprintf(variable, sizeof variable, "LISTEN_PID=%d", getpid());
    *one = variable;
    passed = true;
  }
  for (char** one = environ; passed && *one; ++one)  // says the same in a way that we cannot
    while (*one && strncmp(*one, "LISTEN_PIDFDID=", 15) == 0)
      for (char** next = one; (*next = next[1]);) ++next;
}

[[noreturn]] void become_command(const Order& order, const Birth& birth, const Charge& charge) {
  take_place(charge);
  pass_on_sockets(getppid());
  sigaction(SIGCHLD, &birth.children, nullptr);
  sigprocmask(SIG_SETMASK, &birth.mask, nullptr);
  sys::execvp(order.command[0], order.command);
  const int status = errno == ENOENT ? not_found : not_executable;
  (void)give_up(order.command[0]);
  _exit(status);
}

// --- from there on ---

// What the terminal sends to the whole of a job, the command included.
bool is_of_terminal(int signal, const siginfo_t& info) {
  for (int key : {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGHUP, SIGWINCH, SIGCONT})
    if (signal == key) return info.si_code == SI_KERNEL;
  return false;
}

void give_terminal(Charge& charge, bool to_command) {
  if (charge.place != Place::group || !charge.answers || charge.in_front == to_command) return;
  if (to_command && tcgetpgrp(charge.terminal) != getpgrp()) return;
  sys::tcsetpgrp(charge.terminal, to_command ? charge.pid : getpgrp());
  charge.in_front = to_command;
}

void hand_on(Charge& charge, int signal, const siginfo_t& info) {
  if (info.si_code == SI_USER && info.si_pid == getpid()) return;  // of let_go_of_terminal
  if (charge.place == Place::job && is_of_terminal(signal, info)) return;
  if (signal == SIGCONT) give_terminal(charge, true);
  // The group may not be there yet.
  if (!charge.to_group || charge.place == Place::job || sys::kill(-charge.pid, signal) != 0)
    sys::kill(charge.pid, signal);
}

void reap(Charge& charge) {
  int status;
  pid_t pid;
  while ((pid = sys::waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
    if (pid != charge.pid) continue;
    give_terminal(charge, false);
    if (!WIFSTOPPED(status))
      charge.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    else if (charge.answers)
      sys::kill(getpid(), SIGSTOP);
  }
}

// The command's status. From here on we may not end before the command has: it would be killed, if
// we are process 1. So nothing here can fail; what cannot be done is left.
int attend(Charge& charge, const sigset_t& signals) {
  for (;;) {
    reap(charge);
    if (charge.status >= 0) return charge.status;
    siginfo_t info;
    const int signal = sys::sigwaitinfo(&signals, &info);
    if (signal < 0 || signal == SIGCHLD) continue;
    if (charge.pid != 0)
      hand_on(charge, signal, info);
    else if (signal == SIGTERM || signal == SIGINT)
      return 0;
  }
}

// Nothing is to live on because we have it open, but for the standard streams: who writes to
// /proc/1/fd/1 means the container's log.
void let_go(Charge& charge) {
  if (charge.answers) charge.terminal = sys::dup2(charge.terminal, 3);
  close_from(charge.answers ? 4 : 3);
  if (sys::chdir("/") != 0) return;  // then a directory stays busy
}

}  // namespace

int run_entry(int count, char** words) {
  Order order;
  if (const int status = read_order(count, words, order); status >= 0) return status;
  sigset_t all;
  Birth birth;
  sigfillset(&all);
  if (sigprocmask(SIG_SETMASK, &all, &birth.mask) != 0) return give_up("sigprocmask");
  // Who was started with SIGCHLD ignored would never hear how a child ended.
  struct sigaction by_default = {};
  by_default.sa_handler = SIG_DFL;
  if (sigaction(SIGCHLD, &by_default, &birth.children) != 0) return give_up("sigaction");
  if (order.parent_signal != 0 && !signal_when_parent_ends(order.parent_signal))
    return give_up("parent-death signal");
  if (!adopt_orphans()) return give_up("subreaper");
  Charge charge{.to_group = order.to_group};
  if (order.command) {
    find_place(charge);
    charge.pid = sys::fork();
    if (charge.pid < 0) return give_up("fork");
    if (charge.pid == 0) become_command(order, birth, charge);
    if (charge.place == Place::group) sys::setpgid(charge.pid, charge.pid);
  }
  let_go(charge);
  const int status = attend(charge, all);
  return order.statuses[status & 255];
}

}  // namespace jail
