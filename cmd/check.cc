// `jail --check FILE`: everything that is wrong with a file, each with the line it stands on.
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "cmd/errors.h"
#include "cmd/explain.h"
#include "conf/config.h"
#include "conf/import.h"

namespace jail {
namespace {

// A message without its jail, by its place and text: what several jails inherit is one mistake.
struct Finding {
  Message message;
  size_t order;  // in which it was found
  size_t jails = 0;
};

// Collects what every stage finds; errors of one jail never hide those of another.
class Checker {
 public:
  explicit Checker(const Config& config) : config_(config) {}

  void load();
  void depend();
  void import();
  Explained report();

 private:
  void add(const Message& message);
  std::string show(const Finding& finding) const;

  const Config& config_;
  std::vector<Finding> findings_;
  std::map<std::string, size_t> index_;
};

// By place and text, whatever jail it is about.
void Checker::add(const Message& message) {
  std::string key =
      fmt::format("{}:{}:{}:{}", message.file, message.line, message.column, message.text);
  auto [at, is_new] = index_.try_emplace(std::move(key), findings_.size());
  if (is_new) findings_.push_back({message, findings_.size()});
  ++findings_[at->second].jails;
}

void Checker::load() {
  for (const Message& message : config_.messages()) {
    // Behind a syntax error a definition may be missing only because it could not be read.
    bool guess =
        config_.rejected() && message.stage == Stage::load && message.text.ends_with(" not found");
    if (!guess) add(message);
  }
}

void Checker::depend() {
  if (config_.rejected()) return;
  for (const Complaint& complaint : depend_graph(nodes_of(config_)).complaints) {
    const Jail& jail = config_.jails()[complaint.job];
    const Setting* setting = jail.find("depend");
    Origin origin = config_.where(setting ? setting->place : jail.place);
    add({.stage = Stage::depend,
         .jail = std::string(jail.name),
         .file = std::string(origin.file),
         .line = origin.line,
         .column = origin.column,
         .text = complaint.text});
  }
}

void Checker::import() {
  // A value that could not be expanded may look wrong for that reason alone.
  std::set<std::pair<std::string, uint32_t>> broken;
  for (const Message& message : config_.messages()) broken.emplace(message.file, message.line);
  for (const Jail& jail : config_.jails()) {
    for (const Message& message : import_jail(config_, jail, {.everything = true}).messages) {
      if (!jail.failed || !broken.contains({message.file, message.line})) add(message);
    }
  }
}

// One error as it is printed: place, text, line, mark.
std::string Checker::show(const Finding& finding) const {
  const Message& message = finding.message;
  std::string text = message.file;
  if (message.line != 0) text += fmt::format(":{}:{}", message.line, message.column);
  if (!text.empty()) text += ": ";
  if (!message.jail.empty()) text += printable(message.jail) + ": ";
  text += printable(message.text);
  if (finding.jails > 1 && !message.jail.empty())
    text += fmt::format(" (and {} more)", finding.jails - 1);
  text += '\n';
  // What is far right in a very long line is shown from a little before it.
  constexpr size_t widest = 100, before = 40;
  std::string_view line = config_.line(message.file, message.line);
  if (line.empty()) return text;
  size_t column = std::min<size_t>(message.column - 1, line.size());
  size_t cut = column > widest ? column - before : 0;
  std::string shown(line.substr(cut, widest)), mark;
  for (char& c : shown)
    c = (c != '\t' && static_cast<unsigned char>(c) < ' ') || c == 0x7f ? '?' : c;
  for (size_t i = cut; i < column; ++i) {
    // Bytes that continue a character take no place, and tabs must stay as wide as above.
    if ((static_cast<unsigned char>(line[i]) & 0xc0) != 0x80) mark += line[i] == '\t' ? '\t' : ' ';
  }
  return text + fmt::format("    {}\n    {}^\n", shown, mark);
}

// In the order of the files as they were first met, and within each from top to bottom: what people
// mend one after another.
Explained Checker::report() {
  std::map<std::string_view, size_t> files;
  for (const Finding& finding : findings_) files.try_emplace(finding.message.file, files.size());
  std::ranges::sort(findings_, {}, [&](const Finding& finding) {
    const Message& of = finding.message;
    return std::tuple(files[of.file], of.line, of.column, finding.order);
  });
  Explained result{.status = findings_.empty() ? 0 : 1};
  for (const Finding& finding : findings_) result.text += show(finding);
  return result;
}

}  // namespace

Explained check_file(const std::string& file) {
  Config config = load(file, Thorough::everything);
  Checker checker(config);
  checker.load();
  checker.depend();
  checker.import();
  return checker.report();
}

}  // namespace jail
