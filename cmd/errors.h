// What the commands say about a configuration, held to a length: a hostile file must not bury what
// matters, nor speak to the terminal. Nothing is held back in the strict mode.
#pragma once

#include <string>
#include <string_view>

#include "base/text.h"
#include "conf/message.h"

namespace jail {

// A text for one line: at most 1000 bytes of it, ended by "..." where it was longer, with control
// characters as `?`. Bytes of 0x80 and above stay.
std::string printable(std::string_view text);

// Messages for printing: each printable; of many the first 20, and how many more there are, which
// --check shows. In the strict mode (CELLBLOCK_STRICT=freebsd) as they are, and all.
Words shortened(const Words& texts);

// Prints them so, as "jail: TEXT" on standard error.
void print_errors(const Words& texts);
// The same of a configuration's messages, in the words of J1.15.
void print_messages(const Messages& messages);

}  // namespace jail
