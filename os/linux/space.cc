#include "os/linux/space.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "os/kernel.h"
#include "os/linux/abi.h"
#include "os/linux/tree.h"
#include "os/net.h"
#include "os/root.h"

namespace jail {

namespace {

Result<void> set_propagation(const char* path, unsigned long propagation) {
  if (sys::mount(nullptr, path, nullptr, propagation, nullptr) != 0) return fail_errno(path);
  return {};
}

// The jail's root becomes a mount of its own, shared, so that what is mounted below it from now on
// reaches the jail and never the host; and without devices: those come from a devfs, as on FreeBSD.
// For "/" the whole view is the root.
Result<void> bind_now(const World& world) {
  if (world.path == "/") return set_propagation("/", MS_REC | MS_SHARED);
  Fd root = TRY(open_own_root(world));
  Fd tree = TRY(clone_root(world, root));
  mount_attr no_devices{}, shared{};
  no_devices.attr_set = MOUNT_ATTR_NODEV;
  shared.propagation = MS_SHARED;
  if (sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &no_devices) != 0 ||
      sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &shared) != 0)
    return fail_errno(world.path);
  return in(world.path, attach(tree, root));
}

std::string bound_mark(const World& world) {
  return pins_of(world.run) + "/bound";
}

// A private tmpfs over RUN/pins, which hides the pins of the host: empty files here. Those of a
// view above are namespaces, which this one would keep alive: they have to go first.
Result<void> mount_inner_pins(const std::string& pins, bool nested) {
  if (nested && sys::umount2(pins.c_str(), MNT_DETACH) != 0) return fail_errno(pins);
  if (sys::mount("cellblock", pins.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                 "mode=700,size=64k") != 0)
    return fail_errno(pins);
  TRY(set_propagation(pins.c_str(), MS_PRIVATE));
  if (sys::mkdirat(AT_FDCWD, (pins + "/root").c_str(), 0700) != 0)
    return fail_errno(pins + "/root");
  return {};
}

// Makes the view, from inside the mount namespace that it is to be a slave of, and yields it by
// descriptor.
Result<Fd> make_view(const World& world) {
  if (sys::unshare(CLONE_NEWNS) != 0) return fail_errno("new mount namespace");
  TRY(set_propagation("/", MS_REC | MS_SLAVE));
  TRY(mount_inner_pins(pins_of(world.run), !world.view_of.empty()));
  struct stat root;
  if (sys::fstatat(AT_FDCWD, world.path.c_str(), &root, 0) == 0 && S_ISDIR(root.st_mode))
    TRY(bind_root(world));
  return open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY);
}

Result<void> try_pin(const World& world, const std::string& pin) {
  Excursion visit = TRY(Excursion::begin());
  if (!world.view_of.empty()) TRY(visit.enter(TRY(open_view(world.run, world.view_of)).get()));
  Fd view = TRY(make_view(world));
  visit.leave();
  if (sys::mount(fd_path(view).c_str(), pin.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return fail_errno("pin");
  return {};
}

// A namespace can only be pinned in an older one, and ages are given out per processor: where we
// run in a mount namespace that is not the machine's first, EINVAL comes at random, and another
// processor may do better (L1.4a).
Result<void> pin_view(const World& world, const std::string& pin) {
  Result<void> pinned = try_pin(world, pin);
  if (pinned || pinned.error().code != EINVAL) return pinned;
  cpu_set_t allowed;
  if (sys::sched_getaffinity(&allowed) != 0) return fail_errno("sched_getaffinity");
  for (int attempt = 0; attempt < 8; ++attempt) {
    for (int cpu = 0; cpu < CPU_SETSIZE && !pinned && pinned.error().code == EINVAL; ++cpu) {
      if (!CPU_ISSET(cpu, &allowed)) continue;
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      if (sys::sched_setaffinity(&one) == 0) pinned = try_pin(world, pin);
    }
  }
  if (sys::sched_setaffinity(&allowed) != 0) return fail_errno("sched_setaffinity");
  return pinned;
}

bool is_pinned(const std::string& pin) {
  struct statfs file_system;
  return sys::statfs(pin.c_str(), &file_system) == 0 && file_system.f_type == NSFS_MAGIC;
}

// Takes the jail's mounts and the inner pins down in the view itself: a daemon that a hook left
// there would otherwise keep them, and with them the namespaces, alive after the unpin (L1.4d).
// Without a group of hooks none has been run there. Best effort: the unpin is what counts.
void empty_view(const World& world) {
  if (!open_group(world.facts, fmt::format("{}/{}.hook", world.base, world.id))) return;
  Result<Excursion> visit = visit_view(world.run, world.id);
  if (!visit) return;
  if (world.path != "/") sys::umount2(world.path.c_str(), MNT_DETACH);
  sys::umount2(pins_of(world.run).c_str(), MNT_DETACH);
}

// The pins inside a view, in the order of the words of `namespaces`.
constexpr const char* kinds[] = {"net", "uts", "cgroup"};

// The child that is born in the group whose cgroup namespace is wanted, and makes a uts namespace
// that belongs to a user namespace of its own: uid 0 may set its host name without any capability
// on the host (L5). It lives until the parent has taken hold of both and closed the socket.
[[noreturn]] void be_helper(bool owned, int socket) {
  char word = owned && sys::unshare(CLONE_NEWUSER | CLONE_NEWUTS) != 0 ? '!' : '.';
  ssize_t size = sys::write(socket, &word, 1);
  if (size == 1) size = sys::read(socket, &word, 1);
  _exit(size == 0 ? 0 : 1);
}

// New uts and cgroup namespaces, made by a child while its parent makes the network stack: the
// longest of a start's acts in the kernel. Its end is waited for when this goes out of scope.
class NamespaceHelper {
 public:
  NamespaceHelper() = default;
  NamespaceHelper(NamespaceHelper&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), socket_(std::move(other.socket_)) {}
  NamespaceHelper& operator=(NamespaceHelper&&) = delete;
  NamespaceHelper(const NamespaceHelper&) = delete;
  NamespaceHelper& operator=(const NamespaceHelper&) = delete;
  ~NamespaceHelper() {
    release();
    while (pid_ > 0 && sys::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  }

  // `uts` is "new", "owned" or anything else; nothing is begun where neither is wanted.
  static Result<NamespaceHelper> begin(const World& world, const std::string& uts, bool cgroup);
  // The namespace of that kind, once it is there.
  Result<Fd> find(const char* kind) {
    char word = '.';
    if (!ready_ && (sys::read(socket_.get(), &word, 1) != 1 || word != '.'))
      return fail(EPERM, "refused");
    ready_ = true;
    return open_at(AT_FDCWD, fmt::format("/proc/{}/ns/{}", pid_, kind), O_RDONLY);
  }
  // The child is not needed any more.
  void release() { socket_.reset(); }

 private:
  pid_t pid_ = 0;
  Fd socket_;
  bool ready_ = false;
};

Result<NamespaceHelper> NamespaceHelper::begin(const World& world, const std::string& uts,
                                               bool cgroup) {
  NamespaceHelper helper;
  if (uts != "new" && uts != "owned" && !cgroup) return helper;
  Fd group = TRY(open_group(world.facts, world.group + "/jail"));
  int sockets[2];
  if (sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
    return fail_errno("socketpair");
  helper.socket_ = Fd(sockets[0]);
  Fd theirs(sockets[1]);
  clone_args arguments{};
  arguments.flags =
      CLONE_INTO_CGROUP | (cgroup ? CLONE_NEWCGROUP : 0U) | (uts == "new" ? CLONE_NEWUTS : 0U);
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<uint64_t>(group.get());
  helper.pid_ = sys::clone3(&arguments);
  if (helper.pid_ < 0) return fail_errno("new uts and cgroup namespaces");
  if (helper.pid_ == 0) {
    helper.release();
    be_helper(uts == "owned", theirs.get());
  }
  return helper;
}

Result<Fd> make_net(bool loopback) {
  Fd home = TRY(open_at(AT_FDCWD, "/proc/self/ns/net", O_RDONLY));
  if (sys::unshare(CLONE_NEWNET) != 0) return fail_errno("new network namespace");
  Result<Fd> made = open_at(AT_FDCWD, "/proc/self/ns/net", O_RDONLY);
  Result<void> up = loopback ? loopback_up(-1) : Result<void>();
  return_home(home.get(), CLONE_NEWNET);
  if (!up) return std::unexpected(std::move(up.error()));
  return made;
}

// A namespace that exists already: the parent's, or one pinned at a path of the host. No
// descriptor: the host's.
Result<Fd> existing(const World& world, const char* kind, const std::string& how) {
  if (how == "parent" && !world.view_of.empty())
    return pinned_namespace(world.run, world.view_of, kind);
  if (how.starts_with('/')) return open_at(AT_FDCWD, how, O_RDONLY);
  return Fd();
}

Result<void> pin_inside(const std::string& pin, const Fd& name_space) {
  Fd file = TRY(open_at(AT_FDCWD, pin, O_CREAT | O_EXCL | O_RDONLY, 0600));
  if (sys::mount(fd_path(name_space).c_str(), pin.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return fail_errno(pin);
  return {};
}

}  // namespace

std::string pins_of(const std::string& run) {
  return run + "/pins";
}

Result<Excursion> visit_view(const std::string& run, const std::string& id) {
  Fd view = TRY(open_view(run, id));
  Excursion visit = TRY(Excursion::begin());
  TRY(visit.enter(view.get()));
  return visit;
}

Result<Fd> pinned_namespace(const std::string& run, const std::string& id,
                            const std::string& kind) {
  Excursion visit = TRY(visit_view(run, id));
  Result<Fd> found = open_at(AT_FDCWD, pins_of(run) + "/" + kind, O_RDONLY);
  if (!found && found.error().code == ENOENT) return Fd();
  return found;
}

Result<Fd> open_own_root(const World& world) {
  Fd root;
  if (!world.above.empty()) root = TRY(open_source(world.above, world.path));
  if (!root) root = TRY(open_root({world.path}));
  return root;
}

Result<Fd> clone_root(const World& world, const Fd& root) {
  Fd tree(sys::open_tree(root.get(), "",
                         AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!tree) return fail_errno(world.path);
  return tree;
}

Result<void> bind_root(const World& world) {
  Result<Fd> mark = open_at(AT_FDCWD, bound_mark(world), O_CREAT | O_EXCL | O_RDONLY, 0600);
  if (!mark)
    return mark.error().code == EEXIST ? Result<void>() : std::unexpected(std::move(mark.error()));
  return bind_now(world);
}

// One level after the other: the group of a parent that is gone by now must not come back.
Result<Words> apply_group(World& world, const Op& op) {
  TRY(make_group(world.facts, world.base));
  for (const char* part : {"", "/jail", "/jail/init", "/jail/run"}) {
    const std::string path = fmt::format("{}/{}{}", world.facts.groups, op.args[0], part);
    if (sys::mkdirat(AT_FDCWD, path.c_str(), 0755) != 0 && errno != EEXIST) return fail_errno(path);
  }
  return Words{};
}

Result<void> undo_group(World& world, const Op& op) {
  // Those that apply made, by name: a search is only for what the jail or a hook made below them.
  for (const char* leaf : {"/jail/run", "/jail/init", "/jail"})
    TRY(remove_group(world.facts, op.args[0] + leaf));
  return remove_group(world.facts, op.args[0]);
}

Result<Words> apply_view(World& world, const Op& /*op*/) {
  std::string pin = pins_of(world.run) + "/" + world.id;
  TRY(open_at(AT_FDCWD, pin, O_CREAT | O_RDONLY, 0600));
  TRY(in("view", pin_view(world, pin)));
  return Words{};
}

Result<void> undo_view(World& world, const Op& /*op*/) {
  std::string pin = pins_of(world.run) + "/" + world.id;
  if (is_pinned(pin)) {
    empty_view(world);
    if (sys::umount2(pin.c_str(), MNT_DETACH) != 0) return fail_errno(pin);
  }
  if (sys::unlinkat(AT_FDCWD, pin.c_str(), 0) != 0 && errno != ENOENT) return fail_errno(pin);
  return {};
}

// The helper is begun first and asked last: it works while we make the network stack. Nothing is
// pinned before all three are there.
Result<Words> apply_namespaces(World& world, const Op& op) {
  const std::string &net = op.args[0], &uts = op.args[1], &cgroup = op.args[2];
  NamespaceHelper helper = TRY(NamespaceHelper::begin(world, uts, cgroup == "new"));
  Fd made[3];
  for (size_t i = 0; i < 3; ++i) made[i] = TRY(in(kinds[i], existing(world, kinds[i], op.args[i])));
  if (net == "new" || net == "loopback") made[0] = TRY(make_net(net == "loopback"));
  for (size_t i : {1UZ, 2UZ})
    if (op.args[i] == "new" || op.args[i] == "owned")
      made[i] = TRY(in(fmt::format("new {} namespace", kinds[i]), helper.find(kinds[i])));
  helper.release();
  Excursion visit = TRY(visit_view(world.run, world.id));
  for (size_t i = 0; i < 3; ++i)
    if (made[i]) TRY(pin_inside(pins_of(world.run) + "/" + kinds[i], made[i]));
  return Words{};
}

}  // namespace jail
