// os/command.h: commands are words to the world. "fail X" fails, "signal X" dies of a signal, "hang
// X" does not end, "daemon X" and "stubborn X" leave a process behind; all others succeed. That one
// ran is a row of the table.
#include "os/command.h"

#include <map>
#include <poll.h>
#include <signal.h>

#include "tests/fake/world.h"

namespace jail {

using fake::effect;
using fake::Table;
using fake::Thing;

namespace {

void (*hearer)(bool, const Words&) = nullptr;

struct Running1 {
  Ended ended;
  bool hangs = false;
};
std::map<pid_t, Running1>& running() {
  static std::map<pid_t, Running1> all;
  return all;
}
pid_t next_command = 500'000'000;  // no process has such a number

// Where it would run, or why it cannot.
Result<std::string> group_of(const Command& command) {
  const int group = command.inside ? command.inside->group : command.group;
  const std::string name = fake::name_of(group, Thing::group);
  if (group >= 0 && !fake::look_for({"group", name})) return fail_errno("group " + name, ENOENT);
  if (!command.inside) {
    if (command.view >= 0 && !fake::look_for({"view", fake::name_of(command.view, Thing::view)}))
      return fail_errno("view", ENOENT);
    return name.empty() ? "caller" : name;
  }
  Words process = split(fake::name_of(command.inside->process1, Thing::process), " ");
  process.insert(process.begin(), "process");
  if (process.size() != 3 || !fake::look_for(process))
    return fail_errno(command.texts.attach, EINVAL);
  return name;
}

}  // namespace

void fake::on_command(void (*hear)(bool in_jail, const Words& argv)) {
  hearer = hear;
}

Running& Running::operator=(Running&& other) noexcept {
  pid = std::exchange(other.pid, -1);
  pidfd = std::move(other.pidfd);
  return *this;
}

void Running::end() {
  pid = -1;
}

Result<Running> start_command(const Command& command) {
  const std::string group = TRY(group_of(command));
  const std::string& what = command.argv.at(0);
  TRY(effect("command", [&](Table& table) -> Result<void> {
    table.add({"ran", command.inside ? "jail" : "host", join(command.argv, " ")});
    if (what == "daemon" || what == "stubborn" || what == "hang" || command.background)
      fake::add_process(table, group, {what == "stubborn" ? "stubborn" : "daemon"});
    return {};
  }));
  if (hearer) hearer(command.inside.has_value(), command.argv);
  if (command.background) return Running();
  Running1& one = running()[++next_command];
  one.hangs = what == "hang";
  one.ended.status = what == "fail" ? 1 << 8 : what == "signal" ? SIGKILL : 0;
  return Running(next_command, Fd());
}

Result<Ended> wait_command(Running& waited, int64_t timeout, int stop_fd) {
  if (waited.pid < 0) return Ended{};
  const Running1 one = running()[waited.pid];
  waited.pid = -1;
  if (fake::point("wait for command", fake::Side::looks)) return fail_errno("wait", EIO);
  if (!one.hangs) return one.ended;
  if (timeout >= 0) return Ended{true, 0};
  if (stop_fd < 0) return fail(EDEADLK, "a command that never ends, and nobody to stop it");
  pollfd stop{stop_fd, POLLIN, 0};
  while (::poll(&stop, 1, -1) < 0 && errno == EINTR) continue;
  return fail_errno("wait", ECANCELED);
}

Result<int> relay_command(const Command& /*command*/) {
  return fail_errno("relay", ENOTSUP);
}

void end_like(int status) {
  _exit(status);
}

Result<void> fill_standard_descriptors() {
  return {};
}

}  // namespace jail
