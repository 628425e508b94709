// How a string of exec.* or command becomes arguments (J4.4). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"

namespace jail {

// One command, ready for os/command.h.
struct CommandLine {
  Words argv;               // never empty
  bool background = false;  // the string ended in a bare `&`
  std::string shown;        // CMDLINE of messages and of -v: the arguments joined by single spaces
};

// Parses one string of a list of commands. With a shell character in it (any of
// !"$&'()*;<?>[]\`{}|~ ) it is for /bin/sh -c, whole; but where the first one is an `&` that is
// also the last byte, that is cut off, and as without any the rest is split at blanks (space, \t \n
// \r \v \f). Nothing where no argument is left: an empty word, or one of blanks, is skipped.
std::optional<CommandLine> parse_command(std::string_view text);

// The same for arguments that are already apart (`command` of a command line, J3.5).
CommandLine command_of(Words argv);

}  // namespace jail
