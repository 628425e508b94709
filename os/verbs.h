// The acts that this system knows: rows for the engine (ledger/op.h). What each word means is in
// doc/LEDGER.md.
#pragma once

#include <span>

#include "ledger/op.h"

namespace jail {

std::span<const Verb> os_verbs();

}  // namespace jail
