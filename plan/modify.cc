// Changing a running jail (J4.10): its parameters in snapshot and record, and what of them process
// 1 or the kernel has to hear at once. Hooks of a start may do this to their own jail, so only the
// lock of the parameters is taken.
#include <algorithm>
#include <fmt/format.h>

#include "base/file.h"
#include "base/sys.h"
#include "conf/import.h"
#include "conf/param.h"
#include "conf/print.h"
#include "os/kernel.h"
#include "plan/create.h"
#include "plan/hand.h"
#include "plan/plan.h"
#include "plan/reboot.h"

namespace jail {

namespace {

// A running jail as its record has it.
struct Current {
  JailEntry entry;
  Fd record;
  Spec spec, shown;
  std::string origin;  // the snapshot's first line: the file it comes from
  ShownFacts facts;
  Fd process1;
};

// Under the lock of the parameters: what is read here is what the write at the end replaces.
Result<Current> read_current(const JailEntry& entry) {
  Current current;
  current.entry = entry;
  current.record = TRY(open_record(entry.id));
  std::string shown = TRY(read_file(current.record.get(), "shown"));  // its public part
  std::optional<ShownFacts> facts = shown_facts(shown);
  if (!facts) return fail(EINVAL, "shown: not a record");
  current.facts = *facts;
  current.process1 = TRY(open_process1(facts->process1));
  current.shown = TRY(read_spec("shown", shown));
  std::string spec = TRY(read_file(current.record.get(), "spec"));
  current.origin = spec.substr(0, spec.find('\n') + 1);
  current.spec = TRY(read_spec("spec", spec));
  return current;
}

// Values, not texts, are compared: a path with links or slashes is the same path, `ip4 = new` what
// it reads back as.
bool same(const char* name, const Spec& wanted, const Spec& running) {
  const std::string_view parameter = name;
  if (parameter == "host") return shares_names(wanted) == (running.host == JailSys::inherit);
  if (parameter == "path")
    return resolved_path(*wanted.path) == resolved_path(running.path.value_or("/"));
  if (parameter == "ip4")
    return (wanted.ip4 == JailSys::inherit) == (running.ip4 == JailSys::inherit);
  if (parameter == "ip6")
    return (wanted.ip6 == JailSys::inherit) == (running.ip6 == JailSys::inherit);
  const Param* param = find_param(parameter).param;
  return printed_value(*param, wanted) == printed_value(*param, running);
}

// Only what a modification may send: neither the commands' own parameters nor those of creation.
Spec changes_of(const Spec& wanted) {
  Spec changes;
  for (const Param& param : params()) {
    if (param.owner != Owner::kernel || param.access != Access::any) continue;
    with_field(param, [&](auto field) { changes.*field = wanted.*field; });
  }
  changes.host.reset();  // settled at the jail's birth
  return changes;
}

// Capabilities cannot be taken from a process that has them: only from what starts later.
bool takes_rights(const Spec& changes) {
  if (changes.securelevel.value_or(0) > 0) return true;
  return std::ranges::any_of(params(), [&](const Param& param) {
    auto field = permission_field(param);
    return field && changes.*field == false;
  });
}

// The name as it will be: a bare one is below the jail above, whom no jail can leave (J2.2).
Result<std::string> full_name(const JailEntry& entry, const std::string& wanted) {
  const std::string above = entry.name.substr(0, entry.name.rfind('.') + 1);
  const size_t own = wanted.rfind('.') + 1;
  if (own != 0 && wanted.substr(0, own) != above)
    return fail(EINVAL, "cannot change jail's parent");
  TRY(check_name(wanted, entry.jid));
  return above + (own == wanted.size() ? fmt::format("{}", entry.jid) : wanted.substr(own));
}

// With host=inherit a change would be one of the jail above, or of the host.
Result<void> check_names(const Spec& shown, const Spec& changes) {
  if (shown.host != JailSys::inherit) return {};
  for (const auto& [name, field] : {std::pair{"host.hostname", &Spec::host_hostname},
                                    {"host.domainname", &Spec::host_domainname}})
    if (changes.*field && changes.*field != shown.*field)
      return fail(EINVAL, fmt::format("{}: with host=inherit the name is not the jail's", name));
  return {};
}

// All that can be refused, before anything changes.
Result<void> check_changes(const Host& host, const Current& current, Spec& changes) {
  TRY(check_host_names(changes));
  TRY(check_names(current.shown, changes));
  const Index index = TRY(read_index(host.places));
  if (changes.name) {
    changes.name = TRY(full_name(current.entry, *changes.name));
    const JailEntry* other = index.by_name(*changes.name);
    if (other && other->id != current.entry.id)
      return fail(EEXIST, fmt::format("jail \"{}\" already exists", *changes.name));
  }
  const JailEntry* parent = index.by_jid(current.facts.parent);
  if (!parent) return {};
  Spec wanted = changes;
  return keep_within(wanted, TRY(read_shown(*parent)));
}

// What the living jail has to hear. True: it leaves, because nothing keeps it any more.
Result<bool> tell(const Host& host, const Current& current, const Spec& changes) {
  if (current.shown.host != JailSys::inherit &&
      (changes.host_hostname || changes.host_domainname)) {
    TRY(set_names(current.process1.get(), changes.host_hostname ? &*changes.host_hostname : nullptr,
                  changes.host_domainname ? &*changes.host_domainname : nullptr));
  }
  if (!changes.persist || *changes.persist == current.shown.persist.value_or(false)) return false;
  std::string answer = TRY(
      ask_process1(host.places.run, current.entry.id, *changes.persist ? "persist" : "nopersist"));
  return answer == "leaving";
}

// First all that can refuse, then the living jail, then its files: killed in between, the files say
// less than is true, and the same command again mends that.
Result<bool> modify(const Host& host, const Job& job, const JailEntry& entry) {
  Fd lock = TRY(lock_parameters(host.places, entry.id));
  Current current = TRY(read_current(entry));
  if (const char* name = create_only_change(effective(current.shown), job.spec))
    return fail(EINVAL, fmt::format("{} cannot be changed after creation", name));
  TRY(check_ranges(job.spec));
  Spec changes = changes_of(job.spec);
  TRY(check_changes(host, current, changes));
  const bool leaving = TRY(tell(host, current, changes));
  if (leaving) (void)TRY(await_end(current.process1.get(), 10'000, -1));
  overlay(changes, current.spec);
  overlay(changes, current.shown);
  TRY(replace_file(current.record.get(), "spec", current.origin + print_spec(current.spec), 0600,
                   false));
  TRY(replace_file(current.record.get(), "shown", shown_text(current.facts, current.shown), 0644,
                   false));
  if (changes.name && *changes.name != entry.name)
    TRY(rename_entry(host.places, entry.id, *changes.name));
  return leaving;
}

}  // namespace

const char* create_only_change(const Spec& shown, const Spec& wanted) {
  for (const Param& param : params()) {
    const std::string_view name = param.name;
    // Whose names a jail has is settled at its birth on this system.
    if ((param.access != Access::create && name != "host") || name == "jid") continue;
    if (field_words(param, wanted) && !same(param.name, wanted, shown)) return param.name;
  }
  return nullptr;
}

// The line of -v comes first, with what failed at its end (J3.11), the message after it.
bool modify_jail(const Host& host, Job& job) {
  Result<Index> index = read_index(host.places);
  const JailEntry* entry = index ? find_entry(*index, job.spec) : nullptr;
  Result<bool> leaving = entry ? modify(host, job, *entry) : fail_errno("jail", ENOENT);
  if (job.talk.verbose && entry) {
    job.talk.note(fmt::format("jail_set(JAIL_UPDATE) jid={} {}{}{}", entry->jid, job.create_text,
                              leaving ? "" : ": ", leaving ? "" : leaving.error().text));
  }
  if (!leaving && (leaving.error().code == ENOENT || leaving.error().code == ESRCH)) {
    Talk talk = job.talk;
    talk.name.clear();
    talk.error(fmt::format("\"{}\" not found", job.shown_name()));
    return false;
  }
  if (!leaving) {
    say(job.talk, leaving.error());
    return false;
  }
  if (!job.talk.quiet && (!job.talk.name.empty() || job.talk.verbose)) job.talk.note("updated");
  if (takes_rights(job.spec))
    job.talk.remark("what was taken away holds for what starts in the jail from now on");
  if (!*leaving) keep_warden(host, *entry, job.talk);
  if (!*leaving) return true;
  return recover_jail(host, *entry, job.talk);
}

}  // namespace jail
