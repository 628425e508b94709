#include "init/settings.h"

#include <string_view>

#include "base/text.h"

namespace jail {

Settings read_settings(std::span<char* const> words) {
  Settings settings;
  int64_t shutdown_timeout = 120, stop_timeout = 10;
  for (const std::string_view word : words) {
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = word.substr(0, equals), value = word.substr(equals + 1);
    if (name == "rc") settings.rc = value;
    if (name == "shutdown") settings.shutdown = value;
    if (name == "signals") settings.signals = value;
    if (name == "program") settings.program = value;
    if (name == "rc_failure")
      settings.rc_failure = value == "single" ? RcFailure::single : RcFailure::remove;
    if (name == "shutdown_timeout") shutdown_timeout = parse_int(value).value_or(shutdown_timeout);
    if (name == "stop_timeout") stop_timeout = parse_int(value).value_or(stop_timeout);
  }
  settings.times = init_times(shutdown_timeout, stop_timeout);
  return settings;
}

}  // namespace jail
