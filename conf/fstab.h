// Lines of fstab(5) as jail.conf has them (J2.1, J4.3). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/text.h"

namespace jail {

struct FstabLine {
  std::string source;
  std::string point;
  std::string type;
  std::string options;  // empty: none

  bool operator==(const FstabLine&) const = default;
};

// One line: fields between white space, the first two decoded from vis(3), those behind the fourth
// ignored. Nothing for a line without fields. Error (EINVAL) for fewer than three: "LINE: missing
// information".
Result<std::optional<FstabLine>> parse_fstab_line(std::string_view line);

// The lines of a file of them, comments cut off at `#`, blank ones kept.
Words fstab_file_lines(std::string_view text);

// A text with vis(3) escapes decoded, as strunvis(3) does; what is no escape stays as it is.
std::string unvis(std::string_view text);

}  // namespace jail
