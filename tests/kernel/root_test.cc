// Files of a jail opened from outside (os/root.h), on the real kernel.
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

}  // namespace
}  // namespace jail
