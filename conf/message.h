// What is said about a configuration: one line each, with the place it is about. Only gathered
// here: who prints decides how many and where (cmd/errors.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace jail {

// When something was found, in the order of a run (J1.15, J4.1).
enum class Stage : uint8_t {
  parse,   // the file is rejected as a whole
  load,    // merging and variables: the jail has failed
  depend,  // order among jails
  check,   // values of the command's own parameters, mount.fstab's files
  import,  // kernel parameters
  start,   // skipped, or a warning
};

// One message. Where a place is known, line and column count from 1; line 0: none is known.
struct Message {
  Stage stage = Stage::parse;
  std::string jail = {};  // empty: about no jail, or one without a name
  std::string file = {};  // as named on the command line or by .include; empty: none
  uint32_t line = 0;
  uint32_t column = 0;
  std::string text = {};
  bool names_line = false;  // J1.15 wants "FILE line N: TEXT" and not "FILE: TEXT"

  // The line as it is printed, without the program's name and without a newline: the file and
  // perhaps the line for stage parse, the jail for all others.
  std::string line_text() const;
};

using Messages = std::vector<Message>;

// The stage's name in `jail --explain=json`, which programs read: it never changes.
const char* stage_name(Stage stage);

}  // namespace jail
