// Small text helpers: splitting, joining, integers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jail {

using Words = std::vector<std::string>;

// The pieces between runs of any of the characters of `separators`; empty pieces are left out.
Words split(std::string_view text, std::string_view separators);

// The pieces between single `separator` characters; empty pieces are kept, so n separators give n +
// 1 pieces.
Words split_exact(std::string_view text, char separator);

// The words with `separator` between them.
std::string join(std::span<const std::string> words, std::string_view separator);

// A decimal integer that is the whole text (an optional sign, digits), or nothing; nothing too
// where it overflows.
std::optional<int64_t> parse_int(std::string_view text);

// True if `text` is `prefix` itself or lies below it as a path ("/a" covers "/a" and "/a/b", not
// "/ab"). Textual.
bool path_covers(std::string_view prefix, std::string_view text);

}  // namespace jail
