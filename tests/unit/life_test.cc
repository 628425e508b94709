// Tests of how commands are run and talked about (J4.4, J3.11), over the world of tests/fake.
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan/registry.h"
#include "tests/fake/lives.h"

namespace jail {
namespace {

using fake::commands_run;

class Talking : public testing::Test {
 protected:
  void SetUp() override { unsetenv("CELLBLOCK_STRICT"); }
  void TearDown() override {
    fake::on_command(nullptr);
    unsetenv("CELLBLOCK_STRICT");
  }

  // What the commands print while a jail with these parameters is started, and then stopped.
  struct Printed {
    std::string out, error;
    bool good = false;
  };
  template <class Act>
  static Printed listen(Act act) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Printed printed;
    printed.good = act();
    printed.out = testing::internal::GetCapturedStdout();
    printed.error = testing::internal::GetCapturedStderr();
    return printed;
  }
  static Printed start(const std::string& parameters, Talk talk) {
    Job job = fake::job_of(conf(parameters), "web");
    job.talk = std::move(talk);
    int64_t jid = 0;
    return listen([&] { return start_jail(fake::this_world(), job, &jid); });
  }
  static Printed stop(Talk talk) {
    Job job = fake::job_of("", "web");
    job.talk = std::move(talk);
    job.note_removal = true;
    return listen([&] { return stop_jail(fake::this_world(), job); });
  }
  static std::string conf(const std::string& parameters) {
    return "web { jid = 7; persist; path = /; " + parameters + " }";
  }

  fake::World world_;
};

TEST_F(Talking, AStartAndAStopSayThatTheyWere) {
  EXPECT_EQ(start("", {.name = "web"}).out, "web: created\n");
  EXPECT_EQ(stop({.name = "web"}).out, "web: removed\n");
}

TEST_F(Talking, QuietlyNothingIsSaid) {
  const Printed up = start("exec.start = 'say it';", {.quiet = true, .name = "web"});
  EXPECT_EQ(up.out + up.error, "");
  const Printed down = stop({.quiet = true, .name = "web"});
  EXPECT_EQ(down.out + down.error, "");
}

TEST_F(Talking, ABareJidIsPrintedWhenAsked) {
  EXPECT_EQ(start("", {.quiet = true, .bare_jids = true, .name = "web"}).out, "7\n");
}

TEST_F(Talking, VerboselyEveryStepIsShown) {
  const Printed up = start(
      "exec.prestart = 'say a'; exec.start = 'say b  c'; mount = '/srv /x nullfs rw 0 0'; ip4.addr "
      "= "
      "'em0|192.0.2.9/24';",
      {.verbose = true, .name = "web"});
  EXPECT_EQ(up.out,
            "web: address em0 192.0.2.9 24 \n"
            "web: mount mount nullfs /srv /x rw\n"
            "web: run command: say a\n"
            "web: jail_set(JAIL_CREATE) \n"
            "web: created\n"
            "web: run command in jail: say b c\n");
  EXPECT_EQ(stop({.verbose = true, .name = "web"}).out,
            "web: removed\nweb: undo address em0 192.0.2.9 24 \n");
}

TEST_F(Talking, RemarksAreMutedByQuietAndByTheStrictMode) {
  const Talk talk{.name = "web"};
  EXPECT_EQ(listen([&] {
              talk.remark("so it is");
              return true;
            }).error,
            "jail: web: note: so it is\n");
  const Talk quiet{.quiet = true, .name = "web"};
  EXPECT_EQ(listen([&] {
              quiet.remark("so it is");
              return true;
            }).error,
            "");
  setenv("CELLBLOCK_STRICT", "freebsd", 1);
  EXPECT_EQ(listen([&] {
              talk.remark("so it is");
              return true;
            }).error,
            "");
}

TEST_F(Talking, AJailWithoutANameHasNoneInMessages) {
  const Talk talk;
  EXPECT_EQ(listen([&] {
              talk.error("so it is");
              return true;
            }).error,
            "jail: so it is\n");
  EXPECT_EQ(listen([&] {
              talk.note("so it is");
              return true;
            }).out,
            "so it is\n");
}

TEST_F(Talking, HowACommandEndedIsSaidAsItIsWritten) {
  EXPECT_EQ(start("exec.prestart = 'fail  it';", {.quiet = true, .name = "web"}).error,
            "jail: web: fail it: failed\n");
  EXPECT_EQ(start("exec.start = 'signal it';", {.quiet = true, .name = "web"}).error,
            "jail: web: signal it: exited on signal 9\n");
  EXPECT_EQ(
      start("exec.timeout = 1; exec.start = 'hang it';", {.quiet = true, .name = "web"}).error,
      "jail: web: hang it: timed out\n");
}

TEST_F(Talking, AListEndsAtItsFirstFailureOnTheWayUp) {
  start("exec.prestart = 'say one', 'fail two', 'say three';", {.quiet = true, .name = "web"});
  EXPECT_EQ(commands_run(), (Words{"host say one", "host fail two"}));
}

TEST_F(Talking, EmptyCommandsAreSkippedAndAnAmpersandGoesToTheBackground) {
  EXPECT_TRUE(start("exec.prestart = '', '  ', 'say one &'; exec.start = 'say two;say three';",
                    {.quiet = true, .name = "web"})
                  .good);
  EXPECT_EQ(commands_run(), (Words{"host say one", "jail /bin/sh -c say two;say three"}));
}

// A hook may change its own jail: that takes another lock than its start holds.
TEST_F(Talking, AHookMayModifyItsOwnJail) {
  fake::on_command([](bool, const Words& argv) {
    EXPECT_TRUE(argv.at(0) != "modify" || fake::modify("web { allow.raw_sockets; }", "web"));
  });
  EXPECT_TRUE(start("exec.created = 'modify it';", {.quiet = true, .name = "web"}).good);
  EXPECT_TRUE(read_shown(*read_index(places())->by_name("web"))->allow_raw_sockets.value_or(false));
  EXPECT_TRUE(stop({.quiet = true, .name = "web"}).good);
}

// --- turns: the conversation with the coordinator of many jails ---

// A coordinator that answers `go` to whoever waits for it; what it was told.
struct Coordinator {
  Coordinator() {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 || pipe(told) != 0) abort();
    child = fork();
    if (child != 0) return;
    close(ends[0]);
    std::string heard;
    for (char byte; read(ends[1], &byte, 1) == 1;) {
      heard += byte;
      const char go = static_cast<char>(Turn::go);
      const bool waits =
          byte == static_cast<char>(Turn::command) || byte == static_cast<char>(Turn::ended);
      if (waits && write(ends[1], &go, 1) != 1) break;
    }
    _exit(write(told[1], heard.data(), heard.size()) < 0 ? 1 : 0);
  }
  std::string heard() {
    close(ends[0]);
    waitpid(child, nullptr, 0);
    char text[256];
    const ssize_t size = read(told[0], text, sizeof text);
    return {text, size > 0 ? static_cast<size_t>(size) : 0};
  }
  int ends[2], told[2];
  pid_t child;
};

TEST_F(Talking, AJobAsksForATurnForEachForegroundCommandAndSaysWhatChanged) {
  Coordinator up;
  close(up.ends[1]);
  EXPECT_TRUE(start("exec.prestart = 'say one', 'say two &'; exec.start = 'daemon it';",
                    {.quiet = true, .name = "web", .turns = up.ends[0]})
                  .good);
  EXPECT_EQ(up.heard(), "cexce");
  Coordinator down;
  close(down.ends[1]);
  EXPECT_TRUE(stop({.quiet = true, .name = "web", .turns = down.ends[0]}).good);
  EXPECT_EQ(down.heard(), "wer");
}

TEST_F(Talking, WithoutItsCoordinatorAStartIsUndone) {
  const std::string before = fake::fingerprint();
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  close(ends[1]);
  (void)signal(SIGPIPE, SIG_IGN);
  EXPECT_FALSE(
      start("exec.start = 'say it';", {.quiet = true, .name = "web", .turns = ends[0]}).good);
  close(ends[0]);
  EXPECT_EQ(fake::fingerprint(), before);
}

}  // namespace
}  // namespace jail
