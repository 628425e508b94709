// Linux: the devices of a jail, for who holds the point already.
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "base/result.h"

namespace jail {

// make_devices() of os/mount.h on an opened point, with MOUNT_ATTR_* of its own. Texts lack the
// point.
Result<void> put_devices(const Fd& point, int64_t ruleset, uint64_t attributes);

}  // namespace jail
