// The index of the registry: which id, jid and name belong together. Kept below CELLBLOCK_RUN and
// changed under the registry's lock only; what it says can be found again in the ledgers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "plan/registry.h"

namespace jail {

// One jail of the index.
struct JailEntry {
  int64_t jid = 0;  // 0: it had none when the index was rebuilt after a boot of the host
  std::string id;
  std::string name;
};

// The index: jid, id and today's name of every jail that has a record; and the last jid given out.
struct Index {
  int64_t last_jid = 0;
  std::vector<JailEntry> entries;  // in the order of their claims

  // The entry, or nullptr; it stays where it is until entries changes. jid 0 is nobody's.
  const JailEntry* by_name(std::string_view name) const;
  const JailEntry* by_jid(int64_t jid) const;
  const JailEntry* by_id(std::string_view id) const;
};

// Reads the index, without a lock: it is replaced as a whole. Makes it anew in memory from the
// ledgers where it is not there or damaged. Nothing at all is an empty one. An error if a record
// cannot be looked at: its jail is not gone. EINVAL for the index of a newer program.
Result<Index> read_index(const Places& places);

// Enters the jails that have a record and no entry. Under the registry's lock that can only be what
// damage to the index has lost. One whose name is taken by now is called by its id, one whose jid
// is has none.
Result<void> add_lost(const Places& places, Index& index);

// Holds the registry's lock, for a moment: every command needs it.
class RegistryLock {
 public:
  // Waits for whoever has it, and reads the index. Makes the directories that are missing
  // (CELLBLOCK_DB/jails, CELLBLOCK_RUN). After a boot of the host it removes records in which
  // nothing was announced.
  static Result<RegistryLock> take(const Places& places);
  // To be changed in place; nobody else sees that before save().
  Index& index() { return index_; }
  // Writes the index back if it has changed. On an error the old one stands.
  Result<void> save();

 private:
  explicit RegistryLock(const Places& places) : places_(places) {}
  Places places_;
  Fd lock_;
  Index index_;
  std::string text_;  // as it is in the file
};

// Where the records are: CELLBLOCK_DB/jails.
std::string jails_of(const Places& places);

// Opens a file of a lock, made where it is missing, and takes the lock (flock(2)'s `operation`);
// EBUSY with LOCK_NB where another has it. The lock lives as long as the descriptor and its copies
// in children by fork. Nobody but root can open it: any descriptor would do to hold the lock for
// ever.
Result<Fd> lock_file(const std::string& path, int operation);

// Removes a directory and the files in it, but no directory below it (EISDIR or EPERM). One that is
// gone is a success.
Result<void> remove_directory(const std::string& path);

}  // namespace jail
