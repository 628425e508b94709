// Names and wildcards (J1.10), as functions of two texts.
#include <cerrno>
#include <cstdlib>

#include "conf/resolve.h"

namespace jail {

bool is_wildcard(std::string_view name) {
  for (;;) {
    size_t dot = name.find('.');
    if (name.substr(0, dot) == "*") return true;
    if (dot == std::string_view::npos) return false;
    name.remove_prefix(dot + 1);
  }
}

bool wildcard_matches(std::string_view wildcard, std::string_view name) {
  for (;;) {
    size_t wild_dot = wildcard.find('.'), name_dot = name.find('.');
    if (wild_dot == std::string_view::npos || name_dot == std::string_view::npos) {
      return wildcard == "*" || wildcard == name;
    }
    std::string_view component = wildcard.substr(0, wild_dot);
    if (component != "*" && component != name.substr(0, name_dot)) return false;
    wildcard.remove_prefix(wild_dot + 1);
    name.remove_prefix(name_dot + 1);
  }
}

// The bytes are looked at first: for strtol(3) a name would end at its first NUL.
long numeric_name(std::string_view name) {
  if (name.empty() || name.find_first_not_of("+-0123456789 \t\n\v\f\r") != std::string_view::npos)
    return 0;
  std::string text(name);
  char* end = nullptr;
  long value = std::strtol(text.c_str(), &end, 10);
  return *end == '\0' ? value : 0;
}

}  // namespace jail
