// jinit inside a jail, spoken to as a command: a word for process 1, or FreeBSD's run-levels
// (N1.3), over /run/jinit/control.
#pragma once

#include <span>

namespace jail {

// Whether these words, the program's name first, are for process 1 of the jail that we are in. No
// word at all is, in a jail: then process 1 is asked to boot, and rc waited for.
bool is_for_process1(std::span<char* const> words);

// Asks, prints what is answered, and yields the exit status: 0; 1 for an error or a word that means
// nothing (with the text of FreeBSD's init where it is one of its own), and where there is no
// process 1 to be asked.
int run_client(std::span<char* const> words);

}  // namespace jail
