// A console for tests: a real pair of pseudo-terminals, its ring, and the server of process 1,
// which the test turns itself. Clients are the other ends of socket pairs.
#pragma once

#include <algorithm>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <termios.h>
#include <vector>

#include "init/console.h"
#include "os/console.h"
#include "os/linux/abi.h"
#include "os/terminal.h"
#include "sup/stream.h"

namespace jail {

// What a client has heard: the answer, and the stream put together.
struct Heard {
  std::string answer, bytes;
  uint64_t lost = 0;
  bool read_only = false, ended = false;
};

class ConsolePair {
 public:
  ConsolePair() : memory_((Ring::header_size + 8192) / 8) {
    Result<LinkTerminal> pair = make_link_terminal();  // a pair as any other
    EXPECT_TRUE(pair);
    master_ = std::move(pair->master);
    slave_ = open_slave(master_.get()).value();
    reset_terminal(slave_.get());
    begin();
  }

  // Another process 1 takes over.
  void begin() { console_.emplace(Console::begin(master_.get(), link_, memory()).value()); }
  void end() { console_.reset(); }
  void set_link(int link) {
    link_ = link;
    begin();
  }

  std::span<std::byte> memory() { return std::as_writable_bytes(std::span(memory_)); }
  Console& console() { return *console_; }
  int master() const { return master_.get(); }
  int slave() const { return slave_.get(); }
  void drop_slave() { slave_.reset(); }

  // One turn of process 1's loop; false: nothing happened within `timeout` ms.
  bool turn(int timeout = 0) {
    pollfd polls[Console::polls_most];
    console_->fill(polls);
    if (sys::poll(polls, Console::polls_most, timeout) <= 0) return false;
    console_->handle(polls);
    return true;
  }

  // Turns until nothing happens any more. A terminal does part of its work behind our back, so
  // quiet is what lasts a little. What never becomes quiet spins.
  void settle(int quiet_ms = 20) {
    for (int i = 0; i < 20'000; ++i)
      if (!turn(quiet_ms)) return;
    ADD_FAILURE() << "the console spins";
  }
  // Turns until `done`, ten seconds at most.
  template <class Done>
  void turn_until(Done done) {
    for (int i = 0; i < 1000; ++i) {
      if (done()) return;
      turn(10);
    }
    ADD_FAILURE() << "what was waited for did not come";
  }

  // Attaches a client with these words.
  Fd attach(const Words& words = {}) {
    int ends[2];
    EXPECT_EQ(sys::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    console_->attach(Fd(ends[0]), words);
    return Fd(ends[1]);
  }

  // The jail writes, and the console has it.
  void print(std::string_view text) {
    termios modes{};
    EXPECT_EQ(sys::tcgetattr(slave_.get(), &modes), 0);
    const bool returns = (modes.c_oflag & OPOST) != 0;
    const auto newlines = static_cast<uint64_t>(std::ranges::count(text, '\n'));
    const uint64_t more = text.size() + (returns ? newlines : 0);
    const uint64_t end = written() + more;
    EXPECT_EQ(sys::write(slave_.get(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
    turn_until([&] { return written() >= end; });
    settle(0);
  }
  // What the jail reads; with `size`, until it has so much.
  std::string typed(size_t size = 0) {
    std::string text;
    turn_until([&] {
      text += read_some(slave_);
      return text.size() >= size;
    });
    return text;
  }

  static std::string read_some(const Fd& fd) {
    char bytes[8192];
    const ssize_t size = sys::read(fd.get(), bytes, sizeof bytes);
    return {bytes, size > 0 ? static_cast<size_t>(size) : 0};
  }
  // What comes from `fd`, until it is so much.
  std::string read_from(const Fd& fd, size_t size) {
    std::string text;
    turn_until([&] {
      text += read_some(fd);
      return text.size() >= size;
    });
    return text;
  }

  // Bytes of output so far: the last number of the ring's header.
  uint64_t written() const { return memory_[3]; }

 private:
  std::vector<uint64_t> memory_;
  Fd master_, slave_;
  int link_ = -1;
  std::optional<Console> console_;
};

inline void send_text(const Fd& client, std::string_view packet) {
  EXPECT_EQ(sys::send(client.get(), packet.data(), packet.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(packet.size()));
}

// All that is there for a client now, added to what it had.
inline void listen(const Fd& client, Heard& heard) {
  char raw[packet_most + 1];
  while (!heard.ended) {
    const ssize_t size = sys::recv(client.get(), raw, sizeof raw, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    heard.ended = size <= 0;
    const std::string_view text(raw, size > 0 ? static_cast<size_t>(size) : 0);
    if (heard.ended) return;
    if (heard.answer.empty()) {
      heard.answer = text;
      continue;
    }
    const std::optional<Packet> packet = read_packet(text);
    ASSERT_TRUE(packet) << text;
    heard.bytes += packet->bytes;
    heard.lost += packet->lost;
    heard.read_only |= packet->kind == PacketKind::read_only;
  }
}
inline Heard listen(const Fd& client) {
  Heard heard;
  listen(client, heard);
  return heard;
}

// Turns until the client has heard so many bytes.
inline void listen_for(ConsolePair& pair, const Fd& client, Heard& heard, size_t size) {
  pair.turn_until([&] {
    listen(client, heard);
    return heard.bytes.size() >= size;
  });
}

}  // namespace jail
