#include "conf/service_params.h"

#include <algorithm>
#include <sys/resource.h>

#include "base/table.h"

namespace jail {
namespace {

using Spec = ServiceSpec;
using Form = ServiceForm;

constexpr int64_t day = 86'400'000;

// clang-format off
constexpr ServiceParam table[] = {
  {"command", &Spec::command, "What is run; it must stay in the foreground.", Form::command},
  {"finish", &Spec::finish, "What is run after each end of it.", Form::command},
  {"finish.timeout", &Spec::finish_timeout, "Seconds until finish is killed; 0 is no limit.", Form::seconds, 0, day},
  {"down", &Spec::down, "Not started by the boot, but by hand or for what depends on it."},
  {"depend", &Spec::depend, "Services that have to be up before it, and that it goes down with."},
  {"after", &Spec::after, "Services that come up before it, if they do at all."},
  {"user", &Spec::user, "The user that it runs as (root)."},
  {"group", &Spec::group, "Its group, where that is not the user's own."},
  {"groups", &Spec::groups, "Groups beside those of the user."},
  {"environment", &Spec::environment, "Variables as NAME=VALUE; environment.NAME is one of them.", Form::environment},
  {"directory", &Spec::directory, "Where it starts.", Form::path},
  {"umask", &Spec::umask, "The file mode creation mask.", Form::octal, 0, 0777},
  {"limit", &Spec::limits, "limit.RESOURCE is a limit of its process: one number, or a soft and a hard one.", Form::limit},
  {"ready", &Spec::ready, "The descriptor that a newline on means that it is up; start: it is up at once; exit: once it has ended well.", Form::ready, 0, 1023},
  {"ready.timeout", &Spec::ready_timeout, "Seconds that it may take to be ready; 0 is no limit.", Form::seconds, 0, day},
  {"restart", &Spec::restart, "After which ends it is run again: no, on-failure, always."},
  {"restart.delay", &Spec::restart_delay, "Seconds from one start to the next; doubled with each further run that was quick.", Form::seconds, 0, day},
  {"restart.max_delay", &Spec::restart_max_delay, "What that grows to.", Form::seconds, 0, day},
  {"restart.steady", &Spec::restart_steady, "Seconds that a run takes to be no quick one.", Form::seconds, 0, day},
  {"restart.limit", &Spec::restart_limit, "So many ends within restart.period, and it has failed; 0 is no limit.", Form::plain, 0, 1'000'000},
  {"restart.period", &Spec::restart_period, "Seconds.", Form::seconds, 1, 365 * day},
  {"on_exit", &Spec::on_exit, "What its end means for the jail: ignore, restart, halt, fail."},
  {"stop.signal", &Spec::stop_signal, "The signal that ends it.", Form::signal},
  {"stop.timeout", &Spec::stop_timeout, "Seconds until it is killed; 0 is no limit.", Form::seconds, 0, day},
  {"log", &Spec::log, "The file that takes its output.", Form::path},
  {"log.max_size", &Spec::log_max_size, "Its size when it is put aside and a new one begun; 0 is no limit.", Form::size},
  {"log.max_files", &Spec::log_max_files, "How many are kept beside it.", Form::plain, 0, 1000},
};

struct ResourceName { char name[8]; int resource; };

constexpr ResourceName resources[] = {
  {"as", RLIMIT_AS}, {"core", RLIMIT_CORE}, {"cpu", RLIMIT_CPU}, {"data", RLIMIT_DATA}, {"fsize", RLIMIT_FSIZE},
  {"memlock", RLIMIT_MEMLOCK}, {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}, {"rss", RLIMIT_RSS}, {"stack", RLIMIT_STACK},
};
// clang-format on

// What a value is read from.
struct Given {
  const ServiceParam& row;
  std::string_view key;  // behind the row's name: environment.KEY, limit.KEY
  std::span<const std::string_view> words;

  std::string_view last() const { return words.empty() ? std::string_view() : words.back(); }
  std::unexpected<Error> wrong(std::string_view what) const {
    return fail(EINVAL, concat({what, " \"", last(), "\""}));
  }
};

// With one of these characters a command line is a shell's, as in jail.conf (J4.3).
bool needs_shell(std::string_view line) {
  return line.find_first_of("!\"$&'()*;<>?[]\\`{|}~") != std::string_view::npos;
}

Result<void> put(const Given& given, std::string Spec::* field, Spec& spec) {
  if (given.row.form == Form::path && !given.words.empty() && !given.last().starts_with('/'))
    return given.wrong("no absolute path:");
  (spec.*field).assign(given.last());
  return {};
}

Result<void> put_command(const Given& given, Words& command) {
  if (given.words.size() != 1) {
    command.assign(given.words.begin(), given.words.end());
    if (!command.empty() && command[0].empty()) return fail(EINVAL, "its first word is empty");
  } else if (needs_shell(given.last())) {
    command = {"/bin/sh", "-c", std::string(given.last())};
  } else {
    command = split(given.last(), " \t\n\r\v\f");
  }
  return {};
}

// The lines NAME=VALUE; of two for one name the last counts.
Result<void> put_environment(const Given& given, Words& lines) {
  Words set;
  if (!given.key.empty()) {
    set.push_back(concat({given.key, "=", given.last()}));
  } else {
    lines.clear();
    set.assign(given.words.begin(), given.words.end());
  }
  for (std::string& line : set) {
    const size_t equals = line.find('=');
    if (equals == 0 || equals == std::string::npos)
      return fail(EINVAL, concat({"not NAME=VALUE: \"", line, "\""}));
    const std::string_view name = std::string_view(line).substr(0, equals + 1);
    std::erase_if(lines, [&](const std::string& old) { return old.starts_with(name); });
    lines.push_back(std::move(line));
    if (lines.size() > most_service_words) return fail(EINVAL, "too many values");
  }
  return {};
}

Result<void> put(const Given& given, Words Spec::* field, Spec& spec) {
  Words words(given.words.begin(), given.words.end());
  if (given.row.form == Form::command) TRY(put_command(given, words));
  if (given.row.form == Form::environment) {
    words = spec.*field;
    TRY(put_environment(given, words));
  }
  spec.*field = std::move(words);
  return {};
}

std::optional<int64_t> parse_octal(std::string_view text) {
  int64_t value = 0;
  if (text.empty() || text.size() > 8) return std::nullopt;
  for (char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + (c - '0');
  }
  return value;
}

Result<void> put(const Given& given, int64_t Spec::* field, Spec& spec) {
  const std::string_view text = given.last();
  std::optional<int64_t> value;
  if (given.row.form == Form::seconds) value = parse_seconds(text);
  if (given.row.form == Form::size) value = parse_size(text);
  if (given.row.form == Form::octal) value = parse_octal(text);
  if (given.row.form == Form::signal) {
    value = parse_signal(text);
    if (!value) return given.wrong("unknown signal");
  }
  if (given.row.form == Form::plain || given.row.form == Form::ready) value = parse_int(text);
  if (given.row.form == Form::ready && (text == "exit" || text == "start")) {
    spec.*field = text == "exit" ? ready_at_exit : ready_at_start;
    return {};
  }
  if (!value) return given.wrong("not a number:");
  if (*value < given.row.least || *value > given.row.most) return given.wrong("out of range:");
  spec.*field = *value;
  return {};
}

Result<void> put(const Given& given, bool Spec::* field, Spec& spec) {
  const std::string_view text = given.last();
  const bool on = given.words.empty() || text == "true" || text == "1";
  if (!on && text != "false" && text != "0") return given.wrong("unknown boolean value");
  spec.*field = on;
  return {};
}

Result<void> put(const Given& given, Restart Spec::* field, Spec& spec) {
  constexpr std::string_view names[] = {"no", "on-failure", "always"};
  auto at = std::ranges::find(names, given.last());
  if (at == std::end(names)) return given.wrong("is no, on-failure or always, not");
  spec.*field = static_cast<Restart>(at - names);
  return {};
}

Result<void> put(const Given& given, OnExit Spec::* field, Spec& spec) {
  constexpr std::string_view names[] = {"ignore", "restart", "halt", "fail"};
  auto at = std::ranges::find(names, given.last());
  if (at == std::end(names)) return given.wrong("is ignore, restart, halt or fail, not");
  spec.*field = static_cast<OnExit>(at - names);
  return {};
}

Result<uint64_t> limit_value(std::string_view text) {
  if (text == "unlimited") return ResourceLimit::no_limit;
  if (std::optional<int64_t> value = parse_size(text)) return static_cast<uint64_t>(*value);
  return fail(EINVAL, concat({"not a number: \"", text, "\""}));
}

Result<void> put(const Given& given, std::vector<ResourceLimit> Spec::* field, Spec& spec) {
  auto named = std::ranges::find_if(resources,
                                    [&](const ResourceName& one) { return one.name == given.key; });
  if (named == std::end(resources)) return fail(EINVAL, "no such resource");
  if (given.words.empty() || given.words.size() > 2)
    return fail(EINVAL, "is one number, or a soft and a hard one");
  ResourceLimit limit{.resource = named->resource};
  limit.soft = TRY(limit_value(given.words.front()));
  limit.hard = TRY(limit_value(given.words.back()));
  if (limit.soft > limit.hard) return fail(EINVAL, "the soft one is above the hard one");
  std::vector<ResourceLimit>& limits = spec.*field;
  std::erase_if(limits, [&](const ResourceLimit& old) { return old.resource == limit.resource; });
  limits.push_back(limit);
  return {};
}

// The row that a name means, and its key.
const ServiceParam* row_of(std::string_view name, std::string_view& key) {
  key = {};
  if (const ServiceParam* row = find_row(service_params(), name))
    return row->form == Form::limit ? nullptr : row;
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const ServiceParam* row = find_row(service_params(), name.substr(0, dot));
  key = name.substr(dot + 1);
  const bool keyed = row && (row->form == Form::environment || row->form == Form::limit);
  return keyed && !key.empty() ? row : nullptr;
}

}  // namespace

std::span<const ServiceParam> service_params() {
  return table;
}

Result<void> set_service_field(std::string_view name, std::span<const std::string_view> words,
                               ServiceSpec& spec) {
  std::string_view key;
  const ServiceParam* row = row_of(name, key);
  const bool negated = !row && name == "nodown";
  if (negated) row = row_of("down", key);
  if (!row) return fail(EINVAL, concat({"unknown parameter: ", name}));
  if (words.size() > most_service_words) return fail(EINVAL, concat({name, ": too many values"}));
  const Given given{*row, key, words};
  Result<void> done = std::visit([&](auto field) { return put(given, field, spec); }, row->field);
  if (done && negated) spec.down = !spec.down;
  return in(name, std::move(done));
}

}  // namespace jail
