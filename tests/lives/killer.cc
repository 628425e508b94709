// Runs a command under ptrace(2), counts the places where it and its children meet the kernel, and
// kills one of them at one of these places. A place is a stop before or after a system call.
// Children count until they execute another program ("stage"), and on as process 1 of a jail if
// that is jinit ("init"). For the tests of tests/lives only: it must never change what the traced
// programs do, but by killing.
//
//   killer list REPORT CMD...           runs it to its end; REPORT: a line "PROCESS ROLE EFFECTS"
//   for every process, and
//                                       last "from N": the command's place when there was a process
//                                       1
//   killer kill REPORT PROCESS PLACE CMD...   kills PROCESS at its place number PLACE, from 0
//   killer init REPORT PROCESS PLACE CMD...   when PROCESS is there, kills process 1 of the newest
//   jail instead
//
// PROCESS is 0 for the command, 0.3 for its third child, 0.3.1 for the first child of that; the
// init that a stage became is 0.3i. EFFECTS has a character for every place: '.' after a call, or
// before one, that changes nothing that another process sees; '+' otherwise. The exit status is the
// command's (128 + signal); REPORT says "killed PROCESS NUMBER before" (or after; NUMBER of the
// call) or "not reached". Processes that are left over go on untraced: the kernel lets them go when
// we exit.
#include <algorithm>
#include <fcntl.h>
#include <map>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "tests/lives/pure_calls.h"

namespace {

constexpr long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;

// And these, of a command and what it starts.
constexpr long more_pure_calls[] = {
    SYS_stat,      SYS_lstat,     SYS_fstatfs,     SYS_faccessat2,  SYS_getppid,
    SYS_gettid,    SYS_getgid,    SYS_getegid,     SYS_sigaltstack, SYS_sched_getaffinity,
    SYS_recvfrom,  SYS_recvmsg,   SYS_getsockname, SYS_setsockopt,  SYS_setgroups,
    SYS_setresuid, SYS_setresgid, SYS_setpgid,     SYS_chroot,      SYS_sched_setaffinity};

struct Process {
  std::string name, role;
  int children = 0;
  bool counting = false, inside = false;  // inside: stopped before a call
  std::string effects;
  long call = -1;
};

struct Order {
  bool kill = false, victim_is_init = false;
  std::string process;
  size_t place = 0;
};

std::map<pid_t, Process> processes;
std::map<pid_t, int> early;  // stops of children that their parent has not told of yet
std::vector<Process> ended;
Order order;
FILE* report;
pid_t command;
bool free_run = false;  // the kill is done: whoever stops is let go
size_t init_from = 0;   // where the command was when the first process 1 was there
bool executed = false;  // the command is what was asked for, and not us any more

[[noreturn]] void die(const char* what) {
  perror(what);
  exit(97);
}

bool changes(const __ptrace_syscall_info& info, const Process& process) {
  // After an open the flags are not told any more: it counts as it did before.
  if (process.call == SYS_openat || process.call == SYS_open) {
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return process.effects.ends_with('+');
    return (info.entry.args[process.call == SYS_openat ? 2 : 1] & (O_CREAT | O_TRUNC)) != 0;
  }
  return std::ranges::find(pure_calls, process.call) == std::end(pure_calls) &&
         std::ranges::find(more_pure_calls, process.call) == std::end(more_pure_calls);
}

void resume(pid_t pid, int signal = 0) {
  auto it = processes.find(pid);
  bool counts =
      !free_run && it != processes.end() && (it->second.counting || it->second.role == "command");
  ptrace(counts ? PTRACE_SYSCALL : PTRACE_DETACH, pid, 0, signal);
  if (!counts && it != processes.end()) {
    ended.push_back(it->second);
    processes.erase(it);
  }
}

// A program's first argument, as /proc shows it.
std::string first_word(pid_t pid) {
  char path[64], text[256] = "";
  (void)snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  return size > 0 ? text : "";
}

// True: the place has come, and somebody was killed.
bool strike(pid_t pid, const Process& process) {
  if (!order.kill || process.name != order.process || process.effects.size() != order.place + 1)
    return false;
  pid_t victim = pid;
  if (order.victim_is_init) {
    victim = 0;
    for (const auto& [other, one] : processes)
      if (one.role == "init") victim = other;
  }
  order.kill = false;
  free_run = true;
  if (victim == 0) {
    (void)fprintf(report, "not reached: no process 1 yet\n");
    return false;
  }
  (void)fprintf(report, "killed %s %ld %s\n", processes[victim].name.c_str(), process.call,
                process.inside ? "before" : "after");
  kill(victim, SIGKILL);
  return victim == pid;
}

void on_call(pid_t pid) {
  Process& process = processes[pid];
  if (process.counting && executed) {
    __ptrace_syscall_info info{};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0) die("ptrace");
    process.inside = info.op == PTRACE_SYSCALL_INFO_ENTRY;
    if (process.inside) process.call = static_cast<long>(info.entry.nr);
    process.effects += changes(info, process) ? '+' : '.';
    if (strike(pid, process)) return;  // it dies without being resumed
  }
  resume(pid);
}

void on_birth(pid_t parent) {
  unsigned long child = 0;
  ptrace(PTRACE_GETEVENTMSG, parent, 0, &child);
  pid_t pid = static_cast<pid_t>(child);
  Process& process = processes[parent];
  Process born;
  born.name = process.name + "." + std::to_string(++process.children);
  born.role = "stage";
  born.counting = true;
  processes[pid] = born;
  resume(parent);
  if (early.erase(pid) > 0) resume(pid);
}

void on_exec(pid_t pid) {
  Process& process = processes[pid];
  if (process.role == "command" && !executed) {
    executed = process.counting = true;
  } else if (first_word(pid) == "jinit") {
    ended.push_back(process);
    process.name += 'i';
    process.role = "init";
    if (auto it = processes.find(command); it != processes.end() && init_from == 0)
      init_from = it->second.effects.size();
    process.effects.clear();
  } else {
    process.counting = false;
    process.role = process.role == "command" ? "program" : process.role;
  }
  resume(pid);
}

void on_stop(pid_t pid, int status) {
  int signal = WSTOPSIG(status), event = status >> 16;
  if (processes.find(pid) == processes.end()) {
    early[pid] = status;
    return;
  }
  if (signal == (SIGTRAP | 0x80)) return on_call(pid);
  if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE)
    return on_birth(pid);
  if (event == PTRACE_EVENT_EXEC) return on_exec(pid);
  resume(pid, event != 0 ? 0 : signal);
}

// Runs until the command has ended and yields its status as a shell tells it.
int watch() {
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0) {
      if (errno == EINTR) continue;
      die("waitpid");
    }
    if (WIFSTOPPED(status)) {
      on_stop(pid, status);
      continue;
    }
    if (auto it = processes.find(pid); it != processes.end()) {
      ended.push_back(it->second);
      processes.erase(it);
    }
    if (pid == command) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
}

void start(char** words) {
  int gate[2];
  if (pipe(gate) != 0) die("pipe");
  command = fork();
  if (command < 0) die("fork");
  if (command == 0) {
    char byte;
    close(gate[1]);
    if (read(gate[0], &byte, 1) != 0) _exit(97);
    close(gate[0]);
    execvp(words[0], words);
    _exit(96);
  }
  close(gate[0]);
  processes[command] = {"0", "command", 0, false, false, "", -1};
  if (ptrace(PTRACE_SEIZE, command, 0, options) != 0) die("ptrace");
  // It runs until its execve(2) is told.
  close(gate[1]);
}

}  // namespace

int main(int count, char** words) {
  const std::string what = count > 3 ? words[1] : "";
  int first = what == "list" ? 3 : 5;
  if ((what != "list" && what != "kill" && what != "init") || count <= first) {
    (void)fprintf(
        stderr,
        "usage: killer list REPORT CMD... | killer kill|init REPORT PROCESS PLACE CMD...\n");
    return 97;
  }
  report = fopen(words[2], "we");
  if (!report) die(words[2]);
  if (what != "list") order = {true, what == "init", words[3], strtoul(words[4], nullptr, 10)};
  start(words + first);
  int status = watch();
  for (const auto& [pid, process] : processes) ended.push_back(process);
  if (order.kill) (void)fprintf(report, "not reached\n");
  if (what == "list") {
    for (const Process& process : ended)
      (void)fprintf(report, "%s %s %s\n", process.name.c_str(), process.role.c_str(),
                    process.effects.c_str());
    (void)fprintf(report, "from %zu\n", init_from);
  }
  if (fclose(report) != 0) die(words[2]);
  return status;
}
