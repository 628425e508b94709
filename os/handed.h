// Descriptors that outlive a process 1, by the number under which engine, warden, `jail --boot` and
// process 1 hand them on to each other. One that a jail does not have is closed.
#pragma once

namespace jail::handed {

enum : int {
  control = 3,  // listens on CELLBLOCK_RUN/ID/control
  events = 4,   // cgroup.events of ID/jail/run; in `jail --boot`: the pipe for its answer
  group = 5,    // ID/jail/run as a detached mount: children are born there
  console = 6,  // the console's master
  ring = 7,     // the memory of the console's last output
  link = 8,     // the master of console.link
  warden = 9,   // process 1: the socket to its warden; in the warden: to the engine that works now
  last = warden,
};

}  // namespace jail::handed
