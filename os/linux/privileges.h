// The pure half of os/privileges.h on Linux, for its tests and for whoever else hands capabilities
// out.
#pragma once

#include <cstdint>

#include "base/text.h"

namespace jail {

// Capabilities as a set: bit N is the capability number N of capability.h.
uint64_t granted_capabilities(const Words& rights);

}  // namespace jail
