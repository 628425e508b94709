// States of a world: taken, put back, and told apart. Two states that differ only in what is drawn
// (ids) or counted (start times) have one key: what comes after them is the same.
#pragma once

#include <string>
#include <vector>

#include "base/text.h"

namespace jail::kill {

struct File {
  std::string path;  // below the world's directory
  bool directory = false;
  std::string content;

  bool operator==(const File&) const = default;
};
using State = std::vector<File>;  // sorted by path

State take_state(const std::string& world);
// Makes a world that is in state `now` one in state `wanted`.
void put_state(const std::string& world, const State& now, const State& wanted);

// The state without what is drawn or counted, and without what ran.
std::string key_of(const State& state);

// A key without what may differ while a jail is up and is gone with it: groups that its hooks ran
// in, marks of stops that were refused, a temporary file of the index.
std::string up_key_of(const std::string& key);

// Hooks whose other half is due: "release", "poststop".
Words due_halves(const State& state);

// Notes that a half has been reported as failed, so that it is not due any more (promise 5).
void excuse(State& state, const std::string& half);

// Takes from the ledgers what a loss of power may take: all after the last announcement of an act
// that survives a boot.
void drop_unsynced(State& state);

// Whether a ledger of that state holds the act open whose undo runs that half.
bool is_in_ledger(const State& state, const std::string& half);

}  // namespace jail::kill
