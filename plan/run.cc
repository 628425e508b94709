// Running the command lists of a Spec (J4.4): on the host in the view, or in the jail.
#include <algorithm>
#include <climits>
#include <cstdlib>
#include <fmt/format.h>
#include <signal.h>

#include "base/file.h"
#include "base/sys.h"
#include "os/command.h"
#include "os/kernel.h"
#include "os/root.h"
#include "plan/claims.h"
#include "plan/command_line.h"
#include "plan/life.h"
#include "plan/privileges.h"

namespace jail {

namespace {

// Where the commands of one list run, opened once.
struct Venue {
  bool in_jail = false;
  Fd view, group, process1;
  std::string group_path;  // for leaves of commands with a time limit
};

// Commands in the jail get none of JPATH, JID and JNAME, as on FreeBSD; those on the host also with
// exec.clean (J4.4).
void fill_identity(const Life& life, bool in_jail, Identity& identity) {
  const Spec& spec = *life.hooks;
  identity.clean = spec.exec_clean.value_or(false);
  if (in_jail) {
    identity.user = spec.exec_jail_user.value_or("");
    identity.user_of_host = spec.exec_system_jail_user.value_or(false);
    return;
  }
  identity.user = spec.exec_system_user.value_or("");
  identity.set.push_back("JPATH=" + life.spec->path.value_or(""));
  if (life.jid_known) identity.set.push_back(fmt::format("JID={}", life.jid));
  std::string name = life.spec->name.value_or(life.jid_known ? fmt::format("{}", life.jid) : "");
  if (!name.empty()) identity.set.push_back("JNAME=" + name);
}

// What a wait came to, as J4.4 words it; empty: success.
std::string verdict(const Ended& ended) {
  if (ended.timed_out) return "timed out";
  if (WIFSIGNALED(ended.status)) return fmt::format("exited on signal {}", WTERMSIG(ended.status));
  return WEXITSTATUS(ended.status) == 0 ? "" : "failed";
}

// Waits for a foreground command and judges it. One that runs out of time is ended with all that it
// started, which is in a group of its own. One of a start that is given up must not go on beside
// the commands that undo it; without a group of its own that is all that its phase has started.
Result<void> judge(World& world, const Venue& venue, Running& running, const std::string& shown,
                   const std::string& leaf) {
  const Life& life = *world.life;
  int64_t limit = std::min<int64_t>(life.hooks->exec_timeout.value_or(0), INT_MAX);
  Result<Ended> ended = wait_command(running, limit > 0 ? limit * 1000 : -1, life.talk.stop_fd);
  bool over = !ended || ended->timed_out;
  if (over && !leaf.empty())
    ignore(kill_group(world.facts, leaf), "the rollback ends the jail's group as a whole");
  if (!ended && leaf.empty() && !venue.in_jail)
    ignore(kill_group(world.facts, venue.group_path), "the shell at least dies with `running`");
  if (ended && over && leaf.empty()) running.pid = -1;  // FreeBSD leaves it running
  if (!leaf.empty())
    ignore(remove_group(world.facts, leaf), "what went to the background keeps it");
  if (!ended) return std::unexpected(std::move(ended.error()));
  std::string text = verdict(*ended);
  if (text.empty()) return {};
  return fail(EIO, shown + ": " + text);
}

// A group for one command, so that running out of time ends that command with all its children and
// nothing else. Our process number is in its name: what an earlier one left running keeps its own.
Result<Fd> leaf_group(World& world, const Venue& venue, size_t number, std::string& leaf) {
  leaf = fmt::format("{}/c{}.{}", venue.group_path, getpid(), number);
  TRY(make_group(world.facts, leaf));
  return open_group(world.facts, leaf);
}

// A start ends with the coordinator. An undo goes on without it.
Result<void> take_or_go_on(const Life& life, Turn turn) {
  Result<void> taken = take_turn(life.talk, turn);
  return life.going_on ? Result<void>() : taken;
}

Result<void> run_one(World& world, const Venue& venue, const CommandLine& line, size_t number) {
  const Life& life = *world.life;
  if (life.talk.verbose) {
    const auto& user = venue.in_jail ? life.hooks->exec_jail_user : life.hooks->exec_system_user;
    life.talk.note(fmt::format("run command{}{}: {}", venue.in_jail ? " in jail" : "",
                               user ? " as " + *user : "", line.shown));
  }
  Command command;
  command.argv = line.argv;
  fill_identity(life, venue.in_jail, command.identity);
  command.background = line.background;
  command.fail_prefix = life.talk.name.empty() ? "jail: " : "jail: " + life.talk.name + ": ";
  Fd log, leaf_directory;
  std::string leaf;
  if (venue.in_jail && life.hooks->exec_consolelog && !life.hooks->exec_consolelog->empty()) {
    log = TRY(open_log(world.path, *life.hooks->exec_consolelog));
    command.output = log.get();
  }
  int group = venue.group.get();
  if (!line.background && life.hooks->exec_timeout.value_or(0) > 0 && !strict()) {
    leaf_directory = TRY(leaf_group(world, venue, number, leaf));
    group = leaf_directory.get();
  }
  if (venue.in_jail) {
    command.all_processors = true;
    command.inside = Inside{venue.process1.get(), group, rights_of(*life.spec)};
  } else {
    command.view = venue.view ? venue.view.get() : -1;
    command.group = group;
  }
  if (!line.background) TRY(take_or_go_on(life, Turn::command));
  Result<Running> running = start_command(command);
  if (line.background)
    return running ? Result<void>() : std::unexpected(std::move(running.error()));
  Result<void> result = running ? judge(world, venue, *running, line.shown, leaf)
                                : std::unexpected(std::move(running.error()));
  // Also for one that could not be started: the coordinator would keep its slot for ever.
  TRY(take_or_go_on(life, Turn::ended));
  return result;
}

// Runs the words in order. A start ends at the first failure. An undo reports it and goes on, but
// for the guards that end a stop (Life::going_on).
Result<void> run_lines(World& world, const Venue& venue, const Words& words) {
  Result<void> first;
  for (size_t i = 0; i < words.size(); ++i) {
    std::optional<CommandLine> line = parse_command(words[i]);
    if (!line) continue;
    Result<void> ran = run_one(world, venue, *line, i);
    if (ran) continue;
    if (!world.life->going_on) return ran;
    world.life->talk.error(ran.error().text);
    if (first) first = fail(ran.error().code, "");
  }
  return first;
}

// By process 1 as `boot` has yielded it, and not by jid: the jail may have ended meanwhile.
Result<Venue> inside(World& world) {
  Venue venue;
  venue.in_jail = true;
  Result<Fd> pidfd = open_process1(process1_of(world.yields["boot"]));
  if (!pidfd) return fail_errno("jail_attach", EINVAL);
  venue.process1 = std::move(*pidfd);
  venue.group_path = world.group + "/jail/run";
  venue.group = TRY(open_group(world.facts, venue.group_path));
  return venue;
}

Result<Venue> outside(World& world, const char* phase) {
  Venue venue;
  venue.group_path = hook_group(world, phase);
  TRY(make_group(world.facts, venue.group_path));
  venue.group = TRY(open_group(world.facts, venue.group_path));
  // Before and after the view a hook runs on the host; never because the view cannot be opened just
  // now.
  Result<Fd> view = open_view(world.run, world.id);
  if (!view && view.error().code != ENOENT) return std::unexpected(std::move(view.error()));
  if (view) venue.view = std::move(*view);
  return venue;
}

}  // namespace

std::string hook_group(const World& world, const char* phase) {
  return fmt::format("{}/{}.hook/{}", world.base, world.id, phase);
}

Result<void> run_on_host(World& world, const char* phase, const Words& words) {
  if (words.empty()) return {};
  return run_lines(world, TRY(outside(world, phase)), words);
}

Result<void> run_in_jail(World& world, const Words& words) {
  if (words.empty()) return {};
  return run_lines(world, TRY(inside(world)), words);
}

Result<void> run_vector(World& world, const Words& argv) {
  if (argv.empty()) return {};
  return run_one(world, TRY(inside(world)), command_of(argv), 0);
}

}  // namespace jail
