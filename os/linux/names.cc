#include "os/names.h"

#include <dirent.h>
#include <string.h>

#include "os/linux/abi.h"

namespace jail {

// An entry takes more room there than its name here.
size_t next_names(int directory, std::span<char> space) {
  alignas(dirent64) char entries[1024];
  for (;;) {
    const size_t most = space.size() < sizeof entries ? space.size() : sizeof entries;
    const ssize_t size = sys::getdents64(directory, entries, most);
    if (size <= 0) return 0;
    size_t used = 0;
    for (ssize_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries + at);
      at += entry->d_reclen;
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      const size_t length = strlen(entry->d_name) + 1;
      memcpy(&space[used], entry->d_name, length);
      used += length;
    }
    if (used != 0) return used;
  }
}

}  // namespace jail
