// The words that process 1's machine is spoken to with, and speaks: names of its states, requests
// by control word, run-level and signal, and the texts of init(8). Tables; nothing here decides.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sup/machine.h"

namespace jail {

// The names as they are written: "multi_user", "time_over", "run_rc". They live for ever.
const char* name_of(InitState state);
const char* name_of(InitEvent event);
const char* name_of(InitAct act);
const char* name_of(InitSay say);

// A word of the control protocol, or of a command line.
struct RequestWord {
  const char* name;
  InitEvent event;
  bool host_only = false;  // not for processes of the jail
};

// `jinit WORD`, `jail --init NAME WORD` and the control protocol.
std::span<const RequestWord> request_words();

// FreeBSD's `init RUNLEVEL` (N1.3). `r` is not among them: no reroot here.
std::span<const RequestWord> run_levels();

// Run-levels as sysvinit's telinit, shutdown and halt write them to /run/initctl; 2 to 5 are one.
std::span<const RequestWord> initctl_levels();

// init.signals, but for `auto`, which is one of these by the jail's own reboot program.
enum class SignalMeaning : uint8_t { freebsd, busybox, sysv };

// What a signal to process 1 asks for, by each meaning. Every signal that means something is here:
// the loop blocks and reads these. Named without SIG, as systems number them differently.
struct RequestSignal {
  const char* name;  // "HUP", "RTMIN+3"
  std::optional<InitEvent> freebsd, busybox, sysv;
};
std::span<const RequestSignal> request_signals();

// What the signal asks for; nothing where it means nothing. WINCH counts only if a process sent it:
// the kernel sends one whenever a terminal changes its size.
std::optional<InitEvent> request_of(SignalMeaning meaning, std::string_view signal);

// The text of init(8) for what a step had to say, without the program's name. `script` is its path
// (or the single-user shell's); `shell` what runs it, or empty where it runs by itself; `value` the
// exit status, or the errno of a failed start. Empty for InitSay::nothing.
std::string text_of(InitSay say, std::string_view shell, std::string_view script, int value);

// Whether it is of init(8)'s level "emergency" (N10); else it is a warning.
bool is_emergency(InitSay say);

}  // namespace jail
