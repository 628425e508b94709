// Spec: everything asked of one jail, resolved and checked. Field names are jail.conf's words with
// `.` as `_`; the table that ties each to its parameter is conf/params.cc. Facts about each
// parameter: J2.1-J2.3 in doc/COMPAT.md and jail.conf(5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/text.h"

namespace jail {

// A parameter with the three-way type of the kernel: nothing of it, one of its own, the parent's.
// In the kernel's order: 0, 1, 2 are the same three as numbers (Appendix B).
enum class JailSys : uint8_t { disable, new_, inherit };

// Invariants: no variables and no wildcards are left; every field is in its range; an empty
// optional was not given; a given list may be empty. Print, then parse, gives an equal Spec. Never
// changed after it was resolved.
struct Spec {
  // The commands' own parameters (J2.1), in the order of that table. Booleans and lists not given
  // are false, empty; but exec.rollback and stop.strict, which are ours, depend on
  // CELLBLOCK_STRICT. Times are seconds: exec.timeout 0 is no limit, stop.timeout 0 sends no
  // SIGTERM.
  std::optional<Words> exec_prepare, exec_prestart, exec_created, exec_start, command,
      exec_poststart;
  std::optional<Words> exec_prestop, exec_stop, exec_poststop, exec_release;
  std::optional<bool> exec_clean, exec_system_jail_user, exec_rollback, stop_strict;
  std::optional<std::string> exec_jail_user, exec_system_user, exec_consolelog;
  std::optional<int64_t> exec_timeout, exec_fib, stop_timeout;
  std::optional<Words> mount, mount_fstab;
  std::optional<bool> mount_devfs, mount_fdescfs, mount_procfs;
  std::optional<std::string> interface;
  std::optional<bool> ip_hostname;
  std::optional<Words> vnet_interface, zfs_dataset, depend;
  std::optional<bool> allow_dying;
  // Of the jail's init, ours.
  std::optional<bool> init, console;
  std::optional<std::string> init_rc, init_shutdown, init_rc_failure, init_signals, console_link;
  std::optional<std::string> init_program, init_stop_signal;
  std::optional<std::string> init_on_reboot, init_on_halt, init_on_exit, init_on_crash;
  std::optional<int64_t> init_shutdown_timeout;

  // Kernel parameters (J2.2). Addresses are words as written: what interface and mask mean is
  // decided when the jail is started (conf/address.h).
  std::optional<int64_t> jid;  // 0 = not specified
  std::optional<std::string> name, path;
  std::optional<bool> persist;
  std::optional<int64_t> securelevel, osreldate, enforce_statfs, devfs_ruleset, children_max;
  std::optional<std::string> osrelease;
  std::optional<JailSys> host, vnet, ip4, ip6, sysvmsg, sysvsem, sysvshm, linux_;
  std::optional<std::string> host_hostname, host_domainname, host_hostuuid;
  std::optional<uint64_t> host_hostid;
  std::optional<Words> ip4_addr, ip6_addr;  // [IFACE|]ADDR[/MASK][ ARG...]
  std::optional<bool> ip4_saddrsel, ip6_saddrsel;
  std::optional<std::string> meta, env;  // lines of KEY=VALUE
  std::optional<std::string> linux_osname, linux_osrelease;
  std::optional<int64_t> linux_oss_version;
  std::optional<JailSys> zfs, mac_do;
  std::optional<int64_t> zfs_mount_snapshot;
  std::optional<std::string> mac_do_rules;

  // Permissions (J2.3). What is granted without being given: Extra::on of conf/params.h.
  std::optional<bool> allow_set_hostname, allow_sysvipc, allow_raw_sockets, allow_chflags,
      allow_mount, allow_quotas;
  std::optional<bool> allow_socket_af, allow_mlock, allow_reserved_ports, allow_read_msgbuf;
  std::optional<bool> allow_unprivileged_proc_debug, allow_unprivileged_parent_tampering,
      allow_suser, allow_nfsd;
  std::optional<bool> allow_extattr, allow_adjtime, allow_settime, allow_routing, allow_setaudit;
  std::optional<bool> allow_mount_devfs, allow_mount_fdescfs, allow_mount_fusefs,
      allow_mount_linprocfs;
  std::optional<bool> allow_mount_linsysfs, allow_mount_lindebugfs, allow_mount_nullfs,
      allow_mount_p9fs;
  std::optional<bool> allow_mount_procfs, allow_mount_tmpfs, allow_mount_zfs;
  std::optional<bool> allow_vmm, allow_vmm_ppt;

  bool operator==(const Spec&) const = default;
};

}  // namespace jail
