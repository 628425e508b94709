// A jail's /dev and /proc on the real kernel.
#include <cstdio>

#include "os/linux/proc.h"
#include "tests/kernel/view.h"

namespace jail {
namespace {

using DevicesTest = ViewTest;
using ProcTest = ViewTest;

// --- /dev ---

TEST_F(DevicesTest, TheDevicesOfAJailWork) {
  mode_t saved = sys::umask(077);
  good(make_devices(path_, path_ + "/dev", 4));
  sys::umask(saved);
  EXPECT_EQ(text("/jail/dev/null"), "");
  write("/jail/dev/null", "gone");
  char bytes[4] = {1, 1, 1, 1};
  for (const char* name :
       {"/jail/dev/zero", "/jail/dev/urandom", "/jail/dev/random", "/jail/dev/full"}) {
    Result<Fd> fd = open_at(AT_FDCWD, host_ + name, O_RDWR);
    ASSERT_TRUE(fd) << name;
    EXPECT_EQ(sys::read(fd->get(), bytes, sizeof bytes), 4) << name;
  }
  Result<Fd> full = open_at(AT_FDCWD, path_ + "/dev/full", O_WRONLY);
  EXPECT_EQ(sys::write(full->get(), bytes, 1), -1);
  EXPECT_EQ(errno, ENOSPC);
  struct stat status{};
  ASSERT_EQ(sys::fstatat(AT_FDCWD, (path_ + "/dev/null").c_str(), &status, 0), 0);
  EXPECT_EQ(status.st_mode, static_cast<mode_t>(S_IFCHR | 0666));
  ASSERT_EQ(sys::fstatat(AT_FDCWD, (path_ + "/dev/shm").c_str(), &status, 0), 0);
  EXPECT_EQ(status.st_mode, static_cast<mode_t>(S_IFDIR | 0755));
}

TEST_F(DevicesTest, TerminalsOfAJailAreItsOwn) {
  good(make_devices(path_, path_ + "/dev", 4));
  Result<Fd> master = open_at(AT_FDCWD, path_ + "/dev/ptmx", O_RDWR | O_NOCTTY);
  ASSERT_TRUE(master) << master.error().text;
  EXPECT_EQ(open_errno("/jail/dev/pts/0", O_PATH), 0);
  EXPECT_EQ(open_errno("/jail/dev/pts/1", O_PATH), ENOENT);
  struct stat ours{}, hosts{};
  ASSERT_EQ(sys::fstatat(AT_FDCWD, (path_ + "/dev/pts").c_str(), &ours, 0), 0);
  ASSERT_EQ(sys::fstatat(AT_FDCWD, "/dev/pts", &hosts, 0), 0);
  EXPECT_NE(ours.st_dev, hosts.st_dev);
}

TEST_F(DevicesTest, ARulesetShowsItsDevicesAndNoOthers) {
  struct Row {
    int ruleset;
    std::vector<std::string> names;
  };
  std::vector<std::string> basics = {"full", "mqueue", "null", "random", "shm", "urandom", "zero"};
  std::vector<std::string> login = basics;
  login.insert(login.end(), {"fd", "ptmx", "pts", "stderr", "stdin", "stdout", "tty"});
  std::ranges::sort(login);
  std::vector<std::string> all = login;
  all.push_back("fuse");
  std::ranges::sort(all);
  for (const Row& row : {Row{1, {}}, {2, basics}, {3, login}, {4, all}, {0, all}}) {
    good(make_devices(path_, path_ + "/dev", row.ruleset));
    std::vector<std::string> names;
    DIR* directory = opendir((path_ + "/dev").c_str());
    while (dirent* entry = readdir(directory)) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    closedir(directory);
    std::ranges::sort(names);
    EXPECT_EQ(names, row.names) << row.ruleset;
    EXPECT_EQ(mounts_below(path_ + "/dev").size(), row.ruleset == 1 || row.ruleset == 2 ? 1U : 2U);
    sys::umount2((path_ + "/dev").c_str(), MNT_DETACH);
  }
  bad(make_devices(path_, path_ + "/dev", 5),
      "HOST/jail/dev: devfs ruleset 5 is not known here (1 to 4 are)");
  bad(make_devices(path_, path_ + "/dev", -1),
      "HOST/jail/dev: devfs ruleset -1 is not known here (1 to 4 are)");
}

TEST_F(DevicesTest, ADevfsLineIsTheSameDevices) {
  good(mount_at("devfs", ".", "/jail/dev", "ruleset=2,noexec"));
  EXPECT_EQ(open_errno("/jail/dev/null", O_RDWR), 0);
  EXPECT_EQ(open_errno("/jail/dev/tty", O_PATH), ENOENT);
  EXPECT_EQ(last().attributes, "rw,nosuid,noexec,relatime");
  link("dev", "/jail/linked");
  EXPECT_EQ(make_devices(path_, path_ + "/linked", 4).error().text,
            path_ + "/linked is a symbolic link");
}

// --- /proc ---

// Runs `body` as process 1's child does: in new pid and mount namespaces, as its first process. It
// must yield true.
template <class Body>
void as_process1(int kinds, Body body) {
  pid_t outer = sys::fork();
  if (outer == 0) {
    if (sys::unshare(CLONE_NEWPID | CLONE_NEWNS | kinds) < 0) _exit(2);
    if (sys::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0) _exit(3);
    pid_t inner = sys::fork();
    if (inner == 0) _exit(body() ? 0 : 1);
    int status = 0;
    sys::waitpid(inner, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 4);
  }
  int status = 0;
  sys::waitpid(outer, &status, 0);
  EXPECT_EQ(status, 0);
}

#define HOLDS(...)                                                               \
  if (!(__VA_ARGS__)) {                                                          \
    (void)std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #__VA_ARGS__); \
    return false;                                                                \
  }

TEST_F(ProcTest, ProcessOneSeesItselfAndCannotChangeTheHost) {
  as_process1(0, [&] {
    Result<void> mounted = mount_proc(path_, {"procfs", "proc", path_ + "/proc", ""}, false);
    HOLDS(mounted);
    HOLDS(text("/jail/proc/1/stat").starts_with("1 ("));
    HOLDS(text("/jail/proc/sys/kernel/ostype") == "Linux\n");
    for (const char* name : {"/jail/proc/sys/kernel/core_pattern", "/jail/proc/sysrq-trigger",
                             "/jail/proc/sys/vm/swappiness", "/jail/proc/sys/net/ipv4/ip_forward"})
      HOLDS(open_errno(name, O_WRONLY) == EROFS || open_errno(name, O_PATH) == ENOENT);
    for (const char* name : {"/jail/proc/keys", "/jail/proc/timer_list", "/jail/proc/kpageflags",
                             "/jail/proc/kcore"}) {
      HOLDS(text(name).empty() || open_errno(name, O_PATH) == ENOENT);
      HOLDS(open_errno(name, O_WRONLY) == EROFS || open_errno(name, O_PATH) == ENOENT);
    }
    HOLDS(open_errno("/jail/proc/self/oom_score_adj", O_WRONLY) == 0);
    for (const SeenMount& mount : mounts_below(path_ + "/proc"))
      HOLDS(mount.attributes == (mount.type == "proc" && mount.point == path_ + "/proc"
                                     ? "rw,nosuid,nodev,noexec,relatime"
                                     : "ro,nosuid,nodev,noexec,relatime"));
    return true;
  });
  EXPECT_EQ(mounts_below(path_).size(), 1U);
}

TEST_F(ProcTest, WithANetworkOfItsOwnAJailMayTuneItAndNothingElse) {
  as_process1(CLONE_NEWNET, [&] {
    HOLDS(mount_proc(path_, {"procfs", "proc", path_ + "/proc", "hidepid=2"}, true));
    HOLDS(open_errno("/jail/proc/sys/net/ipv4/ip_forward", O_WRONLY) == 0);
    HOLDS(open_errno("/jail/proc/sys/kernel/core_pattern", O_WRONLY) == EROFS);
    HOLDS(open_errno("/jail/proc/sys/net/../kernel/core_pattern", O_WRONLY) == EROFS);
    return true;
  });
}

TEST_F(ProcTest, AProcThatCannotBeMountedSaysWhy) {
  link("mnt", "/jail/link");
  as_process1(0, [&] {
    size_t before = count_descriptors();
    HOLDS(mount_proc(path_, {"procfs", "", path_ + "/link", ""}, false).error().text ==
          path_ + "/link is a symbolic link");
    HOLDS(mount_proc(path_, {"procfs", "", path_ + "/none", ""}, false).error().text ==
          path_ + "/none: No such file or directory");
    HOLDS(mount_words(path_, {"linprocfs", "", path_ + "/proc", "x=1"}).error().text ==
          path_ + "/proc: proc: Unknown parameter 'x'");
    HOLDS(count_descriptors() == before && mounts_below(path_).size() == 1);
    return true;
  });
}

TEST_F(ProcTest, TypesOfThePidNamespaceWaitForTheBoot) {
  for (const char* type : {"procfs", "linprocfs", "proc"}) EXPECT_TRUE(mounted_at_boot(type));
  for (const char* type : {"devfs", "nullfs", "linsysfs", "zorkfs", ""})
    EXPECT_FALSE(mounted_at_boot(type));
}

}  // namespace
}  // namespace jail
