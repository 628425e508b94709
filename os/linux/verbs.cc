// The acts of Linux, a row each.
#include "os/verbs.h"

#include <fmt/format.h>

#include "os/console.h"
#include "os/linux/abi.h"
#include "os/linux/boot.h"
#include "os/linux/space.h"
#include "os/linux/wardens.h"
#include "os/mount.h"
#include "os/root.h"
#include "os/world.h"

namespace jail {

namespace {

// mount PARAMETER TYPE SOURCE POINT OPTIONS: PARAMETER is the word of jail.conf it came from, for
// messages.
Result<Words> apply_mount(World& world, const Op& op) {
  char here[4096];
  const bool known = getcwd(here, sizeof here) != nullptr;
  Excursion visit = TRY(visit_view(world.run, world.id));
  // A relative source counts from our working directory, which entering the view has left.
  if (known && sys::chdir(here) != 0 && sys::chdir("/") != 0) return fail_errno("/");
  TRY(in(op.args[0], mount_words(world.path, {op.args[1], op.args[2], op.args[3], op.args[4]})));
  return Words{};
}

// devices PARAMETER POINT RULESET
Result<Words> apply_devices(World& world, const Op& op) {
  Excursion visit = TRY(visit_view(world.run, world.id));
  int ruleset = static_cast<int>(parse_int(op.args[2]).value_or(-1));
  TRY(in(op.args[0], make_devices(world.path, op.args[1], ruleset)));
  return Words{};
}

// union ROOT SOURCE POINT OPTIONS: the work directory on disk that a unionfs leaves behind; the
// mount itself is `mount`'s. After a loss of power it may be the last act that is known, so all
// that its undo needs is in it. Nothing is done ahead: the act is noted so that its undo comes,
// after the view's.
Result<Words> apply_union(World& /*world*/, const Op& /*op*/) {
  return Words{};
}

Result<void> undo_union(World& /*world*/, const Op& op) {
  return sweep_mount(op.args[0], {"unionfs", op.args[1], op.args[2], op.args[3]});
}

// console: the first terminal of the jail's own devpts, as /dev/console.
Result<Words> apply_console(World& world, const Op& /*op*/) {
  Excursion visit = TRY(visit_view(world.run, world.id));
  Fd root = TRY(open_own_root(world));
  Fd dev = TRY(open_without_links(root.get(), JailPath{"/dev"}, O_RDONLY | O_DIRECTORY));
  Fd terminals = TRY(open_without_links(root.get(), JailPath{"/dev/pts"}, O_PATH | O_DIRECTORY));
  Terminal terminal = TRY(open_terminal(terminals));
  TRY(put_console(terminals, terminal.number, dev));
  world.console = std::move(terminal.master);
  world.ring = TRY(make_ring());
  return Words{};
}

// The path that leads to console.link's terminal, whose number only lives as long as it: so what is
// put on the disk bears our mark, the id, from the first moment.
std::string link_of(const World& world) {
  return fmt::format("{}/{}/console", world.run, world.id);
}

// link PATH
Result<Words> apply_link(World& world, const Op& op) {
  LinkTerminal terminal = TRY(make_link_terminal());
  TRY(put_link(link_of(world), terminal.path));
  TRY(in("console.link", put_link(op.args[0], link_of(world))));
  world.link = std::move(terminal.master);
  return Words{};
}

Result<void> undo_link(World& world, const Op& op) {
  world.link.reset();
  return in("console.link", drop_link(op.args[0], link_of(world)));
}

}  // namespace

Result<void> renew_console(World& world, const std::string& link) {
  if (!link.empty()) {
    // Whoever opened it comes back to another terminal.
    sys::unlinkat(AT_FDCWD, link_of(world).c_str(), 0);
    LinkTerminal terminal = TRY(make_link_terminal());
    TRY(put_link(link_of(world), terminal.path));
    world.link = std::move(terminal.master);
  }
  {
    Excursion visit = TRY(visit_view(world.run, world.id));
    Fd root = TRY(open_own_root(world));
    Fd old = TRY(open_without_links(root.get(), JailPath{"/dev/console"}, O_PATH | O_NOFOLLOW));
    const std::string path = fmt::format("/proc/self/fd/{}", old.get());
    // Of a renewal that was cut short there is none.
    if (sys::umount2(path.c_str(), MNT_DETACH) != 0 && errno != EINVAL)
      return fail_errno("console");
  }
  TRY(apply_console(world, {}));
  return {};
}

namespace {

// `view` needs lend gone: the pinned network stack holds what was lent until it is brought back.
// `group` needs boot gone, as only an empty one can be removed; `union` the view, which holds the
// mount that the work directory is for.
constexpr Verb verbs[] = {
    // clang-format off
    // name        words  lives             check    apply             undo        needs gone
    {"group",      1, Lives::host_boot, nullptr, apply_group,      undo_group, "boot"},
    {"view",       2, Lives::host_boot, nullptr, apply_view,       undo_view,  "lend"},
    {"union",      4, Lives::disk,      nullptr, apply_union,      undo_union, "view"},
    {"namespaces", 3, Lives::space,     nullptr, apply_namespaces, nullptr,    nullptr},
    {"mount",      5, Lives::space,     nullptr, apply_mount,      nullptr,    nullptr},
    {"devices",    3, Lives::space,     nullptr, apply_devices,    nullptr,    nullptr},
    {"console",    0, Lives::space,     nullptr, apply_console,    nullptr,    nullptr},
    {"link",       1, Lives::disk,      nullptr, apply_link,       undo_link,  "boot"},
    {"warden",     1, Lives::host_boot, nullptr, apply_warden,     undo_warden, "boot"},
    {"boot",       3, Lives::host_boot, nullptr, apply_boot,       undo_boot,  nullptr},
    // clang-format on
};

}  // namespace

std::span<const Verb> os_verbs() {
  return verbs;
}

}  // namespace jail
