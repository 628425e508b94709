// A host and a jail's view for tests on the real kernel, as root. Each test has mount namespaces
// of its own: a "host" (a tmpfs on a directory of /tmp, shared) and, a slave of it, a
// view as the engine makes one (L1): `path` bound on itself, shared, nodev. Both end with the test,
// and with them every mount; that none is left, and no descriptor, is checked after each. A child
// that only waits keeps the host for looking at.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "os/linux/abi.h"
#include "os/mount.h"

namespace jail {

inline size_t count_descriptors() {
  size_t count = 0;
  for (int fd = 0; fd < 1024; fd++) count += sys::fcntl(fd, F_GETFD) >= 0;
  return count;
}

inline std::string mounts_of(const std::string& process) {
  return read_file(AT_FDCWD, "/proc/" + process + "/mountinfo").value_or("");
}

struct SeenMount {
  std::string point, attributes, type, propagation;
};

// The mounts on or below `path` in this namespace, in the order of their making.
inline std::vector<SeenMount> mounts_below(const std::string& path,
                                           const std::string& process = "self") {
  std::vector<SeenMount> result;
  for (const std::string& line : split(mounts_of(process), "\n")) {
    Words words = split(line, " ");
    size_t dash = static_cast<size_t>(std::ranges::find(words, "-") - words.begin());
    if (!path_covers(path, words[4])) continue;
    Words optional(words.begin() + 6, words.begin() + static_cast<ptrdiff_t>(dash));
    result.push_back({words[4], words[5], words[dash + 1], join(optional, " ")});
  }
  return result;
}

class ViewTest : public testing::Test {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root";
    // What others mount meanwhile is not ours to find.
    ASSERT_EQ(sys::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(sys::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    before_ = mounts_of("self");
    home_ = Fd(sys::openat(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    char name[] = "/tmp/mount_test.XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    host_ = name;
    ASSERT_EQ(sys::unshare(CLONE_NEWNS), 0);
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
  SeenMount last() { return mounts_below(path_).back(); }
  std::string keeper() { return std::to_string(keeper_); }

  std::string host_, path_, before_;
  Fd home_, keeper_end_;
  pid_t keeper_ = -1;
  size_t descriptors_ = 0;
};

}  // namespace jail
