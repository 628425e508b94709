#include "conf/service_dir.h"

#include "conf/service_params.h"

namespace jail {
namespace {

constexpr ServiceFile table[] = {
    {"type", &ServiceFiles::type},
    {"notification-fd", &ServiceFiles::notification_fd},
    {"timeout-finish", &ServiceFiles::timeout_finish},
    {"timeout-kill", &ServiceFiles::timeout_kill},
    {"down-signal", &ServiceFiles::down_signal},
    {"max-death-tally", &ServiceFiles::max_death_tally},
};

// A file's first line, without blanks around it.
std::string_view first_line(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  text = text.substr(0, text.find('\n'));
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// Puts the number in a file, if there is such a file, into `value`.
void take_number(const std::optional<std::string>& text, const char* name, int64_t most,
                 int64_t& value, Words& remarks) {
  if (!text) return;
  const std::string_view line = first_line(*text);
  const bool digits = line.find_first_not_of("0123456789") == std::string_view::npos;
  const std::optional<int64_t> number = digits ? parse_int(line) : std::nullopt;
  if (number && *number <= most) {
    value = *number;
  } else {
    remarks.push_back(concat({name, ": not a number that makes sense"}));
  }
}

Tools tools_of(const ServiceFiles& files) {
  bool s6 = false;
  for (const ServiceFile& file : table) s6 |= (files.*file.text).has_value();
  if (s6) return Tools::s6;
  if (files.runit || (files.sv && !files.s6_svc)) return Tools::runit;
  return files.sv ? Tools::both : Tools::s6;
}

}  // namespace

std::span<const ServiceFile> service_files() {
  return table;
}

Result<ServiceDirectory> read_service_directory(std::string_view name, std::string_view path,
                                                const ServiceFiles& files) {
  constexpr int64_t day = 86'400'000;
  if (!files.run) return fail(ENOENT, "run: No such file or directory");
  if (files.type && first_line(*files.type) != "longrun")
    return fail(ENOTSUP, concat({"type: ", first_line(*files.type), " is not supported"}));
  ServiceDirectory result{.spec = {.name = std::string(name),
                                   .where = std::string(path),
                                   .command = {"./run", std::string(name)},
                                   .down = files.down,
                                   .directory = std::string(path),
                                   .restart = Restart::always,
                                   .restart_delay = 1000,
                                   .restart_max_delay = 0,
                                   .stop_timeout = 0},
                          .remarks = {}};
  ServiceSpec& spec = result.spec;
  spec.tools = tools_of(files);
  if (spec.tools == Tools::runit) spec.command.pop_back();
  Words& remarks = result.remarks;
  if (files.finish) spec.finish = {"./finish"};
  take_number(files.notification_fd, "notification-fd", 1023, spec.ready, remarks);
  take_number(files.timeout_finish, "timeout-finish", day, spec.finish_timeout, remarks);
  take_number(files.timeout_kill, "timeout-kill", day, spec.stop_timeout, remarks);
  take_number(files.max_death_tally, "max-death-tally", 4096, spec.death_tally, remarks);
  if (files.down_signal) {
    const std::optional<int64_t> signal = parse_signal(first_line(*files.down_signal));
    if (signal) spec.stop_signal = *signal;
    if (!signal) remarks.emplace_back("down-signal: not a signal");
  }
  // The logger comes first and goes last, so that nothing is lost; but each may be stopped alone.
  if (files.log) {
    spec.logger = concat({name, "/log"});
    spec.after = {spec.logger};
  }
  return result;
}

}  // namespace jail
