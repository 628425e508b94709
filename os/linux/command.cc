// Starting and waiting, the parent's side (L5, L6). A process cannot enter a pid namespace, only
// its children are born there; so this process points its children at the jail's, forks, and points
// them back at its own.
#include "os/command.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <limits.h>

#include "base/file.h"
#include "os/linux/abi.h"
#include "os/linux/child.h"
#include "os/linux/excursion.h"

namespace jail {
namespace {

// Every namespace that a jail may have of its own, but for the pid namespace.
constexpr struct {
  const char* name;
  int kind;
} name_spaces[] = {{"mnt", CLONE_NEWNS},  {"net", CLONE_NEWNET},   {"uts", CLONE_NEWUTS},
                   {"ipc", CLONE_NEWIPC}, {"user", CLONE_NEWUSER}, {"cgroup", CLONE_NEWCGROUP}};

bool has_ended(int pidfd) {
  pollfd end{pidfd, POLLIN, 0};
  return sys::poll(&end, 1, 0) > 0;
}

// A jail that is dying cannot be attached to (J5.6), whatever the kernel calls that.
std::unexpected<Error> no_attach(const Command& command, int code = errno) {
  return fail_errno(command.texts.attach, has_ended(command.inside->process1) ? EINVAL : code);
}

// The number of the process behind a pidfd, as its fdinfo has it (proc_pid_fdinfo(5)); -1 there for
// one that has been reaped.
Result<pid_t> number_of(int pidfd) {
  std::string info = TRY(read_file(AT_FDCWD, fmt::format("/proc/self/fdinfo/{}", pidfd)));
  for (const std::string& line : split(info, "\n")) {
    if (!line.starts_with("Pid:")) continue;
    auto pid = parse_int(split(line, "\t").back());
    if (pid && *pid > 0) return static_cast<pid_t>(*pid);
  }
  return fail_errno("pid", ESRCH);
}

// Entering a user namespace that we are in is EINVAL, and trying without it might leave us with the
// host's rights: so the kinds are compared, not guessed.
Result<int> differing(int process1) {
  std::string theirs = fmt::format("/proc/{}/ns/", TRY(number_of(process1)));
  int kinds = 0;
  for (auto [name, kind] : name_spaces) {
    struct stat mine, other;
    if (sys::fstatat(AT_FDCWD, fmt::format("/proc/self/ns/{}", name).c_str(), &mine, 0) != 0)
      return fail_errno(name);
    if (sys::fstatat(AT_FDCWD, (theirs + name).c_str(), &other, 0) != 0) return fail_errno(name);
    if (mine.st_ino != other.st_ino || mine.st_dev != other.st_dev) kinds |= kind;
  }
  if (has_ended(process1))
    return fail_errno("pid", ESRCH);  // else the number may have been another's
  return kinds;
}

// A directory of the host on one of these would be a way out: fchdir(2), then `..`.
Result<void> check_streams(const Command& command) {
  for (int fd : {0, 1, 2, command.output}) {
    struct stat status;
    int done = fd < 0 ? 0 : sys::fstat(fd, &status);
    if (fd < 0 || (done != 0 && errno == EBADF)) continue;
    if (done != 0) return fail_errno(fmt::format("descriptor {}", fd));
    if (S_ISDIR(status.st_mode))
      return fail(EPERM, fmt::format("descriptor {} is a directory of the host", fd));
  }
  return {};
}

// Looked up before the fork, as NSS may hold locks and open descriptors. Nobody of that name is no
// error here: the child says so in its turn, as on FreeBSD.
void find_user_of(Launch& launch) {
  const Identity& identity = launch.command.identity;
  launch.wants_user = identity.clean || !identity.user.empty();
  if (!launch.wants_user || (launch.command.inside && !identity.user_of_host)) return;
  auto found = identity.user.empty() ? host_user(getuid()) : host_user(identity.user);
  if (!found) {
    launch.refusal = fmt::format("getpwnam {}: {}", identity.user, found.error().text);
  } else if (!*found && identity.user.empty()) {
    launch.refusal = fmt::format("{} {}", launch.command.texts.unknown_uid, getuid());
  } else if (!*found) {
    launch.refusal = identity.user + ": no such user";
  } else {
    launch.user = std::move(**found);
  }
}

// While it lives: every signal is blocked, we cannot be dumped, and our children are born in the
// pid namespace of a jail. All three are as before afterwards.
class PidNamespaceVisit {
 public:
  PidNamespaceVisit() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before_);
  }
  PidNamespaceVisit(const PidNamespaceVisit&) = delete;
  PidNamespaceVisit& operator=(const PidNamespaceVisit&) = delete;
  ~PidNamespaceVisit() {
    if (home_) return_home(home_.get(), CLONE_NEWPID);
    if (dumpable_) sys::prctl(PR_SET_DUMPABLE, 1);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

  // -1 and errno where the jail cannot be entered.
  int enter(int process1) {
    Fd home(sys::pidfd_open(getpid(), 0));
    if (!home || sys::setns(process1, CLONE_NEWPID) != 0) return -1;
    home_ = std::move(home);
    dumpable_ = sys::prctl(PR_GET_DUMPABLE, 0) != 0;
    return dumpable_ ? sys::prctl(PR_SET_DUMPABLE, 0) : 0;
  }

 private:
  sigset_t before_;
  Fd home_;
  bool dumpable_ = false;
};

}  // namespace

Result<Launch> lay_out(const Command& command) {
  Launch launch{.command = command, .user = {}, .refusal = {}, .inherited = {}, .directory = "/"};
  for (char** variable = environ; variable && *variable; variable++)
    launch.inherited.emplace_back(*variable);
  find_user_of(launch);
  if (command.view >= 0) {
    char here[PATH_MAX];
    if (getcwd(here, sizeof here)) launch.directory = here;
  }
  if (!command.inside) return launch;
  TRY(check_streams(command));
  launch.has_terminal = open_at(AT_FDCWD, "/dev/tty", O_RDONLY | O_NOCTTY).has_value();
  Result<int> kinds = differing(command.inside->process1);
  if (!kinds) return no_attach(command, kinds.error().code);
  launch.namespaces = *kinds;
  return launch;
}

// CLONE_INTO_CGROUP: born in the group, so that nothing of the command is ever outside of it; a
// move afterwards takes far longer (L6).
Result<Running> launch(Launch& launch) {
  const Command& command = launch.command;
  int group = command.inside ? command.inside->group : command.group;
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  arguments.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (group >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<uint64_t>(group);
  }
  PidNamespaceVisit visit;
  if (command.inside && visit.enter(command.inside->process1) != 0) return no_attach(command);
  pid_t pid = sys::clone3(&arguments);
  if (pid == 0) be_command(launch);
  if (pid < 0) return command.inside ? no_attach(command) : fail_errno("fork");
  return Running(pid, Fd(pidfd));
}

// The direct child of a background command ends as soon as it has attached and forked: waiting for
// it is what makes "attached when this returns" true.
Result<Running> start_command(const Command& command) {
  Launch laid_out = TRY(lay_out(command));
  Running running = TRY(launch(laid_out));
  if (!command.background) return running;
  TRY(wait_command(running, -1, -1));
  return Running();
}

// The command's end, the user's wish and the deadline in one poll(2). The end counts first: what
// has ended is judged by how it did, whatever else came at the same time.
Result<Ended> wait_command(Running& running, int64_t timeout, int stop_fd) {
  using std::chrono::steady_clock;
  if (running.pid < 0) return Ended();
  auto deadline = steady_clock::now() + std::chrono::milliseconds(std::max<int64_t>(timeout, 0));
  for (;;) {
    pollfd fds[] = {{running.pidfd.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    int wait = timeout < 0 ? -1 : static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30));
    int ready = sys::poll(fds, 2, wait);
    if (ready < 0 && errno != EINTR) return fail_errno("poll");
    if (ready <= 0) {
      if (ready == 0 && left <= 0) return Ended{.timed_out = true, .status = 0};
      continue;
    }
    if (fds[0].revents == 0) return fail_errno("wait", ECANCELED);
    Ended ended;
    if (sys::waitpid(running.pid, &ended.status, 0) < 0) {
      if (errno == EINTR) continue;
      return fail_errno("wait");
    }
    running.pid = -1;
    running.pidfd.reset();
    return ended;
  }
}

void Running::end() {
  if (pid < 0) return;
  // By number: it is our unreaped child, so nobody else has it.
  sys::kill(pid, SIGKILL);
  while (sys::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
  pid = -1;
  pidfd.reset();
}

Running& Running::operator=(Running&& other) noexcept {
  if (this == &other) return *this;
  end();
  pid = std::exchange(other.pid, -1);
  pidfd = std::move(other.pidfd);
  return *this;
}

Result<void> fill_standard_descriptors() {
  for (;;) {
    Fd fd = TRY(open_at(AT_FDCWD, "/dev/null", O_RDWR));
    if (fd.get() > 2) return {};
    // Close-on-exec is for what we keep to ourselves; these are to be inherited.
    if (sys::fcntl(fd.release(), F_SETFD, 0) != 0) return fail_errno("/dev/null");
  }
}

}  // namespace jail
