// The life of a service: all of its transitions, which are doc/SERVICE-STATES.md too, and what
// holds over any row of them. CELLBLOCK_GOLDEN=write writes the page anew.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

#include "sup/restart.h"
#include "sup/service.h"

namespace jail {
namespace {

using State = ServiceState;
using Event = ServiceEvent;
using Act = ServiceAct;

State state_of(size_t n) {
  return static_cast<State>(n);
}
Event event_of(size_t n) {
  return static_cast<Event>(n);
}

constexpr const char* opening = R"(# The states of a service

What jinit makes of a service when something happens; `sup/service.h` tells why. Each cell is the state that follows and
what is done, `-` where the event means nothing. This page is written by the program (`tests/unit/service_test.cc`).

)";

// The page: one row a state, one column an event.
std::string page() {
  std::string text = opening;
  text += "| |";
  for (unsigned e = 0; e < service_events; ++e)
    text += " " + std::string(service_word(event_of(e))) + " |";
  text += "\n|---|";
  for (unsigned e = 0; e < service_events; ++e) text += "---|";
  text += "\n";
  for (unsigned s = 0; s < service_states; ++s) {
    text += "| **" + std::string(service_word(state_of(s))) + "** |";
    for (unsigned e = 0; e < service_events; ++e) {
      const ServiceStep step = next(state_of(s), event_of(e));
      std::string cell(service_word(step.state));
      if (step == ServiceStep{state_of(s)}) {
        cell = "-";
      } else if (step.act != Act::none) {
        cell += ": " + std::string(service_word(step.act));
      }
      text += " " + cell + " |";
    }
    text += "\n";
  }
  return text;
}

TEST(ServiceStates, ThePageIsWhatTheFunctionDoes) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "../../doc/SERVICE-STATES.md";
  const char* golden = getenv("CELLBLOCK_GOLDEN");
  if (golden && std::string_view(golden) == "write") std::ofstream(path) << page();
  std::ostringstream found;
  found << std::ifstream(path).rdbuf();
  EXPECT_EQ(found.str(), page());
}

TEST(ServiceStates, ALifeGoesUpAndDownAgain) {
  EXPECT_EQ(next(State::down, Event::start), (ServiceStep{State::waiting}));
  EXPECT_EQ(next(State::waiting, Event::clear), (ServiceStep{State::starting, Act::run}));
  EXPECT_EQ(next(State::starting, Event::ready), (ServiceStep{State::up}));
  EXPECT_EQ(next(State::up, Event::stop), (ServiceStep{State::stopping, Act::signal}));
  EXPECT_EQ(next(State::stopping, Event::timeout), (ServiceStep{State::stopping, Act::kill}));
  EXPECT_EQ(next(State::stopping, Event::ended), (ServiceStep{State::backoff, Act::decide}));
  EXPECT_EQ(next(State::backoff, Event::stop), (ServiceStep{State::down, Act::settle}));
}

TEST(ServiceStates, ItRunsOnlyOnTheWayFromWaitingToStarting) {
  for (unsigned s = 0; s < service_states; ++s) {
    for (unsigned e = 0; e < service_events; ++e) {
      const ServiceStep step = next(state_of(s), event_of(e));
      const bool runs = step.act == Act::run;
      EXPECT_EQ(runs, state_of(s) == State::waiting && step.state == State::starting);
      EXPECT_EQ(runs, step.state == State::starting && state_of(s) != State::starting);
    }
  }
}

TEST(ServiceStates, WhatHasAProcessIsLeftThroughStoppingOnly) {
  for (State state : {State::starting, State::up}) {
    for (unsigned e = 0; e < service_events; ++e) {
      const State to = next(state, event_of(e)).state;
      EXPECT_TRUE(to == state || to == State::up || to == State::stopping);
    }
  }
  for (unsigned e = 0; e < service_events; ++e) {
    const State to = next(State::stopping, event_of(e)).state;
    EXPECT_EQ(to != State::stopping, event_of(e) == Event::ended);
  }
}

TEST(ServiceStates, AStopAndTheEndsOfItsProcessesAlwaysLeadDown) {
  std::mt19937 random(20);
  for (int walk = 0; walk < 10'000; ++walk) {
    State state = State::down;
    for (size_t length = random() % 20; length > 0; --length)
      state = next(state, event_of(random() % service_events)).state;
    for (Event event : {Event::stop, Event::ended, Event::stop}) state = next(state, event).state;
    EXPECT_EQ(state, State::down);
  }
}

TEST(ServiceStates, FailedIsLeftByAskingOnly) {
  for (unsigned e = 0; e < service_events; ++e) {
    const bool asked = event_of(e) == Event::start || event_of(e) == Event::stop;
    EXPECT_EQ(next(State::failed, event_of(e)).state != State::failed, asked);
  }
}

TEST(ServiceStates, EveryWordIsItsOwn) {
  std::string words;
  for (unsigned i = 0; i < service_states; ++i)
    words += std::string(service_word(state_of(i))) + " ";
  for (unsigned i = 0; i < service_events; ++i)
    words += std::string(service_word(event_of(i))) + " ";
  for (unsigned i = 0; i < service_acts; ++i)
    words += std::string(service_word(static_cast<Act>(i))) + ".";
  EXPECT_EQ(words,
            "down waiting starting up stopping backoff failed start stop clear ready ended timeout "
            "fail .run.signal.kill.finish.decide.settle.give up.");
}

// Restarting.

using Verdict = RestartVerdict::Kind;

// Ends at once, again and again; yields how long after each start the next one is.
std::vector<int64_t> pauses(const ServiceSpec& spec, int times) {
  RestartTally tally;
  std::vector<int64_t> found;
  int64_t now = 1000;
  for (int i = 0; i < times; ++i) {
    const RestartVerdict verdict =
        judge(spec, {.began = now, .now = now, .status = {.code = 1}}, tally);
    EXPECT_EQ(verdict.kind, Verdict::again);
    found.push_back(verdict.at - now);
    now = verdict.at;
  }
  return found;
}

TEST(Restart, TheFirstTimeIsAtOnceAndThenItTakesLongerAndLonger) {
  EXPECT_EQ(pauses({.restart_max_delay = 1000}, 7),
            (std::vector<int64_t>{0, 100, 200, 400, 800, 1000, 1000}));
  EXPECT_EQ(pauses({.restart_delay = 300, .restart_max_delay = 1000}, 4),
            (std::vector<int64_t>{300, 600, 1000, 1000}));
}

TEST(Restart, WithoutAnyDelayItIsAlwaysAtOnce) {
  EXPECT_EQ(pauses({.restart_max_delay = 0}, 4), (std::vector<int64_t>{0, 0, 0, 0}));
}

TEST(Restart, ADelayAloneIsTheSameEachTimeAsWithS6AndRunit) {
  EXPECT_EQ(pauses({.restart_delay = 1000, .restart_max_delay = 0}, 3),
            (std::vector<int64_t>{1000, 1000, 1000}));
}

TEST(Restart, TheDelayIsFromStartToStart) {
  RestartTally tally;
  const ServiceSpec spec{.restart_delay = 1000};
  const RestartVerdict verdict =
      judge(spec, {.began = 5000, .now = 5900, .status = {.code = 1}}, tally);
  EXPECT_EQ(verdict.at, 6000);
}

TEST(Restart, ALongRunForgetsTheQuickOnes) {
  RestartTally tally;
  const ServiceSpec spec{.restart_steady = 10'000};
  for (int64_t now : {0, 1, 2, 3}) judge(spec, {.began = now, .now = now, .status = {1, 0}}, tally);
  EXPECT_EQ(tally.quick, 4U);
  EXPECT_LE(judge(spec, {.began = 100, .now = 10'100, .status = {1, 0}}, tally).at, 10'100);
  EXPECT_EQ(judge(spec, {.began = 10'200, .now = 10'200, .status = {1, 0}}, tally).at, 10'200);
}

TEST(Restart, PoliciesDifferInWhichEndsCount) {
  auto verdict = [](Restart restart, ExitStatus status) {
    RestartTally tally;
    return judge({.restart = restart}, {.status = status}, tally).kind;
  };
  const ExitStatus good, bad{.code = 3}, killed{.signal = 15};
  EXPECT_EQ(verdict(Restart::no, good), Verdict::done);
  EXPECT_EQ(verdict(Restart::no, bad), Verdict::failed);
  EXPECT_EQ(verdict(Restart::on_failure, good), Verdict::done);
  EXPECT_EQ(verdict(Restart::on_failure, bad), Verdict::again);
  EXPECT_EQ(verdict(Restart::on_failure, killed), Verdict::again);
  EXPECT_EQ(verdict(Restart::always, good), Verdict::again);
  EXPECT_EQ(verdict(Restart::always, bad), Verdict::again);
}

TEST(Restart, TooManyEndsInAPeriodAreAFailure) {
  RestartTally tally;
  const ServiceSpec spec{.restart = Restart::always, .restart_limit = 3, .restart_period = 1000};
  EXPECT_EQ(judge(spec, {.now = 0}, tally).kind, Verdict::again);
  EXPECT_EQ(judge(spec, {.now = 500}, tally).kind, Verdict::again);
  EXPECT_EQ(judge(spec, {.now = 1001}, tally).kind, Verdict::again);
  EXPECT_EQ(judge(spec, {.now = 1002}, tally).kind, Verdict::again);
  const RestartVerdict last = judge(spec, {.now = 1003}, tally);
  EXPECT_EQ(last.kind, Verdict::failed);
  EXPECT_EQ(last.why, FailedBy::repetition);
}

TEST(Restart, FinishMayForbidIt) {
  RestartTally tally;
  const RestartVerdict verdict =
      judge({.restart = Restart::always}, {.finish_says_no = true}, tally);
  EXPECT_EQ(verdict.kind, Verdict::failed);
  EXPECT_EQ(verdict.why, FailedBy::finish);
}

TEST(Restart, WhatCannotBeStartedIsNotTriedWithoutAPause) {
  RestartTally tally;
  const ServiceSpec spec{.restart = Restart::always, .restart_max_delay = 0};
  EXPECT_EQ(judge(spec, {.began = 7, .now = 7, .not_started = true}, tally).at, 1007);
}

TEST(Restart, LatenessIsAFailureWhateverTheProcessSays) {
  RestartTally tally;
  EXPECT_EQ(judge({.restart = Restart::on_failure}, {.late = true}, tally).kind, Verdict::again);
  EXPECT_EQ(judge({.restart = Restart::no}, {.late = true}, tally).why, FailedBy::lateness);
}

}  // namespace
}  // namespace jail
