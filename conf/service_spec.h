// What is asked of a service: by a block of jinit.conf (conf/service_conf.h) or by a directory of
// s6 or runit (conf/service_dir.h). Only values: whoever starts a process looks up users and opens
// files, in the jail.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/text.h"

namespace jail {

// After which ends it runs again: none, those that are a failure, all. Only exit code 0 is none.
enum class Restart : uint8_t { no, on_failure, always };

// What it means for the jail that a service has ended for good, in whatever way, unasked.
enum class OnExit : uint8_t { ignore, restart, halt, fail };

// Whose programs look into supervise/ of its directory. `both`: those of s6 and runit's sv.
enum class Tools : uint8_t { none, s6, both, runit };

// Values of `ready` that are no descriptor.
constexpr int64_t ready_at_start = -1;  // as soon as its process runs
constexpr int64_t ready_at_exit = -2;  // once its process has ended well: then it is up without one

// One limit, for setrlimit(2): its RLIMIT_ number, and values where no_limit is "unlimited".
struct ResourceLimit {
  static constexpr uint64_t no_limit = UINT64_MAX;

  int resource = 0;
  uint64_t soft = no_limit;
  uint64_t hard = no_limit;

  bool operator==(const ResourceLimit&) const = default;
};

// Times are milliseconds; what they mean when 0 stands beside them.
struct ServiceSpec {
  std::string name = {};   // as people write it; of a directory's logger: NAME/log
  std::string where = {};  // what to blame: FILE:LINE:COLUMN, or the directory

  Words command = {};  // the words to execute, never none; a shell where the text asked for one
  Words finish = {};   // run after each end, with what it was (sup/supervisor.h); none: nothing is
  bool down = false;   // not started by the boot itself, but by hand or when something needs it

  Words depend = {};  // services that have to be up first, and that it goes down with
  Words after = {};   // services that come up before it and go down after it, if they do at all

  // The process.
  std::string user = {};       // name or number in the jail; empty: root
  std::string group = {};      // the same; empty: the user's own
  Words groups = {};           // supplementary ones, beside those of the user
  Words environment = {};      // NAME=VALUE
  std::string directory = {};  // to start in; empty: the user's, or /
  int64_t umask = 022;
  std::vector<ResourceLimit> limits = {};

  // Coming up: a descriptor it writes a newline to, or one of the two above.
  int64_t ready = ready_at_start;
  int64_t ready_timeout = 0;  // to be ready in; 0: any

  // Running again. A run shorter than `restart_steady` is a quick one. Behind the first of a row
  // comes restart_delay, behind each further one twice as much (0.1 s after 0), never more than the
  // larger of that and restart_max_delay; all this from one start to the next, so that s6's and
  // runit's "not twice in a second" is 1 s and 0. Given up where it has ended restart_limit times
  // (0: never) within restart_period.
  Restart restart = Restart::on_failure;
  int64_t restart_delay = 0;
  int64_t restart_max_delay = 60'000;
  int64_t restart_steady = 10'000;
  int64_t restart_limit = 0;
  int64_t restart_period = 60'000;
  OnExit on_exit = OnExit::ignore;

  // Going down.
  int64_t stop_signal = 15;
  int64_t stop_timeout = 10'000;   // until SIGKILL; 0: it is waited for, however long
  int64_t finish_timeout = 5'000;  // the same of `finish`

  // Output. `log` is a file in the jail, rotated to log.1, log.2 ... when it reaches log_max_size
  // bytes (0: never); `logger` a service that reads it through a pipe kept for both. Neither: the
  // console.
  std::string log = {};
  int64_t log_max_size = 1 << 20;
  int64_t log_max_files = 4;
  std::string logger = {};

  // Of a directory, which is `where`.
  Tools tools = Tools::none;
  int64_t death_tally = 100;  // of s6: how many ends its supervise/death_tally remembers

  bool operator==(const ServiceSpec&) const = default;
};

}  // namespace jail
