// White space, `pretty` or not, is libxo's to the byte (J5.5): what looks arbitrary was observed.
#include "cmd/xo.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <span>
#include <utility>

#include "base/table.h"

namespace jail {
namespace {

using Style = XoOptions::Style;

// `letter` is that of --libxo:LETTERS; \0 for an option that has none.
struct Option {
  const char* name;
  char letter;
  void (*set)(XoOptions&);
};

constexpr Option option_table[] = {
    {"text", 'T', [](XoOptions& options) { options.style = Style::text; }},
    {"json", 'J', [](XoOptions& options) { options.style = Style::json; }},
    {"xml", 'X', [](XoOptions& options) { options.style = Style::xml; }},
    {"html", 'H', [](XoOptions& options) { options.style = Style::html; }},
    {"pretty", 'P', [](XoOptions& options) { options.pretty = true; }},
    // About what we never do.
    {"flush", 'F', [](XoOptions& /*options*/) {}},
    {"warn", 'W', [](XoOptions& /*options*/) {}},
    {"no-locale", '\0', [](XoOptions& /*options*/) {}},
};

Result<void> set_names(std::string_view names, XoOptions& options) {
  for (const std::string& name : split(names, ",")) {
    const Option* option = find_row(std::span<const Option>(option_table), name);
    if (option == nullptr) return fail(EINVAL, "unknown libxo option value: '" + name + "'");
    option->set(options);
  }
  return {};
}

Result<void> set_letters(std::string_view letters, XoOptions& options) {
  for (const char letter : letters) {
    const Option* option = std::ranges::find(option_table, letter, &Option::letter);
    if (option == std::end(option_table) || letter == '\0') {
      return fail(EINVAL, fmt::format("unknown libxo option: '{}'", letter));
    }
    option->set(options);
  }
  return {};
}

// Names between commas, or letters behind a colon.
Result<void> set_options(std::string_view text, XoOptions& options) {
  return text.starts_with(':') ? set_letters(text.substr(1), options) : set_names(text, options);
}

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

// Appends `text`, each ASCII character as `escape` appends it, and nothing but UTF-8.
template <class Escape>
void append_escaped(std::string& out, std::string_view text, Escape escape) {
  while (!text.empty()) {
    const size_t length = utf8_size(text);
    if (length == 1) {
      escape(text[0]);
    } else {
      out += length == 0 ? replacement : text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

void append_json(std::string& out, std::string_view text) {
  constexpr std::string_view special = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt";
  out += '"';
  append_escaped(out, text, [&](char c) {
    if (const size_t at = special.find(c); at != std::string_view::npos) {
      (out += '\\') += letters[at];
    } else if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  });
  out += '"';
}

// XML 1.0 has no way at all to say most control characters.
void append_xml(std::string& out, std::string_view text) {
  append_escaped(out, text, [&](char c) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\r':
        out += "&#13;";
        break;
      case '\t':
      case '\n':
        out += c;
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20U) {
          out += replacement;
        } else {
          out += c;
        }
    }
  });
}

// A name of an element: parameters' names are fine, the KEY of meta.KEY may hold anything.
std::string element_name(std::string_view name) {
  std::string result(name);
  for (char& c : result) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-' || c == '_';
    if (!fine) c = '_';
  }
  return result;
}

}  // namespace

// Byte by byte after the table of RFC 3629, section 4; a byte past the end is 0, which follows
// none.
size_t utf8_size(std::string_view text) {
  const auto byte = [&](size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const auto follows = [&](size_t at) { return (byte(at) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80U) return 1;
  if (first >= 0xC2U && first <= 0xDFU) return follows(1) ? 2 : 0;
  if ((first & 0xF0U) == 0xE0U) {
    const bool odd = (first == 0xE0U && second < 0xA0U) || (first == 0xEDU && second > 0x9FU);
    return follows(1) && follows(2) && !odd ? 3 : 0;
  }
  if (first >= 0xF0U && first <= 0xF4U) {
    const bool odd = (first == 0xF0U && second < 0x90U) || (first == 0xF4U && second > 0x8FU);
    return follows(1) && follows(2) && follows(3) && !odd ? 4 : 0;
  }
  return 0;
}

// Wherever they stand, before getopt(3) sees the rest, as xo_parse_args(3) does it.
Result<XoOptions> take_libxo(Words& arguments) {
  constexpr std::string_view word = "--libxo";
  XoOptions options;
  Words kept;
  for (size_t at = 0; at < arguments.size(); ++at) {
    const std::string_view argument = arguments[at];
    if (!argument.starts_with(word)) {
      kept.push_back(arguments[at]);
      continue;
    }
    const std::string_view rest = argument.substr(word.size());
    if (rest.empty()) {
      if (++at == arguments.size()) return fail(EINVAL, "missing libxo option");
      TRY(set_options(arguments[at], options));
    } else if (rest[0] == ':') {
      TRY(set_options(rest, options));
    } else if (rest[0] == '=') {
      TRY(set_options(rest.substr(1), options));
    } else {
      return fail(EINVAL, "unknown libxo option: '" + arguments[at] + "'");
    }
  }
  arguments = std::move(kept);
  return options;
}

void Xo::indent(size_t depth) {
  if (options_.pretty) out_.append(2 * depth, ' ');
}

// What comes before the next member of a JSON container.
void Xo::separate(bool wide) {
  if (levels_.empty()) return;
  if (!std::exchange(levels_.back().empty, false)) {
    out_ += ',';
    if (options_.pretty) {
      out_ += '\n';
    } else if (wide) {
      out_ += ' ';
    }
  }
  indent(levels_.size() + 1);
}

// Text and HTML know no levels: only what was opened is remembered. The outermost container brings
// the version that libxo puts into JSON and XML.
void Xo::push(std::string_view name, std::string_view element, char opening, char closing) {
  if (is(Style::json)) {
    const char* line_end = options_.pretty ? "\n" : "";
    if (levels_.empty()) {
      out_ += fmt::format("{{{}{}\"__version\": \"2\", {}{}", line_end, options_.pretty ? "  " : "",
                          line_end, options_.pretty ? "  " : "");
    }
    separate(true);
    if (!name.empty()) {
      append_json(out_, name);
      out_ += ": ";
    }
    (out_ += opening) += line_end;
  } else if (is(Style::xml) && !element.empty()) {
    indent(elements_++);
    out_ += fmt::format("<{}{}>{}", element, levels_.empty() ? " version=\"2\"" : "",
                        options_.pretty ? "\n" : "");
  }
  levels_.push_back({std::string(element), closing, true});
}

void Xo::open(std::string_view container) {
  push(container, container, '{', '}');
}
// In XML a list is not an element, its instances are; in JSON it is the other way round.
void Xo::open_list(std::string_view list) {
  push(list, {}, '[', ']');
}
void Xo::open_instance(std::string_view list) {
  push({}, list, '{', '}');
}

void Xo::close() {
  const Level level = std::move(levels_.back());
  levels_.pop_back();
  if (is(Style::json)) {
    if (options_.pretty && !level.empty) out_ += '\n';
    indent(levels_.size() + 1);
    out_ += level.closing;
  } else if (is(Style::xml) && !level.name.empty()) {
    indent(--elements_);
    out_ += fmt::format("</{}>{}", level.name, options_.pretty ? "\n" : "");
  }
}

void Xo::close_instance() {
  end_line();
  close();
}

void Xo::end_line() {
  if (is(Style::text)) out_ += '\n';
  if (is(Style::html) && std::exchange(in_line_, false))
    out_ += options_.pretty ? "\n</div>\n" : "</div>";
}

void Xo::title(std::string_view text) {
  piece("title", text);
}
void Xo::text(std::string_view text) {
  piece("text", text);
}

// In HTML a line is an element that its first piece opens.
void Xo::piece(std::string_view what, std::string_view text, std::string_view tag) {
  if (is(Style::text)) out_ += text;
  if (!is(Style::html)) return;
  if (!std::exchange(in_line_, true)) out_ += "<div class=\"line\">";
  if (options_.pretty) out_ += "\n  ";
  out_ += fmt::format("<div class=\"{}\"", what);
  if (!tag.empty()) {
    out_ += " data-tag=\"";
    append_xml(out_, tag);
    out_ += '"';
  }
  out_ += '>';
  append_xml(out_, text);
  out_ += "</div>";
}

void Xo::element(std::string_view name, std::string_view content) {
  const std::string tag = element_name(name);
  indent(elements_);
  out_ += fmt::format("<{}>", tag);
  append_xml(out_, content);
  out_ += fmt::format("</{}>{}", tag, options_.pretty ? "\n" : "");
}

void Xo::field(std::string_view name, std::string_view value, Kind kind, std::string_view shown) {
  if (is(Style::xml)) return element(name, kind == Kind::literal && value == "null" ? "" : value);
  if (!is(Style::json)) return piece("data", shown, name);
  separate(false);
  append_json(out_, name);
  out_ += options_.pretty ? ": " : ":";
  if (kind == Kind::literal) {
    out_ += value;
  } else {
    append_json(out_, value);
  }
}

// An empty list is `[]` in JSON and nothing in XML.
void Xo::leaf_list(std::string_view name, const Words& values, std::string_view shown) {
  if (is(Style::xml)) {
    for (const std::string& value : values) element(name, value);
    return;
  }
  if (!is(Style::json)) return piece("data", shown, name);
  open_list(name);
  for (const std::string& value : values) {
    separate(false);
    append_json(out_, value);
  }
  close();
}

std::string Xo::finish() {
  while (!levels_.empty()) close();
  if (is(Style::json)) out_ += out_.empty() ? "{ }\n" : options_.pretty ? "\n}\n" : "}\n";
  return std::move(out_);
}

}  // namespace jail
