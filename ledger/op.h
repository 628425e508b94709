// Op and Verb: one reversible act as data, and how each kind of act is done and undone. No code
// here, so that os/ and plan/ can both export rows of verbs (the one upward include that
// tests/layers.py allows).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/text.h"

namespace jail {

// What verbs act on: one jail's directories, what earlier ops yielded (os/world.h).
struct World;

// How long the effect of a verb lasts, which decides what is promised for it.
enum class Lives : uint8_t {
  space,      // dies with the view or with process 1: never in the ledger
  host_boot,  // dies with the kernel: in the ledger; void after a reboot of the host
  disk,       // survives a reboot: in the ledger, synced before the act
};

// One act: a verb and its words. The words mean the same in any process, later, and after the
// configuration changed.
struct Op {
  std::string verb;
  Words args;

  bool operator==(const Op&) const = default;
};

// The act as people read it: its words as in the ledger, "address lo \"127.0.0.2\" 32".
std::string text_of(const Op& op);

// What check() found before anything was written down or done.
enum class Claim : uint8_t {
  ours,     // go ahead: note it and do it
  nothing,  // what is wanted is there already and not ours: do not note it, never undo it
};

// One kind of act. check only looks; where it refuses, nothing has been noted. apply does the act
// and returns what is to be remembered of it. undo is idempotent, accepts an act never, half or
// wholly done, and touches only what bears our mark. A null check means always ours; a null undo,
// nothing to undo.
struct Verb {
  const char* name;
  size_t arity;  // exactly so many words
  Lives lives;
  Result<Claim> (*check)(World&, const Op&);
  Result<Words> (*apply)(World&, const Op&);
  Result<void> (*undo)(World&, const Op&);
  // A verb whose open acts must all be undone before this one's undo is tried, or nullptr.
  const char* needs_gone;
};

}  // namespace jail
