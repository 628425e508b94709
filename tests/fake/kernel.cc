// os/kernel.h and os/facts.h over the table. Processes of the world are rows; those that hold locks
// are real ones.
#include "os/kernel.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "os/process1.h"
#include "tests/fake/world.h"

namespace jail {

using fake::begins;
using fake::effect;
using fake::Table;
using fake::Thing;

namespace {

Words process_row(pid_t pid) {
  return {"process", fmt::format("{}", pid)};
}

// "PID START" is what a descriptor of a process stands for: another of that number is another.
Words named_row(const std::string& name) {
  Words row = split(name, " ");
  row.insert(row.begin(), "process");
  return row;
}

bool is_member(const Words& row, const std::string& group) {
  return row[0] == "process" && path_covers(group, row[3]);
}

bool has_members(const fake::Rows& rows, const std::string& group) {
  return std::ranges::any_of(rows, [&](const Words& row) { return is_member(row, group); });
}

Result<void> drop(const char* name, const Words& begin) {
  return effect(name, [&](Table& table) -> Result<void> {
    table.erase(begin);
    return {};
  });
}

}  // namespace

int64_t now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

Result<Facts> probe() {
  Facts facts;
  facts.boot_id = (*fake::look_for({"boot"}))[1];
  facts.groups = "/groups";
  return facts;
}

Result<uint64_t> start_time(pid_t pid) {
  if (const Words* row = fake::look_for(process_row(pid)))
    return static_cast<uint64_t>(parse_int((*row)[2]).value());
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string stat((std::istreambuf_iterator<char>(file)), {});
  const size_t comm = stat.rfind(") ");
  if (comm == std::string::npos) return fail_errno("process", ESRCH);
  return static_cast<uint64_t>(parse_int(split(stat.substr(comm + 2), " ").at(19)).value());
}

// A row {"full"} leaves descriptors for processes 1 alone.
bool runs(const Process1& process1) {
  return bool(open_process1(process1));
}
bool heeds(const Process1& /*process1*/, int /*signal*/) {
  return true;
}
Result<Fd> open_process1(const Process1& process1) {
  const std::string name = fmt::format("{} {}", process1.pid, process1.start);
  const std::string noun = fmt::format("process {}", process1.pid);
  if (const Words* row = fake::look_for(named_row(name))) {
    const bool daemon = (*row)[4] == "daemon";
    if (daemon && fake::look_for({"full"})) return fail_errno(noun, EMFILE);
    return fake::make_handle(Thing::process, name);
  }
  if (start_time(process1.pid) != process1.start) return fail_errno(noun, ESRCH);
  Fd real(static_cast<int>(::syscall(SYS_pidfd_open, process1.pid, 0)));
  if (!real) return fail_errno(noun, ESRCH);
  fake::note_handle(real.get(), Thing::none, "");
  return real;
}

// Stubborn processes, and process 1, take no notice of anything but SIGKILL.
Result<void> signal_process(int pidfd, int signal) {
  const std::string name = fake::name_of(pidfd, Thing::process);
  if (name.empty()) {
    if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) != 0 && errno != ESRCH)
      return fail_errno("signal");
    return {};
  }
  return effect("signal", [&](Table& table) -> Result<void> {
    Words* row = table.find(named_row(name));
    if (row && (signal == SIGKILL || (*row)[4] == "daemon")) table.erase(named_row(name));
    return {};
  });
}

// Nothing happens in this world by itself: who has not ended does not end by waiting.
Result<bool> await_end(int pidfd, int timeout, int stop_fd) {
  const std::string name = fake::name_of(pidfd, Thing::process);
  if (!name.empty()) return !fake::look_for(named_row(name));
  pollfd ends[] = {{pidfd, POLLIN, 0}, {stop_fd, POLLIN, 0}};
  int ready;
  do ready = ::poll(ends, 2, timeout);
  while (ready < 0 && errno == EINTR);
  if (ready < 0) return fail_errno("poll");
  if (ends[0].revents != 0) return true;
  if (ends[1].revents != 0) return fail_errno("wait", ECANCELED);
  return false;
}

namespace {
int signal_pipe[2] = {-1, -1};
void note_signal(int signal) {
  const auto byte = static_cast<char>(signal);
  if (::write(signal_pipe[1], &byte, 1) != 1) return;
}
}  // namespace

Result<Fd> open_signals(const sigset_t& signals) {
  if (::pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return fail_errno("signals");
  for (int signal = 1; signal < NSIG; ++signal)
    if (sigismember(&signals, signal) == 1) (void)::signal(signal, note_signal);
  return Fd(signal_pipe[0]);
}

int read_signal(int fd) {
  char byte = 0;
  return ::read(fd, &byte, 1) == 1 ? byte : 0;
}

Result<std::vector<pid_t>> group_members(const Facts& /*facts*/, const std::string& group,
                                         const Words& except) {
  std::vector<pid_t> members;
  for (const Words& row : fake::look()) {
    const bool excepted = std::ranges::any_of(
        except, [&](const std::string& name) { return is_member(row, group + "/" + name); });
    if (is_member(row, group) && !excepted)
      members.push_back(static_cast<pid_t>(parse_int(row[1]).value()));
  }
  return members;
}

Result<Fd> open_group(const Facts& /*facts*/, const std::string& group) {
  if (!fake::look_for({"group", group})) return fail_errno("group " + group, ENOENT);
  return fake::make_handle(Thing::group, group);
}

Result<void> make_group(const Facts& facts, const std::string& group) {
  if (size_t slash = group.rfind('/'); slash != std::string::npos)
    TRY(make_group(facts, group.substr(0, slash)));
  if (fake::look_for({"group", group})) return {};
  return effect("make group", [&](Table& table) -> Result<void> {
    table.add({"group", group});
    return {};
  });
}

Result<void> kill_group(const Facts& /*facts*/, const std::string& group, pid_t /*known*/) {
  if (!has_members(fake::look(), group)) return {};
  return effect("kill group", [&](Table& table) -> Result<void> {
    std::erase_if(table.rows, [&](const Words& row) { return is_member(row, group); });
    return {};
  });
}

Result<void> remove_group(const Facts& /*facts*/, const std::string& group) {
  for (;;) {
    Words deepest;
    {
      if (has_members(fake::look(), group)) return fail_errno("group " + group, EBUSY);
      for (const Words& row : fake::look())
        if (row[0] == "group" && path_covers(group, row[1]) &&
            (deepest.empty() || row[1].size() > deepest[1].size()))
          deepest = row;
    }
    if (deepest.empty()) return {};
    TRY(drop("remove group", deepest));
  }
}

void sweep_groups(const Facts& facts, const std::string& base, const Words& spared) {
  Words candidates;
  {
    for (const Words& row : fake::look()) {
      const size_t end = row[0] == "group" ? row[1].find(".hook") : std::string::npos;
      if (end == std::string::npos || !path_covers(base, row[1]) ||
          row[1].find('/', end) != std::string::npos)
        continue;
      const std::string id = row[1].substr(base.size() + 1, end - base.size() - 1);
      if (!std::ranges::binary_search(spared, id)) candidates.push_back(row[1]);
    }
  }
  for (const std::string& group : candidates)
    ignore(remove_group(facts, group), "a process that is left keeps it");
  size_t left = 0;
  {
    for (const Words& row : fake::look())
      left += row[0] == "group" && path_covers(base, row[1]) ? 1 : 0;
  }
  if (left == 1) ignore(remove_group(facts, base), "the next one tries again");
}

Result<void> make_pins(const std::string& /*run*/) {
  if (fake::look_for({"pins"})) return {};
  return effect("mount pins", [](Table& table) -> Result<void> {
    table.add({"pins"});
    return {};
  });
}

void drop_pins(const std::string& /*run*/) {
  if (!fake::look_for({"pins"}) || fake::look_for({"pin"})) return;
  ignore(drop("unmount pins", {"pins"}), "the next one tries again");
}

Result<Fd> open_view(const std::string& /*run*/, const std::string& id) {
  if (!fake::look_for({"view", id})) return fail_errno("view", ENOENT);
  return fake::make_handle(Thing::view, id);
}

Result<Fd> open_stack(const std::string& /*run*/, const std::string& id) {
  if (!fake::look_for({"stack", id})) return fail_errno("network stack of the jail", ENOENT);
  return fake::make_handle(Thing::stack, id);
}

Result<std::string> leave_view(const Facts& /*facts*/, const std::string& /*run*/) {
  return std::string();
}

// Process 1 does at once what it is asked for: rc is done, or all have ended and it has left.
Result<Fd> call_process1(const std::string& run, const std::string& id, const std::string& word) {
  if (!std::filesystem::exists(run + "/" + id + "/control")) return fail_errno("control", ENOENT);
  TRY(effect("call process 1", [&](Table& table) -> Result<void> {
    if (word != "stop") return {};
    std::erase_if(table.rows, [&](const Words& row) {
      return begins(row, {"process"}) && row[3].contains(id + "/jail/");
    });
    return {};
  }));
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("control");
  Fd ours(ends[0]), theirs(ends[1]);
  TRY(write_all(theirs.get(), "ok"));
  return ours;
}

Result<std::string> ask_process1(const std::string& run, const std::string& id,
                                 const std::string& word) {
  if (!std::filesystem::exists(run + "/" + id + "/control")) return fail_errno("control", ENOENT);
  std::string answer = "ok";
  TRY(effect("ask process 1", [&](Table& table) -> Result<void> {
    for (Words& row : table.rows) {
      if (!begins(row, {"process"}) || row[4] != "init" || row[5] != id) continue;
      row.back() = word;
      const std::string group = row[3].substr(0, row[3].size() - 4) + "run";
      if (word == "nopersist" && !has_members(table.rows, group)) answer = "leaving";
      return {};
    }
    return fail_errno("control", ECONNREFUSED);
  }));
  return answer;
}

Result<void> set_names(int process1, const std::string* host_name, const std::string* domain_name) {
  const Words owner = named_row(fake::name_of(process1, Thing::process));
  return effect("set names", [&](Table& table) -> Result<void> {
    Words* row = table.find(owner);
    if (!row) return fail_errno("host.hostname", ESRCH);
    Words* names = table.find({"uts", (*row)[5]});
    if (!names) return fail_errno("host.hostname", EPERM);
    if (host_name) (*names)[2] = *host_name;
    if (domain_name) (*names)[3] = *domain_name;
    return {};
  });
}

NamesVisit::NamesVisit() = default;

NamesVisit::~NamesVisit() = default;

std::optional<HostNames> NamesVisit::read(int process1) {
  const Words* row = fake::look_for(named_row(fake::name_of(process1, Thing::process)));
  const Words* names = row && (*row)[4] == "init" ? fake::look_for({"uts", (*row)[5]}) : nullptr;
  if (!names) return std::nullopt;
  return HostNames{(*names)[2], (*names)[3]};
}

void follow_parent() {}

std::string netns_path(pid_t pid) {
  return fmt::format("/proc/{}/ns/net", pid);
}

}  // namespace jail
