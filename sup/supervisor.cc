#include "sup/supervisor.h"

#include <algorithm>

namespace jail {
namespace {

using Kind = ServiceOrder::Kind;
using State = ServiceState;
using Event = ServiceEvent;

// How many orders one event can make for one service, generously: room is made once.
constexpr size_t orders_each = 16;

constexpr uint8_t no_more_runs = 125;  // finish's exit code for that, s6's

int64_t deadline_after(int64_t time, int64_t now) {
  return time == 0 ? ServiceLife::never : now + time;
}

}  // namespace

Supervisor::Supervisor(std::vector<ServiceSpec> specs) {
  load(std::move(specs));
}

void Supervisor::load(std::vector<ServiceSpec> specs) {
  specs_ = std::move(specs);
  std::vector<ServiceNode> nodes;
  nodes.reserve(specs_.size());
  for (const ServiceSpec& spec : specs_) nodes.push_back({spec.name, spec.depend, spec.after});
  graph_ = ServiceGraph(nodes);
  lives_.assign(specs_.size(), {});
  orders_.reserve(specs_.size() * orders_each);
  marked_.reserve(specs_.size());
}

// Events.

void Supervisor::step(size_t service, Event event, int64_t now) {
  ServiceLife& life = lives_[service];
  const ServiceStep to = next(life.state, event);
  if (to.state != life.state) {
    life.state = to.state;
    life.since = now;
    life.deadline = ServiceLife::never;
    order(Kind::changed, service);
  }
  perform(service, to.act, now);
}

void Supervisor::perform(size_t service, ServiceAct act, int64_t now) {
  ServiceLife& life = lives_[service];
  switch (act) {
    case ServiceAct::none:
      return;
    case ServiceAct::run:
      life.asked = true;
      life.told = life.late = life.finish_says_no = false;
      life.group = 0;
      life.why = FailedBy::none;
      life.began = now;
      life.deadline = deadline_after(specs_[service].ready_timeout, now);
      return order(Kind::run, service);
    case ServiceAct::signal:
      life.told = true;
      return signal_process(service, now);
    case ServiceAct::kill:
      if (life.pid != 0) order(Kind::kill, service);
      return;
    case ServiceAct::finish:
      return finish_process(service, now);
    case ServiceAct::decide:
      return decide(service, now);
    case ServiceAct::settle:
      life.hold = false;
      return;
    case ServiceAct::give_up:
      if (specs_[service].on_exit != OnExit::ignore && !life.once) order(Kind::jail, service);
      return;
  }
}

void Supervisor::signal_process(size_t service, int64_t now) {
  const ServiceSpec& spec = specs_[service];
  ServiceLife& life = lives_[service];
  if (life.asked) return;  // it has no pid yet: started() comes here again
  if (life.pid == 0) return finish_process(service, now);  // up without a process
  order(Kind::signal, service, static_cast<int>(spec.stop_signal));
  life.deadline = deadline_after(spec.stop_timeout, now);
}

// Without a finish command, or if there was no run that it could follow, its end has come already.
void Supervisor::finish_process(size_t service, int64_t now) {
  const ServiceSpec& spec = specs_[service];
  ServiceLife& life = lives_[service];
  if (spec.finish.empty() || life.group == 0 || abandoned_) return step(service, Event::ended, now);
  life.asked = life.finishing = true;
  life.deadline = deadline_after(spec.finish_timeout, now);
  order(Kind::finish, service);
}

// Nothing of it runs any more.
void Supervisor::decide(size_t service, int64_t now) {
  ServiceLife& life = lives_[service];
  if (!life.goal) return step(service, Event::stop, now);
  // It was told to end, and is wanted again since: that counts as nothing.
  if (life.told && !life.late) return step(service, Event::timeout, now);
  const RestartVerdict verdict = judge(specs_[service],
                                       {.began = life.began,
                                        .now = now,
                                        .status = life.status,
                                        .not_started = life.group == 0,
                                        .late = life.late,
                                        .finish_says_no = life.finish_says_no,
                                        .once = life.once},
                                       life.tally);
  switch (verdict.kind) {
    case RestartVerdict::Kind::done:
      life.done = true;
      life.wanted = false;
      if (specs_[service].on_exit != OnExit::ignore && !life.once) order(Kind::jail, service);
      return step(service, Event::stop, now);
    case RestartVerdict::Kind::failed:
      life.why = verdict.why;
      return step(service, Event::fail, now);
    case RestartVerdict::Kind::again:
      if (verdict.at <= now) return step(service, Event::timeout, now);
      life.deadline = verdict.at;
  }
}

void Supervisor::started(size_t service, int pid, int64_t now) {
  ServiceLife& life = lives_[service];
  life.asked = false;
  life.pid = pid;
  order(Kind::changed, service);
  if (life.finishing) return;
  life.group = pid;
  ++life.runs;
  if (life.state == State::stopping) return signal_process(service, now);
  if (specs_[service].ready == ready_at_start) ready(service, now);
}

void Supervisor::not_started(size_t service, int64_t now) {
  ServiceLife& life = lives_[service];
  life.asked = life.finishing = false;
  step(service, Event::ended, now);
  pass(now);
}

bool Supervisor::ended(int pid, ExitStatus status, int64_t now) {
  auto at = std::ranges::find(lives_, pid, &ServiceLife::pid);
  if (pid <= 0 || at == lives_.end()) return false;
  const size_t service = static_cast<size_t>(at - lives_.begin());
  at->pid = 0;
  order(Kind::changed, service);
  if (at->finishing) {
    at->finishing = false;
    at->finish_says_no = status == ExitStatus{.code = no_more_runs};
    step(service, Event::ended, now);
  } else {
    at->status = status;
    if (at->state == State::stopping) {
      finish_process(service, now);
    } else if (at->state == State::starting && specs_[service].ready == ready_at_exit &&
               status.good()) {
      step(service, Event::ready, now);
    } else {
      step(service, Event::ended, now);
    }
  }
  pass(now);
  return true;
}

void Supervisor::ready(size_t service, int64_t now) {
  step(service, Event::ready, now);
  pass(now);
}

void Supervisor::tick(int64_t now) {
  bool any = false;
  for (size_t i = 0; i < lives_.size(); ++i) {
    ServiceLife& life = lives_[i];
    if (life.deadline > now) continue;
    life.deadline = ServiceLife::never;
    life.late |= life.state == State::starting;
    step(i, Event::timeout, now);
    any = true;
  }
  if (any) pass(now);
}

// Orders.

void Supervisor::order(Kind kind, size_t service, int signal) {
  if (kind == Kind::changed && orders_.size() > taken_ && orders_.back().kind == kind &&
      orders_.back().service == service) {
    return;
  }
  if (orders_.size() == orders_.capacity()) {
    orders_.erase(orders_.begin(), orders_.begin() + static_cast<ptrdiff_t>(taken_));
    taken_ = 0;
  }
  const ServiceLife& life = lives_[service];
  orders_.push_back({.kind = kind,
                     .service = static_cast<uint16_t>(service),
                     .pid = kind == Kind::finish ? life.group : life.pid,
                     .signal = signal,
                     .status = life.status});
}

std::optional<ServiceOrder> Supervisor::take() {
  if (taken_ < orders_.size()) return orders_[taken_++];
  orders_.clear();
  taken_ = 0;
  return std::nullopt;
}

int64_t Supervisor::deadline() const {
  int64_t nearest = ServiceLife::never;
  for (const ServiceLife& life : lives_) nearest = std::min(nearest, life.deadline);
  return nearest;
}

}  // namespace jail
