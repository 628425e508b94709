// `jail --explain=json`: a configuration, and what a start of all its jails would come to.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cmd/explain.h"
#include "cmd/xo.h"
#include "conf/address.h"
#include "conf/config.h"
#include "conf/import.h"
#include "plan/schedule.h"

namespace jail {
namespace {

using Json = nlohmann::ordered_json;  // ordered: the same input gives the same bytes

// A string; bytes that are no UTF-8 as {"hex": ...}.
Json json(std::string_view text) {
  size_t size = 1;
  for (std::string_view rest = text; size != 0 && !rest.empty(); rest.remove_prefix(size))
    size = utf8_size(rest);
  if (size != 0) return std::string(text);
  std::string hex;
  for (char c : text) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return Json{{"hex", hex}};
}

Json place(const Config& config, Place at) {
  Origin origin = config.where(at);
  return Json{{"file", json(origin.file)}, {"line", origin.line}, {"column", origin.column}};
}

// Parameters or variables, with the place of each value.
Json settings(const Config& config, std::span<const Setting> all) {
  Json list = Json::array();
  for (const Setting& setting : all) {
    Json values = Json::array(), origins = Json::array();
    for (const Word& word : setting.values) {
      values.push_back(json(word.text));
      origins.push_back(place(config, word.place));
    }
    Json row{{"name", json(setting.name->text)}, {"values", std::move(values)}};
    if (!setting.variable) row["internal"] = setting.is_own();
    row["origin"] = place(config, setting.place);
    row["origins"] = std::move(origins);
    list.push_back(std::move(row));
  }
  return list;
}

// A boolean that is not true is handed over under its other name.
Json kernel_row(const Given& given) {
  if (!given.param->is_boolean() || !given.value) {
    return Json{{"name", json(given.name)}, {"value", given.value ? json(*given.value) : Json()}};
  }
  std::string name = given.name;
  if (*given.value == "false") name = with_no(name, given.name == given.param->name);
  return Json{{"name", json(name)}, {"value", nullptr}};
}

// What is kept aside for the start itself: not all of a parameter goes to the kernel.
Json converted(const Import& import) {
  Json list = Json::array();
  auto add = [&](const char* name, const Words& words) {
    if (words.empty()) return;
    Json values = Json::array();
    for (const std::string& word : words) values.push_back(json(word));
    list.push_back(Json{{"name", name}, {"values", std::move(values)}});
  };
  add("ip4.addr", interface_words(Family::ip4, import.spec));
  add("ip6.addr", interface_words(Family::ip6, import.spec));
  add("mount.fstab", import.fstab_lines);
  return list;
}

// A line is told where the text form would name one.
Json message(const Message& of) {
  bool has_line = of.line != 0 && (of.stage != Stage::parse || of.names_line);
  return Json{{"stage", stage_name(of.stage)},
              {"file", of.file.empty() ? Json() : json(of.file)},
              {"line", has_line ? Json(of.line) : Json()},
              {"column", has_line ? Json(of.column) : Json()},
              {"jail", of.jail.empty() ? Json() : json(of.jail)},
              {"message", json(of.text)}};
}

// All that is said of a configuration and of a start of all its jails.
class Explainer {
 public:
  explicit Explainer(const Config& config) : config_(config) {}
  Explained run();

 private:
  void import_all();
  void start_all();
  void say(const Message& of, bool fails);
  Message about(size_t job, Stage stage, std::string text) const;

  const Config& config_;
  Json jails_ = Json::array();
  Json order_ = Json::array();
  Json errors_ = Json::array();
  std::vector<Messages> wrong_;  // by jail
  bool dying_ = false;
  int status_ = 0;
};

void Explainer::say(const Message& of, bool fails) {
  errors_.push_back(message(of));
  if (fails) status_ = 1;
}

Message Explainer::about(size_t job, Stage stage, std::string text) const {
  return {.stage = stage, .jail = std::string(config_.jails()[job].name), .text = std::move(text)};
}

// The jails, each as if it had been started.
void Explainer::import_all() {
  for (const Jail& jail : config_.jails()) {
    Json row{{"name", json(jail.name)},
             {"failed", jail.failed},
             {"origin", place(config_, jail.place)},
             {"params", settings(config_, jail.parameters)},
             {"variables", settings(config_, jail.variables)}};
    Import import;
    if (!jail.failed) import = import_jail(config_, jail);
    Json kernel = Json::array();
    for (const Given& given : import.kernel) kernel.push_back(kernel_row(given));
    row["kernel"] = std::move(kernel);
    row["converted"] = converted(import);
    jails_.push_back(std::move(row));
    wrong_.push_back(std::move(import.messages));
  }
}

// Plays a start of all jails, one at a time: the order, and what would be said on the way.
void Explainer::start_all() {
  std::vector<Node> nodes = nodes_of(config_);
  Graph graph = depend_graph(nodes);
  for (const Complaint& complaint : graph.complaints)
    say(about(complaint.job, Stage::depend, complaint.text), true);
  std::vector<bool> bad, started(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    bad.push_back(!wrong_[i].empty());
    if (config_.jails()[i].failed) graph.standing[i] = Standing::failed;
  }
  for (const Visit& visit : dry_start(graph, nodes, graph.standing, bad)) {
    if (visit.fate == Fate::started) {
      order_.push_back(json(nodes[visit.job].name));
      started[visit.job] = true;
    } else if (visit.fate == Fate::skipped) {
      say(about(visit.job, Stage::start, "skipped"), true);
    } else {
      for (const Message& of : wrong_[visit.job]) say(of, true);
    }
    if (visit.fate == Fate::skipped || dying_ || !gives_dying(config_.jails()[visit.job])) continue;
    say({.stage = Stage::start, .text = dying_warning}, false);
    dying_ = true;
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    // Only of what was started it is known what the kernel would have got.
    if (!started[i]) jails_[i]["kernel"] = jails_[i]["converted"] = nullptr;
  }
}

Explained Explainer::run() {
  for (const Message& of : config_.messages()) say(of, true);
  import_all();
  start_all();
  Json all{{"exit", status_}, {"jails", jails_}, {"start_order", order_}, {"errors", errors_}};
  return {all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n", status_};
}

}  // namespace

Explained explain_json(const Config& config) {
  return Explainer(config).run();
}

}  // namespace jail
