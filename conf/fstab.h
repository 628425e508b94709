// Lines of fstab(5) as jail.conf has them (J2.1, J4.3). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/text.h"

namespace jail {

// A line as mount(8) is given it. Nothing is checked beyond there being enough fields.
struct FstabLine {
  std::string source;  // decoded
  std::string point;   // decoded
  std::string type;
  std::string options;  // empty: none

  bool operator==(const FstabLine&) const = default;
};

// One line: fields between white space, the first two decoded from vis(3), those behind the fourth
// ignored. A `#` means nothing here: fstab_file_lines() has cut comments off. Nothing for a line
// without fields. Error (EINVAL) for fewer than three: "LINE: missing information".
Result<std::optional<FstabLine>> parse_fstab_line(std::string_view line);

// The lines of a file of them, comments cut off at `#` (also in the middle of a field), blank ones
// kept.
Words fstab_file_lines(std::string_view text);

// A text with vis(3) escapes decoded, as strunvis(3) does; what is no escape stays as it is, and so
// does one of a NUL, which no path can hold.
std::string unvis(std::string_view text);

}  // namespace jail
