#include "sup/request.h"

#include <cstring>
#include <iterator>

#include "base/table.h"
#include "base/text.h"

namespace jail {

namespace {

using enum InitEvent;

// In the order of the enumerators.
// clang-format off
constexpr const char* states[] = {
    "reaping", "runcom", "read_ttys", "multi_user", "clean_ttys", "catatonia", "death",
    "death_single", "single_user", "final", "leaving"};
constexpr const char* events[] = {
    "boot", "multi", "reload", "catatonia", "single", "reboot", "halt", "poweroff", "powercycle",
    "fail", "stop", "script_none", "script_done", "script_failed", "script_killed",
    "script_termed", "script_not_started", "script_stopped", "services_down", "all_gone",
    "time_over", "shell_exited", "shell_killed", "shell_sigkilled", "shell_not_started",
    "shell_none", "shell_stopped", "console_there", "console_gone", "ttys_read"};
constexpr const char* acts[] = {
    "run_rc", "run_shutdown", "run_final", "continue_script", "end_script", "read_ttys", "reread",
    "freeze_sessions", "hang_up_sessions", "start_services", "stop_services", "revoke_console",
    "term_all", "kill_all", "start_shell", "continue_shell", "kill_shell", "answer_ok",
    "answer_single", "answer_failed", "leave"};

constexpr RequestWord words[] = {
    {"boot", boot}, {"multi", multi}, {"single", single}, {"reload", reload},
    {"catatonia", catatonia}, {"reboot", reboot}, {"halt", halt}, {"poweroff", poweroff},
    {"stop", stop, true},
};
constexpr RequestWord levels[] = {
    {"0", poweroff}, {"1", single}, {"6", reboot}, {"c", catatonia}, {"q", reload},
};
constexpr RequestWord initctl[] = {
    {"0", poweroff}, {"1", single}, {"S", single}, {"s", single}, {"6", reboot},
    {"2", multi}, {"3", multi}, {"4", multi}, {"5", multi}, {"q", reload}, {"Q", reload},
};

// PWR and the real-time ones as systemd takes them in containers, by any meaning.
constexpr std::nullopt_t none = std::nullopt;
constexpr RequestSignal signals[] = {
    //           freebsd     busybox    sysv
    {"HUP",      reload,     reload,    reload},
    {"INT",      reboot,     reboot,    reboot},     // there: the keys Ctrl-Alt-Del
    {"TERM",     single,     reboot,    none},
    {"USR1",     halt,       halt,      none},       // sysv: it opens /run/initctl anew
    {"USR2",     poweroff,   poweroff,  none},
    {"WINCH",    powercycle, none,      none},
    {"TSTP",     catatonia,  catatonia, none},
    {"PWR",      poweroff,   poweroff,  poweroff},
    {"RTMIN+3",  halt,       halt,      halt},
    {"RTMIN+4",  poweroff,   poweroff,  poweroff},
    {"RTMIN+5",  reboot,     reboot,    reboot},
};

// @ is the shell on the script, % the script, # a number, ! what the errno says.
struct Text {
  const char* name;
  bool emergency;
  const char* text;
};
constexpr Text texts[] = {
    {"nothing",           false, ""},
    {"abnormal",          false, "@ terminated abnormally, going to single user mode"},
    {"returned",          false, "% returned status #"},
    {"expired",           false, "timeout expired for %: Interrupted system call; going to single user mode"},
    {"not_started",       true,  "can't fork for @: !"},
    {"script_stopped",    false, "@ stopped, restarting"},
    {"undead",            false, "some processes would not die; ps axl advised"},
    {"shell_restarting",  false, "single user shell terminated, restarting"},
    {"shell_terminated",  false, "single user shell terminated."},
    {"shell_not_started", true,  "can't fork single-user shell: !"},
    {"shell_none",        true,  "can't exec % for single user: !"},
    {"shell_stopped",     false, "shell stopped, restarting"},
};
// clang-format on

static_assert(std::size(states) == static_cast<size_t>(InitState::leaving) + 1);
static_assert(std::size(events) == static_cast<size_t>(InitEvent::ttys_read) + 1);
static_assert(std::size(acts) == static_cast<size_t>(InitAct::leave) + 1);
static_assert(std::size(texts) == static_cast<size_t>(InitSay::shell_stopped) + 1);

const Text& row_of(InitSay say) {
  return texts[static_cast<size_t>(say)];
}

}  // namespace

const char* name_of(InitState state) {
  return states[static_cast<size_t>(state)];
}

const char* name_of(InitEvent event) {
  return events[static_cast<size_t>(event)];
}

const char* name_of(InitAct act) {
  return acts[static_cast<size_t>(act)];
}

const char* name_of(InitSay say) {
  return row_of(say).name;
}

std::span<const RequestWord> request_words() {
  return words;
}

std::span<const RequestWord> run_levels() {
  return levels;
}

std::span<const RequestWord> initctl_levels() {
  return initctl;
}

std::span<const RequestSignal> request_signals() {
  return signals;
}

std::optional<InitEvent> request_of(SignalMeaning meaning, std::string_view signal) {
  const RequestSignal* row = find_row(request_signals(), signal);
  if (!row) return std::nullopt;
  switch (meaning) {
    case SignalMeaning::freebsd:
      return row->freebsd;
    case SignalMeaning::busybox:
      return row->busybox;
    case SignalMeaning::sysv:
      return row->sysv;
  }
  return std::nullopt;
}

std::string text_of(InitSay say, std::string_view shell, std::string_view script, int value) {
  const std::string command = shell.empty() ? std::string(script) : concat({shell, " on ", script});
  std::string text;
  for (const char* at = row_of(say).text; *at; ++at) {
    if (*at == '@')
      text += command;
    else if (*at == '%')
      text += script;
    else if (*at == '#')
      text += std::to_string(value);
    else if (*at == '!')
      text += std::strerror(value);
    else
      text += *at;
  }
  return text;
}

bool is_emergency(InitSay say) {
  return row_of(say).emergency;
}

}  // namespace jail
