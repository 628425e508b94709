// The grammar of jail.conf (J1.8, J1.9, J1.15): text -> definitions and statements, nothing merged
// yet. Service files use it too. Reads included files; otherwise touches nothing outside.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conf/arena.h"
#include "conf/message.h"

namespace jail {

// A name of a parameter or variable, each text once: compared by address, and `id` indexes tables.
struct Name {
  std::string_view text;
  uint32_t id;
};

// All names of a Conf. Linear in the text: each is hashed once for each time it is written.
class Names {
 public:
  // The name of that text, made where it is new. The text must outlive it.
  const Name* intern(std::string_view text);
  // The name of that text, or nullptr.
  const Name* find(std::string_view text) const;
  // In the order of their first mention: all()[id] has that id.
  const std::deque<Name>& all() const { return names_; }

 private:
  std::deque<Name> names_;
  std::unordered_map<std::string_view, const Name*> index_;
};

// A place in any of the files read: an offset into all their texts laid end to end, from 1; 0 is
// nowhere.
using Place = uint32_t;

// A variable in a word: its value goes before the byte at `offset` of the word's text.
struct Reference {
  const Name* name;
  uint32_t offset;
};

// One value: its literal text, decoded and joined, and the references within.
struct Word {
  std::string_view text;
  const Reference* references = nullptr;
  uint32_t reference_count = 0;
  Place place = 0;
};

// What a statement does to the list (J1.12): `=` or no sign, `+=`, a name without a value.
enum class Assign : uint8_t { set, append, clear };

// One parameter statement, or definition of a variable.
struct Statement {
  const Name* name;
  std::span<const Word> words;
  Place place;
  Assign assign;
  bool variable;
  bool has_references;
  Statement* next = nullptr;  // of the same definition
};

// A block, or all that stands outside blocks: its name in full, and its statements in order.
struct Definition {
  std::string_view name;
  Place place = 0;
  bool loose = false;  // the implicit `*` of everything outside blocks
  Statement* first = nullptr;
  Statement* last = nullptr;
};

// Where something stands, for people: line and column (in bytes) count from 1, line 0 is nowhere.
struct Origin {
  std::string_view file;
  uint32_t line;
  uint32_t column;
};

// One file as read. Its text stays at its address.
struct Source {
  std::string name;
  std::string text;
  Place base;                      // the Place of its first byte
  std::vector<uint32_t> newlines;  // the offsets of all of them, ascending

  // The line of an offset, from 1.
  uint32_t line_of(size_t offset) const;
  // The text of line `n` without its newline; empty if there is none.
  std::string_view line(uint32_t n) const;
};

// What a set of files says, in order. Definitions stand in the order in which their names were
// first met, which is the order of precedence (J1.11). Invariant: where `rejected` is false,
// syntactically valid.
struct Conf {
  std::deque<Source> sources;
  Arena arena;
  Names names;
  std::vector<Definition> definitions;
  Messages messages;
  bool rejected = false;

  // File, line and column of a place; line 0 for place 0, which is nowhere (the command line).
  Origin where(Place place) const;
};

// How far to go on behind an error.
enum class Thorough : uint8_t {
  as_jail,     // as J1.15: to the end of the file with the error, or not at all
  everything,  // report all that can be found, in every file
};

// Limits on hostile input, in bytes and levels; beyond them a file is rejected with a message.
constexpr size_t longest_file = size_t{64} << 20;
constexpr size_t longest_input = size_t{1} << 30;
constexpr size_t deepest_include = 32;
constexpr size_t deepest_block = 128;

// Parses a file; `-` is standard input, called STDIN. What is wrong (stage parse: syntax, or a file
// that cannot be read) goes to conf.messages, and sets conf.rejected. What was read before the
// error stays in conf.
void parse_file(const std::string& file, Thorough thorough, Conf& conf);

// Parses a text in memory called `name`. It may not include files.
void parse_text(std::string name, std::string text, Thorough thorough, Conf& conf);

}  // namespace jail
