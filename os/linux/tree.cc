#include "os/linux/tree.h"

#include <fmt/format.h>

#include "os/linux/abi.h"
#include "os/root.h"

namespace jail {
namespace {

// The last complaint in the log of a file system context, without its level letter; empty if there
// is none.
std::string complaint(const Fd& context) {
  std::string text;
  char line[512];
  for (;;) {
    ssize_t n = sys::read(context.get(), line, sizeof line);
    if (n <= 0) return text;
    std::string_view said(line, static_cast<size_t>(n));
    if (said.starts_with("e ")) text = said.substr(2, said.find('\n') - 2);
  }
}

// The kernel's own sentence where it has one: errno is EINVAL for nearly everything (fsopen(2)).
std::unexpected<Error> refused(const Fd& context, const std::string& type,
                               const std::string& setting) {
  int code = errno;
  std::string text = complaint(context);
  if (!text.empty()) return fail(code, std::move(text));
  return fail_errno(setting.empty() ? type : type + ": " + setting, code);
}

// Opens (O_PATH) what lies below the root that the first `at` characters of a plain path name.
Result<Fd> open_below(const std::string& path, size_t at) {
  std::string base = path.substr(0, at);
  Fd top = TRY(open_root({base.empty() ? "/" : base}));
  Fd fd;
  // Prefix by prefix only for the sake of the message. The last step resolves all of it anew and
  // depends on no other.
  for (size_t end = at; end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    std::string prefix = path.substr(0, end);
    Result<Fd> step = open_without_links(top.get(), {prefix.substr(at)}, O_PATH | O_NOFOLLOW);
    if (!step && step.error().code == EXDEV)
      return fail(EXDEV, fmt::format("{}: leads out of {}", prefix, base));
    if (!step) return fail_errno(prefix, step.error().code);
    struct stat status{};
    if (sys::fstat(step->get(), &status) < 0) return fail_errno(prefix);
    if (S_ISLNK(status.st_mode)) return fail(ELOOP, prefix + " is a symbolic link");
    fd = *std::move(step);
  }
  return fd;
}

}  // namespace

std::string plain(const std::string& path) {
  std::string result;
  for (const std::string& piece : split(path, "/")) {
    if (piece != ".") result.append("/").append(piece);
  }
  return result;
}

// Up to the root every name is the host's, so nobody can move it between these looks.
Result<size_t> find_root(const std::string& root, const std::string& path, size_t from) {
  struct stat top{}, here{};
  if (sys::fstatat(AT_FDCWD, root.c_str(), &top, 0) < 0) {
    if (path_covers(plain(root), path)) return fail_errno(root);
    return std::string::npos;
  }
  for (size_t end = from; end < path.size(); end = path.find('/', end + 1)) {
    std::string prefix = end == 0 ? "/" : path.substr(0, end);
    // What is not there cannot be the root, nor can anything below it.
    if (sys::fstatat(AT_FDCWD, prefix.c_str(), &here, 0) < 0) {
      if (errno == ENOENT || errno == ENOTDIR) break;
      return fail_errno(prefix);
    }
    if (here.st_dev == top.st_dev && here.st_ino == top.st_ino) return end;
  }
  return std::string::npos;
}

Result<Fd> open_point(const std::string& root, const std::string& point) {
  if (!point.starts_with('/')) return fail(EINVAL, point + ": not an absolute pathname");
  std::string path = plain(point);
  size_t at = TRY(find_root(root, path));
  if (at != std::string::npos) return open_below(path, at);
  Fd fd(sys::openat(AT_FDCWD, point.c_str(), O_PATH | O_CLOEXEC));
  if (!fd) return fail_errno(point);
  return fd;
}

Result<Fd> open_source(const std::string& root, const std::string& source) {
  char here[4096];
  bool relative = !source.starts_with('/');
  if (source.empty() || (relative && getcwd(here, sizeof here) == nullptr)) return Fd();
  std::string path = plain(relative ? fmt::format("{}/{}", here, source) : source);
  size_t at = TRY(find_root(root, path));
  // What `..` leads to from the root itself is the host's.
  while (at != std::string::npos && (path + "/").compare(at, 4, "/../") == 0)
    at = TRY(find_root(root, path, at + 3));
  if (at == std::string::npos || at == 0) return Fd();
  return open_below(path, at);
}

// One setting at a time, so that a refusal names the one that it is about.
Result<Fd> new_tree(const std::string& type, const Words& settings, uint64_t attributes) {
  Fd context(sys::fsopen(type.c_str(), FSOPEN_CLOEXEC));
  if (!context && errno == ENODEV) return fail(ENODEV, type + ": no such file system here");
  if (!context) return fail_errno(type);
  for (const std::string& setting : settings) {
    size_t equals = setting.find('=');
    std::string key = setting.substr(0, equals);
    const char* value = equals == std::string::npos ? nullptr : setting.c_str() + equals + 1;
    unsigned command = value == nullptr ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    if (sys::fsconfig(context.get(), command, key.c_str(), value, 0) < 0)
      return refused(context, type, setting);
  }
  if (sys::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return refused(context, type, "");
  Fd tree(sys::fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)));
  if (!tree) return refused(context, type, "");
  return tree;
}

// By descriptor at both ends: between the check of a point and this call its name may have come to
// mean something else.
Result<void> attach(const Fd& tree, const Fd& point) {
  unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  if (sys::move_mount(tree.get(), "", point.get(), "", flags) == 0) return {};
  int code = errno;
  // The kernel says EINVAL to a directory on a file, and to much else.
  struct stat from{}, to{};
  if (code == EINVAL && sys::fstat(tree.get(), &from) == 0 && sys::fstat(point.get(), &to) == 0 &&
      S_ISDIR(from.st_mode) != S_ISDIR(to.st_mode))
    code = S_ISDIR(from.st_mode) ? ENOTDIR : EISDIR;
  return fail(code, std::strerror(code));
}

std::string fd_path(const Fd& fd) {
  return "/proc/self/fd/" + std::to_string(fd.get());
}

}  // namespace jail
