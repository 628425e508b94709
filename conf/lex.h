// The lexer of jail.conf (J1.2 to J1.7), which also reads service files, snapshots and ledgers.
// Text in, tokens out: it opens nothing, prints nothing, and takes any bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "conf/arena.h"

namespace jail {

// A word is one piece or several that are glued; all other kinds are tokens of their own (J1.2).
enum class TokenKind : uint8_t {
  end,
  text,      // a piece of a word: bare characters, an escape, a quoted string
  variable,  // a piece of a word: $NAME or ${NAME}; text is NAME
  append,    // +=
  comma,
  semicolon,
  equals,
  open,   // {
  close,  // }
  stray,  // a byte that no rule mentions
};

// One token. Its raw text is source[begin, end), in bytes. Decoded text lies in the source or in
// the lexer's arena; tokens that are no pieces have none.
struct Token {
  TokenKind kind = TokenKind::end;
  bool glued = false;  // a piece that continues the word before it (J1.3)
  uint32_t begin = 0;
  uint32_t end = 0;
  std::string_view text;

  bool is_piece() const { return kind == TokenKind::text || kind == TokenKind::variable; }
};

// Something that yields no token: an unterminated string, variable or comment (J1.15). `at` is the
// offset where it starts, `seen` that of the place whose line the message names.
struct LexError {
  uint32_t at;
  uint32_t seen;
  const char* text;
};

// Tokens of one text, which must stay where it is, be shorter than 4 GiB, and outlive them.
class Lexer {
 public:
  Lexer(std::string_view source, Arena& arena) : source_(source), arena_(&arena) {}

  // The next token; the end again and again after the last. Never fails: what cannot be one is
  // noted in errors() and passed over.
  Token next();

  // What was wrong so far, in order.
  const std::vector<LexError>& errors() const { return errors_; }

  // The token as it stands in the text, quotes and escapes included, for messages.
  std::string_view raw(const Token& token) const {
    return source_.substr(token.begin, token.end - token.begin);
  }

 private:
  bool skip_comment();
  Token piece(TokenKind kind, size_t end, std::string_view text);
  Token single(TokenKind kind, size_t size);
  Token bare();
  bool quoted(Token& token);
  Token inside_quotes();
  bool variable(Token& token, std::string_view stops);
  std::string_view decode(std::string_view raw);
  bool starts_variable(size_t at) const;

  std::string_view source_;
  Arena* arena_;
  std::vector<LexError> errors_;
  size_t at_ = 0;
  // While inside a double-quoted string with variables: the place of its closing quote, else 0.
  size_t quote_end_ = 0;
  bool glued_ = false;  // the next piece would continue the word of the last one
};

// The words of a text that has no structure, such as a line of the ledger: quotes, escapes and
// comments mean what they mean in jail.conf, `=` and its like are words of their own. EINVAL: an
// unterminated quote or comment, a stray byte, a variable (nothing could expand it).
Result<Words> lex_words(std::string_view text);

// `word` written so that the lexer reads it back as one word of one piece: bare where that is safe,
// else in double quotes. Holds no control bytes. A NUL byte cannot be written: the word ends there.
std::string quote_word(std::string_view word);

}  // namespace jail
