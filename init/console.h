// The console in process 1 (or in the warden, where process 1 is another program): reads the
// terminal's master into the ring of the last output, hands that on to whoever is attached, and
// what the one who writes types to the terminal. Everybody is treated as an enemy, the jail as well
// as who is attached: nobody can make it wait, grow, spin, or end. After begin() it allocates
// nothing, and while nothing happens it makes no system call.
//
// Readers have a position in the ring each, and get what the socket takes; who is too slow loses
// the oldest and is told so. Input is left in the socket of who writes (MSG_PEEK) until the
// terminal takes it, so what waits needs no memory of ours. console.link is one more client, which
// may always write and is never told anything; while nobody has it open, nothing is written to it.
#pragma once

#include <array>
#include <poll.h>
#include <span>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "base/text.h"
#include "sup/ring.h"

namespace jail {

class Console {
 public:
  static constexpr size_t clients_most = 8;
  static constexpr size_t polls_most = clients_most + 2;

  // `master` and `link` (-1: there is none) as os/console.h makes them; they are borrowed and must
  // stay open. `memory` as map_ring() yields it. Opens a slave and keeps it, since a master whose
  // slaves are all closed is hung up for good as poll(2) sees it. A link that cannot be watched is
  // left out in silence: the console must not depend on it. After an error: nothing to be used.
  static Result<Console> begin(int master, int link, std::span<std::byte> memory);

  // A request `console [read|write|steal] [POSITION]` that came over `client`, a connected
  // SEQPACKET socket; `words` are those behind the verb. Answers it, and keeps the connection until
  // the other end closes it, or breaks the rules of sup/stream.h. Without a word: as `write`.
  //
  //   read    `ok read POSITION`
  //   write   `ok write POSITION`; where somebody writes already, as read
  //   steal   `ok write POSITION`; who wrote so far reads from here on, and is told
  //
  // Then comes the output from POSITION on, which is the one asked for if the ring has it (a client
  // that was attached to an earlier process 1 goes on where it was), else the oldest there is. If
  // there is no room, the client that is most behind goes; if none is behind, `error TEXT`.
  void attach(Fd client, std::span<const std::string> words);

  // What to poll for, in places that stay the same; a place that is not used has fd -1.
  void fill(std::span<pollfd, polls_most> polls) const;
  // The same array after poll(2). A bounded amount of work: what is left is there at the next poll.
  void handle(std::span<const pollfd, polls_most> polls);

  // A line of init's own for the console: goes into the ring and to all clients without passing the
  // terminal, so it is heard whatever the jail has done to that.
  void say(std::string_view line);

  // hang_up() of os/terminal.h for this terminal (N5.2, N6.3): what is attached stays so.
  bool hang_up();

  // For a child that is to have the console: open_slave() with the jail's name for it.
  Result<Fd> open_for_child() const;

  bool anybody_attached() const;
  int master() const { return master_; }

 private:
  struct Client {
    Fd fd;
    uint64_t position = 0;  // of the next byte for it
    size_t taken = 0;       // bytes of its next packet that the terminal has
    bool writes = false, stolen = false;
  };

  void read_master();
  void output(std::string_view bytes);
  void send_output(Client& client);
  void read_client(Client& client, bool gone);
  bool obey(Client& client, std::string_view raw);
  bool type(Client& client, std::string_view bytes);
  Client* find_room();
  Client* writer();

  void look_at_link();
  void shut_link();
  void write_link();
  void read_link();
  void type_link();

  int master_ = -1, link_ = -1;
  Fd slave_;
  Ring ring_{{}};
  std::array<Client, clients_most> clients_;
  bool blocked_ = false;  // the terminal takes no input now
  bool revived_ = false;  // the slave is new since the last output
  bool dead_ = false;     // and did not help

  Fd link_watch_;
  bool link_open_ = false;
  uint64_t link_position_ = 0;
  std::array<char, 256> link_input_;
  size_t link_size_ = 0;  // of it that waits
};

}  // namespace jail
