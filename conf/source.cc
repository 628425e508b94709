// What the parser's results are made of: names, places, messages as text.
#include <algorithm>

#include "conf/parse.h"

namespace jail {

const Name* Names::intern(std::string_view text) {
  auto [at, is_new] = index_.try_emplace(text, nullptr);
  if (is_new) at->second = &names_.emplace_back(Name{text, static_cast<uint32_t>(names_.size())});
  return at->second;
}

const Name* Names::find(std::string_view text) const {
  auto at = index_.find(text);
  return at == index_.end() ? nullptr : at->second;
}

uint32_t Source::line_of(size_t offset) const {
  auto before = std::ranges::lower_bound(newlines, offset) - newlines.begin();
  return static_cast<uint32_t>(before) + 1;
}

std::string_view Source::line(uint32_t n) const {
  if (n == 0 || n > newlines.size() + 1) return {};
  size_t begin = n == 1 ? 0 : newlines[n - 2] + 1;
  size_t end = n <= newlines.size() ? newlines[n - 1] : text.size();
  return std::string_view(text).substr(begin, end - begin);
}

Origin Conf::where(Place place) const {
  if (place == 0 || sources.empty()) return {{}, 0, 0};
  // Sources lie end to end, one byte apart, so the last one that begins at or before it has it.
  auto after = std::ranges::upper_bound(sources, place, {}, &Source::base);
  const Source& source = *std::prev(after);
  uint32_t offset = place - source.base;
  uint32_t line = source.line_of(offset);
  uint32_t begin = line == 1 ? 0 : source.newlines[line - 2] + 1;
  return {source.name, line, offset - begin + 1};
}

// The forms of J1.15. The jail's name stands for the place: the file is known to who asked for it.
std::string Message::line_text() const {
  if (stage != Stage::parse) return jail.empty() ? text : jail + ": " + text;
  if (file.empty()) return text;
  if (!names_line) return file + ": " + text;
  return file + " line " + std::to_string(line) + ": " + text;
}

const char* stage_name(Stage stage) {
  constexpr const char* names[] = {"parse", "load", "depend", "check", "import", "start"};
  return names[static_cast<size_t>(stage)];
}

}  // namespace jail
