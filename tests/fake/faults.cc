// In a build with fault points, those calls of the code above os/ that change something are points
// of the world too: each write of a ledger, each file of the registry. Takes the place of
// base/fault.cc, and is therefore linked as an object.
#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/fault.h"
#include "tests/fake/world.h"

#ifdef CELLBLOCK_FAULTS
namespace jail {

bool fault_point(const char* name) {
  constexpr std::string_view changes[] = {"creat",    "ftruncate", "mkdirat",
                                          "renameat", "unlinkat",  "write"};
  const int saved = errno;
  const bool changing = std::ranges::find(changes, std::string_view(name)) != std::end(changes);
  if (!changing && std::string_view(name) != "fsync") return false;
  const bool fails = fake::point(name, changing ? fake::Side::before : fake::Side::looks);
  errno = fails ? EIO : saved;
  return fails;
}

}  // namespace jail
#endif
