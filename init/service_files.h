// Which services a jail has: /etc/jinit.conf, and the directories of s6 or runit in /etc/service.
// Allocates; nothing here starts anything.
#pragma once

#include <string>
#include <vector>

#include "base/text.h"
#include "conf/service_spec.h"

namespace jail {

struct ServiceSet {
  std::vector<ServiceSpec> specs;
  Words messages;        // to be made printable and said, a line each
  bool readable = true;  // false: an error of syntax, what could not be read, or too many of them
};

// All of them; those of jinit.conf first, then the directories by name, each with its logger behind
// it. A directory of a name that jinit.conf has too is left out. `directories`: what is beneath
// that directory, in the place of all these.
ServiceSet read_service_files(const std::string& directories = {});

}  // namespace jail
