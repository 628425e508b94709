#include "sup/logins.h"

namespace jail {

namespace {

char level_of_death(const Machine& machine) {
  if (machine.howto == 0) return '1';
  return way_out(machine) == WayOut::restart ? '6' : '0';
}

}  // namespace

void RunLevels::enter_level(char level) {
  add({.kind = LoginKind::run_level, .level = level, .previous = level_});
  level_ = level;
}

std::span<const LoginRecord> RunLevels::moved(const Machine& before, const Machine& after,
                                              int64_t seconds) {
  count_ = 0;
  if (before.state == after.state) return {};
  if (before.state == InitState::runcom && booted_ != 0) {
    add({.kind = LoginKind::boot, .seconds = booted_, .wtmp = false});
    booted_ = 0;
  }
  if (after.state == InitState::runcom && after.autoboot) {
    booted_ = seconds;
    add({.kind = LoginKind::boot, .seconds = seconds, .utmp = false});
  }
  if (after.state == InitState::read_ttys && level_ != '2') enter_level('2');
  if (after.state == InitState::death) enter_level(level_of_death(after));
  if (after.state == InitState::single_user) enter_level('S');
  if (after.state == InitState::leaving && after.booted)
    add({.kind = LoginKind::shutdown, .utmp = false});
  return {records_.data(), count_};
}

}  // namespace jail
