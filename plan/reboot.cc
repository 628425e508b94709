#include "plan/reboot.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/sys.h"
#include "base/text.h"
#include "os/handed.h"
#include "os/kernel.h"
#include "os/wardens.h"
#include "plan/claims.h"
#include "plan/create.h"
#include "plan/hand.h"
#include "plan/init.h"
#include "plan/plan.h"
#include "plan/registry.h"
#include "plan/verbs.h"

namespace jail {

namespace {

constexpr int end_wait = 5'000;        // ms, for a process 1 that does not listen any more
constexpr int64_t longest_pause = 30;  // seconds before a restart that follows others
constexpr int warden_wait = 2'000, warden_look = 10;  // ms, for a living warden's command

// What ended the last life of an init, and how many in a row before it were in vain. As long as it
// is booted again the ledger has both, for whoever has to go on with it.
struct Cause {
  std::string how;
  int64_t quick = 0;
};

// Whether the jail was up, and neither a stop nor an undo has begun since.
bool was_up(const Hand& hand) {
  const Words& mark = hand.ledger->mark();
  return !mark.empty() && mark[0] != "down" &&
         hand.ledger->head().boot_id == hand.host.facts.boot_id;
}

// A boot that was cut short counts as one in vain.
Cause cause_of(const Hand& hand) {
  const Words& mark = hand.ledger->mark();
  Cause cause{word_of_the_end(hand.world)};
  if (mark[0] != "reboot" || mark.size() < 3) return cause;
  if (cause.how == "crash") cause.how = mark[1];
  cause.quick = parse_int(mark[2]).value_or(0) + 1;
  return cause;
}

// The jail's record once nobody else works on it. False: somebody stops it, or it is no more.
Result<bool> take_ended(Hand& hand, const std::string& id) {
  for (;;) {
    const Index index = TRY(read_index(hand.host.places));
    const JailEntry* entry = index.by_id(id);
    if (!entry) return false;
    Talk talk;
    talk.name = entry->name;
    talk.quiet = true;
    Result<void> taken = take_over(hand, *entry, talk);
    if (taken) return true;
    if (taken.error().code == ENOENT) return false;
    if (taken.error().code != EBUSY) return std::unexpected(std::move(taken.error()));
    Result<Status> status = jail_status(id);
    if (status && *status == Status::stopping) return false;
    Result<LifeHolder> holder = life_holder(hand.host.places, id);
    if (holder) (void)TRY(await_end(holder->pidfd.get(), 1000, -1));
    if (!holder) TRY(look_again(talk, 2));  // it has not said yet who it is
  }
}

bool remove(Hand& hand) {
  hand.life.rolling_back = true;  // there is nothing to be guarded any more
  return clean_up(hand);
}

Result<void> is_up_again(Hand& hand, const Words& mark) {
  TRY(hand.ledger->set_mark(mark));
  return tell_warden(hand.world, "up");
}

Result<void> renew_warden(Hand& hand, bool living) {
  const Op op = hand.ledger->newest("warden")->op;
  const Process1 process1 = process1_of(hand.ledger->yielded("boot"));
  const Act* linked = hand.ledger->newest("link");
  const std::string link = linked ? linked->op.args[0] : "";
  const Words yield = TRY(replace_warden(hand.world, op, has_console(hand.spec) ? &link : nullptr,
                                         living ? &process1 : nullptr));
  return hand.ledger->done_again(op, yield);
}

// A warden that was killed meanwhile has a successor, whose child the next process 1 is.
Result<void> boot_by_a_warden(Hand& hand, const Cause& cause) {
  TRY(hand.ledger->set_mark({"reboot", cause.how, fmt::format("{}", cause.quick)}));
  Result<void> booted = boot_again(hand);
  if (booted || booted.error().code != EPIPE) return booted;
  TRY(renew_warden(hand, false));
  return boot_again(hand);
}

// In reaping mode, for somebody to look at.
Result<void> sit(Hand& hand, const Cause& cause, const Words& mark) {
  TRY(boot_by_a_warden(hand, cause));
  return is_up_again(hand, mark);
}

// Before the restart that follows `quick` others: longer each time.
Result<void> pause_before(const Talk& talk, int64_t quick) {
  pollfd stop{talk.stop_fd, POLLIN, 0};
  const int64_t pause = quick > 1 ? std::min(longest_pause, int64_t{1} << (quick - 2)) : 0;
  if (pause > 0 && sys::poll(&stop, 1, static_cast<int>(pause * 1000)) > 0)
    return fail_errno("start", ECANCELED);
  return {};
}

const char* how_of(const Error& error) {
  if (error.code == asks_for_reboot) return "restart";
  return error.code == asks_for_halt ? "halt" : "crash";
}

// The start of a jail that was up before. What goes wrong with it is an end of process 1 like
// others.
Result<void> restart(Hand& hand, Cause cause) {
  for (; cause.quick <= most_restarts; ++cause.quick) {
    TRY(pause_before(hand.life.talk, cause.quick));
    TRY(boot_by_a_warden(hand, cause));
    Result<void> booted = boot_init(hand.world);
    if (booted) return is_up_again(hand, {"up"});
    cause.how = how_of(booted.error());
    const std::string policy = policy_of(hand.spec, cause.how);
    if (booted.error().code == ECANCELED || policy == "remove") return booted;
    say(hand.life.talk, booted.error());
    if (policy == "stay") return sit(hand, cause, {"up"});
  }
  hand.life.talk.error(fmt::format("init: given up after {} restarts in a row", most_restarts));
  return sit(hand, cause, {"up", "given-up"});
}

// What init.on_* say for this end, but for "remove", which is the caller's.
Result<void> live_on(Hand& hand, const Cause& cause) {
  const bool stays = policy_of(hand.spec, cause.how) == "stay";
  return stays ? sit(hand, cause, {"up"}) : restart(hand, cause);
}

Result<void> keep_warden_of(Hand& hand) {
  if (!hand.ledger->newest("warden") || TRY(warden_lives(hand.world))) return {};
  return renew_warden(hand, true);
}

// What init.on_* say for an end that nobody has seen, or only a warden whose command was slower
// than we, or was killed, be it in the middle of a boot. False: the jail is to be undone, also
// where booting it again has failed, which is said.
Result<bool> revive(Hand& hand) {
  if (!was_up(hand) || !hand.ledger->newest("warden")) return false;
  const Cause cause = cause_of(hand);
  if (policy_of(hand.spec, cause.how) == "remove") return false;
  TRY(renew_warden(hand, false));
  Result<void> done = live_on(hand, cause);
  if (!done) say(hand.life.talk, done.error());
  return done.has_value();
}

// A boot whose command was killed, and which process 1 and its warden have brought to its end.
Result<bool> goes_on_unmarked(Hand& hand) {
  const bool maybe = was_up(hand) && hand.ledger->mark()[0] == "reboot" && !hand.spec.init_program;
  if (!maybe || !TRY(is_up(hand)) || !TRY(warden_lives(hand.world))) return false;
  if (!init_says(hand.world.run, hand.world.id, "multi_user")) return false;
  TRY(hand.ledger->set_mark({"up"}));
  return true;
}

}  // namespace

std::string policy_of(const Spec& spec, std::string_view how) {
  if (how == "restart") return spec.init_on_reboot.value_or("restart");
  if (how == "halt") return spec.init_on_halt.value_or("remove");
  return (how == "exit" ? spec.init_on_exit : spec.init_on_crash).value_or("remove");
}

Result<bool> goes_on(Hand& hand) {
  if (TRY(goes_on_unmarked(hand))) return true;
  if (!TRY(is_whole(hand))) return revive(hand);
  const Process1 process1 = process1_of(hand.ledger->yielded("boot"));
  Result<Fd> process = open_process1(process1);
  if (!process && process.error().code != ESRCH) return std::unexpected(std::move(process.error()));
  Result<void> kept = runs(process1) ? keep_warden_of(hand) : fail_errno("process 1", EPIPE);
  if (kept) return true;
  if (kept.error().code != ECONNREFUSED && kept.error().code != EPIPE)
    return std::unexpected(std::move(kept.error()));
  // It does not listen any more: it is about to end.
  if (process) (void)TRY(await_end(process->get(), end_wait, -1));
  return revive(hand);
}

void leave_to_warden(const Host& host, const JailEntry& entry) {
  for (int waited = 0; waited < warden_wait; waited += warden_look) {
    Result<Ledger> ledger = read_ledger(entry.id);
    if (!ledger || runs(process1_of(ledger->yielded("boot"))) || !is_between_lives(entry)) return;
    Result<LifeHolder> holder = life_holder(host.places, entry.id);
    if (holder || holder.error().code != ESRCH) return;
    sys::poll(nullptr, 0, warden_look);
  }
}

void keep_warden(const Host& host, const JailEntry& entry, const Talk& talk) {
  Hand hand(host);
  hand.claimed.entry = entry;
  fill_world(hand);
  if (warden_lives(hand.world).value_or(true)) return;  // or it has none
  Result<void> kept = take_over(hand, entry, talk);
  if (kept) kept = keep_warden_of(hand);
  if (!kept && kept.error().code != EBUSY) say(talk, kept.error());
}

Result<void> boot_again(Hand& hand) {
  const Act* act = hand.ledger->newest("boot");
  if (!act) return fail(EINVAL, "boot: not in the ledger");
  const Op op = act->op;
  stop_children(hand.world);
  TRY(system_boot().undo(hand.world, op));
  TRY(renew_groups(hand.world));
  Words yield = TRY(system_boot().apply(hand.world, op));
  TRY(hand.ledger->done_again(op, yield));
  hand.world.yields["boot"] = yield;
  TRY(tell_warden(hand.world, "adopted"));
  return write_shown(hand.world, yield);
}

int boot_for(const Host& host, const std::string& id) {
  Hand hand(host);
  Result<Words> born = [&]() -> Result<Words> {
    TRY(look_over(hand, id));
    const Act* act = hand.ledger->newest("boot");
    if (!act) return fail(EINVAL, "boot: not in the ledger");
    return boot_for_warden(hand.world, act->op);
  }();
  Result<void> told = answer_warden(born);
  return born && told ? 0 : 1;
}

int end_of_process1(const Host& host, const std::string& id, const std::string& how,
                    int64_t quick) {
  Hand hand(host);
  // The next process 1 has them from the warden itself; no hook is to have them.
  for (int number = handed::control; number < handed::warden; ++number) Fd unused(number);
  hand.world.warden.reset(handed::warden);
  if (sys::fcntl(handed::warden, F_SETFD, FD_CLOEXEC) != 0) return 1;
  Result<bool> ours = take_ended(hand, id);
  if (!ours) say(hand.life.talk, ours.error());
  if (!ours || !*ours) return ours ? 0 : 1;
  Result<bool> whole = is_whole(hand);
  if (whole && *whole) return 0;  // somebody has booted it by now
  Result<Fd> stop = catch_stop_signals();
  if (stop) hand.life.talk.stop_fd = stop->get();
  // What a stop or a first start has left when it was killed is to be undone, however it ended. A
  // warden that came later may not have been told how.
  const Cause cause{how == "crash" ? word_of_the_end(hand.world) : how, quick};
  if (!was_up(hand) || policy_of(hand.spec, cause.how) == "remove") return remove(hand) ? 0 : 1;
  Result<void> done = live_on(hand, cause);
  if (done) return 0;
  say(hand.life.talk, done.error());
  remove(hand);
  return 1;
}

}  // namespace jail
