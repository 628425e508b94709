// Paths of the host and paths of a jail, which must never be mixed up: two types, so that the
// compiler refuses one where the other is meant. Neither is checked or resolved here.
#pragma once

#include <string>

namespace jail {

// A path as the host sees it: absolute, or counted from the working directory.
struct HostPath {
  std::string text;
};

// An absolute path as processes of a jail see it. Only what opens beneath the jail's root
// (os/root.h) turns one into a file: joining it to a host path as text would follow links that the
// jail made.
struct JailPath {
  std::string text;
};

}  // namespace jail
