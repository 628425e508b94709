// The door to POSIX system calls: the only place above os/ that makes one (tests/layers.py holds
// everything else to it; the calls of one system alone are in os/SYSTEM/abi.h). Every wrapper is
// the call itself, same arguments, same result, same errno - but in a build with fault points any
// of them can be told to fail (base/fault.h), which is how each failure is tried. bind and connect
// are for AF_UNIX here; umask cannot fail and is not counted. EINTR is the caller's to handle. One
// line a call, alphabetical.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fault.h"

namespace jail::sys {

// What a wrapper returns: -1 with errno set where a fault was ordered for `name`, else what the
// call returns.
template <class Call>
auto tried(const char* name, Call call) -> decltype(call()) {
  if (fault_point(name)) return static_cast<decltype(call())>(-1);
  return call();
}

// clang-format off
inline int bind(int fd, const sockaddr_un* address) { return tried("bind", [&] { return ::bind(fd, reinterpret_cast<const sockaddr*>(address), sizeof *address); }); }
inline int chdir(const char* path) { return tried("chdir", [&] { return ::chdir(path); }); }
inline int chroot(const char* path) { return tried("chroot", [&] { return ::chroot(path); }); }
inline int connect(int fd, const sockaddr_un* address) { return tried("connect", [&] { return ::connect(fd, reinterpret_cast<const sockaddr*>(address), sizeof *address); }); }
inline int dup2(int from, int to) { return tried("dup2", [&] { return ::dup2(from, to); }); }
inline int execve(const char* path, char* const argv[], char* const env[]) { return tried("execve", [&] { return ::execve(path, argv, env); }); }
inline int execvp(const char* file, char* const argv[]) { return tried("execvp", [&] { return ::execvp(file, argv); }); }
inline int fchdir(int fd) { return tried("fchdir", [&] { return ::fchdir(fd); }); }
inline int fchown(int fd, uid_t owner, gid_t group) { return tried("fchown", [&] { return ::fchown(fd, owner, group); }); }
inline DIR* fdopendir(int fd) { return fault_point("fdopendir") ? nullptr : ::fdopendir(fd); }
inline int fchmod(int fd, mode_t mode) { return tried("fchmod", [&] { return ::fchmod(fd, mode); }); }
inline int fcntl(int fd, int command, long argument = 0) { return tried("fcntl", [&] { return ::fcntl(fd, command, argument); }); }
inline int flock(int fd, int operation) { return tried("flock", [&] { return ::flock(fd, operation); }); }
inline pid_t fork() { return tried("fork", [&] { return ::fork(); }); }
inline int fstat(int fd, struct stat* status) { return tried("fstat", [&] { return ::fstat(fd, status); }); }
inline int fstatat(int dir, const char* path, struct stat* status, int flags) { return tried("fstatat", [&] { return ::fstatat(dir, path, status, flags); }); }
inline int fsync(int fd) { return tried("fsync", [&] { return ::fsync(fd); }); }
inline int ftruncate(int fd, off_t size) { return tried("ftruncate", [&] { return ::ftruncate(fd, size); }); }
inline int getsockopt(int fd, int level, int option, void* value, socklen_t* size) { return tried("getsockopt", [&] { return ::getsockopt(fd, level, option, value, size); }); }
inline int ioctl(int fd, unsigned long request, void* argument = nullptr) { return tried("ioctl", [&] { return ::ioctl(fd, request, argument); }); }
inline int kill(pid_t pid, int signal) { return tried("kill", [&] { return ::kill(pid, signal); }); }
inline int listen(int fd, int backlog) { return tried("listen", [&] { return ::listen(fd, backlog); }); }
inline off_t lseek(int fd, off_t at, int from) { return tried("lseek", [&] { return ::lseek(fd, at, from); }); }
inline int mkdirat(int dir, const char* path, mode_t mode) { return tried("mkdirat", [&] { return ::mkdirat(dir, path, mode); }); }
inline int mknodat(int dir, const char* path, mode_t mode, dev_t device) { return tried("mknodat", [&] { return ::mknodat(dir, path, mode, device); }); }
inline int openat(int dir, const char* path, int flags, mode_t mode = 0) { return tried((flags & O_CREAT) != 0 ? "creat" : "openat", [&] { return ::openat(dir, path, flags, mode); }); }
inline int poll(pollfd* fds, nfds_t count, int timeout) { return tried("poll", [&] { return ::poll(fds, count, timeout); }); }
inline int ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* signals) { return tried("ppoll", [&] { return ::ppoll(fds, count, timeout, signals); }); }
inline ssize_t pread(int fd, void* data, size_t size, off_t at) { return tried("pread", [&] { return ::pread(fd, data, size, at); }); }
inline ssize_t read(int fd, void* data, size_t size) { return tried("read", [&] { return ::read(fd, data, size); }); }
inline ssize_t readlinkat(int dir, const char* path, char* data, size_t size) { return tried("readlinkat", [&] { return ::readlinkat(dir, path, data, size); }); }
inline ssize_t recv(int fd, void* data, size_t size, int flags) { return tried("recv", [&] { return ::recv(fd, data, size, flags); }); }
inline ssize_t recvmsg(int fd, msghdr* message, int flags) { return tried("recvmsg", [&] { return ::recvmsg(fd, message, flags); }); }
inline int renameat(int from_dir, const char* from, int to_dir, const char* to) { return tried("renameat", [&] { return ::renameat(from_dir, from, to_dir, to); }); }
inline ssize_t send(int fd, const void* data, size_t size, int flags) { return tried("send", [&] { return ::send(fd, data, size, flags); }); }
inline ssize_t sendmsg(int fd, const msghdr* message, int flags) { return tried("sendmsg", [&] { return ::sendmsg(fd, message, flags); }); }
inline int setgroups(size_t count, const gid_t* groups) { return tried("setgroups", [&] { return ::setgroups(count, groups); }); }
inline int setpgid(pid_t pid, pid_t group) { return tried("setpgid", [&] { return ::setpgid(pid, group); }); }
inline int setresgid(gid_t real, gid_t effective, gid_t saved) { return tried("setresgid", [&] { return ::setresgid(real, effective, saved); }); }
inline int setresuid(uid_t real, uid_t effective, uid_t saved) { return tried("setresuid", [&] { return ::setresuid(real, effective, saved); }); }
inline int setrlimit(int resource, const rlimit* limit) { return tried("setrlimit", [&] { return ::setrlimit(resource, limit); }); }
inline pid_t setsid() { return tried("setsid", [&] { return ::setsid(); }); }
inline int setsockopt(int fd, int level, int option, const void* value, socklen_t size) { return tried("setsockopt", [&] { return ::setsockopt(fd, level, option, value, size); }); }
inline int shutdown(int fd, int how) { return tried("shutdown", [&] { return ::shutdown(fd, how); }); }
inline int sigwaitinfo(const sigset_t* signals, siginfo_t* info) { return tried("sigwaitinfo", [&] { return ::sigwaitinfo(signals, info); }); }
inline int socket(int domain, int type, int protocol) { return tried("socket", [&] { return ::socket(domain, type, protocol); }); }
inline int socketpair(int domain, int type, int protocol, int fds[2]) { return tried("socketpair", [&] { return ::socketpair(domain, type, protocol, fds); }); }
inline int symlinkat(const char* to, int dir, const char* path) { return tried("symlinkat", [&] { return ::symlinkat(to, dir, path); }); }
inline int tcflush(int fd, int queue) { return tried("tcflush", [&] { return ::tcflush(fd, queue); }); }
inline int tcgetattr(int fd, termios* modes) { return tried("tcgetattr", [&] { return ::tcgetattr(fd, modes); }); }
inline int tcsetattr(int fd, int when, const termios* modes) { return tried("tcsetattr", [&] { return ::tcsetattr(fd, when, modes); }); }
inline int tcsetpgrp(int fd, pid_t group) { return tried("tcsetpgrp", [&] { return ::tcsetpgrp(fd, group); }); }
inline mode_t umask(mode_t mask) { return ::umask(mask); }
inline int unlinkat(int dir, const char* path, int flags) { return tried("unlinkat", [&] { return ::unlinkat(dir, path, flags); }); }
inline int waitid(idtype_t type, id_t id, siginfo_t* end, int options) { return tried("waitid", [&] { return ::waitid(type, id, end, options); }); }
inline pid_t waitpid(pid_t pid, int* status, int options) { return tried("waitpid", [&] { return ::waitpid(pid, status, options); }); }
inline ssize_t write(int fd, const void* data, size_t size) { return tried("write", [&] { return ::write(fd, data, size); }); }
// clang-format on

}  // namespace jail::sys
