// What the tools of s6 and runit read and write in the supervise/ of a service's directory, as
// data: their status files, byte by byte, and what the letters mean that they send. Pure; learned
// from what the tools show (s6-svc(1) and s6-supervise(8) of 2.11, sv(8) and runsv(8) of 2.1.2).
//
// Both look into supervise/status and do not agree. s6 has 35 bytes: a time of change, a time of
// readiness, 8 bytes of pid, 2 of wait status, flags. runit has 20: the time of change, 4 bytes of
// pid (little-endian), paused, wanted, told to end, state. They collide in the time of readiness
// alone; so a directory that may be anyone's gets runit's 20 bytes, and behind them s6's 15: there
// s6-svstat is wrong about how long a service has been ready, and 27 s late, and right otherwise.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "conf/service_spec.h"
#include "sup/supervisor.h"

namespace jail {

struct WallTime {
  int64_t seconds = 0;  // since 1970
  uint32_t nanoseconds = 0;
};

// What there is to show of a service, beside its life.
struct ToolMarks {
  enum class Phase : uint8_t { down, runs, finishes };

  WallTime changed = {}, ready_since = {};
  Phase phase = Phase::down;
  bool ready = false;   // has said so; or, in down: its finish command has ended, too
  bool paused = false;  // by one of the tools
  bool termed = false;  // was sent SIGTERM
};

constexpr size_t status_file_size = 35;
using StatusFile = std::array<unsigned char, status_file_size>;
StatusFile status_file(Tools tools, const ServiceLife& life, const ToolMarks& marks);

// Brings the marks to what the life is now. Yields the letters of s6's events that this brings, in
// their order; all is forgotten of what a reader of the file cannot have seen.
struct ToolNews {
  char letters[4] = {};  // up to a NUL
  bool death = false;    // its process has ended: that is to be counted
};
ToolNews renew(ToolMarks& marks, const ServiceLife& life, bool says_ready, WallTime now);

// One end of a process, as supervise/death_tally has them.
constexpr size_t death_size = 14;
std::array<unsigned char, death_size> death_record(ExitStatus status, WallTime when);

// What a letter asks for; of one that the directory's own tools do not send, nothing.
struct ToolRequest {
  enum class Kind : uint8_t {
    nothing,
    up,       // u
    down,     // d
    once,     // o: up, but not again
    no_more,  // O: if it is up, not again
    again,    // r: told to end, wanted as before
    leave,    // x: when it is down, it is supervised no more
    signal,   // goes to the process of ./run, if that runs
  } kind = Kind::nothing;
  int signal = 0;
  // Of the file ./down: -1 remove it, 1 make it.
  int mark_down = 0;
};
ToolRequest request_of(char letter, Tools tools);

}  // namespace jail
