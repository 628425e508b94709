// Starting a jail: the claim, the plan, the acts, and the way back.
#include <algorithm>
#include <fmt/format.h>

#include "base/file.h"
#include "base/sys.h"
#include "base/table.h"
#include "conf/lex.h"
#include "conf/print.h"
#include "os/kernel.h"
#include "os/wardens.h"
#include "plan/claims.h"
#include "plan/create.h"
#include "plan/hand.h"
#include "plan/init.h"
#include "plan/plan.h"
#include "plan/reboot.h"

namespace jail {

namespace {

// The jail above a dotted name, which has to run.
Result<JailEntry> parent_of(const Index& index, const std::string& name) {
  size_t dot = name.rfind('.');
  if (dot == std::string::npos) return JailEntry{};
  const JailEntry* parent = index.by_name(std::string_view(name).substr(0, dot));
  if (!parent || !TRY(is_running(*parent)))
    return fail(ENOENT, fmt::format("jail \"{}\" not found", name.substr(0, dot)));
  return *parent;
}

// Where the jail is to be: below its parent's group and view, or the host's.
Result<void> find_place(World& world, const Host& host, const JailEntry& parent) {
  world.view_of = parent.id;
  world.group = host.places.base + "/" + world.id;
  if (parent.id.empty()) return {};
  Ledger ledger = TRY(read_ledger(parent.id));
  const Act *group = ledger.newest("group"), *view = ledger.newest("view");
  if (!group || !view) return fail(ENOENT, fmt::format("jail \"{}\" not found", parent.name));
  world.group = group->op.args[0] + "/" + world.id;
  world.above = view->op.args[0];
  return {};
}

// The jail's root as it goes into the acts: absolute, without a trailing slash, links unresolved.
std::string root_of(const Job& job) {
  std::string path = job.spec.path.value_or("/");
  if (job.relative_path && !path.starts_with('/')) {
    char here[4096];
    if (getcwd(here, sizeof here)) path = fmt::format("{}/{}", here, path);
  }
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// Writes down all that is known before the first act, and plans. The snapshot's first line is a
// comment with the configuration file in it, quoted as jail.conf has it: jls asks it for `drift`.
Result<Plan> prepare_start(Hand& hand, const Job& job) {
  Index index = TRY(read_index(hand.host.places));
  Site site;
  JailEntry parent = TRY(parent_of(index, hand.claimed.entry.name));
  site.id = hand.world.id;
  site.jid = hand.claimed.entry.jid;
  site.parent = parent.id;
  site.path = hand.world.path = root_of(job);
  TRY(find_place(hand.world, hand.host, parent));
  site.group = hand.world.group;
  site.fstab = job.fstab;
  if (!parent.id.empty()) TRY(keep_within(hand.spec, TRY(read_shown(parent))));
  Plan plan = TRY(plan_start(hand.spec, hand.host.facts, site));
  const bool on_disk = std::ranges::any_of(plan.ops, [&](const Op& op) {
    const Verb* verb = find_row(std::span<const Verb>(hand.verbs), op.verb);
    return verb && verb->lives == Lives::disk;
  });
  TRY(replace_file(hand.claimed.directory.get(), "spec",
                   fmt::format("# {}\n{}", quote_word(job.file), print_spec(hand.spec)), 0600,
                   on_disk));
  hand.ledger =
      TRY(Ledger::create(hand.claimed.directory.get(),
                         {site.id, hand.claimed.entry.name, hand.host.facts.boot_id}, on_disk));
  hand.world.boot = plan.boot;
  if (hand.spec.init.value_or(false)) TRY(save_boot(hand));
  return plan;
}

bool interrupted(const Talk& talk) {
  pollfd stop{talk.stop_fd, POLLIN, 0};
  return talk.stop_fd >= 0 && sys::poll(&stop, 1, 0) == 1;
}

// Between two acts is where a start can be given up: what is done is open, the rest never began.
// rc itself may ask for a reboot (N3.3), which is part of the start.
Result<void> perform_one(Hand& hand, const Op& op) {
  for (int reboots = 0;; ++reboots) {
    Result<void> done = perform(hand.work(), op);
    if (done || done.error().code != asks_for_reboot) return done;
    if (policy_of(hand.spec, "restart") != "restart" || reboots == most_restarts)
      return fail(ECHILD, "init: the jail was rebooted during its start");
    TRY(boot_again(hand));
  }
}

Result<void> perform_all(Hand& hand, const Plan& plan) {
  for (const Op& op : plan.ops) {
    if (interrupted(hand.life.talk)) return fail_errno("start", ECANCELED);
    TRY(perform_one(hand, op));
    hand.world.yields[op.verb] = hand.ledger->yielded(op.verb);
    if (op.verb == "boot") TRY(tell_warden(hand.world, "adopted"));
  }
  return {};
}

// The end of temporary persistence (J4.6). True if the jail has gone with it.
Result<bool> end_persistence(Hand& hand) {
  if (!persists_for_now(hand.spec)) return false;
  const Talk& talk = hand.life.talk;
  if (talk.verbose) talk.note(fmt::format("jail_set(JAIL_UPDATE) jid={} nopersist", hand.life.jid));
  Fd process1 = TRY(open_process1(process1_of(hand.world.yields["boot"])));
  std::string answer = TRY(ask_process1(hand.world.run, hand.world.id, "nopersist"));
  if (answer != "leaving") return false;
  // Until it has left, exec.prestop would find a jail.
  (void)TRY(await_end(process1.get(), 10'000, -1));
  return true;
}

// From here on the user's signals are not looked at: a rollback that stopped half way would be what
// they wanted to avoid.
void roll_back(Hand& hand) {
  hand.life.rolling_back = true;
  hand.life.talk.stop_fd = -1;
  hand.life.note_removal = !hand.life.talk.quiet && !hand.life.talk.name.empty();
  const bool hooks = hand.spec.exec_rollback.value_or(!strict());
  hand.life.undo_hooks = hooks ? Hooks::all : Hooks::none;
  undo_all(hand);
}

// From a claim to a running jail, or back to nothing.
bool bring_up(Hand& hand, const Job& job) {
  Result<Plan> plan = prepare_start(hand, job);
  if (!plan) {
    say(hand.life.talk, plan.error());
    ignore(forget(hand.host.places, hand.host.facts, hand.world.id),
           "the next claim of the name prunes it");
    return false;
  }
  for (const std::string& remark : plan->remarks) hand.life.talk.remark(remark);
  Result<void> done = perform_all(hand, *plan);
  Result<bool> gone = done ? end_persistence(hand) : false;
  if (done && !gone) done = std::unexpected(std::move(gone.error()));
  if (done && !*gone) done = hand.ledger->set_mark({"up"});
  if (done && !*gone) done = tell_warden(hand.world, "up");
  if (!done) {
    say(hand.life.talk, done.error());
    roll_back(hand);
    return false;
  }
  if (!*gone) return true;
  // The last process had gone: so has the jail. No stop follows it on FreeBSD; here its resources
  // and hooks do.
  hand.life.rolling_back = true;
  hand.life.undo_hooks = strict() ? Hooks::none : Hooks::all;
  return undo_all(hand) && !hand.life.failed;
}

// What stands in the way of a start: a jail of that name or jid.
enum class InTheWay : unsigned char { nothing, exists, undone };

// Waits for whoever works on the jail, undoes what nobody works on, and says what is there then.
Result<InTheWay> clear_the_way(const Host& host, const Job& job, const JailEntry& entry) {
  Hand hand(host);
  leave_to_warden(host, entry);
  Result<void> taken = take_over(hand, entry, job.talk);
  if (taken) {
    if (TRY(goes_on(hand))) return InTheWay::exists;
    if (!clean_up(hand)) return fail(EBUSY, "what an earlier start left could not be undone");
    return InTheWay::undone;
  }
  if (taken.error().code == ENOENT) {
    TRY(prune_index(host.places, host.facts));  // an entry without a record would be found for ever
    return InTheWay::undone;
  }
  if (taken.error().code != EBUSY) return std::unexpected(std::move(taken.error()));
  if (host.hook_of == entry.id)
    return InTheWay::exists;  // our own start: waiting for it would be for ever
  Result<LifeHolder> holder = life_holder(host.places, entry.id);
  // It may be done with this jail long before it ends.
  if (!holder) TRY(unless_gone(holder.error()));
  if (holder) (void)TRY(await_end(holder->pidfd.get(), lock_wait, job.talk.stop_fd));
  return InTheWay::undone;
}

// Yields whether that is fine (J3.3): one of all jails is skipped silently.
bool say_exists(const Job& job, const JailEntry& entry) {
  if (job.all) return true;
  // A jail of the command line is called by its jid (J3.3).
  job.talk.exists(job.configured ? entry.name : fmt::format("{}", entry.jid));
  return false;
}

// Claims the jail once nothing is in its way. False: it exists (which may be fine), or an error was
// printed.
Result<bool> claim_jail(const Host& host, const Job& job, Hand& hand, bool* fine) {
  for (int looks = 0;; ++looks) {
    TRY(look_again(job.talk, looks));
    Index index = TRY(read_index(host.places));
    if (const JailEntry* entry = find_entry(index, job.spec)) {
      if (TRY(clear_the_way(host, job, *entry)) != InTheWay::exists) continue;
      *fine = say_exists(job, *entry);
      hand.life.jid = entry->jid;
      return false;
    }
    Result<Claimed> claimed =
        claim(host.places, job.spec.name.value_or(""), job.spec.jid.value_or(0));
    if (claimed) {
      hand.claimed = std::move(*claimed);
      return true;
    }
    // Another command was faster: look again, and wait for it.
    if (claimed.error().code != EEXIST) {
      ignore(prune_index(host.places, host.facts), "the next command does");
      return std::unexpected(std::move(claimed.error()));
    }
    if (!find_entry(TRY(read_index(host.places)), job.spec))
      return std::unexpected(std::move(claimed.error()));
  }
}

}  // namespace

const JailEntry* find_entry(const Index& index, const Spec& spec) {
  if (spec.jid.value_or(0) != 0) return index.by_jid(*spec.jid);
  return spec.name ? index.by_name(*spec.name) : nullptr;
}

// The plan is made for its errors alone: id and group, which only a claim has, are in none of them.
Result<void> check_start(const Host& host, const Job& job, int64_t jid) {
  const Spec& spec = job.spec;
  Site site{
      .id = {}, .jid = jid, .path = root_of(job), .group = {}, .parent = {}, .fstab = job.fstab};
  TRY(plan_start(spec, host.facts, site));
  TRY(check_create(spec, spec.jid.value_or(jid)));
  if (spec.exec_prepare || spec.exec_prestart || spec.mount || spec.mount_fstab) return {};
  return check_root(spec, site.path);
}

bool start_jail(const Host& host, Job& job, int64_t* jid) {
  Hand hand(host);
  bool fine = false;
  Result<bool> ours = claim_jail(host, job, hand, &fine);
  if (!ours) say(job.talk, ours.error());
  if (ours && fine) *jid = hand.life.jid;
  if (!ours || !*ours) return fine;
  hand.spec = hand.hooks = job.spec;
  fill_world(hand);
  hand.life.talk = job.talk;
  hand.life.create_text = job.create_text;
  hand.life.command_is_vector = job.command_is_vector;
  hand.life.jid = hand.claimed.entry.jid;
  hand.life.jid_known = job.spec.jid.value_or(0) != 0;
  hand.life.stop_timeout = job.spec.stop_timeout.value_or(10);
  if (!bring_up(hand, job)) return false;
  *jid = hand.life.jid;
  return !hand.life.failed;  // it may be up, in single user
}

}  // namespace jail
