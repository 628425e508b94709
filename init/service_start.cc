#include "init/service_start.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/sys.h"
#include "init/console.h"
#include "init/jail_file.h"
#include "os/process1.h"
#include "os/terminal.h"
#include "os/users.h"

namespace jail {

namespace {

constexpr size_t longest_users = 16U << 20;
constexpr char usual_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Result<void> move_to(int from, int to) {
  if (from != to && sys::dup2(from, to) < 0) return fail_errno("dup2");
  if (from == to && sys::fcntl(to, F_SETFD, 0) != 0) return fail_errno("fcntl");
  return {};
}

// Process 1 of a jail has /dev/null for all three, an entry point what it was given. The console is
// for writing only, and never becomes the session's terminal.
Result<void> use_streams(const Birthplace& place, const ServiceSpec& spec,
                         const ServiceStreams& streams) {
  if (streams.output >= 0 && spec.logger.empty()) {
    TRY(move_to(streams.output, 1));
    TRY(move_to(streams.output, 2));
  } else if (place.group < 0) {
    const Fd nothing = TRY(open_at(AT_FDCWD, "/dev/null", O_RDONLY));
    TRY(move_to(nothing.get(), 0));
  } else if (place.console) {
    const Fd slave = TRY(place.console->open_for_child());
    TRY(use_terminal(slave.get()));
    const Fd nothing = TRY(open_at(AT_FDCWD, "/dev/null", O_RDONLY));
    TRY(move_to(nothing.get(), 0));
  } else {
    use_log();
  }
  // A logger reads what is written to standard output alone.
  if (streams.output >= 0 && !spec.logger.empty()) TRY(move_to(streams.output, 1));
  if (streams.input >= 0) TRY(move_to(streams.input, 0));
  return {};
}

// A file that is missing is empty.
Result<std::string> read_users(const char* path) {
  Result<std::string> text = read_jail_file(path, longest_users);
  if (!text && text.error().code == ENOENT) return std::string();
  return text;
}

Result<gid_t> group_of(std::string_view group, const std::string& name) {
  if (std::optional<gid_t> id = find_group(group, name)) return *id;
  if (std::optional<uint32_t> id = parse_user_id(name)) return *id;
  return fail(ENOENT, concat({"group ", name, ": no such group"}));
}

// A number that passwd(5) does not have is a user all the same.
Result<User> user_of(const ServiceSpec& spec, std::string_view passwd, std::string_view group) {
  if (spec.user.empty()) return User{.name = {}, .home = {}, .shell = {}, .groups = {0}};
  const std::optional<uint32_t> number = parse_user_id(spec.user);
  std::optional<User> user = find_user(passwd, group, std::string_view(spec.user));
  if (!user && number) user = find_user(passwd, group, uid_t{*number});
  if (user) return *std::move(user);
  if (!number) return fail(ENOENT, concat({"user ", spec.user, ": no such user"}));
  return User{.name = spec.user,
              .uid = *number,
              .gid = *number,
              .home = {},
              .shell = {},
              .groups = {*number}};
}

Result<void> enter_user(const User& user, const ServiceSpec& spec, std::string_view group) {
  gid_t own = user.gid;
  std::vector<gid_t> groups = user.groups;
  if (!spec.group.empty()) groups = {own = TRY(group_of(group, spec.group))};
  if (!spec.group.empty() && !spec.user.empty())
    groups.insert(groups.end(), user.groups.begin(), user.groups.end());
  for (const std::string& name : spec.groups) groups.push_back(TRY(group_of(group, name)));
  if (sys::setgroups(groups.size(), groups.data()) != 0) return fail_errno("setgroups");
  if (sys::setresgid(own, own, own) != 0) return fail_errno("setresgid");
  if (sys::setresuid(user.uid, user.uid, user.uid) != 0) return fail_errno("setresuid");
  return {};
}

void set_environment(const User& user, const ServiceSpec& spec) {
  const auto set = [](const char* name, const std::string& value) {
    if (!value.empty()) setenv(name, value.c_str(), 1);
  };
  setenv("PATH", usual_path, 0);
  set("USER", user.name);
  set("LOGNAME", user.name);
  set("HOME", user.home);
  set("SHELL", user.shell);
  for (const std::string& line : spec.environment) putenv(const_cast<char*>(line.c_str()));
}

Result<void> set_limits(const ServiceSpec& spec) {
  const auto value = [](uint64_t one) {
    return one == ResourceLimit::no_limit ? RLIM_INFINITY : static_cast<rlim_t>(one);
  };
  for (const ResourceLimit& limit : spec.limits) {
    const rlimit both = {value(limit.soft), value(limit.hard)};
    if (sys::setrlimit(limit.resource, &both) != 0) return fail_errno("limit");
  }
  return {};
}

// All but the program, as root as long as something may need it.
Result<void> become(const Birthplace& place, const ServiceSpec& spec,
                    const ServiceStreams& streams) {
  TRY(use_streams(place, spec, streams));
  if (streams.ready >= 0) TRY(move_to(streams.ready, static_cast<int>(spec.ready)));
  sys::umask(static_cast<mode_t>(spec.umask));
  const bool asks = !spec.user.empty() || !spec.group.empty() || !spec.groups.empty();
  const std::string passwd = asks ? TRY(read_users("/etc/passwd")) : std::string();
  const std::string group = asks ? TRY(read_users("/etc/group")) : std::string();
  const User user = TRY(user_of(spec, passwd, group));
  const std::string& wanted = spec.directory.empty() ? user.home : spec.directory;
  const char* directory = wanted.empty() ? "/" : wanted.c_str();
  if (sys::chdir(directory) != 0) {
    if (!spec.directory.empty()) return fail_errno(directory);
    if (sys::chdir("/") != 0) return fail_errno("/");
  }
  TRY(set_limits(spec));
  if (asks) TRY(enter_user(user, spec, group));
  set_environment(user, spec);
  return {};
}

[[noreturn]] void give_up(const ServiceSpec& spec, const Error& error) {
  const std::string line = concat({"init: ", spec.name, ": ", error.text, "\n"});
  const bool absent = error.code == ENOENT;
  if (sys::write(2, line.data(), line.size()) < 0) _exit(126);  // nobody hears it
  _exit(absent ? 127 : 126);
}

// s6's: exit code or 256, signal, name, process group; runit's: exit code or -1, signal.
void add_end(const ServiceSpec& spec, const ServiceOrder& finish, Words& words) {
  const ExitStatus end = finish.status;
  const bool runit = spec.tools == Tools::runit;
  words.push_back(std::to_string(end.signal == 0 ? end.code : runit ? -1 : 256));
  words.push_back(std::to_string(end.signal));
  if (runit) return;
  words.push_back(spec.name);
  words.push_back(std::to_string(finish.pid));
}

}  // namespace

void say_of_services(const Birthplace& place, std::initializer_list<std::string_view> pieces) {
  if (place.group >= 0) return say_line(place, pieces);
  const std::string line = concat({"init: ", concat(pieces), "\n"});
  (void)fwrite(line.data(), 1, line.size(), stderr);
}

pid_t start_service(const Birthplace& place, const ServiceSpec& spec, const ServiceStreams& streams,
                    const ServiceOrder* finish) {
  const pid_t pid = bear(place.group);
  if (pid != 0) return pid;
  sys::setsid();
  Result<void> ready = become(place, spec, streams);
  if (!ready) give_up(spec, ready.error());
  Words words = finish ? spec.finish : spec.command;
  if (finish) add_end(spec, *finish, words);
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  sys::execvp(list[0], list.data());
  give_up(spec, Error{errno, concat({words[0], ": ", std::strerror(errno)})});
}

}  // namespace jail
