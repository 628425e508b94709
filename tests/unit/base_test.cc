// Tests of base/: text, files, descriptors, errors.
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "base/result.h"
#include "base/table.h"
#include "base/text.h"

namespace jail {
namespace {

// A directory of the test's own, gone with all that is in it at its end.
class InADirectory : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(mkdtemp(path_.data()), nullptr); }
  void TearDown() override { ASSERT_EQ(std::system(("rm -r " + path_).c_str()), 0); }
  std::string at(const std::string& name) const { return path_ + "/" + name; }

  std::string path_ = "/tmp/base_test.XXXXXX";
};
using File = InADirectory;

bool is_open(int fd) {
  return fcntl(fd, F_GETFD) >= 0;
}

TEST(Text, SplitLeavesOutEmptyPieces) {
  EXPECT_EQ(split("  a b\t c ", " \t"), (Words{"a", "b", "c"}));
  EXPECT_EQ(split("", " "), Words{});
  EXPECT_EQ(split("   ", " "), Words{});
  EXPECT_EQ(split("one", ","), Words{"one"});
}

TEST(Text, SplitExactKeepsEmptyPieces) {
  EXPECT_EQ(split_exact("a,,b,", ','), (Words{"a", "", "b", ""}));
  EXPECT_EQ(split_exact("", ','), Words{""});
}

TEST(Text, JoinIsTheReverseOfSplitExact) {
  for (const char* text : {"", ",", "a", "a,,b,", ",a"}) {
    EXPECT_EQ(join(split_exact(text, ','), ","), text);
  }
  EXPECT_EQ(join(Words{}, ", "), "");
  EXPECT_EQ(join(Words{"a", "b"}, ", "), "a, b");
}

TEST(Text, AnIntegerIsTheWholeText) {
  EXPECT_EQ(parse_int("42"), 42);
  EXPECT_EQ(parse_int("+42"), 42);
  EXPECT_EQ(parse_int("-42"), -42);
  EXPECT_EQ(parse_int("007"), 7);
  for (const char* text : {"", "+", "-", "+-1", "--1", " 1", "1 ", "1x", "0x10", "1.0"}) {
    EXPECT_EQ(parse_int(text), std::nullopt) << text;
  }
}

TEST(Text, AnIntegerThatOverflowsIsNone) {
  EXPECT_EQ(parse_int("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(parse_int("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parse_int("9223372036854775808"), std::nullopt);
  EXPECT_EQ(parse_int("-9223372036854775809"), std::nullopt);
}

TEST(Text, APathCoversItselfAndWhatLiesBelow) {
  EXPECT_TRUE(path_covers("/a", "/a"));
  EXPECT_TRUE(path_covers("/a", "/a/b"));
  EXPECT_TRUE(path_covers("/a/", "/a/b"));
  EXPECT_TRUE(path_covers("/", "/a"));
  EXPECT_FALSE(path_covers("/a", "/ab"));
  EXPECT_FALSE(path_covers("/a/b", "/a"));
}

TEST(Error, NounsAreAddedOutermostFirst) {
  Result<void> failed = in("web", in("mount", Result<void>(fail_errno("/dev", EPERM))));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, EPERM);
  EXPECT_EQ(failed.error().text, "web: mount: /dev: Operation not permitted");
  EXPECT_EQ(in("web", Result<int>(7)).value(), 7);
}

TEST(Error, TryReturnsTheErrorAndYieldsTheValue) {
  auto half = [](int n) -> Result<int> {
    if (n % 2 != 0) return fail(EINVAL, "odd");
    return n / 2;
  };
  auto quarter = [&](int n) -> Result<int> {
    int halved = TRY(half(n));
    return TRY(half(halved));
  };
  EXPECT_EQ(quarter(12).value(), 3);
  EXPECT_EQ(quarter(6).error().text, "odd");
}

TEST(ErrorDeathTest, ABugNamesFileAndLine) {
  EXPECT_DEATH(bug("impossible"), "base_test.cc:[0-9]+: impossible");
}

TEST(Table, ARowIsFoundByItsName) {
  struct Row {
    const char* name;
    int value;
  };
  const Row rows[] = {{"one", 1}, {"two", 2}};
  ASSERT_NE(find_row<Row>(rows, "two"), nullptr);
  EXPECT_EQ(find_row<Row>(rows, "two")->value, 2);
  EXPECT_EQ(find_row<Row>(rows, "tw"), nullptr);
}

TEST_F(File, ADescriptorIsClosedWithItsOwner) {
  int raw = -1;
  {
    Fd fd = open_at(AT_FDCWD, at("file"), O_WRONLY | O_CREAT, 0600).value();
    raw = fd.get();
    EXPECT_TRUE(is_open(raw));
    EXPECT_EQ(fcntl(raw, F_GETFD), FD_CLOEXEC);
  }
  EXPECT_FALSE(is_open(raw));
}

TEST_F(File, AMovedDescriptorHasOneOwner) {
  Fd first = open_at(AT_FDCWD, at("file"), O_WRONLY | O_CREAT, 0600).value();
  int raw = first.get();
  Fd second = std::move(first);
  EXPECT_EQ(first.get(),
            -1);  // NOLINT(bugprone-use-after-move): what a move leaves behind is the test
  EXPECT_EQ(second.get(), raw);
  EXPECT_EQ(second.release(), raw);
  EXPECT_TRUE(is_open(raw));
  second.reset(raw);
  second.reset();
  EXPECT_FALSE(is_open(raw));
}

TEST_F(File, WhatIsMissingIsNamed) {
  Result<std::string> text = read_file(AT_FDCWD, at("none"));
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ENOENT);
  EXPECT_EQ(text.error().text, at("none") + ": No such file or directory");
}

TEST_F(File, MoreThanTheLimitIsRefused) {
  std::string text(100000, 'x');
  ASSERT_TRUE(replace_file(AT_FDCWD, at("file"), text, 0600, false));
  EXPECT_EQ(read_file(AT_FDCWD, at("file"), 100000).value(), text);
  EXPECT_EQ(read_file(AT_FDCWD, at("file"), 99999).error().code, EFBIG);
}

TEST_F(File, AReplacedFileHasTheNewTextAndMode) {
  Fd dir = open_at(AT_FDCWD, path_, O_RDONLY | O_DIRECTORY).value();
  mode_t old_mask = umask(077);
  for (const char* text : {"first and longer", "second"}) {
    ASSERT_TRUE(replace_file(dir.get(), "file", text, 0644, true));
    EXPECT_EQ(read_file(dir.get(), "file").value(), text);
  }
  umask(old_mask);
  struct stat status;
  ASSERT_EQ(stat(at("file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644U);
  EXPECT_NE(access(at("file.new").c_str(), F_OK), 0);
}

TEST_F(File, AFailedReplacementLeavesNothing) {
  ASSERT_EQ(mkdir(at("taken").c_str(), 0700), 0);
  ASSERT_EQ(mkdir(at("taken/x").c_str(), 0700), 0);
  EXPECT_FALSE(replace_file(AT_FDCWD, at("taken"), "text", 0600, false));
  EXPECT_NE(access(at("taken.new").c_str(), F_OK), 0);
  EXPECT_EQ(access(at("taken/x").c_str(), F_OK), 0);
}

TEST_F(File, DirectoriesAreMadeAllTheWayDown) {
  ASSERT_TRUE(make_directories(at("a/b/c"), 0700));
  ASSERT_TRUE(make_directories(at("a/b/c"), 0700));
  struct stat status;
  ASSERT_EQ(stat(at("a/b/c").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
  ASSERT_TRUE(replace_file(AT_FDCWD, at("a/file"), "", 0600, false));
  EXPECT_EQ(make_directories(at("a/file/d"), 0700).error().code, ENOTDIR);
}

}  // namespace
}  // namespace jail
