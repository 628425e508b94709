// The acts that need the Spec: hooks, commands, addresses with several holders, lent interfaces;
// and all verbs of this system together.
#pragma once

#include <vector>

#include "ledger/op.h"

namespace jail {

// Every verb: the system's and plan's own. The row `boot` is the system's with what the user hears
// of it around it.
std::vector<Verb> all_verbs();

}  // namespace jail
