// Every system call of every kind of mount fails once, in a build with fault points, as root: no
// descriptor is kept, nothing stays mounted, and the error has a sentence. Each attempt is a child
// with a mount namespace of its own; it makes its own calls raw, since the doors read the order for
// a fault once in a process.
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/mount.h"

namespace jail {
namespace {

// What a child's exit status says.
enum Outcome { done, failed, kept_descriptor, kept_mount, no_sentence, no_view };

size_t count_entries(const char* directory) {
  size_t count = 0;
  DIR* entries = opendir(directory);
  while (readdir(entries) != nullptr) count++;
  closedir(entries);
  return count;
}

size_t count_lines(const char* file) {
  size_t count = 0;
  FILE* lines = fopen(file, "re");
  if (lines == nullptr) return 0;
  for (int byte; (byte = fgetc(lines)) != EOF;) count += byte == '\n';
  EXPECT_EQ(fclose(lines), 0);
  return count;
}

class MountFaultTest : public testing::Test {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root";
    char name[] = "/tmp/mount_fault_test.XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    if (directory_.empty()) return;
    unlink((directory_ + "/log").c_str());
    for (const char* name : {"/host", ""}) EXPECT_EQ(rmdir((directory_ + name).c_str()), 0);
  }

  // Each call in turn, with each errno. With `sweeps`, a failure may leave no mount.
  void walk(const char* type, const char* options, const char* point, bool sweeps = true) {
    std::string host = directory_ + "/host";
    mkdir(host.c_str(), 0755);
    MountWords words{type, host + "/source", host + point, options};
    size_t calls = attempt(words, "", sweeps);
    // The doors of this process were used: the children cannot be given a fault. ctest runs each
    // test alone.
    if (calls == 0) GTEST_SKIP() << "run this test alone";
    EXPECT_GT(calls, 5U) << type;
    for (size_t n = 1; n <= calls; n++) {
      for (const char* code : {"EIO", "EINVAL", "ENOENT"})
        attempt(words, std::to_string(n) + ":" + code, sweeps);
    }
  }

 private:
  // The number of calls made.
  size_t attempt(const MountWords& words, const std::string& fault, bool sweeps) {
    std::string log = directory_ + "/log";
    unlink(log.c_str());
    pid_t child = fork();
    if (child == 0) {
      setenv("CELLBLOCK_FAULT", fault.c_str(), 1);
      if (fault.empty()) unsetenv("CELLBLOCK_FAULT");
      setenv("CELLBLOCK_FAULT_LOG", log.c_str(), 1);
      _exit(make_view() ? mount_and_judge(words, sweeps) : no_view);
    }
    int status = 0;
    waitpid(child, &status, 0);
    int outcome = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    // Some failures are none: what could not be looked at is tried all the same.
    EXPECT_TRUE(outcome == done || (outcome == failed && !fault.empty()))
        << words.type << " " << words.options << ", call " << fault << ": " << outcome;
    return count_lines(log.c_str());
  }

  bool make_view() {
    std::string host = directory_ + "/host";
    if (unshare(CLONE_NEWNS) < 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
        mount("host", host.c_str(), "tmpfs", 0, nullptr) < 0)
      return false;
    for (const char* name : {"/jail", "/jail/mnt", "/source"}) mkdir((host + name).c_str(), 0755);
    path_ = host + "/jail";
    return mount(path_.c_str(), path_.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
           mount(nullptr, path_.c_str(), nullptr, MS_SHARED, nullptr) == 0;
  }

  int mount_and_judge(const MountWords& words, bool sweeps) {
    size_t descriptors = count_entries("/proc/self/fd"),
           mounts = count_lines("/proc/self/mountinfo");
    Result<void> result = mount_words(path_, words);
    if (count_entries("/proc/self/fd") != descriptors + 1)
      return kept_descriptor;  // the log is one
    if (result) return done;
    if (sweeps && count_lines("/proc/self/mountinfo") != mounts) return kept_mount;
    return result.error().text.find(": ") == std::string::npos ? no_sentence : failed;
  }

  std::string directory_, path_;
};

TEST_F(MountFaultTest, ABindLeavesNothing) {
  walk("nullfs", "ro", "/jail/mnt");
}

TEST_F(MountFaultTest, ATmpfsLeavesNothing) {
  walk("tmpfs", "size=1m", "/jail/mnt");
}

TEST_F(MountFaultTest, ASysfsLeavesNothing) {
  walk("linsysfs", "rw", "/jail/mnt");
}

TEST_F(MountFaultTest, DevicesLeaveNothing) {
  walk("devfs", "ruleset=4,noexec", "/jail/mnt");
}

TEST_F(MountFaultTest, AUnionfsLeavesNothing) {
  walk("unionfs", "", "/jail/mnt");
}

// Where it is the unmounting that fails, or where the namespace is to end, some of it stays.
TEST_F(MountFaultTest, AUnionfsOnTheRootKeepsNoDescriptor) {
  walk("unionfs", "below", "/jail", false);
}

TEST_F(MountFaultTest, AProcKeepsNoDescriptor) {
  walk("procfs", "", "/jail/mnt", false);
}

}  // namespace
}  // namespace jail
