// Another program as process 1 (init.program of jail.conf(5)): systemd, another system's init, or
// any other program of the jail.
#pragma once

#include <string>

namespace jail {

// Becomes the program: with the console (handed::console), where there is one, or else /dev/null
// for its input and outputs, but not as its controlling terminal, as the kernel starts an init; no
// other descriptor, no signal blocked; `container=cellblock`, PATH, HOME and TERM for its
// environment, and its path for its only word. Returns only if that fails: errno says why, and
// nothing but to exit is left.
void become_program(const std::string& path);

}  // namespace jail
