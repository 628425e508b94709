// Files of a jail opened from outside (os/root.h), on the real kernel.
#include "os/linux/tree.h"
#include "os/root.h"
#include "tests/kernel/view.h"

namespace jail {
namespace {

using RootTest = ViewTest;

TEST_F(RootTest, AFileOfTheJailIsFoundAsTheJailWouldFindIt) {
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

TEST_F(RootTest, WithoutLinksNoneIsTakenAndNothingLeadsOut) {
  mkdir_at("/jail/etc");
  link("etc", "/jail/link");
  Fd root = open_root({path_}).value();
  EXPECT_TRUE(open_without_links(root.get(), {"/etc"}, O_PATH));
  EXPECT_EQ(open_without_links(root.get(), {"/link"}, O_PATH).error().code, ELOOP);
  EXPECT_EQ(open_without_links(root.get(), {"/etc/../.."}, O_PATH).error().code, EXDEV);
  EXPECT_EQ(open_root({path_ + "/none"}).error().text, path_ + "/none: No such file or directory");
}

TEST_F(RootTest, MagicLinksLeadNowhere) {
  good(mount_words(path_, {"none", "/proc", path_ + "/proc", "bind"}));
  Fd root = open_root({path_}).value();
  EXPECT_EQ(open_in_root(root.get(), {"/proc/self/root/etc"}, O_PATH).error().code, ELOOP);
  EXPECT_EQ(open_in_root(root.get(), {"/proc/self/fd/0"}, O_RDONLY).error().code, ELOOP);
}

// --- exec.consolelog ---

TEST_F(RootTest, ALogIsAppendedToAndMade) {
  link("jail", "/alias");
  for (const char* log : {"/jail/log", "/alias/./log", "/jail/mnt/log", "/log"})
    for (int i = 0; i < 2; i++) {
      Result<Fd> fd = open_log(path_, host_ + log);
      ASSERT_TRUE(fd) << fd.error().text;
      EXPECT_EQ(sys::fcntl(fd->get(), F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK),
                O_WRONLY | O_APPEND);
      good(write_all(fd->get(), "x"));
    }
  EXPECT_EQ(text("/jail/log"), "xxxx");
  EXPECT_EQ(text("/jail/mnt/log"), "xx");
  EXPECT_EQ(text("/log"), "xx");
}

TEST_F(RootTest, NoLinkOfTheJailLeadsALogOutByWhateverNameItsRootIsCalled) {
  link("jail", "/alias");
  link("../source", "/jail/var");
  link("../source/log", "/jail/log");
  for (const char* name : {"/jail", "/alias", "//./jail/.", "/source/../jail"}) {
    std::string base = host_ + name;
    EXPECT_EQ(open_log(path_, base + "/var/log").error().text,
              "exec.consolelog: " + host_ + plain(name) + "/var is a symbolic link");
    EXPECT_EQ(open_log(path_, base + "/log").error().text,
              "exec.consolelog: " + base + "/log is a symbolic link");
    EXPECT_FALSE(open_log(path_, base + "/mnt/../../source/log"));
  }
  EXPECT_FALSE(open_log(host_ + "/alias", path_ + "/var/log"));
  EXPECT_EQ(open_log(path_, path_ + "/none/log").error().text,
            "exec.consolelog: " + path_ + "/none: No such file or directory");
  EXPECT_EQ(text("/source/log"), "(nothing)");
}

TEST_F(RootTest, BelowTheRootALogIsARegularFile) {
  const std::string fifo = path_ + "/fifo", device = path_ + "/device";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  ASSERT_EQ(mknod((host_ + "/device").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  write("/jail/device", "");
  ASSERT_EQ(sys::mount((host_ + "/device").c_str(), device.c_str(), nullptr, MS_BIND, nullptr), 0);
  EXPECT_EQ(open_log(path_, fifo).error().code, ENXIO);  // and no waiting for a reader
  Fd reader(sys::openat(AT_FDCWD, fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_EQ(open_log(path_, fifo).error().text,
            "exec.consolelog: " + fifo + " is not a regular file");
  EXPECT_EQ(open_log(path_, device).error().text,
            "exec.consolelog: " + device + " is not a regular file");
}

TEST_F(RootTest, OutsideOfTheRootALogIsWhateverTheHostSays) {
  const std::string fifo = host_ + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(open_log(path_, fifo).error().text, "open " + fifo + ": No such device or address");
  Fd reader(sys::openat(AT_FDCWD, fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_TRUE(open_log(path_, fifo));
  EXPECT_TRUE(open_log(path_, "/dev/null"));
  EXPECT_TRUE(open_log("/", "/dev/null"));
  link("source", "/link");
  EXPECT_TRUE(open_log(path_, host_ + "/link/log"));
  EXPECT_EQ(text("/source/log"), "");
}

}  // namespace
}  // namespace jail
