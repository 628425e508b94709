// Process 1 of a jail in its reaping mode. No allocation, no error text: it runs in jinit, which is
// static.
#pragma once

namespace jail {

// Adopts and reaps orphans, answers the host on the socket that listens at `control` (ask_process1
// of os/kernel.h is the other side), and leaves with status 0 once it was told "nopersist" and
// `events` (cgroup.events of the group of all other processes) says that the last has gone (J4.6).
// Until then the jail persists. Never wakes up by itself: an idle jail costs no time. Returns, with
// the exit status, only if it cannot begin; SIGCHLD may be blocked then.
int reap_for_ever(int control, int events);

}  // namespace jail
