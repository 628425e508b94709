#include "sup/supervisor_tools.h"

#include <csignal>
#include <span>

namespace jail {
namespace {

// TAI64N, D. J. Bernstein's label of a second: 2^62 and the seconds of TAI since 1970. runit counts
// 10 s between TAI and UTC for ever; s6 the leap seconds since, 27 of them and none to come.
constexpr uint64_t label_base = uint64_t{1} << 62;
constexpr uint64_t leap_of_runit = 10, leap_of_s6 = 37;

template <class Number>
void put_big(std::span<unsigned char> at, Number number) {
  for (size_t i = at.size(); i-- > 0; number = static_cast<Number>(number >> 8))
    at[i] = static_cast<unsigned char>(number & 0xff);
}

void put_time(std::span<unsigned char> at, WallTime time, uint64_t leap) {
  put_big(at.first(8), label_base + leap + static_cast<uint64_t>(time.seconds));
  put_big(at.subspan(8, 4), time.nanoseconds);
}

bool is_wanted(const ServiceLife& life) {
  return (life.goal || life.hold) && !life.once && life.state != ServiceState::failed;
}

struct Row {
  char letter;
  ToolRequest request;
};

using Kind = ToolRequest::Kind;
constexpr Row rows[] = {
    {'u', {Kind::up}},
    {'U', {Kind::up, 0, -1}},
    {'d', {Kind::down}},
    {'D', {Kind::down, 0, 1}},
    {'o', {Kind::once}},
    {'Q', {Kind::once, 0, 1}},
    {'O', {Kind::no_more}},
    {'r', {Kind::again}},
    {'x', {Kind::leave}},
    {'a', {Kind::signal, SIGALRM}},
    {'b', {Kind::signal, SIGABRT}},
    {'q', {Kind::signal, SIGQUIT}},
    {'h', {Kind::signal, SIGHUP}},
    {'k', {Kind::signal, SIGKILL}},
    {'t', {Kind::signal, SIGTERM}},
    {'i', {Kind::signal, SIGINT}},
    {'1', {Kind::signal, SIGUSR1}},
    {'2', {Kind::signal, SIGUSR2}},
    {'p', {Kind::signal, SIGSTOP}},
    {'c', {Kind::signal, SIGCONT}},
    {'y', {Kind::signal, SIGWINCH}},
};

}  // namespace

StatusFile status_file(Tools tools, const ServiceLife& life, const ToolMarks& marks) {
  enum : unsigned char { paused = 1, finishing = 2, wanted = 4, ready = 8 };
  using Phase = ToolMarks::Phase;
  StatusFile file = {};
  const std::span all(file);
  const auto pid = static_cast<uint32_t>(life.pid);
  put_time(all.first(12), marks.changed, tools == Tools::s6 ? leap_of_s6 : leap_of_runit);
  if (tools == Tools::s6) {
    put_time(all.subspan(12, 12), marks.ready_since, leap_of_s6);
  } else {
    for (size_t i = 0; i < 4; ++i) file[12 + i] = static_cast<unsigned char>(pid >> (8 * i));
    file[16] = marks.paused;
    file[17] = is_wanted(life) ? 'u' : 'd';
    file[18] = marks.termed;
    file[19] = static_cast<unsigned char>(marks.phase);
  }
  put_big(all.subspan(24, 8), uint64_t{pid});
  file[32] = life.status.signal != 0 ? 0 : life.status.code;
  file[33] = life.status.signal;
  file[34] = static_cast<unsigned char>((marks.paused ? paused : 0) |
                                        (marks.phase == Phase::finishes ? finishing : 0) |
                                        (is_wanted(life) ? wanted : 0) | (marks.ready ? ready : 0));
  return file;
}

ToolNews renew(ToolMarks& marks, const ServiceLife& life, bool says_ready, WallTime now) {
  using Phase = ToolMarks::Phase;
  const Phase before = marks.phase;
  marks.phase = life.finishing ? Phase::finishes : life.pid != 0 ? Phase::runs : Phase::down;
  ToolNews news;
  size_t count = 0;
  const auto add = [&](char letter) { news.letters[count++] = letter; };
  if (before != Phase::runs && marks.phase == Phase::runs) {
    marks = {.changed = now, .ready_since = marks.ready_since, .phase = Phase::runs};
    add('u');
  }
  const bool ready = says_ready && marks.phase == Phase::runs && life.state == ServiceState::up;
  if (ready && !marks.ready) {
    marks.ready = true;
    marks.ready_since = now;
    add('U');
  }
  if (before == Phase::runs && marks.phase != Phase::runs) {
    marks = {.changed = now, .ready_since = marks.ready_since, .phase = marks.phase};
    news.death = true;
    add('d');
  }
  if (before != Phase::down && marks.phase == Phase::down) {
    marks.ready = true;
    marks.ready_since = now;
    if (life.finish_says_no) add('O');
    add('D');
  }
  return news;
}

std::array<unsigned char, death_size> death_record(ExitStatus status, WallTime when) {
  std::array<unsigned char, death_size> record = {};
  put_time(std::span(record).first(12), when, leap_of_s6);
  record[12] = status.signal != 0 ? 0 : status.code;
  record[13] = status.signal;
  return record;
}

ToolRequest request_of(char letter, Tools tools) {
  if (tools == Tools::runit && std::string_view("UDQOrby").contains(letter)) return {};
  for (const Row& row : rows)
    if (row.letter == letter) return row.request;
  return {};
}

}  // namespace jail
