// Tests of os/users.h: the parser over hostile text, and the lookup beneath a hostile root.
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "os/users.h"

namespace jail {
namespace {

constexpr std::string_view passwd =
    "root:x:0:0:Charlie &:/root:/bin/sh\n"
    "tester:*:1001:1001::/home/tester:/bin/sh\n"
    "tester:*:7:7::/second:/bin/sh\n"
    "twin:*:1001:5::/:\n";
constexpr std::string_view group =
    "wheel:*:0:root,tester\n"
    "tester:*:1001:\n"
    "extra:*:1003:root,tester\n"
    "again:*:1003:tester\n"
    "other:*:1004:tester2,xtester\n";

using Groups = std::vector<gid_t>;

TEST(Users, AUserIsFoundByNameWithAllGroupsAndNoneTwice) {
  auto user = find_user(passwd, group, "tester");
  ASSERT_TRUE(user);
  User expected{"tester", 1001, 1001, "/home/tester", "/bin/sh", {1001, 0, 1003}};
  EXPECT_EQ(*user, expected);
}

TEST(Users, AUserIsFoundByUidAndTheFirstOfSeveralCounts) {
  auto user = find_user(passwd, group, uid_t{1001});
  ASSERT_TRUE(user);
  EXPECT_EQ(user->name, "tester");
  EXPECT_EQ(find_user(passwd, group, uid_t{0})->name, "root");
}

TEST(Users, WhoIsNotThereIsNotFound) {
  EXPECT_EQ(find_user(passwd, group, "nosuchuser"), std::nullopt);
  EXPECT_EQ(find_user(passwd, group, ""), std::nullopt);
  EXPECT_EQ(find_user(passwd, group, "test"), std::nullopt);
  EXPECT_EQ(find_user(passwd, group, uid_t{2}), std::nullopt);
  EXPECT_EQ(find_user("", "", "root"), std::nullopt);
}

TEST(Users, AGroupIsFoundByItsNameAlone) {
  EXPECT_EQ(find_group(group, "extra"), 1003U);
  EXPECT_EQ(find_group("a:*:x:\nb::\na:*:7\n", "a"), 7U);
  EXPECT_FALSE(find_group(group, "1003"));
  EXPECT_FALSE(find_group(group, ""));
  EXPECT_EQ(parse_user_id("4294967294"), 4294967294U);
  for (const char* text : {"", "4294967295", "-1", "1x", " 1"}) EXPECT_FALSE(parse_user_id(text));
}

TEST(Users, ANumberIsNoName) {
  EXPECT_EQ(find_user(passwd, group, "1001"), std::nullopt);
}

TEST(Users, WithoutGroupsThereIsStillThePrimaryOne) {
  EXPECT_EQ(find_user(passwd, "", "twin")->groups, Groups{5});
}

TEST(Users, TheShellMayBeMissingButNoOtherField) {
  EXPECT_EQ(find_user("a:x:1:2:g:/h", "", "a")->shell, "");
  EXPECT_EQ(find_user("a:x:1:2:g", "", "a"), std::nullopt);
  EXPECT_EQ(find_user("a", "", "a"), std::nullopt);
}

TEST(Users, LinesThatAreNoEntriesArePassedOver) {
  for (const char* line : {"a:x:-1:0::/:", "a:x:4294967295:0::/:", "a:x:0x0:0::/:", "a:x::0::/:",
                           "a:x:0:::/:", "a:x: 0:0::/:", "a:x:99999999999999999999:0::/:",
                           "#a:x:0:0::/:", "+a:x:0:0::/:", "-a:x:0:0::/:", ":x:0:0::/:", ""}) {
    std::string text = std::string(line) + "\na:x:42:43::/:\n";
    auto user = find_user(text, "", "a");
    ASSERT_TRUE(user) << line;
    EXPECT_EQ(user->uid, 42u) << line;
  }
}

TEST(Users, ALineWithANulByteIsNoEntry) {
  std::string_view text("a:x:0:0::/home\0/evil:\na:x:42:43::/:\n", 38);
  EXPECT_EQ(find_user(text, "", "a")->uid, 42u);
}

TEST(Users, AnUnfinishedLastLineCounts) {
  EXPECT_TRUE(find_user("a:x:1:1::/:/bin/sh", "", "a"));
}

TEST(Users, GroupsEndAtTheKernelsLimit) {
  std::string many;
  for (int i = 1; i < 70000; i++) many += "g:*:" + std::to_string(i) + ":a\n";
  EXPECT_EQ(find_user("a:x:0:0::/:", many, "a")->groups.size(), 65536u);
}

// A tree that belongs to a jail.
class HostileRoot : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
    ASSERT_EQ(mkdir((path_ + "/etc").c_str(), 0755), 0);
    root_.reset(open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(root_);
  }
  void TearDown() override { ASSERT_EQ(std::system(("rm -r " + path_).c_str()), 0); }
  std::string at(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, std::string_view text) { std::ofstream(at(name)) << text; }

  std::string path_ = "/tmp/users_test.XXXXXX";
  Fd root_;
};

TEST_F(HostileRoot, TheFilesBelowTheRootDecide) {
  write("etc/passwd", passwd);
  write("etc/group", group);
  EXPECT_EQ(lookup_user(root_.get(), "tester").value()->groups, (Groups{1001, 0, 1003}));
  EXPECT_EQ(lookup_user(root_.get(), uid_t{1001}).value()->name, "tester");
  EXPECT_EQ(lookup_user(root_.get(), "nosuchuser").value(), std::nullopt);
}

TEST_F(HostileRoot, MissingFilesAreEmpty) {
  EXPECT_EQ(lookup_user(root_.get(), "root").value(), std::nullopt);
  ASSERT_EQ(rmdir(at("etc").c_str()), 0);
  EXPECT_EQ(lookup_user(root_.get(), "root").value(), std::nullopt);
}

TEST_F(HostileRoot, ALinkStaysInTheRoot) {
  write("secret", "inside:x:1:1::/:\n");
  ASSERT_EQ(symlink("/secret", at("etc/passwd").c_str()), 0);
  EXPECT_TRUE(lookup_user(root_.get(), "inside").value());
  ASSERT_EQ(unlink(at("etc/passwd").c_str()), 0);
  ASSERT_EQ(symlink("../../../../../../etc/passwd", at("etc/passwd").c_str()), 0);
  // Within the root that is a link to itself; the host's file has a root.
  auto found = lookup_user(root_.get(), "root");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ELOOP);
}

TEST_F(HostileRoot, AFifoIsRefusedAndNotWaitedFor) {
  ASSERT_EQ(mkfifo(at("etc/passwd").c_str(), 0644), 0);
  auto found = lookup_user(root_.get(), "root");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().text, "/etc/passwd: not a regular file");
}

TEST_F(HostileRoot, ADirectoryIsRefused) {
  write("etc/passwd", passwd);
  ASSERT_EQ(mkdir(at("etc/group").c_str(), 0755), 0);
  EXPECT_FALSE(lookup_user(root_.get(), "root"));
}

TEST_F(HostileRoot, AFileThatIsTooLargeIsRefused) {
  write("etc/passwd", passwd);
  ASSERT_EQ(truncate(at("etc/passwd").c_str(), (16 << 20) + 1), 0);
  auto found = lookup_user(root_.get(), "root");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, EFBIG);
}

TEST(HostUsers, AreThoseOfTheSystemsDataBase) {
  auto root = host_user("root");
  ASSERT_TRUE(root && *root);
  EXPECT_EQ((*root)->uid, 0u);
  EXPECT_EQ((*root)->home, getpwnam("root")->pw_dir);
  ASSERT_FALSE((*root)->groups.empty());
  EXPECT_EQ((*root)->groups[0], 0u);
  EXPECT_EQ(host_user(uid_t{0}).value()->name, "root");
  EXPECT_EQ(host_user("nosuchuser").value(), std::nullopt);
}

}  // namespace
}  // namespace jail
