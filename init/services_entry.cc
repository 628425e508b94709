#include "init/services_entry.h"

#include <algorithm>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/sys.h"
#include "init/poll_all.h"
#include "init/service_start.h"
#include "init/services.h"
#include "os/adopt.h"
#include "os/process1.h"

namespace jail {

namespace {

constexpr int refused = 125;

class Scan {
 public:
  bool begin(const char* directory);
  void live();

 private:
  void hear();
  void reap();
  void end();
  bool is_down();
  int timeout() const;

  Services services_;
  Fd signals_;
  bool ending_ = false;
};

// Only our standard streams are the services'; a pipe nobody reads is no reason to end.
bool Scan::begin(const char* directory) {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGPIPE}) sigaddset(&signals, signal);
  // Who was started with it ignored would never hear how a child ended.
  struct sigaction by_default = {};
  by_default.sa_handler = SIG_DFL;
  const Fd there(sys::openat(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const bool good = there && sigaction(SIGCHLD, &by_default, nullptr) == 0 && adopt_orphans();
  if (good) signals_ = watch_signals(signals);
  if (!signals_) return false;
  close_from(signals_.get() + 1);
  raise_descriptors();
  services_.settle({.group = -1, .console = nullptr}, directory);
  services_.start(now_ms());
  return true;
}

int Scan::timeout() const {
  const int64_t deadline = services_.deadline();
  if (deadline == ServiceLife::never) return -1;
  return static_cast<int>(std::clamp<int64_t>(deadline - now_ms(), 0, 1 << 30));
}

// What ends may not be waited for by its number before its services know of it.
void Scan::reap() {
  int status;
  for (pid_t pid; (pid = sys::waitpid(-1, &status, WNOHANG)) > 0;) {
    services_.ended(pid, status, now_ms());
    services_.work(now_ms());
  }
}

void Scan::end() {
  if (ending_) services_.kill_all();
  ending_ = true;
  services_.stop(now_ms());
}

void Scan::hear() {
  while (const std::optional<Caught> caught = take_signal(signals_.get())) {
    if (caught->signal == SIGTERM || caught->signal == SIGINT) end();
    if (caught->signal == SIGHUP && !ending_) services_.reread(now_ms());
  }
}

bool Scan::is_down() {
  while (const std::optional<InitEvent> event = services_.take_event())
    if (event == InitEvent::services_down) return true;
  return false;
}

void Scan::live() {
  std::vector<pollfd> polls;
  for (;;) {
    services_.work(now_ms());
    if (is_down()) return services_.abandon(now_ms());
    polls.resize(1 + services_.polls());  // another size after a reload only
    polls[0] = {signals_.get(), POLLIN, 0};
    services_.fill(std::span(polls).subspan(1));
    if (poll_all(polls, timeout()) < 0) continue;
    if (polls[0].revents != 0) hear();
    reap();
    services_.handle(std::span<const pollfd>(polls).subspan(1), now_ms());
  }
}

}  // namespace

int run_services(const char* directory) {
  Scan scan;
  if (!scan.begin(directory)) {
    (void)fprintf(stderr, "jinit: %s: %s\n", directory, std::strerror(errno));
    return refused;
  }
  scan.live();
  return 0;
}

}  // namespace jail
