#include "init/rc.h"

#include <fcntl.h>
#include <string_view>

#include "base/sys.h"

namespace jail {

namespace {

// What belongs to a machine and not to a jail: file systems, clocks, consoles; and at the end what
// kills all, unmounts and ends the machine, which is process 1's own. Some of it would wait at a
// prompt for somebody to repair what is not broken. The second half are OpenRC's own names.
#define MACHINE                                                                                   \
  "skip=' brightness checkfs.sh checkroot.sh checkroot-bootclean.sh console-setup.sh halt "       \
  "hostname.sh "                                                                                  \
  "hwclock.sh keyboard-setup.sh killprocs kmod mount-configfs mountall.sh mountall-bootclean.sh " \
  "mountdevsubfs.sh mountkernfs.sh mountnfs.sh mountnfs-bootclean.sh procps reboot savecache "    \
  "sendsigs single udev umountfs umountnfs.sh umountroot urandom "                                \
  "cgroups consolefont devfs dmesg fsck hostname hwclock hwdrivers keymaps localmount mdev "      \
  "modloop modules mount-ro netmount numlock osclock procfs root seedrng swap swclock sysctl "    \
  "sysfs termencoding udev-trigger udev-settle '\n"                                               \
  "ours() { case \"$skip\" in *\" $1 \"*) return 1;; esac; }\n"

// A link is called S or K, two digits, and the name.
#define SYSV                                                      \
  MACHINE                                                         \
  "each() { for f in \"$1\"/\"$2\"*; do n=${f##*/}; n=${n#???}\n" \
  "  if [ -x \"$f\" ] && ours \"$n\"; then \"$f\" \"$3\"; fi; done; }\n"

constexpr const char* sysv_start = SYSV
    "export PREVLEVEL=N RUNLEVEL=S runlevel=S; each /etc/rcS.d S start\n"
    "export RUNLEVEL=2 runlevel=2 previous=N; each /etc/rc2.d S start\nexit 0\n";
constexpr const char* sysv_shutdown = SYSV
    "l=0; [ \"$1\" != single ] || l=1\n"
    "export PREVLEVEL=2 RUNLEVEL=$l runlevel=$l previous=2; each /etc/rc$l.d K stop\nexit 0\n";

// OpenRC goes through its runlevels itself, and its own status is right. What belongs to a machine
// counts as started before - the host has done it - and is neither stopped at the end nor started.
#define OPENRC \
  MACHINE      \
  "at=/run/openrc; mark() { ln -sf /etc/init.d/\"$1\" $at/started/\"$1\"; }\n"

constexpr const char* openrc_start = OPENRC
    "rm -rf $at/*; mkdir -p $at/started\n"
    "for f in /etc/runlevels/sysinit/* /etc/runlevels/boot/* /etc/runlevels/default/*; do\n"
    "  n=${f##*/}; ours \"$n\" || mark \"$n\"; done\n"
    "for level in sysinit boot default; do openrc $level; done\nexit 0\n";
constexpr const char* openrc_shutdown = OPENRC
    "for n in $skip; do rm -f $at/started/$n; done\n"
    "for f in /etc/runlevels/shutdown/*; do n=${f##*/}; ours \"$n\" || mark \"$n\"; done\n"
    "openrc shutdown\nexit 0\n";
#undef OPENRC
#undef SYSV
#undef MACHINE

struct Part {
  const char *path, *text;
};
struct System {
  const char* probe;  // what a jail with it has
  Part start, shutdown;
};
constexpr System systems[] = {
    {"/etc/rc", {"/etc/rc", nullptr}, {"/etc/rc.shutdown", nullptr}},
    {"/sbin/openrc", {"openrc", openrc_start}, {"openrc", openrc_shutdown}},
    {"/etc/rcS.d", {"sysv-rc", sysv_start}, {"sysv-rc", sysv_shutdown}},
};

bool is_there(const char* path) {
  struct stat status;
  return sys::fstatat(AT_FDCWD, path, &status, 0) == 0;
}

Rc find(const std::string& setting, Part System::* part) {
  if (setting == "none") return {};
  if (setting != "auto") return {setting};
  for (const System& system : systems) {
    const Part& found = system.*part;
    if (is_there(system.probe))
      return found.text || is_there(found.path) ? Rc{found.path, found.text} : Rc();
  }
  return {};
}

}  // namespace

Rc find_rc(const std::string& setting) {
  return find(setting, &System::start);
}

Rc find_shutdown(const std::string& setting) {
  return find(setting, &System::shutdown);
}

Rc find_final() {
  return is_there("/etc/rc.final") ? Rc{"/etc/rc.final"} : Rc();
}

// busybox and sysvinit both end a machine by signals to process 1, or by its fifo; by the link it
// is known which.
const char* find_signals() {
  for (const char* program : {"/sbin/reboot", "/bin/reboot", "/usr/sbin/reboot"}) {
    char target[256];
    const ssize_t size = sys::readlinkat(AT_FDCWD, program, target, sizeof target);
    const std::string_view name(target, size > 0 ? static_cast<size_t>(size) : 0);
    if (name.ends_with("busybox")) return "busybox";
    if (name.ends_with("halt")) return "sysv";
  }
  return is_there("/sbin/telinit") ? "sysv" : "freebsd";
}

}  // namespace jail
