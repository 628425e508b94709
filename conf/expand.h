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
  Place place;
  bool variable;
  bool has_references;
  enum class Expansion : uint8_t { none, active, done } expansion = Expansion::none;
};

// Finds the entry that a reference means, or nullptr.
using FindEntry = Entry* (*)(void* context, const Name* name);

// Expands entries, following chains without recursion, and says what is wrong.
class Expander {
 public:
  Expander(Conf& conf, FindEntry find, void* context)
      : conf_(conf), find_(find), context_(context) {}

  // Makes all entries final. False, with messages about `jail`, where a reference could not be
  // resolved; such text is left out and the rest goes on.
  bool expand_all(std::string_view jail, std::vector<Entry>& entries);

 private:
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
  size_t budget_ = size_t{256} << 20;  // bytes that expansion may still make, over all jails
};

}  // namespace jail
