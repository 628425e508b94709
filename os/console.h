// Making a jail's console, on the host: the terminals of the jail's own that it is the first of,
// the node in its /dev, the ring of its last output, and console.link's terminal of the host. What
// process 1 does with all that is os/terminal.h.
#pragma once

#include <cstddef>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace jail {

// An instance of devpts of its own, empty and attached nowhere yet (closing the descriptor ends it
// where nothing else holds it): ptmx for all, terminals with mode 620 and group 5, at most 1024 of
// the host's 4096. The jail's root owns what is opened in it by the jail's root.
Result<Fd> make_terminals();

struct Terminal {
  Fd master;            // non-blocking
  unsigned number = 0;  // the slave's name
};

// Opens a pair in an instance of devpts, whose directory (O_PATH will do) is given, attached or
// not. The slave is for root alone (0600: nobody's write(1) may type on a console), has the modes
// of birth and a window of 24 lines by 80. The first pair of an instance has number 0.
Result<Terminal> open_terminal(const Fd& terminals);

// Puts the slave of a pair on `console` in the directory `dev`, a mount over a file that is made
// for it where there is none. ELOOP: it is a symbolic link. Nothing is mounted after an error. In
// the mount namespace of the caller, who needs the host's right to mount.
Result<void> put_console(const Fd& terminals, unsigned number, const Fd& dev);

// How much of the last output a console remembers, less a few bytes.
constexpr size_t console_ring_size = 32768;

// A memory file for sup/ring.h: its pages are there, so that no write to it can find memory
// exhausted, and it can neither shrink nor grow.
Result<Fd> make_ring(size_t size = console_ring_size);

// console.link's pair, on the host.
struct LinkTerminal {
  Fd master;         // non-blocking; hung up until somebody opens the slave
  std::string path;  // of the slave: "/dev/pts/N"
};

// Raw; root's, and of the group 0, with mode 0660. ENOENT: /dev/pts is not where new terminals of
// this host are.
Result<LinkTerminal> make_link_terminal();

// The path that cu(1) opens: a symbolic link. One that leads to this terminal already is a success;
// EEXIST for anything else that is there, which stays as it is. Error: "PATH: strerror".
Result<void> put_link(const std::string& path, const std::string& terminal);
// Takes it away, if it is a link to that terminal; success also where nothing, or another's, is
// there.
Result<void> drop_link(const std::string& path, const std::string& terminal);

}  // namespace jail
