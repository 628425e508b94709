// Interfaces and addresses: what plan/ needs of a network stack. On Linux by rtnetlink
// (rtnetlink(7), libmnl). Every function acts on the network namespace of the calling process
// unless it takes another one by descriptor; the process is never left in another one. Texts of
// errors name interface or address and the cause: "em0 10.0.0.1/32: File exists".
#pragma once

#include <string>

#include "base/result.h"
#include "base/text.h"

namespace jail {

// An address for an interface, taken apart from a word of ip4.addr or ip6.addr (J2.1, J4.3;
// conf/address.h).
struct InterfaceAddress {
  std::string interface;
  std::string address;  // canonical text, without prefix
  unsigned prefix = 0;  // bits
  bool ipv6 = false;
  Words extra;  // further ifconfig(8) words of the configuration: "broadcast", "10.0.0.255", ...

  bool operator==(const InterfaceAddress&) const = default;
};

// Whose an address on an interface is, as far as the kernel knows.
enum class Holder : unsigned char {
  nobody,  // it is not there
  us,      // it bears our mark (IFA_PROTO); where the kernel keeps no marks, never this
  others,  // it was there before us, or the kernel cannot tell
};

// True where the kernel keeps our mark on an address (IFA_PROTO: Linux 5.18 and later). Changes
// nothing. Needs the right to change addresses: EPERM without it.
Result<bool> addresses_marked();

// Whether the extra words mean something on this system; looks at nothing else. EINVAL names the
// word. On Linux: `alias`, `add`, `up`, for IPv4 `broadcast A`, and for IPv6 `vltime N`, `pltime N`
// (seconds, or `infty`), `deprecated`, `no_dad`.
Result<void> check_extra(const InterfaceAddress& address);

// Whether the address is on its interface with whatever prefix, and whose: a jail needs the
// address, and whoever has it already serves. ENODEV if there is no such interface.
Result<Holder> find_address(const InterfaceAddress& address);

// Adds the address as an alias with our mark. The interface is not brought up or down, but by the
// word `up`, which nothing undoes. An IPv4 address gets the broadcast address of its prefix
// (ifconfig(8)); an IPv6 one is usable at once (no duplicate address detection). There already with
// our mark: a success. EEXIST if it is there and not ours; EINVAL as check_extra; then nothing was
// done. Where only `up` fails the address stays: remove_address, as the undo, takes it off.
Result<void> add_address(const InterfaceAddress& address);

// Takes off the address that bears our mark, whatever its prefix, and no other; with `unmarked`
// (where the ledger alone knows) also one of exactly this prefix. Who its last holder is, the
// caller knows. Other addresses stay also where the kernel would take them along (IPv4 secondaries,
// by promote_secondaries). One that is not there, or whose interface is gone, is a success.
Result<void> remove_address(const InterfaceAddress& address, bool unmarked = false);

// What an interface is now, as text of one line a fact: name, index, kind, flags, mtu, queue,
// hardware address, bridge, alias, further names, settings (sysctl), addresses, the routes of all
// tables that go through it. What comes back by itself is left out: link-local and advertised
// addresses, the kernel's own routes, routes that expire. Not in it: rules, neighbours, queueing,
// bridge port options. This is what give_back_interface restores. ENODEV if not there.
Result<std::string> describe_interface(const std::string& name);

// Moves an interface of this stack into the stack behind `stack`, name kept, after writing
// "cellblock:" + `mark` in its alias text. `mark` must be unique among what is lent (the jail's id
// and the interface's number, say). Half done is found and undone by give_back. ENODEV if not
// there, EBUSY if it bears another's mark, EEXIST if the jail has a name like it.
Result<void> lend_interface(const std::string& name, int stack, const std::string& mark);

// Brings the interface that bears `mark` back from the stack behind `stack` (-1: that stack is
// gone) and makes it what `saved` (of describe_interface) says. Whatever the jail did to it is
// undone: new name, mtu, flags, alias, addresses, enslaving. Found by mark, or by index and
// hardware address where the jail took the mark away. In this stack only what bears the mark is
// touched, so a success if it is back already or was never lent. False: it is no more, as one of a
// virtual kind is that the jail deleted or that died with the stack. Errors: what could not be
// restored (the rest was; asking again is a success). But EEXIST, if its name has been taken
// meanwhile: it is back under another, which the text says, bears its mark still, and asking again
// tries the name again. ENODEV if a physical one is in neither stack (the kernel is still bringing
// it).
Result<bool> give_back_interface(const std::string& saved, int stack, const std::string& mark);

// Brings the loopback interface of the stack behind `stack` (-1: this one) up. One that is up is a
// success.
Result<void> loopback_up(int stack);

}  // namespace jail
