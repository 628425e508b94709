#include "plan/init.h"

#include <algorithm>
#include <climits>
#include <fmt/format.h>

#include "base/file.h"
#include "base/sys.h"
#include "base/table.h"
#include "os/handed.h"
#include "os/kernel.h"
#include "os/verbs.h"
#include "os/wardens.h"
#include "plan/claims.h"
#include "plan/create.h"
#include "plan/hand.h"

namespace jail {

namespace {

constexpr int64_t most_quick = 5;          // restarts in a row that were too quick: given up then
constexpr int64_t longest_pause = 30;      // seconds before one of them
constexpr int64_t stop_grace = 5;          // seconds beyond what process 1 itself may take
constexpr int64_t default_shutdown = 120;  // N6.2

// A packet of process 1: its first word, and the text behind it.
struct Answer {
  std::string word, text;
};

Result<Answer> hear(int socket) {
  char packet[4096];
  const ssize_t size = sys::recv(socket, packet, sizeof packet, 0);
  if (size <= 0) return fail_errno("process 1", size < 0 ? errno : EPIPE);
  // It is our program that speaks, in a jail that is not ours: no control characters.
  std::string text(packet, static_cast<size_t>(size));
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, '?');
  const size_t blank = text.find(' ');
  return Answer{text.substr(0, blank), blank == std::string::npos ? "" : text.substr(blank + 1)};
}

// How process 1 ended during a start.
Result<void> judge_end(World& world) {
  for (int waited = 0; waited < 50; ++waited) {
    Result<std::optional<std::string>> how = hear_warden(world);
    if (!how) return std::unexpected(std::move(how.error()));
    if (*how == "restart") return fail(asks_for_reboot, "init: the jail asks to be booted again");
    if (*how == "halt") return fail(ECHILD, "init: the jail was halted during its start");
    if (*how) return fail(ECHILD, "init: process 1 has ended during the start");
    sys::poll(nullptr, 0, 100);
  }
  return fail(ECHILD, "init: process 1 has ended");
}

Result<void> judge_rc(const Life& life, const Answer& answer) {
  if (answer.word == "ok") return {};
  if (answer.word == "single") {
    life.talk.error("rc has failed; the jail is in single user mode");
    return {};
  }
  return fail(EIO, answer.word == "failed"
                       ? "rc has failed" + (answer.text.empty() ? "" : ": " + answer.text)
                       : "init: " + answer.word + " " + answer.text);
}

Result<void> await_rc(World& world, int socket) {
  const Life& life = *world.life;
  pollfd news[] = {{socket, POLLIN, 0}, {life.talk.stop_fd, POLLIN, 0}};
  int ready;
  do ready = sys::poll(news, 2, -1);
  while (ready < 0 && errno == EINTR);
  if (ready < 0) return fail_errno("init");
  if (news[0].revents == 0) return fail_errno("start", ECANCELED);
  Result<Answer> answer = hear(socket);
  if (!answer && answer.error().code == EPIPE) return judge_end(world);
  if (!answer) return std::unexpected(std::move(answer.error()));
  if (answer->word == "single") world.life->failed = true;
  return judge_rc(life, *answer);
}

// What an end of process 1 is to bring.
const std::optional<std::string>& policy_of(const Spec& spec, const std::string& how) {
  if (how == "restart") return spec.init_on_reboot;
  if (how == "halt") return spec.init_on_halt;
  return how == "exit" ? spec.init_on_exit : spec.init_on_crash;
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
  }
}

// The start of a jail that was up before: process 1, rc, and a place in the sun.
Result<void> restart(Hand& hand) {
  for (int64_t tries = 0;; ++tries) {
    TRY(boot_again(hand));
    Result<void> booted = boot_init(hand.world);
    if (booted || booted.error().code != asks_for_reboot || tries >= most_quick) {
      if (booted) TRY(hand.ledger->set_mark({"up"}));
      if (booted) TRY(tell_warden(hand.world, "up"));
      return booted;
    }
  }
}

bool remove(Hand& hand) {
  hand.life.rolling_back = true;  // there is nothing to be guarded any more
  return clean_up(hand);
}

// Slower each time, and in the end not at all: the jail then stays as it is, for somebody to look
// at.
Result<bool> slow_down(Hand& hand, int64_t quick) {
  if (quick > most_quick) {
    hand.life.talk.error(fmt::format("init: {} starts in a row have failed: given up", quick));
    TRY(boot_again(hand));
    TRY(hand.ledger->set_mark({"up", "given-up", fmt::format("{}", quick)}));
    TRY(tell_warden(hand.world, "up"));
    return false;
  }
  if (quick > 1) {
    pollfd stop{hand.life.talk.stop_fd, POLLIN, 0};
    const int64_t pause = std::min(longest_pause, int64_t{1} << (quick - 2));
    if (sys::poll(&stop, 1, static_cast<int>(pause * 1000)) > 0)
      return fail_errno("start", ECANCELED);
  }
  return true;
}

}  // namespace

Result<void> boot_init(World& world) {
  Fd socket = TRY(call_process1(world.run, world.id, "boot"));
  TRY(take_turn(world.life->talk, Turn::command));
  Result<void> done = await_rc(world, socket.get());
  TRY(take_turn(world.life->talk, Turn::ended));
  return done;
}

Result<void> stop_init(World& world) {
  const Life& life = *world.life;
  Fd process1 = TRY(open_process1(process1_of(world.yields["boot"])));
  if (life.talk.verbose) life.talk.note("asked its init to shut down");
  Fd socket = TRY(call_process1(world.run, world.id, "stop"));
  int64_t most = life.spec->init_shutdown_timeout.value_or(default_shutdown);
  if (most < 2) most = default_shutdown;
  most = std::min<int64_t>(most + life.stop_timeout + stop_grace, INT_MAX / 1000);
  ignore(take_turn(life.talk, Turn::waits), "an undo goes on without the coordinator");
  Result<bool> ended = await_end(process1.get(), static_cast<int>(most * 1000), -1);
  ignore(take_turn(life.talk, Turn::ended), "an undo goes on without the coordinator");
  return ended ? Result<void>() : std::unexpected(std::move(ended.error()));
}

Result<Fd> call_init(const Host& host, const FoundJail& jail, const std::string& request) {
  return call_process1(host.places.run, jail.id, request);
}

Result<void> boot_again(Hand& hand) {
  const Act* act = hand.ledger->newest("boot");
  const Verb* verb = find_row(os_verbs(), "boot");
  if (!act || !verb) return fail(EINVAL, "boot: not in the ledger");
  const Op op = act->op;
  TRY(hand.ledger->set_mark({"reboot"}));
  stop_children(hand.world);
  TRY(verb->undo(hand.world, op));
  Words yield = TRY(verb->apply(hand.world, op));
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
  const std::string policy =
      policy_of(hand.spec, how).value_or(how == "restart" ? "restart" : "remove");
  Result<bool> go_on = policy == "restart" ? slow_down(hand, quick) : Result<bool>(true);
  if (go_on && !*go_on) return 0;
  Result<void> done;
  if (!go_on) done = std::unexpected(std::move(go_on.error()));
  if (done && policy == "remove") return remove(hand) ? 0 : 1;
  if (done && policy == "stay") {
    done = boot_again(hand);
    if (done) done = hand.ledger->set_mark({"up"});
    if (done) done = tell_warden(hand.world, "up");
  } else if (done) {
    done = restart(hand);
  }
  if (done) return 0;
  say(hand.life.talk, done.error());
  remove(hand);
  return 1;
}

}  // namespace jail
