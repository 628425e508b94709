#include "os/linux/excursion.h"

#include "base/file.h"
#include "os/linux/abi.h"

namespace jail {

Result<Excursion> Excursion::begin() {
  Excursion visit;
  visit.root_ = TRY(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
  visit.directory_ = TRY(open_at(AT_FDCWD, ".", O_PATH | O_DIRECTORY));
  // Last: with it the excursion has begun, and there has to be a way back.
  visit.home_ = TRY(open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY));
  return visit;
}

// setns(2) demands that nobody shares our root and working directory: no threads, as everywhere.
Result<void> Excursion::enter(int mounts) {
  if (sys::setns(mounts, CLONE_NEWNS) != 0) return fail_errno("enter the view");
  return {};
}

void return_home(int name_space, int kind) {
  // Tried twice: there is nothing better to do when it fails than to stop, and a test may order one
  // failure.
  for (int attempt = 0; attempt < 2; ++attempt)
    if (sys::setns(name_space, kind) == 0) return;
  bug("no way back from another namespace");
}

void Excursion::leave() {
  if (!home_) return;
  return_home(home_.get(), CLONE_NEWNS);
  // setns leaves us in the root of that namespace, which is not where a chrooted caller was.
  bool back = false;
  for (int attempt = 0; attempt < 2 && !back; ++attempt)
    back = sys::fchdir(root_.get()) == 0 && sys::chroot(".") == 0 &&
           sys::fchdir(directory_.get()) == 0;
  if (!back) bug("no way back to our own root");
  home_.reset();
}

}  // namespace jail
