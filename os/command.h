// Commands: how hooks, exec.* and jexec(8) run a program on the host, in the view or in the jail, and how it is
// waited for and ended. All that the child needs is laid out before the fork; the child cannot return (house 12).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "base/text.h"

namespace jail {

// Where to find a running jail: its process 1 (by pidfd, so never another process of the same number), and the
// directory of the group that its commands belong in.
struct Inside {
  int process1 = -1;  // pidfd
  int group = -1;     // directory of ID/jail/run, or of a leaf of it
  Words rights;       // what root may do in it (os/privileges.h)
};

// Environment and user of a command (J4.4, J5.6).
struct Identity {
  std::string user;         // empty: stay who we are
  bool user_of_host = true;  // look `user` (or the current uid, with clean) up in the host's files, else in the jail's
  bool clean = false;       // only PATH, TERM and the user's variables; with a user also chdir to the home directory
  Words set;                // NAME=VALUE added last of all (JID, JNAME, JPATH of host commands)
};

struct Command {
  Words argv;                   // program (searched in PATH after the environment is set) and arguments
  Identity identity;
  std::optional<Inside> inside;  // in that jail, else on the host
  int view = -1;                // mount namespace for a host command, or -1 for ours
  int group = -1;               // cgroup directory for a host command, or -1 for ours
  std::string directory;        // working directory; empty: jail: "/", host: ours (also in the view)
  int output = -1;              // standard output and error, or -1 to inherit (exec.consolelog)
  bool session = false;         // setsid (background commands)
  std::string fail_prefix;      // put before the child's own one-line messages: "jail: web: "
};

// A started command. Owns it: destroying one that was not waited for kills and reaps it, unless it was let go.
struct Running {
  pid_t pid = -1;
  Fd pidfd;
};

// How a command ended.
struct Ended {
  bool timed_out = false;
  int status = 0;  // of wait(2)
};

// Starts a command. Errors before the fork are returned; those in the child (J4.4's texts) are printed there to
// standard error with fail_prefix and end it with status 1.
Result<Running> start_command(const Command& command);

// Waits until it ends, at most `timeout` milliseconds (-1: for ever), or until `stop_fd` (if not -1) is readable, which
// is ECANCELED. Running out of time is not an error and kills nothing.
Result<Ended> wait_command(Running& running, int64_t timeout, int stop_fd);

// Forgets a background command: it goes on by itself.
void let_go(Running& running);

}  // namespace jail
