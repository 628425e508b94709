// The engine's side of a warden (os/warden.h has both, and the words between them).
#pragma once

#include <string>

#include "base/result.h"
#include "os/kernel.h"
#include "os/world.h"

namespace jail {

// In `jail --boot`, which the warden has started: makes process 1 as that one's child, with what
// the warden handed on (os/handed.h). Yields and errors as the verb `boot`.
Result<Words> boot_for_warden(World& world, const Op& op);

// Says on the pipe that the warden gave us what became of it.
Result<void> answer_warden(const Result<Words>& born);

// Tells the warden that process 1 is in the ledger (adopted), or that the start is over (up).
// One that was killed need not know: the next command puts another in its place.
Result<void> tell_warden(const World& world, const char* word);

// How process 1 has ended: restart, halt, exit or crash. EAGAIN: the warden has not said so within
// `timeout` milliseconds; EPIPE: it is gone.
Result<std::string> hear_warden(const World& world, int timeout);

// Whether the jail's warden lives. Reads one file.
Result<bool> warden_lives(const World& world);

// Puts a new warden (`op` is the act) in the place of one that was killed. What the old one held
// it has from a living process 1 (`handover`), which goes on undisturbed. Where that has ended, or
// is a program of the jail, nobody has it any more: the console is made anew without its last
// output, and so is the terminal behind `link`, console.link's path (empty: there is none; nullptr:
// no console either). Yields
// as the act. `living`: process 1, or nullptr where it has ended; a warden that has seen its end
// and has not had anybody act yet is ended then. After an error there is no warden, and the next
// command tries again.
Result<Words> replace_warden(World& world, const Op& op, const std::string* link,
                             const Process1* living);

// How a process 1 that ended unseen was about to end: "restart", "halt" or "exit"; "crash" where it
// left no word (a reboot(2) by another process, or a kill).
std::string word_of_the_end(const World& world);

// Makes the leaves of the jail's group anew, which have to be empty. Linux (6.18 was seen to) kills
// at birth whoever is cloned into a group to which cgroup.kill was ever written. EBUSY: they are
// not empty.
Result<void> renew_groups(const World& world);

}  // namespace jail
