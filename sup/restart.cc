#include "sup/restart.h"

#include <algorithm>

namespace jail {
namespace {

// The second quick run in a row waits this long where the first need not wait.
constexpr int64_t least_pause = 100;
// What could not even be started is not tried more often, whatever its policy says: the next try
// would come at once, and process 1 would do nothing else.
constexpr int64_t not_started_pause = 1000;

// From the start of this run to the next one's.
int64_t pause_of(const ServiceSpec& spec, uint32_t quick) {
  const int64_t most = std::max(spec.restart_delay, spec.restart_max_delay);
  int64_t pause = spec.restart_delay;
  for (uint32_t n = 1; n < quick && pause < most; ++n) pause = pause == 0 ? least_pause : pause * 2;
  return std::min(pause, most);
}

// Counts an end. False: it was one too many. The period is that of the first end in it, so that two
// numbers are all there is to remember.
bool within_limit(const ServiceSpec& spec, int64_t now, RestartTally& tally) {
  if (tally.in_period == 0 || now - tally.period_began > spec.restart_period) {
    tally.period_began = now;
    tally.in_period = 0;
  }
  ++tally.in_period;
  return spec.restart_limit == 0 || tally.in_period < spec.restart_limit;
}

}  // namespace

RestartVerdict judge(const ServiceSpec& spec, const RestartCase& given, RestartTally& tally) {
  using Kind = RestartVerdict::Kind;
  if (given.finish_says_no) return {.kind = Kind::failed, .why = FailedBy::finish};
  const bool good = given.status.good() && !given.late && !given.not_started;
  const bool again = !given.once && (spec.restart == Restart::always ||
                                     (spec.restart == Restart::on_failure && !good));
  if (!again && good) return {.kind = Kind::done};
  if (!again)
    return {.kind = Kind::failed, .why = given.late ? FailedBy::lateness : FailedBy::itself};
  if (!within_limit(spec, given.now, tally))
    return {.kind = Kind::failed, .why = FailedBy::repetition};
  const bool quick = given.now - given.began < spec.restart_steady;
  tally.quick = quick ? tally.quick + 1 : 0;
  if (given.not_started) {
    const int64_t pause = std::max(not_started_pause, pause_of(spec, tally.quick));
    return {.kind = Kind::again, .at = given.now + pause};
  }
  return {.kind = Kind::again, .at = given.began + pause_of(spec, tally.quick)};
}

}  // namespace jail
