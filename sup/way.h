// One step of process 1's machine under way: what was asked for added up, and the ways into the
// states. For machine.cc alone.
#pragma once

#include "sup/machine.h"

namespace jail {

// Machine::howto: bits, as the RB_ ones of FreeBSD's init. Each request marks the end.
inline constexpr uint8_t howto_marked = 1, howto_halt = 2, howto_poweroff = 4, howto_cycle = 8,
                         howto_fail = 16, howto_leave = 32;

struct HowtoRow {
  InitEvent event;
  uint8_t forgets, adds;
};

// As FreeBSD's init adds them up: poweroff alone forgets something, a power cycle asked for before.
inline constexpr HowtoRow howto_rows[] = {
    {InitEvent::reboot, 0, howto_marked},
    {InitEvent::halt, 0, howto_marked | howto_halt},
    {InitEvent::poweroff, howto_cycle, howto_marked | howto_halt | howto_poweroff},
    {InitEvent::powercycle, 0, howto_marked | howto_cycle},
    {InitEvent::fail, 0, howto_marked | howto_fail},
    {InitEvent::stop, 0, howto_marked | howto_halt | howto_leave}};

constexpr WayOut way_of(uint8_t howto) {
  if (howto & howto_leave) return WayOut::leave;
  if (howto & howto_poweroff) return WayOut::poweroff;
  if (howto & howto_halt) return WayOut::halt;
  return howto & howto_fail ? WayOut::fail : WayOut::restart;
}

struct InitWay {
  Machine machine;
  int64_t now;
  InitActs acts = {};
  InitSay say = InitSay::nothing;
  bool taken = true;

  constexpr void act(InitAct what) { acts.add(what); }
  constexpr void wait_for(int64_t time) { machine.deadline = now + time; }

  constexpr void stall() {
    machine.stalled = true;
    wait_for(machine.times.stall);
  }

  // No deadline of the state before is left.
  constexpr void enter(InitState state) {
    machine.state = state;
    machine.stalled = machine.killing = false;
    machine.deadline = Machine::never;
  }

  constexpr void mark(InitEvent event) {
    for (const HowtoRow& row : howto_rows)
      if (row.event == event)
        machine.howto = static_cast<uint8_t>((machine.howto & ~row.forgets) | row.adds);
  }

  constexpr void answer(InitAct what) {
    if (machine.answer_due) act(what);
    machine.answer_due = false;
  }

  constexpr void run_rc() {
    enter(InitState::runcom);
    machine.script = InitScript::rc;
    machine.booted = true;
    machine.suspended = machine.go_on = false;
    act(InitAct::run_rc);
  }

  constexpr void enter_death() {
    enter(InitState::death);
    machine.script = InitScript::shutdown;
    machine.go_on = false;
    act(InitAct::hang_up_sessions);
    act(InitAct::run_shutdown);
    wait_for(machine.times.shutdown);
  }

  constexpr void send_kill() {
    machine.killing = true;
    act(InitAct::kill_all);
    wait_for(machine.howto & howto_leave ? machine.times.kill_in_stop : machine.times.kill);
  }

  constexpr void enter_death_single() {
    enter(InitState::death_single);
    act(InitAct::revoke_console);
    if (machine.times.term == 0) return send_kill();
    act(InitAct::term_all);
    wait_for(machine.times.term);
  }

  constexpr void start_shell() {
    machine.shell = true;
    machine.shell_started = now;
    act(InitAct::start_shell);
  }

  // A shell where there is a console; after a pause if the last few have lived for a moment only.
  constexpr void offer_shell() {
    if (!machine.console || machine.shell) return;
    const bool quick = now - machine.shell_started < machine.times.spacing;
    machine.quick = quick ? machine.quick + 1 : 0;
    if (machine.quick <= machine.times.tolerated) return start_shell();
    machine.quick = 0;
    stall();
  }

  constexpr void enter_single_user() {
    enter(InitState::single_user);
    machine.go_on = false;
    answer(InitAct::answer_single);
    offer_shell();
  }

  // On to rc, unless a script is left that could not be killed: two never run at once.
  constexpr void leave_single_user() {
    if (machine.script != InitScript::none) {
      say = InitSay::undead;
      return enter_single_user();
    }
    machine.autoboot = false;
    run_rc();
  }

  constexpr void enter_leaving() {
    enter(InitState::leaving);
    if (way_of(machine.howto) != WayOut::restart) answer(InitAct::answer_failed);
    act(InitAct::leave);
  }

  constexpr void enter_final() {
    if (!machine.booted || machine.script != InitScript::none) return enter_leaving();
    enter(InitState::final);
    machine.script = InitScript::final;
    act(InitAct::run_final);
    wait_for(machine.times.shutdown);  // FreeBSD waits for ever; here nobody could help it
  }
};

}  // namespace jail
