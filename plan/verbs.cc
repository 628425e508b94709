// A new verb is a pair of functions, a row in the table at the end, and a line of doc/LEDGER.md.
// Its undo is what matters: it is called for an act never, half or wholly done (ledger/op.h).
#include "plan/verbs.h"

#include <algorithm>
#include <climits>
#include <fmt/format.h>
#include <signal.h>

#include "base/file.h"
#include "base/table.h"
#include "conf/import.h"
#include "os/kernel.h"
#include "os/net.h"
#include "os/process1.h"
#include "os/verbs.h"
#include "plan/claims.h"
#include "plan/create.h"
#include "plan/init.h"
#include "plan/life.h"
#include "plan/lifecycle.h"

namespace jail {

namespace {

// --- hooks: a list on the way up, its partner on the way down ---

// `created` has no partner: FreeBSD has none for it.
struct Pair {
  const char* name;
  std::optional<Words> Spec::* forward;
  const char* back_name;
  std::optional<Words> Spec::* back;
};
constexpr Pair pairs[] = {
    {"prepare", &Spec::exec_prepare, "release", &Spec::exec_release},
    {"prestart", &Spec::exec_prestart, "poststop", &Spec::exec_poststop},
    {"created", &Spec::exec_created, "", nullptr},
    {"poststart", &Spec::exec_poststart, "prestop", &Spec::exec_prestop},
};

Result<const Pair*> pair_of(const std::string& name) {
  const Pair* pair = find_row(std::span<const Pair>(pairs), name);
  if (!pair) return fail(EINVAL, "hook " + name + ": no such hook");
  return pair;
}

// Life::hooks and not Life::spec: in the strict mode a stop runs what today's file says.
const Words& list_of(const World& world, std::optional<Words> Spec::* list) {
  static constinit const Words none;
  const auto& words = world.life->hooks->*list;
  return words ? *words : none;
}

// Whether process 1 is there still.
Result<bool> jail_lives(const World& world) {
  auto boot = world.yields.find("boot");
  return boot == world.yields.end() ? Result<bool>(false) : lives(process1_of(boot->second));
}

Result<Words> apply_hook_named(World& world, const std::string& name) {
  const Pair* pair = TRY(pair_of(name));
  TRY(run_on_host(world, pair->name, list_of(world, pair->forward)));
  return Words{};
}

// A failing hook of an undo is reported, by run_on_host, and not kept: nobody is served by a jail
// that stays because a clean-up failed. But exec.prestop guards a stop (J4.7), though no rollback.
Result<void> undo_hook_named(World& world, const std::string& name) {
  Life& life = *world.life;
  const Pair* pair = TRY(pair_of(name));
  if (!pair->back || life.undo_hooks == Hooks::none) return {};
  const bool guard = pair->back == &Spec::exec_prestop;
  if (guard && !TRY(jail_lives(world))) return {};
  // What the forward half left running, if it was cut short, must not meet its own undoing.
  if (life.recovering) TRY(kill_group(world.facts, hook_group(world, pair->name)));
  life.going_on = !guard || life.rolling_back;
  Result<void> ran = run_on_host(world, pair->back_name, list_of(world, pair->back));
  if (ran) return {};
  life.failed = true;
  if (!ran.error().text.empty()) life.talk.error(ran.error().text);
  if (guard && !life.rolling_back) return fail(ECANCELED, "exec.prestop: the jail stays up");
  return {};
}

Result<Words> apply_prepare(World& world, const Op&) {
  return apply_hook_named(world, "prepare");
}
Result<void> undo_prepare(World& world, const Op&) {
  return undo_hook_named(world, "prepare");
}
Result<Words> apply_hook(World& world, const Op& op) {
  return apply_hook_named(world, op.args[0]);
}
Result<void> undo_hook(World& world, const Op& op) {
  return undo_hook_named(world, op.args[0]);
}

// --- start: the commands inside, and how they are asked to end ---

// With an init, exec.start counts only where the request to boot stands in it, and around that.
Result<void> run_start(World& world) {
  const Words& commands = list_of(world, &Spec::exec_start);
  if (!world.life->spec->init.value_or(false)) return run_in_jail(world, commands);
  const auto boot = std::ranges::find_if(commands, asks_for_init);
  if (boot == commands.end()) return boot_init(world);
  TRY(run_in_jail(world, Words(commands.begin(), boot)));
  TRY(boot_init(world));
  return run_in_jail(world, Words(boot + 1, commands.end()));
}

Result<Words> apply_start(World& world, const Op&) {
  const Life& life = *world.life;
  TRY(run_start(world));
  const Words& command = list_of(world, &Spec::command);
  TRY(life.command_is_vector ? run_vector(world, command) : run_in_jail(world, command));
  return Words{};
}

// Waits for a process that got SIGTERM until `end`. False: out of time.
Result<bool> await_until(const Process1& told, int64_t end) {
  Result<Fd> process = open_process1(told);
  if (!process && process.error().code == ESRCH) return true;
  if (!process) return std::unexpected(std::move(process.error()));
  for (;;) {
    const int64_t left = std::clamp<int64_t>(end - now_ms(), 0, INT_MAX);
    if (TRY(await_end(process->get(), static_cast<int>(left), -1))) return true;
    if (now_ms() >= end) return false;
  }
}

// SIGTERM to everything in the jail but process 1, then up to stop.timeout seconds until all that
// were told are gone (J4.7). Running out of time is no failure: the undo of `boot` ends what is
// left.
Result<void> terminate(World& world) {
  const Life& life = *world.life;
  if (life.stop_timeout <= 0) return {};
  Result<std::vector<pid_t>> members = group_members(world.facts, world.group + "/jail/run", {});
  if (!members || members->empty()) return {};
  std::vector<Process1> told;  // not by descriptor: there may be more than we can open
  std::string numbers;
  for (pid_t pid : *members) {
    Result<uint64_t> start = start_time(pid);
    Result<Fd> process =
        start ? open_process1({pid, *start}) : std::unexpected(std::move(start.error()));
    if (!process && process.error().code != ESRCH)
      return std::unexpected(std::move(process.error()));
    if (!process || !signal_process(process->get(), SIGTERM)) continue;
    numbers += fmt::format(" {}", pid);
    told.push_back({pid, *start});
  }
  if (life.talk.verbose) life.talk.note("sent SIGTERM to:" + numbers);
  ignore(take_turn(life.talk, Turn::waits), "an undo goes on without the coordinator");
  const int64_t end = now_ms() + std::min<int64_t>(life.stop_timeout, INT_MAX) * 1000;
  for (const Process1& process : told)
    if (!TRY(await_until(process, end))) break;
  ignore(take_turn(life.talk, Turn::ended), "an undo goes on without the coordinator");
  return {};
}

// A failing exec.stop is reported and the stop goes on, unless stop.strict says otherwise. SIGTERM
// is sent also by jail -R, which runs no hooks (J3.6), but not by a rollback without hooks (J4.5).
Result<void> undo_start(World& world, const Op&) {
  Life& life = *world.life;
  if (!TRY(jail_lives(world))) return {};
  if (life.rolling_back && life.undo_hooks == Hooks::none) return {};
  if (life.spec->init.value_or(false)) {
    Result<void> stopped = stop_init(world);
    if (!stopped) life.talk.error(stopped.error().text);
    return {};
  }
  life.going_on = !life.stop_is_strict || life.rolling_back;
  Result<void> ran = life.undo_hooks == Hooks::none
                         ? Result<void>()
                         : run_in_jail(world, list_of(world, &Spec::exec_stop));
  if (!ran) {
    life.failed = true;
    if (!ran.error().text.empty()) life.talk.error(ran.error().text);
    if (life.stop_is_strict && !life.rolling_back)
      return fail(ECANCELED, "exec.stop: the jail stays up");
  }
  Result<void> told = terminate(world);
  if (!told) life.talk.error(told.error().text);
  return {};
}

// --- addresses of the host's interfaces: they go with their last holder ---

InterfaceAddress address_of(const Op& op) {
  InterfaceAddress address;
  address.interface = op.args[0];
  address.address = op.args[1];
  address.prefix = static_cast<unsigned>(parse_int(op.args[2]).value_or(0));
  address.ipv6 = op.args[1].find(':') != std::string::npos;
  address.extra = split(op.args[3], " ");
  return address;
}

// An address that bears no mark of ours and that no other jail holds was there before us: used,
// never removed.
Result<Claim> check_address(World& world, const Op& op) {
  TRY(check_extra(address_of(op)));
  Holder holder = TRY(find_address(address_of(op)));
  if (holder == Holder::others && TRY(other_holders(world.id, op)) == 0) return Claim::nothing;
  return Claim::ours;
}

// There already, for check_address has looked: another jail's, and from now on also ours.
Result<Words> apply_address(World&, const Op& op) {
  Result<void> added = add_address(address_of(op));
  if (!added && added.error().code != EEXIST) return std::unexpected(std::move(added.error()));
  return Words{};
}

// Under the registry's lock, so that of two last holders that stop together one takes it off.
Result<void> undo_address(World& world, const Op& op) {
  RegistryLock registry = TRY(RegistryLock::take(places()));
  if (TRY(other_holders(world.id, op)) > 0) return {};
  return remove_address(address_of(op), !addresses_marked().value_or(false));
}

// --- interfaces lent to a jail with a network stack of its own ---

std::string saved_name(const Op& op) {
  return "lent." + op.args[0];
}

// Whose interface it is, and which: two of one jail must not be taken for each other.
std::string mark_of(const World& world, const Op& op) {
  return world.id + "." + op.args[0];
}

Result<Fd> stack_of(const World& world) {
  return open_stack(world.run, world.id);
}

// What the interface was is on disk before the note that it is lent: after that, only the file
// knows.
Result<Claim> check_lend(World& world, const Op& op) {
  std::string saved = TRY(describe_interface(op.args[0]));
  Fd directory = TRY(open_record(world.id));
  TRY(replace_file(directory.get(), saved_name(op), saved, 0600, true));
  return Claim::ours;
}

Result<Words> apply_lend(World& world, const Op& op) {
  Fd stack = TRY(stack_of(world));
  TRY(lend_interface(op.args[0], stack.get(), mark_of(world, op)));
  return Words{};
}

Result<void> undo_lend(World& world, const Op& op) {
  Fd directory = TRY(open_record(world.id));
  std::string saved = TRY(read_file(directory.get(), saved_name(op), 1U << 20));
  // Only a stack that is gone has taken its interfaces along. One that cannot be opened now still
  // has them.
  Result<Fd> stack = stack_of(world);
  if (!stack && stack.error().code != ENOENT) return std::unexpected(std::move(stack.error()));
  if (!TRY(give_back_interface(saved, stack ? stack->get() : -1, mark_of(world, op))))
    world.life->talk.remark(fmt::format("vnet.interface: {}: it is no more", op.args[0]));
  return {};
}

// --- boot: the system's verb, with the words that the user hears ---

}  // namespace

const Verb& system_boot() {
  const Verb* verb = find_row(os_verbs(), "boot");
  if (!verb) bug("this system has no verb `boot`");
  return *verb;
}

namespace {

Result<Claim> check_boot(World& world, const Op&) {
  TRY(check_root(*world.life->spec, world.path));
  TRY(check_create(*world.life->spec, world.life->jid));
  return Claim::ours;
}

Result<Words> apply_boot_noted(World& world, const Op& op) {
  Life& life = *world.life;
  Result<Words> yield = system_boot().apply(world, op);
  if (life.talk.verbose) note_create(world, yield ? "" : yield.error().text);
  if (!yield) return yield;
  life.jid_known = true;
  TRY(write_shown(world, *yield));  // from here on jls and jexec find it
  if (life.talk.bare_jids) life.talk.print_jid(life.jid);
  if (!life.talk.quiet && (!life.talk.name.empty() || life.talk.verbose)) life.talk.note("created");
  TRY(take_turn(life.talk, Turn::exists));
  return yield;
}

// `shown` goes after process 1: as long as that lives, jls and jexec must find it.
Result<void> undo_boot_noted(World& world, const Op& op) {
  Life& life = *world.life;
  stop_children(world);
  TRY(system_boot().undo(world, op));
  remove_shown(world);
  if (life.note_removal) life.talk.note("removed");
  life.note_removal = false;
  ignore(take_turn(life.talk, Turn::removed), "an undo goes on without the coordinator");
  return {};
}

constexpr Verb own_verbs[] =
    {
        // clang-format off
    // name       words  lives             check          apply             undo             needs gone
    {"prepare",   0, Lives::disk,      nullptr,       apply_prepare,    undo_prepare,    nullptr},
    {"hook",      1, Lives::host_boot, nullptr,       apply_hook,       undo_hook,       nullptr},
    {"start",     0, Lives::host_boot, nullptr,       apply_start,      undo_start,      nullptr},
    {"address",   4, Lives::host_boot, check_address, apply_address,    undo_address,    nullptr},
    {"lend",      1, Lives::host_boot, check_lend,    apply_lend,       undo_lend,       nullptr},
    {"boot",      3, Lives::host_boot, check_boot,    apply_boot_noted, undo_boot_noted, nullptr},
        // clang-format on
};

}  // namespace

std::vector<Verb> all_verbs() {
  std::vector<Verb> verbs(std::begin(own_verbs), std::end(own_verbs));
  for (const Verb& verb : os_verbs())
    if (std::string_view(verb.name) != "boot") verbs.push_back(verb);
  return verbs;
}

}  // namespace jail
