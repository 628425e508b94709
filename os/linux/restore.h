// Makes an interface of this stack what it once was. Undoes what a jail, or the change of stacks,
// did to it; knows nothing of marks.
#pragma once

#include <vector>

#include "os/linux/interface.h"

namespace jail {

// Gives the interface that is `now` its saved name back. EEXIST: another has that name; then it was
// not touched. The addresses that it had under the wrong name are gone afterwards, for
// restore_interface() to bring.
Result<void> rename_interface(Netlink& here, const InterfaceState& now,
                              const InterfaceState& saved);

// Everything else of `saved`, which may be there in part. Yields what the kernel refused; all that
// it did not refuse is there. An error only where the kernel could not be asked: then it must be
// done again.
Result<std::vector<Error>> restore_interface(Netlink& here, const NetMessage& link,
                                             const InterfaceState& saved);

}  // namespace jail
