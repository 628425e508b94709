// What a warden does for a process 1 that is not jinit (init.program): keeps the jail's console and
// answers on its control socket. Nothing in the jail can make it wait, grow or end.
#pragma once

#include <optional>
#include <poll.h>
#include <span>

#include "init/callers.h"
#include "init/console.h"

namespace jail {

class Desk {
 public:
  static constexpr size_t polls_most = 1 + Callers::most + Console::polls_most;

  // Takes up the console that was handed on (os/handed.h), if there is one.
  void begin();
  // What to poll for; callers only if process 1 does not hear them itself.
  // False: nobody tells when callers can be heard again.
  bool fill(std::span<pollfd, polls_most> polls, bool hears);
  // The same array after poll(2). A bounded amount of work.
  void handle(std::span<const pollfd, polls_most> polls);

 private:
  void obey(Callers::Request request);

  std::optional<Console> console_;
  Callers callers_;
};

}  // namespace jail
