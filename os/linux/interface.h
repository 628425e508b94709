// What an interface is - from the kernel, to text, and back - for lending it to a jail and for
// giving it back. Only looks; os/linux/lend.cc changes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "os/linux/netlink.h"

namespace jail {

// An address or a route: the parts of its message that are a wish and not a state, ready to be sent
// again. The interface's own index is left out (0 in a route of several next hops).
struct InterfaceEntry {
  std::string shown;   // "10.0.0.1/24", "default table 254"
  std::string header;  // bytes of ifaddrmsg or rtmsg
  std::vector<std::pair<unsigned, std::string>> attributes;
};

// All that is saved of an interface: what a change of stacks loses, and what a jail can change.
struct InterfaceState {
  std::string name;
  std::string kind;                                   // of IFLA_INFO_KIND; empty: physical
  std::string master, alias;                          // the bridge's name; the text of IFLA_IFALIAS
  std::string hardware, permanent;                    // addresses as bytes
  uint32_t index = 0, flags = 0, mtu = 0, queue = 0;  // flags: those of restored_flags
  Words altnames;
  Words settings;  // "ipv4 FILE VALUE": net.ipv4.conf.NAME.FILE
  std::vector<InterfaceEntry> addresses, routes;
};

// The flags of an interface that were somebody's decision.
constexpr uint32_t restored_flags = IFF_UP | IFF_NOARP | IFF_PROMISC | IFF_ALLMULTI | IFF_MULTICAST;

// The header of a message about that interface; of the flags, those of `change` are to be as in
// `flags`.
ifinfomsg link_header(uint32_t index, uint32_t flags = 0, uint32_t change = 0);

// The interface of that name (or alternative name), or nothing. Errors of this and the next two are
// Netlink's, about the name.
Result<std::optional<NetMessage>> find_link(Netlink& netlink, const std::string& name);
// All interfaces of that stack.
Result<std::vector<NetMessage>> all_links(Netlink& netlink);
// The addresses of one interface, both families, as ifaddrmsg.
Result<std::vector<NetMessage>> all_addresses(Netlink& netlink, uint32_t index,
                                              const std::string& name);

// What the message itself says: all but master, addresses and routes.
InterfaceState read_link(const NetMessage& link);
// All of it.
Result<InterfaceState> read_interface(Netlink& netlink, const NetMessage& link);

// The text of describe_interface, and back. Facts that a later version added are passed over.
// EINVAL: no such text, "saved interface: LINE: cause".
std::string print_interface(const InterfaceState& interface);
Result<InterfaceState> parse_interface(std::string_view text);

}  // namespace jail
