// A service's log file: appended to by process 1, which reads what the service writes from a pipe
// that outlives it, and put aside in time. Opened anew for each piece, so that whoever moves or
// removes it inside needs to tell nobody. Nothing here allocates or waits.
#pragma once

#include <string_view>

#include "base/fd.h"
#include "conf/service_spec.h"

namespace jail {

// Paths of logs are shorter than this.
constexpr size_t longest_log_path = 1000;

// Appends to spec.log. One that has reached spec.log_max_size becomes log.1 at the end of a line,
// log.1 becomes log.2, and the one beyond log_max_files is gone. False, with errno: what is left of
// the bytes is lost (EINVAL: there is something else than a regular file).
bool append_log(const ServiceSpec& spec, std::string_view bytes);

// The log file, for reading from its offset on: the last `most` bytes of it. No descriptor: there
// is none that could be read.
Fd open_log_end(const ServiceSpec& spec, int64_t most);

}  // namespace jail
