// Service directories as s6-supervise(8) and runsv(8) have them, unchanged: the pure half. Whoever
// can open files reads the small ones named here and hands their texts over. Runs beside services
// of jinit.conf and may be named in their `depend`; the logger of a directory is a service too.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "conf/service_spec.h"

namespace jail {

// What is in a directory. A text is nothing where there is no such file.
struct ServiceFiles {
  bool run = false, finish = false, down = false;  // is there
  bool log = false;                                // log/run is
  bool runit = false;                              // ./check or ./control are: a runsv(8)'s
  bool sv = false, s6_svc = false;                 // these programs are in the jail
  std::optional<std::string> type = {};            // of s6-rc; others than longrun are no services
  std::optional<std::string> notification_fd = {};
  std::optional<std::string> timeout_finish = {};  // milliseconds, as all times there
  std::optional<std::string> timeout_kill = {};
  std::optional<std::string> down_signal = {};
  std::optional<std::string> max_death_tally = {};
};

// The files with a text: their names, and where it goes. None needs more than longest_service_file
// bytes.
struct ServiceFile {
  const char* name;
  std::optional<std::string> ServiceFiles::* text;
};
std::span<const ServiceFile> service_files();
constexpr size_t longest_service_file = 4096;

// What a directory came to. Remarks are about single files that make no sense: the default is used
// in their place, as s6-supervise does.
struct ServiceDirectory {
  ServiceSpec spec;
  Words remarks;
};

// The service `name` of the directory `path` of the jail, or its logger: then `name` is NAME/log
// and `path` its directory log. Runs again always, at most once in a second; is sent down-signal
// and waited for (timeout-kill); finish has timeout-finish, or 5 s. It is s6's where it has files
// that s6 alone knows, runit's where it has runit's; else the programs that are there tell. ./run
// and ./finish of runit have its words; its ./control/* are not run. Error: there is no run, or the
// type is another one.
Result<ServiceDirectory> read_service_directory(std::string_view name, std::string_view path,
                                                const ServiceFiles& files);

}  // namespace jail
