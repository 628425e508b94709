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

// Changes one attribute of an interface.
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

// The index that a lent interface gets in the jail where the jail has its own one already: known,
// since a jail may take everything else off an interface, but cannot give it another index.
uint32_t second_index(uint32_t index) {
  return index + (1U << 24);
}

// How sure it is that this interface of a jail is the one that was lent: 0, it is not. The jail may
// write our mark on another one and take it off this one.
int likeness(const InterfaceState& found, const InterfaceState& saved, const std::string& alias) {
  if (found.kind != saved.kind) return 0;
  bool same_permanent = !saved.permanent.empty() && found.permanent == saved.permanent;
  int sure = (same_permanent ? 16 : 0) + (found.index == second_index(saved.index) ? 8 : 0) +
             (found.index == saved.index ? 4 : 0) + (found.alias == alias ? 2 : 0);
  return sure == 0 ? 0 : sure + (found.hardware == saved.hardware ? 1 : 0);
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

// The saved name, or where another interface has it now, one that is free: to come back is worth
// more than the name, and the next try may give that back.
Result<std::string> free_name(Netlink& netlink, const std::string& wanted) {
  std::string name = wanted;
  for (size_t number = 0; number < free_name_tries; ++number) {
    if (!TRY(find_link(netlink, name))) return name;
    name = fmt::format("back{}", number);
  }
  return fail_errno(wanted, EEXIST);
}

// Further names move along, and one that is taken here would keep the interface in the jail. Those
// that the jail gave it go; its own are in `kept`.
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

// Moves an interface into the stack behind `stack`, with the first of these indexes that is free
// there, else any. `name` is what it is called where its own name is taken; empty: nothing.
Result<void> move_link(Netlink& from, uint32_t index, int stack,
                       const std::vector<uint32_t>& indexes, const std::string& name,
                       const std::string& noun) {
  auto move = [&](uint32_t new_index) {
    NetRequest request(RTM_SETLINK, 0, link_header(index));
    request.put_value(IFLA_NET_NS_FD, stack);
    if (!name.empty()) request.put_text(IFLA_IFNAME, name);
    if (new_index != 0) request.put_value(IFLA_NEW_IFINDEX, new_index);
    return from.ask(request, noun);
  };
  for (uint32_t wanted : indexes) {
    Result<void> moved = move(wanted);
    if (moved || moved.error().code != EBUSY) return moved;
  }
  return move(0);
}

// The first half of giving back: out of the jail's stack, if it is there.
Result<void> fetch(Netlink& here, const InterfaceState& saved, int stack,
                   const std::string& alias) {
  Netlink there = TRY(Netlink::open(stack));
  std::optional<InterfaceState> found = TRY(find_lent(there, saved, alias));
  if (!found) return {};
  if (found->alias != alias) TRY(set_link(there, found->index, IFLA_IFALIAS, alias, saved.name));
  TRY(drop_altnames(there, *found, saved.altnames));
  Fd home = TRY(own_stack());
  std::string name = TRY(free_name(here, saved.name));
  Result<void> moved = move_link(there, found->index, home.get(), {saved.index}, name, saved.name);
  if (moved || moved.error().code != EEXIST) return moved;
  // A further name of its own is taken here by now. Better without it than not at all.
  TRY(drop_altnames(there, *found, {}));
  return move_link(there, found->index, home.get(), {saved.index}, name, saved.name);
}

// True if the interface is in our stack without a mark: never lent, or back already.
Result<bool> is_home(Netlink& here, const InterfaceState& saved) {
  for (const NetMessage& link : TRY(all_links(here))) {
    InterfaceState found = read_link(link);
    if (found.kind == saved.kind && found.hardware == saved.hardware &&
        (found.index == saved.index || found.name == saved.name)) {
      return true;
    }
  }
  return false;
}

// The interface in our stack, with the mark on it; nothing if there is nothing to be given back
// (any more).
Result<std::optional<NetMessage>> bring_home(Netlink& here, const InterfaceState& saved, int stack,
                                             const std::string& alias) {
  std::optional<NetMessage> link = TRY(find_marked(here, alias));
  if (link || TRY(is_home(here, saved))) return link;
  if (stack >= 0) TRY(fetch(here, saved, stack, alias));
  link = TRY(find_marked(here, alias));
  if (!link && saved.kind.empty()) {
    return fail(ENODEV, saved.name + ": neither in the jail's network stack nor back yet");
  }
  return link;
}

}  // namespace

// The mark first: killed after it, we leave an interface that is ours to give back and has not
// moved, which give_back_interface() finds at home.
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
  return move_link(here, now.index, stack, {now.index, second_index(now.index)}, "", name);
}

Result<bool> give_back_interface(const std::string& saved_text, int stack,
                                 const std::string& mark) {
  InterfaceState saved = TRY(parse_interface(saved_text));
  std::string alias = alias_of(mark);
  Netlink here = TRY(Netlink::open());
  std::optional<NetMessage> link = TRY(bring_home(here, saved, stack, alias));
  if (!link) return is_home(here, saved);

  Result<void> named = rename_interface(here, read_link(*link), saved);
  if (!named && named.error().code != EEXIST) return std::unexpected(std::move(named.error()));
  uint32_t index = read_link(*link).index;
  if (named) link = TRY(find_link(here, saved.name));
  if (!link) return fail_errno(saved.name, ENODEV);
  std::vector<Error> refusals = TRY(restore_interface(here, *link, saved));
  if (!named) return std::unexpected(std::move(named.error()));
  // Once more, before the mark goes and with it the right to try: not all refusals are for good.
  link = TRY(find_link(here, saved.name));
  if (!refusals.empty() && link) refusals = TRY(restore_interface(here, *link, saved));
  TRY(set_link(here, index, IFLA_IFALIAS, saved.alias, saved.name));
  if (!refusals.empty()) return std::unexpected(std::move(refusals[0]));
  return true;
}

Result<void> loopback_up(int stack) {
  Netlink there = TRY(Netlink::open(stack));
  constexpr uint32_t loopback = 1;  // in every stack: LOOPBACK_IFINDEX of the kernel
  return there.ask(NetRequest(RTM_SETLINK, 0, link_header(loopback, IFF_UP, IFF_UP)), "lo");
}

}  // namespace jail
