#include "plan/claims.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/file.h"
#include "base/sys.h"
#include "conf/print.h"
#include "os/kernel.h"
#include "plan/create.h"

namespace jail {

namespace {

constexpr int64_t last_possible_jid = 999'999;  // J2.2

// A lock on a file that was removed while we waited for it locks nothing.
bool still_there(int fd) {
  struct stat status;
  return sys::fstat(fd, &status) == 0 && status.st_nlink > 0;
}

// The holder's number and start time stand in the file, for life_holder(): a lock itself does not
// say whose it is.
Result<Fd> lock_life(const Places& places, const std::string& id) {
  const uint64_t start = TRY(start_time(getpid()));
  Fd lock = TRY(lock_file(fmt::format("{}/{}/lock", places.run, id), LOCK_EX | LOCK_NB));
  if (!still_there(lock.get())) return fail_errno("jail " + id, ENOENT);
  if (sys::ftruncate(lock.get(), 0) != 0) return fail_errno("lock");
  TRY(in("lock", write_all(lock.get(), fmt::format("{} {}\n", getpid(), start))));
  return lock;
}

// At random: what a crash has left under an id must not be taken for a later jail's.
Result<std::string> draw_id() {
  uint32_t number = 0;
  Fd random = TRY(open_at(AT_FDCWD, "/dev/urandom", O_RDONLY));
  if (sys::read(random.get(), &number, sizeof number) != sizeof number)
    return fail_errno("/dev/urandom", EIO);
  return fmt::format("{:08x}", number);
}

// Counts up from the last one given out, and wraps (J2.2): a jid is long in coming back.
Result<int64_t> free_jid(const Index& index) {
  for (int64_t tried = 0, jid = index.last_jid; tried < last_possible_jid; ++tried) {
    jid = jid >= last_possible_jid ? 1 : jid + 1;
    if (!index.by_jid(jid)) return jid;
  }
  return fail(EAGAIN, "no available jail IDs");
}

// Draws ids until one is new: no directory, and not in the index.
Result<std::string> new_id(const Places& places, const Index& index) {
  for (;;) {
    std::string id = TRY(draw_id());
    const std::string directory = fmt::format("{}/jails/{}", places.db, id);
    struct stat status;
    if (!index.by_id(id) && sys::fstatat(AT_FDCWD, directory.c_str(), &status, 0) != 0) return id;
  }
}

// An entry without a directory is what a claim or a forgetting that was killed left: under the
// registry's lock neither is under way. A directory that cannot be seen is not gone.
Result<void> prune(const Places& places, Index& index, const JailEntry* entry) {
  struct stat status;
  if (!entry) return {};
  const std::string id = entry->id, record = jails_of(places) + "/" + id;
  if (sys::fstatat(AT_FDCWD, record.c_str(), &status, 0) == 0) return {};
  if (errno != ENOENT) return fail_errno(record);
  TRY(remove_directory(places.run + "/" + id));
  std::erase_if(index.entries, [&](const JailEntry& other) { return other.id == id; });
  return {};
}

// What a claim makes for its entry of the index.
Result<void> make_record(const Places& places, Claimed& claimed) {
  const std::string directory = jails_of(places) + "/" + claimed.entry.id;
  TRY(make_directories(places.run + "/" + claimed.entry.id, 0755));
  claimed.life = TRY(lock_life(places, claimed.entry.id));
  TRY(make_directories(directory, 0755));
  claimed.directory = TRY(open_at(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY));
  return {};
}

// Empty groups of hooks whose jail is gone, and with the last jail what all share.
void drop_remains(const Places& places, const Facts& facts, const Index& index) {
  Words spared;
  // Of a jail inside another only hooks have a group here. With no more groups than jails there is
  // nothing to look for.
  const auto outer = std::ranges::count_if(
      index.entries, [](const JailEntry& entry) { return !entry.name.contains('.'); });
  const auto groups = count_directories(facts.groups + "/" + places.base);
  if (outer != 0 && groups && *groups <= static_cast<size_t>(outer)) return;
  for (const JailEntry& entry : index.entries) spared.push_back(entry.id);
  std::ranges::sort(spared);
  sweep_groups(facts, places.base, spared);
  if (index.entries.empty()) drop_pins(places.run);
}

}  // namespace

Result<Claimed> claim(const Places& places, std::string_view name, int64_t jid) {
  RegistryLock registry = TRY(RegistryLock::take(places));
  Index& index = registry.index();
  TRY(prune(places, index, index.by_jid(jid)));
  TRY(prune(places, index, index.by_name(name)));
  if (jid != 0 && index.by_jid(jid))
    return fail(EEXIST, fmt::format("jail {} already exists", jid));
  Claimed claimed;
  claimed.entry.jid = jid != 0 ? jid : TRY(free_jid(index));
  claimed.entry.name = name.empty() ? fmt::format("{}", claimed.entry.jid) : std::string(name);
  // By name after the jid is drawn: a jail without a name is called by that, which may be taken.
  if (index.by_name(claimed.entry.name))
    return fail(EEXIST, fmt::format("jail \"{}\" already exists", name));
  claimed.entry.id = TRY(new_id(places, index));
  TRY(make_pins(places.run));
  // The index first: an entry without a directory is nothing, a directory without an entry would be
  // lost.
  index.last_jid = jid != 0 ? index.last_jid : claimed.entry.jid;
  index.entries.push_back(claimed.entry);
  TRY(registry.save());
  Result<void> made = make_record(places, claimed);
  if (made) return claimed;
  // Without its directory the entry is nothing, and pruned.
  ignore(remove_directory(jails_of(places) + "/" + claimed.entry.id),
         "it is empty: a start that was cut short");
  return std::unexpected(std::move(made.error()));
}

Result<Claimed> take_life(const Places& places, const JailEntry& entry) {
  Claimed claimed;
  claimed.entry = entry;
  claimed.directory =
      TRY(open_at(AT_FDCWD, jails_of(places) + "/" + entry.id, O_RDONLY | O_DIRECTORY));
  TRY(make_directories(places.run + "/" + entry.id, 0755));
  claimed.life = TRY(lock_life(places, entry.id));
  // While we waited, the last holder may have forgotten the jail.
  if (!still_there(claimed.directory.get())) {
    ignore(remove_directory(places.run + "/" + entry.id), "the next command prunes it");
    return fail_errno("jail " + entry.name, ENOENT);
  }
  return claimed;
}

Result<LifeHolder> life_holder(const Places& places, const std::string& id) {
  const std::string path = fmt::format("{}/{}/lock", places.run, id);
  Result<Fd> file = open_at(AT_FDCWD, path, O_RDWR);
  if (!file && file.error().code == ENOENT) return fail_errno(path, ESRCH);
  if (!file) return std::unexpected(std::move(file.error()));
  const std::string text = TRY(in(path, read_all(file->get(), 256)));
  const Words words = split(text, " \n");
  LifeHolder holder;
  uint64_t start = 0;
  if (words.size() == 2) {
    holder.pid = static_cast<pid_t>(parse_int(words[0]).value_or(0));
    start = static_cast<uint64_t>(parse_int(words[1]).value_or(0));
  }
  Result<Fd> pidfd = open_process1({holder.pid, start});
  if (!pidfd && pidfd.error().code != ESRCH) return std::unexpected(std::move(pidfd.error()));
  // Looked at last: if the lock is held now and the file says what it said, the process that we
  // opened before is its holder. One that has the lock and has not yet written may be anybody.
  if (sys::flock(file->get(), LOCK_EX | LOCK_NB) == 0) return fail_errno(path, ESRCH);
  if (errno != EWOULDBLOCK) return fail_errno(path);
  char now[256];
  const ssize_t size = sys::pread(file->get(), now, sizeof now, 0);
  if (!pidfd || size < 0 || text != std::string_view(now, static_cast<size_t>(size)))
    return fail_errno(path, EAGAIN);
  holder.pidfd = std::move(*pidfd);
  return holder;
}

// Between a look at the lock and a look at its holder both may change: that is no reason to give
// up.
Result<void> unless_gone(const Error& error) {
  if (error.code == ESRCH || error.code == EAGAIN) return {};
  return std::unexpected(error);
}

Result<Fd> lock_parameters(const Places& places, const std::string& id) {
  return lock_file(fmt::format("{}/{}/parameters", places.run, id), LOCK_EX);
}

Result<void> forget(const Places& places, const Facts& facts, const std::string& id) {
  RegistryLock registry = TRY(RegistryLock::take(places));
  Index& index = registry.index();
  std::erase_if(index.entries, [&](const JailEntry& entry) { return entry.id == id; });
  // Groups first: as long as there is a record, the next command does this again. What a hook left
  // running keeps its own.
  Result<void> hooks = facts.groups.empty()
                           ? Result<void>()
                           : remove_group(facts, fmt::format("{}/{}.hook", places.base, id));
  if (!hooks && hooks.error().code != EBUSY) return hooks;
  if (index.entries.empty()) drop_remains(places, facts, index);
  // The record goes before the index, so that a crash between the two leaves an entry without a
  // record: nothing.
  const std::string record = jails_of(places) + "/" + id;
  // And the ledger before all else that is in it: without the snapshot, what a loss of power brings
  // back of it could not be understood.
  if (sys::unlinkat(AT_FDCWD, (record + "/ledger").c_str(), 0) != 0 && errno != ENOENT)
    return fail_errno(record);
  TRY(remove_directory(record));
  TRY(remove_directory(places.run + "/" + id));
  return registry.save();
}

Result<void> prune_index(const Places& places, const Facts& facts, Look look) {
  struct stat status;
  const bool used = sys::fstatat(AT_FDCWD, (places.run + "/registry").c_str(), &status, 0) == 0;
  if (!used) {  // makes no directories where there is nothing
    Result<Words> records = list_directory(AT_FDCWD, jails_of(places));
    if (!records && records.error().code != ENOENT)
      return std::unexpected(std::move(records.error()));
    if (!records || records->empty()) return {};
  }
  RegistryLock registry = TRY(RegistryLock::take(places));
  const std::vector<JailEntry> entries = registry.index().entries;
  if (look == Look::whole || count_directories(jails_of(places)) != entries.size()) {
    for (const JailEntry& entry : entries) TRY(prune(places, registry.index(), &entry));
    TRY(add_lost(places, registry.index()));
  }
  drop_remains(places, facts, registry.index());
  return registry.save();
}

Process1 process1_of(const Words& boot) {
  if (boot.size() != 2) return {};
  return {static_cast<pid_t>(parse_int(boot[0]).value_or(0)),
          static_cast<uint64_t>(parse_int(boot[1]).value_or(0))};
}

Result<bool> lives(const Process1& process1) {
  Result<Fd> pidfd = open_process1(process1);
  if (!pidfd && pidfd.error().code != ESRCH) return std::unexpected(std::move(pidfd.error()));
  return pidfd.has_value();
}

Result<Fd> open_record(const std::string& id) {
  return open_at(AT_FDCWD, jails_of(places()) + "/" + id, O_RDONLY | O_DIRECTORY);
}

Result<Ledger> read_ledger(const std::string& id) {
  return Ledger::open(TRY(open_record(id)).get(), false);
}

Result<Spec> read_shown(const JailEntry& entry) {
  Fd record = TRY(open_record(entry.id));
  return effective(TRY(read_spec("shown", TRY(read_file(record.get(), "shown")))));
}

Result<Spec> read_snapshot(const JailEntry& entry) {
  Fd record = TRY(open_record(entry.id));
  return read_spec("spec", TRY(read_file(record.get(), "spec")));
}

Result<size_t> other_holders(const std::string& id, const Op& op) {
  size_t count = 0;
  const Index index = TRY(read_index(places()));
  for (const JailEntry& entry : index.entries) {
    if (entry.id == id) continue;
    Result<Ledger> ledger = read_ledger(entry.id);
    // What is no ledger holds nothing; one that cannot be read now may.
    if (!ledger && ledger.error().code != ENOENT && ledger.error().code != EINVAL)
      return std::unexpected(std::move(ledger.error()));
    if (!ledger) continue;
    count += static_cast<size_t>(std::ranges::count_if(
        ledger->acts(), [&](const Act& act) { return act.open && act.op == op; }));
  }
  return count;
}

Result<void> rename_entry(const Places& places, const std::string& id, const std::string& name) {
  RegistryLock registry = TRY(RegistryLock::take(places));
  for (const JailEntry& entry : registry.index().entries)
    if (entry.name == name && entry.id != id)
      return fail(EEXIST, fmt::format("jail \"{}\" already exists", name));
  const JailEntry* self = registry.index().by_id(id);
  if (!self) return fail_errno("jail " + name, ENOENT);
  const std::string old = self->name;
  for (JailEntry& entry : registry.index().entries) {
    if (entry.id != id && !entry.name.starts_with(old + ".")) continue;
    entry.name.replace(0, old.size(), name);
    // For an index that has to be made again; what the ledger has is the name of the start.
    Fd record = TRY(open_record(entry.id));
    TRY(replace_file(record.get(), "name", entry.name, 0600, false));
  }
  return registry.save();
}

}  // namespace jail
