// What the supervisor answers to questions about its services.
#include <algorithm>

#include "sup/supervisor.h"

namespace jail {
namespace {

using State = ServiceState;

std::string how_it_ended(const ServiceLife& life) {
  if (life.group == 0) return "could not be started";
  if (life.status.signal != 0)
    return concat({"ended by signal ", std::to_string(life.status.signal)});
  return concat({"exited with ", std::to_string(life.status.code)});
}

}  // namespace

std::optional<uint16_t> Supervisor::find(std::string_view name) const {
  auto at = std::ranges::find(specs_, name, &ServiceSpec::name);
  if (at == specs_.end()) return std::nullopt;
  return static_cast<uint16_t>(at - specs_.begin());
}

bool Supervisor::all_down() const {
  return std::ranges::all_of(
      lives_, [](State state) { return state == State::down; }, &ServiceLife::state);
}

bool Supervisor::settled() const {
  return std::ranges::none_of(lives_, [](const ServiceLife& life) {
    return life.goal && (life.state == State::waiting || life.state == State::starting);
  });
}

std::string Supervisor::reason(size_t service) const {
  const ServiceLife& life = lives_[service];
  switch (life.state) {
    case State::down:
      return life.done ? "has ended well" : "";
    case State::waiting:
      for (const ServiceLink& link : graph_.needs(service))
        if (!serves(link.service)) return concat({"waits for ", specs_[link.service].name});
      return "";
    case State::starting:
      return "is not ready yet";
    case State::up:
      return life.pid == 0 ? "has ended well" : "";
    case State::stopping:
      return life.finishing ? "its finish command runs" : "was told to end";
    case State::backoff:
      return how_it_ended(life);
    case State::failed:
      return failure(service);
  }
  return "";
}

std::string Supervisor::failure(size_t service) const {
  const ServiceLife& life = lives_[service];
  switch (life.why) {
    case FailedBy::none:
      return "";
    case FailedBy::itself:
      return how_it_ended(life);
    case FailedBy::repetition:
      return concat({how_it_ended(life), ", too often"});
    case FailedBy::finish:
      return concat({how_it_ended(life), ", and its finish command forbids another run"});
    case FailedBy::lateness:
      return "was not ready in time";
    case FailedBy::need:
      for (const ServiceLink& link : graph_.needs(service)) {
        if (link.needed && lives_[link.service].state == State::failed)
          return concat({"needs ", specs_[link.service].name, ", which has failed"});
      }
      return "what it needs has failed";
    case FailedBy::trouble:
      return std::string(graph_.trouble(service));
  }
  return "";
}

}  // namespace jail
