// Which records of utmp(5) process 1 asks for.
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "sup/logins.h"

namespace jail {
namespace {

using enum InitEvent;

// A machine that is told events, a second apart; what is recorded, as text.
struct Life {
  Machine machine;
  RunLevels levels;
  int64_t now = 1000;
  std::vector<std::string> told = {};

  std::vector<std::string> tell(std::initializer_list<InitEvent> events) {
    told.clear();
    for (InitEvent event : events) {
      now += 1000;
      const InitStep step = next(machine, event, now);
      for (const LoginRecord& record : levels.moved(machine, step.machine, now / 1000))
        note(record);
      machine = step.machine;
    }
    return told;
  }

  void note(const LoginRecord& record) {
    constexpr const char* names[] = {"boot", "level", "shutdown", "begun", "ended"};
    std::string text = names[static_cast<int>(record.kind)];
    if (record.kind == LoginKind::run_level)
      text += std::string(" ") + (record.previous ? record.previous : 'N') + record.level;
    if (record.seconds != 0) text += " " + std::to_string(record.seconds);
    told.push_back(text + (record.utmp ? " utmp" : "") + (record.wtmp ? " wtmp" : ""));
  }
};

using Lines = std::vector<std::string>;

TEST(Logins, ABootIsInWtmpBeforeRcAndInUtmpOnceRcMayHaveMadeIt) {
  Life life;
  EXPECT_EQ(life.tell({boot}), Lines{"boot 2 wtmp"});
  EXPECT_EQ(life.tell({script_done, ttys_read}), (Lines{"boot 2 utmp", "level N2 utmp wtmp"}));
  EXPECT_EQ(life.tell({reload, ttys_read, catatonia}), Lines());
}

TEST(Logins, SingleUserAndBackAreLevelsButNoBoot) {
  Life life;
  life.tell({boot, script_done, ttys_read});
  EXPECT_EQ(life.tell({single, script_none, services_down, all_gone}),
            (Lines{"level 21 utmp wtmp", "level 1S utmp wtmp"}));
  EXPECT_EQ(life.tell({multi, script_done}), Lines{"level S2 utmp wtmp"});
}

TEST(Logins, AFailedRcLeavesItsBoot) {
  Life life;
  life.machine.rc_failure = RcFailure::single;
  EXPECT_EQ(life.tell({boot, script_failed, all_gone}),
            (Lines{"boot 2 wtmp", "boot 2 utmp", "level NS utmp wtmp"}));
}

TEST(Logins, TheEndSaysHowAndThenShutdown) {
  for (const auto& [event, level] :
       {std::pair{reboot, '6'}, {halt, '0'}, {poweroff, '0'}, {stop, '0'}}) {
    Life life;
    life.tell({boot, script_done, ttys_read});
    EXPECT_EQ(life.tell({event, script_none, services_down, all_gone, script_none}),
              (Lines{std::string("level 2") + level + " utmp wtmp", "shutdown wtmp"}));
    EXPECT_EQ(life.machine.state, InitState::leaving);
  }
}

TEST(Logins, AJailThatOnlyReapsHasNone) {
  Life life;
  EXPECT_EQ(life.tell({stop, all_gone}), Lines());
}

}  // namespace
}  // namespace jail
