// What process 1 of a jail asks of the kernel beside POSIX. In jinit: no {fmt}, and nothing here
// allocates or blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <signal.h>
#include <sys/types.h>

#include "base/fd.h"

namespace jail {

// From now on the jail's root cannot trace this process, and `signals` are read from the descriptor
// that it yields and do nothing else. No descriptor: errno says why.
Fd watch_signals(const sigset_t& signals);

// Milliseconds of a clock that never goes back and counts the host's sleep.
int64_t now_ms();

struct Caught {
  int signal;
  bool by_process;  // kill(2) and its like; false: the kernel itself, as WINCH of a terminal
};
// One of them, taken; nothing if none is pending.
std::optional<Caught> take_signal(int fd);

// Who has called on a listening socket. No descriptor: nobody.
struct Caller {
  Fd fd;
  bool host = false;  // not a process of the jail
  bool root = false;
};
Caller accept_caller(int listener);

// Whether any process is left in the group whose cgroup.events that is. When in doubt, yes.
bool others_left(int events);

// As many descriptors for us as there may be, open and in one poll(2): a service takes up to nine.
// What we were given is what children of bear() have, and whoever asks for it back.
void raise_descriptors();
void give_back_descriptors();

// fork(2), but the child is born in the group behind `group` (-1: in ours, where there is no jail)
// with no signal blocked (in a group: none caught either), and with the descriptors that were given
// to us. -1 and errno as that.
pid_t bear(int group);

// SIGKILL for all in our pid namespace, also for what is just being born; not for those of the host
// that are on their way in. Not by cgroup.kill: where the kernel counts its kills (6.14 to at least
// 6.18), whatever is born into a group after one, by a parent outside of it, is killed as well.
void kill_all_now();

// A pipe, both ends close-on-exec; `read` does not block. Neither: errno says why.
struct Pipe {
  Fd read, write;
};
Pipe make_pipe();

// Whether so many bytes of memory can be had just now.
bool is_memory_for(size_t size);

// Memory that is kept for bad times, never touched and so without a page of its own; nullptr where
// there is none. Given back, it is there for the allocator.
void* keep_memory(size_t size);
void let_memory_go(void* kept, size_t size);

// Hands memory that was freed back to the kernel, as far as the allocator can.
void give_back_memory();

// Leaves word of how process 1 is about to end ("restart", "halt", "exit") at the group behind
// `group`, for an engine that comes when nobody knows any more. As far as it goes.
void leave_word(int group, const char* how);

// Ends the jail as reboot(2) ends a machine. Returns only where the kernel will not.
enum class Ending : unsigned char { restart, halt, poweroff };
void end_jail(Ending how);

}  // namespace jail
