// Short visits to other namespaces by the calling, single-threaded process.
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace jail {

// Remembers the mount namespace, root and working directory of this process, and goes back to them: by leave(), or at
// the latest when it goes out of scope. Between the two the process may be in any mount namespace. A way back that
// fails ends the program: acting on the wrong mounts would be worse.
class Visit {
 public:
  // Notes where we are. Nothing is entered yet.
  static Result<Visit> begin();
  Visit(Visit&&) noexcept = default;
  Visit& operator=(Visit&&) = delete;
  ~Visit() { leave(); }

  // Enters the mount namespace behind `mounts`.
  Result<void> enter(int mounts);
  // A descriptor of the mount namespace we came from.
  int home() const { return home_.get(); }
  void leave();

 private:
  Visit() = default;
  Fd home_, root_, directory_;
};

}  // namespace jail
