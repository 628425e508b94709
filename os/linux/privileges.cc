// Rights as capabilities. A jail's root is the host's uid 0 (without a user namespace), so what
// stands between the two is this set. Never in it, whatever is asked for: SYS_ADMIN (mounts, and
// with that everything), SYS_PTRACE and DAC_READ_SEARCH (processes that enter; open_by_handle_at(2)
// out of the root), MKNOD and SYS_RAWIO (devices), SYS_MODULE, BPF and PERFMON (the kernel),
// SYS_BOOT but for a jail with an init, where reboot(2) means the jail's own process 1 (L4) and
// kexec is refused by a filter.
#include "os/privileges.h"

#include "base/table.h"
#include "os/linux/abi.h"
#include "os/linux/privileges.h"

namespace jail {
namespace {

constexpr uint64_t bit(int capability) {
  return uint64_t{1} << capability;
}

// What root of a plain jail has (compare prison_priv_check() of kern_jail.c).
constexpr uint64_t basic = bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_FOWNER) |
                           bit(CAP_FSETID) | bit(CAP_KILL) | bit(CAP_SETGID) | bit(CAP_SETUID) |
                           bit(CAP_SETPCAP) | bit(CAP_NET_BIND_SERVICE) | bit(CAP_SYS_CHROOT) |
                           bit(CAP_AUDIT_WRITE) | bit(CAP_SETFCAP);
constexpr uint64_t network = bit(CAP_NET_RAW) | bit(CAP_NET_ADMIN) | bit(CAP_NET_BROADCAST);
// What changing the user needs, which comes after the drop.
constexpr uint64_t until_exec = bit(CAP_SETGID) | bit(CAP_SETUID);

// What the filter against kexec needs to know of this machine: the tables of system calls.
#if defined(__x86_64__)
constexpr unsigned native_arch = AUDIT_ARCH_X86_64, foreign_kexec_load = 283, x32 = 0x40000000;
#elif defined(__aarch64__)
constexpr unsigned native_arch = AUDIT_ARCH_AARCH64, foreign_kexec_load = 347, x32 = 0x40000000;
#else
#error "the kexec filter needs the numbers of this architecture"
#endif

constexpr const char* mounts_remark =
    "mounting in a jail needs a user namespace, which this jail has not; it is refused";
constexpr const char* quotas_remark = "quotas cannot be managed from a jail; it is refused";

// One word: what it gives, what it takes from all that is given, and what of it has no meaning
// here.
struct Right {
  const char* name;
  uint64_t gives, takes;
  const char* remark;
};

// clang-format off
constexpr Right rights_table[] = {
    {"vnet", network, 0, ""},
    {"reboot", bit(CAP_SYS_BOOT), 0, ""},
    {"raw_sockets", bit(CAP_NET_RAW), 0, ""},
    {"mlock", bit(CAP_IPC_LOCK), 0, ""},
    {"chflags", bit(CAP_LINUX_IMMUTABLE), 0, ""},
    {"settime", bit(CAP_SYS_TIME), 0, ""},
    {"adjtime", bit(CAP_SYS_TIME), 0, "the clock can be set too: the kernel has one capability for both"},
    {"read_msgbuf", bit(CAP_SYSLOG), 0, "the buffer can be cleared too: the kernel has one capability for both"},
    {"setaudit", bit(CAP_AUDIT_CONTROL), 0, ""},
    {"noreserved_ports", 0, bit(CAP_NET_BIND_SERVICE), ""},
    {"nosuser", 0, ~uint64_t{0}, ""},
    {"securelevel=1", 0, bit(CAP_LINUX_IMMUTABLE), ""},
    {"securelevel=2", 0, bit(CAP_LINUX_IMMUTABLE) | bit(CAP_SYS_TIME), ""},
    {"securelevel=3", 0, bit(CAP_LINUX_IMMUTABLE) | bit(CAP_SYS_TIME) | bit(CAP_NET_ADMIN), ""},
    // Words that no capability stands for.
    {"socket_af", 0, 0, "sockets of other address families are not restricted; the word changes nothing"},
    {"noset_hostname", 0, 0, ""},
    {"set_hostname", 0, 0, ""},
    {"sysvipc", 0, 0, ""},
    {"reserved_ports", 0, 0, ""},
    {"suser", 0, 0, ""},
    {"quotas", 0, 0, quotas_remark},
    {"extattr", 0, 0, "trusted and system extended attributes stay out of reach; user attributes need no permission"},
    {"nfsd", 0, 0, "an NFS server cannot run in a jail"},
    {"routing", 0, 0, "routes of the host's network cannot be changed from a jail; give it vnet"},
    {"unprivileged_proc_debug", 0, 0, ""},
    {"nounprivileged_proc_debug", 0, 0, "users can debug processes of their own; the word changes nothing"},
    {"unprivileged_parent_tampering", 0, 0, "processes of a parent cannot be seen from a jail; the word changes nothing"},
    {"mount", 0, 0, mounts_remark},
    {"vmm", 0, 0, "there is no vmm here; virtual machines use /dev/kvm by devfs_ruleset"},
    {"vmm_ppt", 0, 0, "there is no vmm here; devices are passed through by the host"},
};
// clang-format on

const Right* find_right(std::string_view word) {
  // securelevel goes up to 3 in meaning; any higher number is as 3, and -1 and 0 take nothing.
  constexpr std::string_view level = "securelevel=";
  if (word.starts_with(level)) {
    int64_t number = parse_int(word.substr(level.size())).value_or(3);
    word = number <= 0   ? ""
           : number == 1 ? "securelevel=1"
           : number == 2 ? "securelevel=2"
                         : "securelevel=3";
  }
  return find_row(std::span<const Right>(rights_table), word);
}

// kexec_load(2) and kexec_file_load(2) are EPERM from here on, by whichever table of system calls
// they are made; nothing takes the filter away again. Needs CAP_SYS_ADMIN.
Result<void> refuse_kexec() {
  auto jump = [](unsigned value, unsigned char then) {
    return sock_filter{BPF_JMP | BPF_JEQ | BPF_K, then, 0, value};
  };
  const sock_filter steps[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, arch)},
      jump(native_arch, 3),
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      jump(foreign_kexec_load, 7),
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      jump(SYS_kexec_load, 4),
      jump(SYS_kexec_file_load, 3),
      jump(x32 | 528, 2),
      jump(x32 | SYS_kexec_file_load, 1),
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
  };
  const sock_fprog program{std::size(steps), const_cast<sock_filter*>(steps)};
  return sys::seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? Result<void>()
                                                                 : fail_errno("seccomp");
}

Result<void> drop_bounding(uint64_t granted) {
  for (int capability = 0; capability < 64; capability++) {
    if (granted & bit(capability)) continue;
    if (sys::prctl(PR_CAPBSET_DROP, static_cast<unsigned long>(capability)) == 0) continue;
    if (errno == EINVAL && capability > CAP_SETFCAP) return {};  // past the kernel's last one
    return fail_errno("bounding set");
  }
  return {};
}

}  // namespace

// What one word takes no other gives back, in whatever order they stand.
uint64_t granted_capabilities(const Words& rights) {
  uint64_t given = basic, taken = 0;
  for (const std::string& word : rights) {
    const Right* right = find_right(word);
    if (!right) continue;
    given |= right->gives;
    taken |= right->takes;
  }
  return given & ~taken;
}

Result<void> drop_privileges(const Words& rights) {
  uint64_t granted = granted_capabilities(rights);
  if (granted & bit(CAP_SYS_BOOT)) TRY(in("privileges", refuse_kexec()));
  // The bounding set first: it takes SETPCAP, which may go below. It is what bounds an exec by
  // root; the ambient and inheritable sets would add to it.
  TRY(in("privileges", drop_bounding(granted)));
  if (sys::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL) != 0)
    return fail_errno("privileges: ambient set");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  if (sys::capget(&header, data) != 0) return fail_errno("privileges: capget");
  uint64_t kept = granted | until_exec;
  for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
    data[i].permitted &= static_cast<uint32_t>(kept >> (32 * i));
    data[i].effective = data[i].permitted;
    data[i].inheritable = 0;
  }
  if (sys::capset(&header, data) != 0) return fail_errno("privileges: capset");
  return {};
}

std::string privilege_remark(const std::string& word) {
  if (word.starts_with("mount.")) return mounts_remark;
  const Right* right = find_right(word);
  return right ? right->remark : "";
}

}  // namespace jail
