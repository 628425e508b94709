// Addresses of a jail: the words of ip4.addr and ip6.addr, `[IFACE|]ADDR[/MASK][ ARG...]` (J2.1),
// taken apart. Pure; whether an interface or an ifconfig(8) word means something on this system is
// for os/net.h to say.
//
// In both functions a word may hold several addresses with commas between, and no words, one that
// is empty, or a lone "-" is the empty list: restricted to no address. Errors (EINVAL) do not name
// the parameter: the caller does.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/text.h"

namespace jail {

// The two families that a jail can be held to, one parameter each.
enum class Family : uint8_t { ip4, ip6 };

// The kernel's side of such words: bare addresses, canonical, in order; all else is passed over
// unread. Error, of Appendix B: "not an IPv4 address: X".
Result<Words> addresses_of(Family family, std::span<const std::string_view> words);

// The interfaces' side: one address as ifconfig(8) would understand it (J4.3).
struct Address {
  // The word's own, else the parameter `interface`; empty: no interface is touched.
  std::string interface;
  std::string address;  // canonical text, as inet_ntop(3) writes it
  unsigned prefix = 0;  // bits, at most 32 or 128; all of them where the word has no mask
  bool ipv6 = false;
  Words extra;  // the ARGs, without netmask and prefixlen: those are in `prefix`

  bool operator==(const Address&) const = default;
};

// The addresses of all words, in order. `interface` is the value of that parameter, or empty. A
// mask is a prefix length, or for IPv4 also dotted; ARGs netmask and prefixlen win over it, as they
// do for ifconfig(8). Errors: as above, or "not a netmask: X", "not a prefix length: X", "not an
// interface: X".
Result<std::vector<Address>> parse_addresses(Family family, std::span<const std::string> words,
                                             std::string_view interface);

}  // namespace jail
