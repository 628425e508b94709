// What jail.conf says to a jail's init: the words behind `jinit --jail`, NAME=VALUE each, as
// plan/phases.cc writes them. Whatever is missing or means nothing is as by default.
#pragma once

#include <span>
#include <string>

#include "sup/machine.h"

namespace jail {

struct Settings {
  std::string rc = "auto", shutdown = "auto";  // or none, or a path in the jail
  std::string signals = "auto";                // or freebsd, busybox, sysv
  std::string program;                         // to become when told to boot; or empty
  RcFailure rc_failure = RcFailure::remove;
  InitTimes times = {};
};

Settings read_settings(std::span<char* const> words);

}  // namespace jail
