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

// What a start comes to.
struct Plan {
  std::vector<Op> ops;   // outer acts and those of the space, in order
  std::vector<Op> boot;  // what process 1 does before it executes (World::boot)
  Words remarks;         // one sentence each: what this system cannot mean, or means otherwise
};

// One phase of a start: a named stretch, and the function that adds its acts. It reads nothing but
// its arguments and CELLBLOCK_STRICT.
struct Phase {
  const char* name;
  const char* freebsd;  // what FreeBSD calls the stretch and its undoing
  Result<void> (*plan)(const Spec&, const Facts&, const Site&, Plan&);
};

// The phases in order: the start, read aloud (J4.1).
std::span<const Phase> phases();

// Whether a jail has the host names of the one above: host=inherit, and no host.* of its own, which
// would make it host=new (kern_jail.c).
bool shares_names(const Spec& spec);

// Whether the jail has a console, which is a terminal of its own devfs.
bool has_console(const Spec& spec);

// Host names that this system can hold: 64 bytes, where FreeBSD takes 255 (J2.2). ENAMETOOLONG
// names the parameter.
Result<void> check_host_names(const Spec& spec);

// Plans a whole start. Errors are what this system would have to ignore though it was promised
// (ENOTSUP), and words that make no sense (EINVAL): they stop the start before anything is made.
Result<Plan> plan_start(const Spec& spec, const Facts& facts, const Site& site);

}  // namespace jail
