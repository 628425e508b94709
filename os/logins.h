// The records of utmp(5): who is logged in, since when the jail is up, what was. Those of process 1
// are here; getty and login write theirs themselves. Used in jinit: no {fmt}, no allocation.
#pragma once

#include <cstdint>
#include <string_view>

namespace jail {

enum class LoginKind : uint8_t { boot, run_level, shutdown, begun, ended };

struct LoginRecord {
  LoginKind kind = LoginKind::boot;
  char level = 0, previous = 0;   // run_level: as sysvinit names them; previous 0: none
  int pid = 0;                    // of begun and ended: the session's process
  std::string_view line = {};     // and its device, as ttys(5) has it
  int64_t seconds = 0;            // since 1970; 0: now
  bool utmp = true, wtmp = true;  // where it belongs
};

// Writes it where the jail's userland has these files - /run/utmp or /var/run/utmp, and
// /var/log/wtmp - and nothing where it has not: none is made, and no link is followed. In utmp it
// takes the place of its predecessor; what a getty has written there meanwhile for its own process
// stays. Failures are the record's loss alone.
void put_login_record(const LoginRecord& record);

}  // namespace jail
