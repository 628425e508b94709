// The engine's side of a warden (os/warden.h has both, and the words between them).
#pragma once

#include <optional>
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

// How process 1 has ended, once the warden has said so: restart, halt, exit or crash. Nothing yet:
// no value. EPIPE: the warden is gone.
Result<std::optional<std::string>> hear_warden(const World& world);

}  // namespace jail
