// Many services: what happens goes in, orders come out (sup/service.h tells the life of one). Pure:
// no process, no system call, no clock; `now` is milliseconds of a clock that never goes back. The
// same events give the same orders. Nothing is allocated but by the constructor, reload() and
// reason().
//
// Order. A service starts when all that it depends on is up - so everything starts as much at once
// as dependencies allow -, and is stopped when nothing that goes down with it, or before it, still
// runs. A crash stops nobody else, but whoever then waits for a service that has failed, fails too,
// until that one is started again. One that has ended well and stays down serves those that need
// it.
//
// Who is up. A service is to be up where it is wanted - by its file, or somebody said start - or
// where something that is to be up needs it. Stopping it makes it and all that need it unwanted;
// restarting lets the same ones go down and come again.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "conf/service_spec.h"
#include "sup/graph.h"
#include "sup/restart.h"
#include "sup/service.h"

namespace jail {

// Something to do. To be done in the order taken, before the next event is told.
struct ServiceOrder {
  enum class Kind : uint8_t {
    run,      // start its command; answer with started() or not_started()
    finish,   // start its finish command, with four words more: the exit code, or 256 where a
              // signal ended it; that signal, or 0; the name; `pid`, the process group of the run.
              // Answer as for run
    signal,   // send `signal` to `pid`, then SIGCONT
    kill,     // SIGKILL to `pid` and all else that belongs to the service
    changed,  // its state, or process, is another one: for followers, status files, logs
    jail,     // it has ended for good: the jail does as its on_exit says, which is not `ignore`
  };
  Kind kind;
  uint16_t service = 0;
  int pid = 0;
  int signal = 0;
  ExitStatus status = {};  // finish: how the run ended
};

// What there is to know of a service. The flags below `tally` are the supervisor's own.
struct ServiceLife {
  static constexpr int64_t never = INT64_MAX;

  ServiceState state = ServiceState::down;
  int pid = 0;             // of its process, 0: none
  bool finishing = false;  // that is its finish command
  bool wanted = false;     // by its file, or somebody
  bool goal = false;       // it is to be up
  int group = 0;           // pid of the last run, 0: none since the last start
  int64_t since = 0;       // in this state
  int64_t began = 0;       // the last run
  ExitStatus status = {};  // of the last run that ended
  FailedBy why = FailedBy::none;
  uint32_t runs = 0;
  int64_t deadline = never;

  RestartTally tally = {};
  bool asked = false;           // an order to start a process has not been answered yet
  bool told = false;            // the run was told to end
  bool late = false;            // because it was not ready in time
  bool hold = false;            // goes down once, to come again
  bool held = false;            // it, or something that it needs, does
  bool done = false;            // has ended well and stays down
  bool once = false;            // runs one time only
  bool finish_says_no = false;  // finish exited with 125
  bool leaving = false;         // is in no file any more
  bool seen = false;            // scratch of closure()
};

class Supervisor {
 public:
  explicit Supervisor(std::vector<ServiceSpec> specs = {});

  // Requests. All that the files want is started, or everything is stopped and nothing can be
  // started any more until start_all().
  void start_all(int64_t now);
  void stop_all(int64_t now);
  // Everything is being killed: nothing is started any more, not even finish commands.
  void abandon(int64_t now);
  // One service, with what it needs, or what needs it. `once`: it is not run again after its end.
  // ENOTSUP: it can never be started; EBUSY: everything is being stopped.
  Result<void> start(size_t service, int64_t now, bool once = false);
  void stop(size_t service, int64_t now);
  Result<void> restart(size_t service, int64_t now);
  // Other specs in their place. Services of the same name live on and follow their new spec from
  // the next thing they do; new ones are started unless `down`; what is gone is stopped, and stays
  // in the list until the reload after its end. All orders must have been taken. Yields for every
  // service of now its number before, or nothing. EBUSY: more than leaving_most would stay so, as
  // earlier ones do not end; nothing has changed then.
  static constexpr size_t leaving_most = 1000;
  Result<std::vector<std::optional<uint16_t>>> reload(std::vector<ServiceSpec> specs, int64_t now);

  // What happened. An order was carried out; or not: there is no memory, no such file.
  void started(size_t service, int pid, int64_t now);
  void not_started(size_t service, int64_t now);
  // A child was reaped. False: it is no service's.
  bool ended(int pid, ExitStatus status, int64_t now);
  // A newline has come from its descriptor.
  void ready(size_t service, int64_t now);
  // The deadline has come; harmless at any other time.
  void tick(int64_t now);

  // The next thing to do, or nothing until the next event.
  std::optional<ServiceOrder> take();
  // When to call tick(); never: not before the next event.
  int64_t deadline() const;

  size_t size() const { return specs_.size(); }
  const ServiceSpec& spec(size_t service) const { return specs_[service]; }
  const ServiceLife& life(size_t service) const { return lives_[service]; }
  std::optional<uint16_t> find(std::string_view name) const;
  // Nothing runs, and nothing is meant to.
  bool all_down() const;
  // Nothing waits or is on its way up: the start is over, however well.
  bool settled() const;
  // Why a service is where it is, in a few words for a status line; empty if there is nothing to
  // say.
  std::string reason(size_t service) const;

 private:
  void load(std::vector<ServiceSpec> specs);
  void step(size_t service, ServiceEvent event, int64_t now);
  void perform(size_t service, ServiceAct act, int64_t now);
  void signal_process(size_t service, int64_t now);
  void finish_process(size_t service, int64_t now);
  void decide(size_t service, int64_t now);
  void pass(int64_t now);
  bool set_goals();
  bool start_some(int64_t now);
  bool stop_some(int64_t now);
  void consider(size_t service, int64_t now);
  bool serves(size_t service) const;
  bool active(size_t service) const;
  bool need_failed(size_t service) const;
  void order(ServiceOrder::Kind kind, size_t service, int signal = 0);
  template <class Each>
  void closure(size_t service, bool above, Each each);
  Result<void> allowed(size_t service) const;
  std::string failure(size_t service) const;

  std::vector<ServiceSpec> specs_;
  std::vector<ServiceLife> lives_;
  ServiceGraph graph_;
  std::vector<ServiceOrder> orders_;  // from taken_ on still to be taken
  size_t taken_ = 0;
  std::vector<uint16_t> marked_;  // scratch of closure()
  bool ending_ = true;
  bool abandoned_ = false;
};

}  // namespace jail
