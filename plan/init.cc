#include "plan/init.h"

#include <algorithm>
#include <climits>
#include <fmt/format.h>
#include <signal.h>

#include "base/file.h"
#include "base/harmless.h"
#include "base/sys.h"
#include "conf/import.h"
#include "conf/service_params.h"
#include "os/handed.h"
#include "os/kernel.h"
#include "os/process1.h"
#include "os/root.h"
#include "os/wardens.h"
#include "plan/claims.h"
#include "plan/create.h"
#include "plan/hand.h"
#include "plan/plan.h"
#include "plan/verbs.h"

namespace jail {

namespace {

constexpr int end_wait = 5'000;        // ms, until the warden has said how process 1 ended
constexpr int heed_pause = 20;         // ms until the next look whether a signal is heeded
constexpr int heed_wait = 10'000;      // ms, after which it is sent all the same
constexpr int64_t longest_pause = 30;  // seconds before a restart that follows others
constexpr int64_t stop_grace = 5;      // seconds beyond what process 1 itself may take

// A packet of process 1: its first word, and the text behind it.
struct Answer {
  std::string word, text;
};

Result<Answer> hear(int socket) {
  char packet[4096];
  const ssize_t size = sys::recv(socket, packet, sizeof packet, 0);
  // Reset: it has ended with our request unread.
  if (size <= 0) return fail_errno("process 1", size < 0 && errno != ECONNRESET ? errno : EPIPE);
  // It is our program that speaks, in a jail that is not ours.
  const std::string text = harmless_line({packet, static_cast<size_t>(size)});
  const size_t blank = text.find(' ');
  return Answer{text.substr(0, blank), blank == std::string::npos ? "" : text.substr(blank + 1)};
}

// How process 1 ended during a start.
Result<void> judge_end(World& world) {
  const std::string how = TRY(hear_warden(world, end_wait));
  if (how == "restart") return fail(asks_for_reboot, "init: the jail asks to be booted again");
  if (how == "halt") return fail(ECHILD, "init: the jail was halted during its start");
  return fail(ECHILD, "init: process 1 has ended during the start");
}

Result<void> judge_rc(Life& life, const Answer& answer) {
  if (answer.word == "ok") return {};
  if (answer.word == "single") {
    life.failed = true;
    life.talk.error("rc has failed; the jail is in single user mode");
    return {};
  }
  return fail(EIO, answer.word == "failed"
                       ? "rc has failed" + (answer.text.empty() ? "" : ": " + answer.text)
                       : "init: " + answer.word + " " + answer.text);
}

Result<void> await_rc(World& world, int socket) {
  Life& life = *world.life;
  pollfd news[] = {
      {socket, POLLIN, 0}, {life.talk.stop_fd, POLLIN, 0}, {world.warden.get(), POLLIN, 0}};
  while (news[0].revents == 0) {
    const int ready = sys::poll(news, std::size(news), -1);
    if (ready < 0 && errno != EINTR) return fail_errno("init");
    if (ready < 0 || news[0].revents != 0) continue;
    if (news[1].revents != 0) return fail_errno("start", ECANCELED);
    // A process 1 that has ended before it took our call leaves it in the listener's queue, which
    // the warden has too. Without a warden it is the last to have it.
    Result<void> ended = judge_end(world);
    if (ended || ended.error().code != EPIPE) return ended;
    news[2].fd = -1;
  }
  Result<Answer> answer = hear(socket);
  const bool closed = !answer && answer.error().code == EPIPE;
  if (closed && life.spec->init_program && runs(process1_of(world.yields["boot"]))) return {};
  if (closed) return judge_end(world);
  if (!answer) return std::unexpected(std::move(answer.error()));
  return judge_rc(life, *answer);
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

// One that has only just been executed has no handler yet: it would not hear of it.
Result<void> signal_program(const Spec& spec, const Process1& process1, const Fd& process,
                            int64_t end) {
  const auto signal =
      static_cast<int>(parse_signal(spec.init_stop_signal.value_or("TERM")).value_or(SIGTERM));
  end = std::min(end, now_ms() + heed_wait);
  while (!heeds(process1, signal) && now_ms() < end)
    if (TRY(await_end(process.get(), heed_pause, -1))) return {};
  return signal_process(process.get(), signal);
}

bool remove(Hand& hand) {
  hand.life.rolling_back = true;  // there is nothing to be guarded any more
  return clean_up(hand);
}

Result<void> is_up_again(Hand& hand, Words mark) {
  TRY(hand.ledger->set_mark(std::move(mark)));
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
Result<void> boot_by_a_warden(Hand& hand) {
  Result<void> booted = boot_again(hand);
  if (booted || booted.error().code != EPIPE) return booted;
  TRY(renew_warden(hand, false));
  return boot_again(hand);
}

// In reaping mode, for somebody to look at.
Result<void> sit(Hand& hand, Words mark) {
  TRY(boot_by_a_warden(hand));
  return is_up_again(hand, std::move(mark));
}

// The start of a jail that was up before: slower each time, and in the end not at all.
Result<void> restart(Hand& hand, int64_t quick) {
  if (quick > most_restarts) {
    hand.life.talk.error(fmt::format("init: {} starts in a row have failed: given up", quick));
    return sit(hand, {"up", "given-up"});
  }
  pollfd stop{hand.life.talk.stop_fd, POLLIN, 0};
  const int64_t pause = quick > 1 ? std::min(longest_pause, int64_t{1} << (quick - 2)) : 0;
  if (pause > 0 && sys::poll(&stop, 1, static_cast<int>(pause * 1000)) > 0)
    return fail_errno("start", ECANCELED);
  Result<void> booted = fail_errno("init", asks_for_reboot);
  for (int tries = 0; !booted && booted.error().code == asks_for_reboot && tries <= most_restarts;
       ++tries) {
    TRY(boot_by_a_warden(hand));
    booted = boot_init(hand.world);
  }
  TRY(std::move(booted));
  return is_up_again(hand, {"up"});
}

Result<void> keep_warden_of(Hand& hand) {
  if (!hand.ledger->newest("warden") || TRY(warden_lives(hand.world))) return {};
  return renew_warden(hand, true);
}

// What init.on_* say for an end that nobody has seen, or only a warden whose command was slower
// than we, or was killed. False: the jail is to be undone, also where booting it again has failed,
// which is said.
Result<bool> revive(Hand& hand) {
  const Words& mark = hand.ledger->mark();
  const bool was_up = !mark.empty() && mark[0] == "up";
  if (!was_up || hand.ledger->head().boot_id != hand.host.facts.boot_id) return false;
  if (!hand.ledger->newest("warden")) return false;
  const std::string policy = policy_of(hand.spec, word_of_the_end(hand.world));
  if (policy == "remove") return false;
  TRY(renew_warden(hand, false));
  Result<void> done = policy == "stay" ? sit(hand, {"up"}) : restart(hand, 0);
  if (!done) say(hand.life.talk, done.error());
  return done.has_value();
}

}  // namespace

std::string policy_of(const Spec& spec, std::string_view how) {
  if (how == "restart") return spec.init_on_reboot.value_or("restart");
  if (how == "halt") return spec.init_on_halt.value_or("remove");
  return (how == "exit" ? spec.init_on_exit : spec.init_on_crash).value_or("remove");
}

void follow_init(Spec& spec) {
  if (spec.init || !spec.exec_start) return;
  Result<Fd> root = open_root(HostPath{spec.path.value_or("/")});
  for (std::string& command : *spec.exec_start) {
    const Words words = split(command, " \t");
    if (!root || words.size() != 1 || !words.front().starts_with('/')) continue;
    if (Result<std::string> name = name_in_root(root->get(), JailPath{words.front()});
        name && *name == "jinit")
      command = "/sbin/jinit";
  }
  imply_by_init(spec);
}

int64_t shutdown_seconds(const Spec& spec) {
  constexpr int64_t usual = 120;
  const int64_t most = spec.init_shutdown_timeout.value_or(usual);
  return most < 2 ? usual : most;
}

Result<void> boot_init(World& world) {
  Fd socket = TRY(call_process1(world.run, world.id, "boot"));
  TRY(take_turn(world.life->talk, Turn::command));
  Result<void> done = await_rc(world, socket.get());
  if (done && world.life->spec->init_program) done = tell_warden(world, "serve");
  TRY(take_turn(world.life->talk, Turn::ended));
  return done;
}

Result<void> stop_init(World& world) {
  const Life& life = *world.life;
  const Process1 process1 = process1_of(world.yields["boot"]);
  Fd process = TRY(open_process1(process1));
  if (life.talk.verbose) life.talk.note("asked its init to shut down");
  int64_t most = shutdown_seconds(*life.spec);
  Fd socket;
  if (!life.spec->init_program) {
    socket = TRY(call_process1(world.run, world.id, "stop"));
    most += life.stop_timeout + stop_grace;
  }
  const int64_t end = now_ms() + std::min<int64_t>(most, INT_MAX / 1000) * 1000;
  ignore(take_turn(life.talk, Turn::waits), "an undo goes on without the coordinator");
  Result<void> asked;
  if (life.spec->init_program) asked = signal_program(*life.spec, process1, process, end);
  const auto left = static_cast<int>(asked ? std::max<int64_t>(end - now_ms(), 0) : 0);
  Result<bool> ended = await_end(process.get(), left, -1);
  ignore(take_turn(life.talk, Turn::ended), "an undo goes on without the coordinator");
  TRY(std::move(asked));
  return ended ? Result<void>() : std::unexpected(std::move(ended.error()));
}

Result<bool> goes_on(Hand& hand) {
  if (TRY(is_whole(hand))) {
    const Process1 process1 = process1_of(hand.ledger->yielded("boot"));
    Result<Fd> process = open_process1(process1);
    Result<void> kept = keep_warden_of(hand);
    if (kept) return true;
    if (kept.error().code != ECONNREFUSED && kept.error().code != EPIPE)
      return std::unexpected(std::move(kept.error()));
    // It does not listen any more: it is about to end.
    if (process) (void)TRY(await_end(process->get(), end_wait, -1));
  }
  return revive(hand);
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

Result<Fd> call_init(const Host& host, const FoundJail& jail, const std::string& request) {
  const Index index = TRY(read_index(host.places));
  if (const JailEntry* entry = index.by_id(jail.id))
    keep_warden(host, *entry, {.quiet = true, .name = jail.name});
  return call_process1(host.places.run, jail.id, request);
}

Result<void> boot_again(Hand& hand) {
  const Act* act = hand.ledger->newest("boot");
  if (!act) return fail(EINVAL, "boot: not in the ledger");
  const Op op = act->op;
  TRY(hand.ledger->set_mark({"reboot"}));
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
  // A warden that came later may not have been told.
  const std::string policy =
      policy_of(hand.spec, how == "crash" ? word_of_the_end(hand.world) : how);
  if (policy == "remove") return remove(hand) ? 0 : 1;
  Result<void> done = policy == "stay" ? sit(hand, {"up"}) : restart(hand, quick);
  if (done) return 0;
  say(hand.life.talk, done.error());
  remove(hand);
  return 1;
}

}  // namespace jail
