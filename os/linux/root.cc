// Paths in a tree that someone else writes.
//
// A jail's root directory is full of names that the jail chose, and it may change them while we
// look. Each way of reaching a file below it by text is an escape: "ROOT/etc/passwd" follows a link
// `etc` to the host's /etc; checking the link first loses a race against rename(2); chroot(2) and
// back costs a process; realpath(3) is the same race with more steps. The kernel alone can resolve
// a path and hold a boundary at the same time, and openat2(2) is how it is asked:
//
//   RESOLVE_IN_ROOT        as chroot(2) for one call: `/` and `..` mean the root that we hold, in
//                          links too. This is what a process of the jail would find, so files that
//                          the jail is entitled to arrange (its passwd) are opened so.
//   RESOLVE_BENEATH        an attempt to leave is an error and not bent back. With
//                          RESOLVE_NO_SYMLINKS there is no link to leave by. Mount points and the
//                          log are opened so: J4.3 refuses links, and both are worth a sharp error.
//   RESOLVE_NO_MAGICLINKS  in both: /proc/PID/root and /proc/PID/fd/N jump to where no path leads,
//                          over every boundary.
//
// Mounts below the root are crossed: they are the host's doing. What is opened is held as a
// descriptor and used as one (T_EMPTY_PATH of move_mount(2)); its name is never resolved again.
//
// `..` is where resolution can be raced: whenever anything is renamed or mounted anywhere
// meanwhile, the kernel gives up with EAGAIN instead of guessing. Trying again is right, for ever
// is not: the jail may be what keeps the tree moving.
#include "os/root.h"

#include "base/file.h"
#include "os/linux/abi.h"
#include "os/linux/tree.h"

namespace jail {
namespace {

constexpr int tries = 128;

Result<Fd> open_resolved(int root, const JailPath& path, int flags, unsigned mode,
                         uint64_t resolve) {
  // A path beneath is relative by definition; IN_ROOT would take either.
  size_t start = path.text.find_first_not_of('/');
  std::string beneath = start == std::string::npos ? "." : path.text.substr(start);
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  if (!(flags & O_PATH)) how.flags |= O_NOCTTY;  // openat2 refuses what has no meaning
  how.mode = flags & O_CREAT ? mode : 0;
  how.resolve = resolve;
  for (int i = 0;; i++) {
    int fd = sys::openat2(root, beneath.c_str(), &how);
    if (fd >= 0) return Fd(fd);
    if ((errno != EAGAIN && errno != EINTR) || i == tries) return fail_errno(path.text);
  }
}

}  // namespace

Result<Fd> open_root(const HostPath& path) {
  Fd fd(sys::openat(AT_FDCWD, path.text.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno(path.text);
  return fd;
}

Result<Fd> open_in_root(int root, const JailPath& path, int flags, unsigned mode) {
  return open_resolved(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

Result<Fd> open_without_links(int root, const JailPath& path, int flags, unsigned mode) {
  return open_resolved(root, path, flags, mode,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

Result<std::string> name_in_root(int root, const JailPath& path) {
  const Fd file = TRY(open_in_root(root, path, O_PATH));
  char text[4096];
  const ssize_t size = sys::readlinkat(
      AT_FDCWD, ("/proc/self/fd/" + std::to_string(file.get())).c_str(), text, sizeof text);
  if (size <= 0) return fail_errno(path.text);
  const std::string_view where(text, static_cast<size_t>(size));
  return std::string(where.substr(where.rfind('/') + 1));
}

Result<Fd> open_log(const std::string& root, const std::string& log) {
  constexpr int flags = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY;
  const std::string parameter = "exec.consolelog", path = plain(log);
  if (!log.starts_with('/'))
    return fail(EINVAL, parameter + ": " + log + ": not an absolute pathname");
  size_t at = TRY(in(parameter, find_root(root, path))), slash = path.rfind('/');
  Result<Fd> file;
  if (at == std::string::npos) {
    file = open_at(AT_FDCWD, log, flags, 0666);
  } else {
    Fd parent = TRY(in(parameter, open_point(root, slash == 0 ? "/" : path.substr(0, slash))));
    file = open_without_links(parent.get(), {path.substr(slash)}, flags, 0666);
    if (!file && file.error().code == ELOOP)
      return fail(ELOOP, parameter + ": " + log + " is a symbolic link");
  }
  if (!file) return fail_errno("open " + log, file.error().code);
  struct stat status{};
  // Commands may wait for whoever reads what they write; we do not.
  if (sys::fstat(file->get(), &status) < 0 || sys::fcntl(file->get(), F_SETFL, O_APPEND) < 0)
    return fail_errno("open " + log);
  bool mine = at == std::string::npos || S_ISREG(status.st_mode);
  if (!mine && !(at == 0 && S_ISCHR(status.st_mode)))
    return fail(EINVAL, parameter + ": " + log + " is not a regular file");
  return file;
}

}  // namespace jail
