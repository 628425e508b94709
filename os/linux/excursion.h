// Short excursions to other namespaces by the calling, single-threaded process.
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace jail {

// Goes back into the namespace that this process came from, by a descriptor of it and its
// CLONE_NEW* kind; ends the program where that fails.
void return_home(int name_space, int kind);

// Remembers the mount namespace, root and working directory of this process, and goes back to them:
// by leave(), or at the latest when it goes out of scope. Between the two the process may be in any
// mount namespace. A way back that fails ends the program: acting on the wrong mounts would be
// worse.
class Excursion {
 public:
  // Notes where we are. Nothing is entered yet. Error: "PATH: strerror".
  static Result<Excursion> begin();
  Excursion(Excursion&&) noexcept = default;
  Excursion& operator=(Excursion&&) = delete;
  Excursion(const Excursion&) = delete;
  Excursion& operator=(const Excursion&) = delete;
  ~Excursion() { leave(); }

  // Enters the mount namespace behind the descriptor `mounts`; root and working directory are its
  // root then (setns(2)). Error: "enter the view: strerror", and nothing has changed.
  Result<void> enter(int mounts);
  // Goes back. Also without an enter() before, and a second time, which does nothing.
  void leave();

 private:
  Excursion() = default;
  Fd home_, root_, directory_;
};

}  // namespace jail
