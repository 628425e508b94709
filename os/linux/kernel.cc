// Looks at running jails, the places that all jails share, and the way out of a view.
#include "os/kernel.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <sys/un.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "os/linux/abi.h"
#include "os/linux/space.h"

namespace jail {

namespace {

struct Stat {
  char state;
  pid_t parent;
  uint64_t start;
};

// proc_pid_stat(5): the name in parentheses may hold anything, so fields are counted from the last
// ')'.
Result<Stat> read_stat(pid_t pid) {
  Result<std::string> text = read_file(AT_FDCWD, fmt::format("/proc/{}/stat", pid), 8192);
  if (!text)
    return fail_errno(fmt::format("process {}", pid),
                      text.error().code == ENOENT ? ESRCH : text.error().code);
  std::array<std::string_view, 20> fields;  // from the state on
  std::string_view rest = std::string_view(*text).substr(text->rfind(')') + 1);
  for (std::string_view& field : fields) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    field = rest.substr(0, rest.find(' '));
    rest.remove_prefix(field.size());
    if (field.empty()) return fail(EINVAL, fmt::format("process {}: odd stat", pid));
  }
  return Stat{fields[0][0], static_cast<pid_t>(parse_int(fields[1]).value_or(0)),
              static_cast<uint64_t>(parse_int(fields[19]).value_or(0))};
}

// "/cellblock/5d1f09c2.hook/prestart": our path in the v2 hierarchy, whose line is the one numbered
// 0 (cgroups(7)). Empty where it cannot be told.
std::string group_of_self() {
  Result<std::string> text = read_file(AT_FDCWD, "/proc/self/cgroup", 65536);
  if (!text) return {};
  for (const std::string& line : split(*text, "\n"))
    if (line.starts_with("0::")) return line.substr(3);
  return {};
}

// What a link says, "mnt:[4026531841]" for a namespace: two that are alike are the same one.
std::string link_text(const std::string& path) {
  char text[256];
  ssize_t size = sys::readlinkat(AT_FDCWD, path.c_str(), text, sizeof text);
  return {text, size > 0 ? static_cast<size_t>(size) : 0};
}

// The nearest ancestor that lives in other mounts than we do; 0 if none is seen. One that ends
// meanwhile hands its children on, which is worth another look.
pid_t ancestor_elsewhere() {
  const std::string here = link_text("/proc/self/ns/mnt");
  for (int look = 0; look < 8; ++look) {
    for (pid_t pid = getppid();;) {
      if (pid == 0) return 0;
      std::string there = link_text(fmt::format("/proc/{}/ns/mnt", pid));
      if (!there.empty() && there != here) return pid;
      Result<Stat> stat = read_stat(pid);
      if (!stat) break;
      pid = stat->parent;
    }
  }
  return 0;
}

}  // namespace

Result<uint64_t> start_time(pid_t pid) {
  return TRY(read_stat(pid)).start;
}

Result<void> signal_process(int pidfd, int signal) {
  if (sys::pidfd_send_signal(pidfd, signal, nullptr, 0) != 0 && errno != ESRCH)
    return fail_errno("signal");
  return {};
}

Result<bool> await_end(int pidfd, int timeout, int stop_fd) {
  pollfd ends[] = {{pidfd, POLLIN, 0}, {stop_fd, POLLIN, 0}};
  int ready;
  do ready = sys::poll(ends, 2, timeout);
  while (ready < 0 && errno == EINTR);
  if (ready < 0) return fail_errno("poll");
  if (ends[0].revents != 0) return true;
  if (ends[1].revents != 0) return fail_errno("wait", ECANCELED);
  return false;
}

Result<Fd> open_process1(const Process1& process1) {
  if (process1.pid <= 0) return fail_errno("process 1", ESRCH);
  // The descriptor first: once we hold it, the number cannot come to mean another process.
  Fd pidfd(sys::pidfd_open(process1.pid, 0));
  if (!pidfd) return fail_errno(fmt::format("process {}", process1.pid));
  Stat stat = TRY(read_stat(process1.pid));
  if (stat.start != process1.start || stat.state == 'Z' || stat.state == 'X')
    return fail_errno(fmt::format("process {}", process1.pid), ESRCH);
  return pidfd;
}

bool runs(const Process1& process1) {
  char path[1];
  const std::string link = fmt::format("/proc/{}/exe", process1.pid);
  if (sys::readlinkat(AT_FDCWD, link.c_str(), path, sizeof path) >= 0) return true;
  return errno != ENOENT && errno != ESRCH;
}

// What sigwait(3) waits for counts as blocked, but is not shown so.
bool heeds(const Process1& process1, int signal) {
  Result<std::string> call = read_file(AT_FDCWD, fmt::format("/proc/{}/syscall", process1.pid));
  if (call && call->starts_with(fmt::format("{} ", SYS_rt_sigtimedwait))) return true;
  Result<std::string> status = read_file(AT_FDCWD, fmt::format("/proc/{}/status", process1.pid));
  for (const std::string& line : split(status ? *status : "", "\n")) {
    if (!line.starts_with("SigBlk:") && !line.starts_with("SigCgt:")) continue;
    const uint64_t set = strtoull(line.c_str() + 8, nullptr, 16);
    if ((set >> (signal - 1) & 1) != 0) return true;
  }
  return false;
}

Result<Fd> open_signals(const sigset_t& signals) {
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return fail_errno("signals");
  Fd fd(sys::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno("signals");
  return fd;
}

int read_signal(int fd) {
  signalfd_siginfo info;
  return sys::read(fd, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

Result<void> make_pins(const std::string& run) {
  const std::string pins = pins_of(run);
  TRY(make_directories(pins, 0700));
  struct stat above, here;
  if (sys::fstatat(AT_FDCWD, run.c_str(), &above, 0) != 0 ||
      sys::fstatat(AT_FDCWD, pins.c_str(), &here, 0) != 0)
    return fail_errno(pins);
  if (above.st_dev != here.st_dev) return {};  // another file system than RUN: it is mounted
  if (sys::mount("cellblock", pins.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                 "mode=700,size=4m") != 0)
    return fail_errno(pins);
  // Private, so that it has no slaves: a namespace cannot be pinned on a mount that has (L1.4b).
  if (sys::mount(nullptr, pins.c_str(), nullptr, MS_PRIVATE, nullptr) != 0) {
    int code = errno;
    sys::umount2(pins.c_str(), MNT_DETACH);
    return fail_errno(pins, code);
  }
  return {};
}

void drop_pins(const std::string& run) {
  const std::string pins = pins_of(run);
  sys::umount2(pins.c_str(), 0);
  sys::unlinkat(AT_FDCWD, pins.c_str(), AT_REMOVEDIR);
}

Result<Fd> open_view(const std::string& run, const std::string& id) {
  Result<Fd> view = open_at(AT_FDCWD, pins_of(run) + "/" + id, O_RDONLY);
  if (!view) return fail_errno("view", view.error().code);
  return view;
}

Result<Fd> open_stack(const std::string& run, const std::string& id) {
  Fd stack = TRY(pinned_namespace(run, id, "net"));
  if (!stack) return fail_errno("network stack of the jail", ENOENT);
  return stack;
}

// A program in a view sees an empty RUN/pins and could neither stop nor start anything (L1.4c). The
// way out is an ancestor's namespace: the jail command whose hook we are waits outside.
Result<std::string> leave_view(const Facts& facts, const std::string& run) {
  // "/cellblock/5d1f09c2.hook/prestart"
  std::string group = group_of_self();
  size_t dot = group.find(".hook"), slash = group.rfind('/', dot);
  if (facts.groups.empty() || !group.starts_with("/cellblock") || dot == std::string::npos)
    return std::string();
  std::string id = group.substr(slash + 1, dot - slash - 1);
  pid_t outside = ancestor_elsewhere();
  struct stat inner;
  // Only the pins inside a view have it.
  if (outside == 0 && sys::fstatat(AT_FDCWD, (pins_of(run) + "/root").c_str(), &inner, 0) == 0)
    return fail(ESRCH, "leave the view: no process outside of it is to be seen");
  if (outside == 0) return id;  // a hook that is not run in the view (exec.prepare, exec.release)
  // setns(2) makes both the root of the namespace: noted before, found again by name after.
  char directory[4096];
  bool known = getcwd(directory, sizeof directory) != nullptr;
  Fd mounts = TRY(open_at(AT_FDCWD, fmt::format("/proc/{}/ns/mnt", outside), O_RDONLY));
  Fd root = TRY(open_at(AT_FDCWD, fmt::format("/proc/{}/root", outside), O_PATH | O_DIRECTORY));
  if (sys::setns(mounts.get(), CLONE_NEWNS) != 0) return fail_errno("leave the view");
  if (sys::fchdir(root.get()) != 0 || sys::chroot(".") != 0) return fail_errno("leave the view");
  if (known && sys::chdir(directory) != 0 && sys::chdir("/") != 0)
    return fail_errno("leave the view");
  return id;
}

Result<Fd> call_process1(const std::string& run, const std::string& id, const std::string& word) {
  Fd directory = TRY(open_at(AT_FDCWD, run + "/" + id, O_PATH | O_DIRECTORY));
  Fd socket(sys::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno("control");
  // By descriptor, as it was bound: a path may be longer than a socket address holds.
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/control",
                   directory.get());
  if (sys::connect(socket.get(), &address) != 0) return fail_errno("control");
  TRY(in("control", write_all(socket.get(), word)));
  return socket;
}

Result<std::string> ask_process1(const std::string& run, const std::string& id,
                                 const std::string& word) {
  Fd socket = TRY(call_process1(run, id, word));
  pollfd answer{socket.get(), POLLIN, 0};
  int ready;
  do ready = sys::poll(&answer, 1, 10'000);
  while (ready < 0 && errno == EINTR);
  if (ready <= 0) return fail_errno("control: no answer", ready < 0 ? errno : ETIMEDOUT);
  char text[128];
  ssize_t size = sys::read(socket.get(), text, sizeof text);
  if (size <= 0) return fail_errno("control: no answer", size < 0 ? errno : EPIPE);
  return std::string(text, static_cast<size_t>(size));
}

Result<void> set_names(int process1, const std::string* host_name, const std::string* domain_name) {
  Fd home = TRY(open_at(AT_FDCWD, "/proc/self/ns/uts", O_RDONLY));
  if (sys::setns(process1, CLONE_NEWUTS) != 0) return fail_errno("host.hostname");
  Result<void> set = [&]() -> Result<void> {
    if (host_name && sys::sethostname(host_name->data(), host_name->size()) != 0)
      return fail_errno("host.hostname");
    if (domain_name && sys::setdomainname(domain_name->data(), domain_name->size()) != 0)
      return fail_errno("host.domainname");
    return {};
  }();
  return_home(home.get(), CLONE_NEWUTS);
  return set;
}

NamesVisit::NamesVisit() {
  if (Result<Fd> home = open_at(AT_FDCWD, "/proc/self/ns/uts", O_RDONLY)) home_ = std::move(*home);
}

NamesVisit::~NamesVisit() {
  if (away_) return_home(home_.get(), CLONE_NEWUTS);
}

std::optional<HostNames> NamesVisit::read(int process1) {
  if (!home_ || sys::setns(process1, CLONE_NEWUTS) != 0) return std::nullopt;
  away_ = true;
  utsname names;
  uname(&names);
  // The kernel's word for a domain name that nobody set.
  return HostNames{names.nodename,
                   std::string_view(names.domainname) == "(none)" ? "" : names.domainname};
}

void follow_parent() {
  sys::prctl(PR_SET_PDEATHSIG, SIGTERM);
}

std::string netns_path(pid_t pid) {
  return fmt::format("/proc/{}/ns/net", pid);
}

}  // namespace jail
