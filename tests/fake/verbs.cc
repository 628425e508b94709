// os/verbs.h over the table, with the rows of Linux; and what little of os/mount.h, os/users.h and
// os/privileges.h the code above asks for.
#include "os/verbs.h"

#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "os/kernel.h"
#include "os/mount.h"
#include "os/privileges.h"
#include "os/root.h"
#include "os/users.h"
#include "os/wardens.h"
#include "os/world.h"
#include "tests/fake/world.h"

namespace jail {

using fake::effect;
using fake::Table;

namespace {

Result<void> add(const char* name, const Words& row) {
  return effect(name, [&](Table& table) -> Result<void> {
    if (!table.has(row)) table.add(row);
    return {};
  });
}

Result<void> drop(const char* name, const Words& row) {
  return effect(name, [&](Table& table) -> Result<void> {
    table.erase(row);
    return {};
  });
}

bool there(const Words& row) {
  return fake::look_for(row);
}

Result<Words> apply_group(World& world, const Op& op) {
  for (const char* leaf : {"/jail/init", "/jail/run"})
    TRY(make_group(world.facts, op.args[0] + leaf));
  return Words{};
}
Result<void> undo_group(World& world, const Op& op) {
  return remove_group(world.facts, op.args[0]);
}

Result<Words> apply_view(World& world, const Op& op) {
  if (!there({"pins"})) return fail_errno("pins", ENOENT);
  if (op.args[1] != "-" && !there({"view", op.args[1]}))
    return fail_errno("view of the parent", ENOENT);
  TRY(add("pin file", {"pin", world.id}));
  TRY(add("pin view", {"view", world.id, op.args[1]}));
  return Words{};
}
Result<void> undo_view(World& world, const Op&) {
  if (there({"view", world.id})) TRY(drop("unpin view", {"view", world.id}));
  if (there({"pin", world.id})) TRY(drop("pin file gone", {"pin", world.id}));
  // What is mounted in a view goes with it.
  if (there({"console", world.id})) TRY(drop("console gone", {"console", world.id}));
  return {};
}

Result<Words> apply_union(World& world, const Op& op) {
  TRY(add("work directory", {"work", world.id, op.args[2]}));
  return Words{};
}
// The mount has to be gone before what it works in.
Result<void> undo_union(World& world, const Op& op) {
  if (there({"mount", world.id, op.args[2]})) return fail_errno(op.args[2], EBUSY);
  return drop("work directory gone", {"work", world.id, op.args[2]});
}

Result<Words> apply_namespaces(World& world, const Op& op) {
  if (!there({"view", world.id})) return fail_errno("view", ENOENT);
  if (op.args[0] == "new" || op.args[0] == "loopback")
    TRY(add("network stack", {"stack", world.id, op.args[0]}));
  if (op.args[1] == "new" || op.args[1] == "owned") TRY(add("uts", {"uts", world.id, "", ""}));
  TRY(add("cgroup", {"cgroup", world.id}));
  return Words{};
}

Result<Words> apply_mount(World& world, const Op& op) {
  if (!there({"view", world.id})) return fail_errno("view", ENOENT);
  if (op.args[2] == "/missing") return fail_errno(op.args[0] + ": " + op.args[2], ENOENT);
  TRY(add("mount", {"mount", world.id, op.args[3], op.args[1]}));
  return Words{};
}
Result<Words> apply_devices(World& world, const Op& op) {
  if (!there({"view", world.id})) return fail_errno("view", ENOENT);
  TRY(add("devices", {"mount", world.id, op.args[1], "devices"}));
  return Words{};
}

std::string control_of(const World& world) {
  return world.run + "/" + world.id + "/control";
}

Result<Words> apply_boot(World& world, const Op& /*op*/) {
  for (const char* leaf : {"/jail/init", "/jail/run"})
    if (!there({"group", world.group + leaf}))
      return fail_errno("group " + world.group + leaf, ENOENT);
  if (!there({"view", world.id})) return fail_errno("view", ENOENT);
  TRY(effect("control socket", [&](Table&) -> Result<void> {
    Fd made(::open(control_of(world).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    if (!made) return fail_errno("control");
    return {};
  }));
  pid_t pid = 0;
  TRY(effect("process 1", [&](Table& table) -> Result<void> {
    pid = fake::add_process(table, world.group + "/jail/init", {"init", world.id, "persist"});
    return {};
  }));
  return Words{fmt::format("{}", pid), fmt::format("{}", TRY(start_time(pid)))};
}
Result<void> undo_boot(World& world, const Op& /*op*/) {
  TRY(kill_group(world.facts, world.group));
  if (!std::filesystem::exists(control_of(world))) return {};
  return effect("control gone", [&](Table&) -> Result<void> {
    if (::unlink(control_of(world).c_str()) != 0) return fail_errno("control");
    return {};
  });
}

// A warden is a process of the host. It does nothing by itself here: nobody's process 1 ends
// unasked.
Result<Words> apply_warden(World& world, const Op& /*op*/) {
  TRY(make_group(world.facts, fmt::format("{}/{}.warden", world.base, world.id)));
  TRY(add("warden", {"warden", world.id}));
  return Words{"77", "77"};
}
Result<void> undo_warden(World& world, const Op& /*op*/) {
  TRY(drop("warden gone", {"warden", world.id}));
  return remove_group(world.facts, fmt::format("{}/{}.warden", world.base, world.id));
}

Result<Words> apply_console(World& world, const Op& /*op*/) {
  TRY(add("console", {"console", world.id}));
  return Words{};
}

Result<Words> apply_link(World& /*world*/, const Op& op) {
  TRY(add("link", {"file", op.args[0]}));
  return Words{};
}
Result<void> undo_link(World& /*world*/, const Op& op) {
  return drop("link gone", {"file", op.args[0]});
}

constexpr Verb verbs[] = {
    // clang-format off
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

Result<Words> boot_for_warden(World& /*world*/, const Op& /*op*/) {
  return fail_errno("warden", ENOTSUP);
}
Result<void> answer_warden(const Result<Words>& /*born*/) {
  return {};
}
Result<void> tell_warden(const World& /*world*/, const char* /*word*/) {
  return {};
}
Result<std::string> hear_warden(const World& /*world*/, int /*timeout*/) {
  return fail_errno("warden", EPIPE);
}
Result<bool> warden_lives(const World& world) {
  return Table().has({"warden", world.id});
}
Result<Words> replace_warden(World& /*world*/, const Op& /*op*/, const std::string* /*link*/,
                             const Process1* /*living*/) {
  return fail_errno("warden", ENOTSUP);
}
std::string word_of_the_end(const World& /*world*/) {
  return "crash";
}
Result<void> renew_groups(const World& /*world*/) {
  return {};
}

Result<Fd> open_log(const std::string& /*root*/, const std::string& log) {
  return open_at(AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
}
bool mounted_at_boot(const std::string& type) {
  return type == "procfs" || type == "linprocfs" || type == "proc";
}

Result<void> drop_privileges(const Words& /*rights*/) {
  return {};
}
std::string privilege_remark(const std::string& /*word*/) {
  return {};
}

Result<std::optional<User>> host_user(const std::string& /*name*/) {
  return std::optional<User>();
}
Result<std::optional<User>> host_user(uid_t /*uid*/) {
  return std::optional<User>();
}

}  // namespace jail
