#include "plan/command_line.h"

namespace jail {

// `=`, `#`, `%`, `^` and newline are no shell characters to jail(8), odd as it is (J4.4).
std::optional<CommandLine> parse_command(std::string_view text) {
  bool background = false;
  size_t special = text.find_first_of("!\"$&'()*;<?>[]\\`{}|~");
  if (special != std::string_view::npos) {
    if (text[special] != '&' || special + 1 != text.size())
      return command_of({"/bin/sh", "-c", std::string(text)});
    background = true;
    text.remove_suffix(1);
  }
  Words argv = split(text, " \t\n\r\v\f");
  if (argv.empty()) return std::nullopt;
  CommandLine line = command_of(std::move(argv));
  line.background = background;
  return line;
}

CommandLine command_of(Words argv) {
  std::string shown = join(argv, " ");
  return {.argv = std::move(argv), .background = false, .shown = std::move(shown)};
}

}  // namespace jail
