// The warden of a jail with an init: process 1's parent on the host, which
// outlives it, holds what the next one is to find again (os/handed.h), and has somebody act when it
// ends. It decides nothing, reads nothing of the jail, writes nothing, and only waits.
//
// It speaks with an engine - `jail -c`, or the `jail --ended` that it starts itself - over a socket
// of packets, one at a time:
//
//   engine: boot JID PID IPC  have process 1 made, by `jail --boot ID`; the first one it has
//                             made itself, when it was a copy of the engine (os/linux/wardens.cc)
//   warden: born PID START    it lives, and is the warden's child
//   warden: failed CODE TEXT  there is none
//   engine: adopted           it is in the ledger: from now on its end is news
//   warden: ended HOW         restart, halt, exit or crash
//   engine: serve             process 1 is another program now (init.program): speak for it
//   engine: up                the start is over; the engine closes the socket
//
// Process 1 says `revoke` to have the console taken from all who have it, and hears `done`; and
// `stopped` where an engine has asked it to end, so that its end is no news.
//
// An engine that is gone before it said `adopted` takes the warden and process 1 with it. When
// process 1 ends and there is no engine, the warden starts `jail --ended ID HOW QUICK`, where QUICK
// counts the lives in a row that ended before their start was over, or by a crash within seconds.
#pragma once

#include <cstddef>
#include <poll.h>
#include <span>

namespace jail {

// The words behind `jinit --warden`.
struct WardenWords {
  const char* id;
  const char* program;  // the jail(8) that it starts
  bool serves = false;  // "program": the jail's process 1 is to be another program
  bool adopts = false;  // "living": process 1 was another warden's; not so: its start goes on
};

// What speaks for a process 1 that is not jinit (init/desk.h), for the layer below.
struct DeskCalls {
  size_t polls;
  void (*begin)();
  bool (*fill)(std::span<pollfd> polls, bool hears);  // false: to be filled again in a moment
  void (*handle)(std::span<const pollfd> polls);
};

// The warden's whole life, in the program jinit. Returns only if it cannot begin.
int guard(const WardenWords& words, const DeskCalls& desk);

}  // namespace jail
