#include "sup/sessions.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace jail {
namespace {

// FreeBSD's init has 64 bytes for it.
constexpr size_t max_term = 63;

std::string term_of(const TtyLine& line) {
  return line.type ? concat({"TERM=", *line.type}).substr(0, max_term) : "";
}

// All that a re-read compares, as one text. A NUL is in none of the three.
std::string source_of(const TtyLine& line) {
  using namespace std::string_view_literals;
  return concat({*line.command, " ", line.name, "\0"sv, line.type.value_or(""), "\0"sv,
                 line.window.value_or("")});
}

}  // namespace

// The session of a line, or nothing where it makes none, with a warning if that is a mistake.
std::optional<Session> Sessions::make(TtyLine line) {
  if (!line.on || line.name.empty() || !line.command) return std::nullopt;
  Session session;
  session.device = tty_device(line.name);
  if (line.cut) {
    warn(concat({"line too long for port ", session.device.substr(0, 64)}));
    return std::nullopt;
  }
  session.command = tty_words(concat({*line.command, " ", line.name}));
  if (line.window) session.window = tty_words(*line.window);
  const bool no_window = line.window && session.window.empty();
  if (session.command.empty() || no_window) {
    warn(concat({"can't parse ", session.command.empty() ? "getty" : "window", " for port ",
                 session.device}));
    return std::nullopt;
  }
  session.term = term_of(line);
  session.source = source_of(line);
  session.conditional = line.conditional;
  return session;
}

void Sessions::append(Session session, int64_t now) {
  // Those that do not go when hung up stay in the list: without a limit, each re-read could add
  // more.
  if (sessions_.size() >= 2 * max_ttys) {
    warn(concat({"too many sessions, none for port ", session.device}));
    return;
  }
  session.id = ++last_id_;
  session.due = now;
  sessions_.push_back(std::move(session));
}

// Calls `each` for the entries of `text` that count.
template <class Each>
void Sessions::each_line(std::string_view text, Each each) {
  for (size_t count = 0; std::optional<TtyLine> line = next_tty(text, world_); ++count) {
    if (count == max_ttys) {
      warn(concat({"only the first ", std::to_string(max_ttys), " lines of ttys are looked at"}));
      return;
    }
    each(std::move(*line));
  }
}

void Sessions::read(std::optional<std::string_view> file, int64_t now) {
  sessions_.clear();
  missing_ = !file;
  const std::string standard = file ? "" : default_ttys(world_);
  each_line(file.value_or(standard), [&](TtyLine line) {
    if (std::optional<Session> session = make(std::move(line))) append(std::move(*session), now);
  });
}

// A line for a session that is already there. `fresh` is what the line makes, or nothing.
void Sessions::renew(Session& session, std::optional<Session> fresh, int64_t now) {
  session.present = true;
  session.stop = !fresh;
  if (!fresh) {
    session.hung_up = true;
    return;
  }
  session.conditional = fresh->conditional;
  if (session.source == fresh->source) return;
  session.command = std::move(fresh->command);
  session.window = std::move(fresh->window);
  session.term = std::move(fresh->term);
  session.source = std::move(fresh->source);
  session.begun.reset();
  session.hung_up = true;
  if (!session.due) return;
  session.due = now;
  session.next = Session::Step::begin;
}

void Sessions::reread(std::optional<std::string_view> file, int64_t now) {
  for (Session& session : sessions_) session.present = session.hung_up = false;
  missing_ = missing_ && !file;
  const std::string standard = missing_ ? default_ttys(world_) : "";
  each_line(file.value_or(standard), [&](TtyLine line) {
    // Of lines for one device all mean the first session: that is how FreeBSD drops a second one.
    auto known = std::ranges::find(sessions_, tty_device(line.name), &Session::device);
    std::optional<Session> fresh = make(std::move(line));
    if (known != sessions_.end()) {
      renew(*known, std::move(fresh), now);
    } else if (fresh) {
      append(std::move(*fresh), now);
    }
  });
  for (Session& session : sessions_) {
    session.stop = session.stop || !session.present;
    if ((session.hung_up || !session.present) && session.pid > 0)
      acts_.push_back({SessionAct::Kind::hang_up, session.id, session.pid});
  }
  drop_stopped();
}

std::optional<SessionAct> Sessions::take(int64_t now) {
  for (size_t i = 0; taken_ == acts_.size() && i < sessions_.size();) {
    Session& session = sessions_[i];
    if (!session.due || *session.due > now) {
      ++i;
    } else if (vanished(session)) {
      sessions_.erase(sessions_.begin() + static_cast<ptrdiff_t>(i));
    } else {
      step(session, now);
    }
  }
  if (taken_ < acts_.size()) return std::move(acts_[taken_++]);
  acts_.clear();
  taken_ = 0;
  return std::nullopt;
}

// Does what is due. Afterwards it is not due at `now` any more, or there is an act to take.
void Sessions::step(Session& session, int64_t now) {
  if (session.next == Session::Step::begin && !begin(session, now)) return;
  if (session.next == Session::Step::window && !session.window.empty()) {
    session.next = Session::Step::command;
    session.due = now + times_.window;
    acts_.push_back({SessionAct::Kind::window, session.id});
    return;
  }
  session.next = Session::Step::begin;
  session.due.reset();
  acts_.push_back({SessionAct::Kind::start, session.id});
}

// Counts a start (N9.3). False: it was one too many, and the session pauses first.
bool Sessions::begin(Session& session, int64_t now) {
  const bool quick = session.begun && now - *session.begun < times_.spacing;
  session.quick = quick ? session.quick + 1 : 0;
  session.begun = now;
  session.next = Session::Step::window;
  if (session.quick <= times_.quick_starts) return true;
  session.quick = 0;
  session.due = now + times_.pause;
  warn(concat({"getty repeating too quickly on port ", session.device, ", sleeping ",
               std::to_string(times_.pause / 1000), " secs"}));
  return false;
}

std::optional<int64_t> Sessions::deadline() const {
  std::optional<int64_t> nearest;
  for (const Session& session : sessions_)
    if (session.due && (!nearest || *session.due < *nearest)) nearest = session.due;
  return nearest;
}

void Sessions::started(unsigned id, int pid) {
  if (Session* session = find(id)) session->pid = pid;
}

void Sessions::failed(unsigned id, SessionFailure why, int code, int64_t now) {
  Session* session = find(id);
  if (!session) return;
  warn_of_failure(*session, "getty", session->command, why, code);
  session->pid = 0;
  session->due = now + times_.stall;
  session->next = Session::Step::begin;
  drop_stopped();
}

void Sessions::failed_window(unsigned id, SessionFailure why, int code) {
  if (const Session* session = find(id))
    warn_of_failure(*session, "window system", session->window, why, code);
}

bool Sessions::ended(int pid, int64_t now) {
  auto session = std::ranges::find(sessions_, pid, &Session::pid);
  if (pid <= 0 || session == sessions_.end()) return false;
  session->pid = 0;
  session->due = now;
  session->next = Session::Step::begin;
  drop_stopped();
  return true;
}

void Sessions::stop() {
  for (Session& session : sessions_) session.stop = true;
  drop_stopped();
}

void Sessions::hang_up() {
  stop();
  for (const Session& session : sessions_)
    acts_.push_back({SessionAct::Kind::hang_up, session.id, session.pid});
}

Session* Sessions::find(unsigned id) {
  auto session = std::ranges::find(sessions_, id, &Session::id);
  return session == sessions_.end() ? nullptr : &*session;
}

// Those without a process go at once: there is nobody whose end could be waited for.
void Sessions::drop_stopped() {
  std::erase_if(sessions_, [](const Session& session) { return session.stop && session.pid == 0; });
}

bool Sessions::vanished(const Session& session) const {
  return session.conditional && !world_.exists(session.device);
}

void Sessions::warn_of_failure(const Session& session, std::string_view what, const Words& program,
                               SessionFailure why, int code) {
  const bool fork = why == SessionFailure::fork;
  const std::string noun = fork ? concat({"fork for ", what, " on"})
                                : concat({"exec ", what, " '", program[0], "' for"});
  warn(concat({"can't ", noun, " port ", session.device, ": ", std::strerror(code)}));
}

void Sessions::warn(std::string text) {
  acts_.push_back({SessionAct::Kind::warn, 0, 0, std::move(text)});
}

}  // namespace jail
