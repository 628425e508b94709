// Descriptors that outlive a process 1, by the number under which engine, warden, `jail --boot` and
// process 1 hand them on to each other. One that a jail does not have is closed.
#pragma once

namespace jail::handed {

enum : int {
  control = 3,  // listens on CELLBLOCK_RUN/ID/control
  events = 4,   // cgroup.events of ID/jail/run; in `jail --boot`: the pipe for its answer; in a
                // warden when process 1 lives already: that one's pidfd
  group = 5,    // ID/jail/run as a detached mount: children are born there
  console = 6,  // the console's master
  ring = 7,     // the memory of the console's last output
  link = 8,     // the master of console.link
  warden = 9,   // process 1: the socket to its warden; in the warden: to the engine that works
                // now
  voice = 10,   // in the warden: the other end of process 1's, when that lives already
  last = voice,
};

// What process 1 hands over to a new warden, by the words that go along with it.
struct Part {
  int number;
  const char* name;
};
inline constexpr Part parts[] = {
    {control, "control"}, {console, "console"}, {ring, "ring"}, {link, "link"}};

}  // namespace jail::handed
