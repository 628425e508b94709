// Whether a service runs again, and when: its spec, what it has done, and how it ended go in; the
// answer comes out. Pure.
#pragma once

#include <cstdint>

#include "conf/service_spec.h"

namespace jail {

// How a process ended. `signal` is 0 where it exited.
struct ExitStatus {
  uint8_t code = 0;
  uint8_t signal = 0;

  bool good() const { return code == 0 && signal == 0; }
  bool operator==(const ExitStatus&) const = default;
};

// Why a service is in failed, or was last; `none` where it never was.
enum class FailedBy : uint8_t {
  none,
  itself,      // it ended, and its policy is not to run it again
  repetition,  // it ended restart_limit times within restart_period
  finish,      // finish exited with 125
  lateness,    // it was not ready in time, and its policy is not to run it again
  need,        // what it needs has failed
  trouble,     // its dependencies make no sense (ServiceGraph::trouble)
};

// How often a service has ended of late without being asked to.
struct RestartTally {
  int64_t period_began = 0;
  uint32_t in_period = 0;  // ends since then
  uint32_t quick = 0;      // quick runs in a row
};

// What is to be judged: a run that nobody has asked to end, at `now`. Times are milliseconds of a
// clock that never goes back.
struct RestartCase {
  int64_t began = 0;
  int64_t now = 0;
  ExitStatus status = {};
  bool not_started = false;  // there was no run: no process could be made, or it could not execute
  bool late = false;         // it was not ready in time
  bool finish_says_no = false;
  bool once = false;  // somebody asked for one run only
};

struct RestartVerdict {
  enum class Kind : uint8_t { again, done, failed } kind = Kind::again;
  int64_t at = 0;  // again: when, perhaps in the past
  FailedBy why = FailedBy::none;
};

// The verdict; counts the case in `tally`.
RestartVerdict judge(const ServiceSpec& spec, const RestartCase& given, RestartTally& tally);

}  // namespace jail
