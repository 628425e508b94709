// The fault points of a build with CELLBLOCK_FAULTS. Runs in children of fork and clone, after
// chroot, and after all descriptors were closed: allocates nothing, takes no lock, and makes its
// own calls raw, since a door would come back to it. It must never write to a descriptor that is
// not its log.
#include "base/fault.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <new>
#include <signal.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/result.h"
#include "base/table.h"

namespace jail {
namespace {

struct ErrnoName {
  const char* name;
  int code;
};

// clang-format off
constexpr auto errno_names = std::to_array<ErrnoName>({
    {"E2BIG", E2BIG}, {"EACCES", EACCES}, {"EADDRINUSE", EADDRINUSE}, {"EAGAIN", EAGAIN}, {"EBADF", EBADF},
    {"EBUSY", EBUSY}, {"ECHILD", ECHILD}, {"EEXIST", EEXIST}, {"EFAULT", EFAULT}, {"EINTR", EINTR},
    {"EINVAL", EINVAL}, {"EIO", EIO}, {"EISDIR", EISDIR}, {"ELOOP", ELOOP}, {"EMFILE", EMFILE}, {"ENFILE", ENFILE},
    {"ENODEV", ENODEV}, {"ENOENT", ENOENT}, {"ENOMEM", ENOMEM}, {"ENOSPC", ENOSPC}, {"ENOSYS", ENOSYS},
    {"ENOTDIR", ENOTDIR}, {"ENOTSUP", ENOTSUP}, {"EPERM", EPERM}, {"EPIPE", EPIPE}, {"EROFS", EROFS},
    {"ESRCH", ESRCH}, {"ETIMEDOUT", ETIMEDOUT}, {"EUSERS", EUSERS},
});
// clang-format on

constexpr int kill_instead = -1;

// Which call fails, and where the log is. Children by fork inherit it as it is; zero-initialised,
// without constructor.
struct Plan {
  bool read;
  uint64_t fail_at;  // 0: none
  int code;          // an errno, or kill_instead
  int log;
  dev_t log_device;
  ino_t log_inode;
  char log_path[PATH_MAX];
  std::atomic<uint64_t>*
      count;  // in a page shared with all children, so that every call has a number of its own
};
Plan order;
std::atomic<uint64_t> own_count;

// Reads "N:ERRNO" or "N:kill". A typo here would make a test that tests nothing, so it ends the
// program.
void read_fault(std::string_view text) {
  auto number = [](std::string_view digits, auto& value) {
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() && value > 0;
  };
  size_t colon = text.find(':');
  std::string_view what = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (!number(text.substr(0, colon), order.fail_at))
    bug("CELLBLOCK_FAULT is not N:ERRNO or N:kill");
  if (what == "kill") {
    order.code = kill_instead;
  } else if (const ErrnoName* row = find_row<ErrnoName>(errno_names, what)) {
    order.code = row->code;
  } else if (!number(what, order.code)) {
    bug("CELLBLOCK_FAULT is not N:ERRNO or N:kill");
  }
}

// The log is remembered by its identity: a program that closes all its descriptors may have another
// file open under the log's number later, and another root may have another file under its path.
bool is_log(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && status.st_dev == order.log_device &&
         status.st_ino == order.log_inode;
}

void open_log(const char* path) {
  size_t size = std::strlen(path) + 1;
  if (size > sizeof order.log_path) bug("CELLBLOCK_FAULT_LOG is too long");
  std::memcpy(order.log_path, path, size);
  struct stat status;
  order.log = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (order.log < 0 || ::fstat(order.log, &status) != 0)
    bug("CELLBLOCK_FAULT_LOG cannot be opened");
  order.log_device = status.st_dev;
  order.log_inode = status.st_ino;
}

// The variables go once they are read: they are for the process that was started, not for what it
// executes.
void read_environment() {
  order.read = true;
  void* page =
      ::mmap(nullptr, sizeof own_count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  order.count = page == MAP_FAILED ? &own_count : new (page) std::atomic<uint64_t>;
  if (const char* text = std::getenv("CELLBLOCK_FAULT")) read_fault(text);
  if (const char* path = std::getenv("CELLBLOCK_FAULT_LOG")) open_log(path);
  ::unsetenv("CELLBLOCK_FAULT");
  ::unsetenv("CELLBLOCK_FAULT_LOG");
}

// Appends "N NAME" by one write, so that lines of several processes never mix. Where the log is out
// of reach (closed, and another root now), the line is lost rather than put into some other file.
void write_log(uint64_t number, std::string_view name) {
  char line[128];
  char* at = std::to_chars(line, line + 24, number).ptr;
  *at++ = ' ';
  at += name.copy(at, 100);
  *at++ = '\n';
  if (!is_log(order.log)) {
    int fd = ::open(order.log_path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0) return;
    if (!is_log(fd)) {
      ::close(fd);
      return;
    }
    order.log = fd;
  }
  if (::write(order.log, line, static_cast<size_t>(at - line)) < 0) return;
}

}  // namespace

bool fault_point(const char* name) {
  int saved = errno;
  if (!order.read) read_environment();
  uint64_t number = order.count->fetch_add(1) + 1;
  if (order.log_path[0] != '\0') write_log(number, name);
  if (number == order.fail_at && order.code == kill_instead) ::kill(::getpid(), SIGKILL);
  bool fails = number == order.fail_at;
  errno = fails ? order.code : saved;
  return fails;
}

}  // namespace jail
