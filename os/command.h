// Commands: how hooks, exec.* and jexec(8) run a program on the host, in the view or in the jail,
// and how it is waited for (J4.4, J5.6, L5). All that the child needs is laid out before the fork,
// and the child cannot return into code that is its parent's. Nothing here may let a process of the
// jail reach a descriptor, a directory or the memory of the host through a command that is on its
// way in.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

#include "base/fd.h"
#include "base/result.h"
#include "base/text.h"

namespace jail {

// Where to find a running jail: its process 1 (by pidfd, so never another process of the same
// number), and the directory of the group that its commands belong in.
// Borrowed: whoever filled it keeps the descriptors open.
struct Inside {
  int process1 = -1;  // pidfd
  int group = -1;     // directory of ID/jail/run, or of a leaf of it; -1: our own group
  Words rights;       // what root may do in it (os/privileges.h)
};

// Environment and user of a command (J4.4, J5.6; os/posix/environment.h makes the one from the
// other).
struct Identity {
  std::string user;  // empty: stay who we are
  // Look `user` (or the current uid, with clean) up on the host, else in the jail.
  bool user_of_host = true;
  bool clean = false;  // only PATH, TERM and the user's variables
  Words set;           // NAME=VALUE added last of all (JID, JNAME, JPATH of host commands)
};

// How the child's messages begin, where jail(8) and jexec(8) differ: "FAIL_PREFIX WORD ARGUMENT:
// STRERROR".
struct Texts {
  std::string attach = "jail_attach";  // takes no argument
  std::string directory = "chdir", home = "chdir", exec = "exec", shell = "exec";
  std::string unknown_uid = "unknown uid";
};

// One command, and all that its child has to know. Descriptors are borrowed; -1 is none.
struct Command {
  // Program (searched in the PATH of its environment) and arguments; empty: $SHELL -i, else
  // /bin/sh -i.
  Words argv;
  Identity identity;
  std::optional<Inside> inside;  // in that jail, else on the host
  int view = -1;                 // mount namespace for a host command, or -1 for ours
  int group = -1;                // cgroup directory for a host command, or -1 for ours
  // Working directory, in a jail counted from its root. Empty: with a user and clean the user's
  // home; else "/" in a jail, ours on the host (in a view the one of the same path, or "/").
  std::string directory;
  int output = -1;  // standard output and error of the program, or -1 to inherit (exec.consolelog)
  bool background = false;  // a session of its own, and nobody waits for it
  // On whichever processors our caller is held to, this one may run on all (J4.4).
  bool all_processors = false;
  std::string fail_prefix;  // put before the child's own one-line messages: "jail: web: "
  Texts texts;
};

// A started command, or none. Owns it: one that was not waited for is killed and reaped at the end.
struct Running {
  Running() = default;
  Running(pid_t child, Fd descriptor) : pid(child), pidfd(std::move(descriptor)) {}
  Running(Running&& other) noexcept
      : pid(std::exchange(other.pid, -1)), pidfd(std::move(other.pidfd)) {}
  Running& operator=(Running&& other) noexcept;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { end(); }
  // Kills (SIGKILL) and reaps it, if it is one. Its own children live on.
  void end();

  pid_t pid = -1;
  Fd pidfd;
};

// How a command ended, or that it has not.
struct Ended {
  bool timed_out = false;  // it runs on, and `status` means nothing
  int status = 0;          // of wait(2)
};

// Starts a command. What fails before the fork is returned (where the jail cannot be entered with
// the text "ATTACH: STRERROR", EINVAL if it is dying); what fails in the child is printed there to
// standard error in J4.4's words and ends it with status 1. Descriptors 0 to 2 are inherited and
// must not be directories where the command goes into a jail (EPERM: such a one leads out of it
// again). A background command has attached when this returns and yields an empty Running: nobody
// needs to reap it. Signals that we ignore stay ignored in the program, but for SIGPIPE and
// SIGCHLD; none is blocked.
Result<Running> start_command(const Command& command);

// Waits until it ends, at most `timeout` milliseconds (-1: for ever), or until `stop_fd` (if not
// -1) is readable, which is ECANCELED. Running out of time is not an error and kills nothing; then,
// and on an error, `running` is still ours to wait for. One that has ended is reaped, and `running`
// empty. An empty Running has ended with status 0.
Result<Ended> wait_command(Running& running, int64_t timeout, int stop_fd);

// Runs a command of a jail as if it were this process, which must be one for nothing else: its
// signals, its stops and its terminal are the command's (os/linux/relay.cc). Yields the status of
// wait(2). Errors are those of start_command before the fork, and nothing runs then; what fails in
// the child ends it as there. All signals stay blocked and SIGCHLD ignored afterwards: end_like()
// is what is left to do. From the moment the command runs, standard input, output and error are
// /dev/null here. Killed by SIGKILL, this process takes the command with it.
Result<int> relay_command(const Command& command);

// Ends this process as a status of wait(2) says: exits with it, or dies of the signal (without a
// core), so that whoever waits for us sees what became of the command.
[[noreturn]] void end_like(int status);

// Opens /dev/null on those of descriptors 0 to 2 that are closed, so that nothing opened later
// becomes one of them. First act of a program that starts commands. Error: "/dev/null: strerror".
Result<void> fill_standard_descriptors();

}  // namespace jail
