#include "init/desk.h"

#include <algorithm>

#include "base/sys.h"
#include "os/handed.h"
#include "os/terminal.h"

namespace jail {

void Desk::begin() {
  if (isatty(handed::console) != 1) return;
  Result<std::span<std::byte>> memory = map_ring(handed::ring);
  if (!memory) return;
  const int link = isatty(handed::link) == 1 ? handed::link : -1;
  if (Result<Console> console = Console::begin(handed::console, link, *memory))
    console_ = std::move(*console);
}

bool Desk::fill(std::span<pollfd, polls_most> polls, bool hears) {
  std::ranges::fill(polls, pollfd{-1, 0, 0});
  if (hears) polls[0] = {callers_.hears(handed::control), POLLIN, 0};
  callers_.fill(polls.subspan<1, Callers::most>());
  if (console_) console_->fill(polls.last<Console::polls_most>());
  return !hears || !callers_.deaf();
}

void Desk::handle(std::span<const pollfd, polls_most> polls) {
  if (console_) console_->handle(polls.last<Console::polls_most>());
  for (size_t i = 0; i < Callers::most; ++i) {
    if (polls[1 + i].revents == 0) continue;
    if (std::optional<Callers::Request> request = callers_.hear(i)) obey(std::move(*request));
  }
  if (polls[0].revents != 0) callers_.take(handed::control);
}

void Desk::obey(Callers::Request request) {
  const std::string& verb = request.words.front();
  if (verb == "status") return reply(request.caller, "ok program");
  if (verb != "console") return reply(request.caller, "error process 1 is a program of the jail");
  if (!console_) return reply(request.caller, "error this jail has no console");
  console_->attach(std::move(request.caller.fd), std::span(request.words).subspan(1));
}

}  // namespace jail
