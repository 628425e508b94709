// The part of the supervisor that looks at all services together: which are to be up, which may
// start, which may be stopped; and the requests that change it.
#include <algorithm>
#include <ranges>
#include <utility>

#include "sup/supervisor.h"

namespace jail {
namespace {

using State = ServiceState;
using Event = ServiceEvent;

}  // namespace

// Goals.

// Brings everything on its way. What one round makes possible the next one does: a service that is
// down may start again, one that has failed fails those above it.
void Supervisor::pass(int64_t now) {
  for (bool changed = true; changed;) {
    changed = set_goals();
    changed |= start_some(now);
    changed |= stop_some(now);
  }
}

// What is above one that goes down to come again does the same. Then from the top down: what is
// above is decided before what it needs. True if a goal has changed.
bool Supervisor::set_goals() {
  for (uint16_t i : graph_.order()) {
    lives_[i].held =
        lives_[i].hold || std::ranges::any_of(graph_.needs(i), [&](const ServiceLink& link) {
          return link.needed && lives_[link.service].held;
        });
  }
  bool changed = false;
  for (uint16_t i : graph_.order() | std::views::reverse) {
    ServiceLife& life = lives_[i];
    const bool needed = std::ranges::any_of(graph_.needed_by(i), [&](const ServiceLink& link) {
      return link.needed && lives_[link.service].goal;
    });
    const bool goal = (life.wanted || needed) && !life.held && !ending_;
    changed |= goal != life.goal;
    life.goal = goal;
  }
  return changed;
}

bool Supervisor::start_some(int64_t now) {
  bool changed = false;
  for (uint16_t i : graph_.order()) {
    if (!lives_[i].goal) continue;
    const State before = lives_[i].state;
    consider(i, now);
    changed |= lives_[i].state != before;
  }
  return changed;
}

// One that is to be up, in a state that it may have to leave without anything happening to it.
void Supervisor::consider(size_t service, int64_t now) {
  ServiceLife& life = lives_[service];
  const bool trouble = !graph_.trouble(service).empty();
  if (life.state == State::down && !life.done) step(service, Event::start, now);
  if (life.state == State::failed &&
      (life.why == FailedBy::need || life.why == FailedBy::trouble) && !trouble &&
      !need_failed(service)) {
    step(service, Event::start, now);
  }
  if (life.state != State::waiting) return;
  if (trouble || need_failed(service)) {
    life.why = trouble ? FailedBy::trouble : FailedBy::need;
    return step(service, Event::fail, now);
  }
  for (const ServiceLink& link : graph_.needs(service)) {
    const ServiceLife& other = lives_[link.service];
    if (serves(link.service)) continue;
    if (link.needed || other.state == State::waiting || other.state == State::starting) return;
  }
  step(service, Event::clear, now);
}

// From the top down. What has a process waits until nothing runs above it that goes down too.
bool Supervisor::stop_some(int64_t now) {
  bool changed = false;
  for (uint16_t i : graph_.order() | std::views::reverse) {
    ServiceLife& life = lives_[i];
    if (life.goal || life.state == State::down || life.state == State::stopping) continue;
    const bool held =
        active(i) && std::ranges::any_of(graph_.needed_by(i), [&](const ServiceLink& link) {
          return !lives_[link.service].goal && active(link.service);
        });
    if (held) continue;
    step(i, Event::stop, now);
    changed = true;
  }
  return changed;
}

bool Supervisor::serves(size_t service) const {
  const ServiceLife& life = lives_[service];
  return life.state == State::up ? life.goal : life.state == State::down && life.done;
}

bool Supervisor::active(size_t service) const {
  const State state = lives_[service].state;
  return state == State::starting || state == State::up || state == State::stopping;
}

bool Supervisor::need_failed(size_t service) const {
  return std::ranges::any_of(graph_.needs(service), [&](const ServiceLink& link) {
    return link.needed && lives_[link.service].state == State::failed;
  });
}

// Calls `each` with the number of a service and of all that need it (above), or that it needs.
template <class Each>
void Supervisor::closure(size_t service, bool above, Each each) {
  marked_.assign(1, static_cast<uint16_t>(service));
  lives_[service].seen = true;
  for (size_t at = 0; at < marked_.size(); ++at) {
    for (const ServiceLink& link :
         above ? graph_.needed_by(marked_[at]) : graph_.needs(marked_[at])) {
      if (!link.needed || lives_[link.service].seen) continue;
      lives_[link.service].seen = true;
      marked_.push_back(link.service);
    }
  }
  for (uint16_t i : marked_) {
    lives_[i].seen = false;
    each(i);
  }
}

// Requests.

void Supervisor::start_all(int64_t now) {
  ending_ = abandoned_ = false;
  for (size_t i = 0; i < specs_.size(); ++i) {
    lives_[i].wanted = !specs_[i].down && !lives_[i].leaving;
    lives_[i].done = lives_[i].once = false;
    lives_[i].tally = {};
  }
  pass(now);
}

void Supervisor::stop_all(int64_t now) {
  ending_ = true;
  for (ServiceLife& life : lives_) life.hold = false;
  pass(now);
}

void Supervisor::abandon(int64_t now) {
  abandoned_ = true;
  stop_all(now);
}

Result<void> Supervisor::allowed(size_t service) const {
  if (ending_) return fail(EBUSY, "services are down");
  if (lives_[service].leaving) return fail(ENOTSUP, "is not configured any more");
  if (std::string_view trouble = graph_.trouble(service); !trouble.empty())
    return fail(ENOTSUP, std::string(trouble));
  return {};
}

// Also what it needs gets another chance.
Result<void> Supervisor::start(size_t service, int64_t now, bool once) {
  TRY(allowed(service));
  lives_[service].wanted = true;
  lives_[service].done = false;
  lives_[service].once = once;
  closure(service, false, [&](size_t i) {
    const State state = lives_[i].state;
    lives_[i].tally = {};
    if (state == State::failed || (state == State::backoff && i == service))
      step(i, Event::start, now);
  });
  pass(now);
  return {};
}

void Supervisor::stop(size_t service, int64_t now) {
  closure(service, true, [&](size_t i) { lives_[i].wanted = false; });
  lives_[service].hold = false;
  pass(now);
}

Result<void> Supervisor::restart(size_t service, int64_t now) {
  if (!lives_[service].goal || !active(service)) return start(service, now);
  TRY(allowed(service));
  lives_[service].hold = true;
  lives_[service].tally = {};
  pass(now);
  return {};
}

Result<std::vector<std::optional<uint16_t>>> Supervisor::reload(std::vector<ServiceSpec> specs,
                                                                int64_t now) {
  const size_t given = specs.size();
  std::vector<std::optional<uint16_t>> before(given);
  for (size_t i = 0; i < specs_.size(); ++i) {
    const auto same = std::ranges::find(specs, specs_[i].name, &ServiceSpec::name);
    if (same != specs.end())
      before[static_cast<size_t>(same - specs.begin())] = static_cast<uint16_t>(i);
    else if (active(i))
      before.push_back(static_cast<uint16_t>(i));
  }
  if (before.size() - given > leaving_most)
    return fail(EBUSY, "too many services that are gone have not ended yet");
  for (size_t i = given; i < before.size(); ++i) specs.push_back(std::move(specs_[*before[i]]));
  const std::vector<ServiceLife> lives = std::exchange(lives_, {});
  load(std::move(specs));
  for (size_t i = 0; i < lives_.size(); ++i) {
    ServiceLife& life = lives_[i];
    const bool is_new = !before[i] || lives[*before[i]].leaving;
    if (before[i]) life = lives[*before[i]];
    life.leaving = i >= given;
    if (life.leaving) life.wanted = life.hold = false;
    if (is_new && !life.leaving) life.wanted = !specs_[i].down;
  }
  pass(now);
  return before;
}

}  // namespace jail
