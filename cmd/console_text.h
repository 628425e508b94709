// What a person types to a console: the escape key, and the commands behind it. Pure.
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

}  // namespace jail
