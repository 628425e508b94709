// A running jail as the kernel knows it, and the places on the host that all jails share. Nothing
// here is undone by the ledger: these are looks, signals, and the two shared places (the pins'
// mount, the group's base) that the registry makes with the first jail and drops with the last,
// under its lock.
#pragma once

#include <cstdint>
#include <optional>
#include <signal.h>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/text.h"
#include "os/facts.h"

namespace jail {

// Process 1 of a jail, an identity that is never reused: number and start time (clock ticks since
// boot).
struct Process1 {
  pid_t pid = 0;
  uint64_t start = 0;
};

// When a process was started, in clock ticks since boot (proc_pid_stat(5), field 22). ESRCH if
// there is none.
Result<uint64_t> start_time(pid_t pid);

// A pidfd for any process of the host. ESRCH if there is none.
Result<Fd> open_process(pid_t pid);

// Sends a signal to the process behind a pidfd; one that has ended is a success.
Result<void> signal_process(int pidfd, int signal);

// Waits until the process behind a pidfd has ended, at most `timeout` ms (-1: for ever), or until
// `stop_fd` (if not -1) is readable: ECANCELED. False: out of time.
Result<bool> await_end(int pidfd, int timeout, int stop_fd);

// Blocks `signals` for this process and yields a descriptor that is readable while one of them is
// pending, also in children by fork.
Result<Fd> open_signals(const sigset_t& signals);
// The number of one such signal, taken; 0 if none is pending.
int read_signal(int fd);

// A pidfd for it, or ESRCH if it has ended (also where another process has its number by now).
Result<Fd> open_process1(const Process1& process1);

// The processes of a group and of all below it but those in directories named in `except`, as the
// host numbers them. A group that is gone is empty.
Result<std::vector<pid_t>> group_members(const Facts& facts, const std::string& group,
                                         const Words& except);

// Opens the directory of a group below the v2 mount.
Result<Fd> open_group(const Facts& facts, const std::string& group);

// Makes a group (and what is missing above it).
Result<void> make_group(const Facts& facts, const std::string& group);

// Ends every process in a group (also frozen ones) by SIGKILL and waits until it is empty, 10 s at
// most: ETIMEDOUT then. A group that is gone is a success. `known`: one of its processes, for a
// caller that knows which will be the last; otherwise one is looked for.
Result<void> kill_group(const Facts& facts, const std::string& group, pid_t known = 0);

// Removes a group with all below it. EBUSY if there are processes left. One that is gone is a
// success.
Result<void> remove_group(const Facts& facts, const std::string& group);

// Removes the groups of hooks directly below `base` that have no process and whose jail's id is not
// in `spared` (sorted), and then the base if it is empty: what hooks left behind (house 14).
void sweep_groups(const Facts& facts, const std::string& base, const Words& spared);

// This process gets SIGTERM when its parent ends.
void follow_parent();

// Mounts the private tmpfs of the pins at RUN/pins, if it is not there; takes it away when it is
// empty.
Result<void> make_pins(const std::string& run);
void drop_pins(const std::string& run);

// The mount namespace of a jail's view, for hooks. ENOENT: it has none.
Result<Fd> open_view(const std::string& run, const std::string& id);

// The network stack of a jail that has one of its own, pinned in its view. ENOENT: it has none, or
// is gone.
Result<Fd> open_stack(const std::string& run, const std::string& id);

// If this process runs in a jail's view (a hook called us), goes back to the host's mounts. Returns
// the id of the jail whose hook we are, or an empty string. Fails where no way back is found.
Result<std::string> leave_view(const Facts& facts, const std::string& run);

// Asks process 1 over RUN/ID/control; `word` is "persist" or "nopersist". Yields its answer ("ok",
// "leaving").
Result<std::string> ask_process1(const std::string& run, const std::string& id,
                                 const std::string& word);

// Sets host name or NIS domain name in the uts namespace of a process.
Result<void> set_names(int process1, const std::string* host_name, const std::string* domain_name);

// The host name and domain name that the processes of a jail see now.
struct HostNames {
  std::string host, domain;
};

// Reads those of jails, one after another; this process is in a foreign uts namespace until it
// ends.
class NamesVisit {
 public:
  NamesVisit();
  ~NamesVisit();
  NamesVisit(const NamesVisit&) = delete;
  NamesVisit& operator=(const NamesVisit&) = delete;
  // By the pidfd of a process 1. Only root may look: nothing for others.
  std::optional<HostNames> read(int process1);

 private:
  Fd home_;
  bool away_ = false;
};

// The namespace file of a process that jls shows as netns.
std::string netns_path(pid_t pid);

}  // namespace jail
