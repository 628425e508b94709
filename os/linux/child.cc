#include "os/linux/child.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>

#include "base/file.h"
#include "os/linux/abi.h"
#include "os/linux/waiter.h"
#include "os/posix/environment.h"
#include "os/privileges.h"

namespace jail {
namespace {

[[noreturn]] void give_up_errno(const Launch& launch, const std::string& what, int code = errno) {
  give_up(launch, fmt::format("{}: {}", what, std::strerror(code)));
}

void close_from(const Launch& launch, unsigned first, unsigned last = ~0U) {
  if (sys::close_range(first, last, 0) != 0) give_up_errno(launch, "close");
}

// Range by range: one call for each gap between those that stay, however many are open.
void close_all_but(const Launch& launch, std::array<int, 4> kept) {
  std::ranges::sort(kept);
  unsigned next = 3;
  for (int fd : kept) {
    if (fd < 3) continue;
    unsigned number = static_cast<unsigned>(fd);
    if (number > next) close_from(launch, next, number - 1);
    next = number + 1;
  }
  close_from(launch, next);
}

// From here on the jail's processes see this one. It is safe from them because it cannot be dumped
// (since before it was born: /proc/PID/fd, root and mem need ptrace access) and because nothing of
// the host that it does not need is open any more.
void enter_jail(const Launch& launch) {
  const Inside& inside = *launch.command.inside;
  close_all_but(launch, {inside.process1, launch.command.output, launch.relay, launch.terminal});
  if (sys::setns(inside.process1, launch.namespaces) != 0)
    give_up_errno(launch, launch.command.texts.attach);
  close_from(launch, static_cast<unsigned>(inside.process1),
             static_cast<unsigned>(inside.process1));
  // Keys of the host's session must not come along. A kernel without keyrings has none to hide.
  if (sys::keyctl(KEYCTL_JOIN_SESSION_KEYRING, nullptr) < 0 && errno != ENOSYS)
    give_up_errno(launch, launch.command.texts.attach);
  if (!(launch.namespaces & CLONE_NEWUSER)) return;
  // "Who we are" has no meaning in a user namespace: there we are its root, and the host's groups
  // go.
  if (sys::setgroups(0, nullptr) != 0 || sys::setresgid(0, 0, 0) != 0 ||
      sys::setresuid(0, 0, 0) != 0)
    give_up_errno(launch, launch.command.texts.attach);
}

// Best effort, as on FreeBSD (J4.4). The kernel leaves out those that a cpuset of the group does
// not have.
void widen_affinity() {
  cpu_set_t all;
  std::memset(&all, 0xff, sizeof all);
  sys::sched_setaffinity(&all);
}

void enter_view(const Launch& launch) {
  if (launch.command.view < 0) return;
  if (sys::setns(launch.command.view, CLONE_NEWNS) != 0) give_up_errno(launch, "view");
  if (sys::chdir(launch.directory.c_str()) != 0 && sys::chdir("/") != 0)
    give_up_errno(launch, "chdir /");
}

void enter_directory(const Launch& launch) {
  const Command& command = launch.command;
  std::string directory = command.directory.empty() && command.inside ? "/" : command.directory;
  if (!directory.empty() && sys::chdir(directory.c_str()) != 0)
    give_up_errno(launch, command.texts.directory + " " + directory);
}

// The user of the jail, by the jail's own files: our root is the jail's by now. Never NSS here: its
// modules and their configuration would be the jail's, run with the host's rights.
User find_in_jail(const Launch& launch) {
  const std::string& name = launch.command.identity.user;
  Fd root(sys::openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) give_up_errno(launch, "/");
  Result<std::optional<User>> found =
      name.empty() ? lookup_user(root.get(), getuid()) : lookup_user(root.get(), name);
  if (!found) give_up(launch, fmt::format("getpwnam {}: {}", name, found.error().text));
  if (!*found && !name.empty()) give_up(launch, name + ": no such user");
  if (!*found) give_up(launch, fmt::format("{} {}", launch.command.texts.unknown_uid, getuid()));
  return **found;
}

// Groups while we are root, the uid last: after it nothing of this can be changed any more.
void become_user(const Launch& launch, const User& user) {
  if (sys::setgroups(user.groups.size(), user.groups.data()) != 0)
    give_up_errno(launch, "initgroups " + user.name);
  if (sys::setresgid(user.gid, user.gid, user.gid) != 0)
    give_up_errno(launch, fmt::format("setgid {}", user.gid));
  if (sys::setresuid(user.uid, user.uid, user.uid) != 0)
    give_up_errno(launch, "setusercontext " + user.name);
  // A change of ids makes us what fs.suid_dumpable says.
  sys::prctl(PR_SET_DUMPABLE, 0);
  // Of the login class only the umask and the PATH exist here (os/posix/environment.h).
  sys::umask(022);
}

void release_signals() {
  // Handlers are gone since clone3(2). What we ignore for ourselves is not the program's business;
  // what our caller had ignored (nohup(1), a shell without job control) is.
  for (int signal : {SIGPIPE, SIGCHLD}) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void execute(const Launch& launch, Words environment) {
  const Command& command = launch.command;
  Words words = command.argv;
  if (words.empty()) {
    const char* shell = get_variable(environment, "SHELL");
    words = {shell ? shell : "/bin/sh", "-i"};
  }
  std::vector<char*> arguments, variables;
  for (std::string& word : words) arguments.push_back(word.data());
  for (std::string& variable : environment) variables.push_back(variable.data());
  arguments.push_back(nullptr);
  variables.push_back(nullptr);
  environ = variables.data();  // execvp(3) searches the PATH that is in it
  if (command.output >= 0 && (sys::dup2(command.output, 1) < 0 || sys::dup2(command.output, 2) < 0))
    give_up_errno(launch, "exec.consolelog");
  close_from(launch, 3);
  release_signals();
  sys::execvp(arguments[0], arguments.data());
  give_up_errno(launch,
                (command.argv.empty() ? command.texts.shell : command.texts.exec) + " " + words[0]);
}

// A background command of a jail must not stay our child: process 1 of its namespace could not
// finish dying while its zombie waits for us (L4). Its parent ends at once and leaves it to
// process 1.
void detach(const Launch& launch) {
  pid_t pid = sys::fork();
  if (pid < 0) give_up_errno(launch, "fork");
  if (pid > 0) _exit(0);
  if (sys::setsid() < 0) give_up_errno(launch, "setsid");
}

}  // namespace

void give_up(const Launch& launch, const std::string& text) {
  ignore(write_all(2, launch.command.fail_prefix + text + "\n"), "nobody is left to hear it");
  if (launch.relay >= 0) tell(launch.relay, {.kind = RelayWord::ended, .value = 1 << 8});
  _exit(1);
}

// The order is J4.4's. Descriptors of the host go before the jail is entered, the user is looked up
// in there before root's rights are dropped, and the ids change last.
void be_command(Launch& launch) {
  const Command& command = launch.command;
  const Identity& identity = command.identity;
  if (!launch.refusal.empty()) give_up(launch, launch.refusal);
  if (command.all_processors) widen_affinity();
  if (command.inside) {
    enter_jail(launch);
  } else {
    enter_view(launch);
  }
  if (launch.relay >= 0) leave_waiter(launch);
  // kill(0) knows no jails: our group is out of its reach, unless the command may need the terminal
  // that the group has.
  if (command.inside && !launch.has_terminal && sys::setpgid(0, 0) != 0)
    give_up_errno(launch, "setpgid");
  if (command.background) detach(launch);
  enter_directory(launch);
  std::optional<User> user = launch.user;
  if (launch.wants_user && !user) user = find_in_jail(launch);
  Words environment = make_environment(launch.inherited, identity, user ? &*user : nullptr);
  if (command.inside) {
    Result<void> dropped = drop_privileges(command.inside->rights);
    if (!dropped) give_up(launch, dropped.error().text);
  }
  if (!identity.user.empty()) {
    become_user(launch, *user);
    if (identity.clean && command.directory.empty() && sys::chdir(user->home.c_str()) != 0)
      give_up_errno(launch, command.texts.home + " " + user->home);
  }
  execute(launch, std::move(environment));
}

}  // namespace jail
