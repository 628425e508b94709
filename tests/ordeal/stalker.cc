// Kills one of those that keep a running jail going - its warden, the commands and the process 1
// that the warden starts - before or after one of its system calls. Attaches to the warden by
// ptrace(2) and follows what it starts. For the tests of tests/ordeal only: it must change nothing
// but by killing, and lets everybody go when it ends.
//
//   stalker REPORT NAME PLACE WARDEN   kills who is called NAME at its place number PLACE, from 0;
//                                      NAME `-`: nobody
//
// NAME is `warden`; `ended`, `boot` and `process1` for those that it starts and what these start,
// with a number where there are several (`boot2`); and `boot'1` for the first child of `boot` while
// it is that program still. Says `ready` on standard output once it follows, and ends when it has
// killed or standard input has been closed. REPORT has a line "NAME EFFECTS" for every process, an
// effect `.` or `+` for every place (`+`: others can see that the call was made), and at the end
// "killed NAME NUMBER before" (or after) if it has.
#include <algorithm>
#include <fcntl.h>
#include <map>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lives/pure_calls.h"

namespace {

constexpr long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;

struct Process {
  std::string name = {};
  int children = 0;
  bool inside = false;  // stopped before a call
  long call = -1;
  std::string effects = {};
};

std::map<pid_t, Process> processes;
std::map<pid_t, int> early;  // stops of children that their parent has not told of yet
std::map<std::string, int> counts;
std::string victim;
size_t place;
FILE* report;

[[noreturn]] void die(const char* what) {
  perror(what);
  exit(97);
}

// Everybody who is traced goes on when we are no more.
[[noreturn]] void finish(int status) {
  for (const auto& [pid, process] : processes)
    (void)fprintf(report, "%s %s\n", process.name.c_str(), process.effects.c_str());
  if (fclose(report) != 0) die("report");
  exit(status);
}

void forget(pid_t pid) {
  auto it = processes.find(pid);
  if (it == processes.end()) return;
  (void)fprintf(report, "%s %s\n", it->second.name.c_str(), it->second.effects.c_str());
  processes.erase(it);
}

void resume(pid_t pid, int signal = 0) {
  ptrace(processes.contains(pid) ? PTRACE_SYSCALL : PTRACE_DETACH, pid, 0, signal);
}

void on_call(pid_t pid) {
  Process& process = processes[pid];
  __ptrace_syscall_info info{};
  if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0) return resume(pid);
  process.inside = info.op == PTRACE_SYSCALL_INFO_ENTRY;
  if (process.inside) process.call = static_cast<long>(info.entry.nr);
  const bool pure = std::ranges::find(pure_calls, process.call) != std::end(pure_calls);
  process.effects += pure ? '.' : '+';
  if (process.name != victim || process.effects.size() != place + 1) return resume(pid);
  kill(pid, SIGKILL);
  (void)fprintf(report, "killed %s %ld %s\n", process.name.c_str(), process.call,
                process.inside ? "before" : "after");
  finish(0);
}

void on_birth(pid_t parent) {
  unsigned long child = 0;
  ptrace(PTRACE_GETEVENTMSG, parent, 0, &child);
  const pid_t pid = static_cast<pid_t>(child);
  Process& process = processes[parent];
  processes[pid] = {.name = process.name + "'" + std::to_string(++process.children)};
  resume(parent);
  if (early.erase(pid) > 0) resume(pid);
}

// What a program of ours was started as; nothing for all others.
std::string role_of(pid_t pid) {
  char path[64], text[256] = "";
  (void)snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return {};
  const std::string_view word(text + strlen(text) + 1);
  if (word == "--ended" || word == "--boot") return std::string(word.substr(2));
  return word == "--jail" ? "process1" : "";
}

void on_exec(pid_t pid) {
  const std::string role = role_of(pid);
  forget(pid);
  if (!role.empty()) {
    const int count = ++counts[role];
    processes[pid] = {.name = count == 1 ? role : role + std::to_string(count)};
  }
  resume(pid);
}

void on_stop(pid_t pid, int status) {
  const int signal = WSTOPSIG(status), event = status >> 16;
  if (!processes.contains(pid)) {
    early[pid] = status;
    return;
  }
  if (signal == (SIGTRAP | 0x80)) return on_call(pid);
  if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE)
    return on_birth(pid);
  if (event == PTRACE_EVENT_EXEC) return on_exec(pid);
  resume(pid, event != 0 ? 0 : signal);
}

void wait_all() {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0;) {
    if (WIFSTOPPED(status))
      on_stop(pid, status);
    else
      forget(pid);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 5) {
    (void)fprintf(stderr, "usage: stalker REPORT NAME PLACE WARDEN\n");
    return 97;
  }
  report = fopen(words[1], "we");
  if (!report) die(words[1]);
  victim = words[2];
  place = strtoul(words[3], nullptr, 10);
  const pid_t warden = static_cast<pid_t>(strtol(words[4], nullptr, 10));
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, nullptr);
  const int ends = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  // It is stopped once, so that its first call from here on counts.
  if (ends < 0 || ptrace(PTRACE_SEIZE, warden, 0, options) != 0 ||
      ptrace(PTRACE_INTERRUPT, warden, 0, 0) != 0)
    die("ptrace");
  processes[warden] = {.name = "warden"};
  int status;
  if (waitpid(warden, &status, __WALL) != warden) die("waitpid");
  resume(warden);
  if (puts("ready") < 0 || fflush(stdout) != 0) die("ready");
  for (;;) {
    pollfd news[] = {{STDIN_FILENO, POLLIN, 0}, {ends, POLLIN, 0}};
    if (poll(news, 2, -1) < 0) continue;
    signalfd_siginfo info;
    while (read(ends, &info, sizeof info) > 0) continue;
    wait_all();
    if (news[0].revents != 0) finish(0);
  }
}
