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
#include "os/kernel.h"
#include "os/process1.h"
#include "os/root.h"
#include "os/wardens.h"
#include "plan/claims.h"
#include "plan/create.h"
#include "plan/reboot.h"

namespace jail {

namespace {

constexpr int end_wait = 5'000;     // ms, until the warden has said how process 1 ended
constexpr int status_wait = 5'000;  // ms, for an answer that needs no waiting
constexpr int heed_pause = 20;      // ms until the next look whether a signal is heeded
constexpr int heed_wait = 10'000;   // ms, after which it is sent all the same
constexpr int64_t stop_grace = 5;   // seconds beyond what process 1 itself may take

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
  if (how == "halt") return fail(asks_for_halt, "init: the jail was halted during its start");
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

}  // namespace

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

bool init_says(const std::string& run, const std::string& id, std::string_view state) {
  Result<Fd> socket = call_process1(run, id, "status");
  if (!socket) return false;
  pollfd news{socket->get(), POLLIN, 0};
  if (sys::poll(&news, 1, status_wait) <= 0) return false;
  Result<Answer> answer = hear(socket->get());
  return answer && answer->word == "ok" && answer->text == state;
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

Result<Fd> call_init(const Host& host, const FoundJail& jail, const std::string& request) {
  const Index index = TRY(read_index(host.places));
  if (const JailEntry* entry = index.by_id(jail.id))
    keep_warden(host, *entry, {.quiet = true, .name = jail.name});
  return call_process1(host.places.run, jail.id, request);
}

}  // namespace jail
