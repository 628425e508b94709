// Everything here goes by the Spec alone, but check_root and the `shown` file at the end.
#include "plan/create.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/sys.h"
#include "conf/address.h"
#include "conf/import.h"
#include "conf/param.h"
#include "conf/print.h"
#include "os/world.h"
#include "plan/claims.h"
#include "plan/life.h"
#include "plan/plan.h"

namespace jail {

namespace {

// The functions of this group fill in what was not given, each its own part of J2.2 and J2.3.
template <class T, class U>
void set_default(std::optional<T>& field, const U& value) {
  if (!field) field = T(value);
}

// Values that come from the jail above, or from the host.
void inherit(Spec& spec, const Spec& above) {
  if (!spec.securelevel) spec.securelevel = above.securelevel;
  if (!spec.osrelease) spec.osrelease = above.osrelease;
  if (!spec.osreldate) spec.osreldate = above.osreldate;
  if (!spec.devfs_ruleset) spec.devfs_ruleset = above.devfs_ruleset;
}

void set_host(Spec& spec) {
  set_default(spec.host, JailSys::new_);
  set_default(spec.host_hostname, "");
  set_default(spec.host_domainname, "");
  set_default(spec.host_hostuuid, "00000000-0000-0000-0000-000000000000");
  set_default(spec.host_hostid, 0);
}

// A family with restricted addresses reads as `disable` in every case (J5.4); a vnet restricts
// nothing.
void set_network(Spec& spec) {
  set_default(spec.vnet, JailSys::inherit);
  const bool own = spec.vnet == JailSys::new_;
  for (auto family : {&Spec::ip4, &Spec::ip6})
    if (spec.*family != JailSys::inherit) spec.*family = own ? JailSys::inherit : JailSys::disable;
  set_default(spec.ip4_addr, Words{});
  set_default(spec.ip6_addr, Words{});
  set_default(spec.ip4_saddrsel, true);
  set_default(spec.ip6_saddrsel, true);
}

// The first address stays in front, the others are in the order of their bytes.
void set_order(Family family, std::optional<Words>& words) {
  if (!words) return;
  std::vector<std::string_view> views(words->begin(), words->end());
  Result<Words> addresses = addresses_of(family, views);
  if (!addresses) return;
  auto bytes = [&](const std::string& text) {
    std::array<unsigned char, 16> value{};
    inet_pton(family == Family::ip4 ? AF_INET : AF_INET6, text.c_str(), value.data());
    return value;
  };
  if (!addresses->empty()) std::ranges::sort(addresses->begin() + 1, addresses->end(), {}, bytes);
  words = std::move(*addresses);
}

// allow.sysvipc is the old word for all three (J2.2).
void set_sysv(Spec& spec) {
  const JailSys all = spec.allow_sysvipc.value_or(false) ? JailSys::inherit : JailSys::disable;
  for (auto kind : {&Spec::sysvmsg, &Spec::sysvsem, &Spec::sysvshm}) set_default(spec.*kind, all);
}

// What hooks run, and with whose files, is nobody's business but root's.
void drop_commands(Spec& spec) {
  for (const Param& param : params())
    if (param.owner == Owner::command)
      with_field(param, [&](auto field) { (spec.*field).reset(); });
}

void set_permissions(Spec& spec) {
  for (const Param& param : params())
    if (auto field = permission_field(param)) set_default(spec.*field, param.extra.on);
}

}  // namespace

Spec public_part(const Spec& spec, const Spec* parent) {
  Spec shown = spec;
  drop_commands(shown);
  shown.init = spec.init;  // it is a right: to reboot(2)
  if (parent) inherit(shown, *parent);
  if (shown.host && !shares_names(shown)) shown.host = JailSys::new_;
  set_order(Family::ip4, shown.ip4_addr);
  set_order(Family::ip6, shown.ip6_addr);
  return shown;
}

Spec effective(Spec shown) {
  set_default(shown.persist, false);
  set_default(shown.path, "/");
  set_default(shown.securelevel, -1);
  set_default(shown.enforce_statfs, 2);
  set_default(shown.devfs_ruleset, 0);
  set_default(shown.children_max, 0);
  set_default(shown.osrelease, "");
  set_default(shown.osreldate, 0);
  set_host(shown);
  set_network(shown);
  set_sysv(shown);
  set_permissions(shown);
  set_default(shown.meta, "");
  set_default(shown.env, "");
  set_default(shown.linux_, JailSys::new_);
  set_default(shown.linux_osname, "Linux");
  set_default(shown.linux_osrelease, shown.osrelease.value_or(""));
  set_default(shown.linux_oss_version, 0);
  return shown;
}

// What the jail above lacks is written down as `false`, so that the jail below keeps lacking it
// when the one above is given it later.
Result<void> keep_within(Spec& spec, const Spec& above) {
  const auto refused = fail_errno("jail_set", EPERM);
  if (spec.securelevel && *spec.securelevel < above.securelevel.value_or(-1)) return refused;
  if (spec.enforce_statfs && *spec.enforce_statfs < above.enforce_statfs.value_or(2))
    return refused;
  for (const Param& param : params()) {
    auto field = permission_field(param);
    // The two that are not bound to the jail above (J2.3).
    if (field == nullptr || field == &Spec::allow_unprivileged_proc_debug ||
        field == &Spec::allow_unprivileged_parent_tampering)
      continue;
    if ((above.*field).value_or(true)) continue;
    if ((spec.*field).value_or(false)) return refused;
    spec.*field = false;
  }
  if (!spec.securelevel && above.securelevel.value_or(-1) > 0) spec.securelevel = above.securelevel;
  return {};
}

bool persists_for_now(const Spec& spec) {
  return !spec.persist.value_or(false) && (spec.exec_start || spec.command || spec.exec_poststart);
}

Result<void> check_name(std::string_view name, int64_t jid) {
  const std::string_view own = name.substr(name.rfind('.') + 1);  // all of it without a dot
  if (auto number = parse_int(own); number && own != fmt::format("{}", jid))
    return fail(EINVAL, "name cannot be numeric (unless it is the jid)");
  return {};
}

// The first that fails is the message.
Result<void> check_create(const Spec& spec, int64_t jid) {
  TRY(check_ranges(spec));
  if (spec.vnet == JailSys::new_ && (spec.ip4_addr || spec.ip6_addr))
    return fail(EINVAL, "vnet jails cannot have IP address restrictions");
  if (!spec.persist.value_or(false) && !persists_for_now(spec))
    return fail(EINVAL, "new jail must persist or attach");
  return check_name(spec.name.value_or(""), jid);
}

Result<void> check_root(const Spec& spec, const std::string& path) {
  const std::string noun = "path " + spec.path.value_or("/");
  if (!path.starts_with('/')) return fail(EINVAL, noun + ": not an absolute pathname");
  struct stat status;
  if (sys::fstatat(AT_FDCWD, path.c_str(), &status, 0) != 0) return fail_errno(noun);
  if (!S_ISDIR(status.st_mode)) return fail_errno(noun, ENOTDIR);
  return {};
}

std::string resolved_path(const std::string& path) {
  char resolved[PATH_MAX];
  return realpath(path.c_str(), resolved) ? resolved : path;
}

void note_create(const World& world, const std::string& failure) {
  const Life& life = *world.life;
  life.talk.note(fmt::format("jail_set(JAIL_CREATE) {}{}{}{}",
                             persists_for_now(*life.spec) ? "persist " : "", life.create_text,
                             failure.empty() ? "" : ": ", failure));
}

// The facts stand in a comment, so that the whole file is one that read_spec() takes.
std::string shown_text(const ShownFacts& facts, const Spec& spec) {
  return fmt::format("# {} {} {} {} {} {}\n{}", facts.id, facts.jid, facts.parent,
                     facts.process1.pid, facts.process1.start, facts.group, print_spec(spec));
}

std::optional<ShownFacts> shown_facts(std::string_view text) {
  Words words = split(text.substr(0, text.find('\n')), " ");
  if (words.size() != 7 || words[0] != "#") return std::nullopt;
  return ShownFacts{.id = words[1],
                    .jid = parse_int(words[2]).value_or(0),
                    .parent = parse_int(words[3]).value_or(0),
                    .process1 = process1_of({words[4], words[5]}),
                    .group = words[6]};
}

Result<void> write_shown(World& world, const Words& boot) {
  Life& life = *world.life;
  ShownFacts facts{.id = world.id,
                   .jid = life.jid,
                   .parent = 0,
                   .process1 = process1_of(boot),
                   .group = world.group};
  Index index = TRY(read_index(places()));
  Spec above;
  const JailEntry* self = index.by_id(world.id);
  const JailEntry* parent =
      self ? index.by_name(self->name.substr(0, self->name.rfind('.'))) : nullptr;
  const bool nested = self && parent && self->name.find('.') != std::string::npos;
  if (nested) {
    facts.parent = parent->jid;
    Fd record = TRY(open_record(parent->id));
    std::string text = TRY(read_file(record.get(), "shown"));
    above = TRY(read_spec("shown", text));
  }
  // Only what was given and inherited goes into the file: defaults are filled in by its readers.
  Spec shown = public_part(*life.spec, nested ? &above : nullptr);
  shown.jid = life.jid;
  if (self) shown.name = self->name;
  shown.path = resolved_path(world.path);
  Fd record = TRY(open_record(world.id));
  return replace_file(record.get(), "shown", shown_text(facts, shown), 0644, false);
}

void remove_shown(World& world) {
  if (Result<Fd> record = open_record(world.id)) sys::unlinkat(record->get(), "shown", 0);
}

}  // namespace jail
