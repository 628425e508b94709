// A file descriptor with one owner.
#pragma once

#include <unistd.h>
#include <utility>

namespace jail {

// -1, or an open descriptor that nobody else closes. Whoever opens one for an Fd opens it
// close-on-exec. Move only. What close(2) says is lost: whoever has to know that a write is on disk
// asks fsync(2) before.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  // The descriptor for a call, still ours; -1 if none is held.
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  // Gives the descriptor away: the caller closes it. -1 if there was none.
  int release() { return std::exchange(fd_, -1); }
  // Closes what is held and takes `fd` in its place.
  void reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace jail
