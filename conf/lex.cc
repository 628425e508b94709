// One pass over the text, a token at a time. A token's text is a piece of the source itself
// wherever no escape stands in it; only what is decoded is copied.
#include "conf/lex.h"

#include <algorithm>
#include <array>

namespace jail {
namespace {

// What a byte does outside quotes (J1.2), one look in a table for each.
enum class Class : uint8_t {
  stray,
  space,
  bare,
  reserved,
  single,
  slash,
  plus,
  hash,
  backslash,
  dollar,
  quote
};

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr std::array<Class, 256> make_classes() {
  std::array<Class, 256> classes{};
  auto mark = [&](std::string_view bytes, Class to) {
    for (char c : bytes) classes[static_cast<unsigned char>(c)] = to;
  };
  for (int c = 0; c < 128; ++c) {
    if (is_letter(static_cast<char>(c)) || is_digit(static_cast<char>(c)))
      classes[static_cast<size_t>(c)] = Class::bare;
  }
  mark("!%&()-.:<>?@[]^`|~", Class::bare);
  mark(" \t\r\n", Class::space);
  mark(",;={}", Class::reserved);
  mark("*", Class::single);
  mark("/", Class::slash);
  mark("+", Class::plus);
  mark("#", Class::hash);
  mark("\\", Class::backslash);
  mark("$", Class::dollar);
  mark("'\"", Class::quote);
  return classes;
}

constexpr std::array<Class, 256> classes = make_classes();

Class class_of(char c) {
  return classes[static_cast<unsigned char>(c)];
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The length of the escape at the start of `text`, which starts with a backslash (J1.4).
size_t escape_size(std::string_view text) {
  if (text.size() < 2) return text.size();
  size_t end = 2;
  if (text[1] == 'x') {
    while (end < text.size() && end < 4 && hex_value(text[end]) >= 0) ++end;
  } else if (text[1] >= '0' && text[1] <= '7') {
    while (end < text.size() && end < 4 && text[end] >= '0' && text[end] <= '7') ++end;
  }
  return end;
}

// The byte that an escape stands for, or -1 for none (backslash, newline).
int escape_value(std::string_view escape) {
  if (escape.size() < 2) return '\\';
  constexpr std::string_view names = "abfnrtv", values = "\a\b\f\n\r\t\v";
  if (size_t at = names.find(escape[1]); at != std::string_view::npos) return values[at];
  if (escape[1] == '\n') return -1;
  unsigned value = 0;
  if (escape[1] == 'x') {
    for (char c : escape.substr(2)) value = value * 16 + static_cast<unsigned>(hex_value(c));
    return static_cast<int>(value & 0xff);
  }
  if (escape[1] >= '0' && escape[1] <= '7') {
    for (char c : escape.substr(1)) value = value * 8 + static_cast<unsigned>(c - '0');
    return static_cast<int>(value & 0xff);
  }
  return static_cast<unsigned char>(escape[1]);
}

// Of the class `reserved` only.
TokenKind reserved_kind(char c) {
  switch (c) {
    case ',':
      return TokenKind::comma;
    case ';':
      return TokenKind::semicolon;
    case '=':
      return TokenKind::equals;
    case '{':
      return TokenKind::open;
    default:
      return TokenKind::close;
  }
}

}  // namespace

// A text with its escapes decoded; without any it is not copied.
std::string_view Lexer::decode(std::string_view raw) {
  if (raw.find_first_of(std::string_view("\\\0", 2)) == std::string_view::npos) return raw;
  char* out = arena_->take(raw.size());  // an escape never makes more than it takes
  size_t size = 0;
  while (!raw.empty()) {
    size_t used = raw[0] == '\\' ? escape_size(raw) : 1;
    int value =
        raw[0] == '\\' ? escape_value(raw.substr(0, used)) : static_cast<unsigned char>(raw[0]);
    if (value == 0) break;  // a NUL, written or made, ends the piece
    if (value > 0) out[size++] = static_cast<char>(value);
    raw.remove_prefix(used);
  }
  return {out, size};
}

// A piece of a word; the next one is glued to it unless something comes between.
Token Lexer::piece(TokenKind kind, size_t end, std::string_view text) {
  Token token{kind, glued_, static_cast<uint32_t>(at_), static_cast<uint32_t>(end), text};
  at_ = end;
  glued_ = true;
  return token;
}

// A token of its own, which ends a word.
Token Lexer::single(TokenKind kind, size_t size) {
  Token token{kind, false, static_cast<uint32_t>(at_), static_cast<uint32_t>(at_ + size), {}};
  at_ += size;
  glued_ = false;
  return token;
}

// Skips the comment that starts here, if one does.
bool Lexer::skip_comment() {
  std::string_view rest = source_.substr(at_);
  if (rest.starts_with("/*")) {
    size_t end = source_.find("*/", at_ + 2);
    size_t size = source_.size();
    if (end == std::string_view::npos) {
      errors_.push_back(
          {static_cast<uint32_t>(at_), static_cast<uint32_t>(size), "unterminated comment"});
    }
    at_ = end == std::string_view::npos ? size : end + 2;
  } else if (rest.starts_with('#') || rest.starts_with("//")) {
    at_ = std::min(source_.find('\n', at_), source_.size());
  } else {
    return false;
  }
  glued_ = false;
  return true;
}

// A run of bare characters (J1.2, rule 5).
Token Lexer::bare() {
  size_t end = at_ + 1;
  while (end < source_.size() && class_of(source_[end]) == Class::bare) ++end;
  return piece(TokenKind::text, end, source_.substr(at_, end - at_));
}

// Any other `$` is a plain dollar sign (J1.6).
bool Lexer::starts_variable(size_t at) const {
  return source_[at] == '$' && at + 1 < source_.size() &&
         (is_letter(source_[at + 1]) || source_[at + 1] == '{');
}

// The variable that starts here; in braces its name runs up to any of `stops`, which has to be the
// closing brace. False: it is not terminated, and was skipped.
bool Lexer::variable(Token& token, std::string_view stops) {
  if (source_[at_ + 1] != '{') {
    size_t end = at_ + 1;
    while (end < source_.size() && (is_letter(source_[end]) || is_digit(source_[end]))) ++end;
    token = piece(TokenKind::variable, end, source_.substr(at_ + 1, end - at_ - 1));
    return true;
  }
  size_t end = std::min(source_.find_first_of(stops, at_ + 2), source_.size());
  if (end < source_.size() && source_[end] == '}') {
    token = piece(TokenKind::variable, end + 1, decode(source_.substr(at_ + 2, end - at_ - 2)));
    return true;
  }
  errors_.push_back(
      {static_cast<uint32_t>(at_), static_cast<uint32_t>(at_), "unterminated variable"});
  at_ = end;
  return false;
}

// The quoted string that starts here. One with variables yields its first text here, also an empty
// one, and the other pieces through inside_quotes(). False: it is not terminated, and the line was
// skipped.
bool Lexer::quoted(Token& token) {
  char quote = source_[at_];
  size_t first_variable = 0;
  for (size_t i = at_ + 1; i < source_.size(); ++i) {
    if (source_[i] == '\\') {
      ++i;
    } else if (source_[i] == quote) {
      if (first_variable == 0) {
        token = piece(TokenKind::text, i + 1, decode(source_.substr(at_ + 1, i - at_ - 1)));
      } else {
        token = piece(TokenKind::text, first_variable,
                      decode(source_.substr(at_ + 1, first_variable - at_ - 1)));
        quote_end_ = i;
      }
      return true;
    } else if (quote == '"' && first_variable == 0 && starts_variable(i)) {
      first_variable = i;
    }
  }
  errors_.push_back(
      {static_cast<uint32_t>(at_), static_cast<uint32_t>(at_), "unterminated string"});
  at_ = std::min(source_.find('\n', at_), source_.size());
  return false;
}

// The next piece of a double-quoted string with variables; at its end, whatever follows it.
Token Lexer::inside_quotes() {
  while (at_ < quote_end_) {
    if (starts_variable(at_)) {
      Token token;
      if (variable(token, std::string_view("\n{}\"", 4))) return token;
      continue;
    }
    size_t end = at_;
    while (end < quote_end_ && (end == at_ || !starts_variable(end)))
      end += source_[end] == '\\' ? 2 : 1;
    end = std::min(end, quote_end_);
    return piece(TokenKind::text, end, decode(source_.substr(at_, end - at_)));
  }
  at_ = quote_end_ + 1;
  quote_end_ = 0;
  return next();
}

// By the first byte, as the rules of J1.2 begin with different ones. A byte with which a rule might
// begin and does not, as a lone `+` or `/`, is a piece by itself (rule 7).
Token Lexer::next() {
  if (quote_end_ != 0) return inside_quotes();
  Token token;
  while (at_ < source_.size()) {
    char c = source_[at_];
    switch (class_of(c)) {
      case Class::bare:
        return bare();
      case Class::space:
        ++at_;
        glued_ = false;
        continue;
      case Class::reserved:
        return single(reserved_kind(c), 1);
      case Class::plus:
        if (source_.substr(at_).starts_with("+=")) return single(TokenKind::append, 2);
        break;
      case Class::hash:
      case Class::slash:
        if (skip_comment()) continue;
        break;
      case Class::backslash: {
        size_t size = escape_size(source_.substr(at_));
        return piece(TokenKind::text, at_ + size, decode(source_.substr(at_, size)));
      }
      case Class::quote:
        if (quoted(token)) return token;
        continue;
      case Class::dollar:
        if (!starts_variable(at_)) break;
        if (variable(token, "\n{}")) return token;
        continue;
      case Class::single:
        break;
      case Class::stray:
        return single(TokenKind::stray, 1);
    }
    return piece(TokenKind::text, at_ + 1, source_.substr(at_, 1));
  }
  return single(TokenKind::end, 0);
}

Result<Words> lex_words(std::string_view text) {
  Arena arena;
  Lexer lexer(text, arena);
  Words words;
  for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
    if (token.kind == TokenKind::stray || token.kind == TokenKind::variable) {
      return fail(EINVAL, std::string(lexer.raw(token)) + ": not permitted here");
    }
    std::string_view piece = token.kind == TokenKind::text ? token.text : lexer.raw(token);
    if (token.glued) {
      words.back() += piece;
    } else {
      words.emplace_back(piece);
    }
  }
  if (!lexer.errors().empty()) return fail(EINVAL, lexer.errors()[0].text);
  return words;
}

std::string quote_word(std::string_view word) {
  word = word.substr(0, word.find('\0'));
  bool safe = !word.empty();
  for (char c : word) safe = safe && class_of(c) == Class::bare;
  if (safe) return std::string(word);
  std::string quoted = "\"";
  for (char c : word) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (byte < ' ' || byte == 0x7f) {
      // Three digits always: an escape must not take a digit of the text behind it along.
      for (int shift : {6, 3, 0})
        quoted.append(shift == 6 ? "\\" : "") += static_cast<char>('0' + (byte >> shift & 7));
    } else {
      if (c == '"' || c == '\\' || c == '$') quoted += '\\';
      quoted += c;
    }
  }
  return quoted += '"';
}

}  // namespace jail
