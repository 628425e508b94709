// A service's log file: appended to by process 1, which reads what the service writes from a pipe
// that outlives it, and put aside in time. Opened anew for each piece, so that whoever moves or
// removes it inside needs to tell nobody. Nothing here allocates or waits.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "base/fd.h"
#include "conf/service_spec.h"

namespace jail {

// Paths of logs are shorter than this.
constexpr size_t longest_log_path = 1000;

// Appends to spec.log. One that has reached spec.log_max_size becomes log.1 at the end of a line,
// log.1 becomes log.2, and the one beyond log_max_files is gone; `turns` counts that. False, with
// errno: what is left in `bytes` is not there (EINVAL: there is something else than a regular
// file).
bool append_log(const ServiceSpec& spec, std::string_view& bytes, uint64_t& turns);

// Reads a log while it is written, from file to file: one that was put aside, moved or removed is
// read to its end first. `turns` is always append_log()'s.
class LogReader {
 public:
  LogReader() = default;
  // From the last `most` bytes of the file of now on, or from the start of the one to come.
  LogReader(const ServiceSpec& spec, uint64_t turns, int64_t most);

  // The next bytes of one file; 0: there are no more as yet.
  size_t read(const ServiceSpec& spec, uint64_t turns, std::span<char> space);
  // The last `size` bytes read are to be read again.
  void put_back(size_t size);
  // How many bytes, at least, are gone unread with files that were put aside too often; said once.
  uint64_t take_lost() { return std::exchange(lost_, 0); }

 private:
  bool go_on(const ServiceSpec& spec, uint64_t turns);

  Fd file_;
  uint64_t turn_ = 0;  // of file_, or of the one to come
  uint64_t lost_ = 0;
};

}  // namespace jail
