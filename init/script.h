// The programs that process 1 itself runs: rc, rc.shutdown, rc.final, the single-user shell, and
// what ttys(5) asks for (N5.2, N7, N9.2).
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "base/text.h"
#include "init/rc.h"

namespace jail {

class Console;

// Where a child is born and what it is given.
struct Birthplace {
  int group = -1;              // os/process1.h
  Console* console = nullptr;  // perhaps none
};

// A line of init's own, out of pieces: the console hears it, whoever is attached, and without one
// /var/log/init.log has it. Cut after some hundred bytes; allocates nothing.
void say_line(const Birthplace& place, std::initializer_list<std::string_view> pieces);

// For a child: /dev/null is its input and /var/log/init.log its output, if there can be one (N5.2).
void use_log();

// Starts a script, or a text for a shell, with its argument, if that is not empty: as the leader of
// a session on the console - or, without one, on /dev/null with /var/log/init.log for its output -
// deaf to SIGHUP and SIGTSTP, in / with umask 022. It is executed itself if it may be, else by
// /bin/sh. Yields its pid, or -1 with errno.
pid_t start_script(const Birthplace& place, const Rc& rc, const char* argument, bool deaf = true);

// The shell of single user on the console. -1 with errno; a shell that cannot be executed exits
// with 127.
pid_t start_shell(const Birthplace& place);

// A session's program (N9.2): words to execute, no search, with `term` (TERM=...) as the whole
// environment. A child that cannot execute it exits with 127.
pid_t start_session(const Birthplace& place, std::span<const std::string> words,
                    const std::string& term);

}  // namespace jail
