#include "cmd/errors.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

#include "plan/life.h"

namespace jail {

namespace {

constexpr size_t most_errors = 20;      // what a terminal shows at once
constexpr size_t longest_error = 1000;  // bytes

}  // namespace

std::string printable(std::string_view text) {
  std::string line(text.substr(0, longest_error));
  for (char& c : line)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  return text.size() > longest_error ? line + "..." : line;
}

Words shortened(const Words& texts) {
  if (strict()) return texts;
  Words lines;
  for (size_t i = 0; i < std::min(texts.size(), most_errors); ++i)
    lines.push_back(printable(texts[i]));
  if (texts.size() > most_errors)
    lines.push_back(fmt::format("{} more errors", texts.size() - most_errors));
  return lines;
}

void print_errors(const Words& texts) {
  for (const std::string& line : shortened(texts))
    (void)fprintf(stderr, "jail: %s\n", line.c_str());
}

void print_messages(const Messages& messages) {
  Words texts;
  for (const Message& message : messages) texts.push_back(message.line_text());
  print_errors(texts);
}

}  // namespace jail
