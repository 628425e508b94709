// The kill matrix (tests/kill/matrix.h) of some jails, each shared among the processors.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fake/lives.h"
#include "tests/kill/matrix.h"

namespace jail::kill {
namespace {

constexpr size_t share = 2;  // processes

// One part, as text of numbers and a line for each thing that went wrong.
std::string try_part(Scenario (*make)(const std::string&), size_t part) {
  const Fd nothing(open("/dev/null", O_WRONLY | O_CLOEXEC));
  (void)dup2(nothing.get(), STDOUT_FILENO);
  (void)dup2(nothing.get(), STDERR_FILENO);  // thousands of commands complain
  fake::World world;
  const Scenario scenario = make(world.path);
  const Tally tally = try_matrix(world.path, scenario, part, share);
  return fmt::format("{} {} {} {} {}\n{}", tally.places, tally.states, tally.seconds, tally.pairs,
                     tally.recovered, join(tally.wrong, "\n"));
}

Fd start_part(Scenario (*make)(const std::string&), size_t part) {
  int ends[2];
  if (pipe(ends) != 0) return Fd();
  Fd reads(ends[0]), writes(ends[1]);
  if (fork() != 0) return reads;
  const std::string text = try_part(make, part);
  _exit(write(writes.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
}

std::string rest_of(const Fd& fd) {
  std::string text;
  char chunk[4096];
  for (ssize_t size; (size = read(fd.get(), chunk, sizeof chunk)) > 0;)
    text.append(chunk, static_cast<size_t>(size));
  return text;
}

void try_whole(Scenario (*make)(const std::string&)) {
  std::vector<Fd> parts;
  for (size_t part = 0; part < share; ++part) parts.push_back(start_part(make, part));
  std::vector<int64_t> sum(5);
  for (const Fd& part : parts) {
    const std::string text = rest_of(part);
    const Words numbers = split(text.substr(0, text.find('\n')), " ");
    ASSERT_EQ(numbers.size(), sum.size()) << "a part ended early";
    for (size_t i = 0; i < sum.size(); ++i)
      sum[i] = (i < 2 ? 0 : sum[i]) + parse_int(numbers[i]).value();
    const std::string wrong = text.substr(text.find('\n') + 1);
    if (!wrong.empty()) ADD_FAILURE() << wrong;
  }
  while (wait(nullptr) > 0) continue;
  fmt::print(
      "{} faults of a command led to {} states; {} pairs with a fault of its recovery (tried from "
      "each state "
      "once: {}); {} recoveries\n",
      sum[0], sum[1], sum[3], sum[2], sum[4]);
  EXPECT_GT(sum[0], 30);
}

Scenario start_of_everything(const std::string& path) {
  return {"web", fake::everything(path), {}, Kind::start};
}
Scenario stop_of_everything(const std::string& path) {
  return {"web", fake::everything(path), {}, Kind::stop};
}

// It shares an address with a jail that stays up, and does not persist.
Scenario shared(const std::string& path, Kind first) {
  std::string conf = fmt::format(
      "* {{ path = \"{}\"; ip4.addr = 'em0|192.0.2.9/24'; exec.start = 'daemon it'; }}\n", path);
  conf += "other { jid = 5; persist; }\n";
  conf +=
      "web { jid = 7; ip4.addr += 'em0|192.0.2.10/24'; exec.prepare = 'say prepare'; exec.release "
      "= 'say release'; }\n";
  return {"web", conf, {"other"}, first};
}
Scenario start_of_shared(const std::string& path) {
  return shared(path, Kind::start);
}
Scenario stop_of_shared(const std::string& path) {
  return shared(path, Kind::stop);
}

Scenario nested(const std::string& path, const char* name, Kind first, const Words& started,
                const Words& inside) {
  const std::string hooks = "exec.prepare = 'say prepare'; exec.release = 'say release';";
  const std::string conf = fmt::format(
      "* {{ path = \"{}\"; persist; }} \"{}\" {{ {} }}\n"
      "a {{ jid = 7; }} a.b {{ jid = 8; vnet; vnet.interface = em1; exec.start = 'daemon it'; }}\n",
      path, name, hooks);
  return {name, conf, started, first, inside};
}
Scenario stop_of_parent(const std::string& path) {
  return nested(path, "a", Kind::stop, {}, {"a.b"});
}
Scenario start_of_child(const std::string& path) {
  return nested(path, "a.b", Kind::start, {"a"}, {});
}

TEST(KillMatrix, AStopOfAJailWithAnotherInIt) {
  try_whole(stop_of_parent);
}
TEST(KillMatrix, AStartOfAJailInAnother) {
  try_whole(start_of_child);
}
TEST(KillMatrix, AStartOfAJailWithEverything) {
  try_whole(start_of_everything);
}
TEST(KillMatrix, AStopOfAJailWithEverything) {
  try_whole(stop_of_everything);
}
TEST(KillMatrix, AStartOfAJailThatSharesAnAddress) {
  try_whole(start_of_shared);
}
TEST(KillMatrix, AStopOfAJailThatSharesAnAddress) {
  try_whole(stop_of_shared);
}

}  // namespace
}  // namespace jail::kill
