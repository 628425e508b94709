#include "init/console.h"

#include <algorithm>

#include "base/sys.h"
#include "os/terminal.h"
#include "sup/stream.h"

namespace jail {
namespace {

constexpr size_t master_place = 0, link_place = 1, first_client = 2;
constexpr int pieces_most = 4;  // for one reader before somebody else has his turn
// What a client that does not read costs the kernel.
constexpr int send_buffer = 32768;

enum class Sent { all, later, never };

// Neither waits nor sends a part: packets are whole.
Sent send_packet(const Fd& socket, std::string_view packet) {
  const ssize_t sent =
      sys::send(socket.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return Sent::all;
  // Everything else ends the connection, also ENOMEM: the socket would be ready again at once, and
  // for ever.
  return errno == EAGAIN || errno == EINTR ? Sent::later : Sent::never;
}

// Takes a packet that was looked at off the socket.
void consume(const Fd& socket) {
  char byte;
  sys::recv(socket.get(), &byte, 1, MSG_DONTWAIT);
}

bool passes() {
  return errno == EAGAIN || errno == EINTR;
}

}  // namespace

Result<Console> Console::begin(int master, int link, std::span<std::byte> memory) {
  Console console;
  for (int fd : {master, link}) {
    const int flags = fd < 0 ? 0 : sys::fcntl(fd, F_GETFL);
    if (flags < 0 || (fd >= 0 && sys::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0))
      return fail_errno("console");
  }
  console.slave_ = TRY(open_slave(master));
  console.master_ = master;
  console.ring_ = Ring(memory);
  if (link < 0) return console;
  Result<Fd> watch = watch_changes(link);
  if (!watch) return console;
  console.link_ = link;
  console.link_watch_ = std::move(*watch);
  console.look_at_link();  // it may have been open through the end of the last process 1
  return console;
}

// --- who is attached ---

Console::Client* Console::writer() {
  auto it = std::ranges::find_if(clients_, [](const Client& client) { return client.writes; });
  return it == clients_.end() ? nullptr : &*it;
}

Console::Client* Console::find_room() {
  Client* room = nullptr;
  for (Client& client : clients_) {
    if (!client.fd) return &client;
    if (client.position < ring_.end() && (!room || client.position < room->position))
      room = &client;
  }
  return room;
}

bool Console::anybody_attached() const {
  return std::ranges::any_of(clients_, [](const Client& client) { return bool(client.fd); });
}

void Console::attach(Fd client, std::span<const std::string> words) {
  const std::string_view mode = words.empty() ? "write" : std::string_view(words[0]);
  const std::optional<int64_t> asked =
      words.size() < 2 ? static_cast<int64_t>(ring_.start()) : parse_int(words[1]);
  Client* room = find_room();
  std::string_view wrong;
  if ((mode != "read" && mode != "write" && mode != "steal") || words.size() > 2 || !asked ||
      *asked < 0)
    wrong = "error \"console: read, write or steal, and a position\"";
  else if (!room)
    wrong = "error \"console: too many are attached\"";
  if (!wrong.empty()) {
    send_packet(client, wrong);
    return;
  }
  *room = {};
  Client* before = writer();
  if (before && mode == "steal") {
    before->writes = false;
    before->stolen = true;
    before->taken = 0;
    if (send_packet(before->fd, read_only_packet) != Sent::all) *before = {};
    before = nullptr;
  }
  const bool writes = mode != "read" && before == nullptr;
  const uint64_t position = ring_.read(static_cast<uint64_t>(*asked), 0).position;
  const std::string answer = concat({"ok ", writes ? "write " : "read ", std::to_string(position)});
  sys::setsockopt(client.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
  if (send_packet(client, answer) != Sent::all) return;
  *room = {.fd = std::move(client), .position = position, .taken = 0, .writes = writes};
  send_output(*room);
}

// --- what to wait for, and what has happened ---

void Console::fill(std::span<pollfd, polls_most> polls) const {
  const auto events = [](bool in, bool out) {
    return static_cast<short>((in ? POLLIN : 0) | (out ? POLLOUT : 0));
  };
  // A link that is shut has its watch in its place, which is only ever readable.
  const bool link_takes = !link_open_ || link_size_ == 0;
  const bool link_behind = link_open_ && link_position_ < ring_.end();
  polls[master_place] = {dead_ ? -1 : master_, events(true, blocked_), 0};
  polls[link_place] = {link_open_ ? link_ : link_watch_.get(), events(link_takes, link_behind), 0};
  for (size_t i = 0; i < clients_most; ++i) {
    const Client& client = clients_[i];
    const bool takes = !client.writes || !blocked_;
    polls[first_client + i] = {client.fd.get(), events(takes, client.position < ring_.end()), 0};
  }
}

void Console::handle(std::span<const pollfd, polls_most> polls) {
  const pollfd &master = polls[master_place], &link = polls[link_place];
  if (master.revents & POLLOUT) {
    blocked_ = false;
    if (link_size_ != 0) type_link();
  }
  if (master.revents & ~POLLOUT) read_master();
  if (link.revents != 0 && link.fd == link_watch_.get()) {
    watch_seen(link_watch_.get());
    look_at_link();
  } else if (link.revents != 0 && link_open_) {
    if (link.revents & POLLOUT) write_link();
    if (link.revents & POLLIN)
      read_link();
    else if (link.revents & ~POLLOUT)
      shut_link();
  }
  for (size_t i = 0; i < clients_most; ++i) {
    Client& client = clients_[i];
    const pollfd& seen = polls[first_client + i];
    if (seen.revents == 0 || seen.fd != client.fd.get()) continue;
    if (seen.revents & ~POLLOUT) read_client(client, (seen.revents & (POLLHUP | POLLERR)) != 0);
    if (client.fd && (seen.revents & POLLOUT)) send_output(client);
  }
}

// --- output ---

void Console::read_master() {
  char bytes[packet_most];
  const ssize_t size = sys::read(master_, bytes, sizeof bytes);
  if (size > 0) {
    revived_ = false;
    return output({bytes, static_cast<size_t>(size)});
  }
  if (size < 0 && passes()) return;
  // The slave that we keep stands against this. Where another one does not help, nothing is read
  // any more, as poll(2) would not wait.
  Result<Fd> slave = open_slave(master_);
  dead_ = !slave || revived_;
  revived_ = true;
  if (slave) slave_ = std::move(*slave);
}

void Console::output(std::string_view bytes) {
  if (link_ >= 0 && !link_open_) look_at_link();
  ring_.write(bytes);
  for (Client& client : clients_)
    if (client.fd) send_output(client);
  if (link_open_) write_link();
}

void Console::send_output(Client& client) {
  std::array<char, packet_most> space;
  for (int i = 0; i < pieces_most; ++i) {
    const Ring::Piece piece = ring_.read(client.position, packet_most - 1);
    Sent sent = Sent::all;
    if (piece.lost != 0) sent = send_packet(client.fd, lost_packet(space, piece.lost));
    if (sent == Sent::all) {
      client.position = piece.position;
      if (piece.bytes.empty()) return;
      sent = send_packet(client.fd, bytes_packet(space, piece.bytes));
    }
    if (sent == Sent::never) client = {};
    if (sent != Sent::all) return;
    client.position += piece.bytes.size();
  }
}

void Console::say(std::string_view line) {
  output(line);
  output("\r\n");
}

// --- input ---

void Console::read_client(Client& client, bool gone) {
  char raw[packet_most + 1];
  // While the terminal takes nothing, who writes is not read; if he has gone meanwhile, poll(2)
  // would not wait for anything else.
  const bool unread = client.writes && blocked_;
  if (unread && !gone) return;
  const ssize_t size =
      unread ? 0 : sys::recv(client.fd.get(), raw, sizeof raw, MSG_PEEK | MSG_DONTWAIT);
  if (size < 0 && passes()) return;
  if (size <= 0 || !obey(client, {raw, static_cast<size_t>(size)})) client = {};
}

// One packet; false: it is none that may come. What the terminal does not take now stays where it
// is.
bool Console::obey(Client& client, std::string_view raw) {
  const std::optional<Packet> packet = read_packet(raw);
  if (!packet || (packet->kind != PacketKind::bytes && packet->kind != PacketKind::window))
    return false;
  if (!client.writes) {
    consume(client.fd);
    return client.stolen;  // it may not know yet
  }
  if (packet->kind == PacketKind::window)
    ignore(set_window(master_, packet->rows, packet->columns), "a size is not worth an end");
  else if (!type(client, packet->bytes))
    return true;
  client.taken = 0;
  consume(client.fd);
  return true;
}

// True when the terminal has all of a packet, or will never have it.
bool Console::type(Client& client, std::string_view bytes) {
  bytes.remove_prefix(std::min(client.taken, bytes.size()));
  const ssize_t size = sys::write(master_, bytes.data(), bytes.size());
  if (size < 0 && !passes()) return true;
  if (size > 0) client.taken += static_cast<size_t>(size);
  blocked_ = size < 0 || static_cast<size_t>(size) < bytes.size();
  return !blocked_;
}

// --- console.link ---

void Console::look_at_link() {
  pollfd now{link_, POLLIN, 0};
  if (sys::poll(&now, 1, 0) < 0) return;
  // Hung up and still readable: somebody has typed and gone.
  const bool open = (now.revents & POLLIN) != 0 || (now.revents & (POLLHUP | POLLERR)) == 0;
  if (open && !link_open_) link_position_ = ring_.end();
  if (!open && link_open_) return shut_link();
  link_open_ = open;
}

void Console::shut_link() {
  link_open_ = false;
  link_size_ = 0;
  // What the last one has not read is not for the next one, who must find it raw: with echo on, two
  // terminals would talk to each other for ever.
  if (const Result<Fd> slave = open_slave(link_)) {
    sys::tcflush(slave->get(), TCIOFLUSH);
    ignore(make_raw(slave->get()), "it is then as its last user left it");
  }
}

void Console::write_link() {
  for (int i = 0; i < pieces_most; ++i) {
    const Ring::Piece piece = ring_.read(link_position_, packet_most);
    link_position_ = piece.position;
    if (piece.bytes.empty()) return;
    const ssize_t size = sys::write(link_, piece.bytes.data(), piece.bytes.size());
    if (size < 0 && !passes()) return shut_link();
    if (size <= 0) return;
    link_position_ += static_cast<size_t>(size);
  }
}

void Console::read_link() {
  if (link_size_ != 0) return;
  const ssize_t size = sys::read(link_, link_input_.data(), link_input_.size());
  if (size == 0 || (size < 0 && !passes())) return shut_link();
  if (size < 0) return;
  link_size_ = static_cast<size_t>(size);
  type_link();
}

void Console::type_link() {
  const ssize_t size = sys::write(master_, link_input_.data(), link_size_);
  const size_t taken = size >= 0  ? static_cast<size_t>(size)
                       : passes() ? 0
                                  : link_size_;  // nobody will ever take it
  std::copy(link_input_.data() + taken, link_input_.data() + link_size_, link_input_.data());
  link_size_ -= taken;
  blocked_ = link_size_ != 0;
}

// --- the terminal itself ---

bool Console::hang_up() {
  // Before, as somebody of the host may have hung it up, and a dead one cannot be reset; and after.
  if (Result<Fd> slave = open_slave(master_)) slave_ = std::move(*slave);
  const bool revoked = jail::hang_up(master_, slave_.get());
  if (Result<Fd> slave = open_slave(master_)) {
    slave_ = std::move(*slave);
    dead_ = false;
  }
  return revoked;
}

Result<Fd> Console::open_for_child() const {
  return open_slave(master_, "/dev/console");
}

}  // namespace jail
