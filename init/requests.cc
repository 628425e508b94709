// What process 1 is asked over its control socket: by the host, and by root of the jail.
#include <algorithm>
#include <string.h>

#include "base/pass.h"
#include "base/sys.h"
#include "base/table.h"
#include "init/jail_init.h"
#include "init/program.h"
#include "os/handed.h"

namespace jail {

void JailInit::obey(Caller caller, const Words& words) {
  const std::string& verb = words[0];
  if (verb == "handover" && caller.host) return hand_over(std::move(caller));
  if (verb == "console") {
    if (!console_) return reply(caller, "error this jail has no console");
    return console_->attach(std::move(caller.fd), std::span(words).subspan(1));
  }
  if (verb == "log") return services_.show_log(std::move(caller), words);
  if (std::optional<std::string> answer = services_.obey(words, now_ms()))
    return reply(caller, *answer);
  if (words.size() > 1) return reply(caller, concat({"error ", verb, " takes no other word"}));
  if (verb == "status") return report_status(caller);
  if (caller.host && (verb == "persist" || verb == "nopersist")) {
    persist_ = verb == "persist";
    return reply(caller, !leaves_alone() || others_left(handed::events) ? "ok" : "leaving");
  }
  const RequestWord* row = find_row(request_words(), verb);
  if (!row || (row->host_only && !caller.host)) return reply(caller, "error unknown word");
  if (row->event == InitEvent::boot) {
    if (!settings_.program.empty()) return become(caller);
    if (askers_.size() == Callers::most) return reply(caller, "error too many ask for that");
    askers_.push_back(std::move(caller));
    tell(row->event);
    if (!machine_.answer_due) answer_askers("error it has been booted");
    return;
  }
  // Answered first: it may be our end.
  const bool taken = next(machine_, row->event, now_ms()).taken;
  if (taken && row->event == InitEvent::stop) word_to_warden("stopped");
  reply(caller, taken ? "ok" : "error not now");
  tell(row->event);
}

// What the jail's next process 1 is to find again, for a new warden in the place of one that was
// killed; its socket to us is the caller's.
void JailInit::hand_over(Caller caller) {
  std::string text = "ok";
  std::vector<int> descriptors;
  for (const handed::Part& one : handed::parts) {
    if (!held_[static_cast<size_t>(one.number)]) continue;
    text += concat({" ", one.name});
    descriptors.push_back(one.number);
  }
  if (!pass_descriptors(caller.fd.get(), text, descriptors)) return;
  if (sys::dup2(caller.fd.get(), handed::warden) < 0 ||
      sys::fcntl(handed::warden, F_SETFD, FD_CLOEXEC) != 0)
    print("a new warden is not heard");
}

// init.program: the caller hears of a success by the end of its connection, with what else we hold.
void JailInit::become(const Caller& caller) {
  give_back_descriptors();
  become_program(settings_.program);
  reply(caller, concat({"init.program ", settings_.program, ": ", strerror(errno)}));
  _exit(127);
}

void JailInit::report_status(const Caller& caller) {
  std::string text = concat({"ok ", name_of(machine_.state)});
  if (machine_.script != InitScript::none) text += concat({" running ", script_path_});
  reply(caller, text);
  const std::string rc = find_rc(settings_.rc).path;
  if (machine_.booted) reply(caller, concat({"line rc ", rc.empty() ? "none" : rc}));
  for (const Session& session : sessions_.all())
    reply(caller, concat({"line session ", session.device, " ",
                          session.pid != 0 ? "pid " + std::to_string(session.pid) : "waits"}));
  // A socket takes some hundred packets only: as many lines in one as it may hold.
  std::string lines;
  for (size_t i = 0; i < services_.size(); ++i) {
    const std::string line = services_.status_line(i, now_ms());
    const bool full = lines.size() + line.size() + 1 > request_most;
    if (full) reply(caller, lines);
    if (full) lines.clear();
    lines += concat({lines.empty() ? "line " : "\n", line});
  }
  if (!lines.empty()) reply(caller, lines);
}

void JailInit::answer_askers(std::string_view text) {
  for (const Caller& caller : askers_) reply(caller, text);
  askers_.clear();
}

}  // namespace jail
