// The command line of jail(8) (J3): options, and which form of the command they make.
#pragma once

#include <string>

#include "base/result.h"
#include "base/text.h"

namespace jail {

// What was asked for, option by option; whether it goes together is cmd/jail.cc's to say (J3.4).
struct Options {
  // -c -m -r; -R is -r without the file.
  bool create = false, modify = false, remove = false, ignore_file = false;
  bool cleanup = false;                                    // -C
  bool quiet = false, verbose = false, bare_jids = false;  // -q -v -i, the last one counts (J3.1)
  bool dying = false;                                      // -d
  bool list = false;                                       // -e
  std::string separator;                                   // of -e
  std::string conf = "/etc/jail.conf";                     // -f; `-` is standard input
  size_t parallel = 0;                                     // -p, 0: no limit
  std::string record;                                      // -J
  Words shorthands;                                        // -h -l -n -s -u -U as parameters
  bool plan = false, recover = false, forget = false, explain = false, explain_json = false,
       check = false, init = false, console = false;
  std::string console_mode = "write";  // of --console: or read, steal
  bool old_style = false;              // PATH HOSTNAME IP COMMAND ..., turned into the single form
  bool misused = false;                // an option's argument makes no sense
  Words arguments;
};

// Reads the words of a command line, the program's name first, up to the first that is no option.
// EINVAL: a usage error, with the text to print. Uses getopt(3)'s globals: once a program.
Result<Options> parse_options(int count, char** words);

// The synopsis, with its newline (J3.2).
extern const char* const usage_text;

}  // namespace jail
