// jinit: process 1 of a jail (--jail, init/pid1.h), its warden on the host (--warden, os/warden.h),
// and the entry point of any container (init/entry.h). Static, without {fmt} and without
// exceptions.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init/client.h"
#include "init/desk.h"
#include "init/entry.h"
#include "init/pid1.h"
#include "init/services_entry.h"
#include "os/warden.h"

namespace {

jail::Desk* desk;  // of a warden; no other has one

// --warden ID JAIL program|jinit [living]
int run_warden(int count, char** words) {
  using jail::Desk;
  Desk at;
  desk = &at;
  const jail::DeskCalls calls{
      .polls = Desk::polls_most,
      .begin = [] { desk->begin(); },
      .fill = [](std::span<pollfd> polls,
                 bool hears) { return desk->fill(polls.first<Desk::polls_most>(), hears); },
      .handle =
          [](std::span<const pollfd> polls) { desk->handle(polls.first<Desk::polls_most>()); }};
  return jail::guard({.id = words[2],
                      .program = words[3],
                      .serves = strcmp(words[4], "program") == 0,
                      .adopts = count > 5 && strcmp(words[5], "living") == 0},
                     calls);
}

}  // namespace

int main(int count, char** words) {
  if (count >= 2 && strcmp(words[1], "--jail") == 0 && getpid() == 1)
    return jail::run_jail({words + 2, static_cast<size_t>(count) - 2});
  if (count >= 5 && strcmp(words[1], "--warden") == 0) return run_warden(count, words);
  if (count == 3 && strcmp(words[1], "--services") == 0) return jail::run_services(words[2]);
  if (count > 1 && words[1][0] == '-' && strcmp(words[1], "--jail") != 0)
    return jail::run_entry(count, words);
  const std::span<char* const> all(words, static_cast<size_t>(count));
  if (getpid() != 1 && jail::is_for_process1(all)) return jail::run_client(all);
  if (fprintf(stderr,
              "usage: jinit is started by jail(8) as process 1 of a jail\n"
              "       jinit [word]    in such a jail: status, single, multi, reboot, halt, "
              "poweroff ...\n"
              "       jinit [options] -- command [argument ...]    in front of any command; see "
              "--help\n") < 0)
    return 74;
  return 64;
}
