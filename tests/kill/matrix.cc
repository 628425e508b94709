#include "tests/kill/matrix.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <set>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fake/lives.h"
#include "tests/kill/state.h"

namespace jail::kill {

namespace {

using fake::Blow;
using fake::Order;

constexpr Kind kinds[] = {Kind::start, Kind::stop, Kind::recover};
constexpr size_t most_wrong = 5;  // texts; more would only repeat them

const char* word_of(Kind kind) {
  return kind == Kind::start ? "start" : kind == Kind::stop ? "stop" : "recover";
}

// A state that something led to.
struct Reached {
  State state;
  std::string key;
  std::string history;
  size_t times = 1;  // how many deaths and failures led to it
};

class Matrix {
 public:
  Matrix(const std::string& world, const Scenario& scenario) : world_(world), scenario_(scenario) {}
  Tally try_all(size_t part, size_t share);

 private:
  struct Passed {
    bool good = false;
    std::vector<fake::Point> points;
  };

  void put(const State& state);
  State take() { return now_ = take_state(world_); }
  Passed run(Kind kind, Order order, bool (*watch)(bool) = nullptr);
  void die(Kind kind, size_t at);
  void fail_everywhere(const Reached& from, Kind kind, const Passed& whole,
                       std::map<std::string, Reached>& reached);
  void first_faults(std::map<std::string, Reached>& reached);
  size_t second_faults(const Reached& from, Kind kind, std::map<std::string, Reached>& reached);
  void reach(std::map<std::string, Reached>& reached, const Reached& from, Kind kind, Blow blow,
             State state, size_t at, const std::string& name);
  void check_recovery(const Reached& from, Kind kind);
  bool expect(bool good, const std::string& history, const std::string& what,
              const std::string& difference = "");
  bool is_up(const std::string& key) const {
    const std::string wanted = up_key_of(key);
    return std::ranges::find(up_keys_, wanted) != up_keys_.end() &&
           fake::status_of(scenario_.name) == "up";
  }
  bool settle(const State& state, const std::string& key, const std::string& history);
  void prepare();
  void boot_host(const Reached& from);

  const std::string world_;
  const Scenario& scenario_;
  Job job_;
  State now_, first_;
  std::string clean_key_;
  Words up_keys_;  // without jails inside it, and with them
  Tally tally_;
};

// The lines that are in one of the two texts only.
std::string difference(const std::string& before, const std::string& after) {
  const Words left = split(before, "\n"), right = split(after, "\n");
  std::string text;
  for (const std::string& line : left)
    if (std::ranges::find(right, line) == right.end()) text += "  -" + line + "\n";
  for (const std::string& line : right)
    if (std::ranges::find(left, line) == left.end()) text += "  +" + line + "\n";
  return text;
}

// What those who watch the points of a command look at.
struct Watched {
  std::string world;
  size_t clean_runs = 0;  // files of CELLBLOCK_RUN
  std::string clean;
  bool until_clean = false;
  std::vector<State> states;  // at the points worth dying at
};
Watched watched;

size_t count_runs() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(watched.world + "/run"))
    ++count;
  return count;
}

// Keeps what a death would leave here. False once nothing is left of what a recovery began with:
// from there on the command is one that begins with a clean world, which is tried at all its places
// itself.
bool keep_state(bool worth_dying) {
  if (watched.until_clean && count_runs() == watched.clean_runs &&
      fake::fingerprint() == watched.clean)
    return false;
  if (worth_dying) watched.states.push_back(take_state(watched.world));
  return true;
}
bool until_clean(bool /*worth_dying*/) {
  return !watched.until_clean || count_runs() != watched.clean_runs ||
         fake::fingerprint() != watched.clean;
}

void Matrix::put(const State& state) {
  put_state(world_, now_, state);
  now_ = state;
}

Matrix::Passed Matrix::run(Kind kind, Order order, bool (*watch)(bool)) {
  fake::watch_points(watch);
  fake::give_order(order);
  Job job = job_;
  int64_t jid = 0;
  Passed passed;
  passed.good = kind == Kind::start  ? start_jail(fake::this_world(), job, &jid)
                : kind == Kind::stop ? stop_jail(fake::this_world(), job)
                                     : fake::recover();
  passed.points = fake::points_passed();
  fake::watch_points(nullptr);
  fake::give_order({});
  return passed;
}

// The same in a child that is killed there.
void Matrix::die(Kind kind, size_t at) {
  pid_t pid = ::fork();
  if (pid == 0) {
    run(kind, {Blow::die, at});
    _exit(0);
  }
  int status = 0;
  if (pid < 0 || ::waitpid(pid, &status, 0) != pid) bug("no child");
  expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "",
         fmt::format("nobody died at {}", at));
}

bool Matrix::expect(bool good, const std::string& history, const std::string& what,
                    const std::string& diff) {
  if (!good && tally_.wrong.size() < most_wrong)
    tally_.wrong.push_back(history + ": " + what + "\n" + diff);
  return good;
}

// What a death or a failure led to. A half of a pair of hooks that failed in an undo, and was told,
// is not due any more.
void Matrix::reach(std::map<std::string, Reached>& reached, const Reached& from, Kind kind,
                   Blow blow, State state, size_t at, const std::string& name) {
  for (const std::string& half : blow == Blow::fail ? due_halves(state) : Words())
    if (!is_in_ledger(state, half)) excuse(state, half);
  std::string key = key_of(state) + "due: " + join(due_halves(state), " ");
  auto [place, added] = reached.try_emplace(key);
  if (!added) {
    place->second.times += from.times;
    return;
  }
  const char* what = blow == Blow::die ? "dies before" : "fails in";
  place->second = {std::move(state), key,
                   fmt::format("{}{} {} {} ({}); ", from.history, word_of(kind), what, at, name),
                   from.times};
}

void Matrix::fail_everywhere(const Reached& from, Kind kind, const Passed& whole,
                             std::map<std::string, Reached>& reached) {
  for (size_t at = 0; at < whole.points.size(); ++at) {
    put(from.state);
    const Passed passed = run(kind, {Blow::fail, at}, until_clean);
    expect(passed.points.size() > at, from.history,
           fmt::format("{} has no place {}", word_of(kind), at));
    reach(reached, from, kind, Blow::fail, take(), at, whole.points[at].name);
  }
}

// Every death of the first command is a real one: a child is killed. It leaves what the files held
// at that moment, and nothing else; so for the deaths of what comes after, that is taken instead.
void Matrix::first_faults(std::map<std::string, Reached>& reached) {
  const Reached from{first_, "", "", 1};
  put(first_);
  watched.states.clear();
  const Passed whole = run(scenario_.first, {}, keep_state);
  take();
  for (size_t at = 0, death = 0; at < whole.points.size(); ++at) {
    if (!whole.points[at].worth_dying) continue;
    put(first_);
    die(scenario_.first, at);
    expect(key_of(take()) == key_of(watched.states[death++]), "",
           "a death leaves something else than what was there");
    reach(reached, from, scenario_.first, Blow::die, now_, at, whole.points[at].name);
    ++tally_.places;
  }
  fail_everywhere(from, scenario_.first, whole, reached);
  tally_.places += whole.points.size();
}

size_t Matrix::second_faults(const Reached& from, Kind kind,
                             std::map<std::string, Reached>& reached) {
  put(from.state);
  watched.states.clear();
  watched.until_clean = kind == Kind::start && key_of(from.state) != clean_key_;
  const Passed whole = run(kind, {}, keep_state);
  take();
  size_t death = 0;
  for (size_t at = 0; at < whole.points.size(); ++at)
    if (whole.points[at].worth_dying)
      reach(reached, from, kind, Blow::die, watched.states[death++], at, whole.points[at].name);
  fail_everywhere(from, kind, whole, reached);
  watched.until_clean = false;
  return death + whole.points.size();
}

// The state is that of no jail, or of one that is fully up, and nothing is due that should have
// run.
bool Matrix::settle(const State& state, const std::string& key, const std::string& history) {
  if (is_up(key)) return true;
  const std::string due = join(due_halves(state), " ");
  const std::string to_clean = difference(clean_key_, key),
                    to_up = difference(up_keys_[0], up_key_of(key));
  return expect(key == clean_key_, history, "the world is neither as before nor is the jail up",
                to_up.size() < to_clean.size() ? "beside an up jail:\n" + to_up
                                               : "beside none:\n" + to_clean) &&
         expect(due.empty(), history, "never run: " + due);
}

void Matrix::check_recovery(const Reached& from, Kind kind) {
  ++tally_.recovered;
  put(from.state);
  const std::string status = fake::status_of(scenario_.name);
  const bool good = run(kind, {}).good;
  std::string history = from.history + word_of(kind);
  // A jail inside it that could not be undone with it is broken by itself, and asked for by its own
  // name.
  if (!scenario_.inside.empty() && kind != Kind::recover) {
    run(Kind::recover, {});
    history += "; recover";
  }
  const std::string key = key_of(take());
  if (!settle(now_, key, history)) return;
  const bool up = is_up(key);
  if (kind == Kind::stop) {
    expect(!up, history, "the jail is still up");
    expect(good || status == "absent", history,
           "the stop of a jail that was " + status + " failed");
  } else if (kind == Kind::recover) {
    expect(up == (status == "up"), history,
           "a jail that was " + status + " is " + (up ? "up" : "gone"));
    expect(good, history, "the recovery failed");
  } else {
    expect(up, history, "the jail is not up");
    expect(good == (status != "up"), history, "the start of a jail that was " + status + " failed");
  }
  if (!up) return;
  run(Kind::stop, {});
  const std::string after = key_of(take());
  expect(!is_up(after) && settle(now_, after, history + "; stop"), history,
         "a stop does not end it");
}

void Matrix::prepare() {
  for (const std::string& jail : scenario_.started)
    if (!fake::start(scenario_.conf, jail)) bug("a jail of the scenario does not start");
  job_ = fake::job_of(scenario_.conf, scenario_.name);
  const State clean = take();
  clean_key_ = key_of(clean);
  if (!run(Kind::start, {}).good) bug("the jail of the scenario does not start");
  first_ = take();
  up_keys_.push_back(up_key_of(key_of(first_)));
  for (const std::string& jail : scenario_.inside) {
    if (!fake::start(scenario_.conf, jail)) bug("a jail inside the scenario's does not start");
    first_ = take();
    up_keys_.push_back(up_key_of(key_of(first_)));
  }
  run(Kind::stop, {});
  if (key_of(take()) != clean_key_) bug("the jail of the scenario does not stop");
  watched = {world_, count_runs(), fake::fingerprint(), false, {}};
  if (scenario_.first == Kind::start) first_ = now_;
}

// The host is booted again: with all that was written, and with only what had to be on disk.
void Matrix::boot_host(const Reached& from) {
  for (const bool synced_only : {false, true}) {
    put(from.state);
    fake::reboot();
    State state = take();
    if (synced_only) drop_unsynced(state);
    for (const char* half :
         {"poststop", "release"}) {  // of what died with the boot, and of what was struck on disk
      const Words due = due_halves(state);
      const bool is_due = std::ranges::find(due, half) != due.end();
      if (is_due && (std::string_view(half) == "poststop" || !is_in_ledger(state, half)))
        excuse(state, half);
    }
    const char* what = synced_only ? "the power fails; " : "the host boots; ";
    for (Kind kind : kinds) check_recovery({state, "", from.history + what, 1}, kind);
  }
}

Tally Matrix::try_all(size_t part, size_t share) {
  prepare();
  std::map<std::string, Reached> once, twice;
  first_faults(once);
  tally_.states = once.size();
  size_t number = 0;
  for (const auto& [key, reached] : once) {
    if (number++ % share != part) continue;
    if (scenario_.started.empty()) boot_host(reached);
    for (Kind kind : kinds) {
      check_recovery(reached, kind);
      const size_t count = second_faults(reached, kind, twice);
      tally_.seconds += count;
      tally_.pairs += count * reached.times;
    }
    if (tally_.wrong.size() >= most_wrong) return tally_;
  }
  for (const auto& [key, reached] : twice) {
    if (once.contains(key)) continue;
    for (Kind kind : kinds) check_recovery(reached, kind);
    if (tally_.wrong.size() >= most_wrong) break;
  }
  return tally_;
}

}  // namespace

Tally try_matrix(const std::string& world, const Scenario& scenario, size_t part, size_t share) {
  return Matrix(world, scenario).try_all(part, share);
}

}  // namespace jail::kill
