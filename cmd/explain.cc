#include "cmd/explain.h"

#include <algorithm>
#include <fmt/format.h>

#include "conf/config.h"
#include "conf/import.h"
#include "conf/lex.h"

namespace jail {
namespace {

// One line of the human form.
struct Row {
  std::string name;
  std::string value;
  std::string place;
};

std::string place_text(Origin origin) {
  return origin.line == 0 ? std::string() : fmt::format("{}:{}", origin.file, origin.line);
}

// A value as it would be quoted by -e; escaped where it would otherwise upset lines or a terminal.
std::string shown(std::string_view value) {
  bool plain = std::ranges::none_of(
      value, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
  return plain ? quote_value(value) : quote_word(value);
}

void add_rows(const Config& config, const Setting& setting, std::vector<Row>& rows) {
  std::string name =
      setting.variable ? fmt::format("${}", setting.name->text) : std::string(setting.name->text);
  if (setting.values.empty()) rows.push_back({name, "", place_text(config.where(setting.place))});
  for (const Word& word : setting.values) {
    rows.push_back({std::move(name), shown(word.text), place_text(config.where(word.place))});
    name.clear();  // further values stand below the first
  }
}

std::string explain_jail(const Config& config, const Jail& jail) {
  std::vector<Row> rows;
  for (const Setting& setting : jail.parameters) add_rows(config, setting, rows);
  for (const Setting& setting : jail.variables) add_rows(config, setting, rows);
  // One very long value should not push all places out of sight.
  constexpr size_t widest = 40;
  size_t names = 0, values = 0;
  for (const Row& row : rows) {
    names = std::max(names, row.name.size());
    values = std::max(values, std::min(row.value.size(), widest));
  }
  std::string text =
      fmt::format("{}  ({}){}\n", shown(jail.name), place_text(config.where(jail.place)),
                  jail.failed ? "  failed" : "");
  for (const Row& row : rows) {
    text += fmt::format("  {:<{}}  {:<{}}  {}\n", row.name, names, row.value, values, row.place);
  }
  return text;
}

}  // namespace

// jid is never printed here (J3.7): -J puts the one that was given out in front of the line.
std::string jail_line(const Jail& jail, std::string_view separator) {
  std::string line;
  for (const Setting& setting : jail.parameters) {
    if (setting.name->text == "jid") continue;
    if (!line.empty()) line += separator;
    line += setting.name->text;
    char before = '=';
    for (const Word& word : setting.values) {
      line += before;
      line += quote_value(word.text);
      before = ',';
    }
  }
  return line;
}

std::string list_jails(const Config& config, std::string_view separator) {
  std::string text;
  for (const Jail& jail : config.jails()) text.append(jail_line(jail, separator)).append(1, '\n');
  return text;
}

Result<std::string> explain(const Config& config, std::string_view name) {
  std::string text;
  for (const Jail& jail : config.jails()) {
    bool wanted = name.empty() || jail.name == name ||
                  (is_wildcard(name) && wildcard_matches(name, jail.name));
    if (!wanted) continue;
    if (!text.empty()) text += '\n';
    text += explain_jail(config, jail);
  }
  // `*` of no jails is all of them.
  if (text.empty() && !name.empty() && name != "*")
    return fail(ESRCH, fmt::format("\"{}\" not found", name));
  return text;
}

std::vector<Node> nodes_of(const Config& config) {
  std::vector<Node> nodes;
  nodes.reserve(config.jails().size());
  for (const Jail& jail : config.jails()) {
    Node node{std::string(jail.name), {}};
    if (const Setting* depend = jail.find("depend")) {
      for (const Word& word : depend->values) node.depend.emplace_back(word.text);
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

}  // namespace jail
