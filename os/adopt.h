// What a program asks of the kernel that stands in front of a command as its init does, but need
// not be process 1 (init/entry.h). Nothing here allocates.
#pragma once

namespace jail {

// From now on orphans among our descendants become our children. Process 1 has them anyway. False,
// with errno, if the kernel will not; children that we start do not inherit it.
bool adopt_orphans();

// This process gets `signal` when the parent that it has now ends; also if that happened while we
// asked. The signal stays ours alone: children start without one. False, with errno, for a number
// that is no signal.
bool signal_when_parent_ends(int signal);

// Gives up our session's controlling terminal `fd`, so that another session can take it. For the
// leader of the session only; SIGHUP and SIGCONT go to the terminal's foreground group, ourselves
// among it. False, with errno: nothing has changed.
bool let_go_of_terminal(int fd);

// Makes the terminal `fd` the controlling one of the session that we lead and our group its
// foreground one. False, with errno: the terminal belongs to another session, or `fd` cannot be
// read from.
bool take_terminal(int fd);

// Closes all descriptors from `first` on. Says nothing: what is not open is closed.
void close_from(int first);

}  // namespace jail
