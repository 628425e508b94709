#include "conf/expand.h"

#include <algorithm>

#include "base/text.h"

namespace jail {
namespace {

// Limits on what a few hostile lines can grow to: bytes of a text, words of a list.
constexpr size_t longest_value = size_t{1} << 20;
constexpr size_t most_values = size_t{1} << 16;

}  // namespace

void Expander::complain(Place place, std::string text) {
  Origin origin = conf_.where(place);
  conf_.messages.push_back({.stage = Stage::load,
                            .jail = std::string(jail_),
                            .file = std::string(origin.file),
                            .line = origin.line,
                            .column = origin.column,
                            .text = std::move(text)});
  good_ = false;
}

bool Expander::expand_all(std::string_view jail, std::vector<Entry>& entries) {
  jail_ = jail;
  good_ = true;
  for (Entry& entry : entries) {
    if (entry.expansion == Entry::Expansion::none) expand(entry);
  }
  return good_;
}

// Depth first, with our own stack: a chain of variables may be as long as the file.
void Expander::expand(Entry& first) {
  first.expansion = Entry::Expansion::active;
  steps_.push_back({&first, 0, 0});
  while (!steps_.empty()) {
    if (Entry* needed = next_needed(steps_.back())) {
      needed->expansion = Entry::Expansion::active;
      steps_.push_back({needed, 0, 0});
      continue;
    }
    Entry& entry = *steps_.back().entry;
    if (entry.has_references) substitute(entry);
    entry.expansion = Entry::Expansion::done;
    steps_.pop_back();
  }
}

// The next entry that the step's entry refers to and that is not final; nullptr if there is none
// left. Complains of what is not there.
Entry* Expander::next_needed(Step& step) {
  if (!step.entry->has_references) return nullptr;
  for (; step.word < step.entry->values.size(); ++step.word, step.reference = 0) {
    const Word& word = step.entry->values[step.word];
    while (step.reference < word.reference_count) {
      const Name* name = word.references[step.reference++].name;
      Entry* target = find_(context_, name);
      if (!target || target->values.empty()) {
        complain(word.place,
                 concat({step.entry->name->text, ": variable \"", name->text, "\" not found"}));
      } else if (target->expansion == Entry::Expansion::active) {
        complain(word.place, concat({name->text, ": variable loop"}));
      } else if (target->expansion == Entry::Expansion::none) {
        return target;
      }
    }
  }
  return nullptr;
}

// Puts final words in the place of an entry's words with references. All that they refer to is
// final by now, or was complained of.
void Expander::substitute(Entry& entry) {
  words_.clear();
  for (const Word& word : entry.values) {
    if (word.reference_count == 0) {
      words_.push_back(word);
    } else if (!splice(entry, word)) {
      inline_word(entry, word);
    }
    if (words_.size() <= most_values && budget_ > 0) continue;
    complain(entry.place, concat({entry.name->text, ": value too long"}));
    words_.clear();
    break;
  }
  // Also what is spliced costs: words are small, but a line of references doubles them. The budget
  // stops at 0 and stays there: every later value with a reference is too long.
  size_t size = words_.size() * sizeof(Word);
  budget_ -= std::min(budget_, size);
  entry.values = conf_.arena.copy(std::span<const Word>(words_));
}

// A word that is a reference and nothing else becomes all words of its target.
bool Expander::splice(const Entry& entry, const Word& word) {
  if (!word.text.empty() || word.reference_count != 1) return false;
  Entry* target = find_(context_, word.references[0].name);
  if (!target || target->expansion != Entry::Expansion::done || target->values.empty())
    return false;
  if (target->values.size() > most_values - std::min(most_values, words_.size())) {
    complain(word.place, concat({entry.name->text, ": value too long"}));
    return true;
  }
  for (Word value : target->values) {
    value.place = word.place;
    words_.push_back(value);
  }
  return true;
}

// A word of text and references, or of several references: each has to be one word.
void Expander::inline_word(const Entry& entry, const Word& word) {
  text_.clear();
  size_t taken = 0;
  for (const Reference& reference : std::span(word.references, word.reference_count)) {
    text_.append(word.text.substr(taken, reference.offset - taken));
    taken = reference.offset;
    Entry* target = find_(context_, reference.name);
    if (!target || target->expansion != Entry::Expansion::done || target->values.empty()) continue;
    if (target->values.size() > 1) {
      complain(word.place, concat({entry.name->text, ": array cannot be substituted inline"}));
    } else if (text_.size() + target->values[0].text.size() > longest_value) {
      complain(word.place, concat({entry.name->text, ": value too long"}));
    } else {
      text_.append(target->values[0].text);
    }
  }
  text_.append(word.text.substr(taken));
  budget_ -= std::min(budget_, text_.size());
  words_.push_back({.text = conf_.arena.copy(std::string_view(text_)), .place = word.place});
}

}  // namespace jail
