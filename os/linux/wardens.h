// The act `warden`, and how an engine has process 1 made by one.
#pragma once

#include "base/result.h"
#include "os/wardens.h"
#include "os/world.h"

namespace jail {

// warden: process 1's parent, in the group BASE/ID.warden, with RUN/ID/control open. Yields its
// number and start time (ticks, as Process1). It ends with this engine until `adopted` was said.
Result<Words> apply_warden(World& world, const Op& op);
// Ends it; process 1, if there is one, stays. Idempotent.
Result<void> undo_warden(World& world, const Op& op);

// The acts `console` and `link` once more, in the place of terminals whose masters are all closed.
// `link` is the path of the second; empty: there is none.
Result<void> renew_console(World& world, const std::string& link);

// The verb `boot` of a jail with a warden: yields the same.
Result<Words> ask_warden_to_boot(World& world, const Op& op);

}  // namespace jail
