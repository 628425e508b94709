#include "os/linux/boot.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/table.h"
#include "os/kernel.h"
#include "os/linux/abi.h"
#include "os/linux/proc.h"
#include "os/linux/space.h"
#include "os/mount.h"
#include "os/privileges.h"

namespace jail {

namespace {

// Where process 1 finds what it is handed (init/main.cc).
constexpr int control_fd = 3, events_fd = 4;

// All that process 1 needs, open before it is born.
struct Inheritance {
  Fd program;  // jinit, on a detached read-only mount: a jail never holds a writable way to the
               // host's file (L4)
  Fd control;  // listens on RUN/ID/control
  Fd events;   // cgroup.events of ID/jail/run: says when the last other process has gone
  Fd nothing;  // /dev/null
  Fd net, uts, cgroup, pid, ipc;  // namespaces to enter, where there is a descriptor
  Fd group;                       // to be born in
};

// jinit lies beside the running program (a build tree) or where `make install` puts it. Not
// searched in PATH, and not by a name from the environment: it runs as root in every jail.
Result<Fd> open_program() {
  char self[4096];
  ssize_t size = sys::readlinkat(AT_FDCWD, "/proc/self/exe", self, sizeof self);
  std::string directory(self, size > 0 ? static_cast<size_t>(size) : 0);
  directory.resize(directory.rfind('/') == std::string::npos ? 0 : directory.rfind('/'));
  for (const char* place : {"/jinit", "/../libexec/cellblock/jinit"}) {
    Fd tree(
        sys::open_tree(AT_FDCWD, (directory + place).c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    if (!tree && errno == ENOENT) continue;
    if (!tree) return fail_errno("jinit");
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;
    attributes.propagation = MS_PRIVATE;
    if (sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes) != 0)
      return fail_errno("jinit");
    return tree;
  }
  return fail(ENOENT, "jinit: not found beside this program");
}

Result<Fd> listen_control(const World& world) {
  Fd directory = TRY(open_at(AT_FDCWD, world.run + "/" + world.id, O_PATH | O_DIRECTORY));
  // One of an earlier boot, or of a start that was killed, is in the way of bind(2).
  sys::unlinkat(directory.get(), "control", 0);
  Fd listener(sys::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return fail_errno("control socket");
  // By descriptor: a path may be longer than a socket address holds.
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/control",
                   directory.get());
  const mode_t before = umask(077);  // the socket is root's to talk to
  const int bound = sys::bind(listener.get(), &address);
  umask(before);
  if (bound != 0 || sys::listen(listener.get(), 64) != 0) return fail_errno("control socket");
  return listener;
}

// Before the view is entered: /dev/null, the groups and RUN are to be the host's, and a jail's
// mounts may hide any of them there.
Result<Inheritance> prepare(World& world, const Op& op) {
  Inheritance all;
  all.program = TRY(open_program());
  all.control = TRY(listen_control(world));
  all.group = TRY(open_group(world.facts, world.group + "/jail/init"));
  Fd run = TRY(open_group(world.facts, world.group + "/jail/run"));
  all.events = TRY(open_at(run.get(), "cgroup.events", O_RDONLY));
  all.nothing = TRY(open_at(AT_FDCWD, "/dev/null", O_RDWR));
  if (op.args[1].starts_with('/')) all.pid = TRY(open_at(AT_FDCWD, op.args[1], O_RDONLY));
  if (op.args[2].starts_with('/')) all.ipc = TRY(open_at(AT_FDCWD, op.args[2], O_RDONLY));
  return all;
}

// --- inside: from here to exec everything runs in the child and nothing returns to the engine's
// code ---

Result<void> enter(const Fd& name_space, int kind, const char* noun) {
  if (name_space && sys::setns(name_space.get(), kind) != 0) return fail_errno(noun);
  return {};
}

// root PATH: this copy of the view becomes a slave of it, and a bind of PATH on a directory of the
// pins the new root: so pivoting works for every path, "/" included (L2).
Result<void> do_root(World& world, const Words& args) {
  std::string root = pins_of(world.run) + "/root";
  if (sys::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return fail_errno("/");
  Fd tree = TRY(clone_root(world, TRY(open_own_root(world))));
  if (sys::move_mount(tree.get(), "", AT_FDCWD, root.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
    return fail_errno(args[0]);
  if (sys::chdir(root.c_str()) != 0 || sys::pivot_root(".", ".") != 0) return fail_errno(args[0]);
  if (sys::umount2(".", MNT_DETACH) != 0 || sys::chdir("/") != 0) return fail_errno(args[0]);
  return {};
}

// mount TYPE SOURCE POINT OPTIONS, of the kinds that belong to this boot's namespaces.
Result<void> do_mount(World& /*world*/, const Words& args) {
  return mount_words("/", {args[0], args[1], args[2], args[3]});
}

// proc POINT OPTIONS STACK: with a network stack of its "own", the jail may write its
// /proc/sys/net.
Result<void> do_proc(World& /*world*/, const Words& args) {
  return mount_proc("/", {"proc", "proc", args[0], args[1]}, args[2] == "own");
}

// names HOST DOMAIN
Result<void> do_names(World& /*world*/, const Words& args) {
  if (sys::sethostname(args[0].data(), args[0].size()) != 0) return fail_errno("host.hostname");
  if (sys::setdomainname(args[1].data(), args[1].size()) != 0) return fail_errno("host.domainname");
  return {};
}

Result<void> do_privileges(World& /*world*/, const Words& args) {
  return drop_privileges(args);
}

// The acts of a boot are no Verbs: they are neither noted nor undone, for they die with process 1.
struct BootVerb {
  const char* name;
  size_t least;  // words
  Result<void> (*act)(World&, const Words&);
};
constexpr BootVerb boot_verbs[] = {{"root", 1, do_root},
                                   {"mount", 4, do_mount},
                                   {"proc", 3, do_proc},
                                   {"names", 2, do_names},
                                   {"privileges", 0, do_privileges}};

// Namespaces first: a new proc, mqueue or devpts shows those that its mounter is in. Privileges
// come last in world.boot, when nothing is left that needs them.
Result<void> become_jail(World& world, const Inheritance& all) {
  if (sys::setsid() < 0) return fail_errno("setsid");
  umask(022);
  TRY(enter(all.net, CLONE_NEWNET, "network namespace"));
  TRY(enter(all.uts, CLONE_NEWUTS, "uts namespace"));
  TRY(enter(all.cgroup, CLONE_NEWCGROUP, "cgroup namespace"));
  TRY(enter(all.ipc, CLONE_NEWIPC, "ipc namespace"));
  for (const Op& op : world.boot) {
    const BootVerb* verb = find_row(std::span<const BootVerb>(boot_verbs), op.verb);
    if (!verb || op.args.size() < verb->least)
      return fail(EINVAL, op.verb + ": not an act of a boot");
    TRY(verb->act(world, op.args));
  }
  return {};
}

Result<void> execute(const Inheritance& all, int pipe) {
  // Descriptors 0 to 4 in their places, the pipe and the program above them, nothing else. All are
  // moved out of the way first: any of them may have the number that another one wants.
  int program = sys::fcntl(all.program.get(), F_DUPFD_CLOEXEC, 10);
  int report = sys::fcntl(pipe, F_DUPFD_CLOEXEC, 10);
  int control = sys::fcntl(all.control.get(), F_DUPFD_CLOEXEC, 10);
  int events = sys::fcntl(all.events.get(), F_DUPFD_CLOEXEC, 10);
  if (program < 0 || report < 0 || control < 0 || events < 0) return fail_errno("descriptors");
  for (int fd : {0, 1, 2})
    if (sys::dup2(all.nothing.get(), fd) < 0) return fail_errno("descriptors");
  if (sys::dup2(control, control_fd) < 0 || sys::dup2(events, events_fd) < 0)
    return fail_errno("descriptors");
  if (sys::close_range(events_fd + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    return fail_errno("descriptors");
  char name[] = "jinit", word[] = "--jail",
       path[] = "PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";
  char* arguments[] = {name, word, nullptr};
  char* environment[] = {path, nullptr};
  sys::execveat(program, "", arguments, environment, AT_EMPTY_PATH);
  return fail_errno("jinit");
}

// All signals as at birth: what jail(8) blocks or ignores is not process 1's business.
void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void be_process1(World& world, const Inheritance& all, int pipe) {
  // Until exec this is jail(8), with the host's descriptors and memory: nobody in there may trace
  // it.
  sys::prctl(PR_SET_DUMPABLE, 0);
  reset_signals();
  Result<void> done = become_jail(world, all);
  if (done) done = execute(all, pipe);
  std::string report = fmt::format("{} {}", done.error().code, done.error().text);
  ignore(write_all(pipe, report), "nobody is left to hear it");
  _exit(1);
}

// --- the engine's side again ---

Result<pid_t> bear(World& world, const Op& op, const Inheritance& all, int pipe, int* pidfd) {
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP | CLONE_NEWNS | CLONE_PIDFD;
  if (op.args[1] == "new") arguments.flags |= CLONE_NEWPID;
  if (op.args[2] == "new") arguments.flags |= CLONE_NEWIPC;
  arguments.exit_signal = SIGCHLD;
  arguments.pidfd = reinterpret_cast<uint64_t>(pidfd);
  arguments.cgroup = static_cast<uint64_t>(all.group.get());
  pid_t pid = sys::clone3(&arguments);
  if (pid == 0) be_process1(world, all, pipe);
  if (pid < 0) return fail_errno("clone3");
  return pid;
}

// What the child wrote before it gave up, or success where it executed.
Result<void> hear(int pipe) {
  std::string report = TRY(read_all(pipe, 65536));
  if (report.empty()) return {};
  size_t blank = report.find(' ');
  int64_t code = parse_int(report.substr(0, blank)).value_or(EIO);
  return fail(static_cast<int>(code),
              blank == std::string::npos ? report : report.substr(blank + 1));
}

}  // namespace

// The clone is made in the view, so that the child's copy of the mounts is one of the view's.
Result<Words> apply_boot(World& world, const Op& op) {
  Inheritance all = TRY(prepare(world, op));
  int ends[2];
  if (sys::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("pipe");
  Fd reads(ends[0]), writes(ends[1]);
  int pidfd = -1;
  Excursion visit = TRY(visit_view(world.run, world.id));
  TRY(bind_root(world));
  for (auto [kind, place] :
       {std::pair{"net", &all.net}, {"uts", &all.uts}, {"cgroup", &all.cgroup}}) {
    Result<Fd> found = open_at(AT_FDCWD, pins_of(world.run) + "/" + kind, O_RDONLY);
    if (!found && found.error().code != ENOENT) return std::unexpected(std::move(found.error()));
    if (found) *place = std::move(*found);
  }
  Result<pid_t> pid = bear(world, op, all, writes.get(), &pidfd);
  visit.leave();
  if (!pid) return std::unexpected(std::move(pid.error()));
  Fd process1(pidfd);
  writes.reset();
  // The last to close a detached mount waits for its end: that is process 1, when it executes.
  all.program.reset();
  Result<void> heard = hear(reads.get());
  if (!heard) {
    // Where not even its report could be read, it may be well: it would not end by itself.
    ignore(signal_process(process1.get(), SIGKILL), "it has ended");
    while (sys::waitpid(*pid, nullptr, 0) < 0 && errno == EINTR) continue;
    return std::unexpected(std::move(heard.error()));
  }
  return Words{fmt::format("{}", *pid), fmt::format("{}", TRY(start_time(*pid)))};
}

// Process 1 ends last in its pid namespace: the kernel waits for all others. Its number tells
// kill_group() whose end to wait for; where a crash came before it was noted, the group is enough.
Result<void> undo_boot(World& world, const Op& /*op*/) {
  auto boot = world.yields.find("boot");
  const bool known = boot != world.yields.end() && !boot->second.empty();
  const int64_t process1 = known ? parse_int(boot->second[0]).value_or(0) : 0;
  TRY(kill_group(world.facts, world.group, static_cast<pid_t>(process1)));
  std::string control = world.run + "/" + world.id + "/control";
  if (sys::unlinkat(AT_FDCWD, control.c_str(), 0) != 0 && errno != ENOENT)
    return fail_errno(control);
  return {};
}

}  // namespace jail
