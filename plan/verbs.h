// The acts that need the Spec: hooks, commands, addresses with several holders, lent interfaces;
// and all verbs of this system together.
#pragma once

#include <vector>

#include "ledger/op.h"

namespace jail {

// Every verb: the system's and plan's own, no name twice; what each does is in doc/LEDGER.md. The
// row `boot` is the system's with what the user hears of it around it. They need World::life.
std::vector<Verb> all_verbs();

// The system's own row `boot`, of which nobody hears anything.
const Verb& system_boot();

}  // namespace jail
