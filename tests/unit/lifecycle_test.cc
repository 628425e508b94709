// Tests of whole lives: start, stop, modify and recover, over the world of tests/fake. After each
// the world is as it was before.
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "plan/registry.h"
#include "tests/fake/lives.h"

namespace jail {
namespace {

using fake::commands_run;
using fake::fingerprint;
using fake::in_order;
using fake::recover;
using fake::start;
using fake::status_of;
using fake::stop;
using fake::Table;

class Lives : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("CELLBLOCK_STRICT");
    std::filesystem::create_directories(world_.path + "/jail");
    before_ = fingerprint();
  }
  void TearDown() override {
    fake::on_command(nullptr);
    unsetenv("CELLBLOCK_STRICT");
  }

  // A jail called `name` with these parameters.
  std::string conf(const std::string& parameters, const std::string& name = "web") const {
    return fmt::format("{} {{ path = \"{}/jail\"; {} }}\n", name, world_.path, parameters);
  }
  std::string everything() const { return fake::everything(world_.path); }
  bool has(const Words& row) const { return Table().has(row); }
  static void end_processes() {
    Table table;
    table.erase({"process"});
    table.save();
  }
  void expect_as_before() const { EXPECT_EQ(fingerprint(), before_); }

  fake::World world_;
  std::string before_;
};

const std::string hooks =
    "exec.prepare = 'say prepare'; exec.release = 'say release'; exec.prestart = 'say prestart'; "
    "exec.poststop = 'say poststop'; exec.created = 'say created'; exec.poststart = 'say "
    "poststart'; exec.prestop = 'say prestop'; exec.start = 'daemon start'; exec.stop = 'say "
    "stop'; persist; ";
const Words up_order = {"host say prepare", "host say prestart", "host say created",
                        "jail daemon start", "host say poststart"};
const Words down_order = {"host say prestop", "jail say stop", "host say poststop",
                          "host say release"};

TEST_F(Lives, TheSmallestJailComesAndGoes) {
  ASSERT_TRUE(start(conf("persist;"), "web"));
  EXPECT_EQ(status_of("web"), "up");
  EXPECT_NE(fingerprint(), before_);
  ASSERT_TRUE(stop("", "web"));
  EXPECT_EQ(status_of("web"), "absent");
  expect_as_before();
}

TEST_F(Lives, AJailWithEverythingComesAndGoes) {
  ASSERT_TRUE(start(everything(), "web"));
  EXPECT_TRUE(find_running("web"));
  EXPECT_TRUE(find_running("7"));
  EXPECT_FALSE(has({"link", "em1", "host"}));
  ASSERT_TRUE(stop("", "web"));
  expect_as_before();
}

TEST_F(Lives, HooksRunInTheOrderOfTheManual) {
  ASSERT_TRUE(start(conf(hooks), "web"));
  EXPECT_EQ(commands_run(), up_order);
  ASSERT_TRUE(stop("", "web"));
  Words all = up_order;
  all.insert(all.end(), down_order.begin(), down_order.end());
  EXPECT_EQ(commands_run(), all);
  expect_as_before();
}

TEST_F(Lives, AStopReadsTheSnapshotAndNotTodaysFile) {
  ASSERT_TRUE(start(conf(hooks + "ip4.addr = 'em0|192.0.2.9/24';"), "web"));
  ASSERT_TRUE(
      stop(conf("persist; exec.poststop = 'say today'; ip4.addr = 'em0|192.0.2.77/24';"), "web"));
  EXPECT_TRUE(in_order(commands_run(), down_order));
  EXPECT_FALSE(in_order(commands_run(), {"host say today"}));
  expect_as_before();
}

TEST_F(Lives, StrictlyAStopReadsTodaysHooksAndStillUndoesWhatWasDone) {
  setenv("CELLBLOCK_STRICT", "freebsd", 1);
  ASSERT_TRUE(
      start(conf("persist; ip4.addr = 'em0|192.0.2.9/24'; exec.poststop = 'say then';"), "web"));
  ASSERT_TRUE(stop(conf("persist; exec.poststop = 'say today';"), "web"));
  EXPECT_EQ(commands_run(), Words{"host say today"});
  expect_as_before();
}

TEST_F(Lives, OneThatExistsIsNotStartedAgain) {
  ASSERT_TRUE(start(conf(hooks), "web"));
  const std::string up = fingerprint();
  testing::internal::CaptureStderr();
  EXPECT_FALSE(start(conf(hooks), "web"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "jail: \"web\" already exists\n");
  EXPECT_EQ(fingerprint(), up);
  Job job = fake::job_of(conf(hooks), "web");
  job.all = true;
  int64_t jid = 0;
  EXPECT_TRUE(start_jail(fake::this_world(), job, &jid));
  EXPECT_EQ(jid, 1);
  ASSERT_TRUE(stop("", "web"));
  expect_as_before();
}

TEST_F(Lives, OneThatIsNotThereCannotBeStopped) {
  testing::internal::CaptureStderr();
  Job job = fake::job_of("", "web");
  job.talk.quiet = false;
  EXPECT_FALSE(stop_jail(fake::this_world(), job));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "jail: \"web\" not found\n");
  expect_as_before();
}

// --- failures on the way up ---

struct Failing {
  const char* parameter;  // takes the place of the good one
  Words undone;           // of the other halves, what runs
  Words not_run;
};

TEST_F(Lives, WhateverFailsIsUndoneWithTheOtherHalvesOfItsHooks) {
  const Failing cases[] = {
      {"exec.prepare = 'fail it';",
       {"host say release"},
       {"host say prestart", "host say poststop"}},
      {"mount = '/missing /x nullfs rw 0 0';",
       {"host say release"},
       {"host say prestart", "host say poststop"}},
      {"exec.prestart = 'fail it';",
       {"host say poststop", "host say release"},
       {"host say created"}},
      {"exec.created = 'signal it';",
       {"host say poststop", "host say release"},
       {"jail daemon start", "host say prestop", "jail say stop"}},
      {"exec.start = 'fail it';",
       {"jail say stop", "host say poststop", "host say release"},
       {"host say poststart", "host say prestop"}},
      {"exec.poststart = 'fail it';", down_order, {}},
      {"path = /nowhere/at/all;", {"host say poststop", "host say release"}, {"host say created"}},
      {"ip4.addr = 'no0|192.0.2.9/24';", {"host say release"}, {"host say prestart"}},
      {"ip4.addr = 'em0|192.0.2.9/24 nonsense';", {"host say release"}, {"host say prestart"}},
      {"vnet; vnet.interface = em1, none0;",
       {"host say poststop", "host say release"},
       {"jail daemon start"}},
  };
  for (const Failing& one : cases) {
    const size_t seen = commands_run().size();
    testing::internal::CaptureStderr();
    EXPECT_FALSE(start(conf(hooks + one.parameter), "web")) << one.parameter;
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(text.starts_with("jail: web: ")) << one.parameter << text;
    Words ran = commands_run();
    ran.erase(ran.begin(), ran.begin() + static_cast<std::ptrdiff_t>(seen));
    EXPECT_TRUE(in_order(ran, one.undone)) << one.parameter << join(ran, ", ");
    for (const std::string& line : one.not_run)
      EXPECT_FALSE(in_order(ran, {line})) << one.parameter << line;
    EXPECT_EQ(fingerprint(), before_) << one.parameter;
  }
}

TEST_F(Lives, WhatThisSystemCannotMeanStopsAStartBeforeAnythingIsMade) {
  for (const char* wrong :
       {"zfs.dataset = pool/x;", "sysvmsg = inherit;", "vnet.interface = em1;"}) {
    testing::internal::CaptureStderr();
    EXPECT_FALSE(start(conf(hooks + wrong), "web")) << wrong;
    testing::internal::GetCapturedStderr();
  }
  EXPECT_TRUE(commands_run().empty());
  expect_as_before();
}

TEST_F(Lives, WithoutRollbackOnlyResourcesAreUndone) {
  testing::internal::CaptureStderr();
  EXPECT_FALSE(start(conf(hooks + "exec.norollback; exec.poststart = 'fail it';"), "web"));
  testing::internal::GetCapturedStderr();
  for (const std::string& line : down_order) EXPECT_FALSE(in_order(commands_run(), {line})) << line;
  expect_as_before();
}

TEST_F(Lives, APrestopCannotVetoARollback) {
  testing::internal::CaptureStderr();
  EXPECT_FALSE(
      start(conf(hooks + "exec.prestop = 'fail guard'; exec.poststart = 'fail it';"), "web"));
  testing::internal::GetCapturedStderr();
  EXPECT_TRUE(in_order(commands_run(), {"host fail guard", "jail say stop", "host say poststop"}));
  expect_as_before();
}

TEST_F(Lives, ACommandThatRunsOutOfTimeIsEndedWithAllItStarted) {
  testing::internal::CaptureStderr();
  EXPECT_FALSE(
      start(conf(hooks + "exec.timeout = 1; exec.start = 'daemon one', 'hang it';"), "web"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "jail: web: hang it: timed out\n");
  expect_as_before();
}

// --- on the way down ---

TEST_F(Lives, AFailingPrestopKeepsTheJailFullyUp) {
  ASSERT_TRUE(start(conf(hooks + "exec.prestop = 'fail guard';"), "web"));
  const std::string up = fingerprint();
  testing::internal::CaptureStderr();
  EXPECT_FALSE(stop("", "web"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "jail: web: fail guard: failed\n");
  EXPECT_EQ(status_of("web"), "up");
  EXPECT_TRUE(find_running("web"));
  EXPECT_FALSE(in_order(commands_run(), {"jail say stop"}));
  Job job = fake::job_of("", "web");
  job.no_hooks = true;
  EXPECT_TRUE(stop_jail(fake::this_world(), job));
  expect_as_before();
}

TEST_F(Lives, AFailingStopCommandIsReportedAndTheStopGoesOn) {
  ASSERT_TRUE(start(
      conf(hooks + "exec.stop = 'fail first', 'say second'; exec.poststop = 'fail too';"), "web"));
  testing::internal::CaptureStderr();
  EXPECT_FALSE(stop("", "web"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "jail: web: fail first: failed\njail: web: fail too: failed\n");
  EXPECT_TRUE(in_order(
      commands_run(), {"jail fail first", "jail say second", "host fail too", "host say release"}));
  expect_as_before();
}

TEST_F(Lives, WithStopStrictAFailingStopCommandKeepsTheJailUp) {
  ASSERT_TRUE(start(conf(hooks + "stop.strict; exec.stop = 'fail first', 'say second';"), "web"));
  testing::internal::CaptureStderr();
  EXPECT_FALSE(stop("", "web"));
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(status_of("web"), "up");
  EXPECT_FALSE(in_order(commands_run(), {"jail say second"}));
  Job job = fake::job_of("", "web");
  job.no_hooks = true;
  EXPECT_TRUE(stop_jail(fake::this_world(), job));
  expect_as_before();
}

TEST_F(Lives, WhoTakesNoNoticeOfTermIsKilled) {
  ASSERT_TRUE(
      start(conf("persist; stop.timeout = 1; exec.start = 'daemon one', 'stubborn two';"), "web"));
  ASSERT_TRUE(stop("", "web"));
  expect_as_before();
}

TEST_F(Lives, WhoCannotBeToldToEndIsNamedAndKilled) {
  ASSERT_TRUE(start(conf("persist; exec.start = 'daemon one';"), "web"));
  {
    Table table;
    table.add({"full"});
    table.save();
  }
  testing::internal::CaptureStderr();
  EXPECT_TRUE(stop("", "web"));
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(said.starts_with("jail: web: process ")) << said;
  EXPECT_TRUE(said.ends_with(": Too many open files\n")) << said;
  {
    Table table;
    table.erase({"full"});
    table.save();
  }
  expect_as_before();
}

TEST_F(Lives, WithoutHooksAStopStillUndoesEveryResource) {
  ASSERT_TRUE(start(conf(hooks + "ip4.addr = 'em0|192.0.2.9/24'; mount = '/srv /x nullfs rw 0 0';"),
                    "web"));
  Job job = fake::job_of("", "web");
  job.no_hooks = true;
  ASSERT_TRUE(stop_jail(fake::this_world(), job));
  EXPECT_EQ(commands_run(), up_order);
  expect_as_before();
}

TEST_F(Lives, AJailWhoseProcess1IsGoneIsUnwoundWithoutPrestopAndStop) {
  ASSERT_TRUE(start(conf(hooks), "web"));
  end_processes();
  EXPECT_EQ(status_of("web"), "ended");
  ASSERT_TRUE(stop("", "web"));
  Words all = up_order;
  for (const char* line : {"host say poststop", "host say release"}) all.emplace_back(line);
  EXPECT_EQ(commands_run(), all);
  expect_as_before();
}

TEST_F(Lives, AJailThatEndedMakesRoomForAStart) {
  ASSERT_TRUE(start(conf(hooks), "web"));
  end_processes();
  ASSERT_TRUE(start(conf(hooks), "web"));
  EXPECT_TRUE(in_order(commands_run(), {"host say poststart", "host say poststop",
                                        "host say release", "host say prepare"}));
  ASSERT_TRUE(stop("", "web"));
  expect_as_before();
}

// --- persistence ---

TEST_F(Lives, WithoutPersistenceAJailWhoseCommandsAreOverIsGone) {
  ASSERT_TRUE(start(conf("exec.start = 'say hello'; exec.poststop = 'say poststop';"), "web"));
  EXPECT_EQ(status_of("web"), "absent");
  EXPECT_EQ(commands_run(), (Words{"jail say hello", "host say poststop"}));
  expect_as_before();
}

TEST_F(Lives, WithoutPersistenceADaemonKeepsAJailUntilItEnds) {
  ASSERT_TRUE(start(conf("exec.start = 'daemon one'; exec.poststop = 'say poststop';"), "web"));
  EXPECT_EQ(status_of("web"), "up");
  {
    Table table;
    std::erase_if(table.rows,
                  [](const Words& row) { return row[0] == "process" && row[4] == "daemon"; });
    table.save();
  }
  EXPECT_EQ(status_of("web"), "ended");
  ASSERT_TRUE(recover());
  EXPECT_TRUE(in_order(commands_run(), {"host say poststop"}));
  expect_as_before();
}

TEST_F(Lives, APersistingJailThatIsToldNotToGoesWithItsLastProcess) {
  ASSERT_TRUE(start(conf("persist;"), "web"));
  ASSERT_TRUE(fake::modify(conf("nopersist;"), "web"));
  EXPECT_EQ(status_of("web"), "absent");
  expect_as_before();
}

// --- resources of the host ---

TEST_F(Lives, AnAddressOfTwoJailsGoesWithTheLast) {
  const std::string address = "persist; ip4.addr = 'em0|192.0.2.9/24';";
  for (const bool marked : {true, false}) {
    if (!marked) {
      Table table;
      table.add({"unmarked"});
      table.save();
      before_ = "";
    }
    const std::string before = fingerprint();
    ASSERT_TRUE(start(conf(address, "one"), "one"));
    ASSERT_TRUE(start(conf(address, "two"), "two"));
    ASSERT_TRUE(stop("", "one"));
    EXPECT_TRUE(has({"address", "em0", "192.0.2.9"})) << marked;
    ASSERT_TRUE(stop("", "two"));
    EXPECT_EQ(fingerprint(), before) << marked;
  }
}

TEST_F(Lives, AnAddressThatWasThereBeforeStays) {
  ASSERT_TRUE(start(conf("persist; ip4.addr = 'em0|192.0.2.1/24', 'lo|127.0.0.1';"), "web"));
  ASSERT_TRUE(stop("", "web"));
  expect_as_before();
}

TEST_F(Lives, ALentInterfaceComesBackAsItWasWhateverTheJailCalledIt) {
  ASSERT_TRUE(start(conf("persist; vnet; vnet.interface = em1, ix0;"), "web"));
  {
    Table table;
    Words* link = table.find({"link", "em1"});
    ASSERT_NE(link, nullptr);
    EXPECT_TRUE((*link)[3].starts_with("cellblock:"));
    (*link)[1] = "evil0";
    table.save();
  }
  ASSERT_TRUE(stop("", "web"));
  expect_as_before();
}

TEST_F(Lives, AnInterfaceLentToOneJailIsNotLentToAnother) {
  ASSERT_TRUE(start(conf("persist; vnet; vnet.interface = em1;", "one"), "one"));
  const std::string up = fingerprint();
  testing::internal::CaptureStderr();
  EXPECT_FALSE(start(conf("persist; vnet; vnet.interface = em1;", "two"), "two"));
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(fingerprint(), up);
  ASSERT_TRUE(stop("", "one"));
  expect_as_before();
}

TEST_F(Lives, WhatAHookLeavesBehindStaysInItsGroupAndGoesWithIt) {
  ASSERT_TRUE(start(conf("persist; exec.poststop = 'daemon left';"), "web"));
  ASSERT_TRUE(stop("", "web"));
  EXPECT_NE(fingerprint(), before_);
  EXPECT_EQ(status_of("web"), "absent");
  end_processes();
  ASSERT_TRUE(recover());
  expect_as_before();
}

// --- nested jails ---

TEST_F(Lives, AParentTakesItsChildrenDownFirst) {
  ASSERT_TRUE(start(conf(hooks, "a"), "a"));
  const std::string inner =
      "exec.prestop = 'say prestop of %'; exec.poststop = 'say poststop of %'; persist;";
  for (const char* name : {"a.b", "a.b.c", "a.d"}) {
    std::string parameters = inner;
    for (size_t at; (at = parameters.find('%')) != std::string::npos;)
      parameters.replace(at, 1, name);
    ASSERT_TRUE(start(conf(parameters, name), name)) << name;
  }
  ASSERT_TRUE(stop("", "a"));
  EXPECT_TRUE(in_order(commands_run(), {"host say poststop of a.b.c", "host say poststop of a.b",
                                        "host say poststop", "host say release"}));
  EXPECT_TRUE(in_order(commands_run(), {"host say poststop of a.d", "host say poststop"}));
  for (const char* name : {"a", "a.b", "a.b.c", "a.d"})
    EXPECT_EQ(status_of(name), "absent") << name;
  expect_as_before();
}

TEST_F(Lives, AChildGoesAlone) {
  ASSERT_TRUE(start(conf("persist;", "a"), "a"));
  const std::string parent = fingerprint();
  ASSERT_TRUE(start(conf("persist; vnet; vnet.interface = em1;", "a.b"), "a.b"));
  ASSERT_TRUE(stop("", "a.b"));
  EXPECT_EQ(fingerprint(), parent);
  ASSERT_TRUE(stop("", "a"));
  expect_as_before();
}

TEST_F(Lives, AChildWithoutItsParentDoesNotStart) {
  testing::internal::CaptureStderr();
  EXPECT_FALSE(start(conf(hooks, "a.b"), "a.b"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "jail: a.b: jail \"a\" not found\n");
  EXPECT_TRUE(commands_run().empty());
  expect_as_before();
}

// --- a boot of the host ---

TEST_F(Lives, AfterABootOfTheHostOnlyReleaseIsDue) {
  ASSERT_TRUE(start(conf(hooks + "ip4.addr = 'em0|192.0.2.9/24'; vnet = inherit; mount = '/srv " +
                         world_.path + "/jail/srv unionfs rw 0 0';"),
                    "web"));
  fake::reboot();
  ASSERT_TRUE(recover());
  Words all = up_order;
  all.emplace_back("host say release");
  EXPECT_EQ(commands_run(), all);
  EXPECT_NE(fingerprint().find("boot boot-2"), std::string::npos);
  std::string now = fingerprint();
  now.replace(now.find("boot boot-2"), 11, "boot boot-1");
  EXPECT_EQ(now, before_);
}

TEST_F(Lives, AfterABootOfTheHostAStartBeginsAnew) {
  ASSERT_TRUE(start(conf(hooks), "web"));
  fake::reboot();
  before_.replace(before_.find("boot boot-1"), 11, "boot boot-2");
  ASSERT_TRUE(start(conf(hooks), "web"));
  EXPECT_TRUE(
      in_order(commands_run(), {"host say release", "host say prepare", "host say poststart"}));
  ASSERT_TRUE(stop("", "web"));
  expect_as_before();
}

// --- changes of a running jail ---

TEST_F(Lives, AChangeIsInTheSnapshotAndInWhatIsShown) {
  ASSERT_TRUE(start(conf(hooks + "host.hostname = old;"), "web"));
  ASSERT_TRUE(fake::modify(conf("host.hostname = new; persist; allow.raw_sockets;"), "web"));
  Result<std::vector<Listed>> listed = list_jails(false);
  ASSERT_TRUE(listed && listed->size() == 1);
  EXPECT_EQ(listed->at(0).shown.host_hostname, "new");
  EXPECT_EQ(listed->at(0).shown.allow_raw_sockets, true);
  ASSERT_TRUE(stop("", "web"));
  EXPECT_TRUE(in_order(commands_run(), down_order));
  expect_as_before();
}

TEST_F(Lives, ARightThatIsTakenAwayBringsARemarkAndNothingElseDoes) {
  ASSERT_TRUE(start(conf("persist; allow.mlock;"), "web"));
  auto errors_of = [&](const char* change) {
    Job job = fake::job_of(conf(change), "web");
    job.talk.quiet = false;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    EXPECT_TRUE(modify_jail(fake::this_world(), job)) << change;
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "web: updated\n");
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(errors_of("allow.nomlock;"),
            "jail: web: note: what was taken away holds for what starts in the jail from now on\n");
  EXPECT_EQ(errors_of("allow.raw_sockets;"), "");
  EXPECT_EQ(errors_of("allow.nodying;"), "");
  ASSERT_TRUE(stop("", "web"));
  expect_as_before();
}

TEST_F(Lives, WhatIsOnlySetAtCreationIsRefusedAndNothingChanges) {
  ASSERT_TRUE(start(conf("persist; ip4 = inherit;"), "web"));
  const std::string up = fingerprint();
  testing::internal::CaptureStderr();
  EXPECT_FALSE(fake::modify("web { path = /elsewhere; allow.raw_sockets; }", "web"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "jail: web: path cannot be changed after creation\n");
  EXPECT_EQ(fingerprint(), up);
  ASSERT_TRUE(stop("", "web"));
  expect_as_before();
}

TEST_F(Lives, AJailWithAnotherNameByNowIsStoppedByThatName) {
  ASSERT_TRUE(start(conf("jid = 9; persist;"), "web"));
  Job job;
  job.talk.quiet = true;
  job.spec.jid = 9;
  job.spec.name = "shop";
  ASSERT_TRUE(modify_jail(fake::this_world(), job));
  EXPECT_EQ(status_of("web"), "absent");
  EXPECT_EQ(status_of("shop"), "up");
  ASSERT_TRUE(stop("", "shop"));
  expect_as_before();
}

TEST_F(Lives, ANameIsHeldToWhatACreationWouldBe) {
  const std::string all = conf("jid = 8; persist;", "p") + conf("jid = 9; persist;", "p.c") +
                          conf("jid = 10; persist;", "p.c.d") + conf("jid = 11; persist;", "pp");
  for (const char* name : {"p", "p.c", "p.c.d", "pp"}) ASSERT_TRUE(start(all, name)) << name;
  const std::string before = fingerprint();
  auto rename = [&](int64_t jid, const std::string& name, const std::string& error) {
    Job job;
    job.talk.quiet = true;
    job.spec.jid = jid;
    job.spec.name = name;
    testing::internal::CaptureStderr();
    EXPECT_EQ(modify_jail(fake::this_world(), job), error.empty()) << name;
    EXPECT_EQ(testing::internal::GetCapturedStderr(), error) << name;
  };
  rename(8, "4711", "jail: name cannot be numeric (unless it is the jid)\n");
  rename(8, "no.such", "jail: cannot change jail's parent\n");
  rename(9, "pp.c", "jail: cannot change jail's parent\n");
  rename(8, "pp", "jail: jail \"pp\" already exists\n");
  EXPECT_EQ(fingerprint(), before);
  rename(8, "q", "");
  rename(9, "q.e", "");
  rename(10, "f", "");
  rename(11, "11", "");
  std::string names;
  const std::vector<Listed> listed = list_jails(false).value();
  for (const Listed& jail : listed) names += *jail.shown.name + " " + jail.name + "\n";
  EXPECT_EQ(names, "q q\nq.e q.e\nq.e.f q.e.f\n11 11\n");
  ASSERT_TRUE(stop("", "q"));
  ASSERT_TRUE(stop("", "11"));
  expect_as_before();
}

TEST_F(Lives, AChangeThatIsRefusedHasChangedNothing) {
  const std::string all = conf("jid = 8; persist;", "p") + conf("jid = 9; persist;", "p.c");
  for (const char* name : {"p", "p.c"}) ASSERT_TRUE(start(all, name)) << name;
  const std::string before = fingerprint();
  for (const std::string& change :
       {"name = p.d; host.hostname = " + std::string(65, 'x') + ";",
        std::string("name = p.d; host.hostname = n; allow.raw_sockets;")}) {
    testing::internal::CaptureStderr();
    EXPECT_FALSE(fake::modify(conf("jid = 9; " + change, "p.c"), "p.c"));
    EXPECT_NE(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(fingerprint(), before) << change;
  }
  ASSERT_TRUE(stop("", "p"));
  expect_as_before();
}

// --- commands that meet ---

// Runs `body` in a child; its status of wait(2) once it has ended.
struct Child {
  pid_t pid;
  int status() const {
    int status = -1;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return status;
  }
};
template <class Body>
Child in_child(Body body) {
  pid_t pid = fork();
  if (pid == 0) _exit(body() ? 0 : 1);
  return {pid};
}

int ready_pipe[2];

// A start that hangs in exec.start, as another process: it has begun that command when this
// returns.
Child hanging_start(const std::string& text) {
  EXPECT_EQ(pipe(ready_pipe), 0);
  Child child = in_child([&] {
    fake::on_command([](bool, const Words& argv) {
      if (argv[0] == "hang" && write(ready_pipe[1], "r", 1) != 1) _exit(3);
    });
    Fd signals = catch_stop_signals().value();
    Job job = fake::job_of(text, "web");
    job.talk.stop_fd = signals.get();
    int64_t jid = 0;
    return start_jail(fake::this_world(), job, &jid);
  });
  close(ready_pipe[1]);
  char byte;
  EXPECT_EQ(read(ready_pipe[0], &byte, 1), 1);
  close(ready_pipe[0]);
  return child;
}

TEST_F(Lives, AStopAsksAStartingCommandToGiveUpAndWaits) {
  Child child = hanging_start(conf(hooks + "exec.start = 'hang it';"));
  EXPECT_EQ(status_of("web"), "starting");
  EXPECT_TRUE(stop("", "web"));
  EXPECT_EQ(WEXITSTATUS(child.status()), 1);
  EXPECT_TRUE(in_order(commands_run(),
                       {"jail hang it", "jail say stop", "host say poststop", "host say release"}));
  expect_as_before();
}

TEST_F(Lives, AHookOfAJailNeitherStartsNorStopsItsOwnJail) {
  Child child = hanging_start(conf(hooks + "exec.start = 'hang it';"));
  Host host = fake::this_world();
  host.hook_of = read_index(host.places)->by_name("web")->id;
  Job job = fake::job_of(conf(hooks), "web");
  testing::internal::CaptureStderr();
  EXPECT_FALSE(stop_jail(host, job));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            fmt::format("jail: web: \"web\" is being started by process {}\n", child.pid));
  testing::internal::CaptureStderr();
  int64_t jid = 0;
  EXPECT_FALSE(start_jail(host, job, &jid));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "jail: \"web\" already exists\n");
  EXPECT_TRUE(stop("", "web"));
  child.status();
  expect_as_before();
}

TEST_F(Lives, RecoveryLeavesAloneWhatALivingCommandWorksOn) {
  Child child = hanging_start(conf(hooks + "exec.start = 'hang it';"));
  const std::string during = fingerprint();
  EXPECT_TRUE(recover());
  EXPECT_EQ(fingerprint(), during);
  EXPECT_TRUE(stop("", "web"));
  child.status();
  expect_as_before();
}

TEST_F(Lives, AStartThatWasKilledIsUndoneByTheNextStart) {
  Child child = hanging_start(conf(hooks + "exec.start = 'hang it';"));
  ASSERT_EQ(kill(child.pid, SIGKILL), 0);
  child.status();
  EXPECT_EQ(status_of("web"), "partial");
  ASSERT_TRUE(start(conf(hooks), "web"));
  EXPECT_TRUE(
      in_order(commands_run(), {"jail hang it", "jail say stop", "host say poststop",
                                "host say release", "host say prepare", "host say poststart"}))
      << join(commands_run(), ", ");
  ASSERT_TRUE(stop("", "web"));
  expect_as_before();
}

TEST_F(Lives, AStartThatWasKilledIsUndoneByAStopThatNoGuardVetoes) {
  Child child =
      hanging_start(conf(hooks + "exec.prestop = 'fail guard'; exec.poststart = 'hang it';"));
  ASSERT_EQ(kill(child.pid, SIGKILL), 0);
  child.status();
  testing::internal::CaptureStderr();
  EXPECT_FALSE(stop("", "web"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "jail: web: fail guard: failed\n");
  EXPECT_TRUE(in_order(commands_run(), {"host fail guard", "jail say stop", "host say poststop",
                                        "host say release"}));
  EXPECT_EQ(status_of("web"), "absent");
  expect_as_before();
}

TEST_F(Lives, WithoutHooksMeansAlsoThoseOfAStartThatWasKilledAndOfAJailThatHasEnded) {
  Job job = fake::job_of("", "web");
  job.no_hooks = true;
  Child child = hanging_start(conf(hooks + "exec.created = 'hang it';"));
  ASSERT_EQ(kill(child.pid, SIGKILL), 0);
  child.status();
  EXPECT_TRUE(stop_jail(fake::this_world(), job));
  EXPECT_EQ(commands_run(), (Words{"host say prepare", "host say prestart", "host hang it"}));
  end_processes();  // what a hook left running is not the jail's
  ASSERT_TRUE(start(conf(hooks), "web"));
  end_processes();
  const size_t seen = commands_run().size();
  EXPECT_TRUE(stop_jail(fake::this_world(), job));
  EXPECT_EQ(commands_run().size(), seen);
  expect_as_before();
}

// --- what is beyond help ---

TEST_F(Lives, AnUndoThatFailsIsKeptAndTriedAgain) {
  ASSERT_TRUE(start(conf(hooks + "vnet; vnet.interface = em1;"), "web"));
  Words lent;
  {
    Table table;
    lent = *table.find({"link", "em1"});
    (*table.find({"link", "em1"}))[2] = "somewhere";  // the jail passed it on
    table.add({"pin", "somewhere"});
    table.save();
  }
  testing::internal::CaptureStderr();
  EXPECT_FALSE(stop("", "web"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "jail: web: em1: No such device\n");
  EXPECT_EQ(status_of("web"), "broken");
  Result<std::vector<Listed>> listed = list_jails(true);
  ASSERT_TRUE(listed && listed->size() == 1);
  EXPECT_TRUE(listed->at(0).dying);
  {
    Table table;
    *table.find({"link", "em1"}) = lent;
    table.erase({"pin", "somewhere"});
    table.save();
  }
  EXPECT_TRUE(recover());
  expect_as_before();
}

TEST_F(Lives, NamesThatAreNotTheJailsAreNotChanged) {
  ASSERT_TRUE(start(conf("persist; host = inherit;"), "web"));
  const std::string before = fake::fingerprint();
  testing::internal::CaptureStderr();
  for (const char* change : {"host.hostname = evil;", "host.domainname = evil;", "host = new;"})
    EXPECT_FALSE(fake::modify(conf(change), "web")) << change;
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("host.hostname: with host=inherit"), std::string::npos) << said;
  EXPECT_NE(said.find("host cannot be changed after creation"), std::string::npos) << said;
  EXPECT_EQ(fake::fingerprint(), before);
  EXPECT_TRUE(fake::modify(conf("host = inherit; persist;"), "web"));
  ASSERT_TRUE(stop("", "web"));
}

TEST_F(Lives, AJailWithANameOfItsOwnSharesNone) {
  const char* text = "persist; host = inherit; host.hostname = w;";
  ASSERT_TRUE(start(conf(text), "web"));
  EXPECT_TRUE(fake::modify(conf(text), "web"));
  EXPECT_TRUE(fake::modify(conf("host.hostname = v;"), "web"));
  ASSERT_TRUE(stop("", "web"));
}

TEST_F(Lives, WhatIsBeyondHelpIsForgottenWhenAsked) {
  ASSERT_TRUE(start(conf("persist; vnet; vnet.interface = em1;"), "web"));
  {
    Table table;
    (*table.find({"link", "em1"}))[2] = "somewhere";
    table.add({"pin", "somewhere"});
    table.save();
  }
  testing::internal::CaptureStderr();
  EXPECT_FALSE(stop("", "web"));
  const Host host = fake::this_world();
  const JailEntry entry = *read_index(host.places)->by_name("web");
  EXPECT_TRUE(forget_jail(host, entry, {.name = "web"}));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("forgotten: lend em1"), std::string::npos);
  EXPECT_EQ(status_of("web"), "absent");
}

TEST_F(Lives, ASnapshotThatALossOfPowerTookIsOfNoAccount) {
  for (const char* how : {"recover", "stop", "start"}) {
    ASSERT_TRUE(start(conf("persist;"), "web"));
    const std::string record = places().db + "/jails/" + read_index(places())->by_name("web")->id;
    std::ofstream(record + "/spec") << std::string(90, '\0');
    testing::internal::CaptureStderr();
    EXPECT_FALSE(stop("", "web"));  // it needs it
    EXPECT_NE(testing::internal::GetCapturedStderr().find("--recover --forget web"),
              std::string::npos);
    fake::reboot();
    EXPECT_TRUE(how == std::string("recover") ? recover()
                : how == std::string("stop")  ? stop("", "web")
                                              : start(conf("persist;"), "web"));
    EXPECT_EQ(status_of("web"), how == std::string("start") ? "up" : "absent");
  }
  ASSERT_TRUE(stop("", "web"));
}

TEST_F(Lives, ADamagedRecordIsForgottenWhenAskedAndTheJailEndsWithIt) {
  for (const char* file : {"spec", "ledger", "both"}) {
    ASSERT_TRUE(start(everything(), "web"));
    const Host host = fake::this_world();
    const JailEntry entry = *read_index(host.places)->by_name("web");
    const std::string record = host.places.db + "/jails/" + entry.id;
    if (file != std::string("ledger"))
      std::ofstream(record + "/spec") << std::string(90, '\0') << "\n";
    if (file != std::string("spec")) {
      std::string text = read_file(AT_FDCWD, record + "/ledger").value();
      for (const char* line : {"+ group", "+ boot", "= start"})
        text.replace(text.find(line), 3, std::string(3, '\0'));
      std::ofstream(record + "/ledger") << text;
    }
    testing::internal::CaptureStderr();
    EXPECT_FALSE(stop("", "web"));
    EXPECT_FALSE(recover());
    EXPECT_TRUE(forget_jail(host, entry, {.name = "web"}));
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find("going on with what can be read"), std::string::npos) << said;
    expect_as_before();
  }
}

TEST_F(Lives, OneThatIsUpIsNotForgotten) {
  ASSERT_TRUE(start(conf("persist;"), "web"));
  const Host host = fake::this_world();
  const JailEntry entry = *read_index(host.places)->by_name("web");
  testing::internal::CaptureStderr();
  EXPECT_FALSE(forget_jail(host, entry, {.name = "web"}));
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(status_of("web"), "up");
  ASSERT_TRUE(stop("", "web"));
  expect_as_before();
}

}  // namespace
}  // namespace jail
