// The command line of jail(8) (J3): options, and which form of the command they make.
#pragma once

#include <string>

#include "base/result.h"
#include "base/text.h"

namespace jail {

struct Options {
  bool create = false, modify = false, remove = false,
       ignore_file = false;  // -c -m -r; -R is -r without the file
  bool cleanup = false;      // -C
  bool quiet = false, verbose = false, bare_jids = false;
  bool dying = false;  // -d
  bool list = false;   // -e
  std::string separator;
  std::string conf = "/etc/jail.conf";
  size_t parallel = 0;  // -p, 0: no limit
  std::string record;   // -J
  Words shorthands;     // -h -l -n -s -u -U as parameters
  bool plan = false, recover = false, forget = false, explain = false, explain_json = false,
       check = false;
  bool old_style = false;  // PATH HOSTNAME IP COMMAND ..., turned into the single form
  bool misused = false;    // an option's argument makes no sense
  Words arguments;
};

// Reads the words of a command line, the program's name first. EINVAL: a usage error, with the text
// to print.
Result<Options> parse_options(int count, char** words);

// The synopsis.
extern const char* const usage_text;

}  // namespace jail
