#include "os/console.h"

#include "base/file.h"
#include "os/linux/abi.h"
#include "os/linux/tree.h"
#include "os/terminal.h"

namespace jail {
namespace {

constexpr unsigned short lines = 24, columns = 80;
constexpr int master_flags = O_RDWR | O_NOCTTY | O_NONBLOCK;

// The slave, which has been nobody's so far.
Result<Fd> unlock(int master) {
  int locked = 0;
  if (sys::ioctl(master, TIOCSPTLCK, &locked) != 0) return fail_errno("terminal");
  return open_slave(master);
}

Result<unsigned> number_of(int master) {
  unsigned number = 0;
  if (sys::ioctl(master, TIOCGPTN, &number) != 0) return fail_errno("terminal");
  return number;
}

// What a link leads to; empty where there is none, or it is something else.
std::string target_of(const std::string& path) {
  char text[4096];
  const ssize_t size = sys::readlinkat(AT_FDCWD, path.c_str(), text, sizeof text);
  return {text, size > 0 ? static_cast<size_t>(size) : 0};
}

}  // namespace

Result<Fd> make_terminals() {
  // max: the host has 4096 terminals in all, and one jail must not take them.
  return new_tree("devpts", {"source=devpts", "gid=5", "mode=620", "ptmxmode=666", "max=1024"},
                  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

Result<Terminal> open_terminal(const Fd& terminals) {
  Terminal made;
  made.master = TRY(in("console", open_at(terminals.get(), "ptmx", master_flags)));
  made.number = TRY(number_of(made.master.get()));
  Fd slave = TRY(unlock(made.master.get()));
  if (sys::fchmod(slave.get(), 0600) != 0) return fail_errno("console");
  reset_terminal(slave.get());
  TRY(set_window(made.master.get(), lines, columns));
  return made;
}

Result<void> put_console(const Fd& terminals, unsigned number, const Fd& dev) {
  const Result<Fd> made =
      open_at(dev.get(), "console", O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0600);
  if (!made && made.error().code != EEXIST) return std::unexpected(made.error());
  Fd point = TRY(open_at(dev.get(), "console", O_PATH | O_NOFOLLOW));
  struct stat status{};
  if (sys::fstat(point.get(), &status) != 0) return fail_errno("console");
  if (S_ISLNK(status.st_mode)) return fail_errno("console", ELOOP);
  Fd slave(sys::open_tree(terminals.get(), std::to_string(number).c_str(),
                          OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW));
  if (!slave) return fail_errno("console");
  return in("console", attach(slave, point));
}

Result<Fd> make_ring(size_t size) {
  Fd file(sys::memfd_create("console", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file || sys::fallocate(file.get(), 0, 0, static_cast<off_t>(size)) != 0 ||
      sys::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return fail_errno("ring");
  return file;
}

Result<LinkTerminal> make_link_terminal() {
  LinkTerminal made;
  made.master = TRY(open_at(AT_FDCWD, "/dev/ptmx", master_flags));
  Fd slave = TRY(unlock(made.master.get()));
  made.path = "/dev/pts/" + std::to_string(TRY(number_of(made.master.get())));
  struct stat ours{}, named{};
  if (sys::fstat(slave.get(), &ours) != 0 ||
      sys::fstatat(AT_FDCWD, made.path.c_str(), &named, 0) != 0)
    return fail_errno(made.path);
  if (ours.st_dev != named.st_dev || ours.st_ino != named.st_ino)
    return fail_errno(made.path, ENOENT);
  // Not the group of terminals, to which anybody's write(1) may print. But root's: Debian's cu is
  // uucp by the time it opens the line, and has only its group from root.
  if (sys::fchmod(slave.get(), 0600) != 0) return fail_errno(made.path);
  if (sys::fchown(slave.get(), 0, 0) == 0 && sys::fchmod(slave.get(), 0660) != 0)
    return fail_errno(made.path);
  TRY(make_raw(slave.get()));
  // That this slave is closed now is what makes the master look hung up, and not just new.
  return made;
}

Result<void> put_link(const std::string& path, const std::string& terminal) {
  if (sys::symlinkat(terminal.c_str(), AT_FDCWD, path.c_str()) == 0) return {};
  const int code = errno;
  if (code == EEXIST && target_of(path) == terminal) return {};
  return fail_errno(path, code);
}

Result<void> drop_link(const std::string& path, const std::string& terminal) {
  if (target_of(path) != terminal) return {};
  if (sys::unlinkat(AT_FDCWD, path.c_str(), 0) != 0 && errno != ENOENT) return fail_errno(path);
  return {};
}

}  // namespace jail
