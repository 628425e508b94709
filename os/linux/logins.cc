#include "os/logins.h"

#include <algorithm>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <utmp.h>

#include "base/fd.h"
#include "base/sys.h"

namespace jail {

namespace {

constexpr off_t size = sizeof(struct utmp);
constexpr off_t most = 4096;  // records of utmp that are looked at: the jail writes them

template <size_t Size>
void put(char (&field)[Size], std::string_view text) {
  text.copy(field, Size);  // not ended where it is full: utmp(5)
}

// As sysvinit writes them, and agetty finds them: a line's id is its last four characters.
struct utmp entry_of(const LoginRecord& record) {
  struct utmp entry;
  memset(&entry, 0, sizeof entry);
  entry.ut_tv.tv_sec = static_cast<decltype(entry.ut_tv.tv_sec)>(
      record.seconds != 0 ? record.seconds : time(nullptr));
  if (record.kind == LoginKind::begun || record.kind == LoginKind::ended) {
    std::string_view line = record.line;
    if (line.starts_with("/dev/")) line.remove_prefix(5);
    entry.ut_type = record.kind == LoginKind::begun ? INIT_PROCESS : DEAD_PROCESS;
    entry.ut_pid = record.pid;
    put(entry.ut_line, line);
    put(entry.ut_id, line.substr(line.size() - std::min(line.size(), sizeof entry.ut_id)));
    return entry;
  }
  const bool boot = record.kind == LoginKind::boot;
  entry.ut_type = boot ? BOOT_TIME : RUN_LVL;
  put(entry.ut_line, "~");
  put(entry.ut_id, "~~");
  put(entry.ut_user, boot                                 ? "reboot"
                     : record.kind == LoginKind::shutdown ? "shutdown"
                                                          : "runlevel");
  if (record.kind == LoginKind::run_level) entry.ut_pid = record.level + record.previous * 256;
  utsname system;
  if (uname(&system) == 0) put(entry.ut_host, system.release);
  return entry;
}

Fd open_record(const char* path, int flags) {
  Fd fd(sys::openat(AT_FDCWD, path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status;
  if (!fd || sys::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return Fd();
  return fd;
}

bool is_process(const struct utmp& entry) {
  return entry.ut_type >= INIT_PROCESS && entry.ut_type <= DEAD_PROCESS;
}

bool has_same_place(const struct utmp& one, const struct utmp& other) {
  if (!is_process(one)) return one.ut_type == other.ut_type;
  return is_process(other) && memcmp(one.ut_id, other.ut_id, sizeof one.ut_id) == 0;
}

// Others who write lock as we do; who keeps the lock is not waited for.
void put_in_utmp(int fd, const struct utmp& entry) {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  sys::fcntl(fd, F_SETLK, reinterpret_cast<long>(&lock));
  off_t at = 0;
  struct utmp old;
  for (; at < most * size && sys::pread(fd, &old, sizeof old, at) == size; at += size)
    if (has_same_place(entry, old)) break;
  const bool there = sys::pread(fd, &old, sizeof old, at) == size;
  if (there && entry.ut_type == INIT_PROCESS && is_process(old) && old.ut_pid == entry.ut_pid)
    return;
  if (sys::lseek(fd, at, SEEK_SET) == at && sys::write(fd, &entry, sizeof entry) != size) errno = 0;
}

}  // namespace

void put_login_record(const LoginRecord& record) {
  const struct utmp entry = entry_of(record);
  if (record.wtmp) {
    const Fd wtmp = open_record("/var/log/wtmp", O_WRONLY | O_APPEND);
    if (wtmp && sys::write(wtmp.get(), &entry, sizeof entry) != size) errno = 0;
  }
  if (!record.utmp) return;
  Fd utmp = open_record("/run/utmp", O_RDWR);
  if (!utmp) utmp = open_record("/var/run/utmp", O_RDWR);
  if (utmp) put_in_utmp(utmp.get(), entry);
}

}  // namespace jail
