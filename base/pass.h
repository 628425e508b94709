// Descriptors that go to another process over a unix socket, beside a packet (SCM_RIGHTS, unix(4)).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace jail {

constexpr size_t most_passed = 8;  // descriptors in one packet

// Sends a packet with descriptors, which stay the caller's, and never waits. False: errno says why.
bool pass_descriptors(int socket, std::string_view packet, std::span<const int> descriptors);

struct Passed {
  std::string packet;
  std::vector<Fd> descriptors;  // as many as came, close-on-exec; of any kind
};

// The next packet, of at most 4096 bytes; more of it, and more descriptors, are lost. EPIPE: the
// other end has closed the socket.
Result<Passed> take_descriptors(int socket);

}  // namespace jail
