// The engine's side of a warden (os/warden.h has both, and the words between them).
#pragma once

#include <string>

#include "base/result.h"
#include "os/world.h"

namespace jail {

// In `jail --boot`, which the warden has started: makes process 1 as that one's child, with what
// the warden handed on (os/handed.h). Yields and errors as the verb `boot`.
Result<Words> boot_for_warden(World& world, const Op& op);

// Says on the pipe that the warden gave us what became of it.
Result<void> answer_warden(const Result<Words>& born);

// Tells the warden that process 1 is in the ledger (adopted), or that the start is over (up).
Result<void> tell_warden(const World& world, const char* word);

// How process 1 has ended: restart, halt, exit or crash. EAGAIN: the warden has not said so within
// `timeout` milliseconds; EPIPE: it is gone.
Result<std::string> hear_warden(const World& world, int timeout);

// Makes the leaves of the jail's group anew, which have to be empty. Linux (6.18 was seen to) kills
// at birth whoever is cloned into a group to which cgroup.kill was ever written. EBUSY: they are
// not empty.
Result<void> renew_groups(const World& world);

}  // namespace jail
