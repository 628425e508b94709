// What this Linux host is: its boot id (proc_sys_kernel(5)), and where cgroup v2 is mounted.
#include "os/facts.h"

#include "base/file.h"
#include "base/text.h"
#include "os/linux/abi.h"

namespace jail {

namespace {

// A field of mountinfo: white space and backslashes stand in it as three octal digits (proc(5)).
std::string decoded(std::string_view field) {
  std::string text;
  while (!field.empty()) {
    const bool escape = field[0] == '\\' && field.size() > 3;
    text += escape
                ? static_cast<char>((field[1] - '0') * 64 + (field[2] - '0') * 8 + field[3] - '0')
                : field[0];
    field.remove_prefix(escape ? 4 : 1);
  }
  return text;
}

// The mount point of the cgroup v2 hierarchy: the whole of /sys/fs/cgroup, or its directory
// `unified` on hybrid hosts. Only v2 has a cgroup.procs there, at its root; a mount table, which
// may be long, is read only where neither is it.
std::string find_groups() {
  for (const char* place : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    struct stat status;
    if (sys::fstatat(AT_FDCWD, (std::string(place) + "/cgroup.procs").c_str(), &status, 0) == 0)
      return place;
  }
  Result<std::string> mounts = read_file(AT_FDCWD, "/proc/self/mountinfo");
  if (!mounts) return {};
  for (const std::string& line : split(*mounts, "\n")) {
    Words fields = split(line, " ");
    if (fields.size() > 4 && line.find(" - cgroup2 ") != std::string::npos)
      return decoded(fields[4]);
  }
  return {};
}

}  // namespace

Result<Facts> probe() {
  Facts facts;
  facts.boot_id = TRY(read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64));
  while (facts.boot_id.ends_with('\n')) facts.boot_id.pop_back();
  facts.groups = find_groups();
  return facts;
}

}  // namespace jail
