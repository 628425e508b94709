#include "cmd/console.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>

#include "base/file.h"
#include "base/harmless.h"
#include "base/sys.h"
#include "cmd/errors.h"
#include "cmd/raw_terminal.h"
#include "conf/lex.h"
#include "os/process1.h"
#include "sup/stream.h"

namespace jail {
namespace {

constexpr int retry_ms = 100;
// A connection that lasted so long was one; a shorter one gives nobody more time.
constexpr int64_t lasting_ms = 1000;
// Typed while the jail takes nothing: the rest is lost, so that the escape key is still read.
constexpr size_t typed_most = 65536;
constexpr int left = 0, failed = 1, ended = 2;

// From calling to asked once the socket is connected, to attached with the answer, back to calling
// whenever the other end closes it.
enum class Stage { calling, asked, attached };

class Session {
 public:
  explicit Session(const ConsoleRequest& request)
      : request_(request),
        mode_(request.mode),
        key_(request.escape_key),
        terminal_(request.input),
        output_is_terminal_(isatty(request.output) == 1) {}

  int run();

 private:
  Result<void> call();
  void wait();
  void pass_time();
  void lost();

  void read_input();
  void type(std::string_view typed);
  void obey_key(KeyWord word);
  void send_input();
  void send_window();

  void hear();
  void take_answer(const std::string& text);
  void take_packet(std::string_view raw);
  void show(std::string_view bytes);

  void say(const std::string& text) const;
  void give_up(const std::string& text);
  void end(int status) { status_ = status; }
  int64_t deadline() const;

  const ConsoleRequest& request_;
  std::string mode_;
  EscapeKey key_;
  HarmlessText harmless_;
  RawTerminal terminal_;
  bool output_is_terminal_, input_open_ = true, writes_ = false;

  Fd socket_;
  Stage stage_ = Stage::calling;
  pollfd polls_[2] = {};
  std::optional<uint64_t> position_;  // of the next byte of output, once there was one
  int64_t since_ = now_ms();          // we wait, for an answer or for a process 1
  int64_t attached_ = 0;              // when it was
  int64_t next_call_ = 0;
  std::string typed_;  // waits for the socket
  int status_ = -1;
};

// --- connecting ---

// In the working directory, which is that of the socket. Non-blocking: what listens may be
// nobody's, with a queue that is full.
Result<void> Session::call() {
  Fd socket(sys::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno("console");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = request_.control.substr(request_.control.rfind('/') + 1);
  if (name.size() >= sizeof address.sun_path) return fail_errno("console", ENAMETOOLONG);
  std::ranges::copy(name, address.sun_path);
  if (sys::connect(socket.get(), &address) != 0) return fail_errno("console");
  const std::string words = position_ ? fmt::format("console {} {}", mode_, *position_)
                                      : fmt::format("console {}", mode_);
  if (sys::send(socket.get(), words.data(), words.size(), MSG_NOSIGNAL) < 0)
    return fail_errno("console");
  socket_ = std::move(socket);
  stage_ = Stage::asked;
  return {};
}

int64_t Session::deadline() const {
  return since_ + (position_ ? request_.reconnect_ms : request_.answer_ms);
}

// The other end has closed. That tells nothing about why: a reboot, the end of the jail, or a
// process 1 that drops us look the same, and calling again finds out.
void Session::lost() {
  socket_.reset();
  typed_.clear();  // it was for what is no more
  if (!position_) return give_up("process 1 gave no answer");
  if (stage_ == Stage::attached) {
    if (now_ms() - attached_ >= lasting_ms) since_ = now_ms();
    say("process 1 has gone, waiting for the next one");
  }
  stage_ = Stage::calling;
  next_call_ = now_ms() + retry_ms;
}

// The directory of the socket is the jail's own and goes with it, while the socket itself is made
// anew for other reasons too: so the directory says whether there is something to wait for.
void Session::pass_time() {
  const int64_t now = now_ms();
  if (stage_ == Stage::attached || status_ >= 0) return;
  struct stat directory{};
  const bool gone = sys::fstatat(AT_FDCWD, ".", &directory, 0) != 0 || directory.st_nlink == 0;
  if (gone && position_) {
    say("the jail has ended");
    return end(ended);
  }
  if (now >= deadline())
    return give_up(position_ ? "no new process 1" : "no answer from process 1");
  if (stage_ != Stage::calling || now < next_call_) return;
  next_call_ = now + retry_ms;
  ignore(call(), "there is time for another try, or there is not");
}

// --- input ---

void Session::read_input() {
  char bytes[1024];
  const ssize_t size = sys::read(request_.input, bytes, sizeof bytes);
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
  // A terminal that has gone for good; of a script, the output may still be wanted.
  if (size <= 0) {
    input_open_ = false;
    if (terminal_.is_terminal()) end(left);
    return;
  }
  std::string_view typed(bytes, static_cast<size_t>(size));
  if (!terminal_.is_terminal()) return type(typed);
  while (!typed.empty() && status_ < 0) {
    std::string onward;
    const KeyWord word = key_.take(typed, onward);
    type(onward);
    obey_key(word);
  }
}

// What is typed while there is nobody to type to is dropped: nobody wants it to arrive at a prompt
// of the next process 1.
void Session::type(std::string_view typed) {
  if (!writes_ || stage_ != Stage::attached) return;
  typed_.append(typed.substr(0, typed_most - std::min(typed_most, typed_.size())));
}

void Session::obey_key(KeyWord word) {
  if (word == KeyWord::leave) {
    say("left");
    end(left);
  }
  if (word == KeyWord::suspend) terminal_.suspend();
  if (word == KeyWord::help) {
    const std::string key = escape_key_name(request_.escape_key);
    say(fmt::format("{0} q or {0} . leaves, {0} z suspends, {0} {0} types {0}", key));
  }
}

void Session::send_input() {
  std::array<char, packet_most> space;
  while (stage_ == Stage::attached && !typed_.empty()) {
    const std::string_view packet = bytes_packet(space, std::string_view(typed_).substr(0, 1024));
    if (sys::send(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
      if (errno != EAGAIN && errno != EINTR) typed_.clear();  // the end is heard as the other's
      return;
    }
    typed_.erase(0, packet.size() - 1);
  }
}

void Session::send_window() {
  winsize size{};
  if (!writes_ || stage_ != Stage::attached) return;
  if (sys::ioctl(request_.output, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
    return;
  std::array<char, packet_most> space;
  const std::string_view packet =
      window_packet(space, std::min(size.ws_row, window_most), std::min(size.ws_col, window_most));
  sys::send(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

// --- what comes from the jail ---

void Session::hear() {
  char raw[packet_most + 1];
  const ssize_t size = sys::recv(socket_.get(), raw, sizeof raw, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return lost();
  const std::string_view packet(raw, static_cast<size_t>(size));
  if (stage_ == Stage::asked)
    take_answer(std::string(packet));
  else
    take_packet(packet);
}

void Session::take_answer(const std::string& text) {
  const Result<Words> words = text.size() > packet_most ? fail(EPROTO, "") : lex_words(text);
  const std::string verdict = words && !words->empty() ? words->front() : "";
  if (verdict == "error" && !position_) return give_up(join(std::span(*words).subspan(1), " "));
  if (verdict == "error") {
    // A process 1 that is just beginning has no console yet.
    stage_ = Stage::calling;
    next_call_ = now_ms() + retry_ms;
    return socket_.reset();
  }
  const std::string mode = words && words->size() == 3 ? (*words)[1] : "";
  const int64_t position = mode.empty() ? -1 : parse_int((*words)[2]).value_or(-1);
  if (verdict != "ok" || (mode != "read" && mode != "write") || position < 0)
    return give_up("process 1 answered with garbage");
  const uint64_t at = static_cast<uint64_t>(position);
  if (position_) say("attached again");
  if (position_ && at > *position_) say(fmt::format("{} bytes lost", at - *position_));
  stage_ = Stage::attached;
  position_ = at;
  attached_ = now_ms();
  writes_ = mode == "write";
  if (!writes_ && mode_ != "read") say("read only: somebody else writes");
  // After a reboot this is who writes, without taking it from anybody.
  mode_ = mode;
  send_window();
}

// Whoever sends what is no packet is no process 1 of ours: it is not called again.
void Session::take_packet(std::string_view raw) {
  const std::optional<Packet> packet = read_packet(raw);
  if (!packet || packet->kind == PacketKind::window) return give_up("process 1 sent garbage");
  if (packet->kind == PacketKind::bytes) {
    *position_ += packet->bytes.size();
    show(packet->bytes);
  } else if (packet->kind == PacketKind::lost) {
    *position_ += packet->lost;
    say(fmt::format("{} bytes lost", packet->lost));
  } else {
    writes_ = false;
    mode_ = "read";
    say("read only: somebody else writes from here on");
  }
}

void Session::show(std::string_view bytes) {
  const std::string harmless = output_is_terminal_ ? "" : harmless_.pass(bytes);
  if (!output_is_terminal_) bytes = harmless;
  while (!bytes.empty()) {
    const ssize_t size = sys::write(request_.output, bytes.data(), bytes.size());
    if (size >= 0) {
      bytes.remove_prefix(static_cast<size_t>(size));
      continue;
    }
    pollfd space{request_.output, POLLOUT, 0};
    if (errno == EAGAIN) sys::poll(&space, 1, -1);
    if (errno != EAGAIN && errno != EINTR) return give_up(fail_errno("output").error().text);
  }
}

// --- the whole ---

// Our own words, on a line of their own. Half of them may be the jail's.
void Session::say(const std::string& text) const {
  const bool raw = terminal_.is_terminal();
  std::fprintf(stderr, "%s[%s: %s]%s", raw ? "\r\n" : "", printable(request_.name).c_str(),
               printable(text).c_str(), raw ? "\r\n" : "\n");
}

void Session::give_up(const std::string& text) {
  say(text);
  end(failed);
}

// Input that is no terminal is left where it is until the jail takes it; a terminal is always read,
// for the escape key.
void Session::wait() {
  const bool terminal = terminal_.is_terminal();
  const bool takes = writes_ && stage_ == Stage::attached && typed_.size() < packet_most;
  const short more = stage_ == Stage::attached && !typed_.empty() ? POLLOUT : 0;
  polls_[0] = {input_open_ && (terminal || takes) ? request_.input : -1, POLLIN, 0};
  polls_[1] = {socket_.get(), static_cast<short>(POLLIN | more), 0};
  const int64_t until = stage_ == Stage::calling ? next_call_ : deadline();
  const int64_t ms = std::clamp<int64_t>(until - now_ms(), 0, 3600'000);
  const timespec time{ms / 1000, ms % 1000 * 1'000'000};
  if (sys::ppoll(polls_, 2, stage_ == Stage::attached ? nullptr : &time, terminal_.mask()) <= 0)
    polls_[0].revents = polls_[1].revents = 0;
}

int Session::run() {
  if (Result<void> called = call(); !called) {
    give_up(called.error().text);
    return failed;
  }
  if (terminal_.is_terminal() && request_.escape_key != no_escape_key)
    say(fmt::format("console; {} q leaves", escape_key_name(request_.escape_key)));
  while (status_ < 0) {
    wait();
    if (terminal_.take_resized()) send_window();
    if (polls_[0].revents != 0) read_input();
    if (status_ < 0 && polls_[1].revents != 0) hear();
    send_input();
    pass_time();
  }
  // What the jail may have left on: attributes, a hidden cursor, reports of the mouse, brackets
  // around what is pasted.
  const char* kind = std::getenv("TERM");
  if (output_is_terminal_ && terminal_.is_terminal() && kind && std::string_view(kind) != "dumb")
    show("\033[m\033[?25h\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?2004l");
  return status_;
}

}  // namespace

int attach_console(const ConsoleRequest& request) {
  const size_t slash = request.control.rfind('/');
  if (slash != std::string::npos) {
    const Result<Fd> directory =
        open_at(AT_FDCWD, request.control.substr(0, slash + 1), O_RDONLY | O_DIRECTORY);
    if (!directory || sys::fchdir(directory->get()) != 0) {
      std::fprintf(stderr, "[%s: %s]\n", printable(request.name).c_str(),
                   directory ? "console: directory" : printable(directory.error().text).c_str());
      return failed;
    }
  }
  return Session(request).run();
}

}  // namespace jail
