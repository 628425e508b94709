#include "tests/kernel/small_jail.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/facts.h"
#include "os/kernel.h"

namespace jail {
namespace {

constexpr const char* passwd =
    "root:*:0:0::/root:/bin/sh\n"
    "tester:*:1001:1001::/home/tester:/bin/sh\n"
    "nohome:*:1002:1002::/nowhere:/bin/sh\n"
    "nobody:*:60001:60001::/tmp:/bin/sh\n";
constexpr const char* groups = "wheel:*:0:\ntester:*:1001:\nextra:*:1003:tester\n";

void must(bool done, const char* what) {
  if (done) return;
  perror(what);
  _exit(99);
}

void furnish() {
  for (const char* directory : {"bin", "dev", "etc", "home", "home/tester", "proc", "root", "tmp"})
    must(mkdir(directory, 0755) == 0, directory);
  must(chmod("tmp", 01777) == 0 && chown("home/tester", 1001, 1001) == 0, "chmod");
  must(std::system("cp $(command -v busybox) bin/busybox") == 0, "busybox");
  for (const char* applet : {"cat", "echo", "grep", "head", "hostname", "id", "kill", "ls", "nproc",
                             "ps", "pwd", "readlink", "sh", "sleep", "tail", "test", "true"})
    must(symlink("busybox", (std::string("bin/") + applet).c_str()) == 0, applet);
  std::ofstream("etc/passwd") << passwd;
  std::ofstream("etc/group") << groups;
  must(mknod("dev/null", S_IFCHR | 0666, makedev(1, 3)) == 0, "dev/null");
  must(mknod("dev/tty", S_IFCHR | 0666, makedev(5, 0)) == 0, "dev/tty");
  must(mount("proc", "proc", "proc", 0, nullptr) == 0, "proc");
}

[[noreturn]] void be_process1(const std::string& path, int ready) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  must(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private");
  must(mount("tmpfs", path.c_str(), "tmpfs", 0, "mode=755") == 0 && chdir(path.c_str()) == 0,
       "tmpfs");
  furnish();
  must(syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0, "pivot_root");
  must(chdir("/") == 0 && sethostname("small", 5) == 0, "names");
  signal(SIGCHLD, SIG_IGN);
  must(write(ready, "r", 1) == 1, "ready");
  close_range(0, ~0U, 0);
  for (;;) pause();
}

}  // namespace

void SmallJail::SetUp() {
  if (getuid() != 0) GTEST_SKIP() << "needs root";
  Result<Facts> facts = probe();
  if (!facts || facts->groups.empty()) GTEST_SKIP() << "needs cgroup v2";
  ASSERT_NE(mkdtemp(path_.data()), nullptr);
  group_path_ = facts->groups + path_.substr(path_.rfind('/'));
  ASSERT_EQ(mkdir(group_path_.c_str(), 0755), 0);
  group_.reset(open(group_path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Pipe ready;
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags =
      CLONE_PIDFD | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;
  arguments.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  pid_ = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid_ == 0) be_process1(path_, ready.writes.get());
  ASSERT_GT(pid_, 0);
  process1_.reset(pidfd);
  ready.writes.reset();
  ASSERT_EQ(read_until(ready.reads.get(), "r"), "r");
}

void SmallJail::end_process1() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  EXPECT_EQ(waitpid(pid_, nullptr, 0), pid_);
  pid_ = -1;
}

void SmallJail::wait_until_empty() {
  Fd events(openat(group_.get(), "cgroup.events", O_RDONLY | O_CLOEXEC));
  for (;;) {
    char text[128] = {};
    ASSERT_GT(pread(events.get(), text, sizeof text - 1, 0), 0);
    if (std::string(text).find("populated 0") != std::string::npos) return;
    pollfd change{events.get(), POLLPRI, 0};
    ASSERT_GT(poll(&change, 1, 10'000), 0) << "processes are left";
  }
}

void SmallJail::TearDown() {
  if (pid_ < 0 && !group_) return;
  end_process1();
  Fd killer(openat(group_.get(), "cgroup.kill", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(write(killer.get(), "1", 1), 1);
  wait_until_empty();
  EXPECT_EQ(rmdir(group_path_.c_str()), 0);
  EXPECT_EQ(rmdir(path_.c_str()), 0);
}

Command SmallJail::inside(Words argv) const {
  Command command;
  command.argv = std::move(argv);
  command.inside = Inside{process1_.get(), group_.get(), {}};
  command.fail_prefix = "jail: web: ";
  return command;
}

Outcome run(const Command& command) {
  Outcome outcome;
  std::FILE *out = std::tmpfile(), *err = std::tmpfile();
  {
    Streams streams(-1, fileno(out), fileno(err));
    Result<Running> running = start_command(command);
    EXPECT_TRUE(running) << running.error().text;
    if (running) outcome.status = wait_command(*running, 60'000, -1).value().status;
  }
  for (auto [file, text] : {std::pair{out, &outcome.out}, {err, &outcome.err}}) {
    std::rewind(file);
    char buffer[65536];
    text->assign(buffer, std::fread(buffer, 1, sizeof buffer, file));
    (void)std::fclose(file);
  }
  return outcome;
}

Streams::Streams(int input, int output, int error) {
  (void)std::fflush(nullptr);
  int wanted[3] = {input, output, error};
  for (int fd : {0, 1, 2}) {
    saved_[fd] = wanted[fd] < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 100);
    if (wanted[fd] >= 0) dup2(wanted[fd], fd);
  }
}

Streams::~Streams() {
  for (int fd : {0, 1, 2}) {
    if (saved_[fd] < 0) continue;
    dup2(saved_[fd], fd);
    close(saved_[fd]);
  }
}

Pipe::Pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) bug("pipe");
  reads.reset(ends[0]);
  writes.reset(ends[1]);
}

std::string read_until(int fd, const std::string& text) {
  std::string seen;
  while (seen.find(text) == std::string::npos) {
    pollfd readable{fd, POLLIN, 0};
    char byte;
    if (poll(&readable, 1, 10'000) <= 0 || read(fd, &byte, 1) <= 0) break;
    seen += byte;
  }
  return seen;
}

}  // namespace jail
