// The start of a jail, read aloud: what each phase adds. The undo of an act stands with its verb,
// nowhere else.
#include <algorithm>
#include <fmt/format.h>

#include "conf/address.h"
#include "conf/fstab.h"
#include "conf/import.h"
#include "conf/service_params.h"
#include "os/mount.h"
#include "os/privileges.h"
#include "plan/init.h"
#include "plan/life.h"
#include "plan/plan.h"
#include "plan/privileges.h"

namespace jail {

namespace {

bool is(const std::optional<bool>& value) {
  return value.value_or(false);
}
bool inherits(const std::optional<JailSys>& value) {
  return value == JailSys::inherit;
}

Result<void> plan_prepare(const Spec& spec, const Facts&, const Site&, Plan& plan) {
  // In the strict mode a stop runs the hooks of today's file, also where there were none at the
  // start.
  if (spec.exec_prepare || spec.exec_release || strict()) plan.ops.push_back({"prepare", {}});
  return {};
}

// Only what names an interface is put on one; the other words say what the jail may use (J2.1).
Result<void> plan_addresses(const Spec& spec, const Facts&, const Site&, Plan& plan) {
  struct Row {
    const char* name;
    Family family;
    const std::optional<Words>& words;
  };
  for (const Row& row :
       {Row{"ip4.addr", Family::ip4, spec.ip4_addr}, Row{"ip6.addr", Family::ip6, spec.ip6_addr}}) {
    if (!row.words) continue;
    for (const Address& address :
         TRY(in(row.name, parse_addresses(row.family, *row.words, spec.interface.value_or("")))))
      if (!address.interface.empty())
        plan.ops.push_back({"address",
                            {address.interface, address.address, fmt::format("{}", address.prefix),
                             join(address.extra, " ")}});
  }
  return {};
}

Result<void> plan_group(const Spec&, const Facts& facts, const Site& site, Plan& plan) {
  if (facts.groups.empty())
    return fail(ENOTSUP, "cgroup v2: not mounted on this host; a jail needs it");
  plan.ops.push_back({"group", {site.group}});
  return {};
}

// Which network stack: one of its own with vnet, the one above for addresses and inherit, else an
// empty one.
std::string net_of(const Spec& spec) {
  if (spec.vnet == JailSys::new_) return "loopback";
  bool shared = inherits(spec.ip4) || inherits(spec.ip6) ||
                (spec.ip4_addr && !spec.ip4_addr->empty()) ||
                (spec.ip6_addr && !spec.ip6_addr->empty());
  return shared ? "parent" : "new";
}

// "owned" by a user namespace of its own: there root may set the host name without having any right
// over the host (L5).
std::string uts_of(const Spec& spec) {
  if (shares_names(spec)) return "parent";
  return spec.allow_set_hostname.value_or(true) ? "owned" : "new";
}

// Whether the jail's /proc/sys/net is its own to write.
const char* stack_word(const Spec& spec) {
  return net_of(spec) == "parent" ? "shared" : "own";
}

// A mount of a kind that belongs to process 1's namespaces waits for the boot; all others are made
// in the view.
Result<void> add_mount(const char* parameter, const FstabLine& line, const std::string& root,
                       const Spec& spec, Plan& plan) {
  const std::string base = root == "/" ? "" : root;
  if (!mounted_at_boot(line.type)) {
    // Undone after the view: the mount has to be gone before its work directory.
    if (line.type == "unionfs")
      plan.ops.insert(std::ranges::find(plan.ops, "view", &Op::verb),
                      Op{"union", {root, line.source, line.point, line.options}});
    plan.ops.push_back({"mount", {parameter, line.type, line.source, line.point, line.options}});
    return {};
  }
  if (!line.point.starts_with(base + "/"))
    return fail(EINVAL, fmt::format("{}: {}: a {} outside the jail would be the host's", parameter,
                                    line.point, line.type));
  plan.boot.push_back({"proc", {line.point.substr(base.size()), line.options, stack_word(spec)}});
  return {};
}

// /dev/shm and /dev/mqueue belong to process 1's ipc namespace or its boot; a program here expects
// both, and FreeBSD has no word for them.
void plan_devices(const Spec& spec, const std::string& base, Plan& plan) {
  const int64_t ruleset = spec.devfs_ruleset.value_or(4);
  if (is(spec.mount_devfs))
    plan.ops.push_back({"devices", {"mount.devfs", base + "/dev", fmt::format("{}", ruleset)}});
  if (has_console(spec)) plan.ops.push_back({"console", {}});
  if (is(spec.mount_devfs) && ruleset != 1) {  // 1 hides everything
    plan.boot.push_back({"mount", {"tmpfs", "shm", "/dev/shm", "mode=1777,nosuid"}});
    plan.boot.push_back({"mount", {"mqueue", "mqueue", "/dev/mqueue", "nosuid,noexec"}});
  }
  if (is(spec.mount_fdescfs))
    plan.ops.push_back({"mount", {"mount.fdescfs", "fdescfs", ".", base + "/dev/fd", ""}});
}

// The view is made first, as every mount goes into it; the mounts in the order of J4.1.
Result<void> plan_mounts(const Spec& spec, const Facts&, const Site& site, Plan& plan) {
  plan.ops.push_back({"view", {site.path, site.parent.empty() ? "-" : site.parent}});
  plan.ops.push_back({"namespaces", {net_of(spec), uts_of(spec), "new"}});
  plan.boot.push_back({"root", {site.path}});
  if (spec.mount) {
    for (const std::string& word : *spec.mount)
      if (auto line = TRY(in("mount", parse_fstab_line(word))))
        TRY(add_mount("mount", *line, site.path, spec, plan));
  }
  for (const std::string& word : site.fstab)
    if (auto line = TRY(in("mount.fstab", parse_fstab_line(word))))
      TRY(add_mount("mount.fstab", *line, site.path, spec, plan));
  plan_devices(spec, site.path == "/" ? "" : site.path, plan);
  if (is(spec.mount_procfs)) plan.boot.push_back({"proc", {"/proc", "", stack_word(spec)}});
  if (is(spec.init)) plan.boot.push_back({"system", {spec.init_program ? "program" : "jinit"}});
  return {};
}

// The settings of jinit (init/settings.h), for the words behind its --jail.
Words init_settings(const Spec& spec) {
  return {"rc=" + spec.init_rc.value_or("auto"),
          "shutdown=" + spec.init_shutdown.value_or("auto"),
          fmt::format("shutdown_timeout={}", shutdown_seconds(spec)),
          fmt::format("stop_timeout={}", spec.stop_timeout.value_or(10)),
          "rc_failure=" + spec.init_rc_failure.value_or("remove"),
          "signals=" + spec.init_signals.value_or("auto"),
          "program=" + spec.init_program.value_or("")};
}

// One act for a pair of hooks, if either half is there.
void plan_hook(const char* name, const std::optional<Words>& forward,
               const std::optional<Words>& back, Plan& plan) {
  if (forward || back || strict()) plan.ops.push_back({"hook", {name}});
}

Result<void> plan_prestart(const Spec& spec, const Facts&, const Site&, Plan& plan) {
  plan_hook("prestart", spec.exec_prestart, spec.exec_poststop, plan);
  return {};
}

// One ipc namespace holds all three kinds of System V objects.
Result<void> plan_jail(const Spec& spec, const Facts&, const Site& site, Plan& plan) {
  if (uts_of(spec) != "parent")
    plan.boot.push_back(
        {"names", {spec.host_hostname.value_or(""), spec.host_domainname.value_or("")}});
  plan.boot.push_back({"privileges", rights_of(spec)});
  const bool sysv = is(spec.allow_sysvipc);
  const bool wanted[] = {spec.sysvmsg ? inherits(spec.sysvmsg) : sysv,
                         spec.sysvsem ? inherits(spec.sysvsem) : sysv,
                         spec.sysvshm ? inherits(spec.sysvshm) : sysv};
  if (wanted[0] != wanted[1] || wanted[1] != wanted[2])
    return fail(
        ENOTSUP,
        "sysvmsg, sysvsem, sysvshm: only all three together can be inherited on this system");
  if (is(spec.init)) {
    plan.boot.push_back({"init", init_settings(spec)});
    if (spec.console_link) plan.ops.push_back({"link", {*spec.console_link}});
    plan.ops.push_back({"warden", {spec.init_program ? "program" : "jinit"}});
  }
  plan.ops.push_back({"boot", {fmt::format("{}", site.jid), "new", wanted[0] ? "host" : "new"}});
  return {};
}

Result<void> check_init(const Spec& spec) {
  for (const auto& [name, value] :
       {std::pair{"init.rc", &spec.init_rc}, {"init.shutdown", &spec.init_shutdown}})
    if (*value && **value != "auto" && **value != "none" && !(*value)->starts_with('/'))
      return fail(EINVAL, fmt::format("{}: {}: neither auto, none nor an absolute pathname", name,
                                      **value));
  if (spec.console_link && !spec.console_link->starts_with('/'))
    return fail(EINVAL,
                fmt::format("console.link: {}: not an absolute pathname", *spec.console_link));
  if (spec.init_program && !spec.init_program->starts_with('/'))
    return fail(EINVAL,
                fmt::format("init.program: {}: not an absolute pathname", *spec.init_program));
  if (spec.init_stop_signal && !parse_signal(*spec.init_stop_signal))
    return fail(EINVAL,
                fmt::format("init.stop_signal: {}: no such signal", *spec.init_stop_signal));
  return {};
}

// What the kernel has no word for and the jail would be without: an error before anything is made
// (doc/COMPAT.md). What is only kept and shown is a remark, below.
Result<void> plan_absent(const Spec& spec) {
  if (spec.exec_fib.value_or(0) != 0)
    return fail(ENOTSUP, "exec.fib: this system has no routing table per process");
  if (spec.zfs_dataset && !spec.zfs_dataset->empty())
    return fail(ENOTSUP, "zfs.dataset: not supported on this system");
  if ((is(spec.console) || spec.console_link) && !has_console(spec))
    return fail(EINVAL, "console: needs init, and mount.devfs with terminals in it");
  TRY(check_init(spec));
  return check_host_names(spec);
}

Result<void> plan_created(const Spec& spec, const Facts&, const Site&, Plan& plan) {
  plan_hook("created", spec.exec_created, std::nullopt, plan);
  return {};
}

Result<void> plan_network(const Spec& spec, const Facts&, const Site&, Plan& plan) {
  for (const std::string& interface : spec.vnet_interface.value_or(Words{})) {
    if (spec.vnet != JailSys::new_)
      return fail(EINVAL, fmt::format("vnet.interface: {}: the jail has no vnet", interface));
    plan.ops.push_back({"lend", {interface}});
  }
  return {};
}

// Always there, also without exec.start: its undo is what sends SIGTERM (J4.7).
Result<void> plan_commands(const Spec&, const Facts&, const Site&, Plan& plan) {
  plan.ops.push_back({"start", {}});
  return {};
}

Result<void> plan_poststart(const Spec& spec, const Facts&, const Site&, Plan& plan) {
  plan_hook("poststart", spec.exec_poststart, spec.exec_prestop, plan);
  return {};
}

constexpr Phase table[] = {
    // clang-format off
    {"prepare",   "exec.prepare / exec.release",                plan_prepare},
    {"addresses", "ip4.addr, ip6.addr with an interface",       plan_addresses},
    {"group",     "(rctl)",                                     plan_group},
    {"mounts",    "mount, mount.fstab, .devfs .fdescfs .procfs", plan_mounts},
    {"prestart",  "exec.prestart / exec.poststop",              plan_prestart},
    {"jail",      "create / remove",                            plan_jail},
    {"created",   "exec.created, zfs.dataset",                  plan_created},
    {"network",   "vnet.interface",                             plan_network},
    {"start",     "exec.start, command / exec.stop",            plan_commands},
    {"poststart", "exec.poststart / exec.prestop",              plan_poststart},
    // clang-format on
};

// Whether other commands are asked for than the usual ones, which mean the same as `init`.
bool differs(const std::optional<Words>& commands, std::initializer_list<std::string_view> usual) {
  return commands && !commands->empty() &&
         (commands->size() > 1 || std::ranges::find(usual, commands->front()) == usual.end());
}

bool asks(const Spec& spec) {
  return std::ranges::any_of(spec.exec_start.value_or(Words{}), asks_for_init);
}

// What was asked for and is only kept and shown here, or means less than on FreeBSD.
struct Remark {
  bool (*due)(const Spec&);
  const char* text;
};
constexpr Remark remarks[] = {
    {[](const Spec& spec) {
       return is(spec.init) && ((!asks(spec) && differs(spec.exec_start, {"/bin/sh /etc/rc"})) ||
                                differs(spec.exec_stop, {"/bin/sh /etc/rc.shutdown jail",
                                                         "/bin/sh /etc/rc.shutdown"}));
     },
     "exec.start, exec.stop: left out; init starts and stops the jail"},
    {[](const Spec& spec) { return spec.enforce_statfs == 0; },
     "enforce_statfs=0: a jail sees the mounts below its root, as with 1"},
    {[](const Spec& spec) { return spec.osrelease || spec.osreldate; },
     "osrelease, osreldate: kept and shown; programs in the jail see the host's kernel"},
    {[](const Spec& spec) {
       return spec.linux_ || spec.linux_osname || spec.linux_osrelease || spec.linux_oss_version;
     },
     "linux: kept and shown; this is Linux"},
    {[](const Spec& spec) { return spec.mac_do || spec.mac_do_rules; },
     "mac.do: kept; there is no such module here"},
    {[](const Spec& spec) { return spec.zfs || spec.zfs_mount_snapshot; },
     "zfs: kept; not supported on this system"},
    {[](const Spec& spec) { return spec.ip4_saddrsel == false || spec.ip6_saddrsel == false; },
     "saddrsel: kept and shown; the kernel chooses source addresses as ever"},
    {[](const Spec& spec) { return spec.host_hostuuid || spec.host_hostid; },
     "host.hostuuid, host.hostid: kept and shown; programs in the jail see the host's"},
    {[](const Spec& spec) { return spec.env.has_value(); },
     "env: kept and shown; it cannot be read in the jail"},
    {[](const Spec& spec) { return spec.children_max.value_or(0) > 0; },
     "children.max: kept and shown; only the host makes jails here"},
    {[](const Spec& spec) { return net_of(spec) == "parent" && (spec.ip4_addr || spec.ip6_addr); },
     "ip4.addr, ip6.addr: the jail is not yet held to these addresses on this system"},
    {[](const Spec& spec) {
       return inherits(spec.ip4) != inherits(spec.ip6) && !spec.ip4_addr && !spec.ip6_addr;
     },
     "ip4, ip6: with one of them inherited, the other is not yet refused on this system"},
};

}  // namespace

std::span<const Phase> phases() {
  return table;
}

bool has_console(const Spec& spec) {
  return is(spec.init) && spec.console.value_or(true) && is(spec.mount_devfs) &&
         spec.devfs_ruleset.value_or(4) > 2;
}

bool shares_names(const Spec& spec) {
  return inherits(spec.host) && !spec.host_hostname && !spec.host_domainname &&
         !spec.host_hostuuid && !spec.host_hostid;
}

Result<void> check_host_names(const Spec& spec) {
  for (const auto& [name, value] : {std::pair{"host.hostname", &spec.host_hostname},
                                    {"host.domainname", &spec.host_domainname}})
    if (*value && (*value)->size() > 64)
      return fail(ENAMETOOLONG, fmt::format("{}: longer than the 64 bytes of this system", name));
  return {};
}

Result<Plan> plan_start(const Spec& spec, const Facts& facts, const Site& site) {
  Plan plan;
  TRY(plan_absent(spec));
  for (const Phase& phase : phases()) TRY(phase.plan(spec, facts, site, plan));
  for (const Remark& remark : remarks)
    if (remark.due(spec)) plan.remarks.emplace_back(remark.text);
  for (const std::string& right : rights_of(spec))
    if (std::string remark = privilege_remark(right); !remark.empty())
      plan.remarks.push_back(remark);
  return plan;
}

}  // namespace jail
