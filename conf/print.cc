#include "conf/print.h"

#include <fmt/format.h>

#include "conf/config.h"
#include "conf/lex.h"
#include "conf/param.h"

namespace jail {
namespace {

// What a block of this name implies is not written into it: name and jid, in the way of J1.10.
struct Implied {
  bool block = false;
  bool jid = false;
};

Implied implied_by(const Spec& spec) {
  if (!spec.name || is_wildcard(*spec.name)) return {};
  long number = numeric_name(*spec.name);
  if (number == 0) return {.block = true};
  if (!spec.jid || *spec.jid != number) return {};
  return {.block = true, .jid = true};
}

std::string statement(const Param& param, const Words& words) {
  if (param.is_boolean()) return words[0] == "true" ? param.name : with_no(param.name, true);
  std::string text = param.name;
  const char* before = " = ";
  for (const std::string& word : words) {
    text += before;
    text += quote_word(word);
    before = ", ";
  }
  return text;
}

}  // namespace

std::string print_spec(const Spec& spec) {
  Implied implied = implied_by(spec);
  std::string text, indent = implied.block ? "  " : "";
  if (implied.block) text = quote_word(*spec.name) + " {\n";
  for (const Param& param : params()) {
    std::string_view name = param.name;
    if ((name == "name" && implied.block) || (name == "jid" && implied.jid)) continue;
    if (auto words = field_words(param, spec))
      text += fmt::format("{}{};\n", indent, statement(param, *words));
  }
  if (implied.block) text += "}\n";
  return text;
}

// The whole way of a configuration, wildcards and all: there is one reader of this grammar, and a
// snapshot is damaged where that finds anything wrong.
Result<Spec> read_spec(const std::string& name, std::string text) {
  Config config = load_text(name, text);
  if (!config.rejected() && config.jails().empty()) config = load_nameless(name, std::move(text));
  if (!config.messages().empty()) return fail(EINVAL, config.messages()[0].line_text());
  if (config.jails().size() != 1) return fail(EINVAL, name + ": not one jail");
  Spec spec;
  for (const Setting& setting : config.jails()[0].parameters) {
    if (!setting.found.param)
      return fail(EINVAL, fmt::format("{}: unknown parameter: {}", name, setting.name->text));
    std::vector<std::string_view> words;
    for (const Word& word : setting.values) words.push_back(word.text);
    TRY(in(name, in(setting.name->text, set_field(setting.found, words, spec))));
  }
  return spec;
}

}  // namespace jail
