// Tests of the fault points, each in a child of its own, since the environment is read once in a
// process.
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/sys.h"

namespace jail {
namespace {

// Runs `body` in a child with that fault ordered; wait(2)'s status of it. The body yields the
// child's exit status.
int in_child(const char* fault, const std::string& log, int (*body)()) {
  pid_t pid = fork();
  if (pid == 0) {
    setenv("CELLBLOCK_FAULT", fault, 1);
    if (fault[0] == '\0') unsetenv("CELLBLOCK_FAULT");
    if (!log.empty()) setenv("CELLBLOCK_FAULT_LOG", log.c_str(), 1);
    _exit(body());
  }
  int status = -1;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return status;
}

// The number of the first of five calls that failed with EIO, 0 for none, 100 for one that failed
// otherwise.
int first_failure() {
  for (int n = 1; n <= 5; n++) {
    if (sys::fcntl(0, F_GETFD) >= 0) continue;
    return errno == EIO ? n : 100;
  }
  return 0;
}

// The same with the third call on in a grandchild.
int failure_of_grandchild() {
  if (sys::fcntl(0, F_GETFD) < 0) return 90;
  pid_t pid = sys::fork();
  if (pid < 0) return 91;
  if (pid == 0) _exit(first_failure());
  int status = -1;
  waitpid(pid, &status, 0);
  return WEXITSTATUS(status) * 10 + first_failure();
}

std::string new_log() {
  std::string path = "/tmp/fault_test.XXXXXX";
  int fd = mkstemp(path.data());
  EXPECT_GE(fd, 0);
  close(fd);
  return path;
}

// The log's text; the file is gone afterwards.
std::string take_log(const std::string& path) {
  std::string text = read_file(AT_FDCWD, path).value();
  unlink(path.c_str());
  return text;
}

TEST(Fault, WithoutAnOrderNothingFails) {
  EXPECT_EQ(WEXITSTATUS(in_child("", "", first_failure)), 0);
}

TEST(Fault, TheNthCallFailsAndNoOther) {
  EXPECT_EQ(WEXITSTATUS(in_child("1:EIO", "", first_failure)), 1);
  EXPECT_EQ(WEXITSTATUS(in_child("4:EIO", "", first_failure)), 4);
  EXPECT_EQ(WEXITSTATUS(in_child("6:EIO", "", first_failure)), 0);
  EXPECT_EQ(WEXITSTATUS(in_child("2:5", "", first_failure)), EIO == 5 ? 2 : 100);
  EXPECT_EQ(WEXITSTATUS(in_child("2:EPERM", "", first_failure)), 100);
}

TEST(Fault, KillEndsTheProcessAtThatCall) {
  int status = in_child("3:kill", "", first_failure);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST(Fault, ChildrenByForkCountOn) {
  EXPECT_EQ(WEXITSTATUS(in_child("3:EIO", "", failure_of_grandchild)), 10);
  EXPECT_EQ(WEXITSTATUS(in_child("8:EIO", "", failure_of_grandchild)), 1);
}

TEST(Fault, EveryCallIsLoggedOnALineOfItsOwn) {
  std::string log = new_log();
  in_child("", log, failure_of_grandchild);
  EXPECT_EQ(take_log(log),
            "1 fcntl\n2 fork\n3 fcntl\n4 fcntl\n5 fcntl\n6 fcntl\n7 fcntl\n8 fcntl\n9 fcntl\n10 "
            "fcntl\n11 fcntl\n"
            "12 fcntl\n");
}

TEST(Fault, TheLogIsFoundAgainWhenItsDescriptorIsAnotherFile) {
  std::string log = new_log();
  int status = in_child("", log, [] {
    sys::fcntl(0, F_GETFD);
    int fds[2];
    for (int fd = 3; fd < 64; fd++) close(fd);
    if (pipe2(fds, O_NONBLOCK) != 0) return 1;
    for (int fd = 5; fd < 64; fd++) dup2(fds[1], fd);
    sys::fcntl(0, F_GETFD);
    char byte;
    return read(fds[0], &byte, 1) < 0 ? 0 : 2;
  });
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(take_log(log), "1 fcntl\n2 fcntl\n");
}

TEST(Fault, WhatIsExecutedDoesNotSeeTheOrder) {
  int status = in_child("9:EIO", "", [] {
    sys::fcntl(0, F_GETFD);
    return std::getenv("CELLBLOCK_FAULT") == nullptr ? 0 : 1;
  });
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Fault, ErrnoIsLeftAloneWhereNothingFails) {
  int status = in_child("", "", [] {
    errno = EXDEV;
    return !fault_point("none") && errno == EXDEV ? 0 : 1;
  });
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Fault, ATypoInTheOrderEndsTheProgram) {
  for (const char* order : {"x", "3", "3:", "0:EIO", "3:EWHAT", "-1:EIO"}) {
    EXPECT_TRUE(WIFSIGNALED(in_child(order, "", first_failure))) << order;
  }
}

}  // namespace
}  // namespace jail
