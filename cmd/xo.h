// The part of libxo(3) that jls(8) needs: one description of the output, printed as text, JSON, XML
// or HTML (J5.5). Every value may hold any bytes; what is no character of the style's encoding is
// replaced, so that a jail's host name never breaks a document. It only builds a string; it never
// prints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text.h"

namespace jail {

// How a document is written.
struct XoOptions {
  enum class Style : uint8_t { text, json, xml, html };
  Style style = Style::text;
  bool pretty = false;
};

// Takes every --libxo option out of the arguments: `--libxo OPTS`, `--libxo=OPTS` with names
// between commas, or `--libxo:LETTERS`. The last style counts; what is about buffering or warnings
// is taken and does nothing. Errors (EINVAL): "unknown libxo option: 'X'", "unknown libxo option
// value: 'X'", "missing libxo option"; the arguments are then of no use.
Result<XoOptions> take_libxo(Words& arguments);

// The length of the UTF-8 character that a text begins with, in bytes, or 0: overlong forms,
// surrogates and stray bytes are none (RFC 3629).
size_t utf8_size(std::string_view text);

// A document: containers, lists of instances, and in them fields and lists of values. What is
// opened is closed in turn. Pieces of text are for the styles that people read; names and values
// for the others.
class Xo {
 public:
  explicit Xo(XoOptions options) : options_(options) {}

  // A named container; a list of instances in it; an instance of the list so named.
  void open(std::string_view container);
  void open_list(std::string_view list);
  void open_instance(std::string_view list);
  void close();           // container or list
  void close_instance();  // and ends the line
  void end_line();

  // A column's heading, and text between values: for people alone.
  void title(std::string_view text);
  void text(std::string_view text);

  // A literal is a number, true, false or null, as it stands.
  enum class Kind : uint8_t { string, literal };
  // A value, and how it looks where people read it.
  void field(std::string_view name, std::string_view value, Kind kind, std::string_view shown);
  // Several values of one name.
  void leaf_list(std::string_view name, const Words& values, std::string_view shown);

  // Closes what is open and yields the whole. A document with nothing in it is "{ }" in JSON, else
  // nothing.
  std::string finish();

 private:
  // A container, list or instance that is open; `name` is its element, empty where XML has none.
  struct Level {
    std::string name;
    char closing = '}';
    bool empty = true;
  };

  bool is(XoOptions::Style style) const { return options_.style == style; }
  void push(std::string_view name, std::string_view element, char opening, char closing);
  void separate(bool wide);
  void indent(size_t depth);
  void element(std::string_view name, std::string_view content);
  void piece(std::string_view what, std::string_view text, std::string_view tag = {});

  XoOptions options_;
  std::string out_;
  std::vector<Level> levels_;
  size_t elements_ = 0;  // of the levels, those that are an element of XML
  bool in_line_ = false;
};

}  // namespace jail
