#include "plan/depend.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace jail {
namespace {

using Index = std::unordered_map<std::string_view, size_t>;

constexpr size_t nowhere = static_cast<size_t>(-1);

// The nearest dotted parent that is in the list.
size_t parent_of(const Index& index, std::string_view name) {
  while (true) {
    const size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return nowhere;
    name = name.substr(0, dot);
    if (auto it = index.find(name); it != index.end()) return it->second;
  }
}

// Both ends know of it: a start looks one way, a stop the other.
void add_edge(Graph& graph, size_t from, size_t to, bool light) {
  graph.needs[from].push_back({to, light, false});
  graph.needed_by[to].push_back({from, light, false});
}

// Linear: names are looked up in an index, of two alike the first. Yields whether anything is said
// by `depend` at all.
bool add_edges(Graph& graph, const std::vector<Node>& nodes) {
  Index index;
  index.reserve(nodes.size());
  for (size_t job = 0; job < nodes.size(); ++job) index.emplace(nodes[job].name, job);
  bool any = false;
  for (size_t job = 0; job < nodes.size(); ++job) {
    for (const std::string& name : nodes[job].depend) {
      any = true;
      if (auto it = index.find(name); it != index.end()) {
        add_edge(graph, job, it->second, false);
        continue;
      }
      graph.complaints.push_back({job, "depends on undefined jail \"" + name + "\""});
      graph.standing[job] = Standing::failed;
    }
    if (size_t parent = parent_of(index, nodes[job].name); parent != nowhere) {
      add_edge(graph, job, parent, true);
    }
  }
  return any;
}

// Takes the jails whose dependencies have all been taken, first come first served, from where
// `order` ends.
void take_free(Graph& graph, std::vector<size_t>& pending, size_t at) {
  for (; at < graph.order.size(); ++at) {
    for (const Edge& edge : graph.needed_by[graph.order[at]]) {
      if (!edge.loop && --pending[edge.job] == 0) graph.order.push_back(edge.job);
    }
  }
}

// The groups of jails that reach each other (Tarjan's strongly connected components), among those
// that are left with something pending. By job: the group's number; nowhere for the others. With a
// stack of its own, since a hostile file makes chains as long as it likes.
class Groups {
 public:
  Groups(const Graph& graph, const std::vector<size_t>& pending)
      : graph_(graph), seen_(pending.size(), 0), low_(pending.size(), 0), group_(pending) {
    // Whoever is not left counts as grouped already, with a number of nobody's.
    for (size_t& group : group_) group = group == 0 ? pending.size() : nowhere;
    for (size_t job = 0; job < pending.size(); ++job) {
      if (group_[job] == nowhere && seen_[job] == 0) explore(job);
    }
  }
  size_t operator[](size_t job) const { return group_[job]; }

 private:
  void enter(size_t job) {
    seen_[job] = low_[job] = ++count_;
    open_.push_back(job);
    path_.emplace_back(job, 0);
  }

  void explore(size_t root) {
    enter(root);
    while (!path_.empty()) {
      auto& [job, next] = path_.back();
      if (next < graph_.needs[job].size()) {
        const size_t to = graph_.needs[job][next++].job;
        if (group_[to] != nowhere) continue;
        if (seen_[to] == 0) {
          enter(to);
        } else {
          low_[job] = std::min(low_[job], seen_[to]);
        }
      } else {
        leave(job);
      }
    }
  }

  void leave(size_t job) {
    path_.pop_back();
    if (!path_.empty()) low_[path_.back().first] = std::min(low_[path_.back().first], low_[job]);
    if (low_[job] != seen_[job]) return;
    while (group_[job] == nowhere) {
      group_[open_.back()] = job;
      open_.pop_back();
    }
  }

  const Graph& graph_;
  std::vector<size_t> seen_, low_, group_, open_;
  std::vector<std::pair<size_t, size_t>> path_;
  size_t count_ = 0;
};

// Marks the edges of loops and what they mean for their jails, and takes them out of `pending`.
void break_loops(Graph& graph, std::vector<size_t>& pending) {
  const Groups groups(graph, pending);
  std::vector<bool> reported(pending.size());
  std::vector<size_t> left(pending);
  for (size_t job = 0; job < left.size(); ++job) {
    if (left[job] == 0) continue;
    for (Edge& edge : graph.needed_by[job]) edge.loop = groups[edge.job] == groups[job];
    size_t in_loop = 0;
    for (Edge& edge : graph.needs[job]) {
      edge.loop = left[edge.job] != 0 && groups[edge.job] == groups[job];
      in_loop += edge.loop ? 1U : 0U;
    }
    if (in_loop == 0) continue;
    if (!reported[groups[job]]) {
      reported[groups[job]] = true;
      graph.complaints.push_back({job, "dependency loop"});
      graph.standing[job] = Standing::failed;
    } else if (graph.standing[job] == Standing::fine) {
      graph.standing[job] = Standing::looped;
    }
    pending[job] -= in_loop;
    if (pending[job] == 0) graph.order.push_back(job);
  }
}

}  // namespace

Graph depend_graph(const std::vector<Node>& nodes) {
  Graph graph;
  graph.needs.resize(nodes.size());
  graph.needed_by.resize(nodes.size());
  graph.standing.resize(nodes.size());
  const bool explicit_order = add_edges(graph, nodes);

  std::vector<size_t> pending(nodes.size());
  for (size_t job = 0; job < nodes.size(); ++job) {
    pending[job] = graph.needs[job].size();
    if (pending[job] == 0) graph.order.push_back(job);
  }
  take_free(graph, pending, 0);
  if (size_t taken = graph.order.size(); taken < nodes.size()) {
    break_loops(graph, pending);
    take_free(graph, pending, taken);
  }
  // Without any `depend` the order is that of the list, parents after children too where they stand
  // so (J4.9).
  if (!explicit_order) {
    for (size_t job = 0; job < nodes.size(); ++job) graph.order[job] = job;
  }
  return graph;
}

}  // namespace jail
