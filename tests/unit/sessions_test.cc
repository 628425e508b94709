// Sessions: starts, ends, back-off, re-reading, hang-ups (N6.1, N9; I13 to I25 and I45 to I47 are
// the cases of N18.2, as far as they concern what init decides).
#include <gtest/gtest.h>
#include <random>
#include <set>

#include "sup/sessions.h"

namespace jail {
namespace {

constexpr std::string_view two = "a /g xterm on\nb /h vt100 on\n";

class SessionsTest : public ::testing::Test {
 protected:
  SessionsTest() { devices = {"/dev/a", "/dev/b"}; }

  // What is done at `now`, a line an act; every start succeeds, with the pids 1, 2, 3 and so on.
  Words run(int64_t now) {
    Words done;
    while (std::optional<SessionAct> act = sessions.take(now)) {
      const Session* session = sessions.find(act->session);
      switch (act->kind) {
        case SessionAct::Kind::start:
          done.push_back(concat({session->term, " ", join(session->command, "|")}));
          sessions.started(act->session, ++pid);
          break;
        case SessionAct::Kind::window:
          done.push_back(concat({"window ", session->term, " ", join(session->window, "|")}));
          break;
        case SessionAct::Kind::hang_up:
          done.push_back("hang up " + std::to_string(act->pid));
          break;
        case SessionAct::Kind::warn:
          done.push_back(act->text);
      }
    }
    return done;
  }

  // The same for a file that is read at `now`.
  Words read(std::string_view text, int64_t now = 0) {
    sessions.read(text, now);
    return run(now);
  }
  Words reread(std::string_view text, int64_t now) {
    sessions.reread(text, now);
    return run(now);
  }

  // The process `of` ends, and what follows.
  Words end(int of, int64_t now) {
    EXPECT_TRUE(sessions.ended(of, now));
    return run(now);
  }

  // The next start fails.
  Words fail_start(SessionFailure why, int code, int64_t now) {
    std::optional<SessionAct> act = sessions.take(now);
    EXPECT_TRUE(act && act->kind == SessionAct::Kind::start);
    if (act) sessions.failed(act->session, why, code, now);
    return run(now);
  }

  static bool exists(const std::string& path) { return devices.contains(path); }
  static inline std::set<std::string> devices;

  Sessions sessions{TtyWorld{exists, {"console"}}};
  int pid = 0;
};

TEST_F(SessionsTest, LinesThatAreOnStartAtOnceInTheOrderOfTheFile) {
  EXPECT_EQ(read("b /h vt100 on\na /g xterm off\nonly\nno on\na \"/g -x\" xterm on\n"),
            (Words{"TERM=vt100 /h|b", "TERM=xterm /g|-x|a"}));
  EXPECT_EQ(sessions.deadline(), std::nullopt);
}

TEST_F(SessionsTest, I13AProgramThatLivesLongEnoughIsRestartedAtOnceEachTime) {
  read("a /g xterm on\n");
  for (int i = 1; i < 20; ++i) EXPECT_EQ(end(i, 6000 * i), Words{"TERM=xterm /g|a"});
}

TEST_F(SessionsTest, I14AProgramThatExitsAtOnceStartsFiveTimesInThirtySeconds) {
  EXPECT_EQ(read("a /g xterm on\n"), Words{"TERM=xterm /g|a"});
  for (int64_t now : {0, 30'000, 60'000, 90'000}) {
    for (int i = 0; i < 3 + (now > 0); ++i) EXPECT_EQ(end(pid, now), Words{"TERM=xterm /g|a"});
    EXPECT_EQ(end(pid, now), Words{"getty repeating too quickly on port /dev/a, sleeping 30 secs"});
    EXPECT_EQ(sessions.deadline(), now + 30'000);
    EXPECT_EQ(run(now + 29'999), Words{});
    EXPECT_EQ(run(now + 30'000), Words{"TERM=xterm /g|a"});
  }
}

TEST_F(SessionsTest, OnlyStartsLessThanFiveSecondsApartAreQuick) {
  read("a /g xterm on\n");
  for (int i = 1; i < 10; ++i) EXPECT_EQ(end(pid, 5000 * i).size(), 1U);
  EXPECT_EQ(sessions.deadline(), std::nullopt);
  EXPECT_EQ(sessions.all()[0].quick, 0);
  for (int i = 1; i < 4; ++i) EXPECT_EQ(end(pid, 45'000 + 4999 * i)[0], "TERM=xterm /g|a");
  EXPECT_EQ(sessions.all()[0].quick, 3);
}

TEST_F(SessionsTest, APauseInTheCountForgetsTheCount) {
  read("a /g xterm on\n");
  for (int i = 0; i < 3; ++i) end(pid, 0);
  end(pid, 5000);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(end(pid, 5000), Words{"TERM=xterm /g|a"});
  EXPECT_EQ(end(pid, 5000).size(), 1U);
  EXPECT_EQ(sessions.deadline(), 35'000);
}

TEST_F(SessionsTest, I15AProgramThatDoesNotExistIsTriedEveryThirtySeconds) {
  sessions.read("a none xterm on\n", 0);
  for (int64_t now = 0; now < 300'000; now += 30'000) {
    EXPECT_EQ(fail_start(SessionFailure::execute, ENOENT, now),
              Words{"can't exec getty 'none' for port /dev/a: No such file or directory"});
    EXPECT_EQ(sessions.deadline(), now + 30'000);
    EXPECT_EQ(run(now + 29'999), Words{});
  }
}

TEST_F(SessionsTest, AFailureMayComeAfterTheStartAndTheChildsEndIsThenNobodys) {
  read("a /g xterm on\n");
  sessions.failed(sessions.all()[0].id, SessionFailure::execute, EACCES, 10);
  EXPECT_EQ(run(10), Words{"can't exec getty '/g' for port /dev/a: Permission denied"});
  EXPECT_FALSE(sessions.ended(1, 20));
  EXPECT_EQ(run(20), Words{});
  EXPECT_EQ(run(30'010), Words{"TERM=xterm /g|a"});
}

TEST_F(SessionsTest, AForkThatFailsIsTriedAgainLaterAndNotAtOnce) {
  sessions.read(two, 0);
  EXPECT_EQ(fail_start(SessionFailure::fork, EAGAIN, 0),
            (Words{"can't fork for getty on port /dev/a: Resource temporarily unavailable",
                   "TERM=vt100 /h|b"}));
  EXPECT_EQ(sessions.deadline(), 30'000);
  EXPECT_EQ(run(30'000), Words{"TERM=xterm /g|a"});
}

TEST_F(SessionsTest, I16TheEnvironmentIsTheTypeOrNothing) {
  sessions.read("a /g xterm on\nb /g \"\" on\n", 0);
  EXPECT_EQ(sessions.all()[0].term, "TERM=xterm");
  EXPECT_EQ(sessions.all()[1].term, "TERM=");
  sessions.read("a /g " + std::string(100, 't') + " on", 0);
  EXPECT_EQ(sessions.all()[0].term, "TERM=" + std::string(58, 't'));
}

TEST_F(SessionsTest, I17RereadingAnUnchangedFileDisturbsNobody) {
  read(two);
  EXPECT_EQ(reread(two, 1), Words{});
  EXPECT_EQ(reread("# new\n b  /h\tvt100 on secure # x\na \"/g\" xterm on", 2), Words{});
  EXPECT_EQ(sessions.all().size(), 2U);
}

TEST_F(SessionsTest, I17RereadingLeavesAPauseAlone) {
  read("a /g xterm on\n");
  for (int i = 0; i < 4; ++i) end(pid, 0);
  EXPECT_EQ(reread("a /g xterm on\n", 1000), Words{});
  EXPECT_EQ(sessions.deadline(), 30'000);
}

TEST_F(SessionsTest, I18ALineTurnedOffIsHungUpAndNotRestarted) {
  read(two);
  EXPECT_EQ(reread("a /g xterm off\nb /h vt100 on\n", 1), Words{"hang up 1"});
  EXPECT_EQ(end(1, 2), Words{});
  EXPECT_EQ(sessions.all().size(), 1U);
  EXPECT_EQ(sessions.all()[0].device, "/dev/b");
}

TEST_F(SessionsTest, I19ALineDeletedIsHungUpAndNotRestarted) {
  read(two);
  EXPECT_EQ(reread("b /h vt100 on\n", 1), Words{"hang up 1"});
  EXPECT_EQ(sessions.all().size(), 2U);  // until it ends
  EXPECT_EQ(end(1, 2), Words{});
  EXPECT_EQ(sessions.all().size(), 1U);
}

TEST_F(SessionsTest, ALineWithoutCommandCountsAsOff) {
  read(two);
  EXPECT_EQ(reread("a\nb /h vt100 on\n", 1), Words{"hang up 1"});
  EXPECT_EQ(end(1, 2), Words{});
}

TEST_F(SessionsTest, I20AChangedCommandHangsUpRestartsAndForgetsTheBackOff) {
  read("a /g xterm on\n");
  for (int i = 0; i < 3; ++i) end(pid, 0);
  EXPECT_EQ(reread("a /new xterm on\n", 1), Words{"hang up 4"});
  EXPECT_EQ(end(4, 2), Words{"TERM=xterm /new|a"});
  EXPECT_EQ(sessions.all()[0].quick, 0);
}

TEST_F(SessionsTest, AChangedTypeOrWindowHangsUpToo) {
  read("a /g xterm on\n");
  EXPECT_EQ(reread("a /g vt100 on\n", 1), Words{"hang up 1"});
  EXPECT_EQ(end(1, 1), Words{"TERM=vt100 /g|a"});
  EXPECT_EQ(reread("a /g vt100 on window=/x\n", 2), Words{"hang up 2"});
  EXPECT_EQ(end(2, 2), Words{"window TERM=vt100 /x"});
  EXPECT_EQ(run(3002), Words{"TERM=vt100 /g|a"});
  EXPECT_EQ(reread("a /g vt100 on\n", 4000), Words{"hang up 3"});
  EXPECT_EQ(end(3, 4000), Words{"TERM=vt100 /g|a"});
  EXPECT_EQ(reread("a /g\n", 5000), Words{"hang up 4"});
}

TEST_F(SessionsTest, AChangedLineThatPausesStartsAtOnce) {
  read("a /g xterm on\n");
  for (int i = 0; i < 4; ++i) end(pid, 0);
  EXPECT_EQ(reread("a /new xterm on\n", 1000), Words{"TERM=xterm /new|a"});
}

TEST_F(SessionsTest, ALineChangedBetweenWindowAndCommandBeginsAnew) {
  read("a /t xterm on window=/X\n");
  EXPECT_EQ(reread("a /t xterm on window=/Y\n", 1000), Words{"window TERM=xterm /Y"});
  EXPECT_EQ(run(3000), Words{});
  EXPECT_EQ(run(4000), Words{"TERM=xterm /t|a"});
}

TEST_F(SessionsTest, AChangeHangsUpOnce) {
  read("a /g xterm on\n");
  EXPECT_EQ(reread("a /new xterm on\n", 1), Words{"hang up 1"});
  EXPECT_EQ(reread("a /new xterm on\n", 2), Words{});
}

TEST_F(SessionsTest, TimesAreData) {
  sessions = Sessions(TtyWorld{exists}, {.spacing = 100, .quick_starts = 1, .pause = 20});
  read("a /g xterm on\n");
  for (int64_t now : {0, 20, 40}) {
    EXPECT_EQ(end(pid, now), Words{"TERM=xterm /g|a"});
    EXPECT_EQ(end(pid, now)[0].substr(0, 25), "getty repeating too quick");
    EXPECT_EQ(run(now + 19), Words{});
    EXPECT_EQ(run(now + 20), Words{"TERM=xterm /g|a"});
  }
}

TEST_F(SessionsTest, APausingLineThatIsDeletedNeverStartsAgain) {
  read("a /g xterm on\n");
  for (int i = 0; i < 4; ++i) end(pid, 0);
  EXPECT_EQ(reread("", 1000), Words{});
  EXPECT_TRUE(sessions.all().empty());
  EXPECT_EQ(sessions.deadline(), std::nullopt);
  EXPECT_EQ(run(30'000), Words{});
}

TEST_F(SessionsTest, I21FlagsThatAreNotForSessionsChangeNothing) {
  read("a /g xterm on\n");
  EXPECT_EQ(reread("a /g xterm on secure dialup network group=x # c\n", 1), Words{});
  EXPECT_EQ(reread("a /g xterm onifexists\n", 2), Words{});
  devices.clear();  // that it is conditional now holds
  EXPECT_EQ(end(1, 10'000), Words{});
}

TEST_F(SessionsTest, I22ALineAddedIsStarted) {
  read("b /h vt100 on\n");
  EXPECT_EQ(reread(two, 1), Words{"TERM=xterm /g|a"});
  EXPECT_EQ(sessions.all()[1].device, "/dev/a");  // at the end, wherever its line is
}

TEST_F(SessionsTest, I23WithoutTheFileAllAreHungUpAndNoneIsLeft) {
  read(two);
  devices.insert({"/sbin/agetty", "/dev/console"});
  sessions.reread(std::nullopt, 1);
  EXPECT_EQ(run(1), (Words{"hang up 1", "hang up 2"}));
  end(1, 2);
  end(2, 2);
  EXPECT_TRUE(sessions.all().empty());
}

TEST_F(SessionsTest, WithoutAFileFromTheStartTheConsoleHasAGetty) {
  devices.insert({"/sbin/agetty", "/dev/console"});
  sessions.read(std::nullopt, 0);
  const Words getty = {"TERM=xterm /sbin/agetty|--noclear|-L|115200|console"};
  EXPECT_EQ(run(0), getty);
  sessions.reread(std::nullopt, 1);
  EXPECT_EQ(run(1), Words{});
  EXPECT_EQ(reread(two, 2), (Words{"hang up 1", "TERM=xterm /g|a", "TERM=vt100 /h|b"}));
  sessions.reread(std::nullopt, 3);
  EXPECT_EQ(run(3), (Words{"hang up 1", "hang up 2", "hang up 3"}));
}

TEST_F(SessionsTest, WithoutAFileAndWithoutAGettyThereIsNothing) {
  sessions.read(std::nullopt, 0);
  EXPECT_EQ(run(0), Words{});
  EXPECT_TRUE(sessions.all().empty());
}

TEST_F(SessionsTest, I24InCatatoniaNothingIsRestarted) {
  read(two);
  for (int i = 0; i < 4; ++i) end(pid, 0);  // b pauses
  sessions.stop();
  EXPECT_EQ(run(0), Words{});
  EXPECT_EQ(sessions.all().size(), 1U);
  EXPECT_EQ(sessions.deadline(), std::nullopt);
  EXPECT_EQ(end(1, 10'000), Words{});
  EXPECT_TRUE(sessions.all().empty());
  EXPECT_EQ(run(30'000), Words{});
}

TEST_F(SessionsTest, I25RereadingEndsCatatonia) {
  read(two);
  sessions.stop();
  end(1, 10'000);
  EXPECT_EQ(reread(two, 10'001), Words{"TERM=xterm /g|a"});
  EXPECT_EQ(end(2, 20'000), Words{"TERM=vt100 /h|b"});
}

TEST_F(SessionsTest, I27AtAShutdownAllAreHungUpAndWhatPausesIsGone) {
  read(two);
  for (int i = 0; i < 4; ++i) end(pid, 0);
  sessions.hang_up();
  EXPECT_EQ(run(0), Words{"hang up 1"});  // and never process 0
  EXPECT_EQ(end(1, 1), Words{});
  EXPECT_EQ(run(100'000), Words{});
}

TEST_F(SessionsTest, I40TheEndOfAnOrphanChangesNothing) {
  read(two);
  EXPECT_FALSE(sessions.ended(77, 1));
  EXPECT_FALSE(sessions.ended(0, 1));
  EXPECT_EQ(run(1), Words{});
}

TEST_F(SessionsTest, I45WithoutSessionsThereIsNothingToWaitFor) {
  EXPECT_EQ(read("# nothing\n"), Words{});
  EXPECT_EQ(sessions.deadline(), std::nullopt);
}

TEST_F(SessionsTest, I46AWindowProgramComesThreeSecondsBeforeEachStart) {
  constexpr std::string_view text = "a \"/t :0\" xterm on window=\"/X ':0 1'\"\n";
  EXPECT_EQ(read(text), Words{"window TERM=xterm /X|:0 1"});
  EXPECT_EQ(sessions.deadline(), 3000);
  EXPECT_EQ(run(2999), Words{});
  EXPECT_EQ(run(3000), Words{"TERM=xterm /t|:0|a"});
  EXPECT_EQ(end(1, 10'000), Words{"window TERM=xterm /X|:0 1"});
  EXPECT_EQ(run(13'000), Words{"TERM=xterm /t|:0|a"});
}

TEST_F(SessionsTest, AWindowProgramComesAfterThePause) {
  read("a /t xterm on window=/X\n");
  for (int64_t now : {3000, 6000, 9000}) {
    EXPECT_EQ(run(now), Words{"TERM=xterm /t|a"});
    EXPECT_EQ(end(pid, now), Words{"window TERM=xterm /X"});
  }
  run(12'000);
  EXPECT_EQ(end(pid, 12'000).size(), 1U);
  EXPECT_EQ(run(42'000), Words{"window TERM=xterm /X"});
  EXPECT_EQ(run(45'000), Words{"TERM=xterm /t|a"});
}

TEST_F(SessionsTest, AWindowProgramThatFailsIsAWarning) {
  sessions.read("a /t xterm on window=/X\n", 0);
  std::optional<SessionAct> act = sessions.take(0);
  ASSERT_TRUE(act && act->kind == SessionAct::Kind::window);
  sessions.failed_window(act->session, SessionFailure::execute, ENOENT);
  EXPECT_EQ(run(0),
            Words{"can't exec window system '/X' for port /dev/a: No such file or directory"});
  EXPECT_EQ(run(3000), Words{"TERM=xterm /t|a"});
}

TEST_F(SessionsTest, ASessionToldToStopBetweenWindowAndCommandIsGone) {
  read("a /t xterm on window=/X\n");
  EXPECT_EQ(reread("", 1), Words{});
  EXPECT_EQ(run(3000), Words{});
  EXPECT_TRUE(sessions.all().empty());
}

TEST_F(SessionsTest, I47ASessionWhoseDeviceHasGoneIsDroppedAtItsEnd) {
  constexpr std::string_view text = "a /g xterm onifexists\n";
  EXPECT_EQ(read(text), Words{"TERM=xterm /g|a"});
  devices.erase("/dev/a");
  EXPECT_EQ(run(10'000), Words{});  // but not before
  EXPECT_EQ(end(1, 10'000), Words{});
  EXPECT_TRUE(sessions.all().empty());
  devices.insert("/dev/a");
  EXPECT_EQ(run(20'000), Words{});
  EXPECT_EQ(reread(text, 20'000), Words{"TERM=xterm /g|a"});
}

TEST_F(SessionsTest, ASessionWhoseDeviceGoesWhileItPausesIsDropped) {
  read("a /g xterm onifexists\n");
  for (int i = 0; i < 4; ++i) end(pid, 0);
  devices.erase("/dev/a");
  EXPECT_EQ(run(30'000), Words{});
  EXPECT_TRUE(sessions.all().empty());
}

TEST_F(SessionsTest, RereadingHangsUpALineWhoseConditionIsNotMetAnyMore) {
  read("a /g xterm onifexists\n");
  devices.erase("/dev/a");
  EXPECT_EQ(reread("a /g xterm onifexists\n", 1), Words{"hang up 1"});
  EXPECT_EQ(end(1, 2), Words{});
}

TEST_F(SessionsTest, AConditionThatIsMetLaterNeedsAReread) {
  devices.clear();
  EXPECT_EQ(read("a /g xterm onifexists\n"), Words{});
  devices.insert("/dev/a");
  EXPECT_EQ(run(100'000), Words{});
  EXPECT_EQ(reread("a /g xterm onifexists\n", 100'000), Words{"TERM=xterm /g|a"});
}

TEST_F(SessionsTest, UnconditionalLinesNeedNoDevice) {
  devices.clear();
  EXPECT_EQ(read("a /g xterm on\n"), Words{"TERM=xterm /g|a"});
  EXPECT_EQ(end(1, 10'000), Words{"TERM=xterm /g|a"});
}

TEST_F(SessionsTest, AnAbsoluteNameIsStartedIfItsPathExists) {
  EXPECT_EQ(read("/dev/a /g xterm onifexists\n"), Words{"TERM=xterm /g|/dev/a"});
  EXPECT_EQ(end(1, 10'000), Words{"TERM=xterm /g|/dev/a"});
}

TEST_F(SessionsTest, WhatCannotBeParsedIsAWarningAndNoSession) {
  EXPECT_EQ(read("a \"'x\" xterm on\nb /g xterm on window=\"\"\nb /g xterm on window=\"'x\"\n"),
            (Words{"can't parse getty for port /dev/a", "can't parse window for port /dev/b",
                   "can't parse window for port /dev/b"}));
  EXPECT_EQ(read("a \"'x\" xterm off\n"), Words{});
}

TEST_F(SessionsTest, ALineThatCannotBeParsedAnyMoreCountsAsOff) {
  read("a /g xterm on\n");
  EXPECT_EQ(reread("a \"'x\" xterm on\n", 1),
            (Words{"can't parse getty for port /dev/a", "hang up 1"}));
  EXPECT_EQ(end(1, 2), Words{});
}

TEST_F(SessionsTest, DuplicatesAreTwoSessionsUntilTheFirstReread) {
  constexpr std::string_view text = "a /g xterm on\na /g xterm on\n";
  EXPECT_EQ(read(text).size(), 2U);
  EXPECT_EQ(reread(text, 1), Words{"hang up 2"});
  EXPECT_EQ(end(2, 2), Words{});
  EXPECT_EQ(reread(text, 3), Words{});
}

TEST_F(SessionsTest, DuplicatesThatDifferAreHungUpAtEachRereadAndTheLastLineWins) {
  constexpr std::string_view text = "a /g xterm on\na /h xterm on\n";
  read(text);
  EXPECT_EQ(reread(text, 1), (Words{"hang up 1", "hang up 2"}));
  EXPECT_EQ(end(2, 2), Words{});
  EXPECT_EQ(end(1, 2), Words{"TERM=xterm /h|a"});
  EXPECT_EQ(reread(text, 3), Words{"hang up 3"});
  EXPECT_EQ(end(3, 4), Words{"TERM=xterm /h|a"});
}

TEST_F(SessionsTest, OffAndOnAgainInOneFileHangsUpAndRestarts) {
  read("a /g xterm on\n");
  EXPECT_EQ(reread("a /g xterm off\na /g xterm on\n", 1), Words{"hang up 1"});
  EXPECT_EQ(end(1, 10'000), Words{"TERM=xterm /g|a"});
}

TEST_F(SessionsTest, AProcessThatIgnoresItsHangUpStaysUntilItEnds) {
  read("a /g xterm on\n");
  reread("", 1);
  EXPECT_EQ(reread("", 2), Words{"hang up 1"});
  EXPECT_EQ(reread("a /g xterm on\n", 3), Words{});  // its line is back, and it was never away
  EXPECT_EQ(end(1, 10'000), Words{"TERM=xterm /g|a"});
}

TEST_F(SessionsTest, ReadingForgetsWhatWasThere) {
  read(two);
  EXPECT_EQ(read("b /h vt100 on\n", 1), Words{"TERM=vt100 /h|b"});
  EXPECT_FALSE(sessions.ended(1, 2));
  EXPECT_EQ(sessions.all().size(), 1U);
}

TEST_F(SessionsTest, LinesBeyondTheLimitAreLeftOutWithAWarning) {
  std::string text;
  for (size_t i = 0; i < max_ttys; ++i) text += "a /g xterm on\n";
  EXPECT_EQ(read(text).size(), max_ttys);
  const Words done = read(text + "# x\nb /g xterm on\n");
  EXPECT_EQ(done[0], "only the first 256 lines of ttys are looked at");
  EXPECT_EQ(sessions.all().size(), max_ttys);
}

TEST_F(SessionsTest, ProcessesThatIgnoreTheirHangUpCannotMakeTheListGrowForEver) {
  for (int file = 0; file < 3; ++file) {
    std::string text;
    for (size_t i = 0; i < max_ttys; ++i)
      text += "t" + std::to_string(file) + "-" + std::to_string(i) + " /g xterm on\n";
    const Words done = reread(text, file);
    EXPECT_EQ(done[0] == "too many sessions, none for port /dev/t2-0", file == 2);
  }
  EXPECT_EQ(sessions.all().size(), 2 * max_ttys);
}

TEST_F(SessionsTest, ALineThatIsTooLongIsNoSession) {
  EXPECT_EQ(read("a /g" + std::string(max_tty_text, 'g') + " xterm on\nb /h vt100 on\n"),
            (Words{"line too long for port /dev/a", "TERM=vt100 /h|b"}));
}

TEST_F(SessionsTest, AnEmptyNameIsNoSession) {
  EXPECT_EQ(read("\"\" /g xterm on\n"), Words{});
}

// Whatever happens in whatever order: nothing is due after a look, nobody runs twice, nobody is
// started in catatonia, and but for changes of the file six starts take more than five seconds.
TEST_F(SessionsTest, AnyWalkOfEventsKeepsItsPromises) {
  const std::string_view files[] = {two, "", "a /g xterm onifexists\na /i x on\n",
                                    "b /h vt100 on window=/w\na /g xterm on\n",
                                    "a 'x xterm on\nb /h vt100 off\n"};
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::minstd_rand draw(seed);
    sessions.read(two, 0);
    std::vector<int64_t> starts;
    bool stopped = false;
    for (int64_t now = 0, i = 0; i < 300; ++i, now += draw() % 3 ? 0 : draw() % 4000) {
      const unsigned event = draw() % 32;
      if (event == 0) sessions.stop();
      if (event == 1) sessions.hang_up();
      if (event < 2) stopped = true;
      if (event == 2) sessions.reread(files[draw() % std::size(files)], now);
      if (event == 2) starts.clear(), stopped = false;
      if (event == 3) exists("/dev/a") ? devices.erase("/dev/a") : (devices.insert("/dev/a"), 0U);
      if (event > 3 && !sessions.all().empty())
        sessions.ended(sessions.all()[draw() % sessions.all().size()].pid, now);
      while (std::optional<SessionAct> act = sessions.take(now)) {
        ASSERT_TRUE(act->kind != SessionAct::Kind::hang_up || act->pid > 0);
        if (act->kind != SessionAct::Kind::start) continue;
        ASSERT_FALSE(stopped);
        ASSERT_EQ(sessions.find(act->session)->pid, 0);
        if (draw() % 8 == 0) {
          sessions.failed(act->session, SessionFailure::fork, EAGAIN, now);
          continue;
        }
        sessions.started(act->session, ++pid);
        if (sessions.find(act->session)->device == "/dev/b") starts.push_back(now);
      }
      ASSERT_TRUE(!sessions.deadline() || *sessions.deadline() > now);
      for (const Session& session : sessions.all()) ASSERT_NE(session.pid > 0, !!session.due);
      ASSERT_TRUE(starts.size() < 6 || starts.back() - starts[starts.size() - 6] >= 5'000);
    }
  }
}

}  // namespace
}  // namespace jail
