// What the tools of s6 and runit see and send: the files byte for byte, as these programs' own
// supervisors have written them.
#include <csignal>
#include <gtest/gtest.h>
#include <set>
#include <string>

#include "sup/supervisor_tools.h"

namespace jail {
namespace {

using Phase = ToolMarks::Phase;
using Kind = ToolRequest::Kind;

std::string hex(const StatusFile& file, size_t from, size_t size) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = from; i < from + size; ++i) {
    text += digits[file[i] >> 4];
    text += digits[file[i] & 15];
  }
  return text;
}

constexpr WallTime noon = {1'795'361'761, 0x0e3e6a6c};
const ServiceLife alive = {.state = ServiceState::up, .pid = 0x0b60, .goal = true};

TEST(SupervisorTools, AFileForS6) {
  const StatusFile file =
      status_file(Tools::s6, alive, {.changed = noon, .ready_since = {0, 0}, .phase = Phase::runs});
  EXPECT_EQ(hex(file, 0, 12), "400000006b030c060e3e6a6c");
  EXPECT_EQ(hex(file, 12, 12), "400000000000002500000000");
  EXPECT_EQ(hex(file, 24, 11), "0000000000000b60000004");
}

TEST(SupervisorTools, AFileForRunitIsOneForS6BehindTheTimes) {
  const StatusFile file = status_file(Tools::runit, alive, {.changed = noon, .phase = Phase::runs});
  EXPECT_EQ(hex(file, 0, 20), "400000006b030beb0e3e6a6c600b000000750001");
  EXPECT_EQ(hex(file, 24, 11), "0000000000000b60000004");
  EXPECT_EQ(status_file(Tools::both, alive, {.changed = noon, .phase = Phase::runs}), file);
}

TEST(SupervisorTools, FlagsSayWhatIsWantedAndWhatIs) {
  const auto flags = [](const ServiceLife& life, const ToolMarks& marks) {
    return int{status_file(Tools::s6, life, marks)[34]};
  };
  EXPECT_EQ(flags(alive, {.phase = Phase::runs, .ready = true}), 4 + 8);
  EXPECT_EQ(flags(alive, {.phase = Phase::runs, .paused = true}), 4 + 1);
  EXPECT_EQ(flags({.finishing = true}, {.phase = Phase::finishes}), 2);
  ServiceLife life = alive;
  life.once = true;
  EXPECT_EQ(flags(life, {.phase = Phase::runs}), 0);
  EXPECT_EQ(flags({.state = ServiceState::failed, .goal = true}, {.ready = true}), 8);
  EXPECT_EQ(flags({.state = ServiceState::backoff, .goal = true}, {.ready = true}), 8 + 4);
}

TEST(SupervisorTools, AnEndIsAWaitStatus) {
  const auto end = [](ExitStatus status) {
    return hex(status_file(Tools::s6, {.status = status}, {}), 32, 2);
  };
  EXPECT_EQ(end({.code = 3}), "0300");
  EXPECT_EQ(end({.signal = 9}), "0009");
  const auto record = death_record({.signal = 15}, noon);
  EXPECT_EQ(record[12], 0);
  EXPECT_EQ(record[13], 15);
}

TEST(SupervisorTools, ALifeIsToldLetterByLetter) {
  ToolMarks marks = {.ready = true};
  std::string all;
  const auto tell = [&](const ServiceLife& life) {
    const ToolNews news = renew(marks, life, true, noon);
    all += news.letters;
    all += news.death ? "! " : " ";
  };
  tell({.state = ServiceState::starting});
  tell({.state = ServiceState::starting, .pid = 7});
  tell({.state = ServiceState::up, .pid = 7});
  marks.paused = true;
  tell({.state = ServiceState::up, .pid = 7});
  tell({.state = ServiceState::stopping, .finishing = true});
  tell({.state = ServiceState::stopping, .pid = 8, .finishing = true});
  tell({.state = ServiceState::failed, .finish_says_no = true});
  EXPECT_EQ(all, " u U  d!  OD ");
  EXPECT_FALSE(marks.paused);
}

TEST(SupervisorTools, AnEndWithoutFinishIsBoth) {
  ToolMarks marks = {.phase = Phase::runs};
  EXPECT_STREQ(renew(marks, {.state = ServiceState::backoff}, false, noon).letters, "dD");
  EXPECT_TRUE(marks.ready);
  EXPECT_STREQ(renew(marks, {.state = ServiceState::up, .pid = 5}, false, noon).letters, "u");
  EXPECT_FALSE(marks.ready);
}

TEST(SupervisorTools, LettersThatNobodySendsMeanNothing) {
  const std::set<char> s6 = {'a', 'b', 'q', 'h', 'k', 't', 'i', '1', '2', 'p', 'c',
                             'y', 'r', 'o', 'd', 'u', 'D', 'U', 'x', 'O', 'Q'};
  for (int c = -128; c < 128; ++c) {
    const char letter = static_cast<char>(c);
    EXPECT_EQ(request_of(letter, Tools::s6).kind != Kind::nothing, s6.contains(letter)) << c;
  }
  EXPECT_EQ(request_of('r', Tools::runit).kind, Kind::nothing);
  EXPECT_EQ(request_of('y', Tools::both).signal, SIGWINCH);
  EXPECT_EQ(request_of('D', Tools::s6).mark_down, 1);
  EXPECT_EQ(request_of('U', Tools::s6).mark_down, -1);
}

}  // namespace
}  // namespace jail
