// Who has called at the control socket, until it has said what it wants: one request a connection,
// nobody can make us wait, and who says nothing makes room for others.
#pragma once

#include <array>
#include <optional>
#include <poll.h>
#include <span>
#include <string_view>

#include "base/text.h"
#include "os/process1.h"

namespace jail {

constexpr size_t request_most = 4096;  // bytes of a packet, either way

// A packet to a caller, who may have gone: cut after request_most bytes, never waited for.
void reply(const Caller& caller, std::string_view text);

class Callers {
 public:
  static constexpr size_t most = 16;  // at a time; who of the jail has been silent the longest goes

  // What to poll for, a place each.
  void fill(std::span<pollfd, most> polls) const;
  // The listening socket, to be polled; -1 if nobody could be let in just now: it would be readable
  // for ever. deaf(): so it was, and nobody tells when it would go again.
  int hears(int listener);
  bool deaf() const { return deaf_; }
  // Lets one in from the listening socket, with our last descriptor if need be, or with that of
  // who has been silent the longest.
  void take(int listener);

  struct Request {
    Caller caller;
    Words words;  // at least one
  };
  // What the caller at that place asks for. Nothing: it has not spoken yet, or it is gone, with its
  // answer if it had no right or made no sense.
  std::optional<Request> hear(size_t place);

 private:
  Caller& longest_silent();

  std::array<Caller, most> callers_;
  Fd spare_;  // for the one who comes when there is no other
  bool failed_ = false, deaf_ = false;
};

}  // namespace jail
