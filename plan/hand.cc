#include "plan/hand.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/file.h"
#include "base/sys.h"
#include "conf/print.h"
#include "os/kernel.h"
#include "plan/claims.h"

namespace jail {

namespace {

// What FreeBSD does by running mount(8) or ifconfig(8) is shown under -v as the act it is here.
void show_act(World& world, const Op& op, bool undoing) {
  constexpr const char* both[] = {"address", "lend"};
  constexpr const char* forward[] = {"mount", "devices"};
  const bool shown = std::ranges::find(both, op.verb) != std::end(both) ||
                     (!undoing && std::ranges::find(forward, op.verb) != std::end(forward));
  if (shown)
    world.life->talk.note(
        fmt::format("{}{} {}", undoing ? "undo " : "", op.verb, join(op.args, " ")));
}

// What the ledger knows of the places that later acts need.
void read_back(Hand& hand) {
  for (const Act& act : hand.ledger->acts()) {
    if (!act.open) continue;
    hand.world.yields[act.op.verb] = act.yield;
    if (act.op.verb == "group" && act.op.args.size() == 1) hand.world.group = act.op.args[0];
    if (act.op.verb == "view" && act.op.args.size() == 2) hand.world.path = act.op.args[0];
  }
}

// A claim that was killed before the ledger's first line has an empty one.
Result<Ledger> open_ledger(const Hand& hand) {
  Result<Ledger> ledger = Ledger::open(hand.claimed.directory.get(), true);
  if (ledger || ledger.error().code != ENOENT) return ledger;
  const JailEntry& entry = hand.claimed.entry;
  return Ledger::create(hand.claimed.directory.get(),
                        {entry.id, entry.name, hand.host.facts.boot_id}, false);
}

}  // namespace

std::string Job::shown_name() const {
  return !configured && spec.jid.value_or(0) != 0 ? fmt::format("{}", *spec.jid)
                                                  : spec.name.value_or("");
}

Work Hand::work() {
  return {world, *ledger, verbs, life.talk.verbose ? show_act : nullptr};
}

Result<void> look_again(const Talk& talk, int count) {
  pollfd stop{talk.stop_fd, POLLIN, 0};
  return sys::poll(&stop, 1, count > 1 ? 10 : 0) > 0 ? fail_errno("wait", ECANCELED)
                                                     : Result<void>();
}

void say(const Talk& talk, const Error& error) {
  if (error.code != ECANCELED) talk.error(error.text);
}

void fill_world(Hand& hand) {
  World& world = hand.world;
  world.id = hand.claimed.entry.id;
  world.run = hand.host.places.run;
  world.base = hand.host.places.base;
  world.facts = hand.host.facts;
  world.life = &hand.life;
  hand.life.hook_of = hand.host.hook_of;
  hand.life.spec = &hand.spec;
  hand.life.hooks = &hand.hooks;
}

Result<void> take_over(Hand& hand, const JailEntry& entry, const Talk& talk) {
  hand.claimed = TRY(take_life(hand.host.places, entry));
  hand.life.talk = talk;
  hand.life.talk.stop_fd = -1;
  fill_world(hand);
  hand.ledger = TRY(open_ledger(hand));
  Result<std::string> snapshot = read_file(hand.claimed.directory.get(), "spec");
  if (!snapshot && snapshot.error().code != ENOENT)
    return std::unexpected(std::move(snapshot.error()));
  if (snapshot) hand.spec = TRY(in("spec", read_spec("spec", *snapshot)));
  hand.hooks = hand.spec;
  hand.life.jid = entry.jid;
  hand.life.jid_known = hand.ledger->newest("boot") || hand.spec.jid;
  hand.life.stop_timeout = hand.spec.stop_timeout.value_or(10);
  read_back(hand);
  return {};
}

Result<bool> is_up(const Hand& hand) {
  if (hand.ledger->head().boot_id != hand.host.facts.boot_id) return false;
  return lives(hand.ledger->yielded("boot"));
}

Result<bool> is_whole(const Hand& hand) {
  if (hand.ledger->mark().empty() || hand.ledger->mark()[0] != "up") return false;
  return is_up(hand);
}

bool undo_all(Hand& hand) {
  Unwound result = unwind(hand.work(), hand.host.facts.boot_id);
  for (const Trouble& trouble : result.troubles) say(hand.life.talk, trouble.error);
  if (result.refused)
    ignore(hand.ledger->set_mark({"up"}), "the mark `down` only says that a stop was tried");
  if (hand.ledger->any_open()) return false;
  Result<void> forgotten = forget(hand.host.places, hand.host.facts, hand.world.id);
  if (!forgotten) say(hand.life.talk, forgotten.error());
  return forgotten.has_value();
}

bool clean_up(Hand& hand) {
  hand.life.rolling_back = hand.life.recovering = true;
  // A jail that was up is stopped as a jail that has ended is: its hooks run. A start is rolled
  // back.
  const bool was_up = !hand.ledger->mark().empty();
  const bool hooks = was_up ? !strict() : hand.spec.exec_rollback.value_or(!strict());
  if (!hooks) hand.life.undo_hooks = Hooks::none;  // already so for jail -R
  return undo_all(hand);
}

}  // namespace jail
