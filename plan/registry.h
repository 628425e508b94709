// The registry: which jails there are, under which id, jid and name. Two places (doc/LEDGER.md):
// CELLBLOCK_DB keeps what survives a boot (jails/ID/{ledger,spec,name,shown,lent.*}), CELLBLOCK_RUN
// what does not (index, locks, pins, ID/control). Status is derived from ledger and kernel on every
// look, never stored.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "conf/spec.h"
#include "os/command.h"

namespace jail {

class Config;
struct JailEntry;

// The directories of this installation, from the environment or the defaults (/var/db/cellblock,
// /run/cellblock, /var/log/cellblock).
struct Places {
  std::string db, run, log;
  // Top of our groups in the v2 tree: "cellblock", another one for each other CELLBLOCK_DB.
  std::string base;
};
// Reads CELLBLOCK_DB, CELLBLOCK_RUN and CELLBLOCK_LOG. Nothing is made or looked for.
Places places();

// What a jail is, seen from ledger and kernel (doc/LEDGER.md says what becomes of each).
enum class Status : unsigned char {
  starting,  // no `! up` yet or `! reboot`, and somebody holds its lock; or process 1 is gone, and
             // a warden sees to it
  partial,   // neither, and nobody does: the start was killed, or a boot after the first one
  up,
  given_up,  // up, but its init was booted too often in vain: process 1 only reaps
  stopping,
  ended,   // was up, and process 1 is gone
  broken,  // acts that an undo could not take back are open, and nobody works on them
};
// Its word in jls and in doc/LEDGER.md.
const char* status_word(Status status);

// One jail as jls(8) shows it.
struct Listed {
  std::string id;
  int64_t jid = 0;
  int64_t parent = 0;  // jid of the jail above it, 0 for the host
  std::string name;
  Spec shown;  // effective values, all filled in but exec.* and what only root may see
  pid_t process1 = 0;
  std::string cgroup;  // below the v2 mount: "/cellblock/5d1f09c2"
  std::string netns;   // a path that setns(2) takes: "/proc/4242/ns/net"
  bool dying = false;  // DYING for jls: not up, or not whole
  int64_t children = 0;
  std::string status, drift;  // left empty: they take more than a look (jail_status, drift_of)
};

// All jails that this caller may see, ascending by jid; with `dying` also those that are not or no
// longer whole. A record that is damaged or just gone is left out, or with `dying` shown by what
// is left of it; where we are the ones who cannot look (EMFILE, EACCES and their like) it is an
// error, so that a list never lacks a jail that is there. No registry at all is an empty list.
Result<std::vector<Listed>> list_jails(bool dying);

// The status of one jail; reads its ledger and, where no start or stop has come to its end, tries
// its lock: EACCES then for all but root. ENOENT: it has no record. A moment's truth.
Result<Status> jail_status(const std::string& id);

// Whether the file that a jail was started from asks for something else today than the snapshot
// holds: "none", "changed", "unconfigured" (it is no longer there, or the jail never came from a
// file); "-" for those who may not read the snapshot. `files` keeps what was read for the next
// call.
std::string drift_of(const Listed& jail, std::map<std::string, Config>& files);

// A running jail, ready to be entered.
struct FoundJail {
  std::string id;
  int64_t jid = 0;
  std::string name;
  std::string path;  // its root on the host, links resolved
  Fd process1;       // pidfd
  Fd group;          // directory of ID/jail/run
  Words rights;      // of os/privileges.h

  // For a Command; borrows the descriptors.
  Inside inside() const { return {process1.get(), group.get(), rights}; }
};

// Whether the jail of an entry runs: its process 1 lives. Without a record of it, or with a damaged
// one, it does not; not being able to look is an error.
Result<bool> is_running(const JailEntry& entry);

// Whether a jail whose process 1 was found to be gone has one again in a moment, or is undone: it
// has an init, was up, and its warden lives. Where that cannot be told, no.
bool is_between_lives(const JailEntry& entry);

// Finds a running jail by jid (a decimal number) or name (J5.6.3), and opens what it takes to enter
// it; waits up to 5 s for one that is being booted again. ESRCH: `jail "X" not found`, `jail N not
// found`.
Result<FoundJail> find_running(std::string_view name_or_jid);

}  // namespace jail
