// A world with state, in the place of a kernel: what os/*.h declares, done to a table in a file, so
// that a command that is killed leaves what it did to the next one. Groups, pins, views, mounts,
// network stacks, interfaces, addresses and processes are rows of it; fingerprints are texts.
//
// Commands of hooks and of exec.* are words to the world (tests/fake/command.cc): whatever they
// are, it is noted that they ran.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/text.h"
#include "os/facts.h"

namespace jail::fake {

// --- points: where a command can be made to die or to fail ---

enum class Blow : unsigned char { none, die, fail };

// What happens at the point of that number, counted from 0 in each process from give_order() on.
struct Order {
  Blow blow = Blow::none;
  size_t at = 0;
};

// A place that was passed.
struct Point {
  std::string name;
  bool worth_dying = false;  // something may have changed since the last such place
};

void give_order(Order order);
const std::vector<Point>& points_passed();
// Called at each point, if there is such a function; after a false no further points are counted.
void watch_points(bool (*watch)(bool worth_dying));

enum class Side : unsigned char { before, after, looks };
// True: what comes now is to fail (or, after it: is to be called a failure) with EIO.
bool point(const char* name, Side side);

// --- the table ---

using Rows = std::vector<Words>;

// The world of this process from here on: a directory with the table, CELLBLOCK_DB and
// CELLBLOCK_RUN. An empty one gets a fresh world with the interfaces em0 and em1, lo and ix0.
void enter_world(const std::string& directory);

// The rows as they are now; good until the next look or change.
const Rows& look();
// The first row that begins with these words, or nullptr.
const Words* look_for(const Words& begin);

// The table, locked for one change. What is not saved is forgotten.
class Table {
 public:
  Table();
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  // Writes it back, once what follows from the change has happened too.
  void save();
  Words* find(const Words& begin);
  bool has(const Words& begin) { return find(begin) != nullptr; }
  void add(Words row) { rows.push_back(std::move(row)); }
  void erase(const Words& begin);

  Rows& rows;

 private:
  Fd file_;
  bool saved_ = false;
};

bool begins(const Words& row, const Words& begin);

// One change of the world: it happens wholly or not at all, and the process may die before and
// after it.
template <class Change>
Result<void> effect(const char* name, Change change) {
  if (point(name, Side::before)) return fail_errno(name, EIO);
  {
    Table table;
    Result<void> changed = change(table);
    if (!changed) return changed;
    table.save();
  }
  if (point(name, Side::after)) return fail_errno(name, EIO);
  return {};
}

// --- processes, descriptors ---

// Starts a process in a group; `kind` is a row of words: "init ID", "daemon", "stubborn".
pid_t add_process(Table& table, const std::string& group, Words kind);

// Descriptors that stand for things of this world.
enum class Thing : unsigned char { none, process, group, view, stack };
Fd make_handle(Thing thing, const std::string& name);
// Says what a descriptor of that number stands for from now on.
void note_handle(int fd, Thing thing, const std::string& name);
// The name of what a descriptor stands for; empty if it is not such a thing.
std::string name_of(int fd, Thing thing);

// --- for tests ---

// Called for each command, with its words, once it is noted that it runs; may be nullptr.
void on_command(void (*hear)(bool in_jail, const Words& argv));

// The commands that ran, oldest first: "host say prestart".
Words commands_run();

// All of the world as text, also what lies below CELLBLOCK_DB and CELLBLOCK_RUN, but for what may
// differ: the commands that ran, counters, empty registries.
std::string fingerprint();

// The host is booted again: what the kernel had is gone, what is on disk is there.
void reboot();

// A directory with a world in it, gone at the end.
struct World {
  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::string path;
};

}  // namespace jail::fake
