// Stopping a jail, recovering what crashes left, and giving up on what is beyond help.
#include <algorithm>
#include <fmt/format.h>
#include <signal.h>

#include "base/table.h"
#include "os/kernel.h"
#include "plan/create.h"
#include "plan/hand.h"
#include "plan/reboot.h"

namespace jail {

namespace {

constexpr int give_up_wait = 10'000;  // ms for a starting command to undo its start

// As FreeBSD says it: by the jail's name, but without the prefix of its messages (J3.6).
void say_not_found(const Job& job) {
  if (job.all || job.talk.quiet) return;
  Talk talk = job.talk;
  talk.name.clear();
  talk.error(fmt::format("\"{}\" not found", job.shown_name()));
}

// Waits until that process has ended or has let go of the jail. False: out of time.
Result<bool> await_release(const Host& host, const JailEntry& entry, const LifeHolder& holder,
                           int stop_fd) {
  for (int waited = 0; waited < give_up_wait; waited += lock_wait) {
    if (TRY(await_end(holder.pidfd.get(), lock_wait, stop_fd))) return true;
    Result<LifeHolder> now = life_holder(host.places, entry.id);
    if (!now || now->pid != holder.pid) return true;
  }
  return false;
}

// Asks the command that has the jail to give its start up, and waits; kills it if it does not
// answer. A command that is stopping the jail is only waited for.
Result<void> make_way(const Host& host, const JailEntry& entry, int stop_fd) {
  Result<LifeHolder> holder = life_holder(host.places, entry.id);
  if (!holder) return unless_gone(holder.error());
  if (host.hook_of == entry.id)
    return fail(EBUSY,
                fmt::format("\"{}\" is being started by process {}", entry.name, holder->pid));
  Result<Status> status = jail_status(entry.id);
  if (status && *status == Status::starting) TRY(signal_process(holder->pidfd.get(), SIGTERM));
  if (!TRY(await_release(host, entry, *holder, stop_fd)) && status && *status == Status::starting) {
    TRY(signal_process(holder->pidfd.get(), SIGKILL));
    (void)TRY(await_end(holder->pidfd.get(), give_up_wait, -1));
  }
  return {};
}

// The record of the jail, once nobody works on it. ENOENT: there is no such jail.
Result<void> take_for_stop(const Host& host, const Job& job, Hand& hand, bool* was_busy) {
  for (int looks = 0;; ++looks) {
    TRY(look_again(job.talk, looks));
    Index index = TRY(read_index(host.places));
    const JailEntry* entry = find_entry(index, job.spec);
    if (!entry) return fail_errno("jail", ENOENT);
    Result<void> taken = take_over(hand, *entry, job.talk);
    if (taken || (taken.error().code != EBUSY && taken.error().code != ENOENT)) return taken;
    *was_busy = *was_busy || taken.error().code == EBUSY;
    if (taken.error().code == EBUSY)
      TRY(make_way(host, *entry, job.talk.stop_fd));
    else
      TRY(prune_index(host.places, host.facts));
  }
}

// Whose hooks run, and how strictly: FreeBSD reads today's file.
void set_policy(const Job& job, Hand& hand) {
  Life& life = hand.life;
  life.undo_hooks = job.no_hooks ? Hooks::none : Hooks::all;
  life.note_removal = job.note_removal && !job.talk.quiet;
  life.stop_is_strict = hand.spec.stop_strict.value_or(strict());
  if (!strict()) return;
  hand.hooks = job.configured ? job.spec : Spec{};
  life.stop_timeout = hand.hooks.stop_timeout.value_or(10);
}

// -C of a jail that does not run: the hooks after removal, and nothing before (J4.11). Its
// resources, if it left any, went with its record.
bool run_cleanup(const Host& host, const Job& job) {
  Hand hand(host);
  Result<Claimed> claimed =
      claim(host.places, job.spec.name.value_or(""), job.spec.jid.value_or(0));
  if (!claimed) {
    say(job.talk, claimed.error());
    return false;
  }
  hand.claimed = std::move(*claimed);
  hand.spec = hand.hooks = job.spec;
  hand.life.talk = job.talk;
  fill_world(hand);
  for (const Op& op : {Op{"hook", {"prestart"}}, Op{"prepare", {}}}) {
    const Verb* verb = find_row(std::span<const Verb>(hand.verbs), op.verb);
    Result<void> undone = verb->undo(hand.world, op);
    if (!undone) say(job.talk, undone.error());
  }
  Result<void> forgotten = forget(host.places, host.facts, hand.world.id);
  if (!forgotten) say(job.talk, forgotten.error());
  return forgotten.has_value() && !hand.life.failed;
}

// A jail whose process 1 is gone: stopped already, as far as FreeBSD knows, which leaves its mounts
// and addresses behind (J4.6). Here it is stopped after the fact, and that is a success.
bool stop_residue(const Job& job, Hand& hand) {
  const bool ended = !hand.ledger->mark().empty();
  hand.life.note_removal = hand.life.note_removal && !strict() && ended;
  const bool clean = clean_up(hand);
  if (job.cleanup && strict()) return run_cleanup(hand.host, job) && clean;
  if (!strict()) return clean && !hand.life.failed;
  say_not_found(job);
  return job.all && clean;
}

// Takes a child over; one that is being started has to give up first. The coordinator lets others
// go on meanwhile, for it may be one of them.
Result<void> take_child(const Host& host, const JailEntry& child, const Talk& parent, Hand& hand) {
  Talk talk = parent;
  talk.name = child.name;
  talk.turns = -1;
  Result<void> taken = take_over(hand, child, talk);
  if (taken || taken.error().code != EBUSY) return taken;
  ignore(take_turn(parent, Turn::waits), "an undo goes on without the coordinator");
  Result<void> way = make_way(host, child, -1);
  ignore(take_turn(parent, Turn::ended), "an undo goes on without the coordinator");
  TRY(std::move(way));
  return take_over(hand, child, talk);
}

}  // namespace

// What a stop means depends on what is there: nothing, another command at work, a jail that has
// ended, one whose start was cut short, one that is up.
bool stop_jail(const Host& host, Job& job) {
  Hand hand(host);
  bool was_busy = false;
  Result<void> taken = take_for_stop(host, job, hand, &was_busy);
  if (!taken && taken.error().code == ENOENT) {
    if (job.cleanup) return run_cleanup(host, job);
    if (was_busy) return true;  // whoever had it has done what we were asked for
    ignore(prune_index(host.places, host.facts), "what a crash left beside the records is no jail");
    say_not_found(job);
    return job.all;
  }
  if (!taken) {
    say(job.talk, taken.error());
    return false;
  }
  set_policy(job, hand);
  Result<bool> up = is_up(hand);
  if (!up) {
    say(job.talk, up.error());
    return false;
  }
  if (!*up) return stop_residue(job, hand);
  Result<void> startable =
      job.restarts && !strict() ? check_start(host, job, hand.life.jid) : Result<void>();
  if (!startable) {
    say(job.talk, startable.error());
    return false;
  }
  // A start that was cut short is rolled back, which no guard can veto: there is no whole jail to
  // keep.
  if (hand.ledger->mark().empty()) hand.life.rolling_back = hand.life.recovering = true;
  return undo_all(hand) && !hand.life.failed;
}

bool recover_jail(const Host& host, const JailEntry& entry, const Talk& talk) {
  Hand hand(host);
  leave_to_warden(host, entry);
  Result<void> taken = take_over(hand, entry, talk);
  if (!taken) {
    if (taken.error().code == EBUSY || taken.error().code == ENOENT) return true;
    say(talk, taken.error());
    return false;
  }
  Result<bool> whole = goes_on(hand);
  if (!whole) say(talk, whole.error());
  if (!whole || *whole) return whole.has_value();
  return clean_up(hand) && !hand.life.failed;
}

bool forget_jail(const Host& host, const JailEntry& entry, const Talk& talk) {
  Hand hand(host);
  Result<void> taken = take_over(hand, entry, talk, Damage::passed_over);
  if (!taken) {
    say(talk, taken.error());
    return false;
  }
  Result<bool> whole = is_whole(hand);
  if (!whole) say(talk, whole.error());
  if (!whole) return false;
  // A damaged record is in the way of every stop.
  if (*whole && !hand.damaged) {
    talk.error(fmt::format("\"{}\" is up: stop it instead", entry.name));
    return false;
  }
  if (clean_up(hand)) return true;
  // What fails once more is struck, and then what waited for it has its turn.
  while (hand.ledger->any_open()) {
    Unwound result = unwind(hand.work(), host.facts.boot_id);
    for (const Trouble& trouble : result.troubles) {
      talk.error(fmt::format("forgotten: {} {}", trouble.op.verb, join(trouble.op.args, " ")));
      hand.ledger->strike(trouble.op);
    }
    if (result.troubles.empty()) break;
  }
  Result<void> forgotten = forget(host.places, host.facts, entry.id);
  if (!forgotten) say(talk, forgotten.error());
  return forgotten.has_value();
}

// Before the group of this one is killed, which holds theirs: so their hooks are run and their
// ledgers closed.
void stop_children(World& world) {
  Life& life = *world.life;
  Host host{places(), world.facts, life.hook_of};
  Result<Index> index = read_index(host.places);
  const JailEntry* parent = index ? index->by_id(world.id) : nullptr;
  if (!parent) return;
  std::vector<JailEntry> children;
  for (const JailEntry& entry : index->entries)
    if (entry.name.starts_with(parent->name + ".")) children.push_back(entry);
  std::ranges::sort(children, std::ranges::greater(),
                    [](const JailEntry& entry) { return std::ranges::count(entry.name, '.'); });
  for (const JailEntry& child : children) {
    Hand hand(host);
    Result<void> taken = take_child(host, child, life.talk, hand);
    if (!taken && taken.error().code == ENOENT)
      ignore(prune_index(host.places, host.facts),
             "an entry without a record is nothing but in the way");
    if (!taken) continue;
    hand.life.rolling_back = true;  // it goes with its parent: no guard can keep it
    hand.life.undo_hooks = life.undo_hooks == Hooks::none || strict() ? Hooks::none : Hooks::all;
    if (!undo_all(hand) || hand.life.failed) life.failed = true;
  }
}

}  // namespace jail
