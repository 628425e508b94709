// The ledger: what was done for one jail, written down before it is done.
//
// A start is a list of reversible acts. Each is announced here with `+` before it is performed,
// confirmed with `=` and what it yielded afterwards, and struck with `-` once it is undone.
// Whatever kills us in between - a signal, a power cut - the next command reads this file and knows
// all that may be in the world: every act announced and not struck is open, and undoing the open
// ones, newest first, is the whole of stopping, of rolling back and of recovering.
//
//     ledger 1 5d1f09c2 web 0b2c4e0e-...      version, id, name as at start, the host's boot id
//     + group cellblock/5d1f09c2              about to
//     = group                                 done, and what it yielded
//     + boot 7
//     = boot 4242 8831120
//     ! up                                    a mark: the whole start succeeded
//     ! down                                  a stop has begun
//     - boot 7                                undone
//
// One line, one write(2), words quoted as in jail.conf. Rules:
// - A last line without its newline never happened: it was torn by a power cut, before the act
//   it announces began.
// - `+` of an act that survives a reboot (Lives::disk) is synced before the act; for the others
//   the page cache will do, because what kills the cache kills the effect too.
// - An act announced again while it is open (a boot done anew) takes the place of the first in
//   the order of undo.
// - Only the holder of the jail's lock appends.
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "ledger/op.h"

namespace jail {

// One act of a ledger.
struct Act {
  Op op;
  Words yield;        // what apply returned; empty until it is done
  bool done = false;  // `=` was written: apply had returned
  bool open = true;   // not undone yet
};

// The first line of a ledger.
struct LedgerHead {
  std::string id, name, boot_id;

  bool operator==(const LedgerHead&) const = default;
};

// Invariants: acts() are in the order of the first `+`; what a function has returned success for is
// in the file.
class Ledger {
 public:
  // Starts the ledger of a new jail in its directory (a descriptor); EEXIST if there is one (a torn
  // first line is none). With `sync` the first line and its directory entry are on disk on return.
  // On any other error there may be a file without a first line, which is no ledger.
  static Result<Ledger> create(int directory, LedgerHead head, bool sync);

  // Reads the ledger of a jail, to append to it if `writable`. ENOENT where none was begun; EINVAL
  // with file and line for text that is no ledger of a version we know, EFBIG beyond 16 MiB;
  // nothing is changed then. If writable, a torn last line is cut off.
  static Result<Ledger> open(int directory, bool writable);

  // Reads the text of a ledger (the reader behind open; hostile text allowed). Not writable.
  static Result<Ledger> parse(std::string_view text);

  // What can be understood of the text of a damaged ledger: lines that are none are left out, and
  // `otherwise` is the head where the first line is one of them. Not writable: what is undone is
  // struck in memory only.
  static Ledger salvage(std::string_view text, LedgerHead otherwise);

  const LedgerHead& head() const { return head_; }
  // All of them, the undone ones too. Every function below that writes may move them.
  const std::vector<Act>& acts() const { return acts_; }
  // The newest mark ("up", "down", "reboot") with its words, or no words.
  const Words& mark() const { return mark_; }
  bool any_open() const;
  // The newest open act of that verb, or nullptr.
  const Act* newest(std::string_view verb) const;
  // What the newest open act of that verb yielded; empty if there is none.
  Words yielded(std::string_view verb) const;

  // What fails to be written is not in the ledger and changes nothing here: a part of a line is cut
  // off again. Where even that fails, the ledger is closed and all later writes are EIO.

  // Announces an act: on disk on return if `sync`. Yields its place in acts().
  Result<size_t> begin(const Op& op, bool sync);
  // Confirms the act at `place` and what it yielded. EINVAL if it is not open, or confirmed
  // already.
  Result<void> done(size_t place, Words yield);
  // The newest open act of that verb was undone and done once more, as nobody but itself minds: it
  // keeps its place, and yields this from now on (a jail's `boot` after a reboot inside). EINVAL:
  // there is none. Else as done().
  Result<void> done_again(const Op& op, Words yield);
  // Strikes the act at `place`. Where that cannot be written (a full disk must not keep a jail from
  // being stopped), it is struck in memory only: after a crash its undo, which is idempotent, is
  // done once more.
  void undone(size_t place);
  // Strikes the newest open act that is `op`, if there is one.
  void strike(const Op& op);
  // Writes a mark. EINVAL without words.
  Result<void> set_mark(const Words& words);

 private:
  Result<void> append(char sign, const Words& words, bool sync);
  Result<void> take(char sign, Words words);
  Result<void> take_line(std::string_view line);

  Fd file_;
  off_t size_ = 0;  // of what is whole in it
  LedgerHead head_;
  std::vector<Act> acts_;
  Words mark_;
};

}  // namespace jail
