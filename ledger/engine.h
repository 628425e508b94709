// The engine: performs acts with the ledger in front of them, and unwinds what a ledger holds. It
// knows no act: each verb brings its own check, apply and undo (ledger/op.h). The caller holds the
// lock of the jail's life.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/ledger.h"
#include "ledger/op.h"

namespace jail {

// An act whose undo failed, and why.
struct Trouble {
  Op op;
  Error error;
};

// What an unwind came to. Acts of `troubles` are still open in the ledger, and so may be others
// that wait for them.
struct Unwound {
  std::vector<Trouble> troubles;  // newest act first
  // An undo said ECANCELED: nothing older was touched (a guard such as exec.prestop).
  bool refused = false;
};

// What the engine works on. `seen`, if given, is told of every act just before it is performed or
// undone (for -v).
struct Work {
  World& world;
  Ledger& ledger;
  std::span<const Verb> verbs;
  void (*seen)(World&, const Op&, bool undoing) = nullptr;
};

// Checks, announces, performs and confirms one act. On failure the act is open in the ledger if it
// may be in the world, and the error says what failed; the caller unwinds. An act whose check says
// Claim::nothing is passed over, and one of Lives::space is not noted. EINVAL for a verb that is
// not in the table, or with the wrong number of words.
Result<void> perform(const Work& work, const Op& op);

// Undoes every open act, newest first, and goes on past failures: an act that could not be undone
// stays open and is reported, and so do acts that need it gone first (Verb::needs_gone). Acts that
// died with an earlier boot of the host (the ledger's boot id is not `boot_id`) are struck without
// being touched. Asked again, it tries what is left.
Unwound unwind(const Work& work, const std::string& boot_id);

}  // namespace jail
