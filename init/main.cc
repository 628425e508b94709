// jinit: process 1 of a jail. In its reaping mode, the only one so far, it adopts and reaps orphans
// and listens for the host's word whether the jail is to stay without processes (os/reap.h).
// With any other option it is the entry point of a container (init/entry.h).
// Descriptors, from os/linux/boot.cc: 3 listens for the host, 4 is cgroup.events of the group that
// holds every other process of the jail. Static, without {fmt} and without exceptions.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init/entry.h"
#include "os/reap.h"

namespace {
constexpr int control_fd = 3, events_fd = 4;
}

int main(int count, char** words) {
  if (count == 2 && strcmp(words[1], "--jail") == 0 && getpid() == 1)
    return jail::reap_for_ever(control_fd, events_fd);
  if (count > 1 && words[1][0] == '-' && strcmp(words[1], "--jail") != 0)
    return jail::run_entry(count, words);
  if (fprintf(stderr,
              "usage: jinit is started by jail(8) as process 1 of a jail\n"
              "       jinit [options] -- command [argument ...]    in front of any command; see "
              "--help\n") < 0)
    return 74;
  return 64;
}
