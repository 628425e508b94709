#include "base/harmless.h"

#include <algorithm>
#include <cstdint>

namespace jail {

namespace {

// What a whole character of several bytes may not be: longer than needed (RFC 3629), half of a
// surrogate pair, beyond Unicode, or a control character (U+0080 to U+009F).
bool harmless(std::string_view bytes) {
  constexpr uint32_t least[] = {0, 0, 0xa0, 0x800, 0x10000};
  uint32_t code = static_cast<unsigned char>(bytes[0]) & (0x7fU >> bytes.size());
  for (char c : bytes.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  return code >= least[bytes.size()] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

}  // namespace

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

std::string harmless_line(std::string_view bytes) {
  std::string line = HarmlessText().pass(bytes);
  std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\t'; }, '?');
  return line;
}

}  // namespace jail
