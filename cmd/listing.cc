#include "cmd/listing.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

#include "base/table.h"
#include "conf/address.h"
#include "conf/param.h"

namespace jail {
namespace {

// On a system without sets of CPUs by number a jail's own set has the jail's.
constexpr ReadOnly read_only_table[] = {
    {"parent", false, true, [](const Listed& row) { return std::to_string(row.parent); }},
    {"dying", true, true,
     [](const Listed& row) { return std::string(row.dying ? "true" : "false"); }},
    {"children.cur", false, true, [](const Listed& row) { return std::to_string(row.children); }},
    {"cpuset.id", false, true, [](const Listed& row) { return std::to_string(row.jid); }},
    {"pid1", false, false, [](const Listed& row) { return std::to_string(row.process1); }},
    {"cgroup", false, false, [](const Listed& row) { return row.cgroup; }},
    {"netns", false, false, [](const Listed& row) { return row.netns; }},
    {"status", false, false, [](const Listed& row) { return row.status; }},
    {"drift", false, false, [](const Listed& row) { return row.drift; }},
};

// A value on its way to the output. `missing` is a KEY that the jail does not have.
struct Value {
  enum class Kind : uint8_t { text, boolean, list, missing };
  Kind kind = Kind::text;
  bool truth = false;
  std::string text = {};
  Words words = {};
};

// Without interfaces and masks, as the kernel knows them.
Words bare(const std::optional<Words>& words, Family family) {
  if (!words) return {};
  const std::vector<std::string_view> views(words->begin(), words->end());
  return addresses_of(family, views).value_or(Words{});
}

// What `name`, meta.KEY or env.KEY, is in a text of lines KEY=VALUE.
Value key_of(std::string_view name, const std::string& lines) {
  const std::string_view key = name.substr(name.find('.') + 1);
  for (const std::string& line : split(lines, "\n")) {
    const size_t equals = line.find('=');
    if (std::string_view(line).substr(0, equals) != key) continue;
    return {.text = equals == std::string::npos ? "" : line.substr(equals + 1)};
  }
  return {.kind = Value::Kind::missing};
}

Value value_of(const Column& column, const Listed& row) {
  if (column.read_only != nullptr) {
    Value value{.text = column.read_only->value(row)};
    if (column.read_only->boolean) {
      value.kind = Value::Kind::boolean;
      value.truth = (value.text == "true") != column.found.negated;
    }
    return value;
  }
  const Param& param = *column.found.param;
  const Spec& shown = row.shown;
  if (param.extra.form == Form::ip4)
    return {.kind = Value::Kind::list, .words = bare(shown.ip4_addr, Family::ip4)};
  if (param.extra.form == Form::ip6)
    return {.kind = Value::Kind::list, .words = bare(shown.ip6_addr, Family::ip6)};
  std::string text = printed_value(param, shown).value_or("");
  if (column.found.is_key) return key_of(column.name, text);
  if (param.is_boolean())
    return {.kind = Value::Kind::boolean, .truth = (text == "true") != column.found.negated};
  return {.text = std::move(text)};
}

// -q: in quotes where there is white space or a quote; nothing is escaped.
std::string quoted(const std::string& text) {
  if (text.find_first_of(" \t\n\v\f\r\"'") == std::string::npos) return text;
  const bool single = text.find('"') != std::string::npos && text.find('\'') == std::string::npos;
  return single ? "'" + text + "'" : "\"" + text + "\"";
}

// An empty list has three looks: `-` for people, nothing behind `name=`, quotes for a shell (J5.3).
std::string plain(const Value& value, const View& view) {
  switch (value.kind) {
    case Value::Kind::boolean:
      return value.truth ? "true" : "false";
    case Value::Kind::list:
      if (!value.words.empty()) return join(value.words, ",");
      return view.quoted ? "\"\"" : view.name_value ? "" : "-";
    case Value::Kind::missing:
      return "";
    case Value::Kind::text:
      break;
  }
  if (value.text.empty()) return "\"\"";
  return view.quoted ? quoted(value.text) : value.text;
}

std::string base_name(const Column& column) {
  return column.found.negated ? with_no(column.name, false) : column.name;
}

// -n: a boolean is its name, with `no` where it is false; everything else NAME=VALUE (J5.3).
std::string named(const Column& column, const Value& value, const View& view) {
  if (value.kind == Value::Kind::missing) return column.name;
  if (value.kind != Value::Kind::boolean) return column.name + "=" + plain(value, view);
  const std::string base = base_name(column);
  return value.truth != column.found.negated ? base : with_no(base, true);
}

// -s: what a create would not take, or would take for an order to have more than this jail has.
bool left_out(const Column& column, const Listed& row) {
  if (column.read_only != nullptr) return true;
  if (column.found.is_key) return false;
  const std::string_view name = column.found.param->name;
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return false;
  const Param* first = find_row(params(), name.substr(0, dot));
  if (first == nullptr || !std::holds_alternative<std::optional<JailSys> Spec::*>(first->field))
    return false;
  return printed_value(*first, row.shown) != "new";
}

void emit(Xo& xo, const Column& column, const Value& value, const View& view) {
  const std::string shown = view.name_value ? named(column, value, view) : plain(value, view);
  switch (value.kind) {
    case Value::Kind::list:
      return xo.leaf_list(column.name, value.words, shown);
    case Value::Kind::boolean:
      return xo.field(column.name, value.truth ? "true" : "false",
                      view.name_value ? Xo::Kind::literal : Xo::Kind::string, shown);
    case Value::Kind::missing:
      return xo.field(column.name, "null", Xo::Kind::literal, shown);
    case Value::Kind::text:
      return xo.field(column.name, value.text, Xo::Kind::string, shown);
  }
}

void parameter_lines(Xo& xo, const View& view, const std::vector<Column>& columns,
                     std::span<const Listed> rows) {
  if (view.header) {
    Words names;
    for (const Column& column : columns) names.push_back(column.name);
    xo.title(join(names, " "));
    xo.end_line();
  }
  for (const Listed& row : rows) {
    xo.open_instance("jail");
    bool first = true;
    for (const Column& column : columns) {
      if (view.settable && left_out(column, row)) continue;
      if (!std::exchange(first, false)) xo.text(" ");
      emit(xo, column, value_of(column, row), view);
    }
    xo.close_instance();
  }
}

// Padded and cut to so many characters (not bytes: no character is cut in two). 0: as long as it
// is.
std::string fit(std::string_view text, size_t least, size_t most) {
  size_t end = 0, count = 0;
  for (; end < text.size(); ++end) {
    if ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) continue;
    if (most != 0 && count == most) break;
    ++count;
  }
  return std::string(text.substr(0, end)).append(least > count ? least - count : 0, ' ');
}

// Widths and headings are byte for byte those of J5.2: scripts cut columns out of them.
void table(Xo& xo, const View& view, std::span<const Listed> rows) {
  xo.title(view.names ? " JID             IP Address      Hostname                      Path"
                      : "   JID  IP Address      Hostname                      Path");
  xo.end_line();
  for (const Listed& row : rows) {
    const Words addresses = bare(row.shown.ip4_addr, Family::ip4);
    const std::string jid = std::to_string(row.jid);
    const std::string ip4 = addresses.empty() ? "" : addresses.front();
    const std::string hostname = row.shown.host_hostname.value_or(""),
                      path = row.shown.path.value_or("");
    xo.open_instance("jail");
    if (view.names) {
      xo.text(" ");
      xo.field("name", row.name, Xo::Kind::string, fit(row.name, 15, 0));
      xo.text(" ");
    } else {
      xo.field("jid", jid, Xo::Kind::literal, fmt::format("{:>6}", jid));
      xo.text("  ");
    }
    xo.field("ipv4", ip4, Xo::Kind::string, fit(ip4, 15, 15));
    xo.text(" ");
    xo.field("hostname", hostname, Xo::Kind::string, fit(hostname, 29, 29));
    xo.text(" ");
    xo.field("path", path, Xo::Kind::string, fit(path, 0, 74));
    xo.close_instance();
  }
}

// A line for each address, and a list for programs.
void address_lines(Xo& xo, const char* name, const Words& addresses) {
  std::string lines;
  for (const std::string& address : addresses) lines += "\n        " + address;
  xo.leaf_list(name, addresses, lines);
}

void verbose_lines(Xo& xo, std::span<const Listed> rows) {
  for (const char* line :
       {"   JID  Hostname                      Path", "        Name                          State",
        "        CPUSetID", "        IP Address(es)"}) {
    xo.title(line);
    xo.end_line();
  }
  for (const Listed& row : rows) {
    const std::string jid = std::to_string(row.jid);
    const std::string hostname = row.shown.host_hostname.value_or(""),
                      path = row.shown.path.value_or("");
    const char* state = row.dying ? "DYING" : "ACTIVE";
    xo.open_instance("jail");
    xo.field("jid", jid, Xo::Kind::literal, fmt::format("{:>6}", jid));
    xo.text("  ");
    xo.field("hostname", hostname, Xo::Kind::string, fit(hostname, 29, 29));
    xo.text(" ");
    xo.field("path", path, Xo::Kind::string, fit(path, 0, 74));
    xo.text("\n        ");
    xo.field("name", row.name, Xo::Kind::string, fit(row.name, 29, 29));
    xo.text(" ");
    xo.field("state", state, Xo::Kind::string, state);
    xo.text("\n        ");
    xo.field("cpusetid", jid, Xo::Kind::literal, jid);
    address_lines(xo, "ipv4_addrs", bare(row.shown.ip4_addr, Family::ip4));
    address_lines(xo, "ipv6_addrs", bare(row.shown.ip6_addr, Family::ip6));
    xo.close_instance();
  }
}

// Ours before the parameters: `parent` and `dying` are rows of both tables, and no field of a Spec.
std::optional<Column> column_of(std::string_view name) {
  const std::span<const ReadOnly> table(read_only_table);
  if (const ReadOnly* row = find_row(table, name)) return Column{std::string(name), {}, row};
  Found found = find_param(name);
  found.key = {};  // part of an argument that does not live as long as the column
  if (found.param != nullptr && found.param->owner == Owner::kernel)
    return Column{std::string(name), found, nullptr};
  if (!name.starts_with("no")) return std::nullopt;
  const ReadOnly* row = find_row(table, name.substr(2));
  if (row == nullptr || !row->boolean) return std::nullopt;
  return Column{std::string(name), {.negated = true}, row};
}

// What a system does not know, none of its jails has a value for.
bool any_has(const Param& param, std::span<const Listed> rows) {
  return rows.empty() || std::ranges::any_of(rows, [&](const Listed& row) {
           return field_words(param, row.shown).has_value();
         });
}

// FreeBSD asks the kernel for the list, which depends on its modules; so here on what any jail has.
Words all_names(std::span<const Listed> rows) {
  Words names;
  for (const ReadOnly& row : read_only_table) {
    if (row.in_all) names.emplace_back(row.name);
  }
  for (const Param& param : params()) {
    if (param.owner != Owner::kernel || param.access == Access::read) continue;
    if (any_has(param, rows)) names.emplace_back(param.name);
  }
  std::ranges::sort(names, [](const std::string& one, const std::string& other) {
    const bool dot = one.find('.') != std::string::npos,
               other_dot = other.find('.') != std::string::npos;
    return dot != other_dot ? other_dot : one < other;
  });
  return names;
}

}  // namespace

Result<std::vector<Column>> columns_of(const Words& arguments, std::span<const Listed> rows) {
  std::vector<Column> columns;
  std::unordered_set<std::string> seen;
  for (const std::string& argument : arguments) {
    for (const std::string& name : argument == "all" ? all_names(rows) : Words{argument}) {
      std::optional<Column> column = column_of(name);
      if (!column) return fail(EINVAL, "unknown parameter: " + name);
      if (seen.insert(name).second) columns.push_back(std::move(*column));
    }
  }
  return columns;
}

bool asks_for(const std::vector<Column>& columns, std::string_view name) {
  return std::ranges::any_of(columns, [&](const Column& column) { return column.name == name; });
}

std::string listing(XoOptions options, const View& view, const std::vector<Column>& columns,
                    std::span<const Listed> rows) {
  Xo xo(options);
  xo.open("jail-information");
  xo.open_list("jail");
  if (!columns.empty()) {
    parameter_lines(xo, view, columns, rows);
  } else if (view.verbose) {
    verbose_lines(xo, rows);
  } else {
    table(xo, view, rows);
  }
  return xo.finish();
}

}  // namespace jail
