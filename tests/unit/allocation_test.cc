// What runs in process 1 for ever allocates nothing once it is loaded. A program of its own, since
// it counts every operator new.
#include <cstdlib>
#include <gtest/gtest.h>
#include <new>
#include <random>

#include "sup/supervisor.h"

namespace {

size_t allocations = 0;

}  // namespace

void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace jail {
namespace {

using Kind = ServiceOrder::Kind;

std::vector<ServiceSpec> services() {
  std::vector<ServiceSpec> specs;
  for (int i = 0; i < 40; ++i) {
    ServiceSpec spec{.name = "a service with a name of some length " + std::to_string(i),
                     .command = {"x"}};
    if (i % 10 != 0) spec.depend = {specs.back().name};
    if (i % 3 == 0) spec.finish = {"f"};
    spec.ready = i % 4 == 0 ? 3 : ready_at_start;
    spec.ready_timeout = 20;
    spec.stop_timeout = 10;
    specs.push_back(std::move(spec));
  }
  return specs;
}

TEST(Allocation, TheSupervisorNeedsNothingButForItsSpecs) {
  Supervisor supervisor(services());
  std::mt19937 random(3);
  const size_t before = allocations;
  int last_pid = 1;
  for (int64_t now = 0; now < 20'000; ++now) {
    const size_t service = random() % supervisor.size();
    const int pid = supervisor.life(service).pid;
    if (now % 1000 == 0) supervisor.start_all(now);
    if (now % 1000 == 900) supervisor.stop_all(now);
    // What is refused makes a text; nothing is while services are up.
    const bool up = now % 1000 < 900;
    if (up && now % 7 == 0) ignore(supervisor.restart(service, now), "none has trouble");
    if (pid != 0) {
      supervisor.ended(pid, {.code = static_cast<uint8_t>(now % 2)}, now);
    } else {
      supervisor.ready(service, now);
    }
    if (supervisor.deadline() <= now) supervisor.tick(now);
    while (std::optional<ServiceOrder> order = supervisor.take()) {
      if (order->kind != Kind::run && order->kind != Kind::finish) continue;
      if (random() % 8 == 0) {
        supervisor.not_started(order->service, now);
      } else {
        supervisor.started(order->service, ++last_pid, now);
      }
    }
  }
  EXPECT_EQ(allocations, before);
  EXPECT_GT(last_pid, 1000);
}

}  // namespace
}  // namespace jail
