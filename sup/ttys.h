// ttys(5): the lines of a jail's /etc/ttys as values, and what they mean (N8). Pure: what the jail
// has is asked through a TtyWorld. The text is the jail's and may be 10 MB of anything: it is read
// in one pass, an entry at a time, and what is kept of an entry has a limit.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"

namespace jail {

// Entries of a file that count, and bytes that are kept of one field. Ours: FreeBSD has no limits.
inline constexpr size_t max_ttys = 256, max_tty_text = 2048;

// What conditional lines are judged by.
struct TtyWorld {
  bool (*exists)(const std::string& path);  // whether there is such a file
  Words consoles = {};                      // names of the active consoles ("console")
};

// One entry. Fields are cut behind max_tty_text bytes; a session is made of none that was.
struct TtyLine {
  std::string name;
  std::optional<std::string> command = {}, type = {}, window = {};  // empty is not absent
  std::string group = "none";
  std::string comment = {};
  bool on = false;           // after all flags, with the conditions as they are now
  bool conditional = false;  // onifconsole or onifexists was among the flags, met or not
  bool secure = false;
  bool dialup = false;
  bool network = false;
  bool cut = false;  // a field was longer than max_tty_text

  bool operator==(const TtyLine&) const = default;
};

// The next entry of `text`, which loses all that was read; nothing when no entry is left. Any bytes
// are taken: there are no errors in ttys(5), an unknown flag makes the rest of its line a comment.
// A NUL ends its line, since no program can be handed one. The last line needs no newline.
std::optional<TtyLine> next_tty(std::string_view& text, const TtyWorld& world);

// The words of a command or window text (N8.2): split at blanks and tabs; a word that begins with a
// single quote runs to the next one, which is the end of all if there is none. Nothing else is
// special.
Words tty_words(std::string_view text);

// The device of a name: below /dev, unless it is an absolute path. FreeBSD's init puts /dev before
// those too, and its parser does not; here both agree (N8.1).
std::string tty_device(std::string_view name);

// Names of active consoles, in the form of FreeBSD's kern.console (those before the `/`, between
// commas) or of Linux's /sys/class/tty/console/active (between blanks).
Words active_consoles(std::string_view text);

// False where single user has to ask for root's password: the first line named `console` is not
// secure. True if there is no such line (N7).
bool console_is_secure(std::string_view text);

// What stands for a file that is missing: the first getty that the jail has, on its console, if it
// has one. Empty where there is no getty.
std::string default_ttys(const TtyWorld& world);

}  // namespace jail
