// Waiting for more places than poll(2) takes at once. Portable.
#pragma once

#include <poll.h>
#include <span>

namespace jail {

// poll(2) also for more places than there may be descriptors, which that refuses (EINVAL): most of
// them are empty. Where more is open than there may be, as somebody has lowered the limit since,
// it is looked at ten times a second. Yields as poll(2), also EINTR; the revents of what was not
// looked at are 0.
int poll_all(std::span<pollfd> polls, int timeout);

}  // namespace jail
