// The state of an interface as text: one fact a line, "WORD VALUE", what is empty left out. It lies
// on disk while the interface is lent (the record's lent.IF), so another version of this program
// may read it: words are added, never changed, and read by the tables that write them.
#include <fmt/format.h>

#include "os/linux/interface.h"

namespace jail {

namespace {

constexpr std::string_view version = "interface 1";

// Facts that stand in one line each.
struct Text {
  const char* word;
  std::string InterfaceState::* field;
};
constexpr Text texts[] = {
    {"name", &InterfaceState::name},
    {"kind", &InterfaceState::kind},
    {"master", &InterfaceState::master},
    {"alias", &InterfaceState::alias},
};
constexpr Text bytes[] = {
    {"hardware", &InterfaceState::hardware},
    {"permanent", &InterfaceState::permanent},
};
struct Number {
  const char* word;
  uint32_t InterfaceState::* field;
};
constexpr Number numbers[] = {
    {"index", &InterfaceState::index},
    {"flags", &InterfaceState::flags},
    {"mtu", &InterfaceState::mtu},
    {"queue", &InterfaceState::queue},
};
struct List {
  const char* word;
  Words InterfaceState::* field;
};
constexpr List lists[] = {
    {"altname", &InterfaceState::altnames},
    {"setting", &InterfaceState::settings},
};
struct Entries {
  const char* word;
  std::vector<InterfaceEntry> InterfaceState::* field;
};
constexpr Entries entries[] = {
    {"address", &InterfaceState::addresses},
    {"route", &InterfaceState::routes},
};

// Rows of these tables are found by `word`, which is no `name` of base/table.h.
template <class Row, size_t N>
const Row* row_of(const Row (&rows)[N], std::string_view word) {
  for (const Row& row : rows) {
    if (word == row.word) return &row;
  }
  return nullptr;
}

std::string hex(std::string_view data) {
  std::string text;
  for (char byte : data) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

Result<std::string> unhex(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string data;
  for (size_t at = 0; at < text.size(); at += 2) {
    size_t high = digits.find(text[at]),
           low = digits.find(at + 1 < text.size() ? text[at + 1] : '?');
    if (high == std::string_view::npos || low == std::string_view::npos)
      return fail(EINVAL, "not hexadecimal");
    data += static_cast<char>(high * 16 + low);
  }
  return data;
}

// Aliases are anybody's text: a newline in one must not begin a line of ours.
std::string quote(std::string_view text) {
  std::string quoted;
  for (char c : text) quoted += c == '\n' ? "\\n" : c == '\\' ? "\\\\" : std::string(1, c);
  return quoted;
}

std::string unquote(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size(); ++at) {
    bool escaped = text[at] == '\\' && at + 1 < text.size();
    if (escaped) ++at;
    plain += escaped && text[at] == 'n' ? '\n' : text[at];
  }
  return plain;
}

// "10.0.0.1/24 | HEADER TYPE:PAYLOAD ...": what stands before the bar is for people.
std::string print_entry(const InterfaceEntry& entry) {
  std::string text = fmt::format("{} | {}", entry.shown, hex(entry.header));
  for (const auto& [type, payload] : entry.attributes)
    text += fmt::format(" {}:{}", type, hex(payload));
  return text;
}

Result<InterfaceEntry> parse_entry(std::string_view text) {
  size_t bar = text.find(" | ");
  if (bar == std::string_view::npos) return fail(EINVAL, "no header");
  InterfaceEntry entry{.shown = std::string(text.substr(0, bar)), .header = {}, .attributes = {}};
  for (const std::string& word : split(text.substr(bar + 3), " ")) {
    size_t colon = word.find(':');
    if (colon == std::string::npos) {
      entry.header = TRY(unhex(word));
      continue;
    }
    std::optional<int64_t> type = parse_int(word.substr(0, colon));
    if (!type || *type < 0 || *type > UINT16_MAX) return fail(EINVAL, "no attribute");
    entry.attributes.emplace_back(static_cast<unsigned>(*type),
                                  TRY(unhex(std::string_view(word).substr(colon + 1))));
  }
  return entry;
}

// The first line, the version, is a word of no table and passed over here.
Result<void> parse_line(std::string_view word, std::string_view value, InterfaceState& state) {
  if (auto* text = row_of(texts, word)) {
    state.*text->field = unquote(value);
  } else if (auto* data = row_of(bytes, word)) {
    state.*data->field = TRY(unhex(value));
  } else if (auto* number = row_of(numbers, word)) {
    std::optional<int64_t> parsed = parse_int(value);
    if (!parsed || *parsed < 0 || *parsed > UINT32_MAX) return fail(EINVAL, "not a number");
    state.*number->field = static_cast<uint32_t>(*parsed);
  } else if (auto* list = row_of(lists, word)) {
    (state.*list->field).push_back(unquote(value));
  } else if (auto* many = row_of(entries, word)) {
    (state.*many->field).push_back(TRY(parse_entry(value)));
  }  // a word of a later version is passed over
  return {};
}

}  // namespace

std::string print_interface(const InterfaceState& state) {
  std::string out(version);
  out += '\n';
  for (const Text& row : texts) {
    if (!(state.*row.field).empty())
      out += fmt::format("{} {}\n", row.word, quote(state.*row.field));
  }
  for (const Number& row : numbers) out += fmt::format("{} {}\n", row.word, state.*row.field);
  for (const Text& row : bytes) {
    if (!(state.*row.field).empty()) out += fmt::format("{} {}\n", row.word, hex(state.*row.field));
  }
  for (const List& row : lists) {
    for (const std::string& value : state.*row.field)
      out += fmt::format("{} {}\n", row.word, quote(value));
  }
  for (const Entries& row : entries) {
    for (const InterfaceEntry& entry : state.*row.field) {
      out += fmt::format("{} {}\n", row.word, print_entry(entry));
    }
  }
  return out;
}

Result<InterfaceState> parse_interface(std::string_view text) {
  InterfaceState state;
  Words lines = split(text, "\n");
  if (lines.empty() || lines[0] != version)
    return fail(EINVAL, "saved interface: not a saved interface");
  for (std::string_view line : lines) {
    size_t blank = std::min(line.find(' '), line.size());
    std::string_view value = line.substr(std::min(blank + 1, line.size()));
    TRY(in("saved interface: " + std::string(line),
           parse_line(line.substr(0, blank), value, state)));
  }
  if (state.name.empty()) return fail(EINVAL, "saved interface: no name");
  return state;
}

}  // namespace jail
