// The table of parameters. A new one is a row here, in the order of the manual, and a field of
// Spec; how a type is read and written is conf/param.cc's.
#include "conf/params.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <string>

#include "conf/spec.h"

namespace jail {
namespace {

constexpr Owner own = Owner::command, kernel = Owner::kernel;
constexpr Access any = Access::any, create = Access::create, read = Access::read;

// clang-format off
constexpr Param table[] = {
  // The command's own (J2.1).
  {"exec.prepare", &Spec::exec_prepare, own, any, "Commands on the host, first of all; may make the jail's root.", {.reserved = true}},
  {"exec.prestart", &Spec::exec_prestart, own, any, "Commands on the host, before the jail exists.", {.reserved = true}},
  {"exec.created", &Spec::exec_created, own, any, "Commands on the host, right after the jail exists.", {.reserved = true}},
  {"exec.start", &Spec::exec_start, own, any, "Commands in the jail that start it.", {.reserved = true}},
  {"command", &Spec::command, own, any, "A command in the jail, run after exec.start.", {.reserved = true}},
  {"exec.poststart", &Spec::exec_poststart, own, any, "Commands on the host, once the jail is up.", {.reserved = true}},
  {"exec.prestop", &Spec::exec_prestop, own, any, "Commands on the host, first step of a stop.", {.reserved = true}},
  {"exec.stop", &Spec::exec_stop, own, any, "Commands in the jail that stop it.", {.reserved = true}},
  {"exec.poststop", &Spec::exec_poststop, own, any, "Commands on the host, after the jail is gone.", {.reserved = true}},
  {"exec.release", &Spec::exec_release, own, any, "Commands on the host, last of all.", {.reserved = true}},
  {"exec.clean", &Spec::exec_clean, own, any, "Run commands in a clean environment.", {.reserved = true}},
  {"exec.jail_user", &Spec::exec_jail_user, own, any, "The user for commands in the jail.", {.reserved = true}},
  {"exec.system_jail_user", &Spec::exec_system_jail_user, own, any, "Look exec.jail_user up on the host.", {.reserved = true}},
  {"exec.system_user", &Spec::exec_system_user, own, any, "The user for commands on the host.", {.reserved = true}},
  {"exec.timeout", &Spec::exec_timeout, own, any, "Seconds that each command may take; 0 is no limit.", {.reserved = true}},
  {"exec.consolelog", &Spec::exec_consolelog, own, any, "File on the host that takes the output of commands in the jail.", {.reserved = true}},
  {"exec.fib", &Spec::exec_fib, own, any, "Routing table for commands in the jail.", {.reserved = true}},
  {"exec.rollback", &Spec::exec_rollback, own, any, "Run the stop commands that pair with what ran, when a start fails (default true).", {.ours = true}},
  {"stop.timeout", &Spec::stop_timeout, own, any, "Seconds between SIGTERM and removal; 0 sends none.", {.reserved = true}},
  {"stop.strict", &Spec::stop_strict, own, any, "A failing exec.stop keeps the jail up, as on FreeBSD.", {.ours = true}},
  {"mount", &Spec::mount, own, any, "File systems to mount, lines of fstab(5).", {.reserved = true}},
  {"mount.fstab", &Spec::mount_fstab, own, any, "Files of such lines.", {.reserved = true}},
  {"mount.devfs", &Spec::mount_devfs, own, any, "Mount devfs on the jail's /dev.", {.reserved = true}},
  {"mount.fdescfs", &Spec::mount_fdescfs, own, any, "Mount fdescfs on the jail's /dev/fd.", {.reserved = true}},
  {"mount.procfs", &Spec::mount_procfs, own, any, "Mount procfs on the jail's /proc.", {.reserved = true}},
  {"interface", &Spec::interface, own, any, "The interface for addresses that name none.", {.reserved = true}},
  {"ip_hostname", &Spec::ip_hostname, own, any, "Add the addresses that host.hostname resolves to.", {.reserved = true}},
  {"vnet.interface", &Spec::vnet_interface, own, any, "Interfaces moved into the jail's network stack.", {.reserved = true}},
  {"zfs.dataset", &Spec::zfs_dataset, own, any, "ZFS data sets attached to the jail.", {.reserved = true}},
  {"depend", &Spec::depend, own, any, "Jails that have to be up before this one.", {.reserved = true}},
  {"allow.dying", &Spec::allow_dying, own, any, "No effect any more.", {.reserved = true}},
  {"init", &Spec::init, own, any, "The jail boots an init: rc, terminals, services, signals, reboot and halt.", {.ours = true}},
  {"init.rc", &Spec::init_rc, own, any, "What starts the jail's system: auto, none or a path (default auto).", {.ours = true}},
  {"init.shutdown", &Spec::init_shutdown, own, any, "What shuts it down: auto, none or a path (default auto).", {.ours = true}},
  {"init.shutdown_timeout", &Spec::init_shutdown_timeout, own, any, "Seconds that shutting down may take (default 120).", {.ours = true, .least = 0}},
  {"init.rc_failure", &Spec::init_rc_failure, own, any, "What a failing rc does: remove the jail, or single user.", {.ours = true, .one_of = "remove single"}},
  {"init.signals", &Spec::init_signals, own, any, "What signals to process 1 mean: freebsd, busybox, sysv or auto.", {.ours = true, .one_of = "auto freebsd busybox sysv"}},
  {"init.program", &Spec::init_program, own, any, "A program of the jail to be process 1 in the place of jinit.", {.ours = true}},
  {"init.stop_signal", &Spec::init_stop_signal, own, any, "The signal that asks it to shut down (default TERM).", {.ours = true}},
  {"init.on_reboot", &Spec::init_on_reboot, own, any, "What a reboot inside does: restart, remove or stay.", {.ours = true, .one_of = "restart remove stay"}},
  {"init.on_halt", &Spec::init_on_halt, own, any, "The same for a halt or power-off (default remove).", {.ours = true, .one_of = "restart remove stay"}},
  {"init.on_exit", &Spec::init_on_exit, own, any, "The same where process 1 exits by itself (default remove).", {.ours = true, .one_of = "restart remove stay"}},
  {"init.on_crash", &Spec::init_on_crash, own, any, "The same where it is killed or fails (default remove).", {.ours = true, .one_of = "restart remove stay"}},
  {"console", &Spec::console, own, any, "A terminal that the jail's init keeps (default with init).", {.ours = true}},
  {"console.link", &Spec::console_link, own, any, "A path on the host that cu(1) opens as the console.", {.ours = true}},

  // The kernel's (J2.2).
  {"jid", &Spec::jid, kernel, create, "The jail's number; 0 or none: the next free one.", {.reserved = true, .least = 0, .most = 999999}},
  {"name", &Spec::name, kernel, any, "The jail's name; below another jail: PARENT.NAME.", {.reserved = true, .longest = 255}},
  {"parent", {}, kernel, read, "The jid of the jail above; 0 for the asking one."},
  {"path", &Spec::path, kernel, create, "The jail's root directory.", {.reserved = true, .longest = 1023}},
  {"persist", &Spec::persist, kernel, any, "The jail may exist without processes.", {.reserved = true}},
  {"dying", {}, kernel, read, "The jail is about to vanish."},
  {"securelevel", &Spec::securelevel, kernel, any, "The jail's secure level; never below its parent's.", {.reserved = true}},
  {"osrelease", &Spec::osrelease, kernel, create, "The release that uname shows.", {.longest = 31}},
  {"osreldate", &Spec::osreldate, kernel, create, "The release date that the kernel shows."},
  {"enforce_statfs", &Spec::enforce_statfs, kernel, any, "Mounts to be seen: 0 all, 1 those below the root, 2 only the root's.", {.least = 0, .most = 2}},
  {"devfs_ruleset", &Spec::devfs_ruleset, kernel, any, "The ruleset of the jail's devfs.", {.reserved = true, .least = 0, .most = 65535}},
  {"children.max", &Spec::children_max, kernel, any, "How many jails may be made from within.", {.least = 0, .most = 999999}},
  {"children.cur", {}, kernel, read, "How many jails there are below."},
  {"cpuset.id", {}, kernel, read, "The jail's CPU set."},
  {"host", &Spec::host, kernel, any, "Host names: new, or the parent's (inherit).", {.no_disable = true}},
  {"host.hostname", &Spec::host_hostname, kernel, any, "The host name.", {.reserved = true, .longest = 255}},
  {"host.domainname", &Spec::host_domainname, kernel, any, "The NIS domain name.", {.longest = 255}},
  {"host.hostuuid", &Spec::host_hostuuid, kernel, any, "The host's UUID.", {.longest = 63}},
  {"host.hostid", &Spec::host_hostid, kernel, any, "The host's number."},
  {"vnet", &Spec::vnet, kernel, create, "A network stack of its own (new), or the parent's (inherit).", {.reserved = true, .no_disable = true}},
  {"ip4", &Spec::ip4, kernel, create, "IPv4: none (disable), given addresses (new), or the parent's (inherit)."},
  {"ip4.addr", &Spec::ip4_addr, kernel, any, "IPv4 addresses.", {.reserved = true, .form = Form::ip4}},
  {"ip4.saddrsel", &Spec::ip4_saddrsel, kernel, any, "Choose source addresses as usual, not always the first."},
  {"ip6", &Spec::ip6, kernel, create, "IPv6: none (disable), given addresses (new), or the parent's (inherit)."},
  {"ip6.addr", &Spec::ip6_addr, kernel, any, "IPv6 addresses.", {.reserved = true, .form = Form::ip6}},
  {"ip6.saddrsel", &Spec::ip6_saddrsel, kernel, any, "Choose source addresses as usual, not always the first."},
  {"meta", &Spec::meta, kernel, any, "Free text, KEY=VALUE lines, not to be seen in the jail.", {.form = Form::keys, .longest = 4096}},
  {"env", &Spec::env, kernel, any, "Free text, KEY=VALUE lines, readable in the jail.", {.form = Form::keys, .longest = 4096}},
  {"sysvmsg", &Spec::sysvmsg, kernel, any, "System V message queues: none, its own, or the parent's."},
  {"sysvsem", &Spec::sysvsem, kernel, any, "System V semaphores: none, its own, or the parent's."},
  {"sysvshm", &Spec::sysvshm, kernel, any, "System V shared memory: none, its own, or the parent's."},
  {"linux", &Spec::linux_, kernel, any, "What Linux programs see: its own, or the parent's."},
  {"linux.osname", &Spec::linux_osname, kernel, any, "The system's name for Linux programs.", {.longest = 64}},
  {"linux.osrelease", &Spec::linux_osrelease, kernel, any, "The release for Linux programs.", {.longest = 64}},
  {"linux.oss_version", &Spec::linux_oss_version, kernel, any, "The sound system's version for Linux programs."},
  {"zfs", &Spec::zfs, kernel, any, "ZFS settings: its own, or the parent's."},
  {"zfs.mount_snapshot", &Spec::zfs_mount_snapshot, kernel, any, "Snapshots may be mounted in the jail."},
  {"mac.do", &Spec::mac_do, kernel, any, "Rules of mac_do: none, its own, or the parent's."},
  {"mac.do.rules", &Spec::mac_do_rules, kernel, any, "The rules of mac_do."},

  // Permissions (J2.3).
  {"allow.set_hostname", &Spec::allow_set_hostname, kernel, any, "The host name may be changed.", {.reserved = true, .on = true}},
  {"allow.sysvipc", &Spec::allow_sysvipc, kernel, any, "System V IPC, shared with the parent.", {.reserved = true}},
  {"allow.raw_sockets", &Spec::allow_raw_sockets, kernel, any, "Raw sockets, as ping needs them.", {.reserved = true}},
  {"allow.chflags", &Spec::allow_chflags, kernel, any, "System file flags may be changed.", {.reserved = true}},
  {"allow.mount", &Spec::allow_mount, kernel, any, "File systems may be mounted.", {.reserved = true}},
  {"allow.quotas", &Spec::allow_quotas, kernel, any, "Quotas may be administered."},
  {"allow.socket_af", &Spec::allow_socket_af, kernel, any, "Sockets of every address family.", {.reserved = true}},
  {"allow.mlock", &Spec::allow_mlock, kernel, any, "Memory may be locked."},
  {"allow.reserved_ports", &Spec::allow_reserved_ports, kernel, any, "Ports below 1024 may be bound.", {.on = true}},
  {"allow.read_msgbuf", &Spec::allow_read_msgbuf, kernel, any, "The kernel's messages may be read."},
  {"allow.unprivileged_proc_debug", &Spec::allow_unprivileged_proc_debug, kernel, any, "Unprivileged users may debug their processes.", {.on = true}},
  {"allow.unprivileged_parent_tampering", &Spec::allow_unprivileged_parent_tampering, kernel, any, "Users of the parent may signal and debug the jail's processes of the same user."},
  {"allow.suser", &Spec::allow_suser, kernel, any, "Root in the jail has privileges.", {.on = true}},
  {"allow.nfsd", &Spec::allow_nfsd, kernel, any, "NFS may be served."},
  {"allow.extattr", &Spec::allow_extattr, kernel, any, "System extended attributes may be changed."},
  {"allow.adjtime", &Spec::allow_adjtime, kernel, any, "The clock may be adjusted."},
  {"allow.settime", &Spec::allow_settime, kernel, any, "The clock may be set."},
  {"allow.routing", &Spec::allow_routing, kernel, any, "The routing table may be changed."},
  {"allow.setaudit", &Spec::allow_setaudit, kernel, any, "The audit state may be set."},
  {"allow.mount.devfs", &Spec::allow_mount_devfs, kernel, any, "devfs may be mounted."},
  {"allow.mount.fdescfs", &Spec::allow_mount_fdescfs, kernel, any, "fdescfs may be mounted."},
  {"allow.mount.fusefs", &Spec::allow_mount_fusefs, kernel, any, "FUSE file systems may be mounted."},
  {"allow.mount.linprocfs", &Spec::allow_mount_linprocfs, kernel, any, "linprocfs may be mounted."},
  {"allow.mount.linsysfs", &Spec::allow_mount_linsysfs, kernel, any, "linsysfs may be mounted."},
  {"allow.mount.lindebugfs", &Spec::allow_mount_lindebugfs, kernel, any, "lindebugfs may be mounted."},
  {"allow.mount.nullfs", &Spec::allow_mount_nullfs, kernel, any, "nullfs may be mounted."},
  {"allow.mount.p9fs", &Spec::allow_mount_p9fs, kernel, any, "p9fs may be mounted."},
  {"allow.mount.procfs", &Spec::allow_mount_procfs, kernel, any, "procfs may be mounted."},
  {"allow.mount.tmpfs", &Spec::allow_mount_tmpfs, kernel, any, "tmpfs may be mounted."},
  {"allow.mount.zfs", &Spec::allow_mount_zfs, kernel, any, "ZFS may be mounted."},
  {"allow.vmm", &Spec::allow_vmm, kernel, any, "Virtual machines may be run."},
  {"allow.vmm_ppt", &Spec::allow_vmm_ppt, kernel, any, "Devices may be passed through to virtual machines."},
};
// clang-format on

// Names are checked by a test: comparing them all is too much for a compiler.
constexpr bool fields_distinct() {
  for (const Param& one : table) {
    for (const Param* other = &one + 1; other != std::end(table); ++other) {
      if (one.field == other->field && one.field.index() != 0) return false;
    }
  }
  return true;
}
static_assert(fields_distinct(), "two rows share a field");

}  // namespace

std::span<const Param> params() {
  return table;
}

namespace {

// The table's places in the order of the names: languages look names up a lot.
constexpr auto by_name = [] {
  std::array<uint16_t, std::size(table)> places{};
  std::iota(places.begin(), places.end(), uint16_t{0});
  std::ranges::sort(places, {}, [](uint16_t place) { return std::string_view(table[place].name); });
  return places;
}();

// The table itself keeps the order of the manual, in which parameters are printed.
const Param* row_of(std::string_view name) {
  auto name_at = [](uint16_t place) { return std::string_view(table[place].name); };
  auto place = std::ranges::lower_bound(by_name, name, {}, name_at);
  return place != by_name.end() && name_at(*place) == name ? &table[*place] : nullptr;
}

}  // namespace

Found find_param(std::string_view name) {
  if (const Param* param = row_of(name)) return {.param = param};
  size_t dot = name.find('.');
  if (dot != std::string_view::npos) {
    const Param* param = row_of(name.substr(0, dot));
    if (param && param->extra.form == Form::keys)
      return {.param = param, .key = name.substr(dot + 1), .is_key = true};
  }
  // A name without a dot has its only component at npos + 1, which is 0.
  size_t last = name.rfind('.') + 1;
  if (!name.substr(last).starts_with("no")) return {};
  const Param* param = row_of(with_no(name, false));
  if (param == nullptr || !param->is_boolean()) return {};
  return {.param = param, .negated = true};
}

std::string with_no(std::string_view name, bool negated) {
  size_t last = name.rfind('.') + 1;
  std::string result(name.substr(0, last));
  if (negated) return result.append("no").append(name.substr(last));
  return result.append(name.substr(last + 2));
}

}  // namespace jail
