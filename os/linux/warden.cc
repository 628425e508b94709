#include "os/warden.h"

#include <array>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/text.h"
#include "os/handed.h"
#include "os/linux/abi.h"
#include "os/process1.h"
#include "os/terminal.h"

namespace jail {

namespace {

constexpr int64_t quick_life = 10'000;  // ms: a crash after less counts as one of a loop
constexpr int retry_pause = 1'000;      // ms, where no process can be made just now, or in a storm
constexpr unsigned storm_from = 100;    // ends in a row, each after a short life
constexpr size_t longest_packet = 4096;

struct Warden {
  const char *id, *program;
  Fd engine, group;
  Fd answer;                   // of the `jail --boot` that is under way
  Fd process1;                 // pidfd
  Fd voice;                    // what process 1 asks us for
  std::array<Fd, 2> commands;  // pidfds of those that are not reaped: --ended, and its --boot
  bool adopted = false, up = false;
  bool serving = false;           // we speak for process 1
  bool stopped = false;           // whoever stops the jail sees its end
  const char* ended = nullptr;    // how process 1 ended, where nobody has been told yet
  const char* told = nullptr;     // the same, where the engine has been, and has not acted yet
  unsigned quick = 0, storm = 0;  // ends in a row that were a loop's, and that came soon
  int64_t ended_at = 0;
  int64_t born = 0;
};

// Our own children leave nothing: process 1 is to be waited for, so SIGCHLD cannot be ignored.
void reap_command(Fd& command) {
  siginfo_t end;
  sys::waitid(P_PIDFD, static_cast<id_t>(command.get()), &end, WEXITED);
  command.reset();
}

// A process 1 that was never born, or that nobody waits for: while there may be one whose end is
// news, its status is not to be lost.
void reap_others(const Warden& warden) {
  if (warden.process1 || warden.answer) return;
  while (sys::waitpid(-1, nullptr, WNOHANG | __WALL) > 0) continue;
}

// A descriptor for a child, and its number there.
struct Given {
  const Fd& fd;
  int number;
};

// A child in the group of the commands that wardens start; never in ours, which the undo of this
// warden ends. It has what is given, and what is handed on in any case.
bool start(Warden& warden, char* const words[], std::initializer_list<Given> given) {
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<uint64_t>(warden.group.get());
  const pid_t pid = sys::clone3(&arguments);
  if (pid > 0) warden.commands[warden.commands[0] ? 1 : 0].reset(pidfd);
  if (pid != 0) return pid > 0;
  bool placed = true;
  for (const Given& one : given)
    placed = placed && sys::dup2(one.fd.get(), one.number) == one.number;
  if (placed && sys::close_range(handed::last + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
    sys::execvp(warden.program, words);
  _exit(127);
}

// Packets to an engine: if it is gone, its end is the next thing that we hear.
void tell_engine(const Warden& warden, std::string_view text) {
  if (sys::send(warden.engine.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) return;
}

void begin_boot(Warden& warden) {
  warden.told = warden.ended = nullptr;  // it knows
  int ends[2];
  if (sys::pipe2(ends, O_CLOEXEC) != 0)
    return tell_engine(warden, concat({"failed ", std::to_string(errno), " pipe"}));
  Fd reads(ends[0]), writes(ends[1]);
  if (sys::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return tell_engine(warden, concat({"failed ", std::to_string(errno), " socketpair"}));
  warden.voice.reset(ends[0]);
  Fd theirs(ends[1]);
  warden.adopted = warden.up = warden.serving = warden.stopped = false;
  char name[] = "jail", form[] = "--boot";
  char* words[] = {name, form, const_cast<char*>(warden.id), nullptr};
  if (!start(warden, words, {{writes, handed::events}, {theirs, handed::warden}}))
    return tell_engine(warden, concat({"failed ", std::to_string(errno), " jail --boot"}));
  warden.answer = std::move(reads);
}

// Process 1 without an engine that has written it down: nobody would ever undo it by name.
[[noreturn]] void end_both(const Warden& warden) {
  if (warden.process1) sys::pidfd_send_signal(warden.process1.get(), SIGKILL, nullptr, 0);
  _exit(0);
}

// "born PID START", or why not; nothing at all: the command was killed.
void hear_birth(Warden& warden) {
  char text[longest_packet];
  size_t size = 0;
  for (ssize_t got; size < sizeof text &&
                    (got = sys::read(warden.answer.get(), text + size, sizeof text - size)) != 0;) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0) size += static_cast<size_t>(got);
  }
  warden.answer.reset();
  std::string failed;
  std::string_view answer(text, size);
  const Words words = split(answer, " ");
  if (words.size() == 3 && words[0] == "born") {
    const auto pid = parse_int(words[1]);
    warden.process1.reset(sys::pidfd_open(static_cast<pid_t>(pid.value_or(-1)), 0));
    warden.born = now_ms();
    if (!warden.process1)
      answer = failed = concat({"failed ", std::to_string(ESRCH), " process 1"});
  } else if (words.empty() || words[0] != "failed") {
    answer = failed = concat({"failed ", std::to_string(EIO), " jail --boot: killed"});
  }
  if (!warden.engine) end_both(warden);
  tell_engine(warden, answer);
}

// From reboot(2) in its namespace the kernel makes these two signals, which process 1 can get in no
// other way (L4, N19). `status` is one of wait(2).
const char* how_of(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status) == 0 ? "exit" : "crash";
  if (WTERMSIG(status) == SIGHUP) return "restart";
  return WTERMSIG(status) == SIGINT ? "halt" : "crash";
}

// The number of a process that has not been reaped; -1: it has.
pid_t number_of(const Fd& process) {
  char text[512];
  const std::string path = concat({"/proc/self/fdinfo/", std::to_string(process.get())});
  Fd file(sys::openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC));
  const ssize_t size = sys::read(file.get(), text, sizeof text);
  const std::string_view info(text, size > 0 ? static_cast<size_t>(size) : 0);
  const size_t at = info.find("Pid:\t");
  if (at == std::string_view::npos) return -1;
  const std::string_view number = info.substr(at + 5);
  return static_cast<pid_t>(parse_int(number.substr(0, number.find('\n'))).value_or(-1));
}

// The status of a process that has ended and is somebody else's child (of a warden that was
// killed): the last field of its stat while nobody has reaped it, then what the kernel tells from
// Linux 6.15 on.
std::optional<int> exit_status(const Fd& process) {
  char text[1024];
  const std::string path = concat({"/proc/", std::to_string(number_of(process)), "/stat"});
  Fd file(sys::openat(AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC));
  const ssize_t size = sys::read(file.get(), text, sizeof text);
  std::string_view stat(text, size > 0 ? static_cast<size_t>(size) : 0);
  while (stat.ends_with('\n')) stat.remove_suffix(1);
  const auto last = parse_int(stat.substr(stat.rfind(' ') + 1));
  if (last && number_of(process) > 0) return static_cast<int>(*last);
  sys::PidfdInfo info{};
  info.mask = sys::pidfd_info_exit;
  if (sys::ioctl(process.get(), sys::pidfd_get_info, &info) != 0) return std::nullopt;
  if ((info.mask & sys::pidfd_info_exit) == 0) return std::nullopt;
  return info.exit_code;
}

// Where nobody can tell, it counts as a crash; the engine asks for the word that was left.
const char* how_left(const Warden& warden) {
  siginfo_t end{};
  if (sys::waitid(P_PIDFD, static_cast<id_t>(warden.process1.get()), &end, WEXITED | __WALL) == 0)
    return how_of(end.si_code == CLD_EXITED ? end.si_status << 8 : end.si_status);
  const std::optional<int> status = exit_status(warden.process1);
  return status ? how_of(*status) : "crash";
}

void hear_end(Warden& warden) {
  const char* how = how_left(warden);
  warden.ended = warden.stopped ? nullptr : how;
  warden.process1.reset();
  warden.serving = false;
  if (!warden.ended) return;
  warden.ended_at = now_ms();
  const bool soon = warden.ended_at - warden.born < quick_life;
  warden.storm = soon ? warden.storm + 1 : 0;
  const bool loop = soon && strcmp(warden.ended, "crash") == 0;
  warden.quick = loop || !warden.up ? warden.quick + 1 : 0;
}

// Tells the engine, or starts one.
void pass_on_end(Warden& warden) {
  if (warden.engine) {
    tell_engine(warden, concat({"ended ", warden.ended}));
    warden.told = warden.ended;
    warden.ended = nullptr;
    return;
  }
  // A jail that does nothing but reboot must not keep the host busy.
  if (warden.storm > storm_from && now_ms() - warden.ended_at < retry_pause) return;
  int ends[2];
  if (sys::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
  Fd ours(ends[0]), theirs(ends[1]);
  std::string quick = std::to_string(warden.quick);
  char name[] = "jail", form[] = "--ended";
  char* words[] = {
      name,         form,   const_cast<char*>(warden.id), const_cast<char*>(warden.ended),
      quick.data(), nullptr};
  if (!start(warden, words, {{theirs, handed::warden}})) return;
  warden.engine = std::move(ours);
  warden.adopted = warden.up = true;  // until it says `boot`, there is nothing to be adopted
  warden.ended = nullptr;
}

// Process 1 has no right to take the console from who has it; we have (L4, os/terminal.h).
void hear_voice(Warden& warden) {
  char text[32];
  const ssize_t size = sys::recv(warden.voice.get(), text, sizeof text, MSG_DONTWAIT);
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (size <= 0) return warden.voice.reset();
  const std::string_view word(text, static_cast<size_t>(size));
  if (word == "stopped") warden.stopped = true;
  if (word != "revoke") return;
  Result<Fd> slave = open_slave(handed::console);
  if (slave) hang_up(handed::console, slave->get());
  if (sys::send(warden.voice.get(), "done", 4, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    return;  // it has not waited
}

void hear_engine(Warden& warden) {
  char text[512];
  const ssize_t size = sys::recv(warden.engine.get(), text, sizeof text, 0);
  if (size < 0 && errno == EINTR) return;
  const std::string_view word(text, size > 0 ? static_cast<size_t>(size) : 0);
  if (word.starts_with("boot ")) return begin_boot(warden);
  if (word == "adopted") warden.adopted = true;
  if (word == "serve") warden.serving = true;
  if (word == "up") warden.up = true;
  if (!word.empty()) return;
  warden.engine.reset();
  if (!warden.adopted && !warden.answer) end_both(warden);
  // It may have been done with its start, and not have listened any more.
  if (warden.told) warden.ended = warden.told;
  warden.told = nullptr;
}

// What was handed on for ourselves, out of the way of the numbers that we hand on.
Fd take(int number) {
  Fd taken(sys::fcntl(number, F_DUPFD_CLOEXEC, handed::last + 1));
  sys::close_range(static_cast<unsigned>(number), static_cast<unsigned>(number), 0);
  return taken;
}

// What a jail does not have is a number that nothing else may get.
bool fill_numbers() {
  for (int fd = 0; fd <= handed::last;) {
    fd = sys::openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
  }
  return true;
}

}  // namespace

int guard(const WardenWords& words, const DeskCalls& desk) {
  Warden warden{.id = words.id,
                .program = words.program,
                .engine = {},
                .group = take(handed::group),
                .answer = {},
                .process1 = {},
                .voice = {},
                .commands = {}};
  warden.engine = take(handed::warden);
  warden.voice = take(handed::voice);
  warden.process1 = take(handed::events);
  warden.adopted = warden.up = words.adopts;
  warden.serving = words.adopts && words.serves;
  warden.born = now_ms();
  // Process 1's other end is missing where that is a program of the jail.
  if (!warden.group || sys::fcntl(handed::control, F_GETFD) < 0 || !fill_numbers()) return 1;
  if (words.serves) desk.begin();
  std::vector<pollfd> polls(6 + (words.serves ? desk.polls : 0));
  const std::span<pollfd> at_desk = std::span(polls).subspan(6);
  for (;;) {
    polls[0] = {warden.engine.get(), POLLIN, 0};
    polls[1] = {warden.answer.get(), POLLIN, 0};
    polls[2] = {warden.process1.get(), POLLIN, 0};
    polls[3] = {warden.voice.get(), POLLIN, 0};
    for (size_t i : {0UZ, 1UZ}) polls[4 + i] = {warden.commands[i].get(), POLLIN, 0};
    const bool all = at_desk.empty() || desk.fill(at_desk, warden.serving);
    if (sys::poll(polls.data(), polls.size(), warden.ended || !all ? retry_pause : -1) < 0)
      continue;
    if (polls[1].revents != 0) hear_birth(warden);
    if (polls[2].revents != 0) hear_end(warden);
    if (polls[3].revents != 0) hear_voice(warden);
    for (size_t i : {0UZ, 1UZ})
      if (polls[4 + i].revents != 0) reap_command(warden.commands[i]);
    reap_others(warden);
    if (polls[0].revents != 0) hear_engine(warden);
    if (!at_desk.empty()) desk.handle(at_desk);
    if (warden.ended) pass_on_end(warden);
  }
}

}  // namespace jail
