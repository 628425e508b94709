// A jail's init as the host speaks to it: asked to boot, to stop, and whatever else it understands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conf/spec.h"
#include "plan/lifecycle.h"
#include "plan/registry.h"

namespace jail {

// Errors of boot_init() for a process 1 that ends while rc runs, by its own wish: a reboot, which
// is part of the start, and a halt.
constexpr int asks_for_reboot = EALREADY, asks_for_halt = ESHUTDOWN;

// Puts "/sbin/jinit" for a command of exec.start whose program, in the jail's root as it lies there
// now, is a link to a file of the name jinit ("/sbin/init"), and has the Spec imply what follows. A
// root that is not there yet has no links.
void follow_init(Spec& spec);

// How long shutting down may take, as init.shutdown_timeout says. Below 2 s it is the usual time
// (N6.2).
int64_t shutdown_seconds(const Spec& spec);

// Asks process 1 to boot and waits until rc has ended, for as long as it takes, or until it has
// become init.program. Error: rc failed, the jail crashed meanwhile, or one of the above.
// ECANCELED: the user wants the start to end.
Result<void> boot_init(World& world);

// Whether process 1 of that jail, which is jinit, says within a moment that this is its state, and
// that it runs no script.
bool init_says(const std::string& run, const std::string& id, std::string_view state);

// Asks process 1 to shut the jail down and waits for its end: as long as init.shutdown_timeout and
// stop.timeout allow, and five seconds; a program of the jail (init.program) gets its
// init.stop_signal and init.shutdown_timeout. Being out of time is no error: the undo of `boot`
// ends what is left.
Result<void> stop_init(World& world);

// Sends a request to the init of a running jail, whose warden is replaced if it was killed; its
// answers come as packets over the socket.
Result<Fd> call_init(const Host& host, const FoundJail& jail, const std::string& request);

}  // namespace jail
