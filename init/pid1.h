// Process 1 of a jail: one loop that hears signals, requests, ends of children and terminals, asks
// the pure machines of sup/ what they mean, and does what those say. While nothing happens it makes
// no system call; nothing of the jail can make it wait or end.
#pragma once

#include <span>

namespace jail {

// The whole life of `jinit --jail WORDS`, with what is handed on in its place (os/handed.h).
// Returns only if it cannot begin: the jail ends then.
int run_jail(std::span<char* const> words);

}  // namespace jail
