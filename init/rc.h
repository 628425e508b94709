// What starts a jail's system and what shuts it down: found in the jail, never guessed in silence.
#pragma once

#include <string>

namespace jail {

// Something for a shell to run: a script of the jail, or a text of ours that runs those of another
// rc in their order.
struct Rc {
  std::string path;            // of the script, or what the text is called; empty: there is none
  const char* text = nullptr;  // for `sh -c`, or nothing
};

// What init.rc means: a path, none, or for `auto` the first of /etc/rc, OpenRC and sysv-rc that the
// jail has.
Rc find_rc(const std::string& setting);

// The same for init.shutdown: /etc/rc.shutdown, or what belongs to the rc above. Of sysv-rc's and
// OpenRC's those parts are left out, by name, that kill all, unmount or end the machine: that is
// process 1's own.
Rc find_shutdown(const std::string& setting);

// /etc/rc.final, if it is there (N6.4).
Rc find_final();

// Whose reboot program the jail has, for init.signals = auto: "busybox", "sysv", else "freebsd".
const char* find_signals();

}  // namespace jail
