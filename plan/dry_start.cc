#include <string_view>
#include <unordered_set>
#include <utility>

#include "plan/schedule.h"

namespace jail {

// The queue machine itself, granted one job at a time and told at once how it went: what is shown
// is what a run does.
std::vector<Visit> dry_start(const Graph& graph, const std::vector<Node>& nodes,
                             const std::vector<Standing>& standing, const std::vector<bool>& bad) {
  std::vector<Item> items;
  items.reserve(nodes.size());
  for (size_t job = 0; job < nodes.size(); ++job) {
    items.push_back({Do::start, Asked::all, standing[job], false});
  }
  Schedule schedule(graph, std::move(items), graph.order, {}, false);
  std::vector<Visit> visits;
  std::unordered_set<std::string_view> running;
  while (std::optional<Grant> grant = schedule.next()) {
    const size_t job = grant->job;
    if (bad[job]) {
      visits.push_back({job, Fate::failed});
    } else if (running.insert(nodes[job].name).second) {
      visits.push_back({job, Fate::started});
    }
    schedule.done(job, !bad[job]);
    for (const Complaint& said : schedule.take_messages())
      visits.push_back({said.job, Fate::skipped});
  }
  return visits;
}

}  // namespace jail
