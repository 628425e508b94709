// The looking half of the registry (plan/claims.cc is the writing one): everybody may call it, no
// lock is held, and a jail may come or go between any two lines.
#include "plan/registry.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include "base/file.h"
#include "base/sys.h"
#include "conf/config.h"
#include "conf/import.h"
#include "conf/lex.h"
#include "conf/print.h"
#include "ledger/ledger.h"
#include "os/kernel.h"
#include "os/wardens.h"
#include "plan/claims.h"
#include "plan/create.h"
#include "plan/init.h"
#include "plan/privileges.h"

namespace jail {

namespace {

std::string directory_of(const char* variable, const char* otherwise) {
  const char* value = std::getenv(variable);
  return value && *value ? value : otherwise;
}

// A base of its own for every registry but the usual one, so that none sweeps another's groups
// (FNV-1a of the path).
std::string base_of(const std::string& db) {
  if (db == "/var/db/cellblock") return "cellblock";
  uint32_t hash = 2166136261U;
  for (char byte : db) hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619U;
  return fmt::format("cellblock.{:08x}", hash);
}

// A `shown` file: its facts, and its whole text for read_spec().
struct Record {
  ShownFacts facts;
  std::string shown;
};

Result<Fd> open_records() {
  return open_at(AT_FDCWD, places().db + "/jails", O_RDONLY | O_DIRECTORY);
}

Result<Record> read_record(const Fd& records, const JailEntry& entry) {
  Record record;
  record.shown = TRY(read_file(records.get(), entry.id + "/shown", 1U << 20));
  std::optional<ShownFacts> facts = shown_facts(record.shown);
  if (!facts) return fail(EINVAL, "shown: not a record");
  record.facts = *facts;
  return record;
}

// Whether it is the looking that failed, and not the record that is at fault or gone.
bool is_ours(const Error& error) {
  constexpr int codes[] = {EMFILE, ENFILE, ENOMEM, EIO, EACCES};
  return std::ranges::find(codes, error.code) != std::end(codes);
}

// An error where that cannot be told: only root may look.
Result<bool> lock_held(const std::string& id) {
  Result<LifeHolder> holder = life_holder(places(), id);
  if (holder || holder.error().code == EAGAIN) return true;
  if (holder.error().code == ESRCH) return false;
  return std::unexpected(std::move(holder.error()));
}

// A start that was killed: it never came to `! up`, and nobody works on it.
bool cut_short(const Fd& records, const std::string& id) {
  Result<std::string> ledger = read_file(records.get(), id + "/ledger");
  return ledger && ledger->find("\n! ") == std::string::npos && !lock_held(id).value_or(true);
}

Result<Listed> list_one(const Fd& records, const JailEntry& entry, NamesVisit& names) {
  Record record = TRY(read_record(records, entry));
  Listed listed;
  listed.id = entry.id;
  listed.jid = entry.jid;
  listed.parent = record.facts.parent;
  listed.name = entry.name;
  listed.shown = effective(TRY(read_spec("shown", record.shown)));
  listed.shown.name = entry.name;  // the jail above it may have another name by now
  listed.process1 = record.facts.process1.pid;
  listed.cgroup = "/" + record.facts.group;
  listed.netns = netns_path(record.facts.process1.pid);
  Result<Fd> process1 = open_process1(record.facts.process1);
  if (!process1 && process1.error().code != ESRCH)
    return std::unexpected(std::move(process1.error()));
  listed.dying = !process1 || cut_short(records, entry.id);
  if (!process1) return listed;
  if (std::optional<HostNames> now = names.read(process1->get())) {
    listed.shown.host_hostname = std::move(now->host);
    listed.shown.host_domainname = std::move(now->domain);
  }
  return listed;
}

// A jail that has no `shown`: a start that did not come that far, or a stop that could not go to
// its end.
Result<Listed> list_remains(const JailEntry& entry) {
  Fd directory = TRY(open_record(entry.id));
  Listed listed;
  listed.id = entry.id;
  listed.jid = entry.jid;
  listed.name = entry.name;
  Result<std::string> text = read_file(directory.get(), "spec");
  Result<Spec> spec = text ? read_spec("spec", *text) : Result<Spec>(Spec{});
  listed.shown = effective(public_part(spec ? *spec : Spec{}, nullptr));
  listed.shown.name = entry.name;
  listed.shown.jid = entry.jid;
  listed.dying = true;
  return listed;
}

constexpr int reboot_wait = 5'000, reboot_look = 10;  // ms

bool has_warden(const std::string& id) {
  Result<Facts> facts = probe();
  if (!facts) return false;
  World world;
  world.id = id;
  world.base = places().base;
  world.facts = std::move(*facts);
  return warden_lives(world).value_or(false);
}

// All descendants (J2.2, children.cur).
void count_children(std::vector<Listed>& jails) {
  for (Listed& jail : jails)
    jail.children = std::ranges::count_if(
        jails, [&](const Listed& other) { return other.name.starts_with(jail.name + "."); });
}

}  // namespace

Places places() {
  Places found{directory_of("CELLBLOCK_DB", "/var/db/cellblock"),
               directory_of("CELLBLOCK_RUN", "/run/cellblock"),
               directory_of("CELLBLOCK_LOG", "/var/log/cellblock"),
               {}};
  found.base = base_of(found.db);
  return found;
}

const char* status_word(Status status) {
  switch (status) {
    case Status::starting:
      return "starting";
    case Status::partial:
      return "partial";
    case Status::up:
      return "up";
    case Status::given_up:
      return "given-up";
    case Status::stopping:
      return "stopping";
    case Status::ended:
      return "ended";
    case Status::broken:
      return "broken";
  }
  bug("no such status");
}

Result<std::vector<Listed>> list_jails(bool dying) {
  std::vector<Listed> jails;
  Index index = TRY(read_index(places()));
  if (index.entries.empty()) return jails;
  std::ranges::sort(index.entries, {}, &JailEntry::jid);
  const Fd records = TRY(open_records());
  NamesVisit names;
  jails.reserve(index.entries.size());
  for (const JailEntry& entry : index.entries) {
    Result<Listed> listed = list_one(records, entry, names);
    // A list that lacks a jail because we are short of something would tell that the jail is gone.
    if (!listed && is_ours(listed.error()))
      return std::unexpected(std::move(listed.error()).in(entry.name));
    if (!listed && dying) listed = list_remains(entry);
    if (listed && (dying || !listed->dying)) jails.push_back(std::move(*listed));
  }
  if (std::ranges::any_of(
          jails, [](const Listed& jail) { return jail.name.find('.') != std::string::npos; }))
    count_children(jails);
  return jails;
}

bool is_between_lives(const JailEntry& entry) {
  Result<Ledger> ledger = read_ledger(entry.id);
  if (!ledger || ledger->mark().empty() || ledger->mark()[0] == "down") return false;
  return has_warden(entry.id);
}

Result<Status> jail_status(const std::string& id) {
  Ledger ledger = TRY(read_ledger(id));
  const std::string mark = ledger.mark().empty() ? "" : ledger.mark()[0];
  if (mark.empty() || mark == "reboot")
    return TRY(lock_held(id)) ? Status::starting : Status::partial;
  if (mark == "down") return TRY(lock_held(id)) ? Status::stopping : Status::broken;
  if (!TRY(lives(process1_of(ledger.yielded("boot")))))
    return has_warden(id) ? Status::starting : Status::ended;
  // Until somebody has told it to boot all the same.
  const bool sits = ledger.mark().size() > 1 && ledger.mark()[1] == "given-up" &&
                    init_says(places().run, id, "reaping");
  return sits ? Status::given_up : Status::up;
}

// Specs are compared, not texts: a comment or another spelling is no change. What a start fills in
// or is held to is put into today's Spec first.
std::string drift_of(const Listed& jail, std::map<std::string, Config>& files) {
  Result<Fd> record = open_record(jail.id);
  Result<std::string> text =
      record ? read_file(record->get(), "spec") : fail_errno("record", ENOENT);
  Result<Spec> started = text ? read_spec("spec", *text) : fail_errno("record", ENOENT);
  if (!started) return "-";
  Result<Words> origin = lex_words(std::string_view(*text).substr(1, text->find('\n') - 1));
  if (!origin || origin->size() != 1 || origin->front().empty()) return "unconfigured";
  const std::string& file = origin->front();
  auto place = files.find(file);
  if (place == files.end()) place = files.emplace(file, load(file)).first;
  const Config& config = place->second;
  const Jail* configured = config.rejected() ? nullptr : config.find(jail.name);
  if (!configured) return "unconfigured";
  Import today = import_jail(config, *configured);
  follow_init(today.spec);
  if (today.spec.ip_hostname.value_or(false))  // its addresses were looked up at the start
    for (auto list : {&Spec::ip4_addr, &Spec::ip6_addr}) today.spec.*list = (*started).*list;
  // A nested jail was held to what its parent has.
  const std::string above = jail.name.substr(0, std::min(jail.name.rfind('.'), jail.name.size()));
  Result<Index> index = read_index(places());
  const JailEntry* parent = index && above != jail.name ? index->by_name(above) : nullptr;
  Result<Spec> bounds = parent ? read_shown(*parent) : fail_errno("parent", ENOENT);
  if (bounds)
    ignore(keep_within(today.spec, *bounds),
           "what it asks for now would be refused: that is a change too");
  return today.good() && today.spec == *started ? "none" : "changed";
}

Result<bool> is_running(const JailEntry& entry) {
  Result<Record> record = read_record(TRY(open_records()), entry);
  if (!record && is_ours(record.error())) return std::unexpected(std::move(record.error()));
  if (!record) return false;
  return lives(record->facts.process1);
}

namespace {

// A number other than 0 is a jid and never a name.
const JailEntry* entry_of(const Index& index, std::string_view name_or_jid) {
  auto number = parse_int(name_or_jid);
  return number && *number != 0 ? index.by_jid(*number) : index.by_name(name_or_jid);
}

// Process 1 is held by its descriptor before the rest is opened: what is found then is this jail's,
// or of one that has ended.
Result<FoundJail> look_for(std::string_view name_or_jid) {
  const Index index = TRY(read_index(places()));
  auto number = parse_int(name_or_jid);
  const JailEntry* entry = entry_of(index, name_or_jid);
  auto missing = [&] {
    return fail(ESRCH, number ? fmt::format("jail {} not found", *number)
                              : fmt::format("jail \"{}\" not found", name_or_jid));
  };
  Result<Record> record =
      entry ? read_record(TRY(open_records()), *entry) : fail_errno("record", ENOENT);
  if (!record && is_ours(record.error())) return std::unexpected(std::move(record.error()));
  if (!record) return missing();
  Result<Fd> process1 = open_process1(record->facts.process1);
  if (!process1 && process1.error().code != ESRCH)
    return std::unexpected(std::move(process1.error()));
  if (!process1) return missing();
  Facts facts = TRY(probe());
  FoundJail found;
  found.id = entry->id;
  found.jid = entry->jid;
  found.name = entry->name;
  const Spec spec = effective(TRY(read_spec("shown", record->shown)));
  found.path = spec.path.value_or("/");
  found.process1 = std::move(*process1);
  found.group = TRY(open_group(facts, record->facts.group + "/jail/run"));
  found.rights = rights_of(spec);
  return found;
}

}  // namespace

Result<FoundJail> find_running(std::string_view name_or_jid) {
  for (int waited = 0;; waited += reboot_look) {
    Result<FoundJail> found = look_for(name_or_jid);
    if (found || found.error().code != ESRCH || waited >= reboot_wait) return found;
    const Index index = TRY(read_index(places()));
    const JailEntry* entry = entry_of(index, name_or_jid);
    if (!entry || !is_between_lives(*entry)) return found;
    sys::poll(nullptr, 0, reboot_look);
  }
}

}  // namespace jail
