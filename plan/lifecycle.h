// The life of one jail: start, stop, modify, recover. Each function does the whole of it for one
// jail in this process, as one job of a command (plan/jobs.h runs several). What the user hears of
// it goes through Talk as it happens.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "conf/spec.h"
#include "os/facts.h"
#include "plan/claims.h"
#include "plan/life.h"

namespace jail {

// What a command knows about this host and this installation, gathered once.
struct Host {
  Places places;
  Facts facts;
  std::string hook_of;  // id of the jail whose hook this command was called by, or empty
};

// Looks at this host; a command that a hook runs in a jail's view goes back to the host's mounts
// first. Descriptors 0 to 2 are open afterwards. Fails where there is no /proc, or no way back.
Result<Host> this_host();

// INT, TERM and HUP (those that are not ignored) are blocked and become readable on a descriptor,
// so that a start that they meet is undone (FreeBSD leaves what there is; doc/COMPAT.md).
Result<Fd> catch_stop_signals();
// The signal that came, taken; 0 if none did.
int caught_signal(int stop_fd);

// One jail of a command.
struct Job {
  Spec spec;                // as configured today; for a stop it only says which jail is meant
  Words fstab;              // lines of mount.fstab
  std::string create_text;  // the kernel's parameters as given, for -v
  std::string record;       // what -J writes behind the jid
  bool old_record = false;  // of the old style command line (J3.8)
  std::string file;         // the configuration file it comes from, or empty
  // From a file: has a name in messages and, in the strict mode, hooks at a stop.
  bool configured = false;
  bool relative_path = false;  // a relative path counts from the working directory (command line)
  bool command_is_vector = false;  // Life::command_is_vector
  bool all = false;     // one of all jails: no complaint if it is there already, or not there
  bool absent = false;  // has no record: stopped with all jails, it only has its place in the order
  bool no_hooks = false;      // jail -R
  bool note_removal = false;  // "removed" is noted, unless quiet (J3.6)
  bool cleanup = false;       // -C: the steps after removal also for a jail that is gone
  bool restarts = false;      // a start follows the stop: what it would refuse is refused before
  Talk talk;

  // What messages about its existence call it: the configured name; else the jid if one is given,
  // else the name (J3.3).
  std::string shown_name() const;
};

// The first create-only parameter (J4.10), or `host`, that is asked for and differs from the
// running jail's; nullptr: none. Values are compared, with paths resolved, and not texts.
const char* create_only_change(const Spec& shown, const Spec& wanted);

// The jail that a job means, among those that have a record: by jid if one is configured, else by
// name (J6.25). nullptr: there is none. Points into the index.
const JailEntry* find_entry(const Index& index, const Spec& spec);

// Starts the jail. False: it failed, and a message has said why; what was done is undone, but for
// what the messages name, which stays in the ledger. A jail that exists is a failure, or with `all`
// nothing. A start that was cut short earlier is undone first, one that another command is at is
// waited for. `jid` is set when it runs.
bool start_jail(const Host& host, Job& job, int64_t* jid);

// What can be known to be wrong with a start of the jail without doing anything: an error's text is
// what the start would say. A root that commands or mounts may make is not looked for.
Result<void> check_start(const Host& host, const Job& job, int64_t jid);

// Stops the jail and takes everything back (J4.2, J4.7). False: something failed, and a message has
// said what: a guard kept the jail up, or an act is still open in the ledger, or all is gone and a
// hook has failed. A start under way elsewhere is told to give up first, and killed after 10 s.
bool stop_jail(const Host& host, Job& job);

// Changes a running jail's parameters (J4.10). False: it failed, and a message has said why; where
// something was to be refused, nothing has changed. A jail that `nopersist` leaves with nothing to
// live on is cleaned up after, by its warden where it has one.
bool modify_jail(const Host& host, Job& job);

// Undoes whatever a crash left of the jail (jail --recover): a start or stop that nobody works on,
// and a jail that has ended; where init.on_* say so that is booted again, and so is one whose boot
// after the first was cut short. One that is up, or that a living command works on, is left alone,
// and is a success. False: something is open still, or a hook has failed; a message has said what.
bool recover_jail(const Host& host, const JailEntry& entry, const Talk& talk);

// Strikes what is beyond help from a broken jail's ledger, after one more attempt (jail --recover
// --forget), and says what it strikes. A damaged record is read as far as it goes. False: the jail
// is up and whole, a command works on it, or the record could not be removed.
bool forget_jail(const Host& host, const JailEntry& entry, const Talk& talk);

// Stops every jail that is below this one, deepest first, as part of its end: no guard keeps one
// up. One that cannot be taken over is left to the undo of `boot`, which ends its processes, and to
// the next command. Failures set Life::failed.
void stop_children(World& world);

}  // namespace jail
