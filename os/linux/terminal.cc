#include "os/terminal.h"

#include "os/handed.h"
#include "os/linux/abi.h"

namespace jail {
namespace {

constexpr size_t ring_most = 1U << 20;
constexpr int moments = 100;  // of 10 ms
constexpr int slave_flags = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;

// Goes by the mount that the master was opened on (4.13), so it works in a jail that has another
// /dev/pts, or none.
Fd open_peer(int master) {
  return Fd(sys::open_peer(master, slave_flags));
}

bool same_terminal(int one, int other) {
  struct stat first{}, second{};
  return sys::fstat(one, &first) == 0 && sys::fstat(other, &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino && S_ISCHR(first.st_mode) &&
         first.st_rdev == second.st_rdev;
}

Result<void> make_blocking(int fd) {
  const int flags = sys::fcntl(fd, F_GETFL);
  if (flags < 0 || sys::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) return fail_errno("console");
  return {};
}

// The session that has this terminal, as our pid namespace numbers it. Asked of the master, which
// answers whoever holds it.
pid_t session_of(int master) {
  pid_t session = 0;
  return sys::ioctl(master, TIOCGSID, &session) == 0 ? session : 0;
}

// EPERM also means that we lead no session, which was seen to before.
bool make_controlling(int slave) {
  return sys::ioctl(slave, TIOCSCTTY) == 0;
}

}  // namespace

Result<Fd> open_slave(int master, const char* path) {
  Fd peer = open_peer(master);
  if (!peer) return fail_errno("terminal");
  if (path == nullptr) return peer;
  // A jail's file: non-blocking, since it may be a FIFO; and where it is another device, opening it
  // is no more than the jail's root could do itself.
  Fd named(sys::openat(AT_FDCWD, path, slave_flags));
  if (named && same_terminal(named.get(), peer.get())) return named;
  return peer;
}

void reset_terminal(int slave) {
  int plain = N_TTY;
  termios modes{};
  modes.c_iflag = BRKINT | ICRNL | IXON | IMAXBEL | IUTF8;
  modes.c_oflag = OPOST | ONLCR;
  modes.c_cflag = CS8 | CREAD | HUPCL | CLOCAL | B38400;
  modes.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
  constexpr struct {
    int place;
    cc_t key;
  } keys[] = {{VINTR, 3},   {VQUIT, 28},    {VERASE, 127}, {VKILL, 21},    {VEOF, 4},
              {VSTART, 17}, {VSTOP, 19},    {VSUSP, 26},   {VREPRINT, 18}, {VWERASE, 23},
              {VLNEXT, 22}, {VDISCARD, 15}, {VMIN, 1}};
  for (auto [place, key] : keys) modes.c_cc[place] = key;
  sys::ioctl(slave, TIOCSETD, &plain);
  sys::ioctl(slave, TIOCNXCL);
  sys::tcsetattr(slave, TCSANOW, &modes);
  sys::tcflush(slave, TCIOFLUSH);
}

bool hang_up(int master, int slave) {
  if (sys::ioctl(slave, TIOCVHANGUP) == 0) {
    // What was typed for those who had it is not for who comes next.
    if (Fd fresh = open_peer(master)) reset_terminal(fresh.get());
    return true;
  }
  const pid_t group = tcgetpgrp(master), leader = session_of(master);
  for (int signal : {SIGHUP, SIGCONT}) {
    if (leader > 1) sys::kill(leader, signal);
    if (group > 1) sys::kill(-group, signal);
  }
  reset_terminal(slave);
  return false;
}

Result<void> open_session(int master, int slave) {
  if (sys::setsid() < 0 && getsid(0) != getpid()) return fail_errno("setsid");
  bool taken = make_controlling(slave);
  // The last resort of what has no right to take it by force: a terminal is free as soon as the
  // leader of its session dies.
  for (int i = 0; !taken && errno == EPERM && i < moments; ++i) {
    if (const pid_t leader = session_of(master); leader > 1) sys::kill(leader, SIGKILL);
    sys::poll(nullptr, 0, 10);
    taken = make_controlling(slave);
  }
  if (!taken) return fail_errno("console: controlling terminal");
  return use_terminal(slave);
}

Result<void> use_terminal(int slave) {
  TRY(make_blocking(slave));
  for (int fd : {0, 1, 2})
    if (sys::dup2(slave, fd) < 0) return fail_errno("console");
  // It may have been one of the three itself, and close-on-exec.
  if (slave <= 2 && sys::fcntl(slave, F_SETFD, 0) != 0) return fail_errno("console");
  return {};
}

Result<void> set_window(int master, unsigned short rows, unsigned short columns) {
  winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  if (sys::ioctl(master, TIOCSWINSZ, &size) != 0) return fail_errno("window size");
  return {};
}

Result<void> make_raw(int slave) {
  termios modes{};
  if (sys::tcgetattr(slave, &modes) != 0) return fail_errno("terminal modes");
  cfmakeraw(&modes);
  modes.c_cflag |= CREAD | CLOCAL;
  if (sys::tcsetattr(slave, TCSANOW, &modes) != 0) return fail_errno("terminal modes");
  return {};
}

Result<Fd> watch_changes(int fd) {
  Fd watch(sys::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
  if (!watch || sys::epoll_ctl(watch.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return fail_errno("watch");
  return watch;
}

void watch_seen(int watch) {
  epoll_event event;
  sys::epoll_wait(watch, &event, 1, 0);
}

namespace {

Result<size_t> size_of_ring(int fd) {
  struct stat status{};
  const int seals = sys::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || sys::fstat(fd, &status) != 0) return fail_errno("ring");
  const size_t size = static_cast<size_t>(status.st_size);
  if ((seals & F_SEAL_SHRINK) == 0 || size == 0 || size > ring_most)
    return fail(EINVAL, "ring: not a sealed memory file");
  return size;
}

}  // namespace

Result<std::span<std::byte>> map_ring(int fd) {
  const size_t size = TRY(size_of_ring(fd));
  void* memory = sys::mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  if (memory == MAP_FAILED) return fail_errno("ring");
  return std::span(static_cast<std::byte*>(memory), size);
}

bool is_handed(int number) {
  if (number == handed::console || number == handed::link) return isatty(number) == 1;
  if (number == handed::ring) return size_of_ring(number).has_value();
  struct stat status{};
  return sys::fstat(number, &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace jail
