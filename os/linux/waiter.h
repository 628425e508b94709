// The half of a relayed command that is inside the jail (os/linux/relay.cc has the whole picture):
// the parent of the command, in its pid namespace, group, root and network, with nothing of the
// host open but the relay's socket and the terminal.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"

namespace jail {

struct Launch;

// What the two halves tell each other, one a packet.
struct RelayWord {
  enum Kind : uint32_t {
    // To the waiter: give the command signal `value`; `flag`: the kernel sent it to our group.
    signal,
    // To the waiter: we were continued for the `turn`-th time; `value`: the number of the stop that
    // we stopped for last; `flag`: we have the terminal.
    go_on,
    // From it: the command has stopped for the `value`-th time; `turn` as last heard; `flag`: the
    // terminal is inside.
    stopped,
    // From it, its last word: the command ended with status `value` of wait(2); `flag` likewise.
    ended,
  };
  Kind kind = signal;
  int32_t value = 0, turn = 0;
  uint32_t flag = 0;
};

// Sends a word; one that cannot be sent is lost, its reader is gone.
void tell(int relay, const RelayWord& word);

// Takes the next word; waits for one, so poll(2) first. Nothing: ask again, after a signal or the
// other half's end with a word of ours unread. An error (EPIPE): the other half is gone.
Result<std::optional<RelayWord>> hear(int relay);

// In the child, after it has entered the jail: forks. Returns in the command, without the relay;
// the other process waits for it and never returns. Where it cannot fork, neither does the child:
// it gives up as be_command() does.
void leave_waiter(Launch& launch);

}  // namespace jail
