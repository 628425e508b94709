#include "init/services.h"

#include <algorithm>
#include <sys/wait.h>
#include <utility>

#include "base/sys.h"
#include "conf/service_conf.h"
#include "init/service_files.h"
#include "init/service_log.h"
#include "init/service_start.h"

namespace jail {

namespace {

ExitStatus status_of(int status) {
  if (WIFSIGNALED(status)) return {.signal = static_cast<uint8_t>(WTERMSIG(status))};
  return {.code = static_cast<uint8_t>(WEXITSTATUS(status))};
}

}  // namespace

// --- what the machine asks for ---

void Services::start(int64_t now) {
  load(now);
  stopping_ = false;
  supervisor_.start_all(now);
}

void Services::reread(int64_t now) {
  load(now);
}

void Services::stop(int64_t now) {
  stopping_ = true;
  supervisor_.stop_all(now);
}

void Services::abandon(int64_t now) {
  stopping_ = false;
  supervisor_.abandon(now);
  for (Lines& lines : lines_) lines.tools.let_go();
}

void Services::kill_all() {
  for (size_t i = 0; i < supervisor_.size(); ++i) {
    const pid_t pid = supervisor_.life(i).pid;
    if (pid > 0) sys::kill(-pid, SIGKILL);
  }
}

void Services::say(std::initializer_list<std::string_view> pieces) const {
  say_of_services(place_, pieces);
}

// A reload may only happen when all orders have been taken.
bool Services::load(int64_t now) {
  work(now);
  {
    ServiceSet set = read_service_files(directories_);
    for (const std::string& message : set.messages) say({printable(message)});
    if (!set.readable && supervisor_.size() != 0) return false;
    for (ServiceSpec& spec : set.specs) {
      if (spec.log.size() < longest_log_path) continue;
      say({spec.where, ": log: File name too long"});
      spec.log.clear();
    }
    auto before = supervisor_.reload(std::move(set.specs), now);
    if (!before) {
      say({"services stay as they were: ", before.error().text});
      return false;
    }
    take_over(std::move(*before));
  }
  give_back_memory();
  return true;
}

// Followers and pipes stay with the services of their name.
void Services::take_over(std::vector<std::optional<uint16_t>> before) {
  std::vector<Lines> old = std::exchange(lines_, std::vector<Lines>(supervisor_.size()));
  events_.reserve(4);
  filled_ = false;
  std::array<std::optional<uint16_t>, followers_most> places;
  for (size_t i = 0; i < lines_.size(); ++i) {
    if (i >= before.size() || !before[i]) continue;
    lines_[i] = std::move(old[*before[i]]);
    for (size_t k = 0; k < followers_most; ++k)
      if (followers_[k].service == *before[i]) places[k] = static_cast<uint16_t>(i);
  }
  for (size_t k = 0; k < followers_most; ++k) {
    if (!places[k]) followers_[k] = {};
    followers_[k].service = places[k].value_or(0);
  }
  for (Lines& gone : old) gone.tools.let_go();
  for (size_t i = 0; i < lines_.size(); ++i) {
    lay_output(i);
    lay_tools(i);
  }
}

// One in which nothing may be written is a service all the same.
void Services::lay_tools(size_t service) {
  const ServiceSpec& spec = supervisor_.spec(service);
  ServiceTools& tools = lines_[service].tools;
  if (tools && !tools.fits(spec)) tools.let_go();
  if (tools || spec.tools == Tools::none) return;
  Result<ServiceTools> laid = ServiceTools::lay_out(spec, supervisor_.life(service));
  if (!laid) return say({laid.error().text});
  tools = std::move(*laid);
}

// Who its logger is, and that nobody has a pipe who needs none any more.
void Services::lay_output(size_t service) {
  const ServiceSpec& spec = supervisor_.spec(service);
  Lines& lines = lines_[service];
  lines.source = -1;
  lines.failing = false;
  for (size_t i = 0; i < lines_.size(); ++i)
    if (supervisor_.spec(i).logger == spec.name) lines.source = static_cast<int>(i);
  // One that a logger reads waits for it, and we do not.
  const Pipe& output = lines.output;
  if (output.read && sys::fcntl(output.read.get(), F_SETFL, spec.log.empty() ? 0 : O_NONBLOCK) != 0)
    lines.output = {};
  if (spec.log.empty() && spec.logger.empty()) lines.output = {};
}

// The pipe of what a service writes, made when it is first needed. Without one it writes to the
// console, and its logger reads nothing.
const Pipe& Services::output_of(size_t service) {
  const ServiceSpec& spec = supervisor_.spec(service);
  Pipe& output = lines_[service].output;
  if (output.read || (spec.log.empty() && spec.logger.empty())) return output;
  output = make_pipe();
  if (!output.read) say({spec.name, ": pipe: ", std::strerror(errno)});
  if (output.read && spec.log.empty() && sys::fcntl(output.read.get(), F_SETFL, 0) != 0)
    output = {};
  return output;
}

// --- what happened, and what is ordered ---

bool Services::ended(pid_t pid, int status, int64_t now) {
  const ExitStatus end = status_of(status);
  for (size_t i = 0; i < supervisor_.size(); ++i) {
    const ServiceLife& life = supervisor_.life(i);
    if (life.pid != pid || life.finishing || life.told || end.good()) continue;
    if (lines_[i].tools.marks().termed) continue;  // somebody has asked for it
    const std::string number = std::to_string(end.signal != 0 ? end.signal : end.code);
    say({supervisor_.spec(i).name, end.signal != 0 ? ": ended by signal " : ": exited with ",
         number});
  }
  return supervisor_.ended(pid, end, now);
}

void Services::work(int64_t now) {
  if (supervisor_.deadline() <= now) supervisor_.tick(now);
  while (const std::optional<ServiceOrder> order = supervisor_.take()) carry_out(*order, now);
  if (!stopping_ || !supervisor_.all_down()) return;
  stopping_ = false;
  add_event(InitEvent::services_down);
}

void Services::carry_out(const ServiceOrder& order, int64_t now) {
  switch (order.kind) {
    case ServiceOrder::Kind::run:
    case ServiceOrder::Kind::finish:
      return run(order, now);
    case ServiceOrder::Kind::signal:
      return signal(order);
    case ServiceOrder::Kind::kill:
      if (order.pid > 0) sys::kill(-order.pid, SIGKILL);
      return;
    case ServiceOrder::Kind::changed:
      return tell_change(order.service, now);
    case ServiceOrder::Kind::jail:
      constexpr InitEvent events[] = {InitEvent::services_down, InitEvent::reboot, InitEvent::halt,
                                      InitEvent::fail};
      return add_event(events[static_cast<size_t>(supervisor_.spec(order.service).on_exit)]);
  }
}

// At the end of all a logger whose service is down reads what is left, and then the end of the
// pipe: a signal could come first.
void Services::signal(const ServiceOrder& order) {
  const int source = lines_[order.service].source;
  if (stopping_ && source >= 0 && supervisor_.life(static_cast<size_t>(source)).pid == 0) {
    lines_[static_cast<size_t>(source)].output = {};
    return;
  }
  if (order.pid <= 0) return;
  sys::kill(order.pid, order.signal);
  sys::kill(order.pid, SIGCONT);
  ToolMarks& marks = lines_[order.service].tools.marks();
  marks.termed |= order.signal == SIGTERM;
  marks.paused = false;
}

void Services::run(const ServiceOrder& order, int64_t now) {
  const size_t service = order.service;
  const ServiceSpec& spec = supervisor_.spec(service);
  Lines& lines = lines_[service];
  const bool finish = order.kind == ServiceOrder::Kind::finish;
  const bool waits = !finish && spec.ready >= 0;
  Pipe ready = waits ? make_pipe() : Pipe();
  const bool good = !waits || ready.write;
  const int input = lines.source < 0 ? -1 : output_of(static_cast<size_t>(lines.source)).read.get();
  const ServiceStreams streams = {input, output_of(service).write.get(), ready.write.get()};
  const pid_t pid = good ? start_service(place_, spec, streams, finish ? &order : nullptr) : -1;
  if (pid < 0) {
    say({spec.name, ": cannot be started: ", std::strerror(errno)});
    return supervisor_.not_started(service, now);
  }
  if (!finish) lines.ready = std::move(ready.read);
  supervisor_.started(service, pid, now);
}

// What nobody asked for is said: that a service has been given up.
void Services::tell_change(size_t service, int64_t now) {
  Lines& lines = lines_[service];
  lines.tools.show(supervisor_.spec(service), supervisor_.life(service));
  if (lines.leaving && lines.tools.marks().phase == ToolMarks::Phase::down) {
    lines.leaving = false;
    lines.tools.let_go();
    supervisor_.stop(service, now);
  }
  const bool failed = supervisor_.life(service).state == ServiceState::failed;
  if (failed && !lines_[service].given_up)
    say({supervisor_.spec(service).name, ": has failed: ", supervisor_.reason(service)});
  lines.given_up = failed;
}

void Services::add_event(InitEvent event) {
  if (std::ranges::find(events_, event) == events_.end()) events_.push_back(event);
}

std::optional<InitEvent> Services::take_event() {
  if (events_.empty()) return std::nullopt;
  const InitEvent event = events_.front();
  events_.erase(events_.begin());
  return event;
}

// --- descriptors ---

void Services::fill(std::span<pollfd> polls) {
  for (size_t i = 0; i < lines_.size(); ++i) {
    const bool logs = !supervisor_.spec(i).log.empty();
    pollfd* mine = &polls[polls_each * i];
    mine[0] = {logs ? lines_[i].output.read.get() : -1, POLLIN, 0};
    mine[1] = {lines_[i].ready.get(), POLLIN, 0};
    mine[2] = {lines_[i].tools.control(), POLLIN, 0};
  }
  for (size_t k = 0; k < followers_most; ++k) {
    const short events = followers_[k].behind ? POLLOUT : 0;
    polls[polls_each * lines_.size() + k] = {followers_[k].fd.get(), events, 0};
  }
  filled_ = true;
}

void Services::handle(std::span<const pollfd> polls, int64_t now) {
  if (!filled_) return;
  for (size_t i = 0; i < lines_.size(); ++i) {
    const pollfd* mine = &polls[polls_each * i];
    if (mine[0].revents != 0)
      for (int pieces = 0; pieces < pieces_most && read_output(i); ++pieces) {
      }
    if (mine[1].revents != 0) hear_ready(i, now);
    if (mine[2].revents != 0) hear_tools(i, now);
  }
  for (size_t k = 0; k < followers_most; ++k) {
    const short revents = polls[polls_each * lines_.size() + k].revents;
    if ((revents & (POLLHUP | POLLERR)) != 0) followers_[k] = {};
    if ((revents & POLLOUT) != 0 && followers_[k].fd) send_to(followers_[k]);
  }
}

void Services::drain() {
  constexpr int pipe_most = 1 << 10;  // pieces: a jail may make its pipes larger, and go on writing
  for (size_t i = 0; i < lines_.size(); ++i) {
    const bool logs = !supervisor_.spec(i).log.empty();
    for (int pieces = 0; logs && pieces < pipe_most && read_output(i); ++pieces) {
    }
  }
}

// Whether there may be more.
bool Services::read_output(size_t service) {
  const ServiceSpec& spec = supervisor_.spec(service);
  Lines& lines = lines_[service];
  char piece[chunk_most];
  const ssize_t size = sys::read(lines.output.read.get(), piece, sizeof piece);
  if (size <= 0) return false;
  const std::string_view bytes(piece, static_cast<size_t>(size));
  std::string_view left = bytes;
  const bool failed = !append_log(spec, left, lines.turns);
  if (failed && !lines.failing) say({spec.log, ": ", std::strerror(errno)});
  lines.failing = failed;
  send_to_followers(service, left);
  return bytes.size() == sizeof piece;
}

void Services::hear_ready(size_t service, int64_t now) {
  char text[64];
  Fd& ready = lines_[service].ready;
  const ssize_t size = sys::read(ready.get(), text, sizeof text);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const bool said = size > 0 && std::string_view(text, static_cast<size_t>(size)).contains('\n');
  if (size <= 0 || said) ready.reset();
  if (said) supervisor_.ready(service, now);
}

}  // namespace jail
