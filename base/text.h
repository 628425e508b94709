// Small text helpers: splitting, joining, integers. Pure; bytes, no character set, no locale.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jail {

// A list of values of jail.conf, arguments of a command, words of an act. A word may hold any
// bytes.
using Words = std::vector<std::string>;

// The pieces between runs of any of the characters of `separators`; empty pieces are left out.
Words split(std::string_view text, std::string_view separators);

// The pieces between single `separator` characters; empty pieces are kept, so n separators give n +
// 1 pieces.
Words split_exact(std::string_view text, char separator);

// The words with `separator` between them; nothing is quoted.
std::string join(std::span<const std::string> words, std::string_view separator);

// The pieces one behind the other, for what is built without {fmt}.
std::string concat(std::initializer_list<std::string_view> pieces);

// A decimal integer that is the whole text (an optional sign, digits; no blanks), or nothing;
// nothing too where it overflows.
std::optional<int64_t> parse_int(std::string_view text);

// True if `text` is `prefix` itself or lies below it as a path ("/a" covers "/a" and "/a/b", not
// "/ab"; "/" covers every absolute path). Slashes at the end of `prefix` do not count. Textual:
// `..`, doubled slashes and links mean nothing here, so no right may hang on it.
bool path_covers(std::string_view prefix, std::string_view text);

}  // namespace jail
