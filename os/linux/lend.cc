// Interfaces lent to a jail's network stack and given back. The mark in the alias text is written
// before the first change and taken off after the last one, so that whatever was begun is found and
// finished.
#include <algorithm>
#include <fmt/format.h>

#include "os/linux/restore.h"
#include "os/net.h"

namespace jail {

namespace {

constexpr std::string_view mark_prefix = "cellblock:";
constexpr size_t free_name_tries = 1000;

std::string alias_of(const std::string& mark) {
  return std::string(mark_prefix) + mark;
}

// A request that changes one attribute of an interface.
Result<void> set_link(Netlink& netlink, uint32_t index, unsigned type, std::string_view payload,
                      const std::string& noun) {
  NetRequest request(RTM_SETLINK, 0, link_header(index));
  return netlink.ask(request.put(type, payload), noun);
}

Result<std::optional<NetMessage>> find_marked(Netlink& netlink, const std::string& alias) {
  for (NetMessage& link : TRY(all_links(netlink))) {
    if (attribute_text(link.attributes<ifinfomsg>(), IFLA_IFALIAS) == alias)
      return std::optional(std::move(link));
  }
  return std::optional<NetMessage>();
}

// How sure it is that this interface of a jail is the one that was lent: 0, it is not. The jail may
// write our mark on another interface and take it off this one, but kind and permanent address it
// cannot change, nor an index.
int likeness(const InterfaceState& found, const InterfaceState& saved, const std::string& alias) {
  if (found.kind != saved.kind) return 0;
  bool marked = found.alias == alias;
  bool same_index = found.index == saved.index;
  bool same_address = !saved.hardware.empty() && found.hardware == saved.hardware;
  bool same_permanent = !saved.permanent.empty() && found.permanent == saved.permanent;
  if (!marked && !same_permanent && !(same_index && same_address)) return 0;
  return (same_permanent ? 8 : 0) + (same_index ? 4 : 0) + (marked ? 2 : 0) +
         (same_address ? 1 : 0);
}

Result<std::optional<InterfaceState>> find_lent(Netlink& there, const InterfaceState& saved,
                                                const std::string& alias) {
  std::optional<InterfaceState> best;
  int best_likeness = 0;
  for (const NetMessage& link : TRY(all_links(there))) {
    InterfaceState found = read_link(link);
    if (int likely = likeness(found, saved, alias); likely > best_likeness) {
      best_likeness = likely;
      best = std::move(found);
    }
  }
  return best;
}

// The saved name, or where another interface has it now, one that is free.
Result<std::string> free_name(Netlink& netlink, const std::string& wanted) {
  std::string name = wanted;
  for (size_t number = 0; number < free_name_tries; ++number) {
    if (!TRY(find_link(netlink, name))) return name;
    name = fmt::format("back{}", number);
  }
  return fail_errno(wanted, EEXIST);
}

Result<void> drop_altnames(Netlink& there, const InterfaceState& found, const Words& kept) {
  NetBatch batch;
  for (const std::string& name : found.altnames) {
    if (std::ranges::find(kept, name) != kept.end()) continue;
    NetRequest request(RTM_DELLINKPROP, 0, link_header(found.index));
    nlattr* list = request.begin_nest(IFLA_PROP_LIST);
    request.put_text(IFLA_ALT_IFNAME, name).end_nest(list);
    batch.add(request, found.name);
  }
  std::vector<Error> refusals = TRY(there.post(batch));
  if (!refusals.empty()) return std::unexpected(std::move(refusals[0]));
  return {};
}

// Moves it into our stack. The kernel gives it the wanted name on the way, and its old index if
// that one is free.
Result<void> move_back(Netlink& there, uint32_t index, const std::string& name,
                       uint32_t wanted_index) {
  Fd home = TRY(own_stack());
  auto move = [&](uint32_t new_index) {
    NetRequest request(RTM_SETLINK, 0, link_header(index));
    request.put_value(IFLA_NET_NS_FD, home.get()).put_text(IFLA_IFNAME, name);
    if (new_index != 0) request.put_value(IFLA_NEW_IFINDEX, new_index);
    return there.ask(request, name);
  };
  Result<void> moved = move(wanted_index);
  if (!moved && moved.error().code == EBUSY) moved = move(0);
  return moved;
}

// The first half of giving back: out of the jail's stack, if it is there.
Result<void> fetch(Netlink& here, const InterfaceState& saved, int stack,
                   const std::string& alias) {
  Netlink there = TRY(Netlink::open(stack));
  std::optional<InterfaceState> found = TRY(find_lent(there, saved, alias));
  if (!found) return {};
  if (found->alias != alias) TRY(set_link(there, found->index, IFLA_IFALIAS, alias, saved.name));
  TRY(drop_altnames(there, *found, saved.altnames));
  std::string name = TRY(free_name(here, saved.name));
  Result<void> moved = move_back(there, found->index, name, saved.index);
  if (moved || moved.error().code != EEXIST) return moved;
  // A further name of its own is taken here by now. Better without it than not at all.
  TRY(drop_altnames(there, *found, {}));
  return move_back(there, found->index, name, saved.index);
}

// What is in neither stack: gone with its kind, never lent, or back already - but a physical
// interface does not go.
Result<void> check_not_lost(Netlink& here, const InterfaceState& saved) {
  if (!saved.kind.empty()) return {};
  for (const NetMessage& link : TRY(all_links(here))) {
    InterfaceState found = read_link(link);
    if (found.kind.empty() && (found.hardware == saved.hardware || found.name == saved.name))
      return {};
  }
  return fail(ENODEV, saved.name + ": neither in the jail's network stack nor back yet");
}

}  // namespace

Result<void> lend_interface(const std::string& name, int stack, const std::string& mark) {
  Netlink here = TRY(Netlink::open());
  std::optional<NetMessage> link = TRY(find_link(here, name));
  if (!link) return fail_errno(name, ENODEV);
  InterfaceState now = read_link(*link);
  std::string alias = alias_of(mark);
  if (now.alias != alias && now.alias.starts_with(mark_prefix)) {
    return fail(EBUSY, fmt::format("{}: lent to another jail: {}", name, now.alias));
  }
  TRY(set_link(here, now.index, IFLA_IFALIAS, alias, name));
  return set_link(here, now.index, IFLA_NET_NS_FD, bytes_of(stack), name);
}

Result<void> give_back_interface(const std::string& saved_text, int stack,
                                 const std::string& mark) {
  InterfaceState saved = TRY(parse_interface(saved_text));
  std::string alias = alias_of(mark);
  Netlink here = TRY(Netlink::open());
  if (stack >= 0) TRY(fetch(here, saved, stack, alias));
  std::optional<NetMessage> link = TRY(find_marked(here, alias));
  if (!link) return check_not_lost(here, saved);

  Result<void> named = rename_interface(here, read_link(*link), saved);
  if (!named && named.error().code != EEXIST) return named;
  uint32_t index = read_link(*link).index;
  if (named) link = TRY(find_link(here, saved.name));
  if (!link) return fail_errno(saved.name, ENODEV);
  std::vector<Error> refusals = TRY(restore_interface(here, *link, saved));
  if (!named) return named;
  TRY(set_link(here, index, IFLA_IFALIAS, saved.alias, saved.name));
  if (!refusals.empty()) return std::unexpected(std::move(refusals[0]));
  return {};
}

Result<void> loopback_up(int stack) {
  Netlink there = TRY(Netlink::open(stack));
  std::optional<NetMessage> link = TRY(find_link(there, "lo"));
  if (!link) return fail_errno("lo", ENODEV);
  uint32_t index = read_link(*link).index;
  return there.ask(NetRequest(RTM_SETLINK, 0, link_header(index, IFF_UP, IFF_UP)), "lo");
}

}  // namespace jail
