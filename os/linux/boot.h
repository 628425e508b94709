// The boot of a jail on Linux: process 1 with what dies with it. Verb `boot`.
//
//   engine (in the view)                     child, process 1 of the new pid namespace
//   clone3(NEWPID NEWNS NEWIPC, into init) --> enters the pinned net, uts and cgroup namespaces
//                                              world.boot, one op after another: root, mount, proc,
//                                              names, privileges
//   reads the pipe                             "CODE TEXT" and exit, or:
//   end of file: process 1 is jinit       <--  execveat(jinit); the pipe is close-on-exec
//
// The list is laid out before the fork, so there is no conversation: what the child does is
// world.boot, read aloud. A child whose parent is killed is in the jail's group, where the undo of
// `boot` ends it.
#pragma once

#include <array>

#include "base/fd.h"
#include "base/result.h"
#include "os/handed.h"
#include "os/world.h"

namespace jail {

// boot JID PID IPC: PID and IPC are "new", "host" or a path of a namespace on the host. Yields the
// host's number of process 1 and its start time (ticks, as Process1). An error that the child met
// comes with its errno and text; a child that was born is ended and reaped then, and
// what it mounted went with its namespace. The control socket stays for the undo.
Result<Words> apply_boot(World& world, const Op& op);

// What a process 1 is to hold, by the numbers of os/handed.h; what a jail does not have is none.
using Kept = std::array<Fd, handed::last + 1>;

// The same as apply_boot(), with what is kept, for the process that is to be its parent.
Result<Words> bear_process1(World& world, const Op& op, Kept kept);

// The program that this process runs: absolute. Error: "/proc/self/exe: strerror".
Result<std::string> own_path();

// jinit, on a detached read-only mount of the file beside this program.
Result<Fd> open_program();

// All signals as at birth: what jail(8) blocks or ignores is not the business of what it starts for
// good.
void reset_signals();

// RUN/ID/control, where process 1 listens: bound, with nobody to answer yet.
Result<Fd> listen_control(const World& world);

// Ends whatever is in the jail's group (process 1, what it runs, and the jails below), waits until
// it is empty, and takes the control socket away. Errors as kill_group. Idempotent.
Result<void> undo_boot(World& world, const Op& op);

}  // namespace jail
