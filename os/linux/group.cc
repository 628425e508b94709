// cgroup v2 nodes (L6): made, watched, killed, removed. Controllers are not touched here, so all of
// it works on hybrid hosts whose v2 hierarchy has none.
#include <algorithm>
#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "os/kernel.h"
#include "os/linux/abi.h"

namespace jail {

namespace {

constexpr int kill_wait = 10'000;  // ms: a process in uninterruptible sleep may never end

Result<void> check_groups(const Facts& facts) {
  if (facts.groups.empty()) return fail(ENOTSUP, "cgroup v2: not mounted on this host");
  return {};
}

std::string path_of(const Facts& facts, const std::string& group) {
  return facts.groups + "/" + group;
}

// Read from its start each time: that also arms poll(2) for the next change (kernfs).
Result<bool> populated(int events) {
  char text[256];
  ssize_t size = sys::pread(events, text, sizeof text, 0);
  if (size < 0) return fail_errno("cgroup.events");
  return std::string_view(text, static_cast<size_t>(size)).find("populated 1") !=
         std::string_view::npos;
}

Result<void> add_members(int directory, const Words& except, std::vector<pid_t>& members) {
  for (const std::string& line : split(TRY(read_file(directory, "cgroup.procs")), "\n"))
    if (auto pid = parse_int(line)) members.push_back(static_cast<pid_t>(*pid));
  for (const std::string& name : TRY(list_directory(directory, ".", true))) {
    if (std::ranges::find(except, name) != except.end()) continue;
    TRY(add_members(TRY(open_at(directory, name, O_RDONLY | O_DIRECTORY)).get(), except, members));
  }
  return {};
}

// A group that is removed while we look at it is no failure.
bool is_gone(const Error& error) {
  return error.code == ENOENT || error.code == ENODEV;
}

// Groups below first, but only where there are any: EBUSY is both "groups below" and "processes
// in it", and mostly neither is true.
Result<void> remove_tree(int parent, const std::string& name) {
  if (sys::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  if (errno != EBUSY) return fail_errno(name);
  Result<Fd> directory = open_at(parent, name, O_RDONLY | O_DIRECTORY);
  if (!directory)
    return is_gone(directory.error()) ? Result<void>() : std::unexpected(directory.error());
  for (const std::string& child : TRY(list_directory(directory->get(), ".", true)))
    TRY(remove_tree(directory->get(), child));
  if (sys::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
    return fail_errno(name);
  return {};
}

}  // namespace

Result<std::vector<pid_t>> group_members(const Facts& facts, const std::string& group,
                                         const Words& except) {
  std::vector<pid_t> members;
  Result<void> found = [&]() -> Result<void> {
    return add_members(TRY(open_group(facts, group)).get(), except, members);
  }();
  if (!found && !is_gone(found.error())) return std::unexpected(std::move(found.error()).in(group));
  return members;
}

Result<Fd> open_group(const Facts& facts, const std::string& group) {
  TRY(check_groups(facts));
  return open_at(AT_FDCWD, path_of(facts, group), O_RDONLY | O_DIRECTORY);
}

Result<void> make_group(const Facts& facts, const std::string& group) {
  TRY(check_groups(facts));
  return make_directories(path_of(facts, group), 0755);
}

// In rounds: cgroup.kill takes who is there, and one that a process outside puts into the group
// meanwhile (a jexec on its way in) needs another. A process that is known saves the first reading
// of the members.
Result<void> kill_group(const Facts& facts, const std::string& group, pid_t known) {
  TRY(check_groups(facts));
  Result<Fd> directory = open_group(facts, group);
  if (!directory && is_gone(directory.error())) return {};
  if (!directory) return std::unexpected(std::move(directory.error()));
  int fd = directory->get();
  return in("group " + group, [&]() -> Result<void> {
    Fd events = TRY(open_at(fd, "cgroup.events", O_RDONLY));
    for (int waited = 0;;) {
      if (!TRY(populated(events.get()))) return {};
      std::vector<pid_t> members{known};
      if (known == 0) TRY(add_members(fd, {}, members));
      known = 0;
      Fd one(sys::pidfd_open(members.back(), 0));
      TRY(write_all(TRY(open_at(fd, "cgroup.kill", O_WRONLY)).get(), "1"));
      if (!TRY(populated(events.get()))) return {};
      // The kernel tells of a change of events at most every 10 ms: the end of a process is told at
      // once.
      pollfd changes[] = {{events.get(), POLLPRI, 0}, {one.get(), POLLIN, 0}};
      int ready = sys::poll(changes, 2, 500);
      if (ready < 0 && errno != EINTR) return fail_errno("poll");
      if (ready == 0) waited += 500;
      if (waited >= kill_wait) return fail_errno("processes do not end", ETIMEDOUT);
    }
  }());
}

Result<void> remove_group(const Facts& facts, const std::string& group) {
  TRY(check_groups(facts));
  return in("group", remove_tree(AT_FDCWD, path_of(facts, group)));
}

void sweep_groups(const Facts& facts, const std::string& base, const Words& spared) {
  Result<Fd> directory = open_group(facts, base);
  if (!directory) return;
  Result<Words> names = list_directory(directory->get(), ".", true);
  if (!names) return;
  for (const std::string& name : *names) {
    // Only groups of hooks: a jail's own group is its ledger's to remove.
    size_t dot = name.find(".hook");
    if (dot == std::string::npos || std::ranges::binary_search(spared, name.substr(0, dot)))
      continue;
    ignore(remove_tree(directory->get(), name),
           "what a hook left running stays, and its group with it");
  }
  sys::unlinkat(AT_FDCWD, path_of(facts, base).c_str(),
                AT_REMOVEDIR);  // EBUSY while any jail is left
}

}  // namespace jail
