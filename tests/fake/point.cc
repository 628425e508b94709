// Points: where a command dies or fails because a test said so.
#include <signal.h>
#include <unistd.h>

#include "tests/fake/world.h"

namespace jail::fake {

namespace {

struct Points {
  Order order;
  std::vector<Point> passed;
  bool changed = false, watching = true;
  bool (*watch)(bool) = nullptr;
};
Points& points() {
  static Points all;
  return all;
}

}  // namespace

void give_order(Order order) {
  points() = {order, {}, false, true, points().watch};
}

const std::vector<Point>& points_passed() {
  return points().passed;
}

void watch_points(bool (*watch)(bool worth_dying)) {
  points().watch = watch;
}

bool point(const char* name, Side side) {
  Points& all = points();
  if (all.watch && all.watching) all.watching = all.watch(all.changed);
  if (!all.watching) return false;
  const size_t number = all.passed.size();
  all.passed.push_back({name, all.changed});
  all.changed = side == Side::before;
  if (all.order.blow == Blow::none || number != all.order.at) return false;
  if (all.order.blow == Blow::die) (void)::kill(::getpid(), SIGKILL);
  return true;
}

}  // namespace jail::fake
