// The door to Linux's own system calls: the only file of os/linux that includes the kernel's
// headers or makes a raw call (the POSIX ones are in base/sys.h). Every wrapper is the call itself,
// same arguments, same result, same errno, and can be told to fail in a build with fault points.
// One line a call, alphabetical. Kernel: 6.1 and later. What is bound to a process acts on the
// caller (capget, prctl, sched_*), unused arguments are 0, and what openat2 and clone3 hand out is
// close-on-exec only where the flags say so.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

extern "C" {  // glibc 2.36 forgot to say so itself
#include <sys/pidfd.h>
}

#include "base/sys.h"

namespace jail::sys {

// An attribute of a jail's group ID/jail/run: how process 1 was about to end when it did.
constexpr const char* word_of_the_end = "user.cellblock.end";

// What a pidfd tells of a process that has ended (PIDFD_GET_INFO, Linux 6.15; older headers lack
// it).
struct PidfdInfo {
  uint64_t mask, cgroup;
  uint32_t pid, tgid, ppid, ids[8];
  int32_t exit_code;
};
constexpr uint64_t pidfd_info_exit = 8;
constexpr unsigned long pidfd_get_info = _IOWR(0xff, 11, PidfdInfo);

// clang-format off
inline int capget(__user_cap_header_struct* header, __user_cap_data_struct* data) { return tried("capget", [&] { return static_cast<int>(::syscall(SYS_capget, header, data)); }); }
inline int capset(__user_cap_header_struct* header, const __user_cap_data_struct* data) { return tried("capset", [&] { return static_cast<int>(::syscall(SYS_capset, header, data)); }); }
inline int accept4(int fd, int flags) { return tried("accept4", [&] { return ::accept4(fd, nullptr, nullptr, flags); }); }
inline pid_t clone3(clone_args* args) { return tried("clone3", [&] { return static_cast<pid_t>(::syscall(SYS_clone3, args, sizeof *args)); }); }
inline int close_range(unsigned first, unsigned last, int flags) { return tried("close_range", [&] { return ::close_range(first, last, flags); }); }
inline int connect(int fd, const sockaddr_nl* address) { return tried("connect", [&] { return ::connect(fd, reinterpret_cast<const sockaddr*>(address), sizeof *address); }); }
inline int epoll_create1(int flags) { return tried("epoll_create1", [&] { return ::epoll_create1(flags); }); }
inline int epoll_ctl(int fd, int operation, int other, epoll_event* event) { return tried("epoll_ctl", [&] { return ::epoll_ctl(fd, operation, other, event); }); }
inline int epoll_wait(int fd, epoll_event* events, int most, int timeout) { return tried("epoll_wait", [&] { return ::epoll_wait(fd, events, most, timeout); }); }
inline int execveat(int dir, const char* path, char* const argv[], char* const env[], int flags) { return tried("execveat", [&] { return ::execveat(dir, path, argv, env, flags); }); }
inline int fallocate(int fd, int mode, off_t at, off_t size) { return tried("fallocate", [&] { return ::fallocate(fd, mode, at, size); }); }
inline ssize_t fgetxattr(int fd, const char* name, void* value, size_t size) { return tried("fgetxattr", [&] { return ::fgetxattr(fd, name, value, size); }); }
inline int fsconfig(int fd, unsigned command, const char* key, const void* value, int aux) { return tried("fsconfig", [&] { return ::fsconfig(fd, command, key, value, aux); }); }
inline int fsmount(int fd, unsigned flags, unsigned attributes) { return tried("fsmount", [&] { return ::fsmount(fd, flags, attributes); }); }
inline int fsopen(const char* type, unsigned flags) { return tried("fsopen", [&] { return ::fsopen(type, flags); }); }
inline int fsetxattr(int fd, const char* name, const void* value, size_t size) { return tried("fsetxattr", [&] { return ::fsetxattr(fd, name, value, size, 0); }); }
inline ssize_t getdents64(int fd, void* entries, size_t size) { return tried("getdents64", [&] { return ::getdents64(fd, entries, size); }); }
inline long keyctl(int operation, const char* name) { return tried("keyctl", [&] { return ::syscall(SYS_keyctl, operation, name); }); }
inline int madvise(void* address, size_t size, int advice) { return tried("madvise", [&] { return ::madvise(address, size, advice); }); }
inline int memfd_create(const char* name, unsigned flags) { return tried("memfd_create", [&] { return ::memfd_create(name, flags); }); }
inline void* mmap(size_t size, int protection, int flags, int fd) { return fault_point("mmap") ? MAP_FAILED : ::mmap(nullptr, size, protection, flags, fd, 0); }
inline int munmap(void* memory, size_t size) { return ::munmap(memory, size); }
inline int mount(const char* source, const char* target, const char* type, unsigned long flags, const void* data) { return tried("mount", [&] { return ::mount(source, target, type, flags, data); }); }
inline int mount_setattr(int dir, const char* path, unsigned flags, mount_attr* attributes) { return tried("mount_setattr", [&] { return ::mount_setattr(dir, path, flags, attributes, sizeof *attributes); }); }
inline int move_mount(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) { return tried("move_mount", [&] { return ::move_mount(from_dir, from, to_dir, to, flags); }); }
inline int open_peer(int master, int flags) { return tried("ioctl", [&] { return ::ioctl(master, TIOCGPTPEER, flags); }); }
inline int open_tree(int dir, const char* path, unsigned flags) { return tried("open_tree", [&] { return ::open_tree(dir, path, flags); }); }
inline int openat2(int dir, const char* path, const open_how* how) { return tried("openat2", [&] { return static_cast<int>(::syscall(SYS_openat2, dir, path, how, sizeof *how)); }); }
inline int pidfd_open(pid_t pid, unsigned flags) { return tried("pidfd_open", [&] { return ::pidfd_open(pid, flags); }); }
inline int pidfd_send_signal(int pidfd, int signal, siginfo_t* info, unsigned flags) { return tried("pidfd_send_signal", [&] { return ::pidfd_send_signal(pidfd, signal, info, flags); }); }
inline int pipe2(int fds[2], int flags) { return tried("pipe2", [&] { return ::pipe2(fds, flags); }); }
inline int pivot_root(const char* root, const char* old) { return tried("pivot_root", [&] { return static_cast<int>(::syscall(SYS_pivot_root, root, old)); }); }
inline int prctl(int option, unsigned long argument) { return tried("prctl", [&] { return ::prctl(option, argument, 0UL, 0UL, 0UL); }); }
inline int sched_getaffinity(cpu_set_t* set) { return tried("sched_getaffinity", [&] { return ::sched_getaffinity(0, sizeof *set, set); }); }
inline int reboot(int command) { return tried("reboot", [&] { return ::reboot(command); }); }
inline int rt_sigaction(int signal, const void* action, size_t set) { return tried("rt_sigaction", [&] { return static_cast<int>(::syscall(SYS_rt_sigaction, signal, action, nullptr, set)); }); }
inline int seccomp(unsigned operation, unsigned flags, const sock_fprog* program) { return tried("seccomp", [&] { return static_cast<int>(::syscall(SYS_seccomp, operation, flags, program)); }); }
inline int sched_setaffinity(const cpu_set_t* set) { return tried("sched_setaffinity", [&] { return ::sched_setaffinity(0, sizeof *set, set); }); }
inline int setdomainname(const char* name, size_t size) { return tried("setdomainname", [&] { return ::setdomainname(name, size); }); }
inline int sethostname(const char* name, size_t size) { return tried("sethostname", [&] { return ::sethostname(name, size); }); }
inline int setns(int fd, int kinds) { return tried("setns", [&] { return ::setns(fd, kinds); }); }
inline int signalfd(int fd, const sigset_t* signals, int flags) { return tried("signalfd", [&] { return ::signalfd(fd, signals, flags); }); }
inline int statfs(const char* path, struct statfs* status) { return tried("statfs", [&] { return ::statfs(path, status); }); }
inline int statx(int dir, const char* path, int flags, unsigned mask, struct statx* status) { return tried("statx", [&] { return ::statx(dir, path, flags, mask, status); }); }
inline int umount2(const char* target, int flags) { return tried("umount2", [&] { return ::umount2(target, flags); }); }
inline int unshare(int kinds) { return tried("unshare", [&] { return ::unshare(kinds); }); }
// clang-format on

}  // namespace jail::sys
