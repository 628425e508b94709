// The index is a text: "index 1 LAST_JID", then "JID ID NAME" for each jail. Everything in it can
// be found again in the records, so it is never synced: after a loss of power it is made anew.
#include "plan/index.h"

#include <algorithm>
#include <fmt/format.h>
#include <initializer_list>

#include "base/file.h"
#include "base/sys.h"
#include "conf/lex.h"
#include "conf/print.h"
#include "ledger/ledger.h"

namespace jail {

namespace {

// The first line, with what is read of it taken off the text. ENODATA: it is none, so the text is
// not to be trusted.
Result<int64_t> parse_head(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  const Words words = split(line, " ");
  const std::optional<int64_t> last = words.size() == 3 ? parse_int(words[2]) : std::nullopt;
  if (!text.ends_with('\n') || words.size() != 3 || words[0] != "index" || !last)
    return fail_errno("index", ENODATA);
  if (words[1] != "1")
    return fail(EINVAL, fmt::format("of version {}, made by a newer program", words[1]));
  text.remove_prefix(line.size() + 1);
  return *last;
}

// ENODATA as above.
Result<Index> parse_index(std::string_view text) {
  Index index;
  index.last_jid = TRY(parse_head(text));
  // Read many times by every command: only a name in quotes is worth a lexer.
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t first = line.find(' '), second = line.find(' ', first + 1);
    if (second == std::string_view::npos) return fail_errno("index", ENODATA);
    const std::string_view name = line.substr(second + 1);
    const std::optional<int64_t> jid = parse_int(line.substr(0, first));
    Result<Words> words = name.starts_with('"') ? lex_words(name) : Words{std::string(name)};
    if (!jid || !words) return fail_errno("index", ENODATA);
    index.entries.push_back(
        {*jid, std::string(line.substr(first + 1, second - first - 1)), join(*words, " ")});
  }
  return index;
}

bool is_one_of(int code, std::initializer_list<int> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

// What a record was started with, or nothing where that is not to be had: it is damaged, not there,
// or not for this reader.
Result<Spec> snapshot_of(int record) {
  Result<std::string> text = read_file(record, "spec");
  if (!text && !is_one_of(text.error().code, {ENOENT, EACCES, EFBIG}))
    return std::unexpected(std::move(text.error()));
  return text ? read_spec("spec", *text).value_or(Spec{}) : Spec{};
}

// What the record was renamed to, or else what it was started as.
Result<std::string> name_in(int record, const std::string& started_as) {
  Result<std::string> renamed = read_file(record, "name");
  if (renamed) return renamed;
  if (!is_one_of(renamed.error().code, {ENOENT, EACCES, EFBIG}))
    return std::unexpected(std::move(renamed.error()));
  return started_as;
}

// The jid is that of the boot, also if that is undone already, else the one that was asked for; 0:
// neither is known. Nothing for a record that nothing was announced in. One whose ledger is damaged
// has a name all the same: it is not to be forgotten in silence.
Result<std::optional<JailEntry>> read_entry(const Places& places, const std::string& id) {
  Result<Fd> record = open_at(AT_FDCWD, jails_of(places) + "/" + id, O_RDONLY | O_DIRECTORY);
  if (!record && is_one_of(record.error().code, {ENOENT, ENOTDIR})) return std::nullopt;
  if (!record) return std::unexpected(std::move(record.error()));
  Result<Ledger> ledger = Ledger::open(record->get(), false);
  if (!ledger && ledger.error().code == ENOENT) return std::nullopt;
  if (!ledger && !is_one_of(ledger.error().code, {EINVAL, EFBIG}))
    return std::unexpected(std::move(ledger.error()));
  const Spec spec = TRY(snapshot_of(record->get()));
  JailEntry entry{spec.jid.value_or(0), id, ledger ? ledger->head().name : spec.name.value_or(id)};
  entry.name = TRY(name_in(record->get(), entry.name));
  for (const Act& act : ledger ? ledger->acts() : std::vector<Act>{})
    if (act.op.verb == "boot" && !act.op.args.empty())
      entry.jid = parse_int(act.op.args[0]).value_or(0);
  return entry;
}

Result<Index> rebuild_index(const Places& places) {
  Index index;
  TRY(add_lost(places, index));
  return index;
}

}  // namespace

std::string jails_of(const Places& places) {
  return places.db + "/jails";
}

Result<Fd> lock_file(const std::string& path, int operation) {
  Fd file = TRY(open_at(AT_FDCWD, path, O_RDWR | O_CREAT, 0600));
  struct stat status;
  // One of an earlier version is everybody's to open.
  if (sys::fstat(file.get(), &status) != 0 ||
      ((status.st_mode & 077U) != 0 && sys::fchmod(file.get(), 0600) != 0))
    return fail_errno(path);
  while (sys::flock(file.get(), operation) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return fail_errno(path, EBUSY);
    return fail_errno(path);
  }
  return file;
}

Result<void> remove_directory(const std::string& path) {
  Result<Words> names = list_directory(AT_FDCWD, path);
  if (!names)
    return names.error().code == ENOENT ? Result<void>()
                                        : std::unexpected(std::move(names.error()));
  for (const std::string& name : *names) {
    const std::string file = fmt::format("{}/{}", path, name);
    if (sys::unlinkat(AT_FDCWD, file.c_str(), 0) != 0 && errno != ENOENT) return fail_errno(file);
  }
  if (sys::unlinkat(AT_FDCWD, path.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
    return fail_errno(path);
  return {};
}

const JailEntry* Index::by_name(std::string_view name) const {
  auto it = std::ranges::find(entries, name, &JailEntry::name);
  return it == entries.end() ? nullptr : &*it;
}

const JailEntry* Index::by_jid(int64_t jid) const {
  auto it = std::ranges::find(entries, jid, &JailEntry::jid);
  return it == entries.end() || jid == 0 ? nullptr : &*it;
}

const JailEntry* Index::by_id(std::string_view id) const {
  auto it = std::ranges::find(entries, id, &JailEntry::id);
  return it == entries.end() ? nullptr : &*it;
}

Result<void> add_lost(const Places& places, Index& index) {
  Result<Words> names = list_directory(AT_FDCWD, jails_of(places));
  if (!names && names.error().code == ENOENT) return {};
  if (!names) return std::unexpected(std::move(names.error()));
  for (const std::string& id : *names) {
    if (index.by_id(id)) continue;
    std::optional<JailEntry> entry = TRY(read_entry(places, id));
    if (!entry) continue;
    // Another may have been started as it while it was lost.
    if (index.by_name(entry->name)) entry->name = id;
    if (index.by_jid(entry->jid)) entry->jid = 0;
    index.last_jid = std::max(index.last_jid, entry->jid);
    index.entries.push_back(std::move(*entry));
  }
  return {};
}

// A damaged one is made anew like one that is not there. One of a newer program is not: it may say
// what the ledgers do not.
Result<Index> read_index(const Places& places) {
  Result<std::string> text = read_file(AT_FDCWD, places.run + "/index");
  Result<Index> index = text ? parse_index(*text) : std::unexpected(std::move(text.error()));
  if (index || !is_one_of(index.error().code, {ENOENT, ENODATA}))
    return text ? in(places.run + "/index", std::move(index)) : index;
  return rebuild_index(places);
}

namespace {

// Without an index, the host has been booted since the last claim: a record without a ledger is of
// one that had announced nothing yet.
Result<void> drop_unbegun(const Places& places) {
  for (const std::string& id : TRY(list_directory(AT_FDCWD, jails_of(places)))) {
    Result<Fd> record = open_at(AT_FDCWD, jails_of(places) + "/" + id, O_RDONLY | O_DIRECTORY);
    if (!record && record.error().code == ENOTDIR) continue;
    if (!record) return std::unexpected(std::move(record.error()));
    Result<Ledger> ledger = Ledger::open(record->get(), false);
    if (!ledger && ledger.error().code == ENOENT)
      TRY(remove_directory(jails_of(places) + "/" + id));
  }
  return {};
}

// A name may hold blanks and quotes: it is written as a word of jail.conf.
std::string text_of(const Index& index) {
  std::string text = fmt::format("index 1 {}\n", index.last_jid);
  for (const JailEntry& entry : index.entries)
    text += fmt::format("{} {} {}\n", entry.jid, entry.id, quote_word(entry.name));
  return text;
}

}  // namespace

// Read after the lock is held: what was read before may be what the last holder has replaced.
Result<RegistryLock> RegistryLock::take(const Places& places) {
  RegistryLock registry(places);
  TRY(make_directories(jails_of(places), 0755));
  TRY(make_directories(places.run, 0755));
  registry.lock_ = TRY(lock_file(places.run + "/registry", LOCK_EX));
  Result<std::string> text = read_file(AT_FDCWD, places.run + "/index");
  if (!text && text.error().code != ENOENT) return std::unexpected(std::move(text.error()));
  if (!text) TRY(drop_unbegun(places));
  registry.index_ = TRY(read_index(places));
  registry.text_ = text.value_or("");
  return registry;
}

Result<void> RegistryLock::save() {
  const std::string text = text_of(index_), index = places_.run + "/index";
  if (text != text_) return replace_file(AT_FDCWD, index, text, 0644, false);
  // What a command that was killed before its rename left is not replaced then.
  if (sys::unlinkat(AT_FDCWD, (index + ".new").c_str(), 0) != 0 && errno != ENOENT)
    return fail_errno(index + ".new");
  return {};
}

}  // namespace jail
