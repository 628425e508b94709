// What starts a jail's system and what shuts it down: found in the jail, never guessed in silence.
#pragma once

#include <string>

namespace jail {

// The script that init.rc means: its path, or the jail's /etc/rc for `auto`. Empty: there is none.
std::string find_rc(const std::string& setting);

// The same for init.shutdown and /etc/rc.shutdown. A path that is named need not be there.
std::string find_shutdown(const std::string& setting);

// /etc/rc.final, if it is there (N6.4).
std::string find_final();

// Whose reboot program the jail has, for init.signals = auto: "busybox", "sysv", else "freebsd".
const char* find_signals();

}  // namespace jail
