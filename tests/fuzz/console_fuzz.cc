// Fuzzer of a console's two ends. The bytes are what others do to the server of process 1: packets
// of several clients, output and input of the terminal, takeovers, damage to the ring's memory. It
// must stay alive, soon have nothing to do again, and send nothing that the client's reader does
// not understand. The same bytes go through the readers of the client.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/harmless.h"
#include "base/sys.h"
#include "cmd/console_text.h"
#include "init/console.h"
#include "os/console.h"
#include "os/terminal.h"
#include "sup/stream.h"

namespace {

using jail::Console;
using jail::Fd;

void must(bool good) {
  if (!good) std::abort();
}

// The terminals last for all inputs: making one is most of the time.
struct World {
  jail::LinkTerminal console = jail::make_link_terminal().value();
  jail::LinkTerminal link = jail::make_link_terminal().value();
  Fd slave = jail::open_slave(console.master.get()).value();
  Fd linked;
  std::vector<uint64_t> memory = std::vector<uint64_t>(64);
  std::vector<Fd> clients;
  std::unique_ptr<Console> server;

  void begin() {
    server = std::make_unique<Console>(Console::begin(console.master.get(), link.master.get(),
                                                      std::as_writable_bytes(std::span(memory)))
                                           .value());
  }
  void attach(const std::string& mode) {
    int ends[2];
    if (jail::sys::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
    server->attach(Fd(ends[0]), jail::split(mode, " "));
    clients.emplace_back(ends[1]);
  }
  bool turn() {
    pollfd polls[Console::polls_most];
    server->fill(polls);
    if (jail::sys::poll(polls, Console::polls_most, 0) <= 0) return false;
    server->handle(polls);
    return true;
  }
};

// What a client hears: an answer, then packets.
void hear(const Fd& client) {
  char raw[jail::packet_most + 1];
  ssize_t size;
  while ((size = jail::sys::recv(client.get(), raw, sizeof raw, MSG_DONTWAIT)) > 0) {
    const std::string_view text(raw, static_cast<size_t>(size));
    const std::optional<jail::Packet> packet = jail::read_packet(text);
    must(packet || text.starts_with("ok ") || text.starts_with("error "));
    must(!packet || packet->kind != jail::PacketKind::window);
  }
}

void act(World& world, unsigned char what, const std::string& bytes) {
  const size_t one = world.clients.empty() ? 0 : (what >> 4) % world.clients.size();
  const auto send = [&](std::string_view packet) {
    if (!world.clients.empty())
      jail::sys::send(world.clients[one].get(), packet.data(), packet.size(),
                      MSG_DONTWAIT | MSG_NOSIGNAL);
  };
  const auto put = [&](const Fd& fd) {
    if (jail::sys::write(fd.get(), bytes.data(), bytes.size()) < 0) return;
  };
  switch (what & 15) {
    case 0:
      return send(bytes);
    case 1:
      return send("b" + bytes);
    case 2:
      return put(world.slave);
    case 3:
      return put(world.linked);
    case 4:
      return world.attach(bytes);
    case 5:
      return world.attach((what >> 4) % 2 ? "steal" : "read");
    case 6:
      return world.begin();
    case 7:
      world.linked.reset(jail::sys::openat(AT_FDCWD, world.link.path.c_str(),
                                           O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
      return;
    case 8:
      return world.linked.reset();
    case 9:
      if (!world.clients.empty())
        world.clients.erase(world.clients.begin() + static_cast<ptrdiff_t>(one));
      return;
    case 10:
      for (size_t i = 0; i < bytes.size() && i < 32; ++i)
        reinterpret_cast<char*>(world.memory.data())[i] = bytes[i];
      return;
    case 11:
      jail::reset_terminal(world.slave.get());
      return;
    case 12:
      jail::ignore(jail::make_raw(world.slave.get()), "either is good");
      return;
    case 13:
      return world.server->say(bytes);
    case 14:
      if (!world.clients.empty()) hear(world.clients[one]);
      return;
    default:
      world.turn();
  }
}

void drive(std::string_view data) {
  static World world;
  world.clients.clear();
  world.linked.reset();
  world.begin();
  jail::reset_terminal(world.slave.get());
  // Each act: what it is, how many bytes of its own follow.
  while (data.size() >= 2) {
    const size_t size = std::min<size_t>(static_cast<unsigned char>(data[1]), data.size() - 2);
    act(world, static_cast<unsigned char>(data[0]), std::string(data.substr(2, size)));
    data.remove_prefix(2 + size);
    world.turn();
  }
  int turns = 0;
  while (world.turn()) must(++turns < 1000);
  for (const Fd& client : world.clients) hear(client);
}

void read_as_client(std::string_view data) {
  if (const std::optional<jail::Packet> packet = jail::read_packet(data)) {
    std::array<char, jail::packet_most> space;
    if (packet->kind == jail::PacketKind::bytes)
      must(jail::bytes_packet(space, packet->bytes) == data);
    if (packet->kind == jail::PacketKind::window)
      must(jail::window_packet(space, packet->rows, packet->columns) == data);
    if (packet->kind == jail::PacketKind::lost)
      must(jail::lost_packet(space, packet->lost) == data);
  }
  jail::HarmlessText whole, parts;
  const std::string text = whole.pass(data);
  std::string together;
  for (char c : data) together += parts.pass({&c, 1});
  must(text == together);
  for (char c : text)
    must(static_cast<unsigned char>(c) >= ' ' ? c != 0x7f : c == '\n' || c == '\t');
  // It is clean now, so cleaning it again changes nothing.
  must(jail::HarmlessText().pass(text) == text);
  jail::EscapeKey key(jail::default_escape_key);
  std::string onward;
  for (std::string_view typed = data; !typed.empty();) key.take(typed, onward);
  must(onward.size() <= data.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_as_client(text);
  drive(text);
  return 0;
}
