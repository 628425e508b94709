#include "os/linux/excursion.h"

#include "base/file.h"
#include "os/linux/abi.h"

namespace jail {

Result<Excursion> Excursion::begin() {
  Excursion visit;
  visit.home_ = TRY(open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY));
  visit.root_ = TRY(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
  visit.directory_ = TRY(open_at(AT_FDCWD, ".", O_PATH | O_DIRECTORY));
  return visit;
}

Result<void> Excursion::enter(int mounts) {
  if (sys::setns(mounts, CLONE_NEWNS) != 0) return fail_errno("enter the view");
  return {};
}

void Excursion::leave() {
  if (!home_) return;
  // setns leaves us in the root of that namespace, which is not where a chrooted caller was. These calls are not
  // made through fault points: there is nothing better to do when they fail than to stop.
  if (::setns(home_.get(), CLONE_NEWNS) != 0 || ::fchdir(root_.get()) != 0 || ::chroot(".") != 0 ||
      ::fchdir(directory_.get()) != 0) {
    bug("no way back from another mount namespace");
  }
  home_.reset();
}

}  // namespace jail
