// jinit as the entry point of any container, or in front of any command: `jinit -- COMMAND`. It
// runs the command as its child, hands on the signals that it gets, reaps whatever becomes its
// child, and ends as the command did. It must never end before, wake by itself, or do to the
// command what the command would not meet without it.
#pragma once

namespace jail {

// All of it, `count` and `words` as main's. Returns the status to exit with: the command's, 128 and
// the signal that ended it, either changed by -e; 126 if it cannot be executed, 127 if it is not
// there; 125 if the kernel refused what we need before that; 64 for words that make no sense (a
// line on standard error says which); 0 after --help, --version, and a pause that was ended.
int run_entry(int count, char** words);

}  // namespace jail
