#include "cmd/console_text.h"

#include <array>

namespace jail {
namespace {

constexpr struct {
  char key;
  KeyWord word;
} commands[] = {
    {'q', KeyWord::leave}, {'.', KeyWord::leave}, {'z', KeyWord::suspend}, {'?', KeyWord::help}};

// What a whole character of several bytes may not be: longer than needed (RFC 3629), half of a
// surrogate pair, beyond Unicode, or a control character (U+0080 to U+009F).
bool harmless(std::string_view bytes) {
  constexpr uint32_t least[] = {0, 0, 0xa0, 0x800, 0x10000};
  uint32_t code = static_cast<unsigned char>(bytes[0]) & (0x7fU >> bytes.size());
  for (char c : bytes.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  return code >= least[bytes.size()] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

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

std::string HarmlessText::pass(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (char c : bytes) add(static_cast<unsigned char>(c), text);
  return text;
}

void HarmlessText::add(unsigned char byte, std::string& text) {
  if (missing_ != 0 && (byte & 0xc0U) == 0x80) {
    begun_ += static_cast<char>(byte);
    if (--missing_ != 0) return;
    text += harmless(begun_) ? begun_ : "?";
    return;
  }
  if (missing_ != 0) text += '?';  // it ended in the middle
  // The first byte says how many follow; C0 and C1 could only begin something too long.
  missing_ = byte < 0xc2 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : byte < 0xf5 ? 3 : 0;
  begun_ = static_cast<char>(byte);
  if (missing_ != 0 || byte == '\r') return;
  const bool plain = (byte >= ' ' && byte < 0x7f) || byte == '\n' || byte == '\t';
  text += plain ? static_cast<char>(byte) : '?';
}

}  // namespace jail
