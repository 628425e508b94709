// What a command finds out about its host before it acts.
#include <signal.h>

#include "os/command.h"
#include "os/kernel.h"
#include "plan/lifecycle.h"

namespace jail {

Result<Host> this_host() {
  TRY(fill_standard_descriptors());
  Host host{places(), TRY(probe()), {}};
  host.hook_of = TRY(leave_view(host.facts, host.places.run));
  return host;
}

Result<Fd> catch_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action;
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN)
      sigaddset(&signals, signal);
  }
  return open_signals(signals);
}

int caught_signal(int stop_fd) {
  return stop_fd >= 0 ? read_signal(stop_fd) : 0;
}

}  // namespace jail
