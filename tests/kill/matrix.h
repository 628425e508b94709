// The matrix: a command dies, or one of its acts fails, at each place; the command that recovers
// from that dies or fails at each of its places; and what then comes without a fault finds the
// world as it was before, or the jail fully up.
//
// States that are the same are gone on from once: that is what makes all pairs affordable. Nothing
// is left out and nothing is excused, but for promise 5: a hook of an undo that fails is reported
// and not kept.
#pragma once

#include <string>

#include "base/text.h"

namespace jail::kill {

enum class Kind : unsigned char { start, stop, recover };

struct Scenario {
  std::string name;  // of the jail
  std::string conf;
  Words started;  // jails of the same file that are up all the time
  Kind first = Kind::start;
  Words inside = {};  // jails below it that are up when a stop of it begins
};

struct Tally {
  size_t places = 0;     // of the first command
  size_t states = 0;     // that its deaths and failures led to
  size_t seconds = 0;    // deaths and failures of commands that recovered from them
  size_t pairs = 0;      // of a first and a second one, all of them
  size_t recovered = 0;  // recoveries that were looked at in the end
  Words wrong;           // what went wrong, a text each
};

// Tries the whole matrix of a scenario in the world of this process, but of the second faults only
// those of every `share`-th state from `part` on.
Tally try_matrix(const std::string& world, const Scenario& scenario, size_t part, size_t share);

}  // namespace jail::kill
