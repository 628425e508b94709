// What passes between a person and a console, as text: the escape key in what is typed, and control
// characters in what comes from the jail. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace jail {

constexpr int default_escape_key = 0x1d;  // ^]
constexpr int no_escape_key = -1;

// "^]", "^A", "^?", a printable character, or "none"; else nothing.
std::optional<int> parse_escape_key(std::string_view text);
// The same backwards, for messages.
std::string escape_key_name(int key);

enum class KeyWord { none, leave, suspend, help };

// Finds the escape key in what is typed, also where the two keys come apart. Behind it: `q` or `.`
// leaves, `z` suspends, `?` asks what there is, the key itself is typed once; anything else is
// typed together with it.
class EscapeKey {
 public:
  explicit EscapeKey(int key) : key_(key) {}

  // Takes from `typed` up to the first command, appending what goes to the jail to `onward`; to be
  // called until nothing is left.
  KeyWord take(std::string_view& typed, std::string& onward);

 private:
  int key_;
  bool seen_ = false;
};

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

}  // namespace jail
