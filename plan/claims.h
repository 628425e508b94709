// The writing half of the registry: claiming an id, name and jid; the three locks; forgetting a
// jail that is no more.
//
// Locks, all flock(2) on files below CELLBLOCK_RUN, so that they die with their holder:
//   registry        the registry: index, pins, sweeping. Held for a moment.
//   ID/lock         the life of one jail: start, stop, undo. Held throughout; who holds it stands
//                   in it.
//   ID/parameters   what jail -m changes. Held for a moment, also by hooks of a start that holds
//                   the life lock.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/op.h"
#include "os/facts.h"
#include "os/kernel.h"
#include "plan/index.h"
#include "plan/registry.h"

namespace jail {

// A jail claimed by us: its directory below CELLBLOCK_DB/jails and the lock of its life.
struct Claimed {
  JailEntry entry;
  Fd directory;
  Fd life;
};

// Draws an id for a new jail of that name (empty: the jid's text) and jid (0: the next free one),
// makes its directories, takes its life lock and enters it in the index. EEXIST, with Appendix A's
// text, if name or jid is taken by a jail that has a record; EAGAIN "no available jail IDs". After
// any other error an entry without a record may be left, which the next claim or prune_index takes
// away. Holds the registry's lock meanwhile.
Result<Claimed> claim(const Places& places, std::string_view name, int64_t jid);

// Takes the life lock of a jail that has a record. EBUSY if somebody else holds it (see holder),
// ENOENT if the jail is no more.
Result<Claimed> take_life(const Places& places, const JailEntry& entry);

// The process that holds a jail's life lock.
struct LifeHolder {
  pid_t pid = 0;
  Fd pidfd;
};
// Finds it out. ESRCH if nobody does; EAGAIN if somebody does who has not said so yet; EACCES for
// those who may not know. It may have let go by the time that this returns.
Result<LifeHolder> life_holder(const Places& places, const std::string& id);
// Such an error for one who wants the lock himself: with ESRCH and EAGAIN he tries again (success).
Result<void> unless_gone(const Error& error);

// Takes the lock of a jail's parameters, waiting for whoever has it; held as long as the descriptor
// is. ENOENT if the jail has no directory below CELLBLOCK_RUN.
Result<Fd> lock_parameters(const Places& places, const std::string& id);

// Removes the record of a jail whose ledger holds nothing open, its groups of hooks, and with the
// last jail the pins and the group base. The caller holds its life lock. Idempotent: killed half
// way, it leaves a record without a ledger, or an entry without a record, for the next command to
// finish.
Result<void> forget(const Places& places, const Facts& facts, const std::string& id);

// How closely prune_index looks. `quick` is for what every command does first: where there are as
// many records as entries it takes them for theirs.
enum class Look : unsigned char { whole, quick };

// Removes what claims that were killed left in the index and below CELLBLOCK_RUN, and the groups of
// hooks that have emptied since; enters the jails that the index has lost (jail --recover). An
// error if a record cannot be looked at: its jail is not gone.
Result<void> prune_index(const Places& places, const Facts& facts, Look look = Look::whole);

// Opens the directory of a jail's record. ENOENT: it is no more.
Result<Fd> open_record(const std::string& id);

// A jail's ledger as it is now, to be read only (Ledger::open). ENOENT: no record, or none in it.
Result<Ledger> read_ledger(const std::string& id);

// The effective parameters of a jail that has come to life, as jls shows them. ENOENT before that,
// and once its process 1 was undone; EINVAL where the file is damaged.
Result<Spec> read_shown(const JailEntry& entry);

// What a jail was started with; only root may read it (EACCES). Errors as above.
Result<Spec> read_snapshot(const JailEntry& entry);

// How many other jails of this registry hold an act open (an address of several jails). A ledger
// that is none holds nothing; an error where one cannot be read now.
Result<size_t> other_holders(const std::string& id, const Op& op);

// Gives a jail another name in the index and for an index that has to be made again, and those
// below it theirs. EEXIST if it is taken, ENOENT if there is no such jail. The ledger keeps the
// name of the start.
Result<void> rename_entry(const Places& places, const std::string& id, const std::string& name);

// The process 1 that a `boot` has yielded; pid 0, which nobody has, where it has yielded none.
Process1 process1_of(const Words& boot);

// Whether a process 1 lives. An error where it cannot be told: what cannot be seen is not gone.
Result<bool> lives(const Process1& process1);

}  // namespace jail
