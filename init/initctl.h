// sysvinit's fifo: how its shutdown(8), telinit(8) and halt(8) ask for a run-level (initctl.h of
// sysvinit, N3.3). Root of the jail alone may write to it; what comes is checked all the same.
#pragma once

#include <optional>

#include "base/fd.h"
#include "sup/machine.h"

namespace jail {

// Makes /run/initctl, where the jail has a /run of ours, and opens it so that it never hangs up. No
// descriptor: there is none.
Fd open_initctl();

// The next request in it; nothing if there is none, or what is there is none.
std::optional<InitEvent> read_initctl(int fd);

}  // namespace jail
