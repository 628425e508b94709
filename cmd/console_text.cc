#include "cmd/console_text.h"

#include <array>

namespace jail {
namespace {

constexpr struct {
  char key;
  KeyWord word;
} commands[] = {
    {'q', KeyWord::leave}, {'.', KeyWord::leave}, {'z', KeyWord::suspend}, {'?', KeyWord::help}};

}  // namespace

std::optional<int> parse_escape_key(std::string_view text) {
  if (text == "none") return no_escape_key;
  if (text == "^?") return 0x7f;
  if (text.size() == 1 && text[0] > ' ' && text[0] <= '~') return text[0];
  if (text.size() != 2 || text[0] != '^') return {};
  const char letter = text[1] >= 'a' && text[1] <= 'z' ? static_cast<char>(text[1] - 32) : text[1];
  // ^@ would be a NUL, which a terminal sends for more keys than one.
  if (letter < 'A' || letter > '_') return {};
  return letter - '@';
}

std::string escape_key_name(int key) {
  if (key == no_escape_key) return "none";
  if (key == 0x7f) return "^?";
  if (key < ' ') return std::string("^") + static_cast<char>(key + '@');
  return std::string(1, static_cast<char>(key));
}

KeyWord EscapeKey::take(std::string_view& typed, std::string& onward) {
  while (!typed.empty()) {
    const char c = typed[0];
    typed.remove_prefix(1);
    const bool is_key = key_ != no_escape_key && static_cast<unsigned char>(c) == key_;
    if (!seen_) {
      seen_ = is_key;
      if (!is_key) onward += c;
      continue;
    }
    seen_ = false;
    // Where the key is one of the commands, twice means itself.
    for (auto [key, word] : commands)
      if (c == key && !is_key) return word;
    onward += static_cast<char>(key_);
    if (!is_key) onward += c;
  }
  return KeyWord::none;
}

}  // namespace jail
