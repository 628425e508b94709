// Reading a record back, damaged or not, and undoing what is open in it.
#include "plan/hand.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/file.h"
#include "base/sys.h"
#include "base/table.h"
#include "conf/lex.h"
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
    if (act.op.verb != "view" || act.op.args.size() != 2) continue;
    hand.world.path = act.op.args[0];
    hand.world.view_of = act.op.args[1] == "-" ? "" : act.op.args[1];
  }
}

// What of a damaged ledger can be read, and in front of it what every jail has: the undos of those
// acts are idempotent, and with them all goes that could be alive.
Ledger salvage_ledger(const Hand& hand) {
  const JailEntry& entry = hand.claimed.entry;
  std::string text = read_file(hand.claimed.directory.get(), "ledger").value_or("");
  text.insert(text.find('\n') + 1, fmt::format("+ group {}/{}\n+ view / -\n+ boot {} new new\n",
                                               hand.world.base, entry.id, entry.jid));
  return Ledger::salvage(text, {entry.id, entry.name, hand.host.facts.boot_id});
}

// The way out of a record that refuses every command.
Error with_advice(Error error, const Hand& hand) {
  error.text +=
      fmt::format("; \"jail --recover --forget {}\" goes on without it", hand.claimed.entry.name);
  return error;
}

void say_passed_over(Hand& hand, const Error& error) {
  hand.damaged = true;
  hand.life.talk.error(error.text + ": going on with what can be read");
}

// `boot`: a line of ledger words for each act.
constexpr const char* boot_file = "boot";

Result<std::vector<Op>> read_boot(int record) {
  std::vector<Op> boot;
  Result<std::string> text = read_file(record, boot_file);
  if (!text && text.error().code == ENOENT) return boot;
  for (const std::string& line : split(TRY(std::move(text)), "\n")) {
    Words words = TRY(in(boot_file, lex_words(line)));
    if (words.empty()) return fail(EINVAL, "boot: an empty line");
    boot.push_back({words[0], Words(words.begin() + 1, words.end())});
  }
  return boot;
}

// A claim that was killed before the ledger's first line has an empty one.
Result<Ledger> open_ledger(Hand& hand, Damage damage) {
  Result<Ledger> ledger = Ledger::open(hand.claimed.directory.get(), true);
  const JailEntry& entry = hand.claimed.entry;
  if (!ledger && ledger.error().code == ENOENT)
    return Ledger::create(hand.claimed.directory.get(),
                          {entry.id, entry.name, hand.host.facts.boot_id}, false);
  if (ledger || (ledger.error().code != EINVAL && ledger.error().code != EFBIG)) return ledger;
  if (damage == Damage::refused)
    return std::unexpected(with_advice(std::move(ledger.error()), hand));
  say_passed_over(hand, ledger.error());
  return salvage_ledger(hand);
}

// Whether something will be undone, and not only struck because it died with a boot of the host.
bool needs_snapshot(const Hand& hand) {
  const bool same_boot = hand.ledger->head().boot_id == hand.host.facts.boot_id;
  return std::ranges::any_of(hand.ledger->acts(), [&](const Act& act) {
    const Verb* verb = find_row(std::span<const Verb>(hand.verbs), act.op.verb);
    return act.open && (same_boot || (verb && verb->lives == Lives::disk));
  });
}

// A snapshot that a loss of power took is of no account where the jail went with it.
Result<void> take_snapshot(Hand& hand, Damage damage) {
  Result<std::string> text = read_file(hand.claimed.directory.get(), "spec");
  if (!text && text.error().code == ENOENT) return {};
  Result<Spec> spec =
      text ? in("spec", read_spec("spec", *text)) : std::unexpected(std::move(text.error()));
  if (spec) {
    hand.spec = std::move(*spec);
    return {};
  }
  if (spec.error().code != EINVAL && spec.error().code != EFBIG)
    return std::unexpected(std::move(spec.error()));
  if (!needs_snapshot(hand)) return {};
  if (damage == Damage::refused) return std::unexpected(with_advice(std::move(spec.error()), hand));
  say_passed_over(hand, spec.error());
  return {};
}

// A stop was refused. exec.prestop, whose act may be struck by now, guards the next one as well.
void stay_up(Hand& hand, const Words& mark) {
  const Op guarded{"hook", {"poststart"}};
  const std::vector<Act>& acts = hand.ledger->acts();
  const auto last = std::ranges::find(acts.rbegin(), acts.rend(), guarded, &Act::op);
  if (last != acts.rend() && !last->open) {
    Result<size_t> place = hand.ledger->begin(guarded, false);
    if (place) ignore(hand.ledger->done(*place, {}), "an open act is undone, confirmed or not");
  }
  ignore(hand.ledger->set_mark(mark), "the mark `down` only says that a stop was tried");
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
  world.log = hand.host.places.log;
  world.base = hand.host.places.base;
  world.facts = hand.host.facts;
  world.life = &hand.life;
  hand.life.hook_of = hand.host.hook_of;
  hand.life.spec = &hand.spec;
  hand.life.hooks = &hand.hooks;
}

Result<void> take_over(Hand& hand, const JailEntry& entry, const Talk& talk, Damage damage) {
  hand.claimed = TRY(take_life(hand.host.places, entry));
  hand.life.talk = talk;
  hand.life.talk.stop_fd = -1;
  fill_world(hand);
  hand.ledger = TRY(open_ledger(hand, damage));
  TRY(take_snapshot(hand, damage));
  hand.hooks = hand.spec;
  hand.life.jid = entry.jid;
  hand.life.jid_known = hand.ledger->newest("boot") || hand.spec.jid;
  hand.life.stop_timeout = hand.spec.stop_timeout.value_or(10);
  read_back(hand);
  hand.world.boot = read_boot(hand.claimed.directory.get()).value_or(std::vector<Op>());
  return {};
}

Result<void> save_boot(const Hand& hand) {
  std::string text;
  for (const Op& op : hand.world.boot) text += text_of(op) + "\n";
  return replace_file(hand.claimed.directory.get(), boot_file, text, 0600, false);
}

Result<void> look_over(Hand& hand, const std::string& id) {
  hand.claimed.entry.id = id;
  hand.claimed.directory = TRY(open_record(id));
  fill_world(hand);
  hand.ledger = TRY(Ledger::open(hand.claimed.directory.get(), false));
  read_back(hand);
  hand.world.boot = TRY(read_boot(hand.claimed.directory.get()));
  if (hand.world.view_of.empty()) return {};
  Ledger parent = TRY(read_ledger(hand.world.view_of));
  if (const Act* view = parent.newest("view")) hand.world.above = view->op.args[0];
  return {};
}

// A process of another boot may have the same number and start time.
Result<bool> is_up(const Hand& hand) {
  if (hand.ledger->head().boot_id != hand.host.facts.boot_id) return false;
  return lives(process1_of(hand.ledger->yielded("boot")));
}

Result<bool> is_whole(const Hand& hand) {
  if (hand.ledger->mark().empty() || hand.ledger->mark()[0] != "up") return false;
  return is_up(hand);
}

// The record goes only with the last open act: as long as there is one, every later command finds
// it and tries again.
bool undo_all(Hand& hand) {
  Words before = hand.ledger->mark();
  if (before.empty() || before[0] == "down") before = {"up"};
  // From here on nobody may take it for a jail that has ended and could be booted again.
  if (!hand.ledger->mark().empty())
    ignore(hand.ledger->set_mark({"down"}), "a full disk must not keep a jail from being stopped");
  Unwound result = unwind(hand.work(), hand.host.facts.boot_id);
  for (const Trouble& trouble : result.troubles) say(hand.life.talk, trouble.error);
  if (result.refused) stay_up(hand, before);
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
