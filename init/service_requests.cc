// What process 1 is asked about services: by the host, and by root of the jail.
#include "base/sys.h"
#include "init/service_log.h"
#include "init/services.h"
#include "sup/stream.h"

namespace jail {

namespace {

constexpr int64_t shown_most = 64 << 10;  // bytes of a log: a socket takes them without waiting

bool send_packet(const Fd& fd, std::string_view packet) {
  return sys::send(fd.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

}  // namespace

std::optional<std::string> Services::obey(const Words& words, int64_t now) {
  const std::string& verb = words[0];
  if (verb != "start" && verb != "stop" && verb != "restart") return std::nullopt;
  if (words.size() < 2 && verb == "stop") return std::nullopt;  // all of the jail
  if (words.size() < 2) return concat({"error ", verb, ": the name of a service is missing"});
  if (words.size() > 2) return "error one service at a time";
  const std::optional<uint16_t> service = supervisor_.find(words[1]);
  if (!service) return concat({"error ", words[1], ": no such service"});
  Result<void> done;
  if (verb != "stop") lay_tools(*service);  // a tool may have had it let go
  if (verb == "start") done = supervisor_.start(*service, now);
  if (verb == "stop") supervisor_.stop(*service, now);
  if (verb == "restart") done = supervisor_.restart(*service, now);
  return done ? "ok" : concat({"error ", words[1], ": ", done.error().text});
}

// --- the tools of s6 and runit ---

void Services::hear_tools(size_t service, int64_t now) {
  char space[ServiceTools::letters_most];
  for (const char letter : lines_[service].tools.hear(space)) obey_letter(service, letter, now);
  tell_change(service, now);
}

// What cannot be done is seen in the status; nobody waits for an answer.
void Services::obey_letter(size_t service, char letter, int64_t now) {
  using Kind = ToolRequest::Kind;
  const ServiceSpec& spec = supervisor_.spec(service);
  const ServiceLife& life = supervisor_.life(service);
  const ToolRequest request = request_of(letter, spec.tools);
  const bool runs = life.state == ServiceState::starting || life.state == ServiceState::up;
  const auto start = [&](bool once) { ignore(supervisor_.start(service, now, once), "as above"); };
  if (request.mark_down != 0) lines_[service].tools.mark_down(request.mark_down > 0);
  switch (request.kind) {
    case Kind::nothing:
      return;
    case Kind::up:
    case Kind::once:
      return start(request.kind == Kind::once);
    case Kind::no_more:
      return runs ? start(true) : void();
    case Kind::down:
      return supervisor_.stop(service, now);
    case Kind::leave:
      lines_[service].leaving = true;
      if (spec.tools != Tools::s6) return supervisor_.stop(service, now);
      return runs ? start(true) : void();
    case Kind::again:
      signal_by_tool(service, static_cast<int>(spec.stop_signal));
      return signal_by_tool(service, SIGCONT);
    case Kind::signal:
      return signal_by_tool(service, request.signal);
  }
}

void Services::signal_by_tool(size_t service, int signal) {
  ToolMarks& marks = lines_[service].tools.marks();
  if (marks.phase != ToolMarks::Phase::runs) return;
  sys::kill(supervisor_.life(service).pid, signal);
  marks.termed |= signal == SIGTERM;
  if (signal == SIGSTOP || signal == SIGCONT) marks.paused = signal == SIGSTOP;
}

// --- what is asked over the control socket ---

std::string Services::status_line(size_t service, int64_t now) const {
  const ServiceLife& life = supervisor_.life(service);
  std::string line =
      concat({"service ", supervisor_.spec(service).name, " ", service_word(life.state), " ",
              std::to_string(life.since == 0 ? 0 : (now - life.since) / 1000)});
  if (life.pid != 0) line += concat({" pid ", std::to_string(life.pid)});
  const std::string reason = supervisor_.reason(service);
  if (!reason.empty()) line += concat({": ", reason});
  return line;
}

void Services::show_log(Caller caller, const Words& words) {
  const bool follow = words.size() == 3 && words[2] == "follow";
  const auto answer = [&](std::string_view text) {
    if (!send_packet(caller.fd, text)) return;  // it has not waited
  };
  if (words.size() < 2 || (words.size() > 2 && !follow)) return answer("error log NAME [follow]");
  const std::optional<uint16_t> service = supervisor_.find(words[1]);
  if (!service) return answer(concat({"error ", words[1], ": no such service"}));
  if (supervisor_.spec(*service).log.empty())
    return answer(concat({"error ", words[1], ": has no log file"}));
  answer("ok");
  Follower follower{.fd = std::move(caller.fd), .service = *service};
  follower.log = LogReader(supervisor_.spec(*service), lines_[*service].turns, shown_most);
  if (!follow) {
    for (int64_t left = shown_most; left > 0 && follower.fd; left -= chunk_most) send_to(follower);
    return;
  }
  send_to(follower);
  // Who has followed the longest makes room.
  followers_[next_follower_] = std::move(follower);
  next_follower_ = (next_follower_ + 1) % followers_most;
}

// Some of what there is for it; who has gone leaves its place.
void Services::send_to(Follower& follower) {
  char piece[chunk_most], packet[packet_most];
  const ServiceSpec& spec = supervisor_.spec(follower.service);
  follower.behind = true;
  for (int pieces = 0; pieces < pieces_most; ++pieces) {
    const size_t size = follower.log.read(spec, lines_[follower.service].turns, piece);
    follower.lost += follower.log.take_lost();
    std::string_view next;
    if (follower.lost != 0)
      next = lost_packet(packet, follower.lost);
    else if (size != 0)
      next = bytes_packet(packet, {piece, size});
    else
      follower.behind = false;
    if (next.empty()) return;
    const bool sent = send_packet(follower.fd, next);
    if (!sent || follower.lost != 0) follower.log.put_back(size);
    if (sent) follower.lost = 0;
    if (!sent && errno != EAGAIN && errno != ENOBUFS) follower = {};
    if (!sent) return;
  }
}

// What is written has come; what could not be is lost for whoever cannot take it at once.
void Services::send_to_followers(size_t service, std::string_view unwritten) {
  char packet[packet_most];
  for (Follower& follower : followers_) {
    if (!follower.fd || follower.service != service) continue;
    if (!follower.behind) send_to(follower);
    if (!follower.fd || unwritten.empty()) continue;
    if (follower.behind || !send_packet(follower.fd, bytes_packet(packet, unwritten)))
      follower.lost += unwritten.size();
  }
}

}  // namespace jail
