#include <algorithm>
#include <utility>

#include "sup/way.h"

namespace jail {

namespace {

using enum InitEvent;
using State = InitState;
using Act = InitAct;
using Say = InitSay;

// --- What the states make of events: every event, in every state ---

// clang-format off

constexpr void in_reaping(InitWay& way, InitEvent event) {
  switch (event) {
    case boot:
      way.machine.answer_due = true;
      return way.run_rc();
    case multi:
      return way.run_rc();
    case reboot: case halt: case poweroff: case powercycle: case fail: case stop:
      way.mark(event);
      return way.enter_death_single();
    case console_there: case console_gone:
      return;
    case reload: case catatonia: case single:
    case script_none: case script_done: case script_failed: case script_killed: case script_termed:
    case script_not_started: case script_stopped: case services_down: case all_gone: case time_over:
    case shell_exited: case shell_killed: case shell_sigkilled: case shell_not_started: case shell_none:
    case shell_stopped: case ttys_read:
      way.taken = false;
  }
}

constexpr void rc_failed(InitWay& way) {
  if (way.machine.rc_failure == RcFailure::single || !way.machine.autoboot)
    return way.enter_death_single();
  way.mark(fail);
  way.answer(Act::answer_failed);
  way.enter_death();
}

constexpr void in_runcom(InitWay& way, InitEvent event) {
  switch (event) {
    case boot:
      way.machine.answer_due = true;
      return;
    case catatonia:
      way.machine.suspended = true;
      return;
    case single: case reboot: case halt: case poweroff: case powercycle: case fail: case stop:
      way.mark(event);
      return way.enter_death_single();
    case script_none: case script_done:
      way.answer(Act::answer_ok);
      way.machine.autoboot = true;
      way.enter(State::read_ttys);
      way.act(Act::read_ttys);
      return way.act(Act::start_services);
    case script_failed: case time_over:
      return rc_failed(way);
    case script_termed:
      // reboot(8) suspends init, then sends SIGTERM to all: its reboot(2) comes next (N5.4).
      if (way.machine.suspended) return way.stall();
      [[fallthrough]];
    case script_killed:
      way.say = Say::abnormal;
      return rc_failed(way);
    case script_not_started:
      way.say = Say::not_started;
      if (way.machine.rc_failure == RcFailure::single || !way.machine.autoboot) return way.stall();
      return rc_failed(way);
    case script_stopped:
      way.say = Say::script_stopped;
      return way.act(Act::continue_script);
    case shell_exited: case shell_killed: case shell_sigkilled: case shell_not_started: case shell_none:
    case console_there: case console_gone:
      return;
    case multi: case reload: case services_down: case all_gone: case shell_stopped: case ttys_read:
      way.taken = false;
  }
}

// read_ttys, multi_user, clean_ttys and catatonia: what is asked for is done at once in all of them.
constexpr void in_multi_user(InitWay& way, InitEvent event) {
  const State state = way.machine.state;
  switch (event) {
    case multi:
      way.taken = state == State::catatonia;
      if (!way.taken) return;
      [[fallthrough]];
    case reload:
      way.enter(State::clean_ttys);
      return way.act(Act::reread);
    case catatonia:
      way.taken = state != State::catatonia;
      way.enter(State::catatonia);
      return way.act(Act::freeze_sessions);
    case single: case reboot: case halt: case poweroff: case powercycle: case fail: case stop:
      way.mark(event);
      return way.enter_death();
    case ttys_read:
      way.taken = state == State::read_ttys || state == State::clean_ttys;
      return way.enter(State::multi_user);
    case shell_exited: case shell_killed: case shell_sigkilled: case shell_not_started: case shell_none:
    case console_there: case console_gone:
      return;
    case boot:
    case script_none: case script_done: case script_failed: case script_killed: case script_termed:
    case script_not_started: case script_stopped: case services_down: case all_gone: case time_over:
    case shell_stopped:
      way.taken = false;
  }
}

// What can still be asked for on the way down: how it is to end.
constexpr void ask_late(InitWay& way, InitEvent event) {
  way.taken = way.machine.howto == 0;
  way.machine.go_on = event == multi;
}

constexpr void in_death(InitWay& way, InitEvent event) {
  switch (event) {
    case single: case multi:
      return ask_late(way, event);
    case reboot: case halt: case poweroff: case powercycle: case fail: case stop:
      return way.mark(event);
    case script_failed:
      way.say = Say::returned;
      return way.act(Act::stop_services);
    case script_killed: case script_termed:
      way.say = Say::abnormal;
      return way.act(Act::stop_services);
    case script_not_started:
      way.say = Say::not_started;
      return way.act(Act::stop_services);
    case script_none: case script_done:
      return way.act(Act::stop_services);
    case script_stopped:
      way.say = Say::script_stopped;
      return way.act(Act::continue_script);
    case services_down:
      way.taken = way.machine.script == InitScript::none;
      return way.enter_death_single();
    case time_over:
      if (way.machine.script != InitScript::none) {
        way.say = Say::expired;
        way.act(Act::end_script);
        way.act(Act::stop_services);
      }
      return way.enter_death_single();
    case shell_exited: case shell_killed: case shell_sigkilled: case shell_not_started: case shell_none:
    case console_there: case console_gone:
      return;
    case boot: case reload: case catatonia: case all_gone: case shell_stopped: case ttys_read:
      way.taken = false;
  }
}

constexpr void all_killed(InitWay& way) {
  if (way.machine.howto) return way.enter_final();
  if (way.machine.go_on) return way.leave_single_user();
  way.enter_single_user();
}

constexpr void in_death_single(InitWay& way, InitEvent event) {
  switch (event) {
    case single: case multi:
      return ask_late(way, event);
    case reboot: case halt: case poweroff: case powercycle: case fail: case stop:
      return way.mark(event);
    case all_gone:
      way.machine.script = InitScript::none;
      way.machine.shell = false;
      return all_killed(way);
    case time_over:
      if (!way.machine.killing) return way.send_kill();
      way.say = Say::undead;
      return all_killed(way);
    case script_none: case script_done: case script_failed: case script_killed: case script_termed:
    case script_not_started:
    case shell_exited: case shell_killed: case shell_sigkilled: case shell_not_started: case shell_none:
    case console_there: case console_gone:
      return;
    case boot: case reload: case catatonia: case script_stopped: case services_down: case shell_stopped:
    case ttys_read:
      way.taken = false;
  }
}

constexpr void shell_ended(InitWay& way, InitEvent event) {
  if (way.machine.go_on || (event == shell_exited && way.machine.console))
    return way.leave_single_user();
  if (event == shell_exited) return;
  way.say = event == shell_killed        ? Say::shell_restarting
            : event == shell_sigkilled   ? Say::shell_terminated
            : event == shell_not_started ? Say::shell_not_started
                                         : Say::shell_none;
  if (event == shell_killed) return way.offer_shell();
  if (event != shell_none && way.machine.console) way.stall();
}

// A shell is asked to go first; what else the administrator has brought in goes on beside rc.
constexpr void go_on(InitWay& way) {
  if (!way.machine.shell) return way.leave_single_user();
  if (way.machine.go_on) return;
  way.machine.go_on = true;
  way.act(Act::revoke_console);
  way.wait_for(way.machine.times.term);
}

constexpr void in_single_user(InitWay& way, InitEvent event) {
  switch (event) {
    case boot:
      way.machine.answer_due = true;
      return go_on(way);
    case multi:
      return go_on(way);
    case single: case reboot: case halt: case poweroff: case powercycle: case fail: case stop:
      way.mark(event);
      way.machine.go_on = false;
      return way.enter_death_single();
    case time_over:
      if (!way.machine.stalled) return way.act(Act::kill_shell);
      way.machine.stalled = false;
      return way.start_shell();
    case shell_exited: case shell_killed: case shell_sigkilled: case shell_not_started: case shell_none:
      return shell_ended(way, event);
    case shell_stopped:
      way.say = Say::shell_stopped;
      return way.act(Act::continue_shell);
    case console_there:
      if (!way.machine.stalled) way.offer_shell();
      return;
    case console_gone:
      if (way.machine.stalled) way.enter(State::single_user);
      return;
    case script_none: case script_done: case script_failed: case script_killed: case script_termed:
    case script_not_started:
      return;
    case reload: case catatonia: case script_stopped: case services_down: case all_gone: case ttys_read:
      way.taken = false;
  }
}

constexpr void in_final(InitWay& way, InitEvent event) {
  switch (event) {
    case reboot: case halt: case poweroff: case powercycle: case fail: case stop:
      return way.mark(event);
    case script_none: case script_done: case script_failed: case script_killed: case script_termed:
    case script_not_started: case time_over:
      return way.enter_leaving();
    case script_stopped:
      return way.act(Act::continue_script);
    case shell_exited: case shell_killed: case shell_sigkilled: case shell_not_started: case shell_none:
    case console_there: case console_gone:
      return;
    case boot: case multi: case reload: case catatonia: case single: case services_down: case all_gone:
    case shell_stopped: case ttys_read:
      way.taken = false;
  }
}
constexpr void decide(InitWay& way, InitEvent event) {
  switch (way.machine.state) {
    case State::reaping: return in_reaping(way, event);
    case State::runcom: return in_runcom(way, event);
    case State::read_ttys: case State::multi_user: case State::clean_ttys: case State::catatonia:
      return in_multi_user(way, event);
    case State::death: return in_death(way, event);
    case State::death_single: return in_death_single(way, event);
    case State::single_user: return in_single_user(way, event);
    case State::final: return in_final(way, event);
    case State::leaving: way.taken = false;
  }
}

// Takes down what is known of the world. False if it cannot be true: a word about a script when
// none runs, a deadline before its time.
constexpr bool note(Machine& machine, InitEvent event, int64_t now) {
  switch (event) {
    case script_none: case script_done: case script_failed: case script_killed: case script_termed:
    case script_not_started:
      return std::exchange(machine.script, InitScript::none) != InitScript::none;
    case script_stopped:
      return machine.script != InitScript::none;
    case shell_exited: case shell_killed: case shell_sigkilled: case shell_not_started: case shell_none:
      return std::exchange(machine.shell, false);
    case shell_stopped:
      return machine.shell;
    case time_over:
      return now >= std::exchange(machine.deadline, Machine::never);
    case console_there: case console_gone:
      machine.console = event == console_there;
      return true;
    case boot: case multi: case reload: case catatonia: case single: case reboot: case halt:
    case poweroff: case powercycle: case fail: case stop: case services_down: case all_gone:
    case ttys_read:
      return true;
  }
  return false;
}
// clang-format on

constexpr InitStep step(const Machine& machine, InitEvent event, int64_t now) {
  InitWay way{.machine = machine, .now = now};
  if (note(way.machine, event, now))
    decide(way, event);
  else
    way.taken = false;
  if (!way.taken) return {.machine = machine, .taken = false};
  return {way.machine, way.acts, way.say, true};
}

// A compiler can run it: nothing in it touches the world.
static_assert(step({}, boot, 0).machine.script == InitScript::rc);
static_assert(step({}, stop, 0).machine.deadline == InitTimes().term);

}  // namespace

InitStep next(const Machine& machine, InitEvent event, int64_t now) {
  return step(machine, event, now);
}

const char* argument_of(const Machine& machine) {
  switch (machine.script) {
    case InitScript::rc:
      return machine.autoboot ? "autoboot" : "";
    case InitScript::shutdown:
      return machine.howto ? "reboot" : "single";
    case InitScript::none:
    case InitScript::final:
      break;
  }
  return "";
}

WayOut way_out(const Machine& machine) {
  return way_of(machine.howto);
}

InitTimes init_times(int64_t shutdown_timeout, int64_t stop_timeout) {
  constexpr int64_t year = 31'536'000;
  InitTimes times;
  if (shutdown_timeout >= 2) times.shutdown = std::min(shutdown_timeout, year) * 1000;
  times.term = std::clamp<int64_t>(stop_timeout, 0, year) * 1000;
  return times;
}

}  // namespace jail
