// Hand: all that a start or an undo of one jail has in hand, and the undoing itself, which
// starting, stopping and recovering share.
#pragma once

#include <optional>
#include <vector>

#include "conf/spec.h"
#include "ledger/engine.h"
#include "ledger/ledger.h"
#include "os/world.h"
#include "plan/lifecycle.h"
#include "plan/verbs.h"

namespace jail {

// Not copied nor moved once filled: world and life point into it. As long as it lives, the jail's
// life lock is held; a start has claimed it, everything else has taken it over.
struct Hand {
  explicit Hand(const Host& on) : host(on) {}
  Hand(const Hand&) = delete;
  Hand& operator=(const Hand&) = delete;
  ~Hand() = default;

  // What the engine works on; needs the ledger.
  Work work();

  const Host& host;
  Claimed claimed;
  std::optional<Ledger> ledger;
  Spec spec, hooks;      // the snapshot; and whose exec.* run
  bool damaged = false;  // something of the record could not be read and was passed over
  World world;
  Life life;
  std::vector<Verb> verbs = all_verbs();
};

// Points world and life at what was claimed. Group, root and the rest of the place follow: from the
// jail above at a start, from the ledger in take_over.
void fill_world(Hand& hand);

// What take_over does about a snapshot or a ledger that is none: an error, or says so and goes on
// without what cannot be read.
enum class Damage : unsigned char { refused, passed_over };

// Takes the life lock of a jail that has a record, and reads the record: snapshot, ledger, what its
// acts yielded. EBUSY: a living command has it; ENOENT: it is no more. Else the record cannot be
// read. A damaged snapshot that nothing to be undone needs is passed over in any case. From here on
// the user's wish to stop does not interrupt (Talk::stop_fd is -1): an undo goes to its end.
Result<void> take_over(Hand& hand, const JailEntry& entry, const Talk& talk,
                       Damage damage = Damage::refused);

// Reads ledger and boot of a jail that somebody else has the lock of, for `jail --boot`: nothing of
// it may be written.
Result<void> look_over(Hand& hand, const std::string& id);

// The acts of process 1 (World::boot) as a file of the record, for whoever makes the next one.
Result<void> save_boot(const Hand& hand);

// Whether the jail's process 1 lives. An error where that cannot be told.
Result<bool> is_up(const Hand& hand);
// The same, and its start has succeeded and no stop has begun.
Result<bool> is_whole(const Hand& hand);

// Undoes all that is open, says what failed, and forgets the jail if nothing is left. False:
// something is open still, or the record could not be removed. A guard that refused has put the
// jail back to `up`.
bool undo_all(Hand& hand);

// Undoes a start or stop that was cut short, or what is left of a jail that has ended, as a
// rollback. False: as above.
bool clean_up(Hand& hand);

// Milliseconds between two looks at a jail that another command works on.
constexpr int lock_wait = 100;
// Before each look at a jail that others may work on, counted from 0: ECANCELED where the user
// wants to stop; from the third on they come after a pause of 10 ms.
Result<void> look_again(const Talk& talk, int count);

// Prints an error, but for ECANCELED: that the user wants to stop is no news to him.
void say(const Talk& talk, const Error& error);

}  // namespace jail
