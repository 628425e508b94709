// Definitions of the small words of base/: text.h, file.h, and bug() of result.h.
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "base/file.h"
#include "base/sys.h"
#include "base/text.h"

namespace jail {

void bug(const char* what, const char* file, int line) {
  (void)std::fprintf(stderr, "%s:%d: %s (this is a bug; please report it)\n", file, line, what);
  std::abort();
}

Words split(std::string_view text, std::string_view separators) {
  Words words;
  for (size_t at = text.find_first_not_of(separators); at != std::string_view::npos;) {
    size_t end = text.find_first_of(separators, at);
    words.emplace_back(text.substr(at, end - at));
    at = end == std::string_view::npos ? end : text.find_first_not_of(separators, end);
  }
  return words;
}

Words split_exact(std::string_view text, char separator) {
  Words words;
  for (;;) {
    size_t end = text.find(separator);
    words.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return words;
    text.remove_prefix(end + 1);
  }
}

std::string join(std::span<const std::string> words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (&word != words.data()) text += separator;
    text += word;
  }
  return text;
}

std::string concat(std::initializer_list<std::string_view> pieces) {
  std::string text;
  for (std::string_view piece : pieces) text += piece;
  return text;
}

std::optional<int64_t> parse_int(std::string_view text) {
  // std::from_chars takes a minus but no plus; "+-1" must not become -1 by taking the plus off.
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool path_covers(std::string_view prefix, std::string_view text) {
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  return text.starts_with(prefix) && (text.size() == prefix.size() || text[prefix.size()] == '/');
}

Result<Fd> open_at(int dir, const std::string& path, int flags, unsigned mode) {
  int fd = sys::openat(dir, path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return fail_errno(path);
  return Fd(fd);
}

Result<std::string> read_all(int fd, size_t limit) {
  std::string text;
  char chunk[16384];
  for (;;) {
    ssize_t n = sys::read(fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read");
    if (n == 0) return text;
    if (text.size() + static_cast<size_t>(n) > limit) return fail_errno("read", EFBIG);
    text.append(chunk, static_cast<size_t>(n));
  }
}

Result<std::string> read_file(int dir, const std::string& path, size_t limit) {
  Fd fd = TRY(open_at(dir, path, O_RDONLY));
  return in(path, read_all(fd.get(), limit));
}

Result<void> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = sys::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("write");
    text.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<void> replace_file(int dir, const std::string& name, std::string_view text, unsigned mode,
                          bool sync) {
  std::string temporary = name + ".new";
  Result<void> done = [&]() -> Result<void> {
    Fd fd = TRY(open_at(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
    // The umask has taken from `mode`, and a file that a crash left may have another.
    if (sys::fchmod(fd.get(), mode) != 0) return fail_errno(temporary);
    TRY(in(temporary, write_all(fd.get(), text)));
    if (sync && sys::fsync(fd.get()) != 0) return fail_errno(temporary);
    // The text has to be on disk before the name is: else a loss of power leaves an empty file.
    if (sys::renameat(dir, temporary.c_str(), dir, name.c_str()) != 0) return fail_errno(name);
    if (sync && sys::fsync(dir) != 0) return fail_errno(name);
    return {};
  }();
  if (!done) sys::unlinkat(dir, temporary.c_str(), 0);
  return done;
}

// st_nlink counts the directory's entry, its ".", and the ".." of each directory in it. Below 2 the
// file system does not count.
std::optional<size_t> count_directories(const std::string& path) {
  struct stat status;
  if (sys::fstatat(AT_FDCWD, path.c_str(), &status, 0) != 0 || status.st_nlink < 2)
    return std::nullopt;
  return static_cast<size_t>(status.st_nlink) - 2;
}

Result<Words> list_directory(int dir, const std::string& path, bool directories, size_t most) {
  Fd fd = TRY(open_at(dir, path, O_RDONLY | O_DIRECTORY));
  DIR* directory = sys::fdopendir(fd.get());
  if (!directory) return fail_errno(path);
  (void)fd.release();  // closedir closes it
  Words names;
  errno = 0;  // a directory that cannot be read is not at its end
  while (const dirent* entry = readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != ".." && (!directories || entry->d_type == DT_DIR))
      names.emplace_back(name);
    errno = names.size() > most ? EFBIG : 0;
    if (errno != 0) break;
  }
  const int failed = errno;
  closedir(directory);
  if (failed != 0) return fail_errno(path, failed);
  return names;
}

Result<void> make_directories(const std::string& path, unsigned mode) {
  if (sys::mkdirat(AT_FDCWD, path.c_str(), mode) == 0 || errno == EEXIST) return {};
  size_t slash = path.find_last_of('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0) return fail_errno(path);
  // The whole path first and what is above only if need be: mostly it is all there.
  TRY(make_directories(path.substr(0, slash), 0755));
  if (sys::mkdirat(AT_FDCWD, path.c_str(), mode) != 0 && errno != EEXIST) return fail_errno(path);
  return {};
}

}  // namespace jail
