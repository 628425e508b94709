// What jexec(8) does once its options are read (J5.6): from a name to a command in the jail.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/text.h"
#include "os/command.h"

namespace jail {

// The command line of jexec(8), by its options.
struct Attach {
  std::string jail;                      // jid or name
  std::optional<std::string> user;       // -u, -U
  bool user_of_host = true;              // not with -U
  bool clean = false;                    // -l
  std::optional<std::string> directory;  // -d
  Words argv;                            // empty: a shell
};

// Runs the command in the jail in the place of this process and yields its status of wait(2), for
// end_like. Errors are those of before the command: the user not known on the host, no such jail,
// no way into it; the texts are J5.6's, without the program's name.
Result<int> attach(const Attach& attach);

}  // namespace jail
