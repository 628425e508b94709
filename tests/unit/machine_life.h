// Process 1's machine, driven by hand: what it does is told as words.
#pragma once

#include <string>
#include <vector>

#include "sup/machine.h"
#include "sup/request.h"

namespace jail {

// "run_rc(autoboot) answer_ok"; scripts with their argument.
inline std::string words_of(const InitStep& step) {
  std::string text;
  for (InitAct act : step.acts) {
    if (!text.empty()) text += ' ';
    text += name_of(act);
    const std::string argument = argument_of(step.machine);
    if (act <= InitAct::run_final && !argument.empty()) text += "(" + argument + ")";
  }
  return text;
}

struct Life {
  Machine machine = {};
  int64_t now = 1'000'000;
  InitStep step = {};

  // One event; what it did.
  std::string on(InitEvent event) {
    step = next(machine, event, now);
    machine = step.machine;
    return words_of(step);
  }
  // Time goes by; what its end did, or "" if nothing was due.
  std::string after(int64_t seconds) {
    now += seconds * 1000;
    return on(InitEvent::time_over);
  }
  std::string state() const { return name_of(machine.state); }
  std::string said(std::string_view script, int value = 0) const {
    return text_of(step.say, "/bin/sh", script, value);
  }
};

inline Life life_with(RcFailure rc_failure, bool console = false) {
  Life life;
  life.machine.rc_failure = rc_failure;
  if (console) life.on(InitEvent::console_there);
  return life;
}

// As the cases of the specification want it: a console, and a failed rc leads to single user.
inline Life booting() {
  Life life = life_with(RcFailure::single, true);
  life.on(InitEvent::boot);
  return life;
}

inline Life in_multi_user() {
  Life life = booting();
  life.on(InitEvent::script_done);
  life.on(InitEvent::ttys_read);
  return life;
}

inline Life in_single_user() {
  Life life = booting();
  life.on(InitEvent::single);
  life.on(InitEvent::all_gone);
  return life;
}

}  // namespace jail
