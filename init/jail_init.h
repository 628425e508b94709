// Process 1 while it lives: what it knows, hears and does. init/pid1.cc has the loop and the
// machine's acts, init/requests.cc what it is asked.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "init/callers.h"
#include "init/console.h"
#include "init/script.h"
#include "init/services.h"
#include "init/settings.h"
#include "os/handed.h"
#include "os/process1.h"
#include "sup/logins.h"
#include "sup/request.h"
#include "sup/sessions.h"

namespace jail {

class JailInit {
 public:
  explicit JailInit(Settings settings);

  // Takes hold of what was handed on (os/handed.h). False: there is no control socket, or signals
  // cannot be read; the jail cannot be lived in then.
  bool begin();
  // Ends with the jail alone.
  [[noreturn]] void live();

 private:
  // What is heard.
  void hear_signals();
  void reap();
  void child_ended(pid_t pid, int status);
  void session_ended(pid_t pid, int status);
  void obey(Caller caller, const Words& words);
  void hand_over(Caller caller);
  void become(const Caller& caller);
  // What it means, and what is done.
  void tell(InitEvent event);
  void perform(InitAct act);
  void say(InitSay what);
  void run(const Rc& rc);
  static bool word_to_warden(std::string_view word);
  void revoke_console();
  SignalMeaning find_meaning() const;
  static void signal_to(pid_t pid, int signal);
  void begin_shell();
  void read_ttys(bool again);
  void take_sessions();
  void take_services();
  void start_session_of(const SessionAct& act);
  void answer_askers(std::string_view text);
  void look_whether_alone();
  // Without persist a jail that nobody has booted ends with its last other process.
  bool leaves_alone() const { return machine_.state == InitState::reaping && !persist_; }
  void leave_if_alone();
  [[noreturn]] void leave();
  void report_status(const Caller& caller);
  void print(std::string_view text);
  int timeout() const;
  Birthplace birthplace();

  Settings settings_;
  Machine machine_;
  RunLevels run_levels_;
  Sessions sessions_;
  Services services_;
  std::optional<Console> console_;
  Callers callers_;              // whose request is to come
  std::vector<Caller> askers_;   // who asked to boot, and waits
  std::vector<InitEvent> news_;  // what performing an act has brought
  std::array<bool, handed::last + 1> held_{};
  Fd signals_, initctl_;
  SignalMeaning meaning_ = SignalMeaning::freebsd;
  pid_t script_ = 0, shell_ = 0;
  std::string script_path_;
  int value_ = 0;  // exit status or errno of the last failure, for what is said
  bool persist_ = true;
  bool more_ended_ = false;  // perhaps, than were reaped
};

}  // namespace jail
