// Variables (J1.13): puts values in the place of references, for one jail at a time. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/parse.h"

namespace jail {

// A parameter or variable of the jail being resolved. While it holds references, its values are not
// final.
struct Entry {
  const Name* name;
  std::span<const Word> values;
  Place place;  // of the last statement that had a say
  bool variable;
  bool has_references;  // in any of the values
  // active: its expansion has begun; to meet such a one again is a loop.
  enum class Expansion : uint8_t { none, active, done } expansion = Expansion::none;
};

// Finds the entry that a reference means, or nullptr. `context` is what the Expander was given.
using FindEntry = Entry* (*)(void* context, const Name* name);

// Expands entries, following chains without recursion, and says what is wrong. One for all jails of
// a Conf: they share what expansion may make.
class Expander {
 public:
  // `budget`: how many bytes expansion may make, over all jails.
  Expander(Conf& conf, FindEntry find, void* context, size_t budget)
      : conf_(conf), find_(find), context_(context), budget_(budget) {}

  // Makes all entries final. False, with messages of stage load about `jail`, where a reference
  // could not be resolved (J1.13: not found, a loop, several words within a word) or a value became
  // too long (1 MiB of text, 65536 words, the budget of all jails together); such text is left out
  // and the rest goes on. Final words are in conf's arena.
  bool expand_all(std::string_view jail, std::vector<Entry>& entries);

 private:
  // An entry on the way, and the reference in it that is looked at next.
  struct Step {
    Entry* entry;
    size_t word;
    size_t reference;
  };

  void expand(Entry& entry);
  Entry* next_needed(Step& step);
  void substitute(Entry& entry);
  bool splice(const Entry& entry, const Word& word);
  void inline_word(const Entry& entry, const Word& word);
  void complain(Place place, std::string text);

  Conf& conf_;
  FindEntry find_;
  void* context_;
  std::string_view jail_;
  bool good_ = true;
  std::vector<Step> steps_;
  std::vector<Word> words_;
  std::string text_;
  size_t budget_;  // bytes that expansion may still make, over all jails
};

}  // namespace jail
