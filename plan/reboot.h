// The lives of a jail's init after its first: what is done when process 1 ends by itself or by a
// reboot inside, and the warden that sees to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conf/spec.h"
#include "plan/lifecycle.h"

namespace jail {

struct Hand;

// How often in a row a jail is booted again that does not get through its start.
constexpr int most_restarts = 5;

// What an end of process 1 - "restart", "halt", "exit" or "crash" - is to bring, by init.on_*:
// "restart", "remove" or "stay".
std::string policy_of(const Spec& spec, std::string_view how);

// Whether the jail is up and stays so. One whose warden was killed gets another one, and one that
// has ended unseen, or was killed while it was booted again, is booted again where its init.on_*
// say so.
Result<bool> goes_on(Hand& hand);

// Before a jail is taken over that may go on: where process 1 has just ended and its warden lives,
// waits until that has somebody act, for it alone knows how process 1 ended and how often in a row;
// 2 s at most.
void leave_to_warden(const Host& host, const JailEntry& entry);

// Puts a new warden in where it was killed, unless another command works on the jail. What goes
// wrong is said: the caller has something else to do.
void keep_warden(const Host& host, const JailEntry& entry, const Talk& talk);

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
