// Process 1's own life: which state it is in, and what it does when something happens. One pure
// function over values. It must never make a system call, look at a clock, allocate or wait; the
// loop in init/ does all that it says, and tells it what came of it.
//
// THE LIFE OF A JAIL'S INIT (FreeBSD's init(8) in a jail; spec sections N3 to N7)
//
// Reaping. Process 1 is born before anybody asked it to boot, and may stay so (init.on_* = stay).
// It only adopts and reaps. `boot` begins its life; all that ends a jail ends it from here, too.
//
// Start (runcom). rc runs, with the argument `autoboot` but after single user. Whoever asked to
// boot waits for its result. If it ends well, ttys are read and services started. If not, a *start*
// fails as init.rc_failure says: `remove` reports it and goes down to leave; `single` goes to
// single user. An rc that follows single user always goes back there, as nobody is helped by a jail
// that vanishes under repair. A request to go down ends rc with everything else, without
// rc.shutdown.
//
// Multi-user (read_ttys, multi_user, clean_ttys, catatonia). Sessions and services run, each with a
// machine of its own. A hang-up reads the files again; catatonia lets logins end and starts none.
//
// Going down (death). Sessions are hung up, rc.shutdown runs, then services stop in their order;
// all of this has one time limit. When it is over the script gets a SIGTERM, and the rest as
// follows.
//
// Killing (death_single). The console is revoked and everything gets SIGTERM. The state ends when
// nothing is left, by the group's own word and not by the children's: so nobody escapes. What is
// left after stop.timeout gets SIGKILL, and is given up after another time.
//
// Single user. Here nothing else runs, also where rc had failed (FreeBSD leaves rc's processes).
// With a console there is a shell; its end, or `multi`, runs rc again. Without a console, or if
// there is no shell, process 1 sits and waits to be told, for rc would run again and again. Shells
// that end at once are slowed down as sessions are (N9.3).
//
// The end (final, leaving). Once reboot, halt, power-off or stop was asked for, in whatever state,
// it is never taken back, and single user is not entered any more: rc.final runs, and process 1
// leaves, the way all requests together ask for (way_out). What was asked adds up: a halt stays one
// when a reboot follows.
//
// Pauses that FreeBSD's init sleeps are deadlines here; requests are obeyed meanwhile.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace jail {

// clang-format off
enum class InitState : uint8_t {
  reaping, runcom, read_ttys, multi_user, clean_ttys, catatonia,
  death, death_single, single_user, final, leaving,
};

// What can happen. First requests, whoever they come from (sup/request.h), then the world's news.
enum class InitEvent : uint8_t {
  boot,        // start; the asker is to be answered when rc has ended
  multi,       // go on to multi-user, from before the start or from single user
  reload,      // SIGHUP: read ttys and jinit.conf again
  catatonia,   // SIGTSTP: no more logins
  single, reboot, halt, poweroff, powercycle,
  fail,        // a service that the jail lives for has failed: leave as one that crashed
  stop,        // the host's: a halt whose way out is to leave
  // Of the script that was started last, known by its pid. `script_none`: there is none to run.
  script_none, script_done, script_failed, script_killed, script_termed, script_not_started,
  script_stopped,
  services_down,  // the answer to stop_services, at once where there are none
  all_gone,       // no process but process 1 is left, and all children are reaped
  time_over,      // the machine's deadline has come
  shell_exited, shell_killed,
  shell_sigkilled,    // SIGKILL: FreeBSD's reboot(8) does that before it calls reboot(2)
  shell_not_started,  // no process could be made
  shell_none,         // there is no shell that can be executed
  shell_stopped,
  console_there, console_gone,
  ttys_read,  // the answer to read_ttys and reread
};

// What the loop is to do, in the order given. What can be answered at once (there is no rc.shutdown,
// nobody is left) is told as the next event, before anything else.
enum class InitAct : uint8_t {
  run_rc, run_shutdown, run_final,  // with argument_of()
  continue_script, end_script,      // SIGCONT; SIGTERM to its group
  read_ttys,         // forget all sessions, read the file, start them; then ttys_read
  reread,            // read ttys and jinit.conf again, see what differs (N9.5); then ttys_read
  freeze_sessions,   // none is started again
  hang_up_sessions,  // none is started again, each gets SIGHUP (N6.1)
  start_services,
  stop_services,   // in reverse order, none is started again; then services_down
  revoke_console,  // whoever has it loses it: at least SIGHUP to the shell's session
  term_all, kill_all,  // everything but process 1; all_gone follows when it is so
  start_shell, continue_shell, kill_shell,
  answer_ok, answer_single, answer_failed,  // to whoever asked to boot
  leave,                                    // by way_out(); does not return
};

// What there is to say (text_of() in sup/request.h).
enum class InitSay : uint8_t {
  nothing, abnormal, returned, expired, not_started, script_stopped, undead,
  shell_restarting, shell_terminated, shell_not_started, shell_none, shell_stopped,
};

// How process 1 ends. The host's parent of it reads the first three from reboot(2) (N19).
enum class WayOut : uint8_t {
  restart, halt, poweroff,
  leave,  // exit 0
  fail,   // exit 1
};

enum class InitScript : uint8_t { none, rc, shutdown, final };
// clang-format on

// init.rc_failure.
enum class RcFailure : uint8_t { remove, single };

// Milliseconds. A time of 0 in `term` means no SIGTERM, as stop.timeout = 0 does.
struct InitTimes {
  int64_t shutdown = 120'000;    // init.shutdown_timeout: rc.shutdown and services; rc.final
  int64_t term = 10'000;         // stop.timeout: from SIGTERM to SIGKILL
  int64_t kill = 10'000;         // from SIGKILL to giving up
  int64_t kill_in_stop = 3'000;  // the same when the host stops the jail: it waits 5 s more than we
  int64_t stall = 30'000;        // after what should not have happened (N6.5)
  int64_t spacing = 5'000;       // a shell that lived less counts as quick
  int tolerated = 3;             // so many quick ones in a row

  bool operator==(const InitTimes&) const = default;
};

// The times for init.shutdown_timeout and stop.timeout in seconds. A shutdown time below 2 counts
// as 120 (N6.2); what is beyond a year counts as a year, a negative stop.timeout as 0.
InitTimes init_times(int64_t shutdown_timeout, int64_t stop_timeout);

// All that process 1 knows about its own life. The settings - rc_failure, times - are the loop's to
// set before the start; the rest is read only.
struct Machine {
  static constexpr int64_t never = INT64_MAX;

  RcFailure rc_failure = RcFailure::remove;
  InitTimes times = {};
  InitState state = InitState::reaping;
  InitScript script = InitScript::none;  // that is running
  uint8_t howto = 0;                     // what was asked for, added up; 0: not marked to end
  int quick = 0;                         // shells in a row that lived for a moment only
  bool booted = false;                   // rc has run
  bool autoboot = true;                  // rc is, or would be, that of a start
  bool suspended = false;                // catatonia was asked for while rc ran
  bool stalled = false;                  // waits for `deadline` before it goes on
  bool killing = false;                  // death_single: SIGKILL was sent
  bool shell = false;                    // one is running
  bool console = false;
  bool go_on = false;       // to run rc again instead of entering or staying in single user
  bool answer_due = false;  // somebody who asked to boot is waiting
  int64_t shell_started = INT64_MIN / 2;
  int64_t deadline = never;  // when to tell time_over

  bool operator==(const Machine&) const = default;
};

// The acts of one step; never more than six.
struct InitActs {
  std::array<InitAct, 6> list = {};
  uint8_t count = 0;

  constexpr void add(InitAct act) { list[count++] = act; }
  constexpr const InitAct* begin() const { return list.data(); }
  constexpr const InitAct* end() const { return list.data() + count; }
  bool operator==(const InitActs&) const = default;
};

struct InitStep {
  Machine machine;
  InitActs acts = {};
  InitSay say = InitSay::nothing;
  bool taken = true;  // false: in this state the event means nothing, and nothing has changed
};

// What comes of `event` at `now` (milliseconds of a clock that never goes back). Total: any event
// in any state has a step; news of what is not running, and a time_over before its time, are not
// taken.
InitStep next(const Machine& machine, InitEvent event, int64_t now);

// The one argument of the script that is running, or an empty text: rc `autoboot`, or none after
// single user; rc.shutdown `reboot` or `single`; rc.final none (N5.2). To be asked when it is run.
const char* argument_of(const Machine& machine);

// How process 1 is to end, by all that was asked for. The host's stop wins; then halt and
// power-off; then a failure; a restart is what remains (N12.1).
WayOut way_out(const Machine& machine);

}  // namespace jail
