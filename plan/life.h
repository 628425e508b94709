// Life: what one start, stop or modification of one jail carries with it beside the World - the
// Spec, the policy of the run, and the conversation with the user and with the coordinator of many
// jails.
#pragma once

#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "conf/spec.h"
#include "os/world.h"

namespace jail {

// How to speak (J3.11) and how to wait for one's turn (J4.9). What is said is said in one write(2)
// a line, and never fails: whoever closed our output does not want it.
struct Talk {
  bool quiet = false, verbose = false, bare_jids = false;
  std::string name;  // of the jail in messages; empty for one without a configured name
  int turns = -1;    // socket to the coordinator, or -1 when this is the only jail of the command
  int stop_fd = -1;  // readable when the user wants this to end: INT, TERM, HUP

  // "NAME: TEXT" on standard output.
  void note(std::string_view text) const;
  // "jail: NAME: TEXT" on standard error.
  void error(std::string_view text) const;
  // `jail: "WHAT" already exists`.
  void exists(std::string_view what) const;
  // The bare jid on standard output (-i).
  void print_jid(int64_t jid) const;
  // A remark: "jail: NAME: note: TEXT" on standard error, but for -q and the strict mode.
  void remark(std::string_view text) const;
};

// True under CELLBLOCK_STRICT=freebsd: defaults are FreeBSD's wherever we improve on them
// deliberately (doc/COMPAT.md).
bool strict();

// Which hooks an undo runs.
enum class Hooks : unsigned char {
  all,
  none,  // jail -R; the rollback of exec.norollback and of the strict mode
};

// Filled before the first act; acts and undos change what is theirs on the way. Borrows its Specs.
struct Life {
  const Spec* spec = nullptr;   // at a stop: the snapshot
  const Spec* hooks = nullptr;  // whose exec.* run: the spec, or today's file in the strict mode
  Talk talk;
  std::string hook_of;      // id of the jail whose hook this command was called by, or empty
  std::string create_text;  // the parameters as given, for -v: "name=web path=/r persist"
  int64_t jid = 0;          // of the jail once it exists
  bool jid_known = false;   // hooks hear of it: configured, or created by now
  Hooks undo_hooks = Hooks::all;
  bool rolling_back = false;
  bool recovering = false;      // the start was another command's, which was killed
  bool stop_is_strict = false;  // stop.strict: a failing exec.stop keeps the jail up
  // command= of the command line: arguments, not command strings (J3.5).
  bool command_is_vector = false;
  // A failing command is reported and the next one run: hooks of an undo. Set by each undo.
  bool going_on = false;
  bool note_removal = false;  // "removed" is still to be noted
  bool failed = false;        // something was reported that the exit status must tell
  int64_t stop_timeout = 10;  // seconds between TERM and KILL
};

// What a job tells the coordinator of many jails, one byte each (plan/schedule.h); the
// coordinator's only answer is `go`.
enum class Turn : char {
  go = 'g',
  command = 'c',  // wants a slot for its next foreground command, and waits for go
  waits = 'w',    // waits for something that is no command
  ended = 'e',    // what it waited for is over; waits for go
  exists = 'x',   // the jail exists from now on
  removed = 'r',  // the jail is gone
  done = 'd',     // the phase is over and went well; waits for go (the next phase) or the end
  failed = 'f',   // the phase is over and failed; the same
};

// Tells the coordinator, and for command and ended waits for go; without a coordinator it does
// nothing. ECANCELED where the coordinator is gone: the conversation is over then, and a start
// ends.
Result<void> take_turn(const Talk& talk, Turn turn);

// The group that the host commands of one hook run in, below the v2 mount:
// "cellblock/ID.hook/PHASE".
std::string hook_group(const World& world, const char* phase);

// Runs a list of command words as hooks on the host (in the view, where there is one), one after
// another as J4.4 says. A start ends at the first that fails, and its message is the error's text,
// for the caller to print: "CMDLINE: failed", "CMDLINE: exited on signal N", "CMDLINE: timed out".
// With Life::going_on each failure is printed here and the rest is run; the error has no text then.
// `phase` names the list ("prestart"). ECANCELED: the user wants to stop.
Result<void> run_on_host(World& world, const char* phase, const Words& words);
// The same as commands in the jail. EINVAL "jail_attach: ..." where its process 1 is gone.
Result<void> run_in_jail(World& world, const Words& words);
// The same for one argument vector without a shell (command= on the command line).
Result<void> run_vector(World& world, const Words& argv);

}  // namespace jail
