#include "init/poll_all.h"

#include <algorithm>
#include <errno.h>
#include <sys/resource.h>
#include <vector>

#include "base/sys.h"

namespace jail {

namespace {

constexpr int look_again = 100;  // ms

// In pieces of as many as poll(2) takes.
int poll_open(std::span<pollfd> open, int timeout) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
  const auto most = static_cast<size_t>(
      std::clamp<rlim_t>(limit.rlim_cur, 1, static_cast<rlim_t>(open.size() + 1)));
  if (open.size() <= most) return sys::poll(open.data(), open.size(), timeout);
  sys::poll(nullptr, 0, timeout < 0 ? look_again : std::min(timeout, look_again));
  int found = 0;
  for (; !open.empty(); open = open.subspan(std::min(most, open.size())))
    found += std::max(sys::poll(open.data(), std::min(most, open.size()), 0), 0);
  return found;
}

}  // namespace

int poll_all(std::span<pollfd> polls, int timeout) {
  int found = sys::poll(polls.data(), polls.size(), timeout);
  if (found >= 0 || errno != EINVAL) return found;
  std::vector<pollfd> open;
  for (pollfd& one : polls) {
    one.revents = 0;
    if (one.fd >= 0) open.push_back(one);
  }
  found = poll_open(open, timeout);
  auto next = open.begin();
  for (pollfd& one : polls)
    if (one.fd >= 0) one.revents = (next++)->revents;
  return found;
}

}  // namespace jail
