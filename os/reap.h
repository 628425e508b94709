// Process 1 of a jail in its reaping mode. No allocation, no error text: it runs in jinit, which is
// static.
#pragma once

namespace jail {

// Adopts and reaps orphans, answers the host on the socket that listens at `control`, and leaves
// once it was told "nopersist" and `events` (cgroup.events of the group of all other processes)
// says that the last has gone. Polls nothing and wakes nobody. Returns only if it cannot begin:
// then nothing was changed.
int reap_for_ever(int control, int events);

}  // namespace jail
