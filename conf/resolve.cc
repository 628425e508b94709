// How it stays linear. Nothing is copied that need not be: a setting without variables points at
// the words of its statement, whichever definition that stands in. Names were interned by the
// parser, so that "has this jail that parameter yet?" is a look at a slot by number: a slot counts
// if it bears the stamp of the jail being resolved, and nothing is cleared between jails. Wildcards
// are found by walking a tree of their components, not by trying each.
#include "conf/resolve.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "conf/expand.h"

namespace jail {
namespace {

// What resolving needs to know about a name, looked up once.
struct NameFacts {
  Found found;
  bool known = false;                // found is filled in
  std::vector<const Name*> related;  // the spellings with one `no` more or less (J1.12)
  // Where the entries of this name are in the jail being resolved: valid if the stamp is that
  // jail's.
  struct Slot {
    uint32_t stamp = 0;
    uint32_t index = 0;
  } parameter, variable;
};

// The wildcard definitions, by their components, so that a name finds its own without trying each.
struct WildcardNode {
  std::unordered_map<std::string_view, uint32_t> children;
  std::vector<uint32_t> here;  // definitions whose last component led here
};

class Resolver {
 public:
  Resolver(Conf& conf, const Resolving& how);

  std::vector<Jail> run();
  Jail nameless(const Definition& definition);

 private:
  void relate_names();
  void add_wildcard(uint32_t definition);
  void find_wildcards(std::string_view name);
  Jail merge(uint32_t definition);
  void begin_jail(std::string_view name);
  void imply(const Name* name, std::string_view value, Place place);
  void apply(const Definition& definition);
  void apply(const Statement& statement);
  Entry* entry_for(const Statement& statement);
  void append(Entry& entry, const Statement& statement);
  void check_variables();
  Jail finish(std::string_view name, Place place);
  void fail_jail(Place place, std::string text);
  NameFacts& facts(const Name* name) { return facts_[name->id]; }
  const Found& found(const Name* name);
  static Entry* find_reference(void* resolver, const Name* name);

  Conf& conf_;
  const Resolving how_;
  const Name* name_name_;
  const Name* jid_name_;
  std::vector<NameFacts> facts_;
  std::vector<WildcardNode> nodes_{1};
  std::vector<uint32_t> everywhere_;  // definitions of just `*`
  std::vector<uint32_t> matching_;
  std::vector<std::pair<uint32_t, std::string_view>>
      open_;  // nodes to be looked at, with the rest of the name
  std::vector<Entry> entries_;
  std::vector<Word> words_;
  std::vector<Setting> settings_;
  Expander expander_;
  std::string_view jail_;
  uint32_t stamp_ = 0;
  size_t statements_ = 0;
  bool failed_ = false;
  bool too_many_ = false;
};

Resolver::Resolver(Conf& conf, const Resolving& how)
    : conf_(conf),
      how_(how),
      name_name_(conf.names.intern("name")),
      jid_name_(conf.names.intern("jid")),
      facts_(conf.names.all().size()),
      expander_(conf, find_reference, this, how.most_bytes) {
  relate_names();
}

// Ties each name to the spellings that mean the same parameter. That is no equivalence (`nonox` is
// `nox`, and `nox` is `x`, but `nonox` is not `x`), so there is no common form to compare.
void Resolver::relate_names() {
  constexpr size_t longest = 256;  // no real name is longer, and each component costs a copy
  std::string without;
  for (const Name& name : conf_.names.all()) {
    if (name.text.size() > longest) continue;
    // `dot` is the one before each component; the first has none.
    for (size_t dot = std::string_view::npos, next = 0; next != std::string_view::npos;
         dot = next) {
      size_t at = dot + 1;
      next = name.text.find('.', at);
      if (!name.text.substr(at).starts_with("no")) continue;
      without.assign(name.text).erase(at, 2);
      const Name* other = conf_.names.find(without);
      if (!other) continue;
      facts(&name).related.push_back(other);
      facts(other).related.push_back(&name);
    }
  }
}

void Resolver::add_wildcard(uint32_t definition) {
  std::string_view rest = conf_.definitions[definition].name;
  if (rest == "*") return everywhere_.push_back(definition);
  uint32_t node = 0;
  for (;;) {
    size_t dot = rest.find('.');
    auto [at, is_new] = nodes_[node].children.try_emplace(rest.substr(0, dot),
                                                          static_cast<uint32_t>(nodes_.size()));
    node = at->second;
    if (is_new) nodes_.emplace_back();
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  nodes_[node].here.push_back(definition);
}

// Gathers the wildcards that match a name. Every node of the tree is seen at most once.
void Resolver::find_wildcards(std::string_view name) {
  open_.assign(1, {0, name});
  while (!open_.empty()) {
    auto [node, rest] = open_.back();
    open_.pop_back();
    const auto& children = nodes_[node].children;
    size_t dot = rest.find('.');
    bool last = dot == std::string_view::npos;
    for (std::string_view component : {std::string_view("*"), rest.substr(0, dot)}) {
      auto at = children.find(component);
      if (at == children.end()) continue;
      const std::vector<uint32_t>& here = nodes_[at->second].here;
      if (last || component == "*") matching_.insert(matching_.end(), here.begin(), here.end());
      if (!last) open_.push_back({at->second, rest.substr(dot + 1)});
    }
  }
}

void Resolver::fail_jail(Place place, std::string text) {
  Origin origin = conf_.where(place);
  conf_.messages.push_back({.stage = Stage::load,
                            .jail = std::string(jail_),
                            .file = std::string(origin.file),
                            .line = origin.line,
                            .column = origin.column,
                            .text = std::move(text)});
  failed_ = true;
}

const Found& Resolver::found(const Name* name) {
  NameFacts& of = facts(name);
  if (!of.known) of.found = how_.find(name->text);
  of.known = true;
  return of.found;
}

// From here on only what bears the new stamp is there.
void Resolver::begin_jail(std::string_view name) {
  jail_ = name;
  ++stamp_;
  failed_ = false;
  entries_.clear();
}

// The parameter that a block's name stands for.
void Resolver::imply(const Name* name, std::string_view value, Place place) {
  Word word{.text = value, .place = place};
  facts(name).parameter = {stamp_, static_cast<uint32_t>(entries_.size())};
  entries_.push_back({.name = name,
                      .values = conf_.arena.copy(std::span<const Word>(&word, 1)),
                      .place = place,
                      .variable = false,
                      .has_references = false});
}

// The entry that a statement is about: an old one, perhaps under its other spelling, or a new one.
Entry* Resolver::entry_for(const Statement& statement) {
  NameFacts& own = facts(statement.name);
  NameFacts::Slot& slot = statement.variable ? own.variable : own.parameter;
  if (slot.stamp == stamp_) return &entries_[slot.index];
  if (!statement.variable) {
    for (const Name* other : own.related) {
      NameFacts::Slot& old = facts(other).parameter;
      if (old.stamp != stamp_) continue;
      std::swap(slot, old);
      return &entries_[slot.index];
    }
  }
  slot = {stamp_, static_cast<uint32_t>(entries_.size())};
  entries_.push_back({statement.name, {}, 0, statement.variable, false});
  return &entries_.back();
}

// Puts the words of a `+=` behind those that are there. They are copied: the old ones may belong to
// a definition that other jails share.
void Resolver::append(Entry& entry, const Statement& statement) {
  if (statement.words.empty()) return;
  words_.assign(entry.values.begin(), entry.values.end());
  words_.insert(words_.end(), statement.words.begin(), statement.words.end());
  statements_ += words_.size();
  entry.values = conf_.arena.copy(std::span<const Word>(words_));
  entry.has_references |= statement.has_references;
}

// One statement onto the jail (J1.12). name and jid are set once, by whoever comes first, and the
// name of the block always does.
void Resolver::apply(const Statement& statement) {
  size_t before = entries_.size();
  Entry& entry = *entry_for(statement);
  bool is_new = entries_.size() != before;
  bool fixed = !statement.variable && (entry.name == name_name_ || entry.name == jid_name_);
  if (fixed && !is_new) {
    if (statement.name != entry.name)
      std::swap(facts(statement.name).parameter, facts(entry.name).parameter);
    return fail_jail(statement.place,
                     concat({"cannot redefine parameter \"", entry.name->text, "\"."}));
  }
  entry.name = statement.name;
  entry.place = statement.place;
  if (statement.assign == Assign::append && !entry.values.empty()) return append(entry, statement);
  entry.values = statement.words;
  entry.has_references = statement.has_references;
}

void Resolver::apply(const Definition& definition) {
  for (const Statement* at = definition.first; at; at = at->next) {
    if (++statements_ > how_.most_settings) return;
    apply(*at);
  }
}

// Variables and parameters share one name space, but only those parameters count that the jail has
// or that FreeBSD's command knows by name: our own additions take no name away from old files.
void Resolver::check_variables() {
  for (const Entry& entry : entries_) {
    if (!entry.variable) continue;
    const Found& meaning = found(entry.name);
    bool reserved =
        meaning.param && meaning.param->extra.reserved && meaning.param->name == entry.name->text;
    if (!reserved && facts(entry.name).parameter.stamp != stamp_) continue;
    fail_jail(entry.place, concat({"variable \"$", entry.name->text,
                                   "\" cannot have the same name as a parameter."}));
  }
}

// Only the jail's own spelling of a name counts; variables before parameters.
Entry* Resolver::find_reference(void* resolver, const Name* name) {
  auto* self = static_cast<Resolver*>(resolver);
  const NameFacts& of = self->facts(name);
  if (of.variable.stamp == self->stamp_) return &self->entries_[of.variable.index];
  if (of.parameter.stamp == self->stamp_) return &self->entries_[of.parameter.index];
  return nullptr;
}

// Everything is merged: expands, and keeps the result for good.
Jail Resolver::finish(std::string_view name, Place place) {
  check_variables();
  if (!expander_.expand_all(name, entries_)) failed_ = true;
  if (statements_ > how_.most_settings && !std::exchange(too_many_, true)) {
    fail_jail(place, "too many parameters in all jails together");
  }
  failed_ |= too_many_;
  settings_.clear();
  for (bool variable : {false, true}) {
    for (const Entry& entry : entries_) {
      if (entry.variable != variable) continue;
      Found meaning = variable ? Found{} : found(entry.name);
      settings_.push_back({entry.name, entry.values, entry.place, meaning, variable});
    }
  }
  std::span<const Setting> all = conf_.arena.copy(std::span<const Setting>(settings_));
  size_t count = static_cast<size_t>(std::ranges::count(entries_, false, &Entry::variable));
  return {.name = name,
          .place = place,
          .failed = failed_,
          .parameters = all.first(count),
          .variables = all.subspan(count)};
}

// The definitions that have a say about a jail, applied in the order of their first mention; its
// own is one of them, at its own place (J1.11).
Jail Resolver::merge(uint32_t definition) {
  const Definition& own = conf_.definitions[definition];
  begin_jail(own.name);
  bool numeric = numeric_name(own.name) != 0;
  imply(numeric ? jid_name_ : name_name_, own.name, own.place);
  matching_ = everywhere_;
  if (nodes_.size() > 1) find_wildcards(own.name);
  matching_.push_back(definition);
  std::ranges::sort(matching_);
  for (uint32_t at : matching_) apply(conf_.definitions[at]);
  // A numeric name implies jid, and is the name too unless another was given (J1.10).
  if (facts(name_name_).parameter.stamp != stamp_) imply(name_name_, own.name, own.place);
  return finish(own.name, own.place);
}

std::vector<Jail> Resolver::run() {
  std::vector<uint32_t> jails;
  for (uint32_t i = 0; i < conf_.definitions.size(); ++i) {
    if (is_wildcard(conf_.definitions[i].name)) {
      add_wildcard(i);
    } else {
      jails.push_back(i);
    }
  }
  std::vector<Jail> result;
  result.reserve(jails.size());
  for (uint32_t jail : jails) result.push_back(merge(jail));
  return result;
}

Jail Resolver::nameless(const Definition& definition) {
  begin_jail({});
  apply(definition);
  return finish({}, definition.place);
}

}  // namespace

const Setting* Jail::find(std::string_view parameter) const {
  auto at = std::ranges::find_if(parameters,
                                 [&](const Setting& one) { return one.name->text == parameter; });
  return at == parameters.end() ? nullptr : &*at;
}

std::vector<Jail> resolve(Conf& conf, const Resolving& how) {
  return Resolver(conf, how).run();
}

Jail resolve_nameless(Conf& conf, const Definition& definition, const Resolving& how) {
  return Resolver(conf, how).nameless(definition);
}

}  // namespace jail
