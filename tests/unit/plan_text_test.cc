// Which jails `jail --plan` shows, and in which order.
#include <algorithm>
#include <gtest/gtest.h>

#include "cmd/plan_text.h"

namespace jail {
namespace {

// Jails j0, j1, ... with these dependencies of each, none of which runs; all are to be started.
Request request_of(std::vector<Words> depend) {
  Request request;
  for (size_t i = 0; i < depend.size(); ++i) {
    request.nodes.push_back({"j" + std::to_string(i), std::move(depend[i])});
    request.items.push_back({});
    request.jobs.emplace_back();
  }
  request.graph = depend_graph(request.nodes);
  return request;
}

void ask(Request& request, size_t job, Do what) {
  request.asked.push_back(job);
  request.items[job] = {what, Asked::named, Standing::fine, what == Do::stop};
}

TEST(Plans, OfAStartHaveWhatIsNeededFirstAndLeaveOutWhatRuns) {
  Request request = request_of({{"j2", "j1", "j3"}, {"j3"}, {}, {}, {"j0"}});
  ask(request, 0, Do::start);
  EXPECT_EQ(planned_jobs(request), (std::vector<size_t>{2, 3, 1, 0}));
  EXPECT_EQ(request.items[3].what, Do::start);
  request.items[3].running = true;
  EXPECT_EQ(planned_jobs(request), (std::vector<size_t>{2, 1, 0}));
}

TEST(Plans, OfAStopHaveWhoNeedsItFirst) {
  Request request = request_of({{}, {"j0"}, {"j1"}, {"j0"}});
  ask(request, 0, Do::stop);
  request.items[1].running = request.items[2].running = true;
  EXPECT_EQ(planned_jobs(request), (std::vector<size_t>{2, 1, 0}));
  EXPECT_EQ(request.items[1].what, Do::stop);
}

TEST(Plans, OfALongChainAreMadeFromItsEnd) {
  std::vector<Words> depend;
  for (size_t i = 1; i < 300'000; ++i) depend.push_back({"j" + std::to_string(i)});
  depend.emplace_back();
  Request request = request_of(std::move(depend));
  for (size_t i = 0; i < request.jobs.size(); ++i) ask(request, i, Do::start);
  const std::vector<size_t> order = planned_jobs(request);
  ASSERT_EQ(order.size(), request.jobs.size());
  EXPECT_TRUE(std::ranges::is_sorted(order, std::ranges::greater()));
}

}  // namespace
}  // namespace jail
