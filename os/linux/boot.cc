#include "os/linux/boot.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/un.h>

#include "base/file.h"
#include "base/table.h"
#include "os/handed.h"
#include "os/kernel.h"
#include "os/linux/abi.h"
#include "os/linux/proc.h"
#include "os/linux/space.h"
#include "os/linux/wardens.h"
#include "os/mount.h"
#include "os/privileges.h"
#include "os/terminal.h"

namespace jail {

namespace {

// Who waits for process 1: the process that makes it, or that one's own parent.
enum class Parent : unsigned char { engine, warden };

// All that process 1 needs, open before it is born.
struct Inheritance {
  Fd program;  // jinit, on a detached read-only mount: a jail never holds a writable way to the
               // host's file (L4)
  Kept kept;
  Fd socket;                      // RUN/ID/control itself, to be shown inside
  Fd nothing;                     // /dev/null
  Fd net, uts, cgroup, pid, ipc;  // namespaces to enter, where there is a descriptor
  Fd group;                       // to be born in
};

}  // namespace

Result<std::string> own_path() {
  char path[4096];
  const ssize_t size = sys::readlinkat(AT_FDCWD, "/proc/self/exe", path, sizeof path);
  if (size <= 0 || static_cast<size_t>(size) == sizeof path || path[0] != '/')
    return fail_errno("/proc/self/exe");
  return std::string(path, static_cast<size_t>(size));
}

// jinit lies beside the running program (a build tree) or where `make install` puts it. Not
// searched in PATH, and not by a name from the environment: it runs as root in every jail.
Result<Fd> open_program() {
  std::string directory = TRY(own_path());
  directory.resize(directory.rfind('/'));
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

void reset_signals() {
  // Also those that the C library keeps for itself: whoever started us may have ignored them.
  constexpr size_t size_of_action = 32, size_of_set = 8;
  const char standard[size_of_action] = {};
  for (int signal = 1; signal < NSIG; ++signal) sys::rt_sigaction(signal, standard, size_of_set);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
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

namespace {

// The group of all others, in which process 1 gives birth: as a mount of its own, for a plain
// directory leads out of it by `..` (L6).
Result<Fd> clone_group(const Fd& run) {
  Fd tree(sys::open_tree(run.get(), "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  attributes.propagation = MS_PRIVATE;
  if (!tree || sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes) != 0)
    return fail_errno("group");
  return tree;
}

const Op* find_boot_op(const World& world, std::string_view verb) {
  auto it = std::ranges::find(world.boot, verb, &Op::verb);
  return it == world.boot.end() ? nullptr : &*it;
}

// What this process was handed for the next process 1 by the warden that started it. A number that
// was not may be that of something else that we have opened since.
Result<Kept> take_handed() {
  Kept kept;
  for (int number : {handed::control, handed::console, handed::ring, handed::link, handed::warden})
    if (is_handed(number))
      kept[static_cast<size_t>(number)].reset(
          sys::fcntl(number, F_DUPFD_CLOEXEC, handed::last + 1));
  if (!kept[handed::control]) return fail_errno("control socket", EBADF);
  return kept;
}

// Before the view is entered: /dev/null, the groups and RUN are to be the host's, and a jail's
// mounts may hide any of them there.
Result<Inheritance> prepare(World& world, const Op& op, Kept kept) {
  Inheritance all;
  all.program = TRY(open_program());
  all.kept = std::move(kept);
  all.group = TRY(open_group(world.facts, world.group + "/jail/init"));
  Fd run = TRY(open_group(world.facts, world.group + "/jail/run"));
  all.kept[handed::events] = TRY(open_at(run.get(), "cgroup.events", O_RDONLY));
  if (find_boot_op(world, "init")) {
    all.kept[handed::group] = TRY(clone_group(run));
    const std::string socket = world.run + "/" + world.id + "/control";
    all.socket.reset(sys::open_tree(AT_FDCWD, socket.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    if (!all.socket) return fail_errno(socket);
  }
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
Result<void> do_root(World& world, const Inheritance& /*all*/, const Words& args) {
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
Result<void> do_mount(World& /*world*/, const Inheritance& /*all*/, const Words& args) {
  return mount_words("/", {args[0], args[1], args[2], args[3]});
}

// proc POINT OPTIONS STACK: with a network stack of its "own", the jail may write its
// /proc/sys/net.
Result<void> do_proc(World& /*world*/, const Inheritance& /*all*/, const Words& args) {
  return mount_proc("/", {"proc", "proc", args[0], args[1]}, args[2] == "own");
}

// names HOST DOMAIN
Result<void> do_names(World& /*world*/, const Inheritance& /*all*/, const Words& args) {
  if (sys::sethostname(args[0].data(), args[0].size()) != 0) return fail_errno("host.hostname");
  if (sys::setdomainname(args[1].data(), args[1].size()) != 0) return fail_errno("host.domainname");
  return {};
}

Result<void> do_privileges(World& /*world*/, const Inheritance& /*all*/, const Words& args) {
  return drop_privileges(args);
}

bool is_directory(const char* path) {
  struct stat status;
  return sys::fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

// system WHO: what an init expects to find, where the jail has a place for it, and the socket by
// which it is spoken to from inside. The groups are only to be read: whoever could move a process
// out of ID/jail/run would hide it from a stop. But a "program" keeps its own, as systemd must: its
// stop ends the whole of ID/jail.
Result<void> do_system(World& /*world*/, const Inheritance& all, const Words& args) {
  const bool program = args[0] == "program";
  const MountWords mounts[] = {{"sysfs", "sysfs", "/sys", "ro"},
                               {"cgroup2", "cgroup2", "/sys/fs/cgroup",
                                program ? "nosuid,nodev,noexec" : "ro,nosuid,nodev,noexec"},
                               {"tmpfs", "run", "/run", "mode=755,nosuid,nodev"}};
  for (const MountWords& words : mounts)
    if (is_directory(words.point.c_str())) TRY(mount_words("/", words));
  if (!is_directory("/run")) return {};
  if (program) {  // Debian's systemd mounts it where it is missing, and ends where it may not
    TRY(make_directories("/run/lock", 01777));
    return mount_words("/", {"tmpfs", "lock", "/run/lock", "mode=1777,nosuid,nodev,noexec"});
  }
  if (!all.socket) return {};
  constexpr const char* control = "/run/jinit/control";
  TRY(make_directories("/run/jinit", 0755));
  TRY(open_at(AT_FDCWD, control, O_CREAT | O_EXCL | O_RDONLY, 0600));
  if (sys::move_mount(all.socket.get(), "", AT_FDCWD, control, MOVE_MOUNT_F_EMPTY_PATH) != 0)
    return fail_errno(control);
  return {};
}

// init WORDS: settings for jinit (init/settings.h), which come behind --jail.
Result<void> do_init(World& /*world*/, const Inheritance& /*all*/, const Words& /*args*/) {
  return {};
}

// The acts of a boot are no Verbs: they are neither noted nor undone, for they die with process 1.
struct BootVerb {
  const char* name;
  size_t least;  // words
  Result<void> (*act)(World&, const Inheritance&, const Words&);
};
constexpr BootVerb boot_verbs[] = {
    {"root", 1, do_root},   {"mount", 4, do_mount},           {"proc", 3, do_proc},
    {"names", 2, do_names}, {"privileges", 0, do_privileges}, {"system", 1, do_system},
    {"init", 0, do_init}};

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
    TRY(verb->act(world, all, op.args));
  }
  return {};
}

// Everything in its place, the pipe and the program above it, nothing else.
Result<int> place(const Inheritance& all, int pipe, int* report) {
  const int moved = sys::fcntl(pipe, F_DUPFD_CLOEXEC, handed::last + 1);
  if (moved < 0) return fail_errno("descriptors");
  *report = moved;  // not before: a failure without a report would be taken for a success
  const int program = sys::fcntl(all.program.get(), F_DUPFD_CLOEXEC, handed::last + 1);
  if (program < 0) return fail_errno("descriptors");
  std::array<int, handed::last + 1> above{};
  for (size_t number = 0; number < above.size(); ++number) {
    const int fd = number < 3 ? all.nothing.get() : all.kept[number].get();
    above[number] = fd < 0 ? -1 : sys::fcntl(fd, F_DUPFD_CLOEXEC, handed::last + 1);
    if (fd >= 0 && above[number] < 0) return fail_errno("descriptors");
  }
  for (size_t number = 0; number < above.size(); ++number) {
    const auto to = static_cast<unsigned>(number);
    if (above[number] < 0 ? sys::close_range(to, to, 0) != 0
                          : sys::dup2(above[number], static_cast<int>(to)) < 0)
      return fail_errno("descriptors");
  }
  if (sys::close_range(handed::last + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    return fail_errno("descriptors");
  return program;
}

Result<void> execute(const World& world, const Inheritance& all, int* pipe) {
  const int program = TRY(place(all, *pipe, pipe));
  char path[] = "PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";
  Words words{"jinit", "--jail"};
  if (const Op* init = find_boot_op(world, "init"))
    words.insert(words.end(), init->args.begin(), init->args.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  char* environment[] = {path, nullptr};
  sys::execveat(program, "", arguments.data(), environment, AT_EMPTY_PATH);
  return fail_errno("jinit");
}

[[noreturn]] void be_process1(World& world, const Inheritance& all, int pipe) {
  // Until exec this is jail(8), with the host's descriptors and memory: nobody in there may trace
  // it.
  sys::prctl(PR_SET_DUMPABLE, 0);
  reset_signals();
  Result<void> done = become_jail(world, all);
  if (done) done = execute(world, all, &pipe);
  std::string report = fmt::format("{} {}", done.error().code, done.error().text);
  ignore(write_all(pipe, report), "nobody is left to hear it");
  _exit(1);
}

// --- the engine's side again ---

Result<pid_t> bear(World& world, const Op& op, const Inheritance& all, Parent parent, int pipe,
                   int* pidfd) {
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP | CLONE_NEWNS | CLONE_PIDFD;
  if (op.args[1] == "new") arguments.flags |= CLONE_NEWPID;
  if (op.args[2] == "new") arguments.flags |= CLONE_NEWIPC;
  if (parent == Parent::warden)
    arguments.flags |= CLONE_PARENT;  // whoever started us is to hear of its end
  else
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

// The clone is made in the view, so that the child's copy of the mounts is one of the view's.
Result<Words> make_process1(World& world, const Op& op, Kept kept, Parent parent) {
  Inheritance all = TRY(prepare(world, op, std::move(kept)));
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
  Result<pid_t> pid = bear(world, op, all, parent, writes.get(), &pidfd);
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
    ignore(await_end(process1.get(), -1, -1), "its parent, who may be a warden, reaps it");
    sys::waitpid(*pid, nullptr, WNOHANG);
    return std::unexpected(std::move(heard.error()));
  }
  return Words{fmt::format("{}", *pid), fmt::format("{}", TRY(start_time(*pid)))};
}

}  // namespace

Result<Words> apply_boot(World& world, const Op& op) {
  if (world.warden) return ask_warden_to_boot(world, op);
  Kept kept;
  kept[handed::control] = TRY(listen_control(world));
  return bear_process1(world, op, std::move(kept));
}

Result<Words> bear_process1(World& world, const Op& op, Kept kept) {
  return make_process1(world, op, std::move(kept), Parent::engine);
}

Result<Words> boot_for_warden(World& world, const Op& op) {
  return make_process1(world, op, TRY(take_handed()), Parent::warden);
}

// Process 1 ends last in its pid namespace: the kernel waits for all others. Its number tells
// kill_group() whose end to wait for; where a crash came before it was noted, the group is enough.
Result<void> undo_boot(World& world, const Op& /*op*/) {
  auto boot = world.yields.find("boot");
  const bool known = boot != world.yields.end() && !boot->second.empty();
  const int64_t process1 = known ? parse_int(boot->second[0]).value_or(0) : 0;
  TRY(kill_group(world.facts, world.group, static_cast<pid_t>(process1)));
  if (world.yields.contains("warden")) return {};  // the next process 1 listens there too
  std::string control = world.run + "/" + world.id + "/control";
  if (sys::unlinkat(AT_FDCWD, control.c_str(), 0) != 0 && errno != ENOENT)
    return fail_errno(control);
  return {};
}

}  // namespace jail
