// Single user's way in, between process 1 and the shell (N7): root's password where the console is
// not secure, and which shell. It runs in a child, which is what waits for a person.
#pragma once

namespace jail {

// For a child of process 1 whose descriptors 0 to 2 are the console. Exits with 0 where multi-user
// is wanted instead, or with 127 where no shell can be executed; else it becomes the shell.
[[noreturn]] void be_single_user();

}  // namespace jail
