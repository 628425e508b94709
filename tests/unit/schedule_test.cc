#include <array>
#include <chrono>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

#include "base/text.h"
#include "plan/schedule.h"

namespace jail {
namespace {

// "a b(a) c(a,b)" as nodes.
std::vector<Node> nodes_of(const std::string& text) {
  std::vector<Node> nodes;
  for (const std::string& word : split(text, " ")) {
    const size_t open = word.find('(');
    Node node{word.substr(0, open), {}};
    if (open != std::string::npos) node.depend = split(word.substr(open), "(),");
    nodes.push_back(std::move(node));
  }
  return nodes;
}

// A run of workers that all behave: each phase is `commands` commands long, the first half of them
// before the jail exists or is gone. Commands end in the order they began, or at random.
class Play {
 public:
  Play(const std::string& jails, Do what, const std::string& asked, Limits limits = {1, 1},
       int commands = 1)
      : nodes_(nodes_of(jails)),
        graph_(depend_graph(nodes_)),
        limits_(limits),
        commands_(commands) {
    items_.resize(nodes_.size());
    std::vector<size_t> order;
    for (size_t job = 0; job < nodes_.size(); ++job) items_[job].standing = graph_.standing[job];
    if (asked == "*") order = graph_.order;
    for (const std::string& name : asked == "*" ? Words{} : split(asked, " "))
      order.push_back(find(name));
    for (size_t job : order) {
      items_[job].what = what;
      items_[job].asked = asked == "*" ? Asked::all : Asked::named;
    }
    asked_ = std::move(order);
    for (const Complaint& said : graph_.complaints) say(said);
  }

  Play& running(const std::string& names) {
    for (const std::string& name : names == "*" ? all_names() : split(names, " "))
      items_[find(name)].running = true;
    return *this;
  }
  Play& failed_before(const std::string& name) {
    items_[find(name)].standing = Standing::failed;
    return *this;
  }
  // "+a": the start of a fails after its commands; "-a": the stop.
  Play& fails(const std::string& phases) {
    for (const std::string& one : split(phases, " ")) failing_.insert(one);
    return *this;
  }
  Play& wanted(const std::string& name, Do what) {
    items_[find(name)].what = what;
    return *this;
  }
  Play& quiet() {
    quiet_ = true;
    return *this;
  }
  Play& random(unsigned seed) {
    dice_.seed(seed);
    shuffled_ = true;
    return *this;
  }

  // What was done: "+a" start finished, "-a" stop finished, "~a" modified, "!a" failed; and the
  // phases' names in the order in which they began, if `began`.
  std::string go(bool began = false) {
    Schedule schedule(graph_, items_, asked_, limits_, quiet_);
    left_.assign(nodes_.size(), 0);
    step_.assign(nodes_.size(), Step::go_on);
    size_t guard = 0;
    while (!schedule.finished()) {
      while (auto grant = schedule.next()) advance(schedule, *grant);
      for (const Complaint& said : schedule.take_messages()) say(said);
      EXPECT_LE(busy_.size(), limits_.commands == 0 ? nodes_.size() : limits_.commands);
      if (busy_.empty() && !schedule.finished()) {
        ADD_FAILURE() << "stuck after" << done_;
        break;
      }
      if (!busy_.empty()) end_one(schedule);
      if (++guard > 1000000) return "for ever";
    }
    failed_ = schedule.failed();
    return began ? began_ : done_;
  }

  const std::string& said() const { return said_; }
  bool failed() const { return failed_; }
  const std::set<size_t>& up() const { return up_; }
  const Graph& graph() const { return graph_; }

 private:
  size_t find(const std::string& name) const {
    for (size_t job = 0; job < nodes_.size(); ++job) {
      if (nodes_[job].name == name) return job;
    }
    ADD_FAILURE() << "no jail " << name;
    return 0;
  }
  Words all_names() const {
    Words names;
    for (const Node& node : nodes_) names.push_back(node.name);
    return names;
  }
  void say(const Complaint& said) { said_ += nodes_[said.job].name + ": " + said.text + "\n"; }
  static void add(std::string& list, const std::string& word) {
    list += list.empty() ? word : " " + word;
  }

  void advance(Schedule& schedule, const Grant& grant) {
    const size_t job = grant.job;
    if (grant.step == Step::command) {
      busy_.push_back(job);
      return;
    }
    if (grant.step != Step::go_on) {
      step_[job] = grant.step;
      left_[job] = commands_;
      if (const char sign = "-+~"[static_cast<size_t>(grant.step)]; true)
        add(began_, sign + nodes_[job].name);
      check_order(job, grant.step);
    } else {
      --left_[job];
    }
    const bool is_stop = step_[job] == Step::stop;
    if (is_stop && !items_[job].running) return finish(schedule, job, true);
    if (!is_stop && step_[job] != Step::modify && items_[job].running) {
      return finish(schedule, job, items_[job].asked == Asked::all || grant.pulled);
    }
    if (left_[job] == commands_ / 2) turn_over(schedule, job);
    if (left_[job] == 0) return finish(schedule, job, true);
    if (schedule.wants_slot(job)) busy_.push_back(job);
  }

  // Half of the phase: the jail exists, or is gone.
  void turn_over(Schedule& schedule, size_t job) {
    if (step_[job] == Step::start) schedule.exists(job);
    if (step_[job] == Step::stop) schedule.removed(job);
  }

  void finish(Schedule& schedule, size_t job, bool ok) {
    const char sign = "-+~"[static_cast<size_t>(step_[job])];
    ok = ok && !failing_.contains(sign + nodes_[job].name);
    const bool nothing =
        step_[job] != Step::modify && items_[job].running == (step_[job] == Step::start);
    if (!ok || !nothing) add(done_, (ok ? sign : '!') + nodes_[job].name);
    if (ok && step_[job] != Step::modify) items_[job].running = step_[job] == Step::start;
    if (ok && step_[job] == Step::start) up_.insert(job);
    if (ok && step_[job] == Step::stop) up_.erase(job);
    schedule.done(job, ok);
  }

  // Nothing starts before what it needs is up, nothing stops before what needs it is down; light
  // ones by half only.
  void check_order(size_t job, Step step) {
    if (step == Step::modify) return;
    for (const Edge& edge : step == Step::start ? graph_.needs[job] : graph_.needed_by[job]) {
      if (edge.light || edge.loop) continue;
      EXPECT_EQ(items_[edge.job].running, step == Step::start)
          << nodes_[job].name << " too early for " << nodes_[edge.job].name << " in " << began_;
    }
  }

  void end_one(Schedule& schedule) {
    const size_t at = shuffled_ ? dice_() % busy_.size() : 0;
    const size_t job = busy_[at];
    busy_.erase(busy_.begin() + static_cast<std::ptrdiff_t>(at));
    schedule.ended(job);
  }

  std::vector<Node> nodes_;
  Graph graph_;
  std::vector<Item> items_;
  std::vector<size_t> asked_;
  Limits limits_;
  int commands_;
  std::set<std::string> failing_;
  bool quiet_ = false, shuffled_ = false, failed_ = false;
  std::mt19937 dice_;
  std::vector<int> left_;
  std::vector<Step> step_;
  std::vector<size_t> busy_;
  std::set<size_t> up_;
  std::string done_, began_, said_;
};

// ---- Order (J4.8, J4.9, cases A26 to A41)

struct OrderCase {
  const char* jails;
  Do what;
  const char* asked;
  const char* running;
  const char* one_at_a_time;  // with -p1
};

TEST(Schedule, KeepsTheRecordedOrdersWithOneCommandAtATime) {
  const OrderCase cases[] = {
      {"c(b) b(a) a", Do::start, "c", "", "+a +b +c"},            // A26
      {"c(b) b(a) a", Do::stop, "a", "*", "-c -b -a"},            // A27
      {"a b(a) c(b) d", Do::start, "*", "", "+a +d +b +c"},       // A28
      {"a b(a) c(b) d", Do::stop, "*", "*", "-c -b -a -d"},       // J4.9
      {"a b c d", Do::start, "*", "", "+a +b +c +d"},             // J4.9
      {"a b c d", Do::stop, "*", "*", "-d -c -b -a"},             // J3.6
      {"a b(a) c(b)", Do::restart, "a", "*", "-c -b -a +a"},      // A29
      {"a b", Do::restart, "*", "", "+b +a"},                     // A31
      {"a b", Do::restart, "*", "a", "-a +b +a"},                 // op-rc
      {"a a.b", Do::start, "a.b", "", "+a +a.b"},                 // A36
      {"a a.b", Do::stop, "a", "*", "-a.b -a"},                   // A37
      {"a a.b a.c x", Do::start, "a.b a.c", "", "+a +a.b +a.c"},  // A38
      {"a b", Do::stop, "a b", "*", "-b -a"},                     // A40
      {"d(b,c) c(a) b(a) a", Do::start, "d", "", "+a +c +b +d"},  // depend-diamond
      {"d(b,c) c(a) b(a) a", Do::stop, "a", "*", "-d -c -b -a"},  // depend-diamond
      {"a b(a) c(b) d(c) e", Do::stop, "*", "a e", "-a -e"},      // depend-start-fails
      {"a a.b a.c ab", Do::start, "*", "", "+a +ab +a.b +a.c"},   //
      {"a a.b a.c ab", Do::stop, "*", "a ab", "-ab -a"},          // select-wildcard
      {"a a.b a.c ab", Do::stop, "a.b a.c", "*", "-a.c -a.b"},    // select-wildcard
      {"a b c", Do::stop, "*", "a c", "-c -a"},                   // all-jails
      {"w1(p) w2 p", Do::start, "w1 w2", "",
       "+w2 +p +w1"},                    // a named one is ready before what it pulls
      {"w(a)", Do::start, "w", "", ""},  // undefined
  };
  for (const OrderCase& one : cases) {
    Play run(one.jails, one.what, one.asked);
    EXPECT_EQ(run.running(one.running).go(), one.one_at_a_time)
        << one.jails << " asked " << one.asked;
  }
}

TEST(Schedule, WithoutALimitAllThatMayAdvanceInParallel) {
  EXPECT_EQ(Play("a b(a) c(b) d", Do::start, "*", {0, 1}).go(true), "+a +d +b +c");
  EXPECT_EQ(Play("a b c", Do::start, "*", {0, 1}, 3).go(true), "+a +b +c");
  Play stop("a b c", Do::stop, "*", {0, 1}, 3);
  EXPECT_EQ(stop.running("*").go(true), "-c -b -a");
}

TEST(Schedule, WithOneCommandAtATimeEachJailIsStartedCompletelyBeforeTheNext) {
  EXPECT_EQ(Play("a b c d", Do::start, "*", {1, 1}, 4).go(), "+a +b +c +d");
}

TEST(Schedule, WithTwoCommandsAtATimeTheOrderStillIsThatOfTheFile) {
  EXPECT_EQ(Play("a b c d", Do::start, "*", {2, 1}, 2).go(), "+a +b +c +d");
}

TEST(Schedule, AJailWithoutCommandsDoesNotLoseTheOneThatWaitsBehindIt) {
  const Graph graph = depend_graph(nodes_of("a b c"));
  const std::vector<Item> items(3, Item{Do::start, Asked::all, Standing::fine, false});
  Schedule schedule(graph, items, graph.order, {1, 1}, false);
  EXPECT_EQ(schedule.next()->job, 0U);
  EXPECT_TRUE(schedule.wants_slot(0));
  EXPECT_FALSE(schedule.next());  // all slots are taken
  schedule.ended(0);
  EXPECT_EQ(schedule.next()->step, Step::go_on);
  EXPECT_FALSE(schedule.next());  // only one advances at a time
  schedule.done(0, true);
  EXPECT_EQ(schedule.next()->job, 1U);
  schedule.done(1, true);
  EXPECT_EQ(schedule.next()->job, 2U);
  schedule.done(2, true);
  EXPECT_TRUE(schedule.finished());
}

TEST(Schedule, TheOneWhoseCommandEndedGoesOnBeforeThoseThatWaitForItsSlot) {
  const Graph graph = depend_graph(nodes_of("a b c"));
  const std::vector<Item> items(3, Item{Do::stop, Asked::named, Standing::fine, true});
  Schedule schedule(graph, items, graph.order, {1, 1}, false);
  EXPECT_EQ(schedule.next()->job, 2U);
  schedule.waits(2);
  EXPECT_EQ(schedule.next()->job, 1U);
  EXPECT_TRUE(schedule.wants_slot(1));
  schedule.ended(2);
  EXPECT_EQ(schedule.next()->job, 2U);
  schedule.ended(1);  // while another one advances
  EXPECT_FALSE(schedule.wants_slot(2));
  EXPECT_EQ(schedule.next()->job, 1U);
  EXPECT_TRUE(schedule.wants_slot(1));
  schedule.ended(1);
  EXPECT_EQ(schedule.next()->job, 1U);
  schedule.done(1, true);
  const auto grant = schedule.next();  // before a, which has not begun
  EXPECT_EQ(grant->job, 2U);
  EXPECT_EQ(grant->step, Step::command);
}

TEST(Schedule, AWorkerThatDiesGivesItsSlotBack) {
  const Graph graph = depend_graph(nodes_of("a b"));
  const std::vector<Item> items(2, Item{Do::start, Asked::all, Standing::fine, false});
  Schedule schedule(graph, items, graph.order, {1, 1}, false);
  EXPECT_EQ(schedule.next()->job, 0U);
  EXPECT_TRUE(schedule.wants_slot(0));
  schedule.done(0, false);
  schedule.done(0, false);
  EXPECT_EQ(schedule.next()->job, 1U);
  EXPECT_TRUE(schedule.wants_slot(1));
  schedule.done(1, false);
  EXPECT_TRUE(schedule.finished());
}

TEST(Schedule, JobsOfAWildcardAreTakenInTheOrderOfTheGraph) {
  const Graph graph = depend_graph(nodes_of("a b(a) c(b) d"));
  const std::vector<Item> items(4, Item{Do::stop, Asked::all, Standing::fine, true});
  const size_t file_order[] = {0, 1, 2, 3};
  Schedule schedule(graph, items, file_order, {1, 1}, false);
  EXPECT_EQ(schedule.next()->job, 2U);
}

TEST(Schedule, AWaitTakesNoSlotAndLetsOthersAdvance) {
  const Graph graph = depend_graph(nodes_of("a b"));
  const std::vector<Item> items(2, Item{Do::stop, Asked::named, Standing::fine, true});
  Schedule schedule(graph, items, graph.order, {1, 1}, false);
  EXPECT_EQ(schedule.next()->job, 1U);
  schedule.waits(1);
  EXPECT_EQ(schedule.next()->job, 0U);
  EXPECT_TRUE(schedule.wants_slot(0));
  schedule.waits(0);  // says nothing new
  schedule.ended(1);
  EXPECT_EQ(schedule.next()->job, 1U);
  EXPECT_FALSE(schedule.wants_slot(1));
}

// ---- Light dependencies

TEST(Schedule, AChildStartsAsSoonAsItsParentExists) {
  EXPECT_EQ(Play("a a.b", Do::start, "*", {0, 1}, 2).go(), "+a +a.b");
  const Graph graph = depend_graph(nodes_of("a a.b"));
  const std::vector<Item> items(2, Item{Do::start, Asked::all, Standing::fine, false});
  Schedule schedule(graph, items, graph.order, {}, false);
  EXPECT_EQ(schedule.next()->job, 0U);
  EXPECT_TRUE(schedule.wants_slot(0));
  EXPECT_FALSE(schedule.next());
  schedule.exists(0);
  EXPECT_EQ(schedule.next()->job, 1U);
}

TEST(Schedule, AParentStopsAsSoonAsItsChildIsGone) {
  const Graph graph = depend_graph(nodes_of("a a.b"));
  std::vector<Item> items(2);
  items[0] = {Do::stop, Asked::named, Standing::fine, true};
  items[1].running = true;
  const size_t asked[] = {0};
  Schedule schedule(graph, items, asked, {}, false);
  const auto child = schedule.next();
  EXPECT_EQ(child->job, 1U);
  EXPECT_TRUE(child->pulled);
  schedule.removed(1);
  EXPECT_TRUE(schedule.wants_slot(1));  // its exec.poststop
  EXPECT_EQ(schedule.next()->job, 0U);
  // A failure of what overlaps no longer reaches the parent.
  schedule.done(1, false);
  schedule.done(0, true);
  EXPECT_TRUE(schedule.finished());
  EXPECT_TRUE(schedule.failed());
  EXPECT_TRUE(schedule.take_messages().empty());
}

TEST(Schedule, ARolledBackParentIsNotTakenForAStoppedOne) {
  const Graph graph = depend_graph(nodes_of("a a.b"));
  const std::vector<Item> items(2, Item{Do::start, Asked::all, Standing::fine, false});
  Schedule schedule(graph, items, graph.order, {}, false);
  EXPECT_EQ(schedule.next()->job, 0U);
  schedule.exists(0);
  schedule.removed(0);
  schedule.done(0, false);
  EXPECT_FALSE(schedule.next());
  EXPECT_TRUE(schedule.finished());
  EXPECT_EQ(schedule.take_messages(), (std::vector<Complaint>{{1, "skipped"}}));
}

TEST(Graph, ADottedNameDependsOnTheNearestParentThatIsThere) {
  const Graph graph = depend_graph(nodes_of("a.b.c a ghost.child"));
  ASSERT_EQ(graph.needs[0].size(), 1U);
  EXPECT_EQ(graph.needs[0][0].job, 1U);
  EXPECT_TRUE(graph.needs[0][0].light);
  EXPECT_TRUE(graph.needs[2].empty());
}

// ---- What is pulled in

TEST(Schedule, PulledInJailsAreOnlyTouchedWhereTheyHaveToBe) {
  EXPECT_EQ(Play("c(b) b(a) a", Do::start, "c").running("b a").go(), "+c");
  EXPECT_EQ(Play("c(b) b(a) a", Do::start, "c").running("b").go(), "+a +c");
  EXPECT_EQ(Play("c(b) b(a) a", Do::stop, "a").running("c a").go(), "-c -a");
  EXPECT_EQ(Play("c(b) b(a) a", Do::stop, "b").running("*").go(), "-c -b");
}

TEST(Schedule, ARestartStartsAgainThoseAskedForAndWhatTheyNeed) {
  EXPECT_EQ(Play("a b(a) c(b)", Do::restart, "*").running("*").go(), "-c -b -a +a +b +c");
  EXPECT_EQ(Play("a b(a) c(b)", Do::restart, "b").running("*").go(), "-c -b +b");
  EXPECT_EQ(Play("a b(a) c(b)", Do::restart, "b").running("b c").go(), "-c -b +a +b");
  EXPECT_EQ(Play("a b(a) c(b)", Do::restart, "a c").running("*").go(), "-c -b -a +a +b +c");
}

TEST(Schedule, AModifiedJailThatHadToBeStoppedIsStartedAgain) {
  Play run("a b(a) c", Do::modify, "*");
  run.running("*").wanted("a", Do::restart);
  EXPECT_EQ(run.go(), "~c -b -a +a +b");
}

TEST(Schedule, AModificationPullsNothingIn) {
  EXPECT_EQ(Play("a b(a)", Do::modify, "b").running("b").go(), "~b");
  EXPECT_EQ(Play("b(a) a", Do::modify, "*").running("*").go(), "~a ~b");
}

// ---- Failures (J4.8)

struct FailureCase {
  const char* jails;
  Do what;
  const char* asked;
  const char* running;
  const char* fails;
  const char* done;
  const char* said;
  bool failed;
};

TEST(Schedule, FailuresReachThoseThatWaitAndSaySo) {
  const FailureCase cases[] = {
      // depend-start-fails
      {"a b(a) c(b) d(c) e", Do::start, "d", "", "+b", "+a !b", "d: skipped\n", true},
      {"a b(a) c(b) d(c) e", Do::start, "*", "a", "+b", "+e !b", "c: skipped\nd: skipped\n", true},
      // depend-stop-fails
      {"a b(a) c(b)", Do::stop, "a", "*", "-b", "-c !b", "a: skipped\n", true},
      // fail-one-of-three
      {"a b c", Do::start, "*", "", "+b", "+a !b +c", "", true},
      // jails that were not asked for are told, too
      {"a b(a)", Do::start, "a", "", "+a", "!a", "b: skipped\n", true},
      {"a b(a)", Do::stop, "b", "", "-b", "!b", "a: skipped\n", true},
      // undefined: A34, depend-errors
      {"a(zz) b(a)", Do::start, "*", "", "", "",
       "a: depends on undefined jail \"zz\"\nb: skipped\n", true},
      {"a(zz) b(a)", Do::start, "b", "", "", "",
       "a: depends on undefined jail \"zz\"\nb: skipped\n", true},
      {"a(zz) free", Do::stop, "free", "free", "", "-free", "a: depends on undefined jail \"zz\"\n",
       false},
      // loops: A35, depend-errors
      {"x(y) y(x) free", Do::start, "*", "", "", "+free", "x: dependency loop\n", true},
      {"x(y) y(x) free", Do::start, "x", "", "", "", "x: dependency loop\ny: skipped\n", true},
      {"x(y) y(x) free", Do::start, "y", "", "", "", "x: dependency loop\ny: skipped\n", true},
      {"x(y) y(x) z(y)", Do::start, "*", "", "", "", "x: dependency loop\nz: skipped\n", true},
      {"base(base) a(base) b(base)", Do::start, "*", "", "", "",
       "base: dependency loop\na: skipped\nb: skipped\n", true},
      {"p(p.c) p.c", Do::start, "*", "", "", "", "p: dependency loop\n", true},
      {"z(x) x(y) y(x)", Do::start, "z", "", "", "", "x: dependency loop\nz: skipped\n", true},
      // a stop that fails leaves the jail, and those asked for below and above it, as they are
      {"a b(a) c(b)", Do::restart, "*", "*", "-b", "-c !b", "a: skipped\nc: skipped\n", true},
      {"a b", Do::restart, "*", "*", "-b", "!b -a +a", "", true},
  };
  for (const FailureCase& one : cases) {
    Play run(one.jails, one.what, one.asked);
    EXPECT_EQ(run.running(one.running).fails(one.fails).go(), one.done) << one.jails;
    EXPECT_EQ(run.said(), one.said) << one.jails << " asked " << one.asked;
    EXPECT_EQ(run.failed(), one.failed) << one.jails;
  }
}

TEST(Schedule, WhatCouldNotBeStartedAgainIsNotStopped) {
  Play run("a b(a) x(a)", Do::restart, "*", {1, 1}, 0);
  EXPECT_EQ(run.running("*").fails("-x").go(), "!x");
  EXPECT_EQ(run.said(), "a: skipped\nb: skipped\n");
}

TEST(Schedule, AJailThatFailedWhenTheFileWasReadFailsItsDependentsOnly) {
  Play all("web web.www mail", Do::start, "*");
  EXPECT_EQ(all.failed_before("web").go(), "+mail");
  EXPECT_EQ(all.said(), "web.www: skipped\n");
  Play one("web web.www mail", Do::start, "web.www");
  EXPECT_EQ(one.failed_before("web").go(), "");
  EXPECT_EQ(one.said(), "web.www: skipped\n");
  EXPECT_TRUE(one.failed());
}

TEST(Schedule, QuietLeavesOutSkippedButNotTheStatus) {
  Play run("a b(a)", Do::start, "*");
  EXPECT_EQ(run.quiet().fails("+a").go(), "!a");
  EXPECT_EQ(run.said(), "");
  EXPECT_TRUE(run.failed());
}

TEST(Schedule, LoopsDoNotKeepRunningJailsFromBeingStopped) {
  const Graph graph = depend_graph(nodes_of("x(y) y(x) z(x)"));
  const std::vector<Item> items(3, Item{Do::stop, Asked::named, Standing::fine, true});
  Schedule schedule(graph, items, graph.order, {1, 1}, false);
  std::string order;
  while (auto grant = schedule.next()) {
    order += "xyz"[grant->job];
    schedule.done(grant->job, true);
  }
  EXPECT_EQ(order.size(), 3U);
  EXPECT_LT(order.find('z'), order.find('x'));
  EXPECT_FALSE(schedule.failed());
}

TEST(Schedule, GivingUpBeginsNothingNewAndLetsTheRestBeUndone) {
  const Graph graph = depend_graph(nodes_of("a b c(a)"));
  const std::vector<Item> items(3, Item{Do::start, Asked::all, Standing::fine, false});
  Schedule schedule(graph, items, graph.order, {1, 1}, false);
  EXPECT_EQ(schedule.next()->job, 0U);
  EXPECT_TRUE(schedule.wants_slot(0));
  schedule.give_up();
  EXPECT_FALSE(schedule.next());
  EXPECT_FALSE(schedule.finished());
  schedule.ended(0);
  EXPECT_EQ(schedule.next()->job, 0U);
  EXPECT_TRUE(schedule.wants_slot(0));
  schedule.done(0, false);
  EXPECT_FALSE(schedule.next());
  EXPECT_TRUE(schedule.finished());
  EXPECT_TRUE(schedule.take_messages().empty());
}

// ---- The start order of a whole file (corpus: de-, hi-, rl-)

struct DryCase {
  const char* jails;
  const char* visits;  // "+" started, "!" bad, "/" skipped
};

TEST(DryStart, VisitsJailsInTheRecordedOrder) {
  const DryCase cases[] = {
      {"web(app) app(db) db", "+db +app +web"},
      {"web(cache) mail", "+mail"},
      {"web(db,cache,queue) queue cache(db) db", "+queue +db +cache +web"},
      {"web web.www(db) db", "+web +db +web.www"},
      {"a a.d a.b a.b.c", "+a +a.d +a.b +a.b.c"},
      {"web.www web", "+web +web.www"},
      {"ghost.child", "+ghost.child"},
      {"alpha beta alpha", "+alpha +beta"},
      {"web web.a web.a.b webby mail.web", "+web +webby +mail.web +web.a +web.a.b"},
      {"www1(app1,app2) www2(app1,app2,static) app1(pg,redis) app2(pg,redis) static redis pg(dns) "
       "dns",
       "+static +redis +dns +pg +app1 +app2 +www1 +www2"},
      {"edge edge.haproxy edge.certs(edge.haproxy) data data.primary data.secondary(data.primary)",
       "+edge +data +edge.haproxy +data.primary +edge.certs +data.secondary"},
      {"bad x(bad) free", "!bad /x +free"},
  };
  for (const DryCase& one : cases) {
    const std::vector<Node> nodes = nodes_of(one.jails);
    const Graph graph = depend_graph(nodes);
    std::vector<bool> bad;
    for (const Node& node : nodes) bad.push_back(node.name == "bad");
    std::string visits;
    for (const Visit& visit : dry_start(graph, nodes, graph.standing, bad)) {
      visits += (visits.empty() ? "" : " ") +
                std::string(1, "+!/"[static_cast<size_t>(visit.fate)]) + nodes[visit.job].name;
    }
    EXPECT_EQ(visits, one.visits) << one.jails;
  }
}

// ---- Any graph

std::string random_jails(std::mt19937& dice, size_t count, bool loops) {
  Words names;
  for (size_t job = 0; job < count; ++job) {
    const std::string parent = job > 0 && dice() % 4 == 0 ? names[dice() % job] + "." : "";
    names.push_back(parent + "j" + std::to_string(job));
  }
  std::string text;
  for (size_t job = 0; job < count; ++job) {
    const size_t range = loops ? count : job;
    std::string needs;
    for (size_t n = range == 0 ? 0 : dice() % 3; n > 0; --n) needs += names[dice() % range] + ",";
    text += " " + names[job] + (needs.empty() ? "" : "(" + needs + ")");
  }
  return text;
}

TEST(Schedule, AnyGraphEndsInOrderAndWithinItsSlots) {
  std::mt19937 dice(7);
  for (unsigned round = 0; round < 600; ++round) {
    const std::string jails = random_jails(dice, 1 + dice() % 14, round % 3 == 0);
    const Do what = std::array{Do::start, Do::stop, Do::restart, Do::modify}[dice() % 4];
    const Limits limits{dice() % 4, dice() % 3};
    SCOPED_TRACE(jails + " what " + std::to_string(static_cast<int>(what)));
    Play run(jails, what, dice() % 2 == 0 ? "*" : split(split(jails, " ").front(), "(").front(),
             limits, static_cast<int>(dice() % 4));
    if (what != Do::start) run.running("*");
    if (dice() % 3 == 0) run.fails("+j1 -j2 +j3 -j4 ~j5");
    EXPECT_NE(run.random(round).go(), "for ever");
    if (what == Do::start && !run.failed() && run.graph().complaints.empty() && round % 2 == 0) {
      EXPECT_FALSE(run.up().empty());
    }
  }
}

TEST(Schedule, EveryJailOfASoundFileIsStartedOnce) {
  std::mt19937 dice(11);
  for (unsigned round = 0; round < 200; ++round) {
    Play run(random_jails(dice, 12, false), Do::start, "*", {dice() % 3, 1},
             static_cast<int>(dice() % 3));
    EXPECT_EQ(split(run.random(round).go(), " ").size(), 12U);
  }
}

// The time limits are a hundred times what it takes, so that only something quadratic can miss
// them.
TEST(Schedule, TenThousandJailsTakeLinearTime) {
  constexpr size_t kJails = 10000;
  for (const bool loop : {false, true}) {
    std::vector<Node> nodes(kJails);
    for (size_t job = 0; job < kJails; ++job) {
      nodes[job].name = "jail" + std::to_string(job);
      if (job > 0 || loop)
        nodes[job].depend = {"jail" + std::to_string((job + kJails - 1) % kJails)};
      if (job % 2 == 1) nodes[job].depend.push_back("jail0");
    }
    const auto begin = std::chrono::steady_clock::now();
    const Graph graph = depend_graph(nodes);
    const auto middle = std::chrono::steady_clock::now();
    const auto visits = dry_start(graph, nodes, graph.standing, std::vector<bool>(kJails));
    const auto end = std::chrono::steady_clock::now();
    EXPECT_EQ(visits.size(), loop ? 0 : kJails);
    EXPECT_EQ(graph.complaints.size(), loop ? 1U : 0U);
    RecordProperty("graph_us", static_cast<int>((middle - begin) / std::chrono::microseconds(1)));
    RecordProperty("run_us", static_cast<int>((end - middle) / std::chrono::microseconds(1)));
    EXPECT_LT(end - begin, std::chrono::seconds(2));
  }
}

}  // namespace
}  // namespace jail
