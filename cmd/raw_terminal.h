// The caller's terminal in raw mode, and back: however we end or stop, but by SIGKILL or SIGSTOP,
// the terminal is as it was. Signals that end a program restore it in their handler and then do
// what they always do, so the status says which it was.
#pragma once

#include <signal.h>

namespace jail {

// At most one at a time.
class RawTerminal {
 public:
  // Makes `fd` raw from here to the end of its life. Where it is no terminal nothing happens, and
  // signals keep their meaning. Signals that were ignored stay so.
  explicit RawTerminal(int fd);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  bool is_terminal() const { return is_terminal_; }
  // The mask for ppoll(2): only there a change of size or a continuation interrupts.
  const sigset_t* mask() const { return is_terminal_ ? &before_ : nullptr; }
  // Whether the size may have changed since it was asked last.
  bool take_resized();
  // Stops this process as ^Z would, with the terminal restored; comes back, raw, when continued.
  void suspend();

 private:
  bool is_terminal_ = false;
  sigset_t before_;
};

}  // namespace jail
