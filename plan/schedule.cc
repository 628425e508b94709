// The queue machine as it runs. A job has up to two tasks, its stop and its start. A task counts in
// `unmet` how many others it waits for; whoever finishes counts down those behind it (release), and
// at 0 a task that waits is called ready. Failures run along the same edges (fail).
#include "plan/schedule.h"

#include <algorithm>

namespace jail {

// The tasks that must be done before this one, by job, and those that wait for it.
const std::vector<Edge>& Schedule::before(size_t job, Phase phase) const {
  return phase == Phase::start ? graph_->needs[job] : graph_->needed_by[job];
}
const std::vector<Edge>& Schedule::after(size_t job, Phase phase) const {
  return phase == Phase::start ? graph_->needed_by[job] : graph_->needs[job];
}

// Entries of ready_ and runnable_ are never taken out from the middle: who comes to one looks
// whether the task is still in that state.
void Schedule::make_ready(size_t job, Phase phase) {
  Task& one = task(job, phase);
  if (one.state == State::idle) ++live_;
  one.state = State::ready;
  ready_[static_cast<size_t>(phase)].push_back({turn_++, job});
}

// Lets a job wait for others, and makes sure that these will come.
void Schedule::expand(size_t job, Phase phase) {
  Task& one = task(job, phase);
  if (one.state == State::idle) ++live_;
  one.state = State::depend;
  for (const Edge& edge : before(job, phase)) {
    // Whoever stops first comes to its start by itself, and one of all jails has its own place.
    const bool later = phase == Phase::start && has(edge.job, Phase::stop);
    if (edge.loop || later || task(edge.job, phase).state != State::idle) continue;
    if (is_pulled(edge.job) || jobs_[edge.job].item.asked == Asked::named)
      make_ready(edge.job, phase);
  }
}

// The phase that a job is in the middle of.
Schedule::Phase Schedule::current(size_t job) const {
  return has_begun(jobs_[job].tasks[0]) ? Phase::stop : Phase::start;
}

// The next of ready: the first, but if that is to be stopped, the last one that is to be stopped
// (J4.9).
std::optional<size_t> Schedule::pick(Phase* phase) {
  std::deque<Ready>& stops = ready_[0];
  std::deque<Ready>& starts = ready_[1];
  while (!stops.empty() && task(stops.front().job, Phase::stop).state != State::ready)
    stops.pop_front();
  while (!stops.empty() && task(stops.back().job, Phase::stop).state != State::ready)
    stops.pop_back();
  while (!starts.empty() && task(starts.front().job, Phase::start).state != State::ready)
    starts.pop_front();
  if (stops.empty() && starts.empty()) return std::nullopt;
  const bool stop = starts.empty() || (!stops.empty() && stops.front().turn < starts.front().turn);
  *phase = stop ? Phase::stop : Phase::start;
  const size_t job = stop ? stops.back().job : starts.front().job;
  stop ? stops.pop_back() : starts.pop_front();
  return job;
}

// A job whose command has ended goes first and keeps its slot until then, so that with -p1 each
// jail is done completely before the next.
std::optional<Grant> Schedule::next() {
  while (limits_.advancing == 0 || advancing_ < limits_.advancing) {
    wake();
    if (!rested_.empty()) {
      const size_t job = rested_.front();
      rested_.pop_front();
      Task& one = task(job, current(job));
      if (one.state != State::rested) continue;
      free_slot(one);
      wake();
      return advance(job, one, Step::go_on);
    }
    Phase phase{};
    const std::optional<size_t> job = pick(&phase);
    if (!job) break;
    if (std::optional<Grant> grant = take(*job, phase)) return grant;
  }
  return std::nullopt;
}

// As many of runnable become ready as there are slots: none is forgotten, but others may come
// first.
void Schedule::wake() {
  while (!runnable_.empty() && (limits_.commands == 0 || busy_ + woken_ < limits_.commands)) {
    const auto [job, phase] = runnable_.front();
    runnable_.pop_front();
    Task& one = task(job, phase);
    if (one.state != State::runnable) continue;
    one.woken = true;
    ++woken_;
    make_ready(job, phase);
  }
}

// There is no slot for it: it waits behind those that wait already, unless it was woken in vain.
void Schedule::queue(size_t job, Phase phase) {
  Task& one = task(job, phase);
  one.state = State::runnable;
  if (std::exchange(one.woken, false)) {
    --woken_;
    runnable_.push_front({job, phase});
  } else {
    runnable_.push_back({job, phase});
  }
}

Grant Schedule::advance(size_t job, Task& one, Step step) {
  if (std::exchange(one.woken, false)) --woken_;
  one.begun = true;
  one.state = State::advancing;
  ++advancing_;
  return Grant{job, step, is_pulled(job)};
}

// The turn of a ready job: what it may do, or where it has to wait. None begins while all slots are
// taken (J4.9).
std::optional<Grant> Schedule::take(size_t job, Phase phase) {
  Task& one = task(job, phase);
  if (one.begun) {
    if (slot_free()) {
      take_slot(one);
      return Grant{job, Step::command, is_pulled(job)};
    }
    queue(job, phase);
    return std::nullopt;
  }
  if (is_blocked(job, phase)) return std::nullopt;
  if (one.unmet > 0) {
    expand(job, phase);
    return std::nullopt;
  }
  if (is_pulled(job) && jobs_[job].item.running == (phase == Phase::start)) {
    finish(job, phase);
    return std::nullopt;
  }
  if (!slot_free()) {
    queue(job, phase);
    return std::nullopt;
  }
  if (phase == Phase::stop) return advance(job, one, Step::stop);
  const bool modify = jobs_[job].item.what == Do::modify && !has(job, Phase::stop);
  return advance(job, one, modify ? Step::modify : Step::start);
}

// True, and all is said and done, if this job had failed before the run, or one that it waits for
// had. One that does not run is no reason not to stop what it depends on.
bool Schedule::is_blocked(size_t job, Phase phase) {
  Job& mine = jobs_[job];
  if (!mine.failed) {
    for (const Edge& edge : before(job, phase)) {
      const Job& other = jobs_[edge.job];
      if (edge.job == job || !other.failed || (phase == Phase::stop && !other.item.running))
        continue;
      mine.failed = true;
      break;
    }
    if (!mine.failed) return false;
    say_skipped(job);
  } else if (mine.item.standing == Standing::looped) {
    say_skipped(job);
  }
  fail(job, phase);
  return true;
}

void Schedule::take_slot(Task& one) {
  if (std::exchange(one.woken, false)) --woken_;
  one.state = State::commanding;
  one.slot = true;
  ++busy_;
}

// A slot is given back when the end of its command is judged, not when the command ends (next()).
void Schedule::free_slot(Task& one) {
  if (std::exchange(one.slot, false)) --busy_;
}

// The events come from processes that may be killed at any moment: one that does not fit the job's
// state is passed over and not a bug.
bool Schedule::wants_slot(size_t job) {
  Task& one = task(job, current(job));
  if (one.state != State::advancing) return false;
  --advancing_;
  if (slot_free()) {
    take_slot(one);
    return true;
  }
  queue(job, current(job));
  return false;
}

void Schedule::waits(size_t job) {
  Task& one = task(job, current(job));
  if (one.state != State::advancing) return;
  --advancing_;
  one.state = State::waiting;
}

void Schedule::ended(size_t job) {
  Task& one = task(job, current(job));
  if (one.state != State::commanding && one.state != State::waiting) return;
  one.state = State::rested;
  rested_.push_back(job);
}

void Schedule::exists(size_t job) {
  jobs_[job].item.running = true;
  lighten(job, Phase::start);
}

void Schedule::removed(size_t job) {
  jobs_[job].item.running = false;
  lighten(job, Phase::stop);
}

// Half of the phase is done, which is enough for light dependencies - unless it is a rollback.
void Schedule::lighten(size_t job, Phase phase) {
  Task& one = task(job, phase);
  if (!has_begun(one) || std::exchange(one.lightly, true)) return;
  for (const Edge& edge : after(job, phase)) {
    if (edge.light && !edge.loop) release(edge.job, phase);
  }
}

// One less to wait for.
void Schedule::release(size_t job, Phase phase) {
  Task& one = task(job, phase);
  if (one.state == State::none || one.state == State::closed) return;
  if (--one.unmet == 0 && one.state == State::depend) make_ready(job, phase);
}

void Schedule::done(size_t job, bool ok) {
  const Phase phase = current(job);
  if (!has_begun(task(job, phase))) return;
  if (ok) {
    jobs_[job].item.running = phase == Phase::start;
    finish(job, phase);
  } else {
    jobs_[job].failed = true;
    fail(job, phase);
  }
}

void Schedule::finish(size_t job, Phase phase) {
  Task& one = task(job, phase);
  close(one);
  for (const Edge& edge : after(job, phase)) {
    if (!edge.loop && !(edge.light && one.lightly)) release(edge.job, phase);
  }
  if (phase == Phase::start) return;
  // Its own start: to be called ready at once, so that it pulls in what it needs.
  Task& start = task(job, Phase::start);
  if (start.state != State::idle) return;
  --start.unmet;
  make_ready(job, Phase::start);
}

// Takes a task out of all counts, wherever it is; the queues find out when it would be its turn.
void Schedule::close(Task& one) {
  switch (one.state) {
    case State::none:
    case State::closed:
      return;
    case State::advancing:
      --advancing_;
      break;
    case State::idle:
    case State::depend:
    case State::ready:
    case State::runnable:
    case State::commanding:
    case State::waiting:
    case State::rested:
      break;
  }
  free_slot(one);
  if (std::exchange(one.woken, false)) --woken_;
  if (one.state != State::idle) --live_;
  one.state = State::closed;
}

// A job failed in this phase: so do those that wait for it, and those behind them, and the start of
// what could not be stopped. Jails nobody asked for are told too if they hang on one that was
// (J4.8).
void Schedule::fail(size_t job, Phase phase) {
  failed_ = true;
  const bool also_idle = !is_pulled(job) || jobs_[job].item.standing == Standing::fine;
  close(task(job, phase));
  std::vector<std::pair<size_t, Phase>> hit{{job, phase}};
  for (size_t at = 0; at < hit.size(); ++at) {
    const auto [from, way] = hit[at];
    Task& start = task(from, Phase::start);
    if (way == Phase::stop && start.state != State::none) {
      close(start);
      hit.emplace_back(from, Phase::start);
    }
    for (const Edge& edge : after(from, way)) {
      // What could not be started again afterwards is not stopped in the first place.
      const Task& stop = task(edge.job, Phase::stop);
      const bool leave = has(edge.job, Phase::start) && is_open(stop) && !has_begun(stop);
      const Phase hit_way = leave ? Phase::stop : way;
      if (reaches(edge.job, hit_way, also_idle)) hit.emplace_back(edge.job, hit_way);
    }
  }
}

// Whether a failure reaches this job, which then has failed, and says so.
bool Schedule::reaches(size_t job, Phase phase, bool also_idle) {
  Job& mine = jobs_[job];
  Task& one = task(job, phase);
  const bool idle = !has(job, Phase::stop) && !has(job, Phase::start);
  if (has_begun(one) || one.state == State::closed) return false;
  if (idle ? !also_idle : one.state == State::none) return false;
  if (mine.failed && (mine.item.standing != Standing::looped || mine.told)) return false;
  mine.failed = true;
  close(one);
  say_skipped(job);
  return true;
}

void Schedule::say_skipped(size_t job) {
  Job& mine = jobs_[job];
  if (std::exchange(mine.told, true) || quiet_) return;
  const bool idle = !has(job, Phase::stop) && !has(job, Phase::start);
  if (is_pulled(job) && !idle) return;
  // In a run for all jails the loop's own line stands for all that are in it.
  if (mine.item.standing == Standing::looped && mine.item.asked == Asked::all) return;
  messages_.push_back({job, "skipped"});
}

// Closed without failing: nobody is told, and what was not begun is no failure of its own.
void Schedule::give_up() {
  for (Job& job : jobs_) {
    for (Task& one : job.tasks) {
      if (!has_begun(one)) close(one);
    }
  }
}

}  // namespace jail
