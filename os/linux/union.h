// Linux: unionfs as an overlay.
#pragma once

#include <string>

#include "base/result.h"
#include "os/linux/mount_options.h"
#include "os/mount.h"

namespace jail {

// A unionfs line of mount_words(): the source is the upper, writable directory and what is at the
// point the lower one; with the option `below` the other way round. ENOTSUP where no place for the
// overlay's work directory can be had on the upper one's file system.
Result<void> mount_union(const std::string& root, const MountWords& words,
                         const MountOptions& options);

}  // namespace jail
