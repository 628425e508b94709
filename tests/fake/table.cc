// The table, and what follows by itself from a change of it.
#include <algorithm>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sstream>
#include <sys/file.h>
#include <unistd.h>

#include "tests/fake/world.h"

namespace jail::fake {

namespace {

namespace fs = std::filesystem;

constexpr pid_t first_pid =
    1'000'000;  // above the limit of most hosts; no process of theirs is ever meant

std::string& directory() {
  static std::string path;
  return path;
}

// The table as it was read last: parsed again only where its text is another.
struct Known {
  std::string text;
  Rows rows;
};
Known& known() {
  static Known table;
  return table;
}

std::string table_file() {
  return directory() + "/world";
}

Rows fresh() {
  return {{"boot", "boot-1"},
          {"clock", "7000000"},
          {"link", "lo", "host", "-"},
          {"link", "em0", "host", "-"},
          {"link", "em1", "host", "uplink"},
          {"link", "ix0", "host", "-"},
          {"address", "lo", "127.0.0.1", "8", "-"},
          {"address", "em0", "192.0.2.1", "24", "-"}};
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Fd open_table(int lock) {
  Fd file(::open(table_file().c_str(), O_RDWR | O_CLOEXEC));
  if (!file || ::flock(file.get(), lock) != 0) bug("no world");
  return file;
}

const Known& read_table(const Fd& file) {
  std::string text;
  char chunk[16384];
  for (ssize_t size; (size = ::read(file.get(), chunk, sizeof chunk)) > 0;)
    text.append(chunk, static_cast<size_t>(size));
  if (text == known().text && !text.empty()) return known();
  known().rows.clear();
  for (const std::string& line : split(text, "\n")) known().rows.push_back(split_exact(line, '\t'));
  known().text = std::move(text);
  return known();
}

// A process 1 that was told not to persist leaves when the last other process has gone; a view ends
// with its pin, and with it all that is in it: a virtual interface that is still there is lost.
void settle(Table& table) {
  Rows leaving;
  for (const Words& row : table.rows) {
    if (!begins(row, {"process"}) || row.back() != "nopersist") continue;
    const std::string group = row[3].substr(0, row[3].size() - 4) + "run";
    const bool busy = std::ranges::any_of(table.rows, [&](const Words& other) {
      return other[0] == "process" && path_covers(group, other[3]);
    });
    if (!busy) leaving.push_back(row);
  }
  for (const Words& row : leaving) table.erase(row);
  std::erase_if(table.rows, [&](const Words& row) {
    const std::string& kind = row[0];
    const bool inside =
        kind == "view" || kind == "mount" || kind == "stack" || kind == "uts" || kind == "cgroup";
    const bool lent = kind == "link" && row[2] != "host";
    return (inside || lent) && !table.has({"pin", row[inside ? 1 : 2]});
  });
}

struct Handle {
  Thing thing;
  std::string name;
};
std::map<int, Handle>& handles() {
  static std::map<int, Handle> all;
  return all;
}

// The registry: every file, but for counters and locks.
void print_files(const fs::path& top, std::string& text) {
  Words lines;
  if (!fs::exists(top)) return;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(top)) {
    const std::string name = entry.path().lexically_relative(directory()).string();
    const bool lock = entry.path().filename() == "lock" || entry.path().filename() == "parameters";
    if (name == "run/registry" || name == "db/jails" || lock) continue;
    std::string content;
    if (entry.is_regular_file()) content = read_whole(entry.path().string());
    if (name == "run/index") {
      content = content.substr(std::min(content.find('\n'), content.size() - 1) + 1);
      if (content.empty()) continue;
    }
    lines.push_back(name + "\n" + content);
  }
  std::ranges::sort(lines);
  text += join(lines, "");
}

}  // namespace

bool begins(const Words& row, const Words& begin) {
  return row.size() >= begin.size() && std::equal(begin.begin(), begin.end(), row.begin());
}

const Rows& look() {
  Fd file = open_table(LOCK_SH);
  return read_table(file).rows;
}

const Words* look_for(const Words& begin) {
  const Rows& rows = look();
  auto row = std::ranges::find_if(rows, [&](const Words& one) { return begins(one, begin); });
  return row == rows.end() ? nullptr : &*row;
}

Table::Table() : rows(known().rows), file_(open_table(LOCK_EX)) {
  read_table(file_);
}

Table::~Table() {
  if (!saved_) known().text.clear();  // the rows may have been changed
}

void Table::save() {
  settle(*this);
  std::string text;
  for (const Words& row : rows) text += join(row, "\t") + '\n';
  if (::pwrite(file_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(file_.get(), static_cast<off_t>(text.size())) != 0)
    bug("the world cannot be written");
  known().text = std::move(text);
  saved_ = true;
}

Words* Table::find(const Words& begin) {
  auto row = std::ranges::find_if(rows, [&](const Words& one) { return begins(one, begin); });
  return row == rows.end() ? nullptr : &*row;
}

void Table::erase(const Words& begin) {
  std::erase_if(rows, [&](const Words& row) { return begins(row, begin); });
}

pid_t add_process(Table& table, const std::string& group, Words kind) {
  pid_t pid = first_pid;
  while (table.has({"process", fmt::format("{}", pid)})) ++pid;
  Words& clock = *table.find({"clock"});
  clock[1] = fmt::format("{}", parse_int(clock[1]).value() + 1);
  Words row{"process", fmt::format("{}", pid), clock[1], group};
  row.insert(row.end(), kind.begin(), kind.end());
  table.add(row);
  return pid;
}

Fd make_handle(Thing thing, const std::string& name) {
  Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  note_handle(fd.get(), thing, name);
  return fd;
}

void note_handle(int fd, Thing thing, const std::string& name) {
  handles()[fd] = {thing, name};
}

std::string name_of(int fd, Thing thing) {
  auto handle = handles().find(fd);
  return handle != handles().end() && handle->second.thing == thing ? handle->second.name : "";
}

void enter_world(const std::string& path) {
  directory() = path;
  for (const char* name : {"db", "run", "log"}) fs::create_directories(path + "/" + name);
  ::setenv("CELLBLOCK_DB", (path + "/db").c_str(), 1);
  ::setenv("CELLBLOCK_RUN", (path + "/run").c_str(), 1);
  ::setenv("CELLBLOCK_LOG", (path + "/log").c_str(), 1);
  if (fs::exists(table_file())) return;
  std::ofstream(table_file()).close();
  Table table;
  table.rows = fresh();
  table.save();
}

Words commands_run() {
  Words lines;
  for (const Words& row : look())
    if (row[0] == "ran") lines.push_back(join(std::span(row).subspan(1), " "));
  return lines;
}

std::string fingerprint() {
  Words lines;
  for (const Words& row : look())
    if (row[0] != "ran" && row[0] != "clock") lines.push_back(join(row, " ") + "\n");
  std::ranges::sort(lines);
  std::string text = join(lines, "");
  print_files(directory() + "/db", text);
  print_files(directory() + "/run", text);
  return text;
}

void reboot() {
  Table table;
  Words boot = *table.find({"boot"});
  boot[1] = fmt::format("boot-{}", parse_int(boot[1].substr(5)).value() + 1);
  Rows kept;
  for (const Words& row : table.rows)
    if (row[0] == "ran" || row[0] == "clock" || row[0] == "work") kept.push_back(row);
  table.rows = fresh();
  *table.find({"boot"}) = boot;
  table.erase({"clock"});
  table.rows.insert(table.rows.end(), kept.begin(), kept.end());
  table.save();
  for (const fs::directory_entry& entry : fs::directory_iterator(directory() + "/run"))
    fs::remove_all(entry.path());
}

World::World() : path("/tmp/fake_world.XXXXXX") {
  // In memory where that is possible: a matrix makes and removes many worlds.
  if (fs::is_directory("/dev/shm")) path = "/dev/shm/fake_world.XXXXXX";
  if (!mkdtemp(path.data())) bug("no directory for a world");
  enter_world(path);
}

World::~World() {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace jail::fake
