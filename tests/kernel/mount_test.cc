// Mounts on the real kernel, as root. Each test has two mount namespaces of its own: a "host" (a
// tmpfs on a directory of /tmp, shared) and, a slave of it, a jail's view as the engine makes one
// (L1): `path` bound on itself, shared, nodev. Both end with the test, and with them every mount. A
// child that only waits keeps the host for looking at.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "os/linux/abi.h"
#include "os/linux/proc.h"
#include "os/mount.h"
#include "os/root.h"

namespace jail {
namespace {

size_t count_descriptors() {
  size_t count = 0;
  for (int fd = 0; fd < 1024; fd++) count += sys::fcntl(fd, F_GETFD) >= 0;
  return count;
}

std::string mounts_of(const std::string& process) {
  return read_file(AT_FDCWD, "/proc/" + process + "/mountinfo").value_or("");
}

struct Mount {
  std::string point, attributes, type, propagation;
};

// The mounts on or below `path` in this namespace, in the order of their making.
std::vector<Mount> mounts_below(const std::string& path, const std::string& process = "self") {
  std::vector<Mount> result;
  for (const std::string& line : split(mounts_of(process), "\n")) {
    Words words = split(line, " ");
    size_t dash = static_cast<size_t>(std::ranges::find(words, "-") - words.begin());
    if (!path_covers(path, words[4])) continue;
    Words optional(words.begin() + 6, words.begin() + static_cast<ptrdiff_t>(dash));
    result.push_back({words[4], words[5], words[dash + 1], join(optional, " ")});
  }
  return result;
}

class MountTest : public testing::Test {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root";
    before_ = mounts_of("self");
    home_ = Fd(sys::openat(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    char name[] = "/tmp/mount_test.XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    host_ = name;
    ASSERT_EQ(sys::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(sys::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(sys::mount("host", name, "tmpfs", 0, "mode=755"), 0);
    ASSERT_EQ(sys::mount(nullptr, name, nullptr, MS_SHARED, nullptr), 0);
    keep_host();
    path_ = host_ + "/jail";
    for (const char* directory :
         {"/jail", "/jail/mnt", "/jail/dev", "/jail/proc", "/source", "/source/sub"})
      mkdir_at(directory);
    make_view();
    descriptors_ = count_descriptors();
  }

  void TearDown() override {
    if (!home_) return;
    EXPECT_EQ(count_descriptors(), descriptors_);
    keeper_end_.reset();
    if (keeper_ > 0) sys::waitpid(keeper_, nullptr, 0);
    ASSERT_EQ(sys::setns(home_.get(), CLONE_NEWNS), 0);
    home_.reset();
    EXPECT_EQ(sys::unlinkat(AT_FDCWD, host_.c_str(), AT_REMOVEDIR), 0);
    EXPECT_EQ(mounts_of("self"), before_);
  }

  void keep_host() {
    int ends[2];
    ASSERT_EQ(sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    keeper_ = sys::fork();
    if (keeper_ == 0) {
      close(ends[1]);
      char byte;
      ignore(read_all(ends[0], 1), "ends with the other end");
      _exit(sys::read(ends[0], &byte, 1) < 0);
    }
    close(ends[0]);
    keeper_end_ = Fd(ends[1]);
  }

  void make_view() {
    ASSERT_EQ(sys::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(sys::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr), 0);
    ASSERT_EQ(sys::mount(path_.c_str(), path_.c_str(), nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(sys::mount(nullptr, path_.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_NODEV, nullptr),
              0);
    ASSERT_EQ(sys::mount(nullptr, path_.c_str(), nullptr, MS_SHARED, nullptr), 0);
  }

  void mkdir_at(const std::string& below) {
    ASSERT_EQ(sys::mkdirat(AT_FDCWD, (host_ + below).c_str(), 0755), 0) << below;
  }
  void write(const std::string& below, std::string_view text) {
    Result<Fd> fd = open_at(AT_FDCWD, host_ + below, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ASSERT_TRUE(fd) << fd.error().text;
    ASSERT_TRUE(write_all(fd->get(), text));
  }
  void link(const std::string& target, const std::string& below) {
    ASSERT_EQ(sys::symlinkat(target.c_str(), AT_FDCWD, (host_ + below).c_str()), 0);
  }
  std::string text(const std::string& below) {
    return read_file(AT_FDCWD, host_ + below).value_or("(nothing)");
  }
  int open_errno(const std::string& below, int flags) {
    Fd fd(sys::openat(AT_FDCWD, (host_ + below).c_str(), flags | O_CLOEXEC, 0644));
    return fd ? 0 : errno;
  }
  // mount_words() on a point below the fake host, with one of its directories as source where it
  // begins with a slash.
  Result<void> mount_at(const std::string& type, const std::string& source,
                        const std::string& point, const std::string& options = "") {
    return mount_words(
        path_, {type, source.starts_with('/') ? host_ + source : source, host_ + point, options});
  }
  void good(const Result<void>& result) { ASSERT_TRUE(result) << result.error().text; }
  // A failed mount: with that text (the fake host's directory as HOST), and nothing of it left.
  void bad(const Result<void>& result, std::string expected) {
    ASSERT_FALSE(result);
    for (size_t at; (at = expected.find("HOST")) != std::string::npos;)
      expected.replace(at, 4, host_);
    EXPECT_EQ(result.error().text, expected);
    EXPECT_NE(result.error().code, 0);
    EXPECT_EQ(mounts_below(path_).size(), 1U);
  }
  Mount last() { return mounts_below(path_).back(); }
  std::string keeper() { return std::to_string(keeper_); }

  std::string host_, path_, before_;
  Fd home_, keeper_end_;
  pid_t keeper_ = -1;
  size_t descriptors_ = 0;
};

// --- points ---

TEST_F(MountTest, APointMustBeAbsolute) {
  bad(mount_words(path_, {"tmpfs", "t", "mnt", ""}), "mnt: not an absolute pathname");
}

TEST_F(MountTest, EveryComponentBelowTheRootMustBeThereAndNoLink) {
  link("mnt", "/jail/link");
  link("gone", "/jail/dangling");
  link("/", "/jail/mnt/up");
  write("/jail/file", "");
  bad(mount_at("tmpfs", "t", "/jail/none/x"), "HOST/jail/none: No such file or directory");
  bad(mount_at("tmpfs", "t", "/jail/link"), "HOST/jail/link is a symbolic link");
  bad(mount_at("tmpfs", "t", "/jail/link/x"), "HOST/jail/link is a symbolic link");
  bad(mount_at("tmpfs", "t", "/jail/dangling"), "HOST/jail/dangling is a symbolic link");
  bad(mount_at("tmpfs", "t", "/jail/mnt/up/tmp"), "HOST/jail/mnt/up is a symbolic link");
  bad(mount_at("tmpfs", "t", "/jail/file/x"), "HOST/jail/file/x: Not a directory");
  bad(mount_at("tmpfs", "t", "/jail//./link/"), "HOST/jail/link is a symbolic link");
}

TEST_F(MountTest, APointNeverClimbsOverTheRoot) {
  bad(mount_at("tmpfs", "t", "/jail/../source"), "HOST/jail/..: leads out of HOST/jail");
  bad(mount_at("tmpfs", "t", "/jail/mnt/../../source"),
      "HOST/jail/mnt/../..: leads out of HOST/jail");
  good(mount_at("tmpfs", "t", "/jail/dev/../mnt"));
  EXPECT_EQ(last().point, path_ + "/mnt");
}

TEST_F(MountTest, NoMagicLinkLeadsAPointOut) {
  good(mount_at("nullfs", "/source", "/jail/mnt"));
  good(mount_words(path_, {"none", "/proc", path_ + "/proc", "bind"}));
  for (const char* point : {"/proc/self/root/tmp", "/proc/self/cwd", "/proc/1/root"}) {
    Result<void> result = mount_words(path_, {"tmpfs", "t", path_ + point, ""});
    ASSERT_FALSE(result);
    EXPECT_TRUE(result.error().text.ends_with(" is a symbolic link")) << result.error().text;
  }
}

TEST_F(MountTest, LinksAboveTheRootAreTheHostsAndAreFollowed) {
  link("jail", "/alias");
  good(mount_words(host_ + "/alias", {"tmpfs", "t", host_ + "/alias/mnt", ""}));
  EXPECT_EQ(last().point, path_ + "/mnt");
}

TEST_F(MountTest, ThePointMayBeTheRootItselfOrOutside) {
  good(mount_at("nullfs", "/source", "/source/sub"));
  EXPECT_EQ(mounts_below(host_ + "/source").size(), 1U);
  write("/source/file", "x");
  good(mount_at("nullfs", "/source", "/jail", "ro"));
  EXPECT_EQ(text("/jail/file"), "x");
  EXPECT_EQ(open_errno("/jail/file", O_WRONLY), EROFS);
  // The next one goes on what is mounted there now.
  good(mount_at("tmpfs", "t", "/jail/sub"));
  EXPECT_EQ(last().point, path_ + "/sub");
}

TEST_F(MountTest, ARaceOfLinkAndDirectoryNeverMountsOutside) {
  mkdir_at("/jail/a");
  mkdir_at("/jail/a/b");
  mkdir_at("/b");
  link("..", "/jail/link");  // through it, a/b would be the host's /b
  void* shared =
      mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* stop = static_cast<volatile int*>(shared);
  std::string a = path_ + "/a", other = path_ + "/link", spare = path_ + "/spare";
  pid_t racer = sys::fork();
  if (racer == 0) {
    while (*stop == 0) {
      for (const auto& [from, to] : {std::pair(a, spare), {other, a}, {a, other}, {spare, a}})
        sys::renameat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str());
    }
    _exit(0);
  }
  int mounted = 0, refused = 0;
  for (int i = 0; i < 2000; i++) {
    Result<void> result = mount_words(path_, {"tmpfs", "t", path_ + "/a/b", ""});
    if (result)
      mounted++;
    else
      refused++;
    if (!result) continue;
    EXPECT_TRUE(mounts_below(host_ + "/b").empty());
    for (const Mount& mount : mounts_below(path_)) {
      if (mount.type == "tmpfs" && mount.point != path_)
        sys::umount2(mount.point.c_str(), MNT_DETACH);
    }
  }
  *stop = 1;
  sys::waitpid(racer, nullptr, 0);
  munmap(shared, sizeof(int));
  EXPECT_GT(mounted, 0);
  EXPECT_GT(refused, 0);
  EXPECT_TRUE(mounts_below(host_ + "/b").empty());
}

// --- nullfs and binds ---

TEST_F(MountTest, NullfsIsABindWithoutDevicesAndWithoutWhatIsMountedBelow) {
  write("/source/sub/seen", "x");
  good(mount_at("nullfs", "/source", "/jail/mnt", "rw,late,noauto,nfsv4acls"));
  EXPECT_EQ(last().attributes, "rw,nodev,relatime");
  EXPECT_EQ(text("/jail/mnt/sub/seen"), "x");
  sys::umount2((path_ + "/mnt").c_str(), MNT_DETACH);
  ASSERT_EQ(sys::mount("t", (host_ + "/source/sub").c_str(), "tmpfs", 0, nullptr), 0);
  good(mount_at("nullfs", "/source", "/jail/mnt"));
  EXPECT_EQ(mounts_below(path_).size(), 2U);
  good(mount_at("none", "/source", "/jail/dev", "rbind,ro"));
  EXPECT_EQ(mounts_below(path_ + "/dev").size(), 2U);
  for (const Mount& mount : mounts_below(path_ + "/dev"))
    EXPECT_EQ(mount.attributes, "ro,nodev,relatime");
}

TEST_F(MountTest, AReadOnlyNullfsLeavesItsSourceWritable) {
  good(mount_at("nullfs", "/source", "/jail/mnt", "ro,nosuid,noexec,noatime"));
  EXPECT_EQ(last().attributes, "ro,nosuid,nodev,noexec,noatime");
  EXPECT_EQ(open_errno("/jail/mnt/new", O_WRONLY | O_CREAT), EROFS);
  EXPECT_EQ(open_errno("/source/new", O_WRONLY | O_CREAT), 0);
}

TEST_F(MountTest, WhatTheHostForbidsStaysForbidden) {
  std::string source = host_ + "/source";
  ASSERT_EQ(sys::mount("t", source.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, nullptr), 0);
  good(mount_at("nullfs", "/source", "/jail/mnt", "rw,suid,dev"));
  EXPECT_EQ(last().attributes, "ro,nosuid,nodev,relatime");
}

TEST_F(MountTest, AFileIsBoundOnAFileOnly) {
  write("/source/file", "source");
  write("/jail/file", "jail");
  good(mount_at("nullfs", "/source/file", "/jail/file", "ro"));
  EXPECT_EQ(text("/jail/file"), "source");
  sys::umount2((path_ + "/file").c_str(), MNT_DETACH);
  bad(mount_at("nullfs", "/source/file", "/jail/mnt"), "HOST/jail/mnt: Is a directory");
  bad(mount_at("nullfs", "/source", "/jail/file"), "HOST/jail/file: Not a directory");
}

TEST_F(MountTest, ASourceIsTheHostsAndItsLinksAreFollowed) {
  write("/source/sub/seen", "x");
  link("source/sub", "/alias");
  good(mount_at("nullfs", "/alias", "/jail/mnt"));
  EXPECT_EQ(text("/jail/mnt/seen"), "x");
  ASSERT_EQ(sys::chdir(host_.c_str()), 0);
  good(mount_words(path_, {"nullfs", "source/sub", path_ + "/dev", ""}));
  EXPECT_EQ(text("/jail/dev/seen"), "x");
  ASSERT_EQ(sys::chdir("/"), 0);
  EXPECT_EQ(mount_at("nullfs", "/none", "/jail/proc").error().text,
            host_ + "/none: No such file or directory");
}

TEST_F(MountTest, WhatIsMountedBelowACloneStaysInTheView) {
  // What the view sees here is still shared with the host, as most mounts under systemd are.
  good(mount_at("nullfs", "/source", "/jail/mnt"));
  good(mount_at("tmpfs", "t", "/jail/mnt/sub"));
  EXPECT_EQ(mounts_below(path_).size(), 3U);
  EXPECT_EQ(mounts_below(host_, keeper()).size(),
            1U);  // the fake host's own tmpfs and nothing else
  EXPECT_TRUE(mounts_below(host_ + "/source").empty());
}

TEST_F(MountTest, EveryMountReachesAJailThatIsASlaveOfTheView) {
  pid_t child = sys::fork();
  if (child == 0) {
    bool made = sys::unshare(CLONE_NEWNS) == 0 &&
                sys::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) == 0;
    made = made && sys::kill(getpid(), SIGSTOP) == 0;
    _exit(made && mounts_below(path_).size() == 5 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(sys::waitpid(child, &status, WUNTRACED), child);
  good(mount_at("nullfs", "/source", "/jail/mnt"));
  good(mount_at("tmpfs", "t", "/jail/mnt/sub"));
  good(make_devices(path_, path_ + "/dev", 4));
  ASSERT_EQ(sys::kill(child, SIGCONT), 0);
  ASSERT_EQ(sys::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(MountTest, ADeviceThroughABindNeedsTheOptionDev) {
  ASSERT_EQ(sys::mknodat(AT_FDCWD, (host_ + "/source/null").c_str(), S_IFCHR | 0666, makedev(1, 3)),
            0);
  good(mount_at("nullfs", "/source", "/jail/mnt"));
  EXPECT_EQ(open_errno("/jail/mnt/null", O_RDWR), EACCES);
  good(mount_at("nullfs", "/source", "/jail/dev", "dev"));
  EXPECT_EQ(open_errno("/jail/dev/null", O_RDWR), 0);
}

// --- file systems of their own ---

TEST_F(MountTest, ATmpfsTakesOwnerAndModeOfItsPoint) {
  ASSERT_EQ(chmod((path_ + "/mnt").c_str(), 01751), 0);
  ASSERT_EQ(chown((path_ + "/mnt").c_str(), 12, 34), 0);
  good(mount_at("tmpfs", "tmpfs", "/jail/mnt", "rw,size=1m,inodes=7"));
  struct stat status{};
  ASSERT_EQ(sys::fstatat(AT_FDCWD, (path_ + "/mnt").c_str(), &status, 0), 0);
  EXPECT_EQ(status.st_mode & 07777, 01751U);
  EXPECT_EQ(status.st_uid, 12U);
  EXPECT_EQ(status.st_gid, 34U);
  struct statfs space{};
  ASSERT_EQ(statfs((path_ + "/mnt").c_str(), &space), 0);
  EXPECT_EQ(space.f_blocks * static_cast<uint64_t>(space.f_bsize), 1048576U);
  EXPECT_EQ(space.f_files, 7U);
  good(mount_at("tmpfs", "tmpfs", "/jail/mnt", "mode=700,uid=1,gid=2,ro"));
  ASSERT_EQ(sys::fstatat(AT_FDCWD, (path_ + "/mnt").c_str(), &status, 0), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
  EXPECT_EQ(status.st_uid, 1U);
  EXPECT_EQ(open_errno("/jail/mnt/new", O_WRONLY | O_CREAT), EROFS);
}

TEST_F(MountTest, ErrorsNameThePointAndTheCause) {
  bad(mount_at("nullfs", "/source", "/jail/mnt", "colour=red"),
      "HOST/jail/mnt: nullfs: unknown option colour");
  bad(mount_at("tmpfs", "t", "/jail/mnt", "colour=red"),
      "HOST/jail/mnt: tmpfs: Unknown parameter 'colour'");
  bad(mount_at("tmpfs", "t", "/jail/mnt", "size=x"), "HOST/jail/mnt: tmpfs: Bad value for 'size'");
  bad(mount_at("tmpfs", "t", "/jail/mnt", "maxfilesize=1"),
      "HOST/jail/mnt: tmpfs: option maxfilesize: this kernel has no such limit");
  bad(mount_at("unionfs", "/source", "/jail/mnt", "copymode=x"),
      "HOST/jail/mnt: unionfs: unknown option copymode");
  bad(mount_at("linsysfs", "s", "/jail/mnt", "size=1"),
      "HOST/jail/mnt: linsysfs: unknown option size");
  bad(mount_at("fdescfs", "f", "/jail/mnt", "size=1"),
      "HOST/jail/mnt: fdescfs: unknown option size");
  bad(mount_at("devfs", "d", "/jail/mnt", "size=1"), "HOST/jail/mnt: devfs: unknown option size");
  bad(mount_at("devfs", "d", "/jail/dev", "ruleset=5"),
      "HOST/jail/dev: devfs ruleset 5 is not known here (1 to 4 are)");
  bad(mount_at("devfs", "d", "/jail/dev", "ruleset=x"),
      "HOST/jail/dev: devfs ruleset x is not known here (1 to 4 are)");
  bad(mount_at("ext4", "/none", "/jail/mnt"), "HOST/jail/mnt: HOST/none: Can't lookup blockdev");
  write("/jail/file", "");
  bad(mount_at("tmpfs", "t", "/jail/file"), "HOST/jail/file: Not a directory");
}

TEST_F(MountTest, ATypeThatThereIsNotIsSaidSo) {
  Result<void> result = mount_at("zorkfs", "z", "/jail/mnt");
  bad(result, "zorkfs: no such file system here");
  EXPECT_EQ(result.error().code, ENODEV);
  EXPECT_EQ(mount_at("none", "z", "/jail/mnt").error().text, "none: no such file system here");
}

TEST_F(MountTest, OtherTypesOfThisKernelGoByTheirOwnNames) {
  good(mount_at("ramfs", "ram", "/jail/mnt", "mode=700,noexec,late"));
  EXPECT_EQ(last().type, "ramfs");
  EXPECT_EQ(last().attributes, "rw,nodev,noexec,relatime");
  good(mount_at("mqueue", "mqueue", "/jail/dev"));
  EXPECT_EQ(last().type, "mqueue");
}

TEST_F(MountTest, SysfsIsReadOnlyUnlessItsOwnNameAsksForMore) {
  good(mount_at("linsysfs", "linsysfs", "/jail/mnt", "rw,late"));
  EXPECT_EQ(last().type, "sysfs");
  EXPECT_EQ(last().attributes, "ro,nosuid,nodev,noexec,relatime");
  good(mount_at("sysfs", "sysfs", "/jail/dev"));
  EXPECT_EQ(last().attributes, "ro,nosuid,nodev,noexec,relatime");
  good(mount_at("sysfs", "sysfs", "/jail/proc", "rw"));
  EXPECT_EQ(last().attributes, "rw,nosuid,nodev,noexec,relatime");
}

TEST_F(MountTest, FdescfsIsADirectoryOfLinks) {
  mkdir_at("/jail/dev/fd");
  good(mount_at("fdescfs", ".", "/jail/dev/fd", "linrdlnk"));
  char target[64];
  ssize_t n = sys::readlinkat(AT_FDCWD, (path_ + "/dev/fd/255").c_str(), target, sizeof target);
  ASSERT_GT(n, 0);
  EXPECT_EQ(std::string(target, static_cast<size_t>(n)), "/proc/self/fd/255");
  EXPECT_EQ(open_errno("/jail/dev/fd/0", O_RDONLY | O_PATH), 0);
}

TEST_F(MountTest, FdescfsHasNothingToDoWhereOurOwnDevHasTheLink) {
  good(make_devices(path_, path_ + "/dev", 4));
  size_t count = mounts_below(path_).size();
  good(mount_at("fdescfs", ".", "/jail/dev/fd"));
  EXPECT_EQ(mounts_below(path_).size(), count);
  link("/etc", "/jail/dev/evil");
  EXPECT_EQ(mount_at("fdescfs", ".", "/jail/dev/evil").error().text,
            path_ + "/dev/evil is a symbolic link");
}

// --- unionfs ---

TEST_F(MountTest, AUnionfsPutsItsSourceAboveThePoint) {
  write("/jail/mnt/lower", "lower");
  write("/source/upper", "upper");
  good(mount_at("unionfs", "/source", "/jail/mnt", "noatime"));
  EXPECT_EQ(last().type, "overlay");
  EXPECT_EQ(text("/jail/mnt/lower"), "lower");
  EXPECT_EQ(text("/jail/mnt/upper"), "upper");
  write("/jail/mnt/lower", "changed");
  write("/jail/mnt/new", "new");
  EXPECT_EQ(text("/source/lower"), "changed");
  EXPECT_EQ(text("/source/new"), "new");
  EXPECT_EQ(sys::umount2((path_ + "/mnt").c_str(), 0), 0);
  EXPECT_EQ(text("/jail/mnt/lower"), "lower");
}

TEST_F(MountTest, AUnionfsBelowLeavesTheSourceAlone) {
  write("/jail/mnt/file", "jail");
  write("/source/base", "base");
  good(mount_at("unionfs", "/source", "/jail/mnt", "below"));
  write("/jail/mnt/base", "changed");
  EXPECT_EQ(text("/jail/mnt/base"), "changed");
  EXPECT_EQ(text("/source/base"), "base");
  EXPECT_EQ(sys::umount2((path_ + "/mnt").c_str(), 0), 0);
  EXPECT_EQ(text("/jail/mnt/base"), "changed");
  EXPECT_EQ(text("/jail/mnt/file"), "jail");
}

TEST_F(MountTest, AUnionfsBelowOnTheRootItselfFindsItsPlaceBesideIt) {
  write("/source/base", "base");
  good(mount_at("unionfs", "/source", "/jail", "below"));
  EXPECT_EQ(mounts_below(path_).size(),
            2U);  // `path` on itself and the overlay: nothing of the clone stays
  EXPECT_EQ(last().type, "overlay");
  EXPECT_EQ(text("/jail/base"), "base");
  write("/jail/new", "new");
  good(mount_at("tmpfs", "t", "/jail/mnt"));
  EXPECT_EQ(mounts_below(host_, keeper()).size(), 1U);
  EXPECT_EQ(sys::umount2((path_ + "/mnt").c_str(), 0), 0);
  EXPECT_EQ(sys::umount2(path_.c_str(), 0), 0);
  EXPECT_EQ(text("/jail/new"), "new");
  EXPECT_EQ(text("/source/new"), "(nothing)");
}

TEST_F(MountTest, AUnionfsWithoutAPlaceForItsWorkIsRefused) {
  ASSERT_EQ(sys::mount("t", (host_ + "/source").c_str(), "tmpfs", 0, nullptr), 0);
  bad(mount_at("unionfs", "/source", "/jail/mnt"),
      "HOST/jail/mnt: HOST/source: no place beside it for the work directory of a unionfs");
}

TEST_F(MountTest, TheWorkDirectoryOfAUnionfsIsSweptAway) {
  auto left = [&] {
    size_t count = 0;
    DIR* directory = opendir(host_.c_str());
    while (dirent* entry = readdir(directory))
      count += std::string_view(entry->d_name).starts_with(".cellblock-work-");
    closedir(directory);
    return count;
  };
  MountWords words{"unionfs", host_ + "/source", path_ + "/mnt", ""};
  good(sweep_mount(path_, words));
  good(mount_words(path_, words));
  write("/jail/mnt/file", "x");
  EXPECT_EQ(left(), 1U);
  EXPECT_EQ(sys::umount2((path_ + "/mnt").c_str(), 0), 0);
  good(mount_words(path_, words));  // once more, with the one that is there
  EXPECT_EQ(left(), 1U);
  EXPECT_EQ(sys::umount2((path_ + "/mnt").c_str(), 0), 0);
  good(sweep_mount(path_, words));
  EXPECT_EQ(left(), 0U);
  good(sweep_mount(path_, words));
  EXPECT_EQ(text("/source/file"), "x");
}

TEST_F(MountTest, ALinkInThePlaceOfTheWorkDirectoryIsNotFollowed) {
  struct stat status{};
  ASSERT_EQ(sys::fstatat(AT_FDCWD, (path_ + "/mnt").c_str(), &status, 0), 0);
  link("../source/sub", "/jail/.cellblock-work-" + std::to_string(status.st_ino));
  bad(mount_at("unionfs", "/source", "/jail/mnt", "below"),
      "HOST/jail/mnt: .cellblock-work-" + std::to_string(status.st_ino) + ": Not a directory");
}

// --- /dev ---

TEST_F(MountTest, TheDevicesOfAJailWork) {
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

TEST_F(MountTest, TerminalsOfAJailAreItsOwn) {
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

TEST_F(MountTest, ARulesetShowsItsDevicesAndNoOthers) {
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

TEST_F(MountTest, ADevfsLineIsTheSameDevices) {
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

TEST_F(MountTest, ProcessOneSeesItselfAndCannotChangeTheHost) {
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
    for (const Mount& mount : mounts_below(path_ + "/proc"))
      HOLDS(mount.attributes == (mount.type == "proc" && mount.point == path_ + "/proc"
                                     ? "rw,nosuid,nodev,noexec,relatime"
                                     : "ro,nosuid,nodev,noexec,relatime"));
    return true;
  });
  EXPECT_EQ(mounts_below(path_).size(), 1U);
}

TEST_F(MountTest, WithANetworkOfItsOwnAJailMayTuneItAndNothingElse) {
  as_process1(CLONE_NEWNET, [&] {
    HOLDS(mount_proc(path_, {"procfs", "proc", path_ + "/proc", "hidepid=2"}, true));
    HOLDS(open_errno("/jail/proc/sys/net/ipv4/ip_forward", O_WRONLY) == 0);
    HOLDS(open_errno("/jail/proc/sys/kernel/core_pattern", O_WRONLY) == EROFS);
    HOLDS(open_errno("/jail/proc/sys/net/../kernel/core_pattern", O_WRONLY) == EROFS);
    return true;
  });
}

TEST_F(MountTest, AProcThatCannotBeMountedSaysWhy) {
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

TEST_F(MountTest, TypesOfThePidNamespaceWaitForTheBoot) {
  for (const char* type : {"procfs", "linprocfs", "proc"}) EXPECT_TRUE(mounted_at_boot(type));
  for (const char* type : {"devfs", "nullfs", "linsysfs", "zorkfs", ""})
    EXPECT_FALSE(mounted_at_boot(type));
}

// --- the root (os/root.h) ---

TEST_F(MountTest, AFileOfTheJailIsFoundAsTheJailWouldFindIt) {
  mkdir_at("/jail/etc");
  write("/jail/etc/passwd", "jail's");
  link("/etc/passwd", "/jail/mnt/absolute");
  link("../../../../etc/passwd", "/jail/mnt/climbing");
  link("/", "/jail/top");
  Fd root = open_root({path_}).value();
  for (const char* path : {"/etc/passwd", "etc/passwd", "/mnt/absolute", "/mnt/climbing",
                           "/top/top/etc/passwd", "/../../etc/passwd"}) {
    Result<Fd> fd = open_in_root(root.get(), {path}, O_RDONLY);
    ASSERT_TRUE(fd) << fd.error().text;
    EXPECT_EQ(read_all(fd->get()).value(), "jail's") << path;
  }
  EXPECT_EQ(open_in_root(root.get(), {"/none"}, O_RDONLY).error().text,
            "/none: No such file or directory");
  Result<Fd> made = open_in_root(root.get(), {"/top/new"}, O_WRONLY | O_CREAT, 0600);
  ASSERT_TRUE(made);
  EXPECT_EQ(text("/jail/new"), "");
  EXPECT_TRUE(open_in_root(root.get(), {"/"}, O_PATH));
}

TEST_F(MountTest, WithoutLinksNoneIsTakenAndNothingLeadsOut) {
  mkdir_at("/jail/etc");
  link("etc", "/jail/link");
  Fd root = open_root({path_}).value();
  EXPECT_TRUE(open_without_links(root.get(), {"/etc"}, O_PATH));
  EXPECT_EQ(open_without_links(root.get(), {"/link"}, O_PATH).error().code, ELOOP);
  EXPECT_EQ(open_without_links(root.get(), {"/etc/../.."}, O_PATH).error().code, EXDEV);
  EXPECT_EQ(open_root({path_ + "/none"}).error().text, path_ + "/none: No such file or directory");
}

TEST_F(MountTest, MagicLinksLeadNowhere) {
  good(mount_words(path_, {"none", "/proc", path_ + "/proc", "bind"}));
  Fd root = open_root({path_}).value();
  EXPECT_EQ(open_in_root(root.get(), {"/proc/self/root/etc"}, O_PATH).error().code, ELOOP);
  EXPECT_EQ(open_in_root(root.get(), {"/proc/self/fd/0"}, O_RDONLY).error().code, ELOOP);
}

}  // namespace
}  // namespace jail
