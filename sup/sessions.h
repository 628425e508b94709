// Sessions: what init keeps running for the active lines of ttys(5) (N9). Pure: no clock, no
// process. Events go in; acts come out of take(), and it is the caller who carries them out.
//
// The life of a session. It comes from a line that is on (N8.3) and is due at once. When its time
// has come it is *begun*: here quick repetition is counted, and the fifth quick start in a row
// pauses first (N9.3). Then the window program, if it has one, and a wait (N9.4); then its command,
// which runs until its process ends. After that the session is due again; or it is dropped, if it
// was told to stop or its device is gone.
//
// A session that pauses has no process, only a time in due: unlike init(8), whose pausing sessions
// are copies of itself that cannot be ended and run a deleted line once more, ours go when they are
// told to stop. Nothing is ever tried again without a pause after a failure, and with no session
// there is no deadline: no event can make this spin.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "sup/ttys.h"

namespace jail {

// How long sessions wait, in milliseconds (N6.5).
struct SessionTimes {
  int64_t spacing = 5'000;  // a start this soon after the one before is a quick one
  int quick_starts = 3;     // so many quick ones in a row are tolerated: a count
  int64_t pause = 30'000;   // before the start that was one too many
  int64_t window = 3'000;   // between window program and command
  int64_t stall = 30'000;   // after a program that could not be executed, or a fork that failed
};

struct Session {
  enum class Step { begin, window, command };

  unsigned id = 0;  // never used twice
  std::string device;
  Words command;             // never empty
  Words window;              // empty: none
  std::string term;          // the whole environment: "TERM=xterm", or empty for none
  std::string source;        // command, window and type as the file has them
  bool conditional = false;  // it needs its device

  int pid = 0;                 // of its process, 0: none
  std::optional<int64_t> due;  // when `next` is; nothing: a process runs, or is just being started
  Step next = Step::begin;
  std::optional<int64_t> begun;  // when it was begun last
  int quick = 0;                 // quick starts in a row
  bool stop = false;             // not to be started again
  bool present = true;           // during a re-read: its line was met
  bool hung_up = false;          // during a re-read: its process is to go
};

struct SessionAct {
  enum class Kind {
    start,    // execute command of the session, with term; answer with started() or failed()
    window,   // the same with window, in a process nobody waits for; failed_window() if it fails
    hang_up,  // send SIGHUP to pid, to no group, and take its device away where there is revoke(2)
    warn,     // log text
  };
  Kind kind;
  unsigned session = 0;  // its id; 0 for warn
  int pid = 0;
  std::string text = {};
};

// What could not be done for an act.
enum class SessionFailure { fork, execute };

class Sessions {
 public:
  explicit Sessions(TtyWorld world, const SessionTimes& times = {})
      : world_(std::move(world)), times_(times) {}

  // The state read_ttys: forgets all sessions and makes those of the file; nothing stands for a
  // file that is missing, and default_ttys() is then read in its place. Everything is due at `now`.
  // `now` is here and below in milliseconds of a clock that never goes back.
  void read(std::optional<std::string_view> file, int64_t now);

  // The state clean_ttys, for SIGHUP (N9.5): lines that are gone, off, or say something else hang
  // up their process; those that say the same are left alone, be they running or pausing. A missing
  // file is an empty one, unless there was none before either.
  void reread(std::optional<std::string_view> file, int64_t now);

  // The next thing to do at `now`, or nothing until the deadline or the next event. To be asked
  // after each event, until there is nothing. A start must be answered before the next event.
  std::optional<SessionAct> take(int64_t now);

  // The time by which take() must be asked again; nothing: not before the next event.
  std::optional<int64_t> deadline() const;

  // The command of session `id` runs as `pid`.
  void started(unsigned id, int pid);

  // It does not, by errno `code`: the session stalls, then tries again. May also come after
  // started(), and then counts as the end of that process.
  void failed(unsigned id, SessionFailure why, int code, int64_t now);

  // The window program does not run; a warning is all that follows.
  void failed_window(unsigned id, SessionFailure why, int code);

  // A child has ended, however. False: it is no session's.
  bool ended(int pid, int64_t now);

  // Catatonia (N9.6): nothing is started any more; what runs may go on to its end.
  void stop();

  // The beginning of a shutdown (N6.1): stop(), and all that runs is hung up.
  void hang_up();

  // In the order of the file, for those who ask how things are. Valid until the next event.
  const std::vector<Session>& all() const { return sessions_; }

  // The session of an act just taken; nullptr if there is none of this id.
  Session* find(unsigned id);

 private:
  std::optional<Session> make(TtyLine line);
  void append(Session session, int64_t now);
  void renew(Session& session, std::optional<Session> fresh, int64_t now);
  template <class Each>
  void each_line(std::string_view text, Each each);
  bool vanished(const Session& session) const;
  void step(Session& session, int64_t now);
  bool begin(Session& session, int64_t now);
  void drop_stopped();
  void warn_of_failure(const Session& session, std::string_view what, const Words& program,
                       SessionFailure why, int code);
  void warn(std::string text);

  TtyWorld world_;
  SessionTimes times_;
  std::vector<Session> sessions_;
  std::vector<SessionAct> acts_;  // from taken_ on still to be taken
  size_t taken_ = 0;
  unsigned last_id_ = 0;
  bool missing_ = false;  // the sessions are those of default_ttys()
};

}  // namespace jail
