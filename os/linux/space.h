// The space of a jail on Linux: its view (a pinned mount namespace) and the namespaces pinned
// inside it (L1). Verbs `group`, `view` and `namespace` make it; one unpin ends all but the group.
//
// RUN/pins is a private tmpfs on the host; RUN/pins/ID is a bind of the view's mount namespace.
// Inside the view another private tmpfs lies over RUN/pins: there the other namespaces are pinned
// under their kind ("net", "uts", "cgroup"), where no copy of the host's mounts ever sees them, and
// `root` is the directory that process 1 pivots on.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "os/linux/excursion.h"
#include "os/world.h"

namespace jail {

std::string pins_of(const std::string& run);

// Enters the view of a jail. ENOENT if it has none.
Result<Excursion> visit_view(const std::string& run, const std::string& id);

// A namespace pinned in a jail's view, by kind. No descriptor where the jail has the host's of that
// kind.
Result<Fd> pinned_namespace(const std::string& run, const std::string& id, const std::string& kind);

// Opens the jail's root (O_PATH). Below the root of the jail above it there may be no links: they
// are that jail's. Error: "PREFIX is a symbolic link", "PATH: strerror".
Result<Fd> open_own_root(const World& world);

// A copy of the jail's root with all mounts below it, detached.
Result<Fd> clone_root(const World& world, const Fd& root);

// In the view: makes the jail's root a mount of its own, once. A view may be made before its root:
// exec.prestart may be what makes that, and `boot` comes back to it.
Result<void> bind_root(const World& world);

Result<Words> apply_group(World& world, const Op& op);
Result<void> undo_group(World& world, const Op& op);
Result<Words> apply_view(World& world, const Op& op);
Result<void> undo_view(World& world, const Op& op);
Result<Words> apply_namespaces(World& world, const Op& op);

}  // namespace jail
