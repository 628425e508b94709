// The queue machine of one jail(8) command (J4.8, J4.9): which of its jails may do what now, so
// that dependencies hold and never more than -p N commands run. Pure: no clock, no process, no
// output; the same events give the same grants. The coordinator has one worker for each jail and
// does this, until finished():
//
//   while (auto grant = schedule.next()) tell the worker of grant->job to do grant->step
//   print take_messages(), wait for a worker to say something, and call the method of that name
//
// A worker that was granted a phase (stop, start, modify) does the phase's steps until it has to
// wait, says so (wants_slot, waits), and goes on when granted command or go_on; it ends the phase
// with done. It undoes a failed start before it says done. A jail to be restarted is granted its
// stop, later its start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "plan/depend.h"

namespace jail {

// What to do with one jail; nothing: it is there if others need it.
enum class Do : uint8_t { nothing, start, stop, restart, modify };

// How a jail came to be acted on.
enum class Asked : uint8_t {
  // Not at all, or only because others depend on it: without complaint if there is nothing to do.
  no,
  // By its name.
  named,
  // By a wildcard, or as one of all: without complaint if it exists (start) or does not (stop).
  all,
};

// What is wanted of one jail; as many and in the same order as the graph's nodes.
struct Item {
  Do what = Do::nothing;
  Asked asked = Asked::no;
  Standing standing = Standing::fine;
  bool running = false;
};

// 0 means no limit. Only with one job advancing is the order exactly that of J4.9; a limit of
// commands implies it.
struct Limits {
  size_t commands = 0;   // -p N: foreground commands at a time
  size_t advancing = 1;  // jobs that do steps (not commands or waits) at a time
};

// What a job may do now.
enum class Step : uint8_t {
  stop,     // begin the phase: stop the jail, however that ends
  start,    // begin the phase: start it, finding out first whether it is there already
  modify,   // begin the phase: update its parameters
  command,  // the slot asked for by wants_slot is there: run the command
  go_on,    // the command or wait that has ended may be judged, and the phase goes on
};

// A step for one job, which it begins at once.
struct Grant {
  size_t job = 0;
  Step step = Step::start;
  bool pulled = false;  // nobody asked for it, others need it
};

// A run from its first grant to its last. Jobs are named by their index in the graph.
class Schedule {
 public:
  // `asked`: the jobs asked for, in the order named; those of Asked::all are taken in graph.order
  // wherever they stand. `quiet` (-q) leaves out `skipped`. The graph must outlive the schedule.
  // What is pulled in is decided here: everything a started jail depends on, and everything that
  // depends on a stopped one; of those only the ones asked for, and what these depend on, are
  // started again. Linear.
  Schedule(const Graph& graph, std::vector<Item> items, std::span<const size_t> asked,
           Limits limits, bool quiet);

  // The next job that may do something, or nothing until the next event. Ask until there is
  // nothing.
  std::optional<Grant> next();

  // Events. Each names a job that was granted something; the first two end its turn, ended() asks
  // for the next one.

  // It wants to run a foreground command. True: it has the slot, run it. False: a grant of
  // Step::command will follow.
  bool wants_slot(size_t job);
  // It waits for something that is no foreground command (processes that got TERM).
  void waits(size_t job);
  // What it waited for is over. A slot that it had is free when it is granted go_on, and it is the
  // first that may take it again, also if another one is advancing meanwhile.
  void ended(size_t job);
  // Its jail exists from now on: who depends on it lightly may start.
  void exists(size_t job);
  // Its jail is gone: what it depends on lightly may stop.
  void removed(size_t job);
  // Its phase is over; a failed one fails the jobs that wait for it, and its own start. Also for a
  // worker that died.
  void done(size_t job, bool ok);

  // Begins nothing new from here on, without a message (INT, TERM, HUP). What has begun goes on, to
  // be undone.
  void give_up();

  // True when the job will be granted nothing more.
  bool is_over(size_t job) const {
    return !is_open(jobs_[job].tasks[0]) && !is_open(jobs_[job].tasks[1]);
  }
  // True when no grant will ever come again and nothing granted is still under way.
  bool finished() const { return live_ == 0; }
  // True if any jail of this run has failed or was skipped: exit status 1.
  bool failed() const { return failed_; }
  // The messages since the last call, in order.
  std::vector<Complaint> take_messages() { return std::exchange(messages_, {}); }

 private:
  enum class Phase : uint8_t { stop, start };
  // Where a task stands (J4.9's queues, and what is under way).
  enum class State : uint8_t {
    none,        // the job has no such phase
    idle,        // involved, not called for yet
    depend,      // waits for other jails
    ready,       // in ready_
    runnable,    // in runnable_: no slot was free
    advancing,   // does steps
    commanding,  // its command runs, in a slot
    waiting,     // waits for something that is no command
    rested,      // in rested_: that is over
    closed       // done, failed or given up
  };
  // One phase of one job.
  struct Task {
    State state = State::none;
    bool lightly = false;  // light dependencies on it are met
    bool begun = false;    // its phase was granted
    bool woken = false;    // in ready because a slot was free
    bool slot = false;     // runs a command, or has run one whose end is not judged yet
    size_t unmet = 0;      // tasks it still waits for
  };
  struct Job {
    Item item;
    bool failed = false, told = false;  // told: that it is skipped, once is enough
    Task tasks[2];                      // by Phase
  };
  struct Place {
    size_t job;
    Phase phase;
  };
  struct Ready {
    int64_t turn;  // place in the queue that both kinds form together
    size_t job;
  };

  Task& task(size_t job, Phase phase) { return jobs_[job].tasks[static_cast<size_t>(phase)]; }
  bool has(size_t job, Phase phase) const {
    return jobs_[job].tasks[static_cast<size_t>(phase)].state != State::none;
  }
  Phase current(size_t job) const;
  const std::vector<Edge>& before(size_t job, Phase phase) const;
  const std::vector<Edge>& after(size_t job, Phase phase) const;
  bool slot_free() const { return limits_.commands == 0 || busy_ < limits_.commands; }
  static bool has_begun(const Task& one) { return one.begun && one.state != State::closed; }
  static bool is_open(const Task& one) {
    return one.state != State::none && one.state != State::closed;
  }
  bool is_pulled(size_t job) const { return jobs_[job].item.asked == Asked::no; }

  void close_over(Phase phase);
  void count_unmet();
  void place_all(std::span<const size_t> asked);
  void place(size_t job);
  void make_ready(size_t job, Phase phase);
  void expand(size_t job, Phase phase);
  void wake();
  void queue(size_t job, Phase phase);
  void take_slot(Task& one);
  void free_slot(Task& one);
  std::optional<size_t> pick(Phase* phase);
  std::optional<Grant> take(size_t job, Phase phase);
  Grant advance(size_t job, Task& one, Step step);
  bool is_blocked(size_t job, Phase phase);
  void lighten(size_t job, Phase phase);
  void release(size_t job, Phase phase);
  void finish(size_t job, Phase phase);
  void close(Task& one);
  void fail(size_t job, Phase phase);
  bool reaches(size_t job, Phase phase, bool also_idle);
  void say_skipped(size_t job);

  const Graph* graph_;
  std::vector<Job> jobs_;
  Limits limits_;
  bool quiet_ = false, failed_ = false;
  std::deque<Ready> ready_[2];  // by phase
  std::deque<Place> runnable_;  // want a slot, to begin or to go on; none was free
  std::deque<size_t> rested_;   // what they waited for is over
  std::vector<Complaint> messages_;
  int64_t turn_ = 0;
  size_t live_ = 0, advancing_ = 0, busy_ = 0, woken_ = 0;
};

// What happens to a jail in a start of all jails, one at a time, as if each start itself succeeded.
enum class Fate : uint8_t { started, failed, skipped };
// One jail's turn in it.
struct Visit {
  size_t job = 0;
  Fate fate = Fate::started;

  bool operator==(const Visit&) const = default;
};

// The order of such a start, for `jail --explain=json`. `standing` is the graph's, with failed
// where the jail failed before; `bad` tells by job whether its values turn out to be wrong when it
// is looked at (Fate::failed). Jails that had failed before are not in it, nor is the second of two
// of one name.
std::vector<Visit> dry_start(const Graph& graph, const std::vector<Node>& nodes,
                             const std::vector<Standing>& standing, const std::vector<bool>& bad);

}  // namespace jail
