// A terminal as process 1 has it: the master's end of a pair, held by descriptor, so that no path
// that the jail could change leads to it. Used in jinit: no {fmt}, and nothing here blocks but
// where it says so.
#pragma once

#include <cstddef>
#include <span>

#include "base/fd.h"
#include "base/result.h"

namespace jail {

// Opens the slave of the pair: readable and writable, non-blocking, nobody's controlling terminal.
// Needs no path and no right. With `path`, that file is opened if it is this slave ("/dev/console"
// of the jail), so that ttyname(3) has a name for it; whatever else the jail has put there is
// passed over. EIO: the master has been closed; EBUSY: a process of the jail wants it for itself
// (TIOCEXCL), and we hold no slave that could say otherwise.
Result<Fd> open_slave(int master, const char* path = nullptr);

// Modes, line discipline and queues of a terminal as they are at birth, and it is open to all again
// (TIOCNXCL). Anything that fails is left as it is: a terminal that is hung up has none of this.
void reset_terminal(int slave);

// Takes the terminal behind `slave`, one of ours, from all who have it, as revoke(2) of N5.2 and
// N6.3 does, as far as this process may. With CAP_SYS_ADMIN of the host: TIOCVHANGUP, so every
// descriptor of it is dead, `slave` too (open_slave() has a live one again), the session has lost
// it, and SIGHUP has been sent. True then. Without it: SIGHUP and SIGCONT for the session's leader
// and the foreground group, and reset_terminal(); who does not end keeps what it has open and the
// leader its terminal, and false says so. vhangup(2) is no way: it needs a right of the host too,
// and acts on the caller's own terminal.
bool hang_up(int master, int slave);

// For a child before it executes: a new session (if it does not lead one), `slave` its controlling
// terminal and descriptors 0, 1 and 2, blocking. Where another session has the terminal, which
// hang_up() could not help, that session's leader is killed and its end waited for, at most 1 s:
// EPERM then, and nothing but the new session has been made.
Result<void> open_session(int master, int slave);

// The same without session and controlling terminal: what the kernel gives a process 1 that is not
// ours (init.program), which does the rest itself.
Result<void> use_terminal(int slave);

// The size of the window, at 1 to 65535; a change sends SIGWINCH to the foreground group.
Result<void> set_window(int master, unsigned short rows, unsigned short columns);

// The pair transfers bytes as they are: no echo, no signals, no translation. Stays so while the
// master is open, until who has the slave changes it.
Result<void> make_raw(int slave);

// A descriptor to poll (POLLIN) in the place of `fd` where that stays hung up and would never let
// poll(2) wait: it becomes readable when something happens at `fd` and stays so until
// watch_seen(), but not again for what has not changed.
Result<Fd> watch_changes(int fd);
void watch_seen(int watch);

// Maps a ring's memory file (os/console.h) shared, for as long as the process lives. EINVAL where
// it is no sealed one of at most 1 MB: it could be cut off under our feet.
Result<std::span<std::byte>> map_ring(int fd);

// Whether something is open at a number of os/handed.h that can be what belongs there: a terminal,
// a ring, or a socket.
bool is_handed(int number);

}  // namespace jail
