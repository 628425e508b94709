#include "sup/service.h"

#include <iterator>

namespace jail {
namespace {

using State = ServiceState;
using Event = ServiceEvent;
using Act = ServiceAct;

struct Arrow {
  State from;
  Event event;
  ServiceStep to;
};

// All that ever happens. Without an arrow an event changes nothing.
constexpr Arrow arrows[] = {
    {State::down, Event::start, {State::waiting}},

    {State::waiting, Event::stop, {State::down, Act::settle}},
    {State::waiting, Event::clear, {State::starting, Act::run}},
    {State::waiting, Event::fail, {State::failed, Act::give_up}},

    {State::starting, Event::stop, {State::stopping, Act::signal}},
    {State::starting, Event::ready, {State::up}},
    {State::starting, Event::ended, {State::stopping, Act::finish}},
    {State::starting, Event::timeout, {State::stopping, Act::signal}},

    {State::up, Event::stop, {State::stopping, Act::signal}},
    {State::up, Event::ended, {State::stopping, Act::finish}},

    {State::stopping, Event::ended, {State::backoff, Act::decide}},
    {State::stopping, Event::timeout, {State::stopping, Act::kill}},

    {State::backoff, Event::start, {State::waiting}},
    {State::backoff, Event::stop, {State::down, Act::settle}},
    {State::backoff, Event::timeout, {State::waiting}},
    {State::backoff, Event::fail, {State::failed, Act::give_up}},

    {State::failed, Event::start, {State::waiting}},
    {State::failed, Event::stop, {State::down, Act::settle}},
};

constexpr std::string_view states[] = {"down",     "waiting", "starting", "up",
                                       "stopping", "backoff", "failed"};
constexpr std::string_view events[] = {"start", "stop",    "clear", "ready",
                                       "ended", "timeout", "fail"};
constexpr std::string_view acts[] = {"",       "run",    "signal", "kill",
                                     "finish", "decide", "settle", "give up"};
static_assert(std::size(states) == service_states && std::size(events) == service_events &&
              std::size(acts) == service_acts);

template <class Word>
std::string_view word_of(Word word, const auto& words) {
  const auto at = static_cast<size_t>(word);
  return at < std::size(words) ? words[at] : "?";
}

}  // namespace

ServiceStep next(ServiceState state, ServiceEvent event) {
  for (const Arrow& arrow : arrows)
    if (arrow.from == state && arrow.event == event) return arrow.to;
  return {state};
}

std::string_view service_word(ServiceState state) {
  return word_of(state, states);
}

std::string_view service_word(ServiceEvent event) {
  return word_of(event, events);
}

std::string_view service_word(ServiceAct act) {
  return word_of(act, acts);
}

}  // namespace jail
