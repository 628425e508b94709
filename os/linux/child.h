// The child's side of a command: what runs between clone3(2) and exec, in the order of J4.4.
// Everything that can be known before lies in a Launch; the child only looks into the jail's files
// where it must. It reports by printing one line and exiting, never by returning.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

#include "base/fd.h"
#include "base/result.h"
#include "os/command.h"
#include "os/users.h"

namespace jail {

// A command laid out. Borrows the Command, which has to outlive it.
struct Launch {
  const Command& command;
  bool wants_user = false;    // a user, or clean: somebody is to be looked up
  std::optional<User> user;   // who was found on the host
  std::string refusal;        // why nobody was: the child says it
  Words inherited;            // our environment
  std::string directory;      // our working directory, to be found again in a view
  bool has_terminal = false;  // our session has one
  int namespaces = 0;         // kinds of the jail that differ from ours, without the pid namespace
  // Descriptors kept for the waiter (os/linux/waiter.h): with a relay there is one.
  int relay = -1, terminal = -1;
};

// Looks everything up that does not need the child. Errors as start_command.
Result<Launch> lay_out(const Command& command);

// Starts the child: born in the jail's pid namespace (a host command in ours) and in the command's
// group, with all signals blocked, and on its way into a jail not dumpable. This process is as
// before when it returns. Errors as start_command.
Result<Running> launch(Launch& launch);

// In the child: all of J4.4's order of set-up, and exec. Never returns.
[[noreturn]] void be_command(Launch& launch);

// Prints "FAIL_PREFIX TEXT" to standard error in one write, and ends the child with status 1 (which
// it tells the relay itself, as long as there is no waiter to do so).
[[noreturn]] void give_up(const Launch& launch, const std::string& text);

}  // namespace jail
