// A jail's /dev: a tmpfs with a handful of nodes, made by real root (a process of the jail cannot,
// L2). FreeBSD hides nodes of the one devfs by rules; here only what a rule shows is made at all.
#include "os/linux/devices.h"

#include "os/console.h"
#include "os/linux/abi.h"
#include "os/linux/tree.h"
#include "os/mount.h"

namespace jail {
namespace {

// A node where `major` is not 0, else a link where `target` is not null, else a directory.
struct Device {
  int ruleset;  // shown from this one on
  const char* name;
  unsigned major = 0, minor = 0;
  const char* target = nullptr;
};

// clang-format off
// Rulesets 2 to 4 of devfs.rules(5). Not here: log (a socket that a syslogd of the jail makes), crypto (no such thing),
// zfs (it would list the host's data sets to root). full, tty, shm and mqueue are what programs here expect besides.
constexpr Device devices[] = {
    {2, "full",   1, 7},
    {2, "mqueue"},
    {2, "null",   1, 3},
    {2, "random", 1, 8},
    {2, "shm"},
    {2, "urandom", 1, 9},
    {2, "zero",   1, 5},
    {3, "fd",     0, 0, "/proc/self/fd"},
    {3, "ptmx",   0, 0, "pts/ptmx"},
    {3, "pts"},
    {3, "stderr", 0, 0, "/proc/self/fd/2"},
    {3, "stdin",  0, 0, "/proc/self/fd/0"},
    {3, "stdout", 0, 0, "/proc/self/fd/1"},
    {3, "tty",    5, 0},
    {4, "fuse",   10, 229},
};
// clang-format on

// Rulesets with a devpts, and the highest that there is.
constexpr int64_t terminals_from = 3, last_ruleset = 4;

int make_device(const Fd& tree, const Device& device) {
  if (device.major != 0)
    return sys::mknodat(tree.get(), device.name, S_IFCHR | 0666,
                        makedev(device.major, device.minor));
  if (device.target != nullptr) return sys::symlinkat(device.target, tree.get(), device.name);
  return sys::mkdirat(tree.get(), device.name, 0755);
}

// The descriptor stays good after the tree was attached: it leads to the same directory, then below
// the jail's root.
Result<Fd> build_devices(int64_t ruleset) {
  // Nobody keeps data in a /dev; its inodes are kernel memory.
  Words settings = {"source=devfs", "mode=755", "size=64k", "nr_inodes=1024"};
  Fd tree = TRY(new_tree("tmpfs", settings, MOUNT_ATTR_NOSUID));
  // Devices are for everybody, whatever the umask of who started jail(8).
  mode_t saved = sys::umask(0);
  Result<void> made;
  for (const Device& device : devices) {
    if (device.ruleset <= ruleset && made && make_device(tree, device) < 0)
      made = fail_errno(device.name);
  }
  sys::umask(saved);
  TRY(made);
  return tree;
}

}  // namespace

Result<void> put_devices(const Fd& point, int64_t ruleset, uint64_t attributes) {
  if (ruleset == 0) ruleset = last_ruleset;
  if (ruleset < 1 || ruleset > last_ruleset) {
    return fail(EINVAL,
                "devfs ruleset " + std::to_string(ruleset) + " is not known here (1 to 4 are)");
  }
  Fd tree = TRY(build_devices(ruleset));
  Fd terminals;
  if (ruleset >= terminals_from) terminals = TRY(make_terminals());
  mount_attr change{};
  change.attr_set = attributes;
  if (attributes != 0 && sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &change) < 0)
    return fail_errno("devfs");
  TRY(attach(tree, point));
  if (!terminals) return {};
  // A mount goes on a detached one only from Linux 6.15 on, so this one goes on afterwards.
  if (sys::move_mount(terminals.get(), "", tree.get(), "pts", MOVE_MOUNT_F_EMPTY_PATH) == 0)
    return {};
  auto failed = fail_errno("pts");
  sys::umount2(fd_path(tree).c_str(), MNT_DETACH);
  return failed;
}

Result<void> make_devices(const std::string& root, const std::string& point, int ruleset) {
  Fd covered = TRY(open_point(root, point));
  return in(point, put_devices(covered, ruleset, 0));
}

}  // namespace jail
