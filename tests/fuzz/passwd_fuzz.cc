// Fuzzer of the passwd and group parser: the input is a passwd file, a line of '%', and a group
// file.
#include <cstdint>
#include <cstdlib>

#include "os/users.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  size_t split = text.find("%\n");
  std::string_view passwd = text.substr(0, split);
  std::string_view group = split == std::string_view::npos ? "" : text.substr(split + 2);
  for (const auto& user :
       {jail::find_user(passwd, group, "tester"), jail::find_user(passwd, group, 0)}) {
    if (!user) continue;
    bool sound =
        !user->name.empty() && user->uid != UINT32_MAX && user->gid != UINT32_MAX &&
        !user->groups.empty() && user->groups[0] == user->gid && user->groups.size() <= 65536 &&
        (user->name + user->home + user->shell).find_first_of(std::string_view("\0\n:", 3)) ==
            std::string::npos;
    if (!sound) std::abort();
  }
  return 0;
}
