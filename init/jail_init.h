// Process 1 while it lives: what it knows, hears and does. init/pid1.cc has the loop and the
// machine's acts, init/requests.cc what it is asked.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "init/console.h"
#include "init/script.h"
#include "init/services.h"
#include "init/settings.h"
#include "os/process1.h"
#include "sup/request.h"
#include "sup/sessions.h"

namespace jail {

class JailInit {
 public:
  static constexpr size_t callers_most = 16;    // who may wait to be heard, or for rc
  static constexpr size_t request_most = 4096;  // bytes of a packet, either way

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
  void take_caller();
  void hear_request(Caller& caller);
  void obey(Caller& caller, const Words& words);
  // What it means, and what is done.
  void tell(InitEvent event);
  void perform(InitAct act);
  void say(InitSay what);
  void run(const Rc& rc);
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
  void leave_if_alone();
  [[noreturn]] void leave();
  void report_status(const Caller& caller);
  void reply(const Caller& caller, std::string_view text) const;
  void print(std::string_view text);
  int timeout() const;
  Birthplace birthplace();

  Settings settings_;
  Machine machine_;
  Sessions sessions_;
  Services services_;
  std::optional<Console> console_;
  std::array<Caller, callers_most> callers_;  // whose request is to come
  std::vector<Caller> askers_;                // who asked to boot, and waits
  std::vector<InitEvent> news_;               // what performing an act has brought
  Fd signals_, initctl_;
  SignalMeaning meaning_ = SignalMeaning::freebsd;
  pid_t script_ = 0, shell_ = 0;
  std::string script_path_;
  int value_ = 0;  // exit status or errno of the last failure, for what is said
  bool persist_ = true;
};

}  // namespace jail
