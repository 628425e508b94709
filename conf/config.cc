#include "conf/config.h"

#include <algorithm>

#include "conf/param.h"

namespace jail {
namespace {

// Statements made by hand, in the arena of a Conf: a command line goes the way of a file from here
// on, so that J1.12 is told once.
class Maker {
 public:
  explicit Maker(Conf& conf) : conf_(conf) {}

  void add(std::string_view name, std::span<const std::string> values, Assign assign) {
    std::vector<Word> words;
    for (const std::string& value : values)
      words.push_back({.text = conf_.arena.copy(std::string_view(value))});
    Statement* statement = conf_.arena.make(Statement{
        .name = conf_.names.intern(conf_.arena.copy(name)),
        .words = conf_.arena.copy(std::span<const Word>(words)),
        .place = 0,
        .assign = assign,
        .variable = false,
        .has_references = false,
    });
    (definition_.first == nullptr ? definition_.first : definition_.last->next) = statement;
    definition_.last = statement;
  }

  const Definition& definition() const { return definition_; }

 private:
  Conf& conf_;
  Definition definition_;
};

}  // namespace

void Config::finish(Thorough thorough) {
  if (conf_->rejected && thorough == Thorough::as_jail) return;
  jails_ = resolve(*conf_);
  // The first of two of one name is the one that is found.
  for (size_t i = 0; i < jails_.size(); ++i) index_.try_emplace(jails_[i].name, i);
}

const Jail* Config::find(std::string_view name) const {
  auto at = index_.find(name);
  return at == index_.end() ? nullptr : &jails_[at->second];
}

std::string_view Config::line(std::string_view file, uint32_t line) const {
  auto at = std::ranges::find(conf_->sources, file, &Source::name);
  return at == conf_->sources.end() ? std::string_view() : at->line(line);
}

Config load(const std::string& file, Thorough thorough) {
  Config config;
  parse_file(file, thorough, *config.conf_);
  config.finish(thorough);
  return config;
}

Config load_text(std::string name, std::string text, Thorough thorough) {
  Config config;
  parse_text(std::move(name), std::move(text), thorough, *config.conf_);
  config.finish(thorough);
  return config;
}

Config load_nameless(std::string name, std::string text) {
  Config config;
  Conf& conf = *config.conf_;
  parse_text(std::move(name), std::move(text), Thorough::as_jail, conf);
  if (conf.rejected) return config;
  Definition empty;
  config.jails_.push_back(
      resolve_nameless(conf, conf.definitions.empty() ? empty : conf.definitions[0]));
  return config;
}

Config from_words(std::span<const std::string> words) {
  Config config;
  Maker maker(*config.conf_);
  for (size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    size_t equals = word.find('=');
    std::string_view name = word.substr(0, equals);
    bool valued = equals != std::string_view::npos;
    if (name == "command") {
      // An argument vector, not a command string: what follows is never looked at.
      Words vector(words.begin() + static_cast<ptrdiff_t>(i) + 1, words.end());
      if (valued) vector.insert(vector.begin(), std::string(word.substr(equals + 1)));
      if (!vector.empty()) maker.add(name, vector, Assign::set);
      break;
    }
    // `x=` is one empty value; a bare `x` is none and empties the list (J3.5).
    Words values;
    if (valued) values.emplace_back(word.substr(equals + 1));
    if (valued && splits_at_commas(name)) values = split_exact(values[0], ',');
    maker.add(name, values, valued ? Assign::append : Assign::clear);
  }
  config.jails_.push_back(resolve_nameless(*config.conf_, maker.definition()));
  return config;
}

}  // namespace jail
