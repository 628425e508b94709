// World: what verbs act on - one jail's identity and places, this host's facts, and what earlier
// acts yielded.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/text.h"
#include "ledger/op.h"
#include "os/facts.h"

namespace jail {

// What the verbs of plan/ need beside: the Spec, the conversation with the user. Only plan/ knows
// its insides.
struct Life;

// Filled before the first act (plan/hand.h) and changed only by what acts yield. Verbs read it and
// keep nothing of it.
struct World {
  std::string id;     // of this jail: names its directory, view and group
  std::string run;    // CELLBLOCK_RUN: pins/ID, ID/control
  std::string log;    // CELLBLOCK_LOG: what wardens and their commands say
  std::string path;   // the jail's root on the host: absolute, its links as they are
  std::string base;   // the top of our groups (plan/registry.h)
  std::string group;  // below the v2 mount, without a leading slash: "cellblock/5d1f09c2"
  // Id of the jail whose view this one's is a slave of, or empty: the host's mounts.
  std::string view_of;
  std::string above;  // the root of that jail; a path below it is the jail's to arrange
  Facts facts;
  std::vector<Op> boot;  // what process 1 does before it executes, in order (Lives::space)
  std::map<std::string, Words> yields;  // verb -> what its open act yielded
  Fd console, ring, link;               // made for a process 1 to come (os/handed.h)
  Fd warden;  // to the warden of a jail with an init, while this engine works with it
  Life* life = nullptr;
};

}  // namespace jail
