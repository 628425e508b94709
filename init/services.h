// The services of a jail, done: process 1 tells what happened, and this starts, signals and logs as
// the supervisor (sup/supervisor.h) orders. Decides nothing about services itself. Allocates when
// files are read and when somebody asks, never while services start, run and end.
//
// Pipes. A service that has a log file writes to a pipe that process 1 reads; one that has a logger
// to a pipe that the logger reads. Process 1 keeps both ends, so that what was written is there
// whoever is started again. A pipe for readiness lives from the start until the newline.
#pragma once

#include <array>
#include <optional>
#include <poll.h>
#include <span>
#include <string>
#include <vector>

#include "init/script.h"
#include "init/service_log.h"
#include "init/service_tools.h"
#include "os/process1.h"
#include "sup/machine.h"
#include "sup/supervisor.h"

namespace jail {

class Services {
 public:
  static constexpr size_t followers_most = 8;

  // Where children are born; to be called before anything is started.
  // `directories`: these are the services, and not those of a jail.
  void settle(const Birthplace& place, std::string directories = {}) {
    place_ = place;
    directories_ = std::move(directories);
  }

  // What the machine asks for. `start` reads the files and starts what they want; `reread` reads
  // them again - while jinit.conf has an error, all stays as it is. After `stop` comes the event
  // services_down. `abandon`: everything is being killed.
  void start(int64_t now);
  void reread(int64_t now);
  void stop(int64_t now);
  void abandon(int64_t now);
  // SIGKILL for whatever runs of each, with what it has in its session.
  void kill_all();

  // What happened. False: that child was no service's.
  bool ended(pid_t pid, int status, int64_t now);
  // All that is due is done. To be called after each of the above, and before waiting.
  void work(int64_t now);
  // What services mean for the jail; to be asked after work().
  std::optional<InitEvent> take_event();
  int64_t deadline() const { return supervisor_.deadline(); }

  // How many descriptors there are to wait for, their places, and what came of it. A reload in
  // between makes the answer meaningless, and it is not looked at.
  size_t polls() const { return polls_each * lines_.size() + followers_most; }
  void fill(std::span<pollfd> polls);
  void handle(std::span<const pollfd> polls, int64_t now);

  // Before the end: what services have written is put into their logs.
  void drain();

  // Requests `start NAME`, `stop NAME`, `restart NAME`: the answer, or nothing if it is another
  // one. Done means begun; how it goes on is seen in the status.
  std::optional<std::string> obey(const Words& words, int64_t now);
  // `log NAME [follow]`: `ok`, and the end of its log file in packets of sup/stream.h; with follow,
  // what comes from then on, whatever becomes of the file, until the other end closes. A slow one
  // reads from the files, as long as they are kept.
  void show_log(Caller caller, const Words& words);
  // The status line of each: `service NAME STATE SECONDS [pid PID][: REASON]`.
  size_t size() const { return supervisor_.size(); }
  std::string status_line(size_t service, int64_t now) const;

 private:
  static constexpr size_t chunk_most = 4095;
  static constexpr int pieces_most = 4;  // of a log, before others have their turn
  static constexpr size_t polls_each = 3;

  // The descriptors of one service, at its number.
  struct Lines {
    Pipe output;  // to its log file or logger
    Fd ready;
    ServiceTools tools;    // of a directory, if it could be laid out
    int source = -1;       // whose logger it is
    uint64_t turns = 0;    // of its log file
    bool failing = false;  // its log file cannot be written, which has been said
    bool given_up = false;
    bool leaving = false;  // when it is down, the tools are let go
  };
  struct Follower {
    Fd fd;
    uint16_t service = 0;
    LogReader log = {};
    uint64_t lost = 0;
    bool behind = false;  // it has no room for what there is
  };

  bool load(int64_t now);
  void take_over(std::vector<std::optional<uint16_t>> before);
  void lay_output(size_t service);
  void lay_tools(size_t service);
  const Pipe& output_of(size_t service);
  void carry_out(const ServiceOrder& order, int64_t now);
  void signal(const ServiceOrder& order);
  void run(const ServiceOrder& order, int64_t now);
  void tell_change(size_t service, int64_t now);
  void say(std::initializer_list<std::string_view> pieces) const;
  void add_event(InitEvent event);
  bool read_output(size_t service);
  void hear_ready(size_t service, int64_t now);
  void hear_tools(size_t service, int64_t now);
  void obey_letter(size_t service, char letter, int64_t now);
  void signal_by_tool(size_t service, int signal);
  void send_to(Follower& follower);
  void send_to_followers(size_t service, std::string_view unwritten);

  Supervisor supervisor_;
  Birthplace place_;
  std::string directories_;
  std::vector<Lines> lines_;
  std::array<Follower, followers_most> followers_;
  size_t next_follower_ = 0;
  std::vector<InitEvent> events_;
  bool filled_ = false;  // the places of fill() are those of now
  bool stopping_ = false;
};

}  // namespace jail
