#include "os/linux/wardens.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/file.h"
#include "base/pass.h"
#include "os/handed.h"
#include "os/kernel.h"
#include "os/linux/abi.h"
#include "os/linux/boot.h"

namespace jail {

namespace {

constexpr int handover_wait = 5'000;  // ms, for an answer of process 1
constexpr int boot_wait = 60'000;     // ms, for the warden's answer; hooks of nobody run meanwhile

std::string group_of(const World& world) {
  return fmt::format("{}/{}.warden", world.base, world.id);
}

// Where the commands that a warden starts are born: not in its own group, which an undo ends. The
// root of the hierarchy is nobody's; a part of one, as in a container, is not to have processes.
Result<Fd> open_command_group(const World& world) {
  struct stat status;
  const std::string type = world.facts.groups + "/cgroup.type";
  if (sys::fstatat(AT_FDCWD, type.c_str(), &status, 0) != 0) return open_group(world.facts, ".");
  const std::string group = world.base + "/cmd";
  TRY(make_group(world.facts, group));
  return open_group(world.facts, group);
}

// Its messages, and those of the commands that it starts.
Result<Fd> open_warden_log(const World& world) {
  TRY(make_directories(world.log, 0755));
  return open_at(AT_FDCWD, world.log + "/jail.log", O_WRONLY | O_CREAT | O_APPEND, 0600);
}

std::string answer_of(const Result<Words>& born) {
  return born ? fmt::format("born {} {}", born->at(0), born->at(1))
              : fmt::format("failed {} {}", born.error().code, born.error().text);
}

// What a warden is born with.
struct Beginning {
  Fd program, commands, group, nothing, log;
  Fd control, engine;
  Fd process1, voice;  // where that lives already: its pidfd, and the socket to it
  Words words;         // behind its own and the jail's
};

// Where that which outlives a process 1 is kept.
Fd& place_of(World& world, Beginning& all, int number) {
  if (number == handed::console) return world.console;
  if (number == handed::ring) return world.ring;
  return number == handed::link ? world.link : all.control;
}

Result<Beginning> prepare(const World& world) {
  Beginning all;
  all.program = TRY(open_program());
  TRY(make_group(world.facts, group_of(world)));
  all.group = TRY(open_group(world.facts, group_of(world)));
  all.commands = TRY(open_command_group(world));
  all.nothing = TRY(open_at(AT_FDCWD, "/dev/null", O_RDWR));
  all.log = TRY(open_warden_log(world));
  return all;
}

// Executes jinit with all in its place. Returns only where that fails.
void become_warden(const World& world, const Beginning& all, const std::string& jail) {
  if (sys::chdir("/") != 0) return;
  const int program = sys::fcntl(all.program.get(), F_DUPFD_CLOEXEC, handed::last + 1);
  struct {
    int from, to;
  } places[] = {{all.nothing.get(), 0},
                {all.log.get(), 1},
                {all.log.get(), 2},
                {all.control.get(), handed::control},
                {all.process1.get(), handed::events},
                {all.commands.get(), handed::group},
                {world.console.get(), handed::console},
                {world.ring.get(), handed::ring},
                {world.link.get(), handed::link},
                {all.engine.get(), handed::warden},
                {all.voice.get(), handed::voice}};
  for (auto& place : places)
    if (place.from >= 0) place.from = sys::fcntl(place.from, F_DUPFD_CLOEXEC, handed::last + 1);
  sys::close_range(handed::control, handed::last, 0);
  bool placed = program >= 0;
  for (auto& place : places)
    placed = placed && (place.from < 0 || sys::dup2(place.from, place.to) == place.to);
  Words words{"jinit", "--warden", world.id, jail};
  words.insert(words.end(), all.words.begin(), all.words.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  if (placed && sys::close_range(handed::last + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
    sys::execveat(program, "", arguments.data(), environ, AT_EMPTY_PATH);
}

// The first process 1 is made by the warden while it is a copy of the engine still: there is no
// program to be started for it, and all that it needs is open.
Result<Words> bear_first(World& world, Beginning& all, const Op& boot) {
  int ends[2];
  if (sys::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("socketpair");
  all.voice.reset(ends[0]);
  Kept kept;
  kept[handed::warden].reset(ends[1]);
  for (const handed::Part& part : handed::parts)
    if (const Fd& fd = place_of(world, all, part.number))
      kept[static_cast<size_t>(part.number)].reset(
          sys::fcntl(fd.get(), F_DUPFD_CLOEXEC, handed::last + 1));
  Words born = TRY(bear_process1(world, boot, std::move(kept)));
  all.process1 = TRY(open_process1({static_cast<pid_t>(parse_int(born[0]).value_or(0)),
                                    static_cast<uint64_t>(parse_int(born[1]).value_or(0))}));
  return born;
}

// What else the engine has open - the jail's lock, its own end of our socket - would seem to be in
// use after it has gone.
void close_others(const World& world, const Beginning& all) {
  std::vector<unsigned> kept{0, 1, 2};
  for (const Fd* fd :
       {&all.program, &all.commands, &all.group, &all.nothing, &all.log, &all.control, &all.engine,
        &all.process1, &all.voice, &world.console, &world.ring, &world.link})
    if (*fd) kept.push_back(static_cast<unsigned>(fd->get()));
  std::ranges::sort(kept);
  for (size_t i = 0; i < kept.size(); ++i) {
    const unsigned next = i + 1 < kept.size() ? kept[i + 1] : ~0U;
    if (kept[i] + 1 < next) sys::close_range(kept[i] + 1, next - (next == ~0U ? 0 : 1), 0);
  }
}

[[noreturn]] void be_warden(World& world, Beginning& all, const std::string& jail) {
  sys::setsid();
  reset_signals();
  close_others(world, all);
  if (all.engine) {
    char text[4096];
    const ssize_t size = sys::recv(all.engine.get(), text, sizeof text, 0);
    Words boot = split(std::string_view(text, size > 0 ? static_cast<size_t>(size) : 0), " ");
    if (boot.size() != 4) _exit(0);  // the engine has gone
    Result<Words> born = bear_first(world, all, {boot[0], Words(boot.begin() + 1, boot.end())});
    const std::string answer = answer_of(born);
    if (sys::send(all.engine.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0 || !born)
      _exit(0);
  }
  become_warden(world, all, jail);
  const int code = errno;
  // Without one that waits for it, process 1 is not to be.
  if (all.engine && all.process1) sys::pidfd_send_signal(all.process1.get(), SIGKILL, nullptr, 0);
  _exit(code);
}

Result<Words> bear_warden(World& world, Beginning& all) {
  const std::string jail = TRY(own_path());
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP;
  if (!all.engine) arguments.flags |= CLONE_VFORK;  // it has executed, or given up, when we go on
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<uint64_t>(all.group.get());
  const pid_t pid = sys::clone3(&arguments);
  if (pid == 0) be_warden(world, all, jail);
  if (pid < 0) return fail_errno("warden");
  if (!all.engine && !runs({pid, 0})) {
    int status = 0;
    while (sys::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return fail_errno("warden", WIFEXITED(status) ? WEXITSTATUS(status) : EIO);
  }
  for (Fd* fd : {&world.console, &world.ring, &world.link}) fd->reset();  // the warden's now
  return Words{fmt::format("{}", pid), fmt::format("{}", TRY(start_time(pid)))};
}

bool is_terminal(int number) {
  return number == handed::console || number == handed::link;
}

// What process 1 says it holds. It is our program, but in a jail that is not ours: whatever it
// gives away is for the same jail again, and a terminal has to be one.
Result<void> take_over_from(World& world, Beginning& all) {
  all.voice = TRY(call_process1(world.run, world.id, "handover"));
  // A socket is readable as a process is that has ended.
  if (!TRY(await_end(all.voice.get(), handover_wait, -1)))
    return fail_errno("process 1", ETIMEDOUT);
  Passed passed = TRY(in("process 1", take_descriptors(all.voice.get())));
  const Words words = split(passed.packet, " ");
  if (words.empty() || words[0] != "ok" || words.size() != passed.descriptors.size() + 1)
    return fail_errno("process 1", EPROTO);
  for (size_t i = 0; i < passed.descriptors.size(); ++i) {
    Fd& fd = passed.descriptors[i];
    const auto* part = std::ranges::find_if(
        handed::parts, [&](const handed::Part& one) { return words[i + 1] == one.name; });
    if (part == std::end(handed::parts)) continue;
    if (is_terminal(part->number) && isatty(fd.get()) != 1) continue;
    place_of(world, all, part->number) = std::move(fd);
  }
  return all.control ? Result<void>() : fail_errno("process 1", EPROTO);
}

// A warden that was killed with something of ours unread has reset the connection.
bool is_gone(int code) {
  return code == EPIPE || code == ECONNRESET;
}

Result<std::string> hear_packet(const World& world, int timeout) {
  pollfd news{world.warden.get(), POLLIN, 0};
  int ready;
  do ready = sys::poll(&news, 1, timeout);
  while (ready < 0 && errno == EINTR);
  if (ready < 0) return fail_errno("warden");
  if (ready == 0) return fail_errno("warden", EAGAIN);
  char text[4096];
  const ssize_t size = sys::recv(world.warden.get(), text, sizeof text, 0);
  if (size < 0 && !is_gone(errno)) return fail_errno("warden");
  if (size <= 0) return fail_errno("warden", EPIPE);
  return std::string(text, static_cast<size_t>(size));
}

}  // namespace

Result<Words> apply_warden(World& world, const Op& op) {
  Beginning all = TRY(prepare(world));
  all.control = TRY(listen_control(world));
  int ends[2];
  if (sys::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("socketpair");
  Fd ours(ends[0]);
  all.engine.reset(ends[1]);
  all.words = {op.args[0]};
  Words born = TRY(bear_warden(world, all));
  world.warden = std::move(ours);
  return born;
}

Result<void> undo_warden(World& world, const Op& /*op*/) {
  world.warden.reset();
  TRY(kill_group(world.facts, group_of(world)));
  TRY(remove_group(world.facts, group_of(world)));
  const std::string control = world.run + "/" + world.id + "/control";
  if (sys::unlinkat(AT_FDCWD, control.c_str(), 0) != 0 && errno != ENOENT)
    return fail_errno(control);
  return {};
}

Result<bool> warden_lives(const World& world) {
  Fd group = TRY(open_group(world.facts, group_of(world)));
  return TRY(read_file(group.get(), "cgroup.events")).find("populated 1") != std::string::npos;
}

Result<Words> replace_warden(World& world, const Op& op, const std::string* link,
                             const Process1* living) {
  const bool program = op.args[0] == "program";
  if (!living) TRY(undo_warden(world, op));
  if ((program || !living) && link) TRY(renew_console(world, *link));
  if (!living) return apply_warden(world, op);
  Beginning all = TRY(prepare(world));
  all.process1 = TRY(open_process1(*living));
  all.words = {op.args[0], "living"};
  if (program)
    all.control = TRY(listen_control(world));
  else
    TRY(take_over_from(world, all));
  return bear_warden(world, all);
}

std::string word_of_the_end(const World& world) {
  Result<Fd> group = open_group(world.facts, world.group + "/jail/run");
  char text[16];
  const ssize_t size =
      group ? sys::fgetxattr(group->get(), sys::word_of_the_end, text, sizeof text) : -1;
  const std::string_view word(text, size > 0 ? static_cast<size_t>(size) : 0);
  for (const char* known : {"restart", "halt", "exit"})
    if (word == known) return known;
  return "crash";
}

Result<void> renew_groups(const World& world) {
  for (const char* leaf : {"/jail/run", "/jail/init"}) {
    TRY(remove_group(world.facts, world.group + leaf));
    TRY(make_group(world.facts, world.group + leaf));
  }
  return {};
}

Result<Words> ask_warden_to_boot(World& world, const Op& op) {
  TRY(tell_warden(world, ("boot " + join(op.args, " ")).c_str()));
  // How the last process 1 has ended may come first: its engine is the one that ended it, or knows.
  std::string answer;
  do answer = TRY(hear_packet(world, boot_wait));
  while (answer.starts_with("ended "));
  Words words = split(answer, " ");
  if (words.size() == 3 && words[0] == "born") return Words{words[1], words[2]};
  if (words.size() < 3 || words[0] != "failed") return fail(EPROTO, "warden: " + answer);
  const size_t text = answer.find(words[1]) + words[1].size() + 1;
  return fail(static_cast<int>(parse_int(words[1]).value_or(EIO)), answer.substr(text));
}

Result<void> answer_warden(const Result<Words>& born) {
  return in("warden", write_all(handed::events, answer_of(born)));
}

Result<void> tell_warden(const World& world, const char* word) {
  if (!world.warden) return {};
  if (sys::send(world.warden.get(), word, std::char_traits<char>::length(word), MSG_NOSIGNAL) < 0 &&
      !is_gone(errno))
    return fail_errno("warden");
  return {};
}

Result<std::string> hear_warden(const World& world, int timeout) {
  const Words words = split(TRY(hear_packet(world, timeout)), " ");
  if (words.size() != 2 || words[0] != "ended") return fail_errno("warden", EPROTO);
  return words[1];
}

}  // namespace jail
