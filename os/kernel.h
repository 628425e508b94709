// A running jail as the kernel knows it, and the places on the host that all jails share. Nothing
// here is undone by the ledger: these are looks, signals, and the two shared places (the pins'
// mount, the group's base) that the registry makes with the first jail and drops with the last,
// under its lock.
//
// Times are milliseconds. Groups are named by their path below the v2 mount ("cellblock/5d1f09c2");
// where Facts knows of no such mount, what names one fails with ENOTSUP ("cgroup v2: not mounted on
// this host"). `run` is CELLBLOCK_RUN, `id` a jail's id.
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

// When a process was started, in clock ticks since boot (proc_pid_stat(5), field 22); also that of
// a zombie. ESRCH if there is none. Error: "process N: strerror".
Result<uint64_t> start_time(pid_t pid);

// Sends a signal to the process behind a pidfd; one that has ended is a success.
Result<void> signal_process(int pidfd, int signal);

// Waits until the process behind a pidfd has ended, at most `timeout` ms (-1: for ever), or until
// `stop_fd` (if not -1) is readable: ECANCELED. False: out of time.
Result<bool> await_end(int pidfd, int timeout, int stop_fd);

// Blocks `signals` and yields a descriptor that is readable while one of them is pending. Children
// by fork inherit both, and there the descriptor tells of the child's own signals (signalfd(2)). On
// an error they may be blocked all the same.
Result<Fd> open_signals(const sigset_t& signals);
// The number of one such signal, taken; 0 if none is pending. Never waits.
int read_signal(int fd);

// A pidfd for it, or for any other process known by number and start time. ESRCH if it has ended
// (also where it is a zombie, or another process has its number by now). Any other error: it cannot
// be told.
Result<Fd> open_process1(const Process1& process1);

// The processes of a group and of all below it but those in directories named in `except` (at any
// depth), as the host numbers them. A group that is gone is empty. A moment's truth: members may
// fork while we look.
Result<std::vector<pid_t>> group_members(const Facts& facts, const std::string& group,
                                         const Words& except);

// Opens the directory of a group, for clone3(2) or a look. ENOENT if there is none.
Result<Fd> open_group(const Facts& facts, const std::string& group);

// Makes a group (and what is missing above it). One that is there is a success.
Result<void> make_group(const Facts& facts, const std::string& group);

// Ends every process in a group and below it (also frozen ones) by SIGKILL (cgroup.kill) and waits
// until it is empty: ETIMEDOUT after 10 s in which nothing ended. A group that is gone is a
// success. `known`: one of its processes, for a caller that knows which will be the last; otherwise
// one is looked for. Error: "group GROUP: ...".
Result<void> kill_group(const Facts& facts, const std::string& group, pid_t known = 0);

// Removes a group with all below it. EBUSY if there are processes left; what was empty below it may
// be gone then. One that is gone is a success. Error: "group: NAME: strerror".
Result<void> remove_group(const Facts& facts, const std::string& group);

// Removes the groups of hooks ("ID.hook") directly below `base` that have no process and whose
// jail's id is not in `spared` (sorted), and then the base if it is empty: a daemon that a hook
// left behind keeps its group. Says nothing: what cannot be removed stays for the next time.
void sweep_groups(const Facts& facts, const std::string& base, const Words& spared);

// This process gets SIGTERM when its parent ends (PR_SET_PDEATHSIG; the parent's thread, in truth,
// but there is one). A parent that has ended before is not noticed.
void follow_parent();

// Mounts the private tmpfs of the pins at RUN/pins, if it is not there (L1.2, L1.4b). On failure
// nothing is mounted; the directory may be there. Error: "PATH: strerror".
Result<void> make_pins(const std::string& run);
// Takes it away, if no pin is in it any more: a pin is a mount, which makes it busy. Says nothing.
void drop_pins(const std::string& run);

// The mount namespace of a jail's view, for hooks. ENOENT: it has none. A pin that is not mounted
// (yet) opens as a plain file, which setns(2) refuses with EINVAL.
Result<Fd> open_view(const std::string& run, const std::string& id);

// The network stack of a jail that has one of its own, pinned in its view. ENOENT: it has none, or
// is gone.
Result<Fd> open_stack(const std::string& run, const std::string& id);

// If this process runs in a jail's view (a hook called us), goes back to the host's mounts, root
// and, if it is there too, working directory, by way of the nearest ancestor outside (L1.4c).
// Yields the id of the jail whose hook we are, or an empty string; we are known by the group that
// we run in. ESRCH where no way back is found.
Result<std::string> leave_view(const Facts& facts, const std::string& run);

// Whether a process 1 that is known to be there executes a program still: one that is about to end
// closes what it has open after that is over. When in doubt, it does.
bool runs(const Process1& process1);

// Whether process 1 catches or blocks a signal. The kernel drops one with which it does neither
// (pid_namespaces(7)). No also where there is none.
bool heeds(const Process1& process1, int signal);

// Calls process 1 over RUN/ID/control with a request; the answers come as packets over the socket,
// whose end is that of the conversation, or of process 1. Errors as ask_process1.
Result<Fd> call_process1(const std::string& run, const std::string& id, const std::string& word);

// Asks process 1 over RUN/ID/control; `word` is "persist" or "nopersist". Yields its answer ("ok";
// "leaving": nothing keeps the jail and its end has begun; "unknown": no such word). ETIMEDOUT
// after 10 s, EPIPE or ECONNREFUSED where process 1 is gone; it may have heard the word all the
// same.
Result<std::string> ask_process1(const std::string& run, const std::string& id,
                                 const std::string& word);

// Sets host name or NIS domain name (nullptr: neither) in the uts namespace of the process behind a
// pidfd. Error: "PARAMETER: strerror"; the host name may be set when the domain name fails. This
// process is back in its own namespace in any case, or the program ends.
Result<void> set_names(int process1, const std::string* host_name, const std::string* domain_name);

// The host name and domain name that the processes of a jail see now.
struct HostNames {
  std::string host, domain;
};

// Reads those of jails, one after another; this process is in a foreign uts namespace until the
// visit goes out of scope. (One way back for all jails: jls(8) looks at hundreds.)
class NamesVisit {
 public:
  NamesVisit();
  ~NamesVisit();
  NamesVisit(const NamesVisit&) = delete;
  NamesVisit& operator=(const NamesVisit&) = delete;
  // By the pidfd of a process 1. Nothing for others than root, who may not look, and for a jail
  // that has ended.
  std::optional<HostNames> read(int process1);

 private:
  Fd home_;
  bool away_ = false;
};

// The network namespace of a process as a path that setns(2) takes, which jls shows as netns. Text
// only: whether the process lives is not looked at.
std::string netns_path(pid_t pid);

}  // namespace jail
