// Process 1's machine as a whole: every machine that any events can lead to, random walks with time
// going by, and doc/INIT-STATES.md, which is the function written out. CELLBLOCK_GOLDEN=write
// writes that page anew; the difference is then to be read before it is committed.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <sstream>

#include "tests/unit/machine_life.h"

namespace jail {
namespace {

using enum InitEvent;
using State = InitState;
using Act = InitAct;

constexpr int event_count = static_cast<int>(ttys_read) + 1;

std::vector<InitEvent> all_events() {
  std::vector<InitEvent> events;
  for (int i = 0; i < event_count; ++i) events.push_back(static_cast<InitEvent>(i));
  return events;
}

bool ends_a_script(InitEvent event) {
  return event >= script_none && event <= script_not_started;
}

bool ends_a_shell(InitEvent event) {
  return event >= shell_exited && event <= shell_none;
}

int count_of(const InitStep& step, std::initializer_list<Act> acts) {
  int count = 0;
  for (Act act : step.acts)
    for (Act one : acts) count += act == one;
  return count;
}

// --- What holds for every step ---

bool in_ways_down(State state) {
  return state == State::death || state == State::death_single || state == State::final ||
         state == State::leaving;
}

// The rule that this machine breaks, or nothing.
const char* broken_by(const Machine& is) {
  const bool waits = is.deadline != Machine::never;
  if (is.howto && !in_ways_down(is.state))
    return "what is marked to end sees no shell, rc or login";
  if (is.state == State::death || is.state == State::death_single || is.state == State::final) {
    if (!waits) return "on the way down nothing is waited for without a limit";
  } else if (waits && !is.stalled && !(is.go_on && is.shell)) {
    return "idle, process 1 wakes nobody";
  }
  if (is.stalled && !waits) return "a pause ends";
  if (is.answer_due && is.state != State::runcom && is.state != State::death_single && !is.go_on &&
      !is.howto)
    return "who asked to boot waits for something that is under way";
  if (is.killing && is.state != State::death_single) return "SIGKILL is of death_single";
  if (is.stalled && is.state == State::single_user && !is.console)
    return "without a console single user sits";
  return nullptr;
}

// The same of a step.
const char* broken_by(const Machine& before, InitEvent event, const InitStep& step) {
  const Machine& after = step.machine;
  if (!step.taken && (after != before || step.acts.count || step.say != InitSay::nothing))
    return "what is not taken changes nothing";
  const int scripts = count_of(step, {Act::run_rc, Act::run_shutdown, Act::run_final});
  const bool none_left = before.script == InitScript::none || ends_a_script(event);
  if (scripts > 1 || (scripts && !none_left && event != all_gone)) return "one script at a time";
  const int shells = count_of(step, {Act::start_shell});
  const bool no_shell = !before.shell || ends_a_shell(event) || event == all_gone;
  if (shells > 1 || (shells && !no_shell)) return "one shell at a time";
  if (shells && (after.state != State::single_user || !after.console))
    return "a shell is of single user, with a console";
  constexpr uint8_t lasting = 0xff & ~8;  // all but a power cycle
  if ((before.howto & lasting & after.howto) != (before.howto & lasting))
    return "what was asked for is never taken back";
  if (before.state == State::leaving && step.taken) return "leaving is the last state";
  const bool leaves = before.state != after.state && after.state == State::leaving;
  if (count_of(step, {Act::leave}) != leaves) return "leave is the act of leaving";
  const bool answered = (before.answer_due || event == boot) && step.taken && !after.answer_due;
  if (count_of(step, {Act::answer_ok, Act::answer_single, Act::answer_failed}) != answered)
    return "who asked to boot is answered once";
  return broken_by(after);
}

// --- Every machine ---

auto key_of(const Machine& m) {
  return std::tuple(m.rc_failure, m.state, m.script, m.howto, m.quick, m.booted, m.autoboot,
                    m.suspended, m.stalled, m.killing, m.shell, m.console, m.go_on, m.answer_due,
                    m.shell_started, m.deadline);
}

// When the event comes: at once, or when it is due.
int64_t due(const Machine& machine, InitEvent event) {
  return event == time_over && machine.deadline != Machine::never ? machine.deadline : 0;
}

// The same machine as if it were the beginning of time, and a shell started either now or long ago.
Machine at_zero(Machine machine, int64_t now) {
  if (machine.deadline != Machine::never) machine.deadline -= now;
  const bool recent = now - machine.shell_started < machine.times.spacing;
  machine.shell_started = recent ? 0 : Machine().shell_started;
  return machine;
}

// All that can become of a new process 1, by any events, at once or after a while. What only adds a
// bit more to `howto` is left to the walks, and so is counting shells: here the second is too many.
const std::vector<Machine>& reachable() {
  static const std::vector<Machine> all = [] {
    std::vector<Machine> found;
    std::set<decltype(key_of({}))> seen;
    const auto add = [&](const Machine& machine) {
      if (seen.insert(key_of(machine)).second) found.push_back(machine);
    };
    for (RcFailure rc_failure : {RcFailure::remove, RcFailure::single})
      add({.rc_failure = rc_failure, .times = {.tolerated = 0}});
    for (size_t i = 0; i < found.size(); ++i) {
      const Machine from = found[i];
      for (InitEvent event : all_events()) {
        if (event == poweroff || event == powercycle || event == fail) continue;
        const int64_t now = due(from, event);
        add(at_zero(next(from, event, now).machine, now));
      }
      Machine later = from;
      later.shell_started = Machine().shell_started;
      add(later);
    }
    return found;
  }();
  return all;
}

std::string text_of(const Machine& machine) {
  std::ostringstream text;
  text << name_of(machine.state) << " script=" << static_cast<int>(machine.script)
       << " howto=" << int{machine.howto} << " stalled=" << machine.stalled
       << " shell=" << machine.shell << " console=" << machine.console << " go_on=" << machine.go_on
       << " answer_due=" << machine.answer_due << " deadline=" << machine.deadline;
  return text.str();
}

TEST(InitMachine, EveryEventInEveryMachineThatCanBeKeepsTheRules) {
  ASSERT_GT(reachable().size(), 500U);

  std::set<State> states;
  for (const Machine& machine : reachable()) {
    states.insert(machine.state);
    for (InitEvent event : all_events()) {
      const char* rule = broken_by(machine, event, next(machine, event, due(machine, event)));
      ASSERT_EQ(rule, nullptr) << text_of(machine) << ": " << name_of(event);
    }
  }
  EXPECT_EQ(states.size(), static_cast<size_t>(State::leaving) + 1);
}

// Nobody can keep it from ending: nothing but its own deadlines is needed.
TEST(InitMachine, AStopEndsInAnyMachineInBoundedTime) {
  for (const Machine& machine : reachable()) {
    Life life{machine, 0, {}};
    life.on(stop);
    const InitTimes& times = machine.times;
    for (int steps = 0; life.machine.state != State::leaving; ++steps) {
      ASSERT_LT(steps, 5) << text_of(machine);
      ASSERT_NE(life.machine.deadline, Machine::never) << text_of(machine);
      life.now = life.machine.deadline;
      life.on(time_over);
    }
    EXPECT_LE(life.now, 2 * times.shutdown + times.term + times.kill) << text_of(machine);
    EXPECT_TRUE(machine.state == State::leaving || way_out(life.machine) == WayOut::leave);
  }
}

// From anywhere that is not marked to end, one gets to multi-user.
TEST(InitMachine, MultiLeadsToMultiUserFromAnywhere) {
  for (const Machine& machine : reachable()) {
    if (machine.howto) continue;
    Life life{machine, 0, {}};
    life.machine.shell_started = Machine().shell_started;
    for (int steps = 0; life.machine.state != State::multi_user; ++steps) {
      ASSERT_LT(steps, 12) << text_of(machine) << " -> " << text_of(life.machine);
      // Whatever is waited for, happens.
      const State state = life.machine.state;
      if (state == State::death || state == State::death_single) life.on(multi);
      if (life.machine.script != InitScript::none) life.on(script_done);
      if (life.machine.stalled && life.machine.state == State::runcom) {
        life.now = life.machine.deadline;
        life.machine.rc_failure = RcFailure::single;
        life.on(time_over);
      }
      life.on(life.machine.state == State::death ? services_down : ttys_read);
      life.on(all_gone);
      life.on(multi);
      life.on(shell_killed);
    }
  }
}

// --- Random walks: clocks that go on, events of any kind ---

TEST(InitMachine, RandomWalksKeepTheRules) {
  std::mt19937 draw(20260801);
  int ended = 0, multi_user = 0, single_user = 0;
  for (int walk = 0; walk < 3000; ++walk) {
    Life life = life_with(draw() % 2 ? RcFailure::single : RcFailure::remove, draw() % 2);
    life.machine.times = init_times(draw() % 5, draw() % 3);
    // Requests that end it are rare, or nothing else would be seen.
    for (int i = 0; i < 200; ++i) {
      InitEvent event = static_cast<InitEvent>(draw() % event_count);
      if (event >= reboot && event <= stop && draw() % 8) event = ttys_read;
      life.now += draw() % 4 ? 0 : static_cast<int64_t>(draw() % 3000);
      const Machine before = life.machine;
      life.on(event);
      ASSERT_EQ(broken_by(before, event, life.step), nullptr)
          << text_of(before) << ": " << name_of(event);
      multi_user += life.machine.state == State::multi_user;
      single_user += life.machine.state == State::single_user;
    }
    ended += life.machine.state == State::leaving;
  }
  // The walks go everywhere.
  EXPECT_GT(ended, 100);
  EXPECT_GT(multi_user, 1000);
  EXPECT_GT(single_user, 1000);
}

// --- doc/INIT-STATES.md ---

struct Situation {
  const char* title;
  Machine machine;
};

Machine led(Life life, std::initializer_list<InitEvent> events) {
  for (InitEvent event : events) {
    if (event == time_over) life.now = life.machine.deadline;
    life.on(event);
  }
  return at_zero(life.machine, life.now);
}

std::vector<Situation> situations() {
  const Life fresh = life_with(RcFailure::remove, true);
  const Life tolerant = life_with(RcFailure::single, true);
  return {
      {"reaping", led(fresh, {})},
      {"runcom, the rc of a start; init.rc_failure = remove", led(fresh, {boot})},
      {"runcom, the rc of a start; init.rc_failure = single", led(tolerant, {boot})},
      {"runcom, rc could not be started; init.rc_failure = single",
       led(tolerant, {boot, script_not_started})},
      {"runcom, after single user", led(fresh, {boot, single, all_gone, shell_exited})},
      {"read_ttys", led(fresh, {boot, script_done})},
      {"multi_user", led(in_multi_user(), {})},
      {"clean_ttys", led(in_multi_user(), {reload})},
      {"catatonia", led(in_multi_user(), {catatonia})},
      {"death, rc.shutdown runs; to single user", led(in_multi_user(), {single})},
      {"death, services stop; to single user", led(in_multi_user(), {single, script_done})},
      {"death, rc.shutdown runs; marked to end", led(in_multi_user(), {reboot})},
      {"death_single, SIGTERM was sent; to single user", led(booting(), {single})},
      {"death_single, SIGTERM was sent; to multi-user",
       led(booting(), {single, multi, script_termed})},
      {"death_single, SIGTERM was sent; marked to end", led(booting(), {reboot, script_termed})},
      {"death_single, SIGKILL was sent; to single user",
       led(booting(), {single, script_termed, time_over})},
      {"death_single, SIGKILL was sent, a script is left; marked to end",
       led(booting(), {reboot, time_over})},
      {"single_user, with a shell", led(in_single_user(), {})},
      {"single_user, no console", led(in_single_user(), {console_gone, shell_exited})},
      {"single_user, the shell is to go for multi-user", led(in_single_user(), {multi})},
      {"single_user, a pause before the next shell", led(in_single_user(), {shell_sigkilled})},
      {"final", led(in_single_user(), {reboot, all_gone})},
      {"leaving", led(in_single_user(), {reboot, all_gone, script_done})},
  };
}

InitStep step_in(const Machine& machine, InitEvent event) {
  return next(machine, event, machine.deadline == Machine::never ? 0 : machine.deadline);
}

// "next state | acts | then waits | says" of a step, or nothing if it is not taken.
std::string outcome_of(const Machine& machine, InitEvent event) {
  const InitStep step = step_in(machine, event);
  if (!step.taken) return {};
  const Machine& after = step.machine;
  std::ostringstream text;
  text << (after.state != machine.state ? name_of(after.state) : "") << " | " << words_of(step)
       << " | ";
  if (after.deadline != Machine::never && after.deadline != machine.deadline)
    text << (after.deadline - (machine.deadline == Machine::never ? 0 : machine.deadline)) / 1000
         << " s";
  text << " | " << (step.say == InitSay::nothing ? "" : name_of(step.say)) << " |";
  return text.str();
}

std::string table_of(const Machine& machine) {
  std::vector<std::pair<std::string, std::string>> rows;  // outcome, events
  for (InitEvent event : all_events()) {
    const std::string outcome = outcome_of(machine, event);
    auto row = std::ranges::find_if(rows, [&](const auto& one) { return one.first == outcome; });
    if (row == rows.end())
      rows.emplace_back(outcome, name_of(event));
    else
      row->second += std::string(", ") + name_of(event);
  }
  std::string nothing, table;
  for (const auto& [outcome, events] : rows)
    if (outcome.empty())
      nothing = "Nothing comes of: " + events + ".\n";
    else
      table += "| " + events + " | " + outcome + "\n";
  if (table.empty()) return nothing;
  return "| event | next state | acts | then waits | says |\n|---|---|---|---|---|\n" + table +
         "\n" + nothing;
}

// Every event in every state: where it leads.
std::string overview() {
  const std::vector<Situation> all = situations();
  std::vector<Situation> typical;
  for (const Situation& one : all)
    if (typical.empty() || typical.back().machine.state != one.machine.state)
      typical.push_back(one);
  std::ostringstream text;
  text << "| event |";
  for (const Situation& one : typical) text << " " << name_of(one.machine.state) << " |";
  text << "\n|---|";
  for (size_t i = 0; i < typical.size(); ++i) text << "---|";
  for (InitEvent event : all_events()) {
    text << "\n| " << name_of(event) << " |";
    for (const Situation& one : typical) {
      const InitStep step = step_in(one.machine, event);
      const bool moved = step.machine.state != one.machine.state;
      text << " " << (!step.taken ? "-" : moved ? name_of(step.machine.state) : "taken") << " |";
    }
  }
  return text.str() + "\n";
}

std::string page() {
  std::ostringstream text;
  text << "# The states of process 1\n\n"
       << "The function `next()` of `sup/machine.h`, written out; the page is made and held by "
          "`tests/unit/machine_walk_test.cc`.\nThere stands also, in one piece, what a state is "
          "for.\n\n"
       << "## Every event in every state\n\n"
       << "Where an event leads from the first situation of each state below. `taken`: it stays "
          "there, but something comes of it;\n`-`: nothing does.\n\n"
       << overview() << "\n## Every situation\n\n"
       << "With the usual times: init.shutdown_timeout 120 s, stop.timeout 10 s. There is a "
          "console but where it says otherwise. A row without a word beside the event: it is "
          "noted.\n";
  for (const Situation& one : situations())
    text << "\n### " << one.title << "\n\n" << table_of(one.machine);
  return text.str();
}

TEST(InitMachine, ThePageOfStatesIsTheFunction) {
  const std::filesystem::path path =
      std::filesystem::path(__FILE__).parent_path() / "../../doc/INIT-STATES.md";
  const char* mode = std::getenv("CELLBLOCK_GOLDEN");
  if (mode && std::string_view(mode) == "write") std::ofstream(path) << page();
  std::ostringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_EQ(written.str(), page()) << "CELLBLOCK_GOLDEN=write writes it anew";
}

}  // namespace
}  // namespace jail
