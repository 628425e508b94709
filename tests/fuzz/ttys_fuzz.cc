// Fuzzes the reader of ttys(5) and what becomes of its lines: any bytes are taken, what is kept has
// its limits, and no file makes init spin. The input is two files, with a form feed between them:
// the second is what SIGHUP finds.
#include <cstdint>
#include <cstdlib>

#include "sup/sessions.h"

namespace {

bool exists(const std::string& path) {
  return path.size() % 2 == 0;
}

const jail::TtyWorld world{exists, {"console"}};

void check(bool holds) {
  if (!holds) std::abort();
}

void read_lines(std::string_view text) {
  size_t before = text.size();
  while (std::optional<jail::TtyLine> line = jail::next_tty(text, world)) {
    check(text.size() < before);
    before = text.size();
    for (const auto& field : {line->command, line->type, line->window})
      check(field.value_or("").size() <= jail::max_tty_text);
    check(line->name.size() <= jail::max_tty_text && line->group.size() <= jail::max_tty_text);
    check(line->comment.size() <= jail::max_tty_text);
    check(!line->conditional || line->command);
    for (const std::string& word : jail::tty_words(line->command.value_or("")))
      check(word.find('\0') == std::string::npos);
  }
  check(text.empty());
}

// Carries out all that is to be done at `now`; every third start fails.
void run(jail::Sessions& sessions, int64_t now) {
  static int pid = 0;
  for (size_t acts = 0; std::optional<jail::SessionAct> act = sessions.take(now); ++acts) {
    check(acts < 8 * jail::max_ttys);
    if (act->kind != jail::SessionAct::Kind::start) continue;
    check(!sessions.find(act->session)->command.empty());
    if (++pid % 3 == 0) {
      sessions.failed(act->session, jail::SessionFailure::execute, ENOENT, now);
    } else {
      sessions.started(act->session, pid);
    }
  }
  check(sessions.all().size() <= 2 * jail::max_ttys);
  check(!sessions.deadline() || *sessions.deadline() > now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_lines(text);
  (void)jail::console_is_secure(text);
  const size_t middle = std::min(text.find('\f'), size);
  jail::Sessions sessions(world);
  sessions.read(text.substr(0, middle), 0);
  run(sessions, 0);
  sessions.reread(text.substr(middle), 1000);
  run(sessions, 1000);
  for (int64_t now = 2000; now < 100'000; now += 7000) {
    const std::vector<jail::Session> all = sessions.all();
    for (const jail::Session& session : all)
      check(session.pid == 0 || sessions.ended(session.pid, now));
    run(sessions, now);
  }
  sessions.hang_up();
  run(sessions, 100'000);
  check(!sessions.deadline());
  return 0;
}
