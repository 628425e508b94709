// The life of one service, as a pure function. No process, no clock, no allocation: the supervisor
// (sup/supervisor.h) turns what happens into events, and acts into orders.
//
// What a service is. A command that should run, in one process that does not go into the
// background. What a service wants is known elsewhere: whether it is to be up (goal), what it needs
// (sup/graph.h), whether it is to run again after an end (sup/restart.h). Here stands only what may
// follow on what, so that it can be seen at a glance (doc/SERVICE-STATES.md is this function,
// written out) and tried completely.
//
// States. A service is always in one of seven:
//
//   down      nothing runs, and nothing is meant to
//   waiting   it is to run; something that it needs is not up yet
//   starting  its process runs, and has not said yet that it is ready
//   up        it serves: whoever needs it may start
//   stopping  its process was told to end, or has ended and its finish command runs
//   backoff   nothing runs; whether and when it runs again is being decided
//   failed    it is to run, but was given up until somebody starts it
//
// There is a process in starting, up and stopping only, and never more than one: `run` is asked for
// on the way from waiting to starting, which can only be reached from states without one. Two
// exceptions prove useful: a service whose readiness is its success (ready = exit) is up without a
// process, once it has ended well; and between the order to run and the word that it was carried
// out nobody has a process id yet.
//
// Coming up. `start` leads to waiting, `clear` - all that it needs is up - to starting, `ready` to
// up. A service without a way to say so is ready as soon as it was started. One that is not ready
// in time is stopped (`timeout` in starting); that counts as a failure.
//
// Going down. `stop` sends the stop signal; when the time for that is over (`timeout` in stopping)
// everything of the service is killed. The end of the process, by itself or not, is `ended`: the
// finish command runs, if there is one, still in stopping, because it may use what the service
// used. Its end is `ended` again. A finish that takes too long is killed by the same timeout.
//
// Between two runs. In backoff somebody has to decide: `stop` if it is not wanted any more, or has
// done its work; `fail` if it is given up; else the delay is waited for, which may be none
// (`timeout`). It then goes through waiting like any other: what it needs may have gone meanwhile.
// An explicit `start` ends the delay.
//
// What never happens by itself: failed is left by `start` and `stop` only. What a service needs may
// go down without it - a crash below is repaired below, and does not tear down what stands above.
// Where it must not stay (a request to stop, or to restart, what it needs), the supervisor stops it
// first.
//
// Interrupting. Every state may be left by `stop`, at once or, where a process runs, through
// stopping, which is never interrupted: a `start` meanwhile is remembered as the goal and counts in
// backoff. An event that makes no sense in a state changes nothing, since late ones are normal: a
// readiness that was written just before the end, a deadline that was met just in time.
#pragma once

#include <cstdint>
#include <string_view>

namespace jail {

enum class ServiceState : uint8_t { down, waiting, starting, up, stopping, backoff, failed };

enum class ServiceEvent : uint8_t {
  start,    // it is to be up
  stop,     // it is to be up no longer, or has done its work
  clear,    // all that it needs is up
  ready,    // it says that it serves
  ended,    // its process has ended; in stopping: nothing of it runs any more
  timeout,  // the deadline of its state has passed
  fail,     // it is given up; or, waiting: what it needs was
};

enum class ServiceAct : uint8_t {
  none,
  run,      // start its process
  signal,   // tell its process to end, and set the deadline for that
  kill,     // end by force whatever runs of it
  finish,   // run its finish command; if there is none, `ended` follows at once
  decide,   // whether it runs again, and when
  settle,   // it is down
  give_up,  // it has failed for good: say so, and do what its end means for the jail
};

constexpr unsigned service_states = 7, service_events = 7, service_acts = 8;

struct ServiceStep {
  ServiceState state;
  ServiceAct act = ServiceAct::none;

  bool operator==(const ServiceStep&) const = default;
};

// What an event makes of a service. Total; the same for everybody, always.
ServiceStep next(ServiceState state, ServiceEvent event);

// The words of the enumerators, as status and doc/SERVICE-STATES.md show them.
std::string_view service_word(ServiceState state);
std::string_view service_word(ServiceEvent event);
std::string_view service_word(ServiceAct act);

}  // namespace jail
