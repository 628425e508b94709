// Values of jinit.conf that are more than words: signals, times, sizes.
#include <csignal>

#include "conf/service_params.h"

namespace jail {
namespace {

// By their names without SIG. No pointers: a table of those is memory of its own in a program that
// may be loaded anywhere.
struct SignalName {
  char name[8];
  int number;
};

constexpr SignalName signals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT}, {"ILL", SIGILL},
    {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},     {"BUS", SIGBUS},   {"FPE", SIGFPE},
    {"KILL", SIGKILL}, {"USR1", SIGUSR1},     {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
    {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM}, {"CHLD", SIGCHLD},
    {"CONT", SIGCONT}, {"STOP", SIGSTOP},     {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU}, {"URG", SIGURG},       {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ},
    {"PROF", SIGPROF}, {"VTALRM", SIGVTALRM}, {"IO", SIGIO},     {"WINCH", SIGWINCH},
    {"SYS", SIGSYS},
#ifdef SIGPWR  // Linux: of a power failure, and of those who have a container turned off
    {"PWR", SIGPWR},
#endif
};

// RTMIN+3 and RTMAX-3: systemd's, and s6's way to name them.
std::optional<int64_t> parse_real_time(std::string_view text) {
  const bool from_least = text.starts_with("RTMIN");
  if (!from_least && !text.starts_with("RTMAX")) return std::nullopt;
  text.remove_prefix(5);
  std::optional<int64_t> offset = text.empty() ? 0 : parse_int(text);
  if (!text.empty() && text[0] != (from_least ? '+' : '-')) return std::nullopt;
  if (!offset || *offset < SIGRTMIN - SIGRTMAX || *offset > SIGRTMAX - SIGRTMIN)
    return std::nullopt;
  return (from_least ? SIGRTMIN : SIGRTMAX) + *offset;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::optional<int64_t> parse_signal(std::string_view text) {
  if (is_digits(text)) {
    std::optional<int64_t> number = parse_int(text);
    return number && *number >= 1 && *number <= SIGRTMAX ? number : std::nullopt;
  }
  if (text.starts_with("SIG")) text.remove_prefix(3);
  for (const SignalName& signal : signals)
    if (signal.name == text) return signal.number;
  return parse_real_time(text);
}

std::optional<int64_t> parse_seconds(std::string_view text) {
  const size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  std::string thousandths = "000";
  if (dot != std::string_view::npos) {
    const std::string_view part = text.substr(dot + 1);
    if (!is_digits(part) || part.size() > thousandths.size()) return std::nullopt;
    thousandths.replace(0, part.size(), part);
  }
  if (!is_digits(whole)) return std::nullopt;
  return parse_int(std::string(whole) + thousandths);
}

std::optional<int64_t> parse_size(std::string_view text) {
  constexpr std::string_view units = "kmgt";
  if (text.empty()) return std::nullopt;
  const char last = text.back();
  const size_t unit = units.find(last >= 'A' && last <= 'Z' ? static_cast<char>(last + 32) : last);
  if (unit != std::string_view::npos) text.remove_suffix(1);
  std::optional<int64_t> number = is_digits(text) ? parse_int(text) : std::nullopt;
  if (!number || unit == std::string_view::npos) return number;
  const int shift = 10 * static_cast<int>(unit + 1);
  if (*number > INT64_MAX >> shift) return std::nullopt;
  return *number << shift;
}

}  // namespace jail
