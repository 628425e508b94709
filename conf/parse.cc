#include "conf/parse.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <glob.h>

#include "base/file.h"
#include "conf/lex.h"

namespace jail {
namespace {

// Limits that need no name outside: files together; bytes of what is made of all texts (names of
// nested blocks, and statements of two bytes, are far larger than the text); bytes of a token in a
// message.
constexpr size_t most_sources = 100'000;
constexpr size_t most_room = size_t{512} << 20;
constexpr size_t longest_shown = 4096;

// How the files that a pattern means are found. Only parse_file() knows: a static program that
// reads texts in memory is spared glob(3), which brings the user databases of the C library along.
using FindFiles = Result<Words> (*)(const std::string& pattern);

// One file being parsed: its tokens, one ahead.
struct File {
  File(const Source& of, Arena& arena, size_t blocks)
      : source(&of), lexer(of.text, arena), floor(blocks) {}

  const Source* source;
  Lexer lexer;
  Token token;
  size_t floor;             // how many blocks were open where the file was included
  size_t lexed_errors = 0;  // how many of the lexer's were reported
  int cautious = 0;  // good tokens still to be seen before another syntax error is reported (J1.15)
  bool bad = false;
};

// Reads statements one by one, by hand: a grammar this small has one token of lookahead and two
// places to go wrong, and error recovery (J1.15) is plain to see that way.
class Parser {
 public:
  Parser(Conf& conf, Thorough thorough, FindFiles find_files)
      : conf_(conf), thorough_(thorough), find_files_(find_files) {}

  void run(const Source& source);
  const Source* add(std::string name, std::string text);
  void open(const std::string& path);

 private:
  void advance(File& file);
  void shift(File& file);
  void report(File& file, uint32_t at, uint32_t seen, std::string text, bool names_line);
  bool syntax_error(File& file);
  bool recover(File& file);
  bool item(File& file);
  void open_block(File& file, const Token& name);
  bool assignment(File& file, const Token& target);
  bool word_list(File& file);
  void word(File& file);
  bool has_room(File& file);
  void add_statement(File& file, const Token& target, Assign assign);
  void include(File& file);
  void include_pattern(const File& file, std::string_view pattern);
  void give_up(std::string file, std::string text);

  Conf& conf_;
  Thorough thorough_;
  FindFiles find_files_;  // nullptr: nothing may be included
  bool stopped_ = false;
  size_t depth_ = 0;            // of includes
  Place included_at_ = 0;       // the word that asked for the last one
  std::vector<size_t> blocks_;  // definitions, outermost first
  size_t loose_ = SIZE_MAX;     // the implicit `*`, once there is one
  std::vector<Word> words_;     // of the statement being read
  std::vector<Reference> references_;
  std::string scratch_;
};

// An error that ends the reading at once, or that is noted at the place of the include when all are
// wanted.
void Parser::give_up(std::string file, std::string text) {
  Origin origin = conf_.where(included_at_);
  if (thorough_ == Thorough::everything && origin.line != 0) {
    if (!file.empty()) text.insert(0, file + ": ");
    conf_.messages.push_back({.file = std::string(origin.file),
                              .line = origin.line,
                              .column = origin.column,
                              .text = std::move(text),
                              .names_line = true});
  } else {
    conf_.messages.push_back({.file = std::move(file), .text = std::move(text)});
  }
  conf_.rejected = true;
  if (thorough_ == Thorough::as_jail) stopped_ = true;
}

// `at` is where it starts and `seen` where it was noticed: the line is that of `seen` (J1.15), the
// column that of `at` if it stands on the same line.
void Parser::report(File& file, uint32_t at, uint32_t seen, std::string text, bool names_line) {
  uint32_t line = file.source->line_of(seen);
  uint32_t column = 1;
  if (file.source->line_of(at) == line) column = conf_.where(file.source->base + at).column;
  conf_.messages.push_back({.file = file.source->name,
                            .line = line,
                            .column = column,
                            .text = std::move(text),
                            .names_line = names_line});
  conf_.rejected = file.bad = true;
}

// Goes to the next token, and reports what the lexer could make no token of on the way.
void Parser::advance(File& file) {
  file.token = file.lexer.next();
  for (; file.lexed_errors < file.lexer.errors().size(); ++file.lexed_errors) {
    LexError error = file.lexer.errors()[file.lexed_errors];
    report(file, error.at, error.seen, error.text, true);
  }
}

// Goes to the next token, the one ahead having been good.
void Parser::shift(File& file) {
  if (file.cautious > 0) --file.cautious;
  advance(file);
}

// Reports the token ahead as wrong, unless an error was reported just before. Always false.
bool Parser::syntax_error(File& file) {
  const Token& token = file.token;
  if (file.cautious == 0 && token.kind == TokenKind::end) {
    report(file, token.begin, token.end, "unexpected EOF", false);
  } else if (file.cautious == 0) {
    std::string text(file.lexer.raw(token).substr(0, longest_shown));
    report(file, token.begin, std::max(token.begin, token.end - 1), text + ": syntax error", true);
  }
  file.cautious = 3;
  return false;
}

// Goes on behind the next semicolon; false if there is none.
bool Parser::recover(File& file) {
  while (file.token.kind != TokenKind::semicolon) {
    if (file.token.kind == TokenKind::end) return false;
    advance(file);
  }
  shift(file);
  return true;
}

// All statements of one file. Braces have to balance within it, so blocks are counted from where it
// was included.
void Parser::run(const Source& source) {
  File file(source, conf_.arena, blocks_.size());
  advance(file);
  while (!stopped_) {
    if (file.token.kind == TokenKind::end) {
      if (blocks_.size() > file.floor) syntax_error(file);
      break;
    }
    if (!item(file) && !recover(file)) break;
  }
  blocks_.resize(file.floor);
  if (file.bad && thorough_ == Thorough::as_jail) stopped_ = true;
}

// One statement, block opening or block end. False: a syntax error was met.
bool Parser::item(File& file) {
  Token first = file.token;
  if (first.kind == TokenKind::semicolon) {
    shift(file);
    return true;
  }
  if (first.kind == TokenKind::close && blocks_.size() > file.floor) {
    blocks_.pop_back();
    shift(file);
    return true;
  }
  if (!first.is_piece()) return syntax_error(file);
  shift(file);
  if (file.token.kind == TokenKind::open && first.kind == TokenKind::text) {
    open_block(file, first);
    shift(file);
    return true;
  }
  return assignment(file, first);
}

// A definition has its place from when its name is met, not from when it ends.
void Parser::open_block(File& file, const Token& name) {
  std::string_view full = name.text;
  if (!blocks_.empty()) {
    scratch_.assign(conf_.definitions[blocks_.back()].name).append(1, '.').append(name.text);
    full = conf_.arena.copy(std::string_view(scratch_));
  }
  blocks_.push_back(conf_.definitions.size());
  conf_.definitions.push_back({.name = full, .place = file.source->base + name.begin});
  if (!has_room(file) || blocks_.size() <= deepest_block) return;
  report(file, name.begin, name.begin, "blocks nested too deeply", true);
  stopped_ = true;
}

// The rest of a statement, its target having been read. It takes effect before the token behind its
// semicolon is read: that may be the first one after an included file.
bool Parser::assignment(File& file, const Token& target) {
  Assign assign = Assign::set;
  bool plain = false;
  words_.clear();
  if (file.token.kind == TokenKind::equals || file.token.kind == TokenKind::append) {
    if (file.token.kind == TokenKind::append) assign = Assign::append;
    shift(file);
  } else if (file.token.is_piece()) {
    plain = true;
  } else {
    assign = Assign::clear;
  }
  if (assign != Assign::clear && !word_list(file)) return false;
  if (file.token.kind != TokenKind::semicolon) return syntax_error(file);
  if (plain && target.kind == TokenKind::text && target.text == ".include") {
    include(file);
  } else if (has_room(file)) {
    add_statement(file, target, assign);
  }
  shift(file);
  return true;
}

// Words with commas between; none may be missing.
bool Parser::word_list(File& file) {
  for (;;) {
    if (!file.token.is_piece() || file.token.glued) return syntax_error(file);
    word(file);
    if (!has_room(file)) return false;
    if (file.token.kind != TokenKind::comma) return true;
    shift(file);
  }
}

// Joins the pieces of one word. Pieces that touch in the source are not copied.
void Parser::word(File& file) {
  Word word{.text = {}, .place = file.source->base + file.token.begin};
  references_.clear();
  bool copied = false;
  do {
    std::string_view piece = file.token.text;
    if (file.token.kind == TokenKind::variable) {
      size_t offset = copied ? scratch_.size() : word.text.size();
      references_.push_back({conf_.names.intern(piece), static_cast<uint32_t>(offset)});
    } else if (copied) {
      scratch_ += piece;
    } else if (word.text.empty()) {
      word.text = piece;
    } else if (word.text.data() + word.text.size() == piece.data()) {
      word.text = {word.text.data(), word.text.size() + piece.size()};
    } else if (!piece.empty()) {
      scratch_.assign(word.text).append(piece);
      copied = true;
    }
    shift(file);
  } while (file.token.is_piece() && file.token.glued && has_room(file));
  if (copied) word.text = conf_.arena.copy(std::string_view(scratch_));
  word.references = conf_.arena.copy(std::span<const Reference>(references_)).data();
  word.reference_count = static_cast<uint32_t>(references_.size());
  words_.push_back(word);
}

// Whether more may be taken in. It is asked for every piece, as one statement may be a whole file.
bool Parser::has_room(File& file) {
  const size_t taken = conf_.arena.used() + conf_.names.all().size() * sizeof(Name) +
                       conf_.definitions.size() * sizeof(Definition) +
                       words_.size() * sizeof(Word) + references_.size() * sizeof(Reference);
  if (taken > most_room && !stopped_) {
    report(file, file.token.begin, file.token.begin, "too much in all files together", true);
    stopped_ = true;
  }
  return !stopped_;
}

// Puts the statement just read into its block, or into the implicit `*` which stands where the
// first loose parameter of all files stands (J1.11).
void Parser::add_statement(File& file, const Token& target, Assign assign) {
  Place place = file.source->base + target.begin;
  if (blocks_.empty() && loose_ == SIZE_MAX) {
    loose_ = conf_.definitions.size();
    conf_.definitions.push_back({.name = "*", .place = place, .loose = true});
  }
  Definition& definition = conf_.definitions[blocks_.empty() ? loose_ : blocks_.back()];
  Statement* statement = conf_.arena.make(Statement{
      .name = conf_.names.intern(target.text),
      .words = conf_.arena.copy(std::span<const Word>(words_)),
      .place = place,
      .assign = assign,
      .variable = target.kind == TokenKind::variable,
      .has_references =
          std::ranges::any_of(words_, [](const Word& word) { return word.reference_count != 0; }),
  });
  (definition.first == nullptr ? definition.first : definition.last->next) = statement;
  definition.last = statement;
}

// Takes effect at once (J1.9): the included statements stand where the .include does.
void Parser::include(File& file) {
  // Included statements reuse words_.
  std::vector<Word> patterns = words_;
  for (const Word& pattern : patterns) {
    if (stopped_) return;
    uint32_t at = pattern.place - file.source->base;
    if (!find_files_) {
      report(file, at, at, ".include: not permitted here", true);
    } else if (pattern.reference_count != 0) {
      report(file, at, at, "variables not permitted in '.include' filename", true);
    } else {
      included_at_ = pattern.place;
      include_pattern(file, pattern.text);
    }
  }
}

// A path without glob characters has to be there; a pattern may match nothing (J1.9).
void Parser::include_pattern(const File& file, std::string_view pattern) {
  if (depth_ == deepest_include || conf_.sources.size() >= most_sources) {
    give_up({}, "maximum include depth exceeded");
    stopped_ = true;
    return;
  }
  std::string path(pattern);
  if (!path.starts_with('/'))
    path.insert(0, file.source->name, 0, file.source->name.rfind('/') + 1);
  ++depth_;
  if (path.find_first_of("*?[\\") == std::string::npos) {
    open(path);
  } else {
    Result<Words> found = find_files_(path);
    const int failure = found ? 0 : found.error().code;
    for (size_t i = 0; found && i < found->size() && !stopped_; ++i) open((*found)[i]);
    // Only a backslash: no pattern, but a name with an escape in it, which has to be there.
    if (failure == ENOENT && path.find_first_of("*?[") == std::string::npos)
      give_up(path, std::strerror(ENOENT));
    if (failure != 0 && failure != ENOENT) give_up(path, "filename glob failed");
  }
  --depth_;
}

// Reads and parses a file.
void Parser::open(const std::string& path) {
  bool standard_input = path == "-" && depth_ == 0;
  Result<std::string> text =
      standard_input ? read_all(0, longest_file) : read_file(AT_FDCWD, path, longest_file);
  std::string name = standard_input ? "STDIN" : path;
  if (!text) return give_up(std::move(name), std::strerror(text.error().code));
  if (const Source* source = add(std::move(name), std::move(*text))) run(*source);
}

// Keeps a text for as long as the Conf lives; nullptr, and a message, where all of them are too
// long together.
const Source* Parser::add(std::string name, std::string text) {
  Place base = 1;
  if (!conf_.sources.empty()) {
    const Source& last = conf_.sources.back();
    base = last.base + static_cast<Place>(last.text.size()) + 1;
  }
  if (text.size() > longest_input - base) {
    give_up(std::move(name), std::strerror(EFBIG));
    stopped_ = true;
    return nullptr;
  }
  Source& source = conf_.sources.emplace_back(Source{std::move(name), std::move(text), base, {}});
  for (size_t at = source.text.find('\n'); at != std::string::npos;
       at = source.text.find('\n', at + 1)) {
    source.newlines.push_back(static_cast<uint32_t>(at));
  }
  return &source;
}

// glob(3). ENOENT: nothing matches.
Result<Words> glob_files(const std::string& pattern) {
  glob_t found{};
  const int failure = glob(pattern.c_str(), 0, nullptr, &found);
  Words files;
  if (failure == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  if (failure != 0) return fail(failure == GLOB_NOMATCH ? ENOENT : EIO, pattern);
  return files;
}

}  // namespace

void parse_file(const std::string& file, Thorough thorough, Conf& conf) {
  Parser(conf, thorough, glob_files).open(file);
}

void parse_text(std::string name, std::string text, Thorough thorough, Conf& conf) {
  Parser parser(conf, thorough, nullptr);
  if (const Source* source = parser.add(std::move(name), std::move(text))) parser.run(*source);
}

}  // namespace jail
