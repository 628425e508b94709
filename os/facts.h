// Facts: what this host is and can do, probed once by a command and passed by value. plan()
// consults nothing else about the host.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace jail {

// No secrets and no descriptors: a test makes one by hand.
struct Facts {
  std::string boot_id;  // another one after each boot of this host; never empty, never "-"
  std::string groups;   // where the cgroup v2 hierarchy is mounted; empty: nowhere (L6)
};

// Looks at this host. Fails only where not even the boot can be told from another (no /proc); a
// host without cgroup v2 is a Facts with empty `groups`.
Result<Facts> probe();

}  // namespace jail
