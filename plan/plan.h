// The plan: which acts a start of a Spec on a host with these Facts consists of. A pure function;
// what it yields is what `jail --plan` prints, what the engine performs, and, read backwards, what
// a stop undoes.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "conf/spec.h"
#include "ledger/op.h"
#include "os/facts.h"

namespace jail {

// What a start needs to know beside Spec and Facts: what the claim has drawn, and where the jail
// above it is.
struct Site {
  std::string id;
  int64_t jid = 0;
  std::string path;    // the jail's root: absolute, its links as they are
  std::string group;   // below the v2 mount
  std::string parent;  // id of the jail above, or empty
  Words fstab;         // the lines of mount.fstab, read before the first act
};

struct Plan {
  std::vector<Op> ops;   // outer acts and those of the space, in order
  std::vector<Op> boot;  // what process 1 does before it executes (World::boot)
  Words remarks;         // one sentence each: what this system cannot mean, or means otherwise
};

// One phase of a start: a named stretch, and the function that adds its acts.
struct Phase {
  const char* name;
  const char* freebsd;  // what FreeBSD calls the stretch and its undoing
  Result<void> (*plan)(const Spec&, const Facts&, const Site&, Plan&);
};

// The phases in order: the start, read aloud.
std::span<const Phase> phases();

// Host names that this system can hold; ENAMETOOLONG.
Result<void> check_host_names(const Spec& spec);

// Plans a whole start. Errors are what this system would have to ignore though it was promised:
// they stop the start before anything is made.
Result<Plan> plan_start(const Spec& spec, const Facts& facts, const Site& site);

}  // namespace jail
