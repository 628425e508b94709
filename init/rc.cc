#include "init/rc.h"

#include <fcntl.h>
#include <string_view>

#include "base/sys.h"

namespace jail {

namespace {

bool is_there(const char* path) {
  struct stat status;
  return sys::fstatat(AT_FDCWD, path, &status, 0) == 0;
}

std::string find(const std::string& setting, const char* usual) {
  if (setting == "none") return {};
  if (setting != "auto") return setting;
  return is_there(usual) ? usual : "";
}

}  // namespace

std::string find_rc(const std::string& setting) {
  return find(setting, "/etc/rc");
}

std::string find_shutdown(const std::string& setting) {
  return find(setting, "/etc/rc.shutdown");
}

std::string find_final() {
  return is_there("/etc/rc.final") ? "/etc/rc.final" : "";
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
