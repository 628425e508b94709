// A jail's init as the host has it: asked to boot and to stop, booted again after a reboot inside,
// and what is done when process 1 ends by itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conf/spec.h"
#include "plan/lifecycle.h"
#include "plan/registry.h"

namespace jail {

struct Hand;

// What an end of process 1 asks for that `init.on_*` calls `restart`: the error of boot_init() for
// a reboot while rc runs, which is part of the start.
constexpr int asks_for_reboot = EALREADY;

// Puts "/sbin/jinit" for a command of exec.start whose program, in the jail's root as it lies there
// now, is a link to a file of the name jinit ("/sbin/init"), and has the Spec imply what follows. A
// root that is not there yet has no links.
void follow_init(Spec& spec);

// How often in a row a jail is booted again that does not get through its start.
constexpr int most_restarts = 5;

// What an end of process 1 - "restart", "halt", "exit" or "crash" - is to bring, by init.on_*:
// "restart", "remove" or "stay".
std::string policy_of(const Spec& spec, std::string_view how);

// How long shutting down may take, as init.shutdown_timeout says. Below 2 s it is the usual time
// (N6.2).
int64_t shutdown_seconds(const Spec& spec);

// Asks process 1 to boot and waits until rc has ended, for as long as it takes, or until it has
// become init.program. Error: rc failed,
// the jail halted or crashed meanwhile, or asks_for_reboot. ECANCELED: the user wants the start to
// end.
Result<void> boot_init(World& world);

// Asks process 1 to shut the jail down and waits for its end: as long as init.shutdown_timeout and
// stop.timeout allow, and five seconds; a program of the jail (init.program) gets its
// init.stop_signal and init.shutdown_timeout. Being out of time is no error: the undo of `boot`
// ends what is left.
Result<void> stop_init(World& world);

// Whether the jail is up and stays so. One whose warden was killed gets another one, and one that
// has ended unseen is booted again where its init.on_* say so.
Result<bool> goes_on(Hand& hand);

// Puts a new warden in where it was killed, unless another command works on the jail. What goes
// wrong is said: the caller has something else to do.
void keep_warden(const Host& host, const JailEntry& entry, const Talk& talk);

// Sends a request to the init of a running jail, whose warden is replaced if it was killed; its
// answers come as packets over the socket.
Result<Fd> call_init(const Host& host, const FoundJail& jail, const std::string& request);

// Ends what is left of process 1 and makes another one in the same place, which only reaps. The
// space stays, with all that is mounted, pinned and lent; jails below are stopped. In the ledger it
// is the same act with another yield, so that the order of undoing does not change.
Result<void> boot_again(Hand& hand);

// `jail --boot ID`, which a warden runs: makes process 1 as that one's child. The exit status.
int boot_for(const Host& host, const std::string& id);

// `jail --ended ID HOW QUICK`, which a warden runs when process 1 has ended: boots the jail again,
// removes it, or leaves it reaping, as its init.on_* say. QUICK restarts in a row are slowed down
// and, when they are too many, given up. The exit status.
int end_of_process1(const Host& host, const std::string& id, const std::string& how, int64_t quick);

}  // namespace jail
