// Which records of utmp(5) the life of process 1's machine asks for. Pure: os/logins.h writes them.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "os/logins.h"
#include "sup/machine.h"

namespace jail {

// What sysvinit's init writes at these moments: the boot, when rc begins for a start - to wtmp; to
// utmp when rc is over, which may make the file - then run-level 2; 1, 6 or 0 when it goes down,
// S in single user, and `shutdown` before the end.
class RunLevels {
 public:
  // The machine has gone from `before` to `after`, at `seconds` since 1970. What is to be written,
  // in this order; valid until the next call.
  std::span<const LoginRecord> moved(const Machine& before, const Machine& after, int64_t seconds);

 private:
  void add(LoginRecord record) { records_[count_++] = record; }
  void enter_level(char level);

  std::array<LoginRecord, 2> records_;
  size_t count_ = 0;
  char level_ = 0;
  int64_t booted_ = 0;  // 0: nothing is due for utmp
};

}  // namespace jail
