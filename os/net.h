// Interfaces and addresses: what plan/ needs of a network stack. On Linux by rtnetlink (rtnetlink(7), libmnl). Every
// function acts on the network namespace of the calling process unless it takes another one by descriptor. Texts of
// errors name interface or address and the cause.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/text.h"

namespace jail {

// An address for an interface, taken apart from a word of ip4.addr or ip6.addr (J2.1, J4.3).
struct InterfaceAddress {
  std::string interface;
  std::string address;  // canonical text, without prefix
  unsigned prefix = 0;  // bits
  bool ipv6 = false;
  Words extra;  // further ifconfig(8) words of the configuration: "broadcast", "10.0.0.255", ...

  bool operator==(const InterfaceAddress&) const = default;
};

// Whose an address on an interface is.
enum class Holder : unsigned char {
  nobody,  // it is not there
  us,      // it bears our mark (IFA_PROTO); where the kernel keeps no marks, never this
  others,  // it was there before us, or the kernel cannot tell
};

// Whether the address is on its interface, and whose. ENODEV if there is no such interface.
Result<Holder> find_address(const InterfaceAddress& address);

// Adds the address as an alias with our mark; the interface is not brought up or down. EEXIST if it is there. EINVAL
// for an extra word that has no meaning here, before anything is done.
Result<void> add_address(const InterfaceAddress& address);

// Takes the address off. One that is not there, or whose interface is gone, is a success.
Result<void> remove_address(const InterfaceAddress& address);

// What an interface is now, as text of one line a fact: name, index, mtu, up or down, alias, hardware address,
// addresses with their flags, the routes that go through it. This is what give_back restores. ENODEV if not there.
Result<std::string> describe_interface(const std::string& name);

// Moves an interface of this stack into the stack behind `stack`, writing `mark` in its alias text first. Half done is
// found and finished or undone by give_back.
Result<void> lend_interface(const std::string& name, int stack, const std::string& mark);

// Brings the interface that bears `mark` back from the stack behind `stack` and makes it what `saved` (of
// describe_interface) says: name, alias, mtu, addresses, routes, up or down. Found by mark, or by index and hardware
// address where the jail took the mark away. Success if it is back already, or gone for good (its kind dies with a
// peer). `stack` may be -1 when that stack is gone.
Result<void> give_back_interface(const std::string& saved, int stack, const std::string& mark);

// Brings the loopback interface of the stack behind `stack` up.
Result<void> loopback_up(int stack);

}  // namespace jail
