// The acts that this system knows: rows for the engine (ledger/op.h). What each word means is in
// doc/LEDGER.md.
#pragma once

#include <span>

#include "ledger/op.h"

namespace jail {

// The table: one row each, no name twice, for as long as the program runs. Rows whose act needs the
// Spec are plan's (plan/verbs.h).
std::span<const Verb> os_verbs();

}  // namespace jail
