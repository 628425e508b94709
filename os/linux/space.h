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

// RUN/pins.
std::string pins_of(const std::string& run);

// Enters the view of a jail, until the Excursion ends. ENOENT if it has none.
Result<Excursion> visit_view(const std::string& run, const std::string& id);

// A namespace pinned in a jail's view, by kind. No descriptor where the jail has the host's of that
// kind. ENOENT if it has no view.
Result<Fd> pinned_namespace(const std::string& run, const std::string& id, const std::string& kind);

// Opens the jail's root (O_PATH). Below the root of the jail above it there may be no links: they
// are that jail's. Error: "PREFIX is a symbolic link", "PATH: strerror".
Result<Fd> open_own_root(const World& world);

// A copy of the jail's root with all mounts below it, detached; still a peer of the mounts that it
// was copied from (L2). Error: "PATH: strerror".
Result<Fd> clone_root(const World& world, const Fd& root);

// In the view: makes the jail's root a mount of its own, once. A view may be made before its root:
// exec.prestart may be what makes that, and `boot` comes back to it. One that failed half way is
// not tried again: the view goes with the start.
Result<void> bind_root(const World& world);

// The verbs (doc/LEDGER.md). They yield no words; undos are idempotent.

// group GROUP: the jail's cgroup with jail/init for process 1 and jail/run for everything else
// (L6). ENOENT where the group above has gone.
Result<Words> apply_group(World& world, const Op& op);
// EBUSY while a process is left in it.
Result<void> undo_group(World& world, const Op& op);

// view PATH PARENT: a new mount namespace, slave of the host's or of the view of the jail above,
// pinned at RUN/pins/ID. Error: "view: ...".
Result<Words> apply_view(World& world, const Op& op);
// Takes the mounts and the inner pins down, and drops the pin: what nobody uses any more is gone
// when this returns (L1.3).
Result<void> undo_view(World& world, const Op& op);

// namespaces NET UTS CGROUP: makes and pins them in the view. Each is "new", "host", "parent" (that
// of the jail above, or else the host's) or a path of the host; NET also "loopback", a new one with
// lo up; UTS also "owned", a new one that the jail's root may name. They go with the view.
Result<Words> apply_namespaces(World& world, const Op& op);

}  // namespace jail
