#include "sup/graph.h"

#include <algorithm>
#include <numeric>

namespace jail {
namespace {

constexpr size_t nowhere = static_cast<size_t>(-1);

// Names in order, so that each is found in logarithmic time; of equal ones the first comes first.
class NameIndex {
 public:
  explicit NameIndex(std::span<const ServiceNode> nodes) : nodes_(nodes), places_(nodes.size()) {
    std::iota(places_.begin(), places_.end(), uint16_t{0});
    std::ranges::sort(places_, [&](uint16_t one, uint16_t other) {
      const int order = nodes_[one].name.compare(nodes_[other].name);
      return order != 0 ? order < 0 : one < other;
    });
  }
  size_t find(std::string_view name) const {
    auto at = std::ranges::lower_bound(places_, name, {},
                                       [&](uint16_t place) { return nodes_[place].name; });
    return at != places_.end() && nodes_[*at].name == name ? *at : nowhere;
  }

 private:
  std::span<const ServiceNode> nodes_;
  std::vector<uint16_t> places_;
};

// The loop as seen by the one at `from` in it; a long one by its first few, as it is for one line.
std::string loop_text(std::span<const ServiceNode> nodes, std::span<const uint16_t> loop,
                      size_t from) {
  constexpr size_t longest = 8;
  if (loop.size() == 1) return "depends on itself";
  std::string text;
  for (size_t n = 1; n <= std::min(loop.size(), longest); ++n) {
    text += n == 1 ? "depends on " : ", which depends on ";
    text += nodes[loop[(from + n) % loop.size()]].name;
  }
  return loop.size() > longest ? text + " ..." : text;
}

}  // namespace

ServiceGraph::ServiceGraph(std::span<const ServiceNode> nodes) : trouble_(nodes.size()) {
  order_.reserve(nodes.size());
  link(nodes);
  turn_round();
  sort(nodes);
}

// Names to numbers.
void ServiceGraph::link(std::span<const ServiceNode> nodes) {
  const NameIndex index(nodes);
  for (size_t i = 0; i < nodes.size(); ++i) {
    needs_.first.push_back(static_cast<uint32_t>(needs_.links.size()));
    for (const std::string& name : nodes[i].depend) {
      if (size_t to = index.find(name); to != nowhere) {
        needs_.links.push_back({static_cast<uint16_t>(to), true});
      } else if (trouble_[i].empty()) {
        trouble_[i] = concat({"depends on ", name, ", which is no service"});
      }
    }
    for (const std::string& name : nodes[i].after) {
      if (size_t to = index.find(name); to != nowhere)
        needs_.links.push_back({static_cast<uint16_t>(to), false});
    }
  }
  needs_.first.push_back(static_cast<uint32_t>(needs_.links.size()));
}

// The same links from their other end: counted, then put where the counts say.
void ServiceGraph::turn_round() {
  const size_t count = trouble_.size();
  needed_by_.first.assign(count + 1, 0);
  for (const ServiceLink& link : needs_.links) ++needed_by_.first[link.service + 1U];
  std::partial_sum(needed_by_.first.begin(), needed_by_.first.end(), needed_by_.first.begin());
  std::vector<uint32_t> at(needed_by_.first.begin(), needed_by_.first.end() - 1);
  needed_by_.links.resize(needs_.links.size());
  for (size_t i = 0; i < count; ++i) {
    for (const ServiceLink& link : needs(i))
      needed_by_.links[at[link.service]++] = {static_cast<uint16_t>(i), link.needed};
  }
}

// Takes services whose needs were all taken. Where none is left that could be taken, there is a
// loop among the rest: one of them is broken, and it goes on.
void ServiceGraph::sort(std::span<const ServiceNode> nodes) {
  std::vector<uint32_t> pending(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    pending[i] = static_cast<uint32_t>(needs(i).size());
    if (pending[i] == 0) order_.push_back(static_cast<uint16_t>(i));
  }
  for (size_t at = 0;; ++at) {
    while (at == order_.size() && order_.size() < nodes.size()) break_loop(nodes, pending);
    if (at == order_.size()) return;
    for (const ServiceLink& link : needed_by(order_[at])) {
      if (--pending[link.service] == 0) order_.push_back(link.service);
    }
  }
}

// Finds a loop by going from need to need until one is met again, says so to all that are in it,
// and lets them need nothing. Whoever only needs one of them can be put in order all the same.
void ServiceGraph::break_loop(std::span<const ServiceNode> nodes, std::vector<uint32_t>& pending) {
  auto next_of = [&](size_t i) {
    for (const ServiceLink& link : needs(i))
      if (pending[link.service] != 0) return size_t{link.service};
    return nowhere;
  };
  size_t at = 0;
  while (pending[at] == 0) ++at;
  std::vector<bool> seen(nodes.size());
  for (; !seen[at]; at = next_of(at)) seen[at] = true;
  std::vector<uint16_t> loop;
  do {
    loop.push_back(static_cast<uint16_t>(at));
    at = next_of(at);
  } while (at != loop[0]);
  for (size_t i = 0; i < loop.size(); ++i) {
    std::string& trouble = trouble_[loop[i]];
    if (trouble.empty()) trouble = loop_text(nodes, loop, i);
  }
  cut(loop);
  for (uint16_t service : loop) pending[service] = 0;
  order_.insert(order_.end(), loop.begin(), loop.end());
}

// Takes the needs of these services out: they never start, so they need nothing.
void ServiceGraph::cut(std::span<const uint16_t> services) {
  Lists kept;
  for (size_t i = 0; i < trouble_.size(); ++i) {
    kept.first.push_back(static_cast<uint32_t>(kept.links.size()));
    if (std::ranges::find(services, i) != services.end()) continue;
    kept.links.insert(kept.links.end(), needs(i).begin(), needs(i).end());
  }
  kept.first.push_back(static_cast<uint32_t>(kept.links.size()));
  needs_ = std::move(kept);
  turn_round();
}

}  // namespace jail
