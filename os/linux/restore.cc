#include "os/linux/restore.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/file.h"

namespace jail {

namespace {

// Says a saved address again: RTM_NEWADDR, or RTM_DELADDR for whatever label it has.
void add_saved_address(NetBatch& batch, unsigned what, const InterfaceEntry& entry, uint32_t index,
                       const std::string& name) {
  auto header = value_of<ifaddrmsg>(entry.header);
  header.ifa_index = index;
  NetRequest request(what, what == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0, header);
  uint32_t flags = 0;
  for (const auto& [type, payload] : entry.attributes) {
    if (type == IFA_FLAGS)
      flags = value_of<uint32_t>(payload);
    else if (what == RTM_NEWADDR || type == IFA_LOCAL || type == IFA_ADDRESS)
      request.put(type, payload);
  }
  // It was ours already: no second look for duplicates, so that the routes that need it can follow
  // at once.
  if (header.ifa_family == AF_INET6) flags |= IFA_F_NODAD;
  if (what == RTM_NEWADDR) request.put_value(IFA_FLAGS, flags);
  batch.add(request, name + " " + entry.shown, what == RTM_NEWADDR ? EEXIST : EADDRNOTAVAIL);
}

// What differs of the interface itself. Its settings need an mtu that IPv6 can live with, so this
// comes first.
void add_link_changes(const InterfaceState& now, const InterfaceState& saved, NetBatch& batch) {
  auto change = [&](unsigned type, std::string_view payload, const char* what) {
    NetRequest request(RTM_SETLINK, 0, link_header(now.index));
    batch.add(request.put(type, payload), saved.name + what);
  };
  if (now.hardware != saved.hardware) change(IFLA_ADDRESS, saved.hardware, " hardware address");
  if (now.mtu != saved.mtu) change(IFLA_MTU, bytes_of(saved.mtu), " mtu");
  if (now.queue != saved.queue) change(IFLA_TXQLEN, bytes_of(saved.queue), " queue");
  for (const std::string& name : saved.altnames) {
    if (std::ranges::find(now.altnames, name) != now.altnames.end()) continue;
    NetRequest request(RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_APPEND, link_header(now.index));
    nlattr* list = request.begin_nest(IFLA_PROP_LIST);
    request.put_text(IFLA_ALT_IFNAME, name).end_nest(list);
    batch.add(request, fmt::format("{} name {}", saved.name, name));
  }
}

// True for the errors with which a kernel says no to a setting for good.
bool is_no(int code) {
  return code == ENOENT || code == EROFS || code == EACCES || code == EPERM || code == EINVAL;
}

// Settings have to be there before the interface is up and speaks.
Result<void> restore_settings(const InterfaceState& now, const InterfaceState& saved,
                              std::vector<Error>& refusals) {
  for (const std::string& setting : saved.settings) {
    Words words = split(setting, " ");
    if (words.size() != 3 || std::ranges::find(now.settings, setting) != now.settings.end())
      continue;
    std::string path = fmt::format("/proc/sys/net/{}/conf/{}/{}", words[0], now.name, words[1]);
    Result<Fd> file = open_at(AT_FDCWD, path, O_WRONLY);
    Result<void> written = file ? in(path, write_all(file->get(), words[2]))
                                : std::unexpected(std::move(file.error()));
    if (written) continue;
    if (!is_no(written.error().code)) return in(saved.name, std::move(written));
    refusals.push_back(std::move(written.error()).in(saved.name));
  }
  return {};
}

// Into its bridge, and up or down: addresses and routes need it up.
Result<void> add_place(Netlink& here, const InterfaceState& now, const InterfaceState& saved,
                       NetBatch& batch, std::vector<Error>& refusals) {
  if (!saved.master.empty() && now.master != saved.master) {
    std::optional<NetMessage> master = TRY(find_link(here, saved.master));
    if (!master) refusals.push_back(fail_errno(saved.name + " " + saved.master, ENODEV).error());
    NetRequest request(RTM_SETLINK, 0, link_header(now.index));
    if (master) request.put_value(IFLA_MASTER, read_link(*master).index);
    if (master) batch.add(request, saved.name + " " + saved.master);
  }
  NetRequest flags(RTM_SETLINK, 0, link_header(now.index, saved.flags, restored_flags));
  if (now.flags != saved.flags) batch.add(flags, saved.name + " flags");
  return {};
}

// Puts today's index where the saved hops have 0 (os/linux/interface.cc).
std::string with_own_index(std::string hops, uint32_t index) {
  for (size_t at = 0; at + sizeof(rtnexthop) <= hops.size();) {
    auto hop = value_of<rtnexthop>(std::string_view(hops).substr(at));
    if (hop.rtnh_ifindex == 0) hop.rtnh_ifindex = static_cast<int>(index);
    hops.replace(at, sizeof hop, bytes_of(hop));
    if (hop.rtnh_len < sizeof hop) break;
    at += RTNH_ALIGN(hop.rtnh_len);
  }
  return hops;
}

bool through_gateway(const InterfaceEntry& entry) {
  return std::ranges::any_of(entry.attributes, [](const auto& one) {
    return one.first == RTA_GATEWAY || one.first == RTA_VIA || one.first == RTA_MULTIPATH;
  });
}

// Appended, not replaced: two routes that differ in nothing but their next hop are both wanted. One
// that is there already is EEXIST.
void add_route(NetBatch& batch, const InterfaceEntry& entry, uint32_t index,
               const std::string& name) {
  NetRequest request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, value_of<rtmsg>(entry.header));
  bool many = false;
  for (const auto& [type, payload] : entry.attributes) {
    many = many || type == RTA_MULTIPATH;
    request.put(type, type == RTA_MULTIPATH ? with_own_index(payload, index) : payload);
  }
  if (!many) request.put_value(RTA_OIF, index);
  batch.add(request, fmt::format("{} route {}", name, entry.shown), EEXIST);
}

// The kernel lists IPv4 addresses oldest first and IPv6 ones newest first: said again in the order
// of their age.
void add_saved_addresses(NetBatch& batch, const InterfaceState& saved, uint32_t index) {
  std::vector<const InterfaceEntry*> order;
  for (const InterfaceEntry& address : saved.addresses) {
    bool newest_first = value_of<ifaddrmsg>(address.header).ifa_family == AF_INET6;
    order.insert(newest_first ? order.begin() : order.end(), &address);
  }
  for (const InterfaceEntry* address : order)
    add_saved_address(batch, RTM_NEWADDR, *address, index, saved.name);
}

}  // namespace

// Down first: not every kernel renames an interface that is up, and nobody misses the packets of
// one that is just coming back.
Result<void> rename_interface(Netlink& here, const InterfaceState& now,
                              const InterfaceState& saved) {
  if (now.name == saved.name) return {};
  if (TRY(find_link(here, saved.name))) {
    return fail(EEXIST, fmt::format("{}: another interface has that name now: it is back as {}",
                                    saved.name, now.name));
  }
  // A new name would write new labels: the addresses come back with restore_interface(). Only a
  // half-done return has some.
  NetBatch batch;
  for (const InterfaceEntry& address : saved.addresses)
    add_saved_address(batch, RTM_DELADDR, address, now.index, saved.name);
  batch.add(NetRequest(RTM_SETLINK, 0, link_header(now.index, 0, IFF_UP)), saved.name);
  NetRequest request(RTM_SETLINK, 0, link_header(now.index));
  batch.add(request.put_text(IFLA_IFNAME, saved.name), saved.name);
  std::vector<Error> refusals = TRY(here.post(batch));
  if (!refusals.empty()) return std::unexpected(std::move(refusals[0]));
  return {};
}

// In two batches: addresses and routes need the interface as the first one leaves it, and settings,
// which go through /proc/sys, have their place in between.
Result<std::vector<Error>> restore_interface(Netlink& here, const NetMessage& link,
                                             const InterfaceState& saved) {
  InterfaceState now = TRY(read_interface(here, link));
  NetBatch changes;
  add_link_changes(now, saved, changes);
  std::vector<Error> refusals = TRY(here.post(changes));
  TRY(restore_settings(now, saved, refusals));

  NetBatch batch;
  TRY(add_place(here, now, saved, batch, refusals));
  add_saved_addresses(batch, saved, now.index);
  // A gateway is reached by a route that must be there before.
  for (bool gateways : {false, true}) {
    for (const InterfaceEntry& route : saved.routes) {
      if (through_gateway(route) == gateways) add_route(batch, route, now.index, saved.name);
    }
  }
  for (Error& error : TRY(here.post(batch))) refusals.push_back(std::move(error));
  return refusals;
}

}  // namespace jail
