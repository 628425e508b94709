// The part of the queue machine that runs once: who is involved, who waits for whom, and where each
// begins.
#include <algorithm>
#include <utility>

#include "plan/schedule.h"

namespace jail {

Schedule::Schedule(const Graph& graph, std::vector<Item> items, std::span<const size_t> asked,
                   Limits limits, bool quiet)
    : graph_(&graph), jobs_(graph.order.size()), limits_(limits), quiet_(quiet) {
  // More than one job advancing could take the slot from the one whose turn it is.
  if (limits_.commands != 0) limits_.advancing = 1;
  for (size_t job = 0; job < std::min(jobs_.size(), items.size()); ++job) {
    jobs_[job].item = items[job];
    jobs_[job].failed = items[job].standing != Standing::fine;
    const Do what = items[job].what;
    if (what == Do::stop || what == Do::restart) task(job, Phase::stop).state = State::idle;
    if (what != Do::stop && what != Do::nothing) task(job, Phase::start).state = State::idle;
  }
  close_over(Phase::stop);
  close_over(Phase::start);
  count_unmet();
  place_all(asked);
}

// Gives a task of this phase to everyone that those with one need to have done it. A modified jail
// needs nobody, but one that is stopped on the way is a restarted one.
void Schedule::close_over(Phase phase) {
  std::vector<size_t> found;
  for (size_t job = 0; job < jobs_.size(); ++job) {
    const bool modified = jobs_[job].item.what == Do::modify && !has(job, Phase::stop);
    if (has(job, phase) && !modified && !jobs_[job].failed) found.push_back(job);
  }
  for (size_t at = 0; at < found.size(); ++at) {
    for (const Edge& edge : before(found[at], phase)) {
      if (has(edge.job, phase)) continue;
      task(edge.job, phase).state = State::idle;
      if (!jobs_[edge.job].failed) found.push_back(edge.job);
    }
  }
}

void Schedule::count_unmet() {
  for (size_t job = 0; job < jobs_.size(); ++job) {
    for (Phase phase : {Phase::stop, Phase::start}) {
      if (!has(job, phase)) continue;
      Task& one = task(job, phase);
      for (const Edge& edge : before(job, phase)) {
        if (!edge.loop && has(edge.job, phase)) ++one.unmet;
      }
      if (phase == Phase::start && has(job, Phase::stop)) ++one.unmet;
    }
  }
}

// Puts the jobs that were asked for where they begin.
void Schedule::place_all(std::span<const size_t> asked) {
  bool all = false;
  for (const size_t job : asked) {
    if (jobs_[job].item.asked != Asked::all) {
      place(job);
    } else if (!std::exchange(all, true)) {
      for (const size_t other : graph_->order) {
        if (jobs_[other].item.asked == Asked::all) place(other);
      }
    }
  }
}

void Schedule::place(size_t job) {
  if (jobs_[job].item.what == Do::nothing) return;
  const Phase phase = has(job, Phase::stop) ? Phase::stop : Phase::start;
  Task& one = task(job, phase);
  if (one.state != State::idle) return;
  // A named one is called ready whatever it needs, so that what it pulls in comes after the other
  // named ones.
  if (jobs_[job].item.asked == Asked::all && one.unmet > 0 && !jobs_[job].failed) {
    expand(job, phase);
  } else {
    make_ready(job, phase);
  }
}

}  // namespace jail
