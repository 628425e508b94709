#include "init/service_log.h"

#include <algorithm>
#include <fcntl.h>
#include <stdio.h>

#include "base/sys.h"

namespace jail {

namespace {

// A line longer than this may be cut by the change from file to file.
constexpr int64_t line_most = 64 << 10;

void name_old(char (&path)[longest_log_path + 24], const ServiceSpec& spec, int64_t number) {
  const long long wide = number;
  if (snprintf(path, sizeof path, number == 0 ? "%s" : "%s.%lld", spec.log.c_str(), wide) < 0)
    path[0] = '\0';
}

// What cannot be renamed stays, and grows: it is tried again with the next line.
bool put_aside(const ServiceSpec& spec) {
  char from[longest_log_path + 24], to[longest_log_path + 24];
  if (spec.log_max_files == 0) return sys::unlinkat(AT_FDCWD, spec.log.c_str(), 0) == 0;
  bool done = false;
  for (int64_t i = spec.log_max_files; i > 0; --i) {
    name_old(from, spec, i - 1);
    name_old(to, spec, i);
    done = sys::renameat(AT_FDCWD, from, AT_FDCWD, to) == 0;
  }
  return done;
}

// The log file, or an older one, for reading; none: there is no regular file.
Fd open_log(const ServiceSpec& spec, int64_t number) {
  char path[longest_log_path + 24];
  name_old(path, spec, number);
  Fd file(sys::openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status;
  if (!file || sys::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return Fd();
  return file;
}

// How much of the bytes still belongs to a file of that size.
size_t share_of(const ServiceSpec& spec, int64_t size, std::string_view bytes) {
  const int64_t room = std::max<int64_t>(spec.log_max_size - size, 0);
  if (spec.log_max_size == 0 || std::cmp_less(bytes.size(), room)) return bytes.size();
  const size_t line = bytes.find('\n', room == 0 ? 0 : static_cast<size_t>(room) - 1);
  if (line != std::string_view::npos) return line + 1;
  return size > spec.log_max_size + line_most ? 0 : bytes.size();
}

}  // namespace

bool append_log(const ServiceSpec& spec, std::string_view& bytes, uint64_t& turns) {
  constexpr int flags =
      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  // Each turn writes something, but for one of a file that is much too long.
  for (bool too_long = false; !bytes.empty();) {
    const Fd file(sys::openat(AT_FDCWD, spec.log.c_str(), flags, 0640));
    struct stat status;
    if (!file || sys::fstat(file.get(), &status) != 0) return false;
    if (!S_ISREG(status.st_mode)) return errno = EINVAL, false;
    const size_t share = too_long ? bytes.size() : share_of(spec, status.st_size, bytes);
    const ssize_t size = share == 0 ? 0 : sys::write(file.get(), bytes.data(), share);
    if (size <= 0 && share != 0) return false;
    bytes.remove_prefix(static_cast<size_t>(size));
    const int64_t now = status.st_size + size;
    too_long = share == 0;
    const bool at_end = too_long || bytes.data()[-1] == '\n';
    if (spec.log_max_size != 0 && now >= spec.log_max_size && at_end)
      turns += put_aside(spec) ? 1 : 0;
  }
  return true;
}

LogReader::LogReader(const ServiceSpec& spec, uint64_t turns, int64_t most)
    : file_(open_log(spec, 0)), turn_(turns) {
  struct stat status;
  if (file_ && sys::fstat(file_.get(), &status) == 0 && status.st_size > most)
    sys::lseek(file_.get(), -most, SEEK_END);
}

size_t LogReader::read(const ServiceSpec& spec, uint64_t turns, std::span<char> space) {
  for (;;) {
    const ssize_t size = file_ ? sys::read(file_.get(), space.data(), space.size()) : 0;
    if (size > 0) return static_cast<size_t>(size);
    if (!go_on(spec, turns)) return 0;
  }
}

void LogReader::put_back(size_t size) {
  sys::lseek(file_.get(), -static_cast<off_t>(size), SEEK_CUR);
}

// From the end of a file to what comes behind it: the one of the next turn, or - somebody else has
// moved this one away, or emptied it - the one that has the name now. False: nothing does.
bool LogReader::go_on(const ServiceSpec& spec, uint64_t turns) {
  struct stat mine, newest;
  const bool open = file_ && sys::fstat(file_.get(), &mine) == 0;
  if (turn_ < turns) {
    if (open) ++turn_;
    const uint64_t kept = static_cast<uint64_t>(spec.log_max_files);
    const uint64_t gone = turns - turn_ > kept ? turns - turn_ - kept : 0;
    lost_ += gone * static_cast<uint64_t>(spec.log_max_size);
    turn_ += gone;
    file_ = open_log(spec, static_cast<int64_t>(turns - turn_));
    if (!file_ && turn_ < turns) ++turn_;
    return true;
  }
  if (!open) {
    file_ = open_log(spec, 0);
    return static_cast<bool>(file_);
  }
  Fd other = open_log(spec, 0);
  if (!other || sys::fstat(other.get(), &newest) != 0) return false;
  const bool same = mine.st_ino == newest.st_ino && mine.st_dev == newest.st_dev;
  if (same && sys::lseek(file_.get(), 0, SEEK_CUR) <= mine.st_size) return false;
  file_ = std::move(other);
  return true;
}

}  // namespace jail
