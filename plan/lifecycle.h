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
// first. Descriptors 0 to 2 are open afterwards.
Result<Host> this_host();

// INT, TERM and HUP (those that are not ignored) become readable on a descriptor, so that a start
// that they meet is undone (promise 7).
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
  bool configured =
      false;  // from a file: has a name in messages and, in the strict mode, hooks at a stop
  bool relative_path = false;  // a relative path counts from the working directory (command line)
  bool command_is_vector = false;
  bool all = false;     // one of all jails: no complaint if it is there already, or not there
  bool absent = false;  // has no record: stopped with all jails, it only has its place in the order
  bool no_hooks = false;  // jail -R
  bool note_removal = false;
  bool cleanup = false;   // -C: the steps after removal also for a jail that is gone
  bool restarts = false;  // a start follows the stop: what it would refuse is refused before
  Talk talk;

  // What messages about its existence call it: the configured name; else the jid if one is given,
  // else the name (J3.3).
  std::string shown_name() const;
};

// The first create-only parameter that is asked for and differs from the running jail's; nullptr:
// none.
const char* create_only_change(const Spec& shown, const Spec& wanted);

// The jail that a job means, among those that have a record: by jid if one is configured, else by
// name (J6.25).
const JailEntry* find_entry(const Index& index, const Spec& spec);

// Starts the jail. False: it failed, and a message has said why. A jail that exists is a failure,
// or with `all` nothing. A start that was cut short earlier is undone first. `jid` is set when it
// runs.
bool start_jail(const Host& host, Job& job, int64_t* jid);

// What can be known to be wrong with a start of the jail without doing anything: an error's text is
// what the start would say. A root that commands or mounts may make is not looked for.
Result<void> check_start(const Host& host, const Job& job, int64_t jid);

// Stops the jail and takes everything back. False: something failed, and a message has said what.
bool stop_jail(const Host& host, Job& job);

// Changes a running jail's parameters (J4.10). False: it failed, and a message has said why.
bool modify_jail(const Host& host, Job& job);

// Undoes whatever a crash left of the jail (jail --recover): a start or stop that nobody works on,
// and a jail that has ended. One that is up, or that a living command works on, is left alone.
bool recover_jail(const Host& host, const JailEntry& entry, const Talk& talk);

// Strikes what is beyond help from a broken jail's ledger, after one more attempt (jail --recover
// --forget).
bool forget_jail(const Host& host, const JailEntry& entry, const Talk& talk);

// Stops every jail that is below the one called `name`, deepest first, as part of its end.
void stop_children(World& world);

}  // namespace jail
