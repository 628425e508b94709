// How long the language takes: language FILE. Reads and resolves a jail.conf as jail(8) does,
// imports every jail's values, and puts all starts in order; prints the number of jails and the
// milliseconds of each part.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "cmd/explain.h"
#include "conf/config.h"
#include "conf/import.h"
#include "plan/schedule.h"

namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return 1;
  const Clock::time_point start = Clock::now();
  const jail::Config config = jail::load(words[1]);
  const double loaded = since(start);
  if (config.rejected()) return 1;
  std::vector<bool> bad;
  for (const jail::Jail& one : config.jails())
    bad.push_back(!jail::import_jail(config, one).good());
  const double imported = since(start);
  const std::vector<jail::Node> nodes = jail::nodes_of(config);
  const jail::Graph graph = jail::depend_graph(nodes);
  const std::vector<jail::Visit> visits = jail::dry_start(graph, nodes, graph.standing, bad);
  const double ordered = since(start);
  for (const jail::Visit& visit : visits)
    if (visit.fate != jail::Fate::started) return 1;
  std::printf("%zu %.2f %.2f %.2f\n", visits.size(), loaded, imported - loaded, ordered - imported);
  return visits.size() == config.jails().size() ? 0 : 1;
}
