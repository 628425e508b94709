// What comes out of a jail, made harmless for the terminal of whoever sees it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace jail {

// For an output that is no terminal, but may be shown on one later: bytes of UTF-8 text, newlines
// and tabs pass, carriage returns vanish, every other control character (C1 too) and every byte
// that is no UTF-8 becomes `?`. A character may come in two parts.
class HarmlessText {
 public:
  std::string pass(std::string_view bytes);

 private:
  void add(unsigned char byte, std::string& text);

  std::string begun_;   // of a character
  size_t missing_ = 0;  // bytes of it
};

// The same for one line of a message, which is all there: newlines and tabs become `?` too.
std::string harmless_line(std::string_view bytes);

}  // namespace jail
