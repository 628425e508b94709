#include "init/pid1.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/sys.h"
#include "conf/service_params.h"
#include "init/initctl.h"
#include "init/jail_file.h"
#include "init/jail_init.h"
#include "init/poll_all.h"
#include "init/rc.h"
#include "os/handed.h"
#include "os/process1.h"
#include "os/terminal.h"

namespace jail {

namespace {

constexpr int64_t look_again = 100;  // ms
constexpr int reaped_most = 10'000;  // before all else is heard: many can make orphans as fast
constexpr size_t longest_ttys = 10U << 20;

bool is_program(const std::string& path) {
  struct stat status;
  return sys::fstatat(AT_FDCWD, path.c_str(), &status, 0) == 0 && (status.st_mode & 0111) != 0;
}

}  // namespace

JailInit::JailInit(Settings settings)
    : settings_(std::move(settings)), sessions_(TtyWorld{is_in_jail, {"console"}}) {
  machine_.rc_failure = settings_.rc_failure;
  machine_.times = settings_.times;
}

Birthplace JailInit::birthplace() {
  return {handed::group, console_ ? &*console_ : nullptr};
}

bool JailInit::begin() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  for (const RequestSignal& row : request_signals())
    if (auto number = parse_signal(row.name)) sigaddset(&signals, static_cast<int>(*number));
  for (int fd = handed::control; fd <= handed::last; ++fd) {
    bool& held = held_[static_cast<size_t>(fd)];
    held = sys::fcntl(fd, F_GETFD) >= 0;
    // What a jail does not have is a number that nothing else may get.
    if (!held && sys::dup2(STDIN_FILENO, fd) < 0) return false;
    if (sys::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return false;
  }
  raise_descriptors();
  signals_ = watch_signals(signals);  // not before: it would get such a number, and pass for it
  if (held_[handed::console] && held_[handed::ring] && settings_.program.empty()) {
    Result<std::span<std::byte>> memory = map_ring(handed::ring);
    Result<Console> console =
        memory ? Console::begin(handed::console, held_[handed::link] ? handed::link : -1, *memory)
               : std::unexpected(std::move(memory.error()));
    if (console) console_ = std::move(*console);
    if (!console) print(console.error().text);
  }
  machine_.console = console_.has_value();
  services_.settle(birthplace());
  return signals_ && held_[handed::control] && held_[handed::events];
}

int JailInit::timeout() const {
  if (more_ended_) return 0;
  const int64_t sessions = sessions_.deadline().value_or(Machine::never);
  int64_t nearest = std::min({machine_.deadline, sessions, services_.deadline()});
  if (machine_.killing || callers_.deaf()) nearest = std::min(nearest, now_ms() + look_again);
  if (nearest == Machine::never) return -1;
  return static_cast<int>(std::clamp<int64_t>(nearest - now_ms(), 0, 1 << 30));
}

// From here on we may end by leave() alone: the jail ends with us.
void JailInit::live() {
  constexpr size_t fixed = 4, consoles = fixed + Callers::most;
  constexpr size_t services = consoles + Console::polls_most;
  std::vector<pollfd> polls;
  for (;;) {
    polls.resize(services + services_.polls());  // another size after a reload only
    const bool looks = machine_.state == InitState::death_single || leaves_alone();
    polls[0] = {signals_.get(), POLLIN, 0};
    polls[1] = {callers_.hears(handed::control), POLLIN, 0};
    polls[2] = {looks ? handed::events : -1, POLLPRI, 0};
    polls[3] = {initctl_.get(), POLLIN, 0};
    callers_.fill(std::span<pollfd, Callers::most>(&polls[fixed], Callers::most));
    std::span<pollfd, Console::polls_most> terminal(&polls[consoles], Console::polls_most);
    for (pollfd& one : terminal) one = {-1, 0, 0};
    if (console_) console_->fill(terminal);
    services_.fill(std::span(polls).subspan(services));
    if (poll_all(polls, timeout()) < 0) continue;
    if (polls[0].revents != 0) hear_signals();
    reap();
    if (console_) console_->handle(terminal);
    services_.handle(std::span(polls).subspan(services), now_ms());
    for (size_t i = 0; i < Callers::most; ++i) {
      if (polls[fixed + i].revents == 0) continue;
      if (std::optional<Callers::Request> request = callers_.hear(i))
        obey(std::move(request->caller), request->words);
    }
    if (polls[1].revents != 0) callers_.take(handed::control);
    if (polls[3].revents != 0)
      if (std::optional<InitEvent> event = read_initctl(initctl_.get())) tell(*event);
    if (now_ms() >= machine_.deadline) tell(InitEvent::time_over);
    take_sessions();
    take_services();
    look_whether_alone();
    leave_if_alone();
  }
}

void JailInit::hear_signals() {
  while (const std::optional<Caught> caught = take_signal(signals_.get())) {
    if (caught->signal == SIGCHLD || (caught->signal == SIGWINCH && !caught->by_process)) continue;
    for (const RequestSignal& row : request_signals()) {
      if (parse_signal(row.name) != caught->signal) continue;
      if (std::optional<InitEvent> event = request_of(meaning_, row.name)) tell(*event);
    }
  }
}

// Those that have been ours the longest come first, so no service waits behind orphans.
void JailInit::reap() {
  int status, left = reaped_most;
  for (pid_t pid; left-- > 0 && (pid = sys::waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0;)
    child_ended(pid, status);
  more_ended_ = left < 0;
}

void JailInit::child_ended(pid_t pid, int status) {
  const bool script = pid == script_, shell = pid == shell_;
  if (WIFSTOPPED(status)) {
    if (script) tell(InitEvent::script_stopped);
    if (shell) tell(InitEvent::shell_stopped);
    return;
  }
  if (services_.ended(pid, status, now_ms())) return take_services();
  if (!script && !shell) return session_ended(pid, status);
  value_ = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  (script ? script_ : shell_) = 0;
  if (script && signal != 0)
    return tell(signal == SIGTERM ? InitEvent::script_termed : InitEvent::script_killed);
  if (script) return tell(value_ == 0 ? InitEvent::script_done : InitEvent::script_failed);
  if (signal != 0)
    return tell(signal == SIGKILL ? InitEvent::shell_sigkilled : InitEvent::shell_killed);
  tell(value_ == 127 ? InitEvent::shell_none : InitEvent::shell_exited);
}

// One that could not be executed is told as start_session() ends then, and the shell's commands do.
void JailInit::session_ended(pid_t pid, int status) {
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  const auto session = std::ranges::find(sessions_.all(), pid, &Session::pid);
  if (session == sessions_.all().end()) return;
  put_login_record({.kind = LoginKind::ended, .pid = pid, .line = session->device});
  if (code == 126 || code == 127)
    sessions_.failed(session->id, SessionFailure::execute, code == 127 ? ENOENT : EACCES, now_ms());
  else
    sessions_.ended(pid, now_ms());
  take_sessions();
}

// --- the machine ---

// What performing an act has brought is told next, before anything else that happens.
void JailInit::tell(InitEvent event) {
  news_.push_back(event);
  if (news_.size() > 1) return;
  for (size_t i = 0; i < news_.size(); ++i) {
    const InitStep step = next(machine_, news_[i], now_ms());
    for (const LoginRecord& record : run_levels_.moved(machine_, step.machine, time(nullptr)))
      put_login_record(record);
    machine_ = step.machine;
    say(step.say);
    for (InitAct act : step.acts) perform(act);
  }
  news_.clear();
}

void JailInit::perform(InitAct act) {
  switch (act) {
    case InitAct::run_rc:
      if (!initctl_) initctl_ = open_initctl();
      meaning_ = find_meaning();
      return run(find_rc(settings_.rc));
    case InitAct::run_shutdown:
      return run(find_shutdown(settings_.shutdown));
    case InitAct::run_final:
      return run(find_final());
    case InitAct::continue_script:
      return signal_to(script_, SIGCONT);
    case InitAct::end_script:
      return signal_to(-script_, SIGTERM);
    case InitAct::read_ttys:
    case InitAct::reread:
      if (act == InitAct::reread) services_.reread(now_ms());
      return read_ttys(act == InitAct::reread);
    case InitAct::freeze_sessions:
      return sessions_.stop();
    case InitAct::hang_up_sessions:
      sessions_.hang_up();
      return take_sessions();
    case InitAct::start_services:
      services_.start(now_ms());
      return take_services();
    case InitAct::stop_services:
      services_.stop(now_ms());
      return take_services();
    case InitAct::revoke_console:
      return revoke_console();
    case InitAct::term_all:
      services_.abandon(now_ms());
      take_services();
      sys::kill(-1, SIGTERM);
      sys::kill(-1, SIGCONT);
      return look_whether_alone();
    case InitAct::kill_all:
      return kill_all_now();
    case InitAct::start_shell:
      return begin_shell();
    case InitAct::continue_shell:
      return signal_to(shell_, SIGCONT);
    case InitAct::kill_shell:
      return signal_to(shell_, SIGKILL);
    case InitAct::answer_ok:
      return answer_askers("ok");
    case InitAct::answer_single:
      return answer_askers("single rc has failed");
    case InitAct::answer_failed:
      return answer_askers(way_out(machine_) == WayOut::fail ? concat({"failed ", script_path_})
                                                             : "halted during its start");
    case InitAct::leave:
      leave();
  }
}

// False where it is gone: nobody needs to hear it then.
bool JailInit::word_to_warden(std::string_view word) {
  return sys::send(handed::warden, word.data(), word.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

// The warden may do it for good; without one, as far as we may ourselves. It answers at once, and
// is not waited for long.
void JailInit::revoke_console() {
  if (!console_) return;
  char answer[8];
  pollfd news{handed::warden, POLLIN, 0};
  while (sys::recv(handed::warden, answer, sizeof answer, MSG_DONTWAIT) > 0) continue;  // late
  if (word_to_warden("revoke") && sys::poll(&news, 1, 1000) == 1 &&
      sys::recv(handed::warden, answer, sizeof answer, 0) <= 0)
    print("the warden has gone");
  console_->hang_up();
}

SignalMeaning JailInit::find_meaning() const {
  const std::string name = settings_.signals == "auto" ? find_signals() : settings_.signals;
  if (name == "busybox") return SignalMeaning::busybox;
  return name == "sysv" ? SignalMeaning::sysv : SignalMeaning::freebsd;
}

// One that has ended meanwhile has number 0, which would be our own group.
void JailInit::signal_to(pid_t pid, int signal) {
  if (pid != 0) sys::kill(pid, signal);
}

void JailInit::run(const Rc& rc) {
  script_path_ = rc.path;
  if (script_path_.empty()) return tell(InitEvent::script_none);
  const bool final = machine_.script == InitScript::final;
  if (final && !is_program(script_path_)) {
    print(concat({script_path_, " exists, but not executable"}));
    return tell(InitEvent::script_none);
  }
  const pid_t pid = start_script(birthplace(), rc, argument_of(machine_), !final);
  value_ = pid < 0 ? errno : 0;
  if (pid < 0) return tell(InitEvent::script_not_started);
  script_ = pid;
}

void JailInit::begin_shell() {
  const pid_t pid = start_shell(birthplace());
  value_ = pid < 0 ? errno : 0;
  if (pid < 0) return tell(InitEvent::shell_not_started);
  shell_ = pid;
}

void JailInit::read_ttys(bool again) {
  Result<std::string> text = read_jail_file("/etc/ttys", longest_ttys);
  std::optional<std::string_view> file;
  if (text) file = *text;
  if (!text && text.error().code != ENOENT) print(text.error().text);
  // What cannot be read just now ends nobody's session.
  const bool later = again && !text && text.error().code == ENOMEM;
  if (again && !later) sessions_.reread(file, now_ms());
  if (!again) sessions_.read(file, now_ms());
  take_sessions();
  tell(InitEvent::ttys_read);
}

void JailInit::take_sessions() {
  while (std::optional<SessionAct> act = sessions_.take(now_ms())) {
    switch (act->kind) {
      case SessionAct::Kind::start:
      case SessionAct::Kind::window:
        start_session_of(*act);
        break;
      case SessionAct::Kind::hang_up:
        signal_to(act->pid, SIGHUP);
        break;
      case SessionAct::Kind::warn:
        print(act->text);
        break;
    }
  }
}

void JailInit::take_services() {
  services_.work(now_ms());
  while (const std::optional<InitEvent> event = services_.take_event()) tell(*event);
}

void JailInit::start_session_of(const SessionAct& act) {
  const Session* session = sessions_.find(act.session);
  if (!session) return;
  const bool window = act.kind == SessionAct::Kind::window;
  const pid_t pid =
      start_session(birthplace(), window ? session->window : session->command, session->term);
  if (pid > 0 && window) return;
  if (pid > 0) {
    put_login_record(
        {.kind = LoginKind::begun, .pid = pid, .line = session->device, .wtmp = false});
    return sessions_.started(act.session, pid);
  }
  if (window) return sessions_.failed_window(act.session, SessionFailure::fork, errno);
  sessions_.failed(act.session, SessionFailure::fork, errno, now_ms());
}

void JailInit::say(InitSay what) {
  if (what == InitSay::nothing) return;
  const bool shell = script_path_.empty() || machine_.state == InitState::single_user;
  print(text_of(what, shell ? "" : "/bin/sh", shell ? "/bin/sh" : script_path_, value_));
}

void JailInit::print(std::string_view text) {
  if (!text.empty()) say_line(birthplace(), {text});
}

void JailInit::look_whether_alone() {
  if (machine_.state != InitState::death_single) return;
  if (!others_left(handed::events)) return tell(InitEvent::all_gone);
  if (machine_.killing) kill_all_now();  // somebody of the host may just have come in
}

// From here on nobody is in it.
void JailInit::leave_if_alone() {
  if (leaves_alone() && !others_left(handed::events)) _exit(0);
}

void JailInit::leave() {
  services_.drain();
  switch (way_out(machine_)) {
    case WayOut::restart:
      leave_word(handed::group, "restart");
      end_jail(Ending::restart);
      break;
    case WayOut::halt:
      leave_word(handed::group, "halt");
      end_jail(Ending::halt);
      break;
    case WayOut::poweroff:
      leave_word(handed::group, "halt");
      end_jail(Ending::poweroff);
      break;
    case WayOut::leave:
      leave_word(handed::group, "exit");
      _exit(0);
    case WayOut::fail:
      break;
  }
  _exit(1);
}

int run_jail(std::span<char* const> words) {
  JailInit self(read_settings(words));
  if (!self.begin()) return 1;
  self.live();
}

}  // namespace jail
