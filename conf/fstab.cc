#include "conf/fstab.h"

#include <algorithm>

namespace jail {
namespace {

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

struct Decoded {
  char byte;
  size_t size;  // of the escape behind the backslash; 0: none
};

// The escape behind a backslash.
Decoded decode_escape(std::string_view text) {
  if (text.empty()) return {0, 0};
  if (is_octal(text[0])) {
    unsigned value = 0;
    size_t size = 0;
    for (; size < 3 && size < text.size() && is_octal(text[size]); ++size) {
      value = value * 8 + static_cast<unsigned>(text[size] - '0');
    }
    return {static_cast<char>(value), size};
  }
  // vis(3) writes a blank as \s in C style and as \040 in octal; both are read.
  constexpr std::string_view names = "\\abfnrstvE\"#", values = "\\\a\b\f\n\r \t\v\033\"#";
  size_t at = names.find(text[0]);
  if (at != std::string_view::npos) return {values[at], 1};
  if (text.size() < 2) return {0, 0};
  auto control = [](char c) { return c == '?' ? '\x7f' : static_cast<char>(c & 0x1f); };
  if (text[0] == '^') return {control(text[1]), 2};
  if (text[0] == 'M' && text.size() > 2 && (text[1] == '-' || text[1] == '^')) {
    char low = text[1] == '-' ? text[2] : control(text[2]);
    return {static_cast<char>(low | 0x80), 3};
  }
  return {0, 0};
}

}  // namespace

std::string unvis(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    char c = text[0];
    text.remove_prefix(1);
    Decoded escape = c == '\\' ? decode_escape(text) : Decoded{0, 0};
    // A NUL cannot be part of a path: it would silently cut what follows.
    if (escape.size > 0 && escape.byte != 0) {
      c = escape.byte;
      text.remove_prefix(escape.size);
    }
    result += c;
  }
  return result;
}

Result<std::optional<FstabLine>> parse_fstab_line(std::string_view line) {
  Words fields = split(line, " \t\n\v\f\r");
  if (fields.empty()) return std::nullopt;
  if (fields.size() < 3) return fail(EINVAL, std::string(line) + ": missing information");
  return FstabLine{unvis(fields[0]), unvis(fields[1]), fields[2],
                   fields.size() > 3 ? fields[3] : ""};
}

Words fstab_file_lines(std::string_view text) {
  Words lines = split_exact(text, '\n');
  if (lines.back().empty()) lines.pop_back();  // the last line's end, or an empty file
  for (std::string& line : lines) line.resize(std::min(line.find('#'), line.size()));
  return lines;
}

}  // namespace jail
