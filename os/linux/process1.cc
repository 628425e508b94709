#include "os/process1.h"

#include <malloc.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>

#include "os/linux/abi.h"

namespace jail {

namespace {

rlimit given_descriptors;  // of raise_descriptors(); 0: not called

}  // namespace

Fd watch_signals(const sigset_t& signals) {
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0 || sys::prctl(PR_SET_DUMPABLE, 0) != 0)
    return Fd();
  return Fd(sys::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

void leave_word(int group, const char* how) {
  Fd directory(sys::openat(group, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (sys::fsetxattr(directory.get(), sys::word_of_the_end, how, strlen(how)) != 0)
    return;  // it counts as a crash then, should there be no warden either
}

int64_t now_ms() {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

std::optional<Caught> take_signal(int fd) {
  signalfd_siginfo info;
  if (sys::read(fd, &info, sizeof info) != sizeof info) return std::nullopt;
  return Caught{static_cast<int>(info.ssi_signo), info.ssi_code <= 0};
}

// Processes outside of our pid namespace have no number in it.
Caller accept_caller(int listener) {
  Caller caller{.fd = Fd(sys::accept4(listener, SOCK_CLOEXEC | SOCK_NONBLOCK))};
  ucred peer{};
  socklen_t size = sizeof peer;
  if (!caller.fd || sys::getsockopt(caller.fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return Caller();
  caller.host = peer.pid == 0;
  caller.root = peer.uid == 0;
  return caller;
}

bool others_left(int events) {
  char text[256];
  const ssize_t size = sys::pread(events, text, sizeof text - 1, 0);
  if (size < 0) return true;
  text[size] = '\0';
  return strstr(text, "populated 0") == nullptr;
}

void raise_descriptors() {
  if (getrlimit(RLIMIT_NOFILE, &given_descriptors) != 0) return;
  const rlimit all = {given_descriptors.rlim_max, given_descriptors.rlim_max};
  sys::setrlimit(RLIMIT_NOFILE, &all);
}

void give_back_descriptors() {
  if (given_descriptors.rlim_max != 0) sys::setrlimit(RLIMIT_NOFILE, &given_descriptors);
}

pid_t bear(int group) {
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP | CLONE_CLEAR_SIGHAND;
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<uint64_t>(group);
  // Engines' usual filter of system calls has no clone3(2), so it must do without where we are not
  // in a jail of ours: the C library knows how.
  const pid_t pid = group >= 0 ? sys::clone3(&arguments) : sys::fork();
  if (pid != 0) return pid;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  give_back_descriptors();
  return 0;
}

// Nothing escapes by forking: that looks for pending signals under the lock that this holds.
void kill_all_now() {
  sys::kill(-1, SIGKILL);
}

Pipe make_pipe() {
  int ends[2];
  if (sys::pipe2(ends, O_CLOEXEC) != 0) return {};
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  if (sys::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) return {};
  return pipe;
}

// Not by malloc, which would keep more for itself from then on.
void* keep_memory(size_t size) {
  void* memory = sys::mmap(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  return memory == MAP_FAILED ? nullptr : memory;
}

void let_memory_go(void* kept, size_t size) {
  sys::munmap(kept, size);
}

bool is_memory_for(size_t size) {
  void* memory = keep_memory(size);
  if (memory) let_memory_go(memory, size);
  return memory != nullptr;
}

void give_back_memory() {
  malloc_trim(0);
  // The stack as well, as deep as reading files has gone: what lies a page below us is nobody's.
  constexpr uintptr_t page = 4096, most = 16 * page;
  char here = 0;
  char* end = &here - reinterpret_cast<uintptr_t>(&here) % page - page;
  // Where the kernel keeps it, it is only more than need be.
  if (sys::madvise(end - most, most, MADV_DONTNEED) != 0) return;
}

void end_jail(Ending how) {
  constexpr unsigned commands[] = {RB_AUTOBOOT, RB_HALT_SYSTEM, RB_POWER_OFF};
  sys::reboot(static_cast<int>(commands[static_cast<unsigned>(how)]));
}

}  // namespace jail
