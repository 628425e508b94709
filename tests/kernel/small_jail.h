// A jail without the engine, for tests of what enters one: process 1 (which only reaps) in
// namespaces of its own, on a tmpfs with busybox and the users of the recorded cases, and a cgroup
// for commands. Nothing of it is seen on the host but an empty directory and that group; both are
// gone at the end.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <sys/types.h>

#include "base/fd.h"
#include "os/command.h"

namespace jail {

class SmallJail : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  Command inside(Words argv) const;
  // A shell script in the jail.
  Command script(const std::string& text) const { return inside({"sh", "-c", text}); }
  void end_process1();
  // Waits until no process of a command is left.
  void wait_until_empty();

  pid_t pid_ = -1;
  Fd process1_, group_;
  std::string path_ = "/tmp/command_test.XXXXXX", group_path_;
};

// What a command did that was started and waited for.
struct Outcome {
  int status = -1;  // of wait(2)
  std::string out, err;
};
Outcome run(const Command& command);

// Standard input, output and error replaced for as long as it lives; -1 leaves one alone.
class Streams {
 public:
  Streams(int input, int output, int error);
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;
  ~Streams();

 private:
  int saved_[3];
};

struct Pipe {
  Pipe();
  Fd reads, writes;
};

// Reads until `text` has been seen, or the end, or ten seconds have passed; everything read.
std::string read_until(int fd, const std::string& text);

}  // namespace jail
