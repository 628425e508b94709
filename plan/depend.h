// Who needs whom among the jails of one command: `depend` and dotted names as a graph, what is
// wrong with it, and the order in which a run for all jails takes them. Pure: names in, indices
// out; it never looks at a running jail, and never fails as a whole, so that one bad jail does not
// stop the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/text.h"

namespace jail {

// One jail as far as order goes: its whole name, and the names in its `depend`, as written.
struct Node {
  std::string name;
  Words depend;
};

// One end of a dependency, seen from the other.
struct Edge {
  size_t job = 0;      // the jail at that end
  bool light = false;  // only a dotted name: enough that the parent exists (started), the child is
                       // gone (stopped)
  bool loop = false;   // part of a loop: it orders nothing, it only passes failures on
};

// Whether a jail can be acted on, as known before anything was done.
enum class Standing : uint8_t {
  fine,
  failed,  // no, and a message has said so
  looped,  // no: in a loop that was reported under the name of another jail of it
};

// A line for standard error, without program and jail name: print it as "jail: NAME: TEXT".
struct Complaint {
  size_t job = 0;
  std::string text;

  bool operator==(const Complaint&) const = default;
};

// Indices are places in the list that the graph was made from. Without the edges marked as loops it
// has no cycle.
struct Graph {
  std::vector<std::vector<Edge>>
      needs;  // by job: what it depends on, in the order written, the light one last
  std::vector<std::vector<Edge>> needed_by;  // by job: who depends on it, in the order of the list
  std::vector<size_t> order;       // every job once, as a run for all jails takes them (J3.6, J4.9)
  std::vector<Standing> standing;  // by job: what `complaints` mean for it
  std::vector<Complaint> complaints;  // undefined names, then one line for each loop (J4.8)
};

// The graph of these jails, in time linear in their names and dependencies. Each jail x.y depends
// lightly on x, or where that is not in the list on the nearest of its dotted parents that is. Of
// two jails of one name the first is the one depended on. The complaints are printed in every run,
// also where it is about other jails; a caller that stops jails by what they were started with may
// drop complaints and standing: the graph is sound without the jails that are missing, and loops
// stop nothing.
Graph depend_graph(const std::vector<Node>& nodes);

}  // namespace jail
