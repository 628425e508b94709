// Many services: order, restarts, stops, readiness, reloads, over a world that is a list of
// processes. What the supervisor orders is done at once and noted.
#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <random>

#include "sup/supervisor.h"

namespace jail {
namespace {

using Kind = ServiceOrder::Kind;
using State = ServiceState;

class World {
 public:
  explicit World(std::vector<ServiceSpec> specs) : supervisor(std::move(specs)) {}

  size_t at(std::string_view name) const { return supervisor.find(name).value(); }
  State state(std::string_view name) const { return supervisor.life(at(name)).state; }
  std::string states() const {
    std::string text;
    for (size_t i = 0; i < supervisor.size(); ++i) {
      text += (i == 0 ? "" : " ") + supervisor.spec(i).name + "=";
      text += service_word(supervisor.life(i).state);
    }
    return text;
  }

  // What was done since the last look.
  std::string done() {
    obey();
    return std::exchange(log_, {});
  }

  // Events.
  std::string boot() {
    supervisor.start_all(now);
    return done();
  }
  std::string end(std::string_view name, ExitStatus status = {}) {
    const int pid = supervisor.life(at(name)).pid;
    EXPECT_NE(pid, 0) << name;
    EXPECT_EQ(alive.erase(pid), 1U);
    EXPECT_TRUE(supervisor.ended(pid, status, now));
    return done();
  }
  std::string ready(std::string_view name) {
    supervisor.ready(at(name), now);
    return done();
  }
  std::string start(std::string_view name, bool once = false) {
    const Result<void> result = supervisor.start(at(name), now, once);
    return done() + (result ? "" : "error: " + result.error().text);
  }
  std::string stop(std::string_view name) {
    supervisor.stop(at(name), now);
    return done();
  }
  std::string restart(std::string_view name) {
    const Result<void> result = supervisor.restart(at(name), now);
    return done() + (result ? "" : "error: " + result.error().text);
  }
  std::vector<std::optional<uint16_t>> reload(std::vector<ServiceSpec> specs) {
    return supervisor.reload(std::move(specs), now).value();
  }
  std::string stop_all() {
    supervisor.stop_all(now);
    return done();
  }
  // Time passes up to the nearest deadline; "never" if there is none.
  std::string wait() {
    if (supervisor.deadline() == ServiceLife::never) return "never";
    now = std::max(now, supervisor.deadline());
    supervisor.tick(now);
    return done();
  }

  Supervisor supervisor;
  int64_t now = 1'000'000;
  std::map<int, std::string> alive;  // pid, service
  std::string cannot_start;

 private:
  void obey() {
    while (std::optional<ServiceOrder> order = supervisor.take()) {
      const std::string& name = supervisor.spec(order->service).name;
      switch (order->kind) {
        case Kind::run:
        case Kind::finish:
          return_started(*order, name);
          break;
        case Kind::signal:
          EXPECT_TRUE(alive.contains(order->pid)) << name;
          check_above(order->service);
          note("signal " + name + " " + std::to_string(order->signal));
          break;
        case Kind::kill:
          EXPECT_TRUE(alive.contains(order->pid)) << name;
          note("kill " + name);
          break;
        case Kind::jail:
          note("jail " + name);
          break;
        case Kind::changed:
          break;
      }
    }
  }

  void return_started(const ServiceOrder& order, const std::string& name) {
    for (const auto& [pid, service] : alive) EXPECT_NE(service, name);
    const ExitStatus status = order.status;
    if (order.kind == Kind::run) {
      note("run " + name);
      check_below(order.service);
    } else {
      note("finish " + name + " " + std::to_string(status.signal == 0 ? status.code : 256) + " " +
           std::to_string(status.signal) + (order.pid > 0 ? "" : " no group"));
    }
    if (name == cannot_start) return supervisor.not_started(order.service, now);
    alive[++last_pid_] = name;
    supervisor.started(order.service, last_pid_, now);
  }

  // Nothing starts before what it needs serves.
  void check_below(size_t service) const {
    for (const std::string& need : supervisor.spec(service).depend) {
      const ServiceLife& life = supervisor.life(at(need));
      EXPECT_TRUE(life.state == State::up || (life.state == State::down && life.done)) << need;
    }
  }

  // Nothing that is to go down is told so while something above it runs.
  void check_above(size_t service) const {
    if (supervisor.life(service).goal || supervisor.life(service).late) return;
    for (size_t i = 0; i < supervisor.size(); ++i) {
      const Words& depend = supervisor.spec(i).depend;
      const bool above = std::ranges::find(depend, supervisor.spec(service).name) != depend.end();
      EXPECT_TRUE(!above || supervisor.life(i).pid == 0) << supervisor.spec(i).name;
    }
  }

  void note(const std::string& text) { log_ += (log_.empty() ? "" : ", ") + text; }

  std::string log_;
  int last_pid_ = 100;
};

ServiceSpec service(std::string name, Words depend = {}) {
  return {.name = std::move(name), .command = {"x"}, .depend = std::move(depend)};
}

ServiceSpec slow(std::string name, Words depend = {}) {
  ServiceSpec spec = service(std::move(name), std::move(depend));
  spec.ready = 3;
  return spec;
}

// Coming up.

TEST(Supervisor, NothingHappensBeforeTheStart) {
  World world({service("a")});
  EXPECT_EQ(world.done(), "");
  EXPECT_EQ(world.start("a"), "error: services are down");
  EXPECT_TRUE(world.supervisor.all_down());
}

TEST(Supervisor, WhatNeedsNothingStartsAtOnceAndIsUp) {
  World world({service("a"), service("b")});
  EXPECT_EQ(world.boot(), "run a, run b");
  EXPECT_EQ(world.states(), "a=up b=up");
  EXPECT_TRUE(world.supervisor.settled());
}

TEST(Supervisor, WhoNeedsSomethingWaitsUntilItIsReady) {
  World world({service("web", {"db"}), slow("db")});
  EXPECT_EQ(world.boot(), "run db");
  EXPECT_EQ(world.states(), "web=waiting db=starting");
  EXPECT_EQ(world.supervisor.reason(0), "waits for db");
  EXPECT_FALSE(world.supervisor.settled());
  EXPECT_EQ(world.ready("db"), "run web");
  EXPECT_EQ(world.states(), "web=up db=up");
}

TEST(Supervisor, ASuccessMayBeTheReadiness) {
  ServiceSpec net = service("net");
  net.ready = ready_at_exit;
  World world({net, service("web", {"net"})});
  EXPECT_EQ(world.boot(), "run net");
  EXPECT_EQ(world.end("net"), "run web");
  EXPECT_EQ(world.states(), "net=up web=up");
  EXPECT_EQ(world.supervisor.life(0).pid, 0);
  EXPECT_EQ(world.stop("net"), "signal web 15");
  EXPECT_EQ(world.end("web", {.signal = 15}), "");
  EXPECT_EQ(world.states(), "net=down web=down");
}

TEST(Supervisor, WithoutSuccessItIsRunAgain) {
  ServiceSpec net = service("net");
  net.ready = ready_at_exit;
  World world({net, service("web", {"net"})});
  world.boot();
  EXPECT_EQ(world.end("net", {.code = 1}), "run net");
  EXPECT_EQ(world.states(), "net=starting web=waiting");
}

TEST(Supervisor, WhoIsNotReadyInTimeIsStoppedAndTriedAgain) {
  ServiceSpec spec = slow("a");
  spec.ready_timeout = 5000;
  World world({spec});
  world.boot();
  EXPECT_EQ(world.wait(), "signal a 15");
  EXPECT_EQ(world.now, 1'005'000);
  EXPECT_EQ(world.end("a"), "run a");
  world.ready("a");
  EXPECT_EQ(world.wait(), "never");
}

TEST(Supervisor, ChainsStartSideBySide) {
  std::vector<ServiceSpec> specs;
  for (int chain = 0; chain < 10; ++chain) {
    for (int link = 0; link < 10; ++link) {
      const std::string name = std::to_string(chain) + "." + std::to_string(link);
      const std::string below = std::to_string(chain) + "." + std::to_string(link - 1);
      specs.push_back(slow(name, link == 0 ? Words{} : Words{below}));
    }
  }
  std::shuffle(specs.begin(), specs.end(), std::mt19937(7));
  World world(specs);
  for (int round = 0; round < 10; ++round) {
    const std::string ran = round == 0 ? world.boot() : world.done();
    EXPECT_EQ(world.alive.size(), static_cast<size_t>(round + 1) * 10);
    // All that were started in this round are ready together.
    std::vector<size_t> starting;
    for (size_t i = 0; i < specs.size(); ++i)
      if (world.supervisor.life(i).state == State::starting) starting.push_back(i);
    for (size_t i : starting) world.supervisor.ready(i, world.now);
  }
  world.done();
  EXPECT_TRUE(world.supervisor.settled());
}

TEST(Supervisor, DownMeansNotByItself) {
  ServiceSpec a = service("a"), b = service("b");
  a.down = b.down = true;
  World world({a, b, service("c", {"b"})});
  EXPECT_EQ(world.boot(), "run b, run c");
  EXPECT_EQ(world.start("a"), "run a");
}

TEST(Supervisor, WhatNobodyNeedsAnyMoreGoesDownUnlessItIsWanted) {
  ServiceSpec b = service("b");
  b.down = true;
  World world({b, service("c", {"b"})});
  world.boot();
  world.stop("c");
  EXPECT_EQ(world.end("c"), "signal b 15");
}

// Going down.

TEST(Supervisor, StoppingIsInReverseOrder) {
  World world({service("a"), service("b", {"a"}), service("c", {"b"}), service("d")});
  world.boot();
  EXPECT_EQ(world.stop_all(), "signal c 15, signal d 15");
  EXPECT_EQ(world.end("c"), "signal b 15");
  EXPECT_EQ(world.end("d"), "");
  EXPECT_FALSE(world.supervisor.all_down());
  EXPECT_EQ(world.end("b"), "signal a 15");
  EXPECT_EQ(world.end("a"), "");
  EXPECT_TRUE(world.supervisor.all_down());
  EXPECT_EQ(world.boot(), "run a, run d, run b, run c");
}

TEST(Supervisor, AStopTakesAlongWhatNeedsIt) {
  World world({service("a"), service("b", {"a"}), service("c")});
  world.boot();
  EXPECT_EQ(world.stop("a"), "signal b 15");
  EXPECT_EQ(world.end("b", {.signal = 15}), "signal a 15");
  world.end("a");
  EXPECT_EQ(world.states(), "a=down b=down c=up");
  EXPECT_EQ(world.start("b"), "run a, run b");
}

TEST(Supervisor, AStopSignalThatIsIgnoredIsFollowedByAKill) {
  ServiceSpec spec = service("a");
  spec.stop_signal = 3;
  spec.stop_timeout = 2000;
  World world({spec});
  world.boot();
  EXPECT_EQ(world.stop("a"), "signal a 3");
  EXPECT_EQ(world.wait(), "kill a");
  EXPECT_EQ(world.now, 1'002'000);
  EXPECT_EQ(world.wait(), "never");
  world.end("a", {.signal = 9});
  EXPECT_EQ(world.states(), "a=down");
}

TEST(Supervisor, WithoutAStopTimeoutItIsWaitedFor) {
  ServiceSpec spec = service("a");
  spec.stop_timeout = 0;
  World world({spec});
  world.boot();
  world.stop("a");
  EXPECT_EQ(world.wait(), "never");
}

TEST(Supervisor, WhatOnlyComesAfterIsWaitedForAndNotTakenAlong) {
  ServiceSpec main = slow("main"), log = slow("log");
  main.after = {"log", "nobody"};
  World world({main, log});
  EXPECT_EQ(world.boot(), "run log");
  EXPECT_EQ(world.ready("log"), "run main");
  EXPECT_EQ(world.stop("log"), "signal log 15");
  EXPECT_EQ(world.end("log"), "");
  EXPECT_EQ(world.states(), "main=starting log=down");
  world.start("log");
  EXPECT_EQ(world.stop_all(), "signal main 15");
  EXPECT_EQ(world.end("main"), "signal log 15");
}

// Finish.

TEST(Supervisor, FinishIsToldHowTheRunEnded) {
  ServiceSpec spec = service("a");
  spec.finish = {"f"};
  World world({spec});
  world.boot();
  EXPECT_EQ(world.end("a", {.code = 7}), "finish a 7 0");
  EXPECT_EQ(world.states(), "a=stopping");
  EXPECT_EQ(world.end("a"), "run a");
  EXPECT_EQ(world.end("a", {.signal = 11}), "finish a 256 11");
}

TEST(Supervisor, FinishRunsAfterAStopToo) {
  ServiceSpec spec = service("a");
  spec.finish = {"f"};
  World world({spec});
  world.boot();
  EXPECT_EQ(world.stop("a"), "signal a 15");
  EXPECT_EQ(world.end("a", {.signal = 15}), "finish a 256 15");
  EXPECT_EQ(world.end("a"), "");
  EXPECT_EQ(world.states(), "a=down");
}

TEST(Supervisor, AFinishThatTakesTooLongIsKilled) {
  ServiceSpec spec = service("a");
  spec.finish = {"f"};
  spec.finish_timeout = 700;
  World world({spec});
  world.boot();
  world.end("a", {.code = 1});
  EXPECT_EQ(world.wait(), "kill a");
  EXPECT_EQ(world.now, 1'000'700);
  EXPECT_EQ(world.end("a", {.signal = 9}), "run a");
}

TEST(Supervisor, Finishs125MeansNeverAgain) {
  ServiceSpec spec = service("a");
  spec.finish = {"f"};
  spec.restart = Restart::always;
  World world({spec});
  world.boot();
  world.end("a");
  EXPECT_EQ(world.end("a", {.code = 125}), "");
  EXPECT_EQ(world.states(), "a=failed");
  EXPECT_EQ(world.supervisor.reason(0),
            "exited with 0, and its finish command forbids another run");
  EXPECT_EQ(world.start("a"), "run a");
}

TEST(Supervisor, WhereEverythingIsKilledNoFinishRuns) {
  ServiceSpec a = service("a"), b = service("b", {"a"});
  a.finish = b.finish = {"f"};
  World world({a, b});
  world.boot();
  EXPECT_EQ(world.stop_all(), "signal b 15");
  world.supervisor.abandon(world.now);
  EXPECT_EQ(world.end("b", {.signal = 9}), "signal a 15");
  EXPECT_EQ(world.end("a", {.signal = 9}), "");
  EXPECT_TRUE(world.supervisor.all_down());
  world.boot();
  EXPECT_EQ(world.end("a", {.code = 1}), "finish a 1 0");
}

TEST(Supervisor, AFinishThatCannotBeStartedIsNoReasonToStop) {
  ServiceSpec spec = service("a");
  spec.finish = {"f"};
  World world({spec});
  world.boot();
  world.cannot_start = "a";
  EXPECT_EQ(world.end("a", {.code = 1}), "finish a 1 0, run a");
  EXPECT_EQ(world.states(), "a=backoff");
  EXPECT_EQ(world.supervisor.reason(0), "could not be started");
  world.cannot_start = "";
  EXPECT_EQ(world.wait(), "run a");
  EXPECT_EQ(world.now, 1'001'000);
}

// Running again.

TEST(Supervisor, ACrashIsRepairedAtOnceAndThenWithPauses) {
  World world({service("a"), service("b", {"a"})});
  world.boot();
  EXPECT_EQ(world.end("a", {.signal = 9}), "run a");
  EXPECT_EQ(world.end("a", {.signal = 9}), "");
  EXPECT_EQ(world.states(), "a=backoff b=up");
  EXPECT_EQ(world.supervisor.reason(0), "ended by signal 9");
  EXPECT_EQ(world.wait(), "run a");
  EXPECT_EQ(world.now, 1'000'100);
  EXPECT_EQ(world.supervisor.life(0).runs, 3U);
}

TEST(Supervisor, AnExplicitStartEndsThePause) {
  World world({service("a")});
  world.boot();
  world.end("a", {.code = 1});
  world.end("a", {.code = 1});
  EXPECT_EQ(world.states(), "a=backoff");
  EXPECT_EQ(world.start("a"), "run a");
}

TEST(Supervisor, WhatHasDoneItsWorkStaysDownAndServes) {
  World world({service("a"), service("b", {"a"})});
  world.boot();
  world.end("a");
  EXPECT_EQ(world.states(), "a=down b=up");
  EXPECT_EQ(world.supervisor.reason(0), "has ended well");
  EXPECT_EQ(world.end("b", {.code = 1}), "run b");
  EXPECT_EQ(world.start("a"), "run a");
}

TEST(Supervisor, TooManyFailuresAreGivenUp) {
  ServiceSpec spec = service("a");
  spec.restart_limit = 2;
  World world({spec});
  world.boot();
  EXPECT_EQ(world.end("a", {.code = 1}), "run a");
  EXPECT_EQ(world.end("a", {.code = 1}), "");
  EXPECT_EQ(world.states(), "a=failed");
  EXPECT_EQ(world.supervisor.reason(0), "exited with 1, too often");
  EXPECT_EQ(world.wait(), "never");
  EXPECT_EQ(world.start("a"), "run a");
}

TEST(Supervisor, OnceMeansOneRun) {
  ServiceSpec spec = service("a");
  spec.down = true;
  spec.restart = Restart::always;
  World world({spec});
  world.boot();
  EXPECT_EQ(world.start("a", true), "run a");
  EXPECT_EQ(world.end("a"), "");
  EXPECT_EQ(world.states(), "a=down");
  world.start("a");
  EXPECT_EQ(world.end("a"), "run a");
}

TEST(Supervisor, AStartDuringAStopCountsAfterIt) {
  World world({service("a")});
  world.boot();
  world.stop("a");
  EXPECT_EQ(world.start("a"), "");
  EXPECT_EQ(world.end("a", {.signal = 15}), "run a");
  EXPECT_EQ(world.supervisor.life(0).tally.quick, 0U);
}

TEST(Supervisor, ARestartTakesAlongWhatNeedsItAndBringsItBack) {
  World world({service("a"), service("b", {"a"}), service("c", {"a"})});
  world.boot();
  world.stop("c");
  world.end("c");
  EXPECT_EQ(world.restart("a"), "signal b 15");
  EXPECT_EQ(world.end("b", {.signal = 15}), "signal a 15");
  EXPECT_EQ(world.states(), "a=stopping b=down c=down");
  EXPECT_EQ(world.end("a", {.signal = 15}), "run a, run b");
  EXPECT_EQ(world.states(), "a=up b=up c=down");
}

TEST(Supervisor, ARestartOfWhatIsDownStartsIt) {
  World world({service("a")});
  world.boot();
  world.stop("a");
  world.end("a");
  EXPECT_EQ(world.restart("a"), "run a");
}

TEST(Supervisor, WhatCannotBeStartedDoesNotSpin) {
  ServiceSpec spec = service("a");
  spec.restart = Restart::always;
  spec.restart_max_delay = 0;
  World world({spec});
  world.cannot_start = "a";
  EXPECT_EQ(world.boot(), "run a");
  EXPECT_EQ(world.states(), "a=backoff");
  EXPECT_EQ(world.wait(), "run a");
  EXPECT_EQ(world.now, 1'001'000);
}

// Failing.

TEST(Supervisor, WhatNeedsAFailureFailsTooUntilThatIsStarted) {
  ServiceSpec a = slow("a");
  a.restart = Restart::no;
  World world({a, service("b", {"a"}), service("c", {"b"})});
  world.boot();
  EXPECT_EQ(world.end("a", {.code = 2}), "");
  EXPECT_EQ(world.states(), "a=failed b=failed c=failed");
  EXPECT_EQ(world.supervisor.reason(0), "exited with 2");
  EXPECT_EQ(world.supervisor.reason(2), "needs b, which has failed");
  EXPECT_TRUE(world.supervisor.settled());
  EXPECT_EQ(world.start("a"), "run a");
  EXPECT_EQ(world.states(), "a=starting b=waiting c=waiting");
  EXPECT_EQ(world.ready("a"), "run b, run c");
}

TEST(Supervisor, AStartGivesWhatItNeedsAnotherChance) {
  ServiceSpec a = slow("a");
  a.restart = Restart::no;
  World world({a, service("b", {"a"})});
  world.boot();
  world.end("a", {.code = 2});
  EXPECT_EQ(world.start("b"), "run a");
}

TEST(Supervisor, TroubleWithDependenciesIsAFailure) {
  World world({service("a", {"b"}), service("b", {"a"}), service("c", {"b"}), service("d")});
  EXPECT_EQ(world.boot(), "run d");
  EXPECT_EQ(world.states(), "a=failed b=failed c=failed d=up");
  EXPECT_EQ(world.supervisor.reason(0), "depends on b, which depends on a");
  EXPECT_EQ(world.start("a"), "error: depends on b, which depends on a");
}

TEST(Supervisor, AnEndMayMeanSomethingForTheJail) {
  ServiceSpec a = service("a"), b = service("b"), c = service("c");
  a.on_exit = b.on_exit = c.on_exit = OnExit::halt;
  c.restart = Restart::no;
  World world({a, b, c});
  world.boot();
  EXPECT_EQ(world.end("a", {.code = 1}), "run a") << "not while it is run again";
  EXPECT_EQ(world.end("a"), "jail a");
  world.stop("b");
  EXPECT_EQ(world.end("b"), "") << "not where somebody asked for it";
  EXPECT_EQ(world.end("c", {.signal = 6}), "jail c");
}

// Reloading.

TEST(Supervisor, AReloadKeepsWhatRunsStartsTheNewAndStopsTheGone) {
  World world({service("a"), service("b"), service("c", {"b"})});
  world.boot();
  const int pid = world.supervisor.life(0).pid;
  ServiceSpec a = service("a");
  a.stop_signal = 1;
  auto before = world.reload({service("new"), a, service("b")});
  EXPECT_EQ(before, (std::vector<std::optional<uint16_t>>{std::nullopt, 0, 1, 2}));
  EXPECT_EQ(world.done(), "run new, signal c 15");
  EXPECT_EQ(world.supervisor.life(world.at("a")).pid, pid);
  EXPECT_EQ(world.start("c"), "error: is not configured any more");
  world.end("c");
  EXPECT_EQ(world.states(), "new=up a=up b=up c=down");
  before = world.reload({a, service("b")});
  EXPECT_EQ(world.states(), "a=up b=up new=stopping");
  EXPECT_EQ(world.stop("a"), "signal new 15, signal a 1");
}

TEST(Supervisor, AServiceThatComesBackBeforeItIsGoneRunsAgain) {
  World world({service("a")});
  world.boot();
  world.reload({});
  EXPECT_EQ(world.done(), "signal a 15");
  world.reload({service("a")});
  EXPECT_EQ(world.end("a", {.signal = 15}), "run a");
}

TEST(Supervisor, AReloadMayCureADependency) {
  World world({service("a", {"b"})});
  world.boot();
  EXPECT_EQ(world.states(), "a=failed");
  world.reload({service("a", {"b"}), service("b")});
  EXPECT_EQ(world.done(), "run b, run a");
}

TEST(Supervisor, AReloadIsRefusedWhileTooManyOfEarlierOnesDoNotEnd) {
  const auto named = [](std::string_view prefix, size_t count) {
    std::vector<ServiceSpec> specs;
    for (size_t i = 0; i < count; ++i)
      specs.push_back(service(concat({prefix, std::to_string(i)})));
    return specs;
  };
  World world(named("a", Supervisor::leaving_most));
  world.boot();
  world.reload(named("b", 1));
  world.done();
  const auto refused = world.supervisor.reload(named("c", 1), world.now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EBUSY);
  EXPECT_EQ(world.state("b0"), State::up) << "nothing has changed";
  world.end("a7");
  world.reload(named("c", 1));
  EXPECT_EQ(world.done(), "run c0, signal b0 15");
}

// Whatever happens.

TEST(Supervisor, ForeignChildrenAreNotItsOwn) {
  World world({service("a")});
  EXPECT_FALSE(world.supervisor.ended(0, {}, world.now)) << "a service without a process has pid 0";
  world.boot();
  EXPECT_FALSE(world.supervisor.ended(77, {}, world.now));
}

TEST(Supervisor, OneServiceCostsLittle) {
  EXPECT_LE(sizeof(ServiceLife), 128U);
  EXPECT_LE(sizeof(ServiceSpec), 768U);
}

ServiceSpec any_service(size_t i, std::mt19937& random) {
  ServiceSpec spec = service(std::string(1, static_cast<char>('a' + i)));
  for (size_t other = 0; other < i; ++other) {
    const std::string name(1, static_cast<char>('a' + other));
    if (random() % 4 == 0) (random() % 3 == 0 ? spec.after : spec.depend).push_back(name);
  }
  const int64_t ready[] = {ready_at_start, ready_at_exit, 3};
  spec.ready = ready[random() % 3];
  spec.ready_timeout = random() % 2 == 0 ? 0 : 50;
  spec.restart = static_cast<Restart>(random() % 3);
  spec.restart_limit = random() % 4;
  spec.stop_timeout = random() % 2 == 0 ? 0 : 100;
  spec.down = random() % 8 == 0;
  if (random() % 3 == 0) spec.finish = {"f"};
  return spec;
}

// One thing that may happen next.
void happen(World& world, std::mt19937& random) {
  const size_t service = random() % world.supervisor.size();
  const std::string name = world.supervisor.spec(service).name;
  world.cannot_start = random() % 16 == 0 ? name : "";
  switch (random() % 10) {
    case 0:
      world.start(name, random() % 4 == 0);
      break;
    case 1:
      world.stop(name);
      break;
    case 2:
      world.restart(name);
      break;
    case 3:
      if (random() % 8 == 0) world.stop_all();
      if (random() % 8 == 0) world.boot();
      break;
    case 4:
      world.now += static_cast<int64_t>(random() % 200);
      world.supervisor.tick(world.now);
      world.done();
      break;
    case 5:
    case 6:
      world.ready(name);
      break;
    default:
      const uint8_t codes[] = {0, 1, 125};
      if (world.supervisor.life(service).pid != 0)
        world.end(name, {.code = codes[random() % 3], .signal = 0});
  }
}

// No more than one process a service, none where the state says so, none started before what it
// needs nor told to end before what is above it (the world looks at that); and in the end all can
// be brought down.
TEST(Supervisor, HoldsItsPromisesWhateverHappens) {
  std::mt19937 random(1);
  for (int life = 0; life < 300; ++life) {
    std::vector<ServiceSpec> specs;
    for (size_t i = 0; i < 6; ++i) specs.push_back(any_service(i, random));
    World world(specs);
    world.boot();
    for (int steps = 0; steps < 100; ++steps) {
      happen(world, random);
      for (size_t i = 0; i < specs.size(); ++i) {
        const ServiceLife& one = world.supervisor.life(i);
        const bool runs = one.state == State::starting || one.state == State::stopping;
        ASSERT_TRUE(one.pid != 0 ? runs || one.state == State::up : !runs)
            << world.states() << " " << i;
        ASSERT_EQ(one.pid != 0, world.alive.contains(one.pid));
      }
    }
    world.cannot_start = "";
    world.stop_all();
    while (!world.alive.empty()) {
      const size_t before = world.alive.size();
      const auto all = world.alive;
      for (const auto& [pid, service] : all) {
        if (world.state(service) != State::stopping) continue;
        world.alive.erase(pid);
        world.supervisor.ended(pid, {.signal = 15}, world.now);
        world.done();
      }
      ASSERT_TRUE(world.alive.size() != before || world.alive != all) << world.states();
    }
    EXPECT_TRUE(world.supervisor.all_down()) << world.states();
    EXPECT_EQ(world.supervisor.deadline(), ServiceLife::never);
  }
}

}  // namespace
}  // namespace jail
