// `jail --console NAME`: the caller's terminal on a jail's console, through the jail's process 1.
// Everything that comes from there is an enemy's: limited, parsed strictly, never executed. Output
// goes to a terminal as it is, escape sequences too, as it must; to anything else as harmless text.
#pragma once

#include <string>

#include "cmd/console_text.h"

namespace jail {

struct ConsoleRequest {
  std::string control;         // the path of process 1's control socket, RUN/ID/control
  std::string name;            // of the jail, for messages
  std::string mode = "write";  // or read, steal (init/console.h)
  int escape_key = default_escape_key;
  int answer_ms = 10'000;     // for the first answer
  int reconnect_ms = 60'000;  // without a process 1, before we give up
  int input = 0, output = 1;
};

// Attaches and stays so until the caller leaves, the jail ends, or nothing can be had any more.
// Messages go to standard error, as lines in brackets.
//
// Where the input is a terminal, it is raw meanwhile (cmd/raw_terminal.h), and the escape key works
// (cmd/console_text.h). Where it is not, all of it is typed to the jail as fast as that takes it,
// and its end only ends the typing: the output goes on. Who only reads reads no input but the
// terminal's, for the escape key.
//
// When process 1 goes, we wait for the next one (a reboot inside), say so, and go on where the
// output was. Yields the exit status: 0 left by the escape key or by the end of the terminal, 1
// could not attach, or lost it and had it not back in time, 2 the jail has ended. By a signal that
// ends programs, this one ends. The working directory is another one afterwards: that of the
// socket, so that its path may be of any length, and another jail of that name is not this one.
int attach_console(const ConsoleRequest& request);

}  // namespace jail
