// Mounts on the real kernel: points, binds, file systems, unions.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statfs.h>

#include "os/linux/tree.h"
#include "tests/kernel/view.h"

namespace jail {
namespace {

using MountTest = ViewTest;

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

TEST_F(MountTest, BelowTheRootOfTheHostEveryComponentCounts) {
  link("mnt", "/jail/link");
  bad(mount_words("/", {"tmpfs", "t", path_ + "/link/x", ""}), "HOST/jail/link is a symbolic link");
  good(mount_words("/", {"tmpfs", "t", path_ + "/mnt", ""}));
  EXPECT_EQ(last().point, path_ + "/mnt");
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

TEST_F(MountTest, ThePathOfTheRootAndThatOfThePointMayBeTwoNamesOfOnePlace) {
  link("jail", "/alias");
  link("/source", "/jail/link");
  for (const char* name : {"/alias", "/source/../jail", "//./jail"})
    bad(mount_at("tmpfs", "t", std::string(name) + "/link"),
        "HOST" + plain(name) + "/link is a symbolic link");
  bad(mount_words(host_ + "/alias", {"tmpfs", "t", path_ + "/link", ""}),
      "HOST/jail/link is a symbolic link");
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
  for (int i = 0; i < 2000 || ((mounted == 0 || refused == 0) && i < 1000000); i++) {
    Result<void> result = mount_words(path_, {"tmpfs", "t", path_ + "/a/b", ""});
    if (result)
      mounted++;
    else
      refused++;
    if (!result) continue;
    EXPECT_TRUE(mounts_below(host_ + "/b").empty());
    for (const SeenMount& mount : mounts_below(path_)) {
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
  for (const SeenMount& mount : mounts_below(path_ + "/dev"))
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

TEST_F(MountTest, BelowTheRootTheLinksInASourceAreTheJailsAndAreNotFollowed) {
  mkdir_at("/jail/data");
  write("/jail/data/file", "jail's");
  link("jail", "/alias");
  link("/", "/jail/out");
  for (const char* name : {"/jail", "/alias", "//./jail", "/jail/../jail", "/source/../jail"}) {
    const std::string source = name + std::string("/out") + host_ + "/source";
    const std::string text = "HOST" + plain(name) + "/out is a symbolic link";
    bad(mount_at("nullfs", source, "/jail/mnt"), "HOST/jail/mnt: " + text);
    bad(mount_at("none", source, "/jail/mnt", "rbind"), "HOST/jail/mnt: " + text);
    bad(mount_at("unionfs", source, "/jail/mnt"), text);
    bad(mount_at("ext4", source, "/jail/mnt"), "HOST/jail/mnt: " + text);
    good(mount_at("nullfs", name + std::string("/data"), "/jail/mnt"));
    EXPECT_EQ(this->text("/jail/mnt/file"), "jail's");
    ASSERT_EQ(sys::umount2((path_ + "/mnt").c_str(), 0), 0);
  }
  ASSERT_EQ(sys::chdir(path_.c_str()), 0);
  bad(mount_words(path_, {"nullfs", "out/etc", path_ + "/mnt", ""}),
      "HOST/jail/mnt: HOST/jail/out is a symbolic link");
  ASSERT_EQ(sys::chdir("/"), 0);
  good(mount_at("nullfs", "/jail/../source", "/jail/mnt"));
  good(mount_at("nullfs", "/jail/mnt/sub", "/jail/dev"));  // through a mount is no way out
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

TEST_F(MountTest, OnlyWhatIsNotThereIsSwept) {
  MountWords words{"unionfs", path_ + "/dev", path_ + "/mnt", ""};
  good(mount_words(path_, words));
  ASSERT_EQ(sys::umount2((path_ + "/mnt").c_str(), 0), 0);
  struct stat status{};
  ASSERT_EQ(sys::fstatat(AT_FDCWD, (path_ + "/dev").c_str(), &status, 0), 0);
  const std::string work = "/jail/.cellblock-work-" + std::to_string(status.st_ino);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  int failed = 0;
  for (rlimit few{0, before.rlim_max}; failed < 100; failed++, few.rlim_cur++) {
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    Result<void> swept = sweep_mount(path_, words);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    if (swept) break;
    EXPECT_EQ(swept.error().code, EMFILE) << swept.error().text;
  }
  EXPECT_GT(failed, 2);
  EXPECT_EQ(open_errno(work, O_PATH), ENOENT);
  // A link of the jail neither leads elsewhere nor keeps the mount in the books for ever.
  ASSERT_EQ(sys::unlinkat(AT_FDCWD, (path_ + "/dev").c_str(), AT_REMOVEDIR), 0);
  link("../source/sub", "/jail/dev");
  good(sweep_mount(path_, words));
}

TEST_F(MountTest, ALinkInThePlaceOfTheWorkDirectoryIsNotFollowed) {
  struct stat status{};
  ASSERT_EQ(sys::fstatat(AT_FDCWD, (path_ + "/mnt").c_str(), &status, 0), 0);
  link("../source/sub", "/jail/.cellblock-work-" + std::to_string(status.st_ino));
  bad(mount_at("unionfs", "/source", "/jail/mnt", "below"),
      "HOST/jail/mnt: .cellblock-work-" + std::to_string(status.st_ino) + ": Not a directory");
}

}  // namespace
}  // namespace jail
