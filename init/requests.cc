// What process 1 is asked over its control socket: by the host, and by root of the jail. One
// request a connection; nobody can make it wait, and who has a connection and says nothing makes
// room for others.
#include <algorithm>

#include "base/sys.h"
#include "base/table.h"
#include "conf/lex.h"
#include "init/jail_init.h"
#include "os/handed.h"

namespace jail {

// Who has been waiting with its request the longest makes room.
void JailInit::take_caller() {
  Caller caller = accept_caller(handed::control);
  if (!caller.fd) return;
  auto room = std::ranges::find_if(callers_, [](const Caller& one) { return !one.fd; });
  if (room == callers_.end()) room = callers_.begin();
  std::rotate(room, room + 1, callers_.end());
  callers_.back() = std::move(caller);
}

void JailInit::hear_request(Caller& caller) {
  char text[request_most + 1];
  const ssize_t size = sys::recv(caller.fd.get(), text, sizeof text, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  Caller asking = std::move(caller);
  caller = Caller();
  if (size <= 0) return;
  if (static_cast<size_t>(size) > request_most) return reply(asking, "error too long");
  Result<Words> words = lex_words({text, static_cast<size_t>(size)});
  if (!words || words->empty()) return reply(asking, "error not a request");
  if (!asking.host && !asking.root) return reply(asking, "error Operation not permitted");
  obey(asking, *words);
}

void JailInit::obey(Caller& caller, const Words& words) {
  const std::string& verb = words[0];
  if (verb == "console") {
    if (!console_) return reply(caller, "error this jail has no console");
    return console_->attach(std::move(caller.fd), std::span(words).subspan(1));
  }
  if (verb == "status") return report_status(caller);
  if (verb == "log") return services_.show_log(std::move(caller), words);
  if (std::optional<std::string> answer = services_.obey(words, now_ms()))
    return reply(caller, *answer);
  if (caller.host && (verb == "persist" || verb == "nopersist")) {
    persist_ = verb == "persist";
    return reply(caller, persist_ || others_left(handed::events) ? "ok" : "leaving");
  }
  const RequestWord* row = find_row(request_words(), verb);
  if (!row || (row->host_only && !caller.host)) return reply(caller, "error unknown word");
  if (row->event == InitEvent::boot) {
    if (askers_.size() == callers_most) return reply(caller, "error too many ask for that");
    askers_.push_back(std::move(caller));
    tell(row->event);
    if (!machine_.answer_due) answer_askers("error it has been booted");
    return;
  }
  // Answered first: it may be our end.
  reply(caller, next(machine_, row->event, now_ms()).taken ? "ok" : "error not now");
  tell(row->event);
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

void JailInit::reply(const Caller& caller, std::string_view text) const {
  if (sys::send(caller.fd.get(), text.data(), std::min(text.size(), request_most),
                MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    return;  // it has not waited
}

void JailInit::answer_askers(std::string_view text) {
  for (const Caller& caller : askers_) reply(caller, text);
  askers_.clear();
}

}  // namespace jail
