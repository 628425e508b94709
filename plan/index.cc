#include "plan/index.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/file.h"
#include "base/sys.h"
#include "conf/lex.h"
#include "conf/print.h"
#include "ledger/ledger.h"

namespace jail {

namespace {

Result<Index> parse_index(std::string_view text) {
  Index index;
  // Read many times by every command: only a name in quotes is worth a lexer.
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t first = line.find(' '), second = line.find(' ', first + 1);
    if (line.empty()) continue;
    if (second == std::string_view::npos) return fail(EINVAL, "damaged");
    const std::string_view head = line.substr(0, first),
                           id = line.substr(first + 1, second - first - 1),
                           name = line.substr(second + 1);
    const std::optional<int64_t> number = parse_int(head == "index" ? name : head);
    if (!number) return fail(EINVAL, "damaged");
    if (head == "index") {
      index.last_jid = *number;
      continue;
    }
    JailEntry entry{*number, std::string(id), std::string(name)};
    if (name.starts_with('"')) entry.name = join(TRY(lex_words(name)), " ");
    index.entries.push_back(std::move(entry));
  }
  return index;
}

// As which jail it was booted, also if that is undone already, else the one that was asked for; 0:
// neither is known.
int64_t jid_of(int directory, const Ledger& ledger) {
  for (auto act = ledger.acts().rbegin(); act != ledger.acts().rend(); ++act)
    if (act->op.verb == "boot" && !act->op.args.empty())
      return parse_int(act->op.args[0]).value_or(0);
  Result<std::string> text = read_file(directory, "spec");
  Result<Spec> spec = text ? read_spec("spec", *text) : Result<Spec>(Spec{});
  return spec ? spec->jid.value_or(0) : 0;
}

// After a boot of the host, or where somebody emptied CELLBLOCK_RUN: the ledgers know name and jid.
Result<Index> rebuild_index(const Places& places) {
  Index index;
  Result<Words> names = list_directory(AT_FDCWD, jails_of(places));
  if (!names) return index;
  for (const std::string& id : *names) {
    Result<Fd> directory = open_at(AT_FDCWD, jails_of(places) + "/" + id, O_RDONLY | O_DIRECTORY);
    if (!directory) continue;
    Result<Ledger> ledger = Ledger::open(directory->get(), false);
    if (!ledger) continue;
    const int64_t jid = jid_of(directory->get(), *ledger);
    index.entries.push_back({jid, id, ledger->head().name});
    index.last_jid = std::max(index.last_jid, jid);
  }
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
  for (const std::string& name : *names)
    if (sys::unlinkat(AT_FDCWD, (path + "/" + name).c_str(), 0) != 0 && errno != ENOENT)
      return fail_errno(path + "/" + name);
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

Result<Index> read_index(const Places& places) {
  Result<std::string> text = read_file(AT_FDCWD, places.run + "/index");
  if (text) return in(places.run + "/index", parse_index(*text));
  if (text.error().code != ENOENT) return std::unexpected(std::move(text.error()));
  return rebuild_index(places);
}

namespace {

// Without an index, the host has been booted since the last claim: a record without a ledger is of
// one that had announced nothing yet.
Result<void> drop_unbegun(const Places& places) {
  for (const std::string& id : TRY(list_directory(AT_FDCWD, jails_of(places)))) {
    Fd directory = TRY(open_at(AT_FDCWD, jails_of(places) + "/" + id, O_RDONLY | O_DIRECTORY));
    Result<Ledger> ledger = Ledger::open(directory.get(), false);
    if (!ledger && ledger.error().code == ENOENT)
      TRY(remove_directory(jails_of(places) + "/" + id));
  }
  return {};
}

std::string text_of(const Index& index) {
  std::string text = fmt::format("index 1 {}\n", index.last_jid);
  for (const JailEntry& entry : index.entries)
    text += fmt::format("{} {} {}\n", entry.jid, entry.id, quote_word(entry.name));
  return text;
}

}  // namespace

Result<RegistryLock> RegistryLock::take(const Places& places) {
  RegistryLock registry(places);
  TRY(make_directories(jails_of(places), 0755));
  TRY(make_directories(places.run, 0755));
  registry.lock_ = TRY(lock_file(places.run + "/registry", LOCK_EX));
  struct stat status;
  const bool written = sys::fstatat(AT_FDCWD, (places.run + "/index").c_str(), &status, 0) == 0;
  if (!written) TRY(drop_unbegun(places));
  registry.index_ = TRY(read_index(places));
  if (written) registry.text_ = text_of(registry.index_);
  return registry;
}

Result<void> RegistryLock::save() {
  const std::string text = text_of(index_);
  if (text == text_) return {};
  return replace_file(AT_FDCWD, places_.run + "/index", text, 0644, false);
}

}  // namespace jail
