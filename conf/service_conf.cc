#include "conf/service_conf.h"

#include <algorithm>

#include "conf/resolve.h"
#include "conf/service_params.h"

namespace jail {
namespace {

constexpr size_t most_messages = 100;
constexpr size_t longest_name = 64;
constexpr Resolving limits = {
    // Jails' parameters mean nothing here, so none of their names is reserved.
    .find = [](std::string_view) { return Found{}; },
    .most_settings = size_t{1} << 17,
    .most_bytes = size_t{8} << 20,
};

// From what the parser and the resolver made of the text to services.
class Reader {
 public:
  Reader(Conf& conf, const Words& others, ServiceConf& result)
      : conf_(conf), others_(others), result_(result) {}

  void take_messages();
  void read(const Jail& block);
  void check_names();

 private:
  void complain(std::string_view service, Place place, std::string text);
  void keep(Message message);
  bool read_setting(const Setting& setting, ServiceSpec& spec);

  Conf& conf_;
  const Words& others_;
  ServiceConf& result_;
  std::vector<Place> depends_;  // of each service, where it says so
};

// One mistake is one message, however many services have it from a wildcard.
void Reader::keep(Message message) {
  Messages& messages = result_.messages;
  if (messages.size() > most_messages) return;
  const bool again = std::ranges::any_of(messages, [&](const Message& old) {
    return old.line == message.line && old.column == message.column && old.text == message.text &&
           old.file == message.file;
  });
  if (again) return;
  if (messages.size() == most_messages) message = {.text = "there are more errors"};
  messages.push_back(std::move(message));
}

void Reader::take_messages() {
  for (Message& message : conf_.messages) keep(std::move(message));
}

void Reader::complain(std::string_view service, Place place, std::string text) {
  const Origin origin = conf_.where(place);
  keep({.stage = Stage::check,
        .jail = std::string(service),
        .file = std::string(origin.file),
        .line = origin.line,
        .column = origin.column,
        .text = std::move(text)});
}

// A name that no block gave is one that the resolver implied.
bool Reader::read_setting(const Setting& setting, ServiceSpec& spec) {
  std::vector<std::string_view> words;
  for (const Word& word : setting.values) words.push_back(word.text);
  Result<void> done = set_service_field(setting.name->text, words, spec);
  if (!done) complain(spec.name, setting.place, std::move(done.error().text));
  return done.has_value();
}

void Reader::read(const Jail& block) {
  if (!is_service_name(block.name)) return complain({}, block.place, "not a name for a service");
  if (result_.services.size() == most_services)
    return complain(block.name, block.place, "too many services");
  if (std::ranges::find(result_.services, block.name, &ServiceSpec::name) !=
      result_.services.end()) {
    return complain(block.name, block.place, "there is another service of this name");
  }
  const Origin origin = conf_.where(block.place);
  ServiceSpec spec{.name = std::string(block.name),
                   .where = concat({origin.file, ":", std::to_string(origin.line), ":",
                                    std::to_string(origin.column)})};
  bool good = !block.failed;
  Place depend = block.place;
  for (const Setting& setting : block.parameters) {
    if (setting.name->text == "name" || setting.name->text == "jid") continue;
    if (setting.name->text == "depend") depend = setting.place;
    good &= read_setting(setting, spec);
  }
  if (good && spec.command.empty()) complain(spec.name, block.place, "has no command");
  if (!good || spec.command.empty()) return;
  result_.services.push_back(std::move(spec));
  depends_.push_back(depend);
}

// A service that needs one that is not there is kept: it is shown as failed, with the reason.
void Reader::check_names() {
  std::vector<std::string_view> names(others_.begin(), others_.end());
  for (const ServiceSpec& spec : result_.services) names.push_back(spec.name);
  std::ranges::sort(names);
  for (size_t i = 0; i < result_.services.size(); ++i) {
    for (const std::string& name : result_.services[i].depend) {
      if (!std::ranges::binary_search(names, std::string_view(name)))
        complain(result_.services[i].name, depends_[i],
                 concat({"depends on ", name, ", which is no service"}));
    }
  }
}

}  // namespace

ServiceConf read_services(std::string name, std::string text, const Words& others) {
  ServiceConf result;
  const bool large = text.size() > longest_service_conf;
  if (large || text.contains('\0')) {
    result.messages.push_back({.stage = Stage::parse,
                               .file = std::move(name),
                               .text = large ? "File too large" : "not a text"});
    return result;
  }
  Conf conf;
  parse_text(std::move(name), std::move(text), Thorough::everything, conf);
  Reader reader(conf, others, result);
  if (!conf.rejected) {
    const std::vector<Jail> blocks = resolve(conf, limits);
    reader.take_messages();
    for (const Jail& block : blocks) reader.read(block);
    reader.check_names();
    result.services.shrink_to_fit();  // they are kept as they are
  } else {
    reader.take_messages();
  }
  return result;
}

bool is_service_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && name[0] != '.' &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f && c != '/'; });
}

std::string printable(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
  return text;
}

std::string placed_text(const Message& message) {
  std::string text = message.file;
  if (message.line != 0)
    text += concat({":", std::to_string(message.line), ":", std::to_string(message.column)});
  if (!text.empty()) text += ": ";
  if (!message.jail.empty()) text += message.jail + ": ";
  return printable(std::move(text) + message.text);
}

}  // namespace jail
