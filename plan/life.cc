#include "plan/life.h"

#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>

#include "base/file.h"
#include "base/sys.h"

namespace jail {

namespace {

// One write(2) a line, so that lines of jails that start at the same time never mix, and what a
// hook prints stands where it was printed.
void print(int fd, const std::string& line) {
  ignore(write_all(fd, line), "whoever closed our output does not want it");
}

std::string prefixed(const Talk& talk, std::string_view text) {
  return talk.name.empty() ? fmt::format("{}\n", text) : fmt::format("{}: {}\n", talk.name, text);
}

}  // namespace

void Talk::note(std::string_view text) const {
  print(STDOUT_FILENO, prefixed(*this, text));
}

void Talk::error(std::string_view text) const {
  print(STDERR_FILENO, "jail: " + prefixed(*this, text));
}

void Talk::exists(std::string_view what) const {
  print(STDERR_FILENO, fmt::format("jail: \"{}\" already exists\n", what));
}

void Talk::print_jid(int64_t jid) const {
  print(STDOUT_FILENO, fmt::format("{}\n", jid));
}

void Talk::remark(std::string_view text) const {
  if (!quiet && !strict()) error(fmt::format("note: {}", text));
}

bool strict() {
  const char* value = std::getenv("CELLBLOCK_STRICT");
  return value && std::string_view(value) == "freebsd";
}

// The coordinator's one byte is always `go`: it has nothing else to say, so it is not looked at.
Result<void> take_turn(const Talk& talk, Turn turn) {
  if (talk.turns < 0) return {};
  char byte = static_cast<char>(turn);
  ssize_t size;
  do size = sys::write(talk.turns, &byte, 1);
  while (size < 0 && errno == EINTR);
  if (size == 1 && turn != Turn::command && turn != Turn::ended) return {};
  if (size == 1) do
      size = sys::read(talk.turns, &byte, 1);
    while (size < 0 && errno == EINTR);
  if (size == 1) return {};
  const int code = size < 0 && errno != EPIPE ? errno : ECANCELED;
  // After a word that was lost each would wait for the other: to the coordinator we are dead from
  // here on.
  sys::shutdown(talk.turns, SHUT_RDWR);
  return fail_errno("the jail command", code);
}

}  // namespace jail
