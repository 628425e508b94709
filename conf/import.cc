#include "conf/import.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>

#include "base/file.h"
#include "conf/address.h"
#include "conf/config.h"
#include "conf/fstab.h"
#include "conf/param.h"

namespace jail {
namespace {

// One jail on its way into a Spec; each step adds what it finds wrong to the result.
class Importer {
 public:
  Importer(const Config& config, const Jail& jail, Import& result)
      : config_(config), jail_(jail), result_(result) {}

  void own_values();
  void fstab_files();
  void kernel_values(bool everything);

 private:
  bool set(const Setting& setting, Stage stage);
  void complain(Stage stage, Place place, std::string text);
  Given given(const Setting& setting) const;

  const Config& config_;
  const Jail& jail_;
  Import& result_;
  std::vector<std::string_view> views_;
};

void Importer::complain(Stage stage, Place place, std::string text) {
  Origin origin = config_.where(place);
  result_.messages.push_back({.stage = stage,
                              .jail = std::string(jail_.name),
                              .file = std::string(origin.file),
                              .line = origin.line,
                              .column = origin.column,
                              .text = std::move(text)});
}

// A value that is refused leaves its field as it was, so that one mistake makes no second message.
bool Importer::set(const Setting& setting, Stage stage) {
  views_.clear();
  for (const Word& word : setting.values) views_.push_back(word.text);
  Result<void> done = set_field(setting.found, views_, result_.spec);
  if (!done)
    complain(stage, setting.place, fmt::format("{}: {}", setting.name->text, done.error().text));
  return done.has_value();
}

void Importer::own_values() {
  for (const Setting& setting : jail_.parameters) {
    if (setting.is_own()) set(setting, Stage::check);
  }
}

// Read completely before the first step (J2.1): a file that a hook makes is not there yet.
void Importer::fstab_files() {
  if (!result_.spec.mount_fstab) return;
  const Setting* setting = jail_.find("mount.fstab");
  for (const std::string& file : *result_.spec.mount_fstab) {
    if (file.empty()) continue;
    Result<std::string> text = read_file(AT_FDCWD, file);
    if (!text) {
      std::string why = fmt::format("mount.fstab: {}: {}", file, std::strerror(text.error().code));
      complain(Stage::check, setting ? setting->place : jail_.place, std::move(why));
      continue;
    }
    for (std::string& line : fstab_file_lines(*text))
      result_.fstab_lines.push_back(std::move(line));
  }
}

// All that is wrong is told, not only the first (J1.14).
void Importer::kernel_values(bool everything) {
  for (const Setting& setting : jail_.parameters) {
    if (setting.is_own()) continue;
    if (!setting.found.param || setting.found.param->access == Access::read) {
      complain(Stage::import, setting.place,
               fmt::format("unknown parameter: {}", setting.name->text));
    } else if (set(setting, Stage::import)) {
      result_.kernel.push_back(given(setting));
      Result<void> range =
          everything ? check_range(*setting.found.param, result_.spec) : Result<void>{};
      if (!range) {
        complain(Stage::import, setting.place,
                 fmt::format("{}: refused: {}", setting.name->text, range.error().text));
      }
    }
  }
}

// What the kernel is given, in the form that it would print it: read back from the Spec, so that -v
// shows what was understood. A negated boolean is shown under the name as written, so its value is
// turned back.
Given Importer::given(const Setting& setting) const {
  const Param& param = *setting.found.param;
  Given result{std::string(setting.name->text), std::nullopt, &param};
  bool missing = setting.values.empty();
  if (missing && (param.is_boolean() || param.is_list() || setting.found.is_key)) return result;
  if (setting.found.is_key) {
    result.value = setting.values.back().text;
    return result;
  }
  result.value = printed_value(param, result_.spec);
  if (setting.found.negated) result.value = *result.value == "true" ? "false" : "true";
  return result;
}

}  // namespace

bool asks_for_init(std::string_view command) {
  const Words words = split(command, " \t");
  return words.size() == 1 && words.front() == "/sbin/jinit";
}

void imply_by_init(Spec& spec) {
  if (!spec.init && spec.init_program) spec.init = true;
  if (!spec.init && std::ranges::any_of(spec.exec_start.value_or(Words{}), asks_for_init))
    spec.init = true;
  if (!spec.init.value_or(false)) return;
  for (auto field : {&Spec::persist, &Spec::mount_devfs, &Spec::mount_procfs})
    if (!(spec.*field)) spec.*field = true;
  if (!spec.host_hostname && spec.host != JailSys::inherit && spec.name)
    spec.host_hostname = spec.name->substr(spec.name->rfind('.') + 1);
}

Import import_jail(const Config& config, const Jail& jail, ImportOptions options) {
  Import result;
  result.spec = std::move(options.onto);
  Importer importer(config, jail, result);
  importer.own_values();
  if (result.good() || options.everything) importer.fstab_files();
  if (result.good() || options.everything) importer.kernel_values(options.everything);
  imply_by_init(result.spec);
  return result;
}

bool gives_dying(const Jail& jail) {
  for (const Setting& setting : jail.parameters) {
    if (setting.found.param && setting.found.param->name == std::string_view("allow.dying"))
      return true;
  }
  return false;
}

std::string quote_value(std::string_view value) {
  if (value.empty()) return "\"\"";
  // A value that is plain stays bare, but for backslashes: FreeBSD doubles them even there.
  char quote = 0;
  const bool single = value.find('\'') != std::string_view::npos;
  if (!single && value.find('"') != std::string_view::npos) {
    quote = '\'';
  } else if (single || value.find_first_of(" \t") != std::string_view::npos) {
    quote = '"';
  }
  std::string result;
  if (quote) result += quote;
  for (char c : value) {
    if (c == '\\' || c == quote) result += '\\';
    result += c;
  }
  if (quote) result += quote;
  return result;
}

std::string given_text(const Given& given) {
  return given.value ? fmt::format("{}={}", given.name, quote_value(*given.value)) : given.name;
}

Words interface_words(Family family, const Spec& spec) {
  const std::optional<Words>& words = family == Family::ip4 ? spec.ip4_addr : spec.ip6_addr;
  Words result;
  for (const std::string& word : words.value_or(Words{})) {
    auto parsed = parse_addresses(family, std::span(&word, 1), spec.interface.value_or(""));
    auto on_interface = [](const Address& address) { return !address.interface.empty(); };
    if (parsed && std::ranges::any_of(*parsed, on_interface)) result.push_back(word);
  }
  return result;
}

}  // namespace jail
