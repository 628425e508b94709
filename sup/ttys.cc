#include "sup/ttys.h"

#include <algorithm>

namespace jail {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_space(char c) {
  return is_blank(c) || (c >= '\n' && c <= '\r');
}

void skip_space(std::string_view& text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
}

// A line being read: what is left of it, and the entry so far.
struct Reading {
  std::string_view rest;
  const TtyWorld& world;
  TtyLine line = {};
  std::optional<bool> exists = {};  // asked once a line, however often the flag is there

  // Whether there is one more field.
  bool more() const { return !rest.empty() && rest.front() != '#'; }

  std::string field();
  bool at_word(std::string_view word) const;
  bool flag();
};

// The next field, without its quotes; the blanks behind it go too.
std::string Reading::field() {
  std::string text;
  bool quoted = false;
  size_t at = 0;
  for (; at < rest.size(); ++at) {
    char c = rest[at];
    if (c == '"') {
      quoted = !quoted;
      continue;
    }
    if (!quoted && (is_blank(c) || c == '#')) break;
    if (quoted && c == '\\' && rest.substr(at + 1).starts_with('"')) c = rest[++at];
    if (text.size() < max_tty_text) {
      text += c;
    } else {
      line.cut = true;
    }
  }
  while (at < rest.size() && is_blank(rest[at])) ++at;
  rest.remove_prefix(at);
  return text;
}

// Whether the unquoted `word` is next, with white space or the end of the line behind it.
bool Reading::at_word(std::string_view word) const {
  return rest.starts_with(word) && (rest.size() == word.size() || is_space(rest[word.size()]));
}

bool device_exists(Reading& reading) {
  if (!reading.exists) reading.exists = reading.world.exists(tty_device(reading.line.name));
  return *reading.exists;
}

bool is_console(const Reading& reading) {
  return std::ranges::find(reading.world.consoles, reading.line.name) !=
         reading.world.consoles.end();
}

struct FlagRow {
  std::string_view word;
  void (*apply)(Reading&);
};

constexpr FlagRow flag_rows[] = {
    {"on", [](Reading& r) { r.line.on = true; }},
    {"off", [](Reading& r) { r.line.on = false; }},
    {"onifconsole",
     [](Reading& r) {
       r.line.conditional = true;
       r.line.on = r.line.on || is_console(r);
     }},
    {"onifexists",
     [](Reading& r) {
       r.line.conditional = true;
       r.line.on = r.line.on || device_exists(r);
     }},
    {"secure", [](Reading& r) { r.line.secure = true; }},
    {"insecure", [](Reading& r) { r.line.secure = false; }},
    {"dialup", [](Reading& r) { r.line.dialup = true; }},
    {"network", [](Reading& r) { r.line.network = true; }},
};

// Applies the flag that is next; false if it is none.
bool Reading::flag() {
  for (const FlagRow& row : flag_rows) {
    if (!at_word(row.word)) continue;
    row.apply(*this);
    (void)field();
    return true;
  }
  constexpr std::string_view window = "window=", group = "group=";
  if (rest.starts_with(window)) {
    line.window = field().substr(window.size());
  } else if (rest.starts_with(group)) {
    line.group = field().substr(group.size());
  } else {
    return false;
  }
  return true;
}

TtyLine read_line(std::string_view text, const TtyWorld& world) {
  Reading reading{text, world};
  TtyLine& line = reading.line;
  line.name = reading.field();
  if (reading.more()) line.command = reading.field();
  if (reading.more()) {
    line.dialup = reading.at_word("dialup");
    line.network = reading.at_word("network");
    line.type = reading.field();
  }
  while (reading.more() && reading.flag()) {
  }
  if (reading.rest.starts_with('#')) {
    reading.rest.remove_prefix(1);
    skip_space(reading.rest);
  }
  line.comment = reading.rest.substr(0, max_tty_text);
  return std::move(line);
}

}  // namespace

std::optional<TtyLine> next_tty(std::string_view& text, const TtyWorld& world) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('\0'));
    skip_space(line);
    if (!line.empty() && line.front() != '#') return read_line(line, world);
  }
  return std::nullopt;
}

Words tty_words(std::string_view text) {
  Words words;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    if (text.empty()) return words;
    const bool quoted = text.front() == '\'';
    if (quoted) text.remove_prefix(1);
    const size_t end = quoted ? text.find('\'') : std::min(text.find_first_of(" \t"), text.size());
    if (end == std::string_view::npos) return words;
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(quoted ? end + 1 : end);
  }
}

std::string tty_device(std::string_view name) {
  return name.starts_with('/') ? std::string(name) : concat({"/dev/", name});
}

Words active_consoles(std::string_view text) {
  return split(text.substr(0, text.find('/')), ", \t\n");
}

bool console_is_secure(std::string_view text) {
  const TtyWorld nothing{[](const std::string&) { return false; }};
  while (std::optional<TtyLine> line = next_tty(text, nothing))
    if (line->name == "console") return line->secure;
  return true;
}

std::string default_ttys(const TtyWorld& world) {
  // Of what a getty is given last is always the line. Speeds mean nothing on a pseudo-terminal, but
  // both kinds of Linux's getty want one; agetty is also found under the name getty.
  constexpr std::string_view gettys[][2] = {{"/sbin/agetty", " --noclear -L 115200"},
                                            {"/sbin/getty", " -L 115200"},
                                            {"/bin/busybox", " getty -L 115200"},
                                            {"/usr/libexec/getty", " 3wire"}};
  for (const auto& [program, words] : gettys)
    if (world.exists(std::string(program)))
      return concat({"console \"", program, words, "\" xterm onifexists secure\n"});
  return "";
}

}  // namespace jail
