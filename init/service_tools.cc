#include "init/service_tools.h"

#include <algorithm>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/sys.h"
#include "base/text.h"
#include "os/names.h"

namespace jail {

namespace {

constexpr int careful = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
constexpr int event_rounds = 64;  // of some ten names: nobody has more readers

WallTime wall_time() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return {now.tv_sec, static_cast<uint32_t>(now.tv_nsec)};
}

bool is_ours(const struct stat& status, mode_t never) {
  return status.st_uid == geteuid() && (status.st_mode & never) == 0;
}

Result<Fd> open_directory(int dir, const char* path, mode_t never) {
  Fd fd(sys::openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status;
  if (!fd || sys::fstat(fd.get(), &status) != 0) return fail_errno(path);
  if (!is_ours(status, never)) return fail(EPERM, concat({path, ": others may write there"}));
  return fd;
}

// A directory in one that is ours alone. What it leads to, if it is a link, is made too.
Result<Fd> make_directory(int dir, const char* name, mode_t mode, mode_t never) {
  char target[512];
  bool made = sys::mkdirat(dir, name, mode) == 0;
  const ssize_t size = made ? 0 : sys::readlinkat(dir, name, target, sizeof target - 1);
  if (size > 0) {
    target[size] = '\0';
    made = sys::mkdirat(dir, target, mode) == 0;
  }
  Fd fd = TRY(open_directory(dir, name, never));
  if (made && sys::fchmod(fd.get(), mode) != 0) return fail_errno(name);
  return fd;
}

// One for ourselves, to be read from and never at its end.
Result<Fd> make_fifo(int dir, const char* name) {
  if (sys::mknodat(dir, name, S_IFIFO | 0600, 0) != 0 && errno != EEXIST) return fail_errno(name);
  Fd fd(sys::openat(dir, name, O_RDWR | careful));
  struct stat status;
  if (!fd || sys::fstat(fd.get(), &status) != 0) return fail_errno(name);
  if (!S_ISFIFO(status.st_mode) || !is_ours(status, 0))
    return fail(EPERM, concat({name, ": not a FIFO of ours"}));
  if ((status.st_mode & 07777) != 0600 && sys::fchmod(fd.get(), 0600) != 0) return fail_errno(name);
  return fd;
}

// s6's tools ask by fcntl(2) whether somebody has the lock; another runsv would by flock(2).
Result<Fd> take_lock(int dir, Tools tools) {
  Fd fd(sys::openat(dir, "lock", O_RDWR | O_CREAT | careful, 0600));
  if (!fd) return fail_errno("lock");
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  const bool taken = tools == Tools::runit
                         ? sys::flock(fd.get(), LOCK_EX | LOCK_NB) == 0
                         : sys::fcntl(fd.get(), F_SETLK, reinterpret_cast<long>(&whole)) == 0;
  if (!taken) return fail(EBUSY, "lock: somebody else supervises it");
  return fd;
}

}  // namespace

Result<ServiceTools> ServiceTools::lay_out(const ServiceSpec& spec, const ServiceLife& life) {
  ServiceTools tools;
  tools.kind_ = spec.tools;
  const int home = (tools.home_ = TRY(open_directory(AT_FDCWD, spec.where.c_str(), 022))).get();
  const auto lay = [&]() -> Result<void> {
    tools.supervise_ = TRY(make_directory(home, "supervise", 0700, 022));
    const int in = tools.supervise_.get();
    tools.lock_ = TRY(take_lock(in, spec.tools));
    if (spec.tools != Tools::runit) tools.event_ = TRY(make_directory(home, "event", 03730, 0));
    if (spec.tools != Tools::s6) tools.ok_ = TRY(make_fifo(in, "ok"));
    tools.control_ = TRY(make_fifo(in, "control"));
    return {};
  };
  TRY(in(spec.where, lay()));
  if (spec.tools != Tools::runit && !tools.write_file("death_tally", ""))
    return fail_errno(concat({spec.where, "/supervise/death_tally"}));
  const WallTime now = wall_time();
  tools.marks_ = {.changed = now, .ready_since = now, .ready = true};
  tools.notify('s');
  tools.show(spec, life);
  return tools;
}

bool ServiceTools::fits(const ServiceSpec& spec) const {
  struct stat mine, now;
  return kind_ == spec.tools && sys::fstat(home_.get(), &mine) == 0 &&
         sys::fstatat(AT_FDCWD, spec.where.c_str(), &now, 0) == 0 && mine.st_dev == now.st_dev &&
         mine.st_ino == now.st_ino;
}

std::span<const char> ServiceTools::hear(std::span<char, letters_most> space) const {
  const ssize_t size = sys::read(control_.get(), space.data(), space.size());
  return space.first(size > 0 ? static_cast<size_t>(size) : 0);
}

// The file first: who hears of an event looks into it.
void ServiceTools::show(const ServiceSpec& spec, const ServiceLife& life) {
  if (!control_) return;
  const ToolNews news = renew(marks_, life, spec.ready >= 0, wall_time());
  if (news.death) count_death(spec, life.status);
  write_status(spec, life);
  for (const char* letter = news.letters; *letter != '\0'; ++letter) notify(*letter);
}

void ServiceTools::write_status(const ServiceSpec& spec, const ServiceLife& life) const {
  const StatusFile file = status_file(spec.tools, life, marks_);
  write_file("status", {reinterpret_cast<const char*>(file.data()), file.size()});
  if (spec.tools == Tools::s6) return;
  constexpr const char* states[] = {"down", "run", "finish"};
  char pid[24], stat[64];
  const int size = life.pid == 0 ? 0 : snprintf(pid, sizeof pid, "%d\n", life.pid);
  write_file("pid", {pid, static_cast<size_t>(size)});
  const bool runs = marks_.phase != ToolMarks::Phase::down, up = file[17] == 'u';
  const int length =
      snprintf(stat, sizeof stat, "%s%s%s%s\n", states[static_cast<size_t>(marks_.phase)],
               marks_.paused ? ", paused" : "", marks_.termed ? ", got TERM" : "",
               runs == up ? "" : (up ? ", want up" : ", want down"));
  write_file("stat", {stat, static_cast<size_t>(length)});
}

// Readers see the old file or the new one. What cannot be written stays as it was.
bool ServiceTools::write_file(const char* name, std::string_view text) const {
  char other[32];
  if (snprintf(other, sizeof other, "%s.new", name) < 0) return false;
  const Fd file(sys::openat(supervise_.get(), other, O_WRONLY | O_CREAT | O_TRUNC | careful, 0644));
  return file && sys::write(file.get(), text.data(), text.size()) == std::ssize(text) &&
         sys::renameat(supervise_.get(), other, supervise_.get(), name) == 0;
}

// The last ones, the oldest first.
void ServiceTools::count_death(const ServiceSpec& spec, ExitStatus status) const {
  if (spec.tools == Tools::runit || spec.death_tally == 0) return;
  const Fd old(sys::openat(supervise_.get(), "death_tally", O_RDONLY | careful));
  const Fd file(sys::openat(supervise_.get(), "death_tally.new",
                            O_WRONLY | O_CREAT | O_TRUNC | careful, 0644));
  struct stat size;
  if (!old || !file || sys::fstat(old.get(), &size) != 0) return;
  const int64_t each = death_size, there = size.st_size / each;
  int64_t at = (there - std::min(there, spec.death_tally - 1)) * each;
  char piece[32 * death_size];
  for (ssize_t got; (got = sys::pread(old.get(), piece, sizeof piece, at)) > 0; at += got)
    if (sys::write(file.get(), piece, static_cast<size_t>(got)) != got) return;
  const auto record = death_record(status, wall_time());
  if (sys::write(file.get(), record.data(), record.size()) == std::ssize(record))
    sys::renameat(supervise_.get(), "death_tally.new", supervise_.get(), "death_tally");
}

// To the FIFOs in event/ that a reader has open; one that has gone without removing its own has it
// removed.
void ServiceTools::notify(char letter) const {
  if (!event_) return;
  const Fd directory(sys::openat(event_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  char names[1024];
  for (int round = 0; round < event_rounds; ++round) {
    const size_t size = next_names(directory.get(), names);
    if (size == 0) return;
    for (size_t at = 0; at < size; at += strlen(names + at) + 1) {
      const char* name = names + at;
      if (strncmp(name, "ftrig1", 6) != 0) continue;
      struct stat status;
      if (sys::fstatat(event_.get(), name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
          !S_ISFIFO(status.st_mode))
        continue;
      const Fd reader(sys::openat(event_.get(), name, O_WRONLY | careful));
      if (!reader && errno == ENXIO) sys::unlinkat(event_.get(), name, 0);
      if (reader && sys::write(reader.get(), &letter, 1) < 0) continue;  // it does not read
    }
  }
}

void ServiceTools::mark_down(bool down) const {
  if (!down) {
    sys::unlinkat(home_.get(), "down", 0);
    return;
  }
  const Fd file(sys::openat(home_.get(), "down", O_WRONLY | O_CREAT | careful, 0644));
}

void ServiceTools::let_go() {
  notify('x');
  *this = ServiceTools();
}

}  // namespace jail
