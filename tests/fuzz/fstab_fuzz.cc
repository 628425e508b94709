// Fuzzes the reader of fstab(5) lines: any bytes are taken, and what it yields keeps its promises.
#include <cstdint>
#include <cstdlib>

#include "conf/fstab.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  for (const std::string& line : jail::fstab_file_lines(text)) {
    if (line.find_first_of("\n#") != std::string::npos) std::abort();
    auto parsed = jail::parse_fstab_line(line);
    if (!parsed && !parsed.error().text.ends_with(": missing information")) std::abort();
    if (parsed && *parsed &&
        ((*parsed)->source.empty() || (*parsed)->point.empty() || (*parsed)->type.empty())) {
      std::abort();
    }
  }
  if (jail::unvis(text).size() > text.size()) std::abort();
  return 0;
}
