#include "sup/service.h"

namespace jail {
namespace {

using State = ServiceState;
using Event = ServiceEvent;
using Act = ServiceAct;

// One function a state. No default: a new event does not compile until every state answers it. What
// stands behind the switch is for a value that is none of the enumerators.

ServiceStep in_down(Event event) {
  switch (event) {
    case Event::start:
      return {State::waiting};
    case Event::stop:
    case Event::clear:
    case Event::ready:
    case Event::ended:
    case Event::timeout:
    case Event::fail:
      break;
  }
  return {State::down};
}

ServiceStep in_waiting(Event event) {
  switch (event) {
    case Event::stop:
      return {State::down, Act::settle};
    case Event::clear:
      return {State::starting, Act::run};
    case Event::fail:
      return {State::failed, Act::give_up};
    case Event::start:
    case Event::ready:
    case Event::ended:
    case Event::timeout:
      break;
  }
  return {State::waiting};
}

ServiceStep in_starting(Event event) {
  switch (event) {
    case Event::ready:
      return {State::up};
    case Event::stop:
    case Event::timeout:
      return {State::stopping, Act::signal};
    case Event::ended:
      return {State::stopping, Act::finish};
    case Event::start:
    case Event::clear:
    case Event::fail:
      break;
  }
  return {State::starting};
}

ServiceStep in_up(Event event) {
  switch (event) {
    case Event::stop:
      return {State::stopping, Act::signal};
    case Event::ended:
      return {State::stopping, Act::finish};
    case Event::start:
    case Event::clear:
    case Event::ready:
    case Event::timeout:
    case Event::fail:
      break;
  }
  return {State::up};
}

ServiceStep in_stopping(Event event) {
  switch (event) {
    case Event::ended:
      return {State::backoff, Act::decide};
    case Event::timeout:
      return {State::stopping, Act::kill};
    case Event::start:
    case Event::stop:
    case Event::clear:
    case Event::ready:
    case Event::fail:
      break;
  }
  return {State::stopping};
}

ServiceStep in_backoff(Event event) {
  switch (event) {
    case Event::start:
    case Event::timeout:
      return {State::waiting};
    case Event::stop:
      return {State::down, Act::settle};
    case Event::fail:
      return {State::failed, Act::give_up};
    case Event::clear:
    case Event::ready:
    case Event::ended:
      break;
  }
  return {State::backoff};
}

ServiceStep in_failed(Event event) {
  switch (event) {
    case Event::start:
      return {State::waiting};
    case Event::stop:
      return {State::down, Act::settle};
    case Event::clear:
    case Event::ready:
    case Event::ended:
    case Event::timeout:
    case Event::fail:
      break;
  }
  return {State::failed};
}

}  // namespace

ServiceStep next(ServiceState state, ServiceEvent event) {
  switch (state) {
    case State::down:
      return in_down(event);
    case State::waiting:
      return in_waiting(event);
    case State::starting:
      return in_starting(event);
    case State::up:
      return in_up(event);
    case State::stopping:
      return in_stopping(event);
    case State::backoff:
      return in_backoff(event);
    case State::failed:
      return in_failed(event);
  }
  return {state};
}

std::string_view service_word(ServiceState state) {
  switch (state) {
    case State::down:
      return "down";
    case State::waiting:
      return "waiting";
    case State::starting:
      return "starting";
    case State::up:
      return "up";
    case State::stopping:
      return "stopping";
    case State::backoff:
      return "backoff";
    case State::failed:
      return "failed";
  }
  return "?";
}

std::string_view service_word(ServiceEvent event) {
  switch (event) {
    case Event::start:
      return "start";
    case Event::stop:
      return "stop";
    case Event::clear:
      return "clear";
    case Event::ready:
      return "ready";
    case Event::ended:
      return "ended";
    case Event::timeout:
      return "timeout";
    case Event::fail:
      return "fail";
  }
  return "?";
}

std::string_view service_word(ServiceAct act) {
  switch (act) {
    case Act::none:
      return "";
    case Act::run:
      return "run";
    case Act::signal:
      return "signal";
    case Act::kill:
      return "kill";
    case Act::finish:
      return "finish";
    case Act::decide:
      return "decide";
    case Act::settle:
      return "settle";
    case Act::give_up:
      return "give up";
  }
  return "?";
}

}  // namespace jail
