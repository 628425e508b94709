#include "os/linux/interface.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>

#include "os/net.h"

namespace jail {

namespace {

// What is saved of an interface: everything that was somebody's wish, nothing that the kernel, a
// router's advertisement or time will bring by itself - to say that again would make it permanent.

// Who put an address or a route there: those come back without us.
constexpr uint8_t address_by_kernel = 1, address_link_local = 3;
// Of an address' flags, those that are a wish.
constexpr uint32_t address_flags =
    IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

// The attributes that are said again. Not RTA_NH_ID: the dump spells the next hop out beside it.
constexpr unsigned address_attributes[] = {IFA_ADDRESS,   IFA_LOCAL, IFA_LABEL,       IFA_BROADCAST,
                                           IFA_CACHEINFO, IFA_FLAGS, IFA_RT_PRIORITY, IFA_PROTO};
constexpr unsigned route_attributes[] = {
    RTA_DST,  RTA_SRC,   RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_METRICS,   RTA_MULTIPATH,
    RTA_FLOW, RTA_TABLE, RTA_VIA,     RTA_PREF,     RTA_ENCAP,   RTA_ENCAP_TYPE};

// The settings of an interface that its change of stacks loses: place in the kernel's array, file
// below /proc/sys/net/FAMILY/conf/NAME.
struct Setting {
  unsigned family;
  unsigned place;
  const char* file;
};
constexpr Setting settings[] = {
    {AF_INET, IPV4_DEVCONF_ACCEPT_LOCAL - 1, "accept_local"},
    {AF_INET, IPV4_DEVCONF_ACCEPT_REDIRECTS - 1, "accept_redirects"},
    {AF_INET, IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE - 1, "accept_source_route"},
    {AF_INET, IPV4_DEVCONF_ARP_ANNOUNCE - 1, "arp_announce"},
    {AF_INET, IPV4_DEVCONF_ARPFILTER - 1, "arp_filter"},
    {AF_INET, IPV4_DEVCONF_ARP_IGNORE - 1, "arp_ignore"},
    {AF_INET, IPV4_DEVCONF_FORWARDING - 1, "forwarding"},
    {AF_INET, IPV4_DEVCONF_LOG_MARTIANS - 1, "log_martians"},
    {AF_INET, IPV4_DEVCONF_PROMOTE_SECONDARIES - 1, "promote_secondaries"},
    {AF_INET, IPV4_DEVCONF_PROXY_ARP - 1, "proxy_arp"},
    {AF_INET, IPV4_DEVCONF_ROUTE_LOCALNET - 1, "route_localnet"},
    {AF_INET, IPV4_DEVCONF_RP_FILTER - 1, "rp_filter"},
    {AF_INET, IPV4_DEVCONF_SECURE_REDIRECTS - 1, "secure_redirects"},
    {AF_INET, IPV4_DEVCONF_SEND_REDIRECTS - 1, "send_redirects"},
    {AF_INET, IPV4_DEVCONF_SRC_VMARK - 1, "src_valid_mark"},
    {AF_INET6, DEVCONF_DISABLE_IPV6, "disable_ipv6"},
    {AF_INET6, DEVCONF_ADDR_GEN_MODE, "addr_gen_mode"},
    {AF_INET6, DEVCONF_FORWARDING, "forwarding"},
    {AF_INET6, DEVCONF_ACCEPT_RA, "accept_ra"},
    {AF_INET6, DEVCONF_ACCEPT_REDIRECTS, "accept_redirects"},
    {AF_INET6, DEVCONF_ACCEPT_SOURCE_ROUTE, "accept_source_route"},
    {AF_INET6, DEVCONF_AUTOCONF, "autoconf"},
    {AF_INET6, DEVCONF_HOPLIMIT, "hop_limit"},
    {AF_INET6, DEVCONF_KEEP_ADDR_ON_DOWN, "keep_addr_on_down"},
    {AF_INET6, DEVCONF_PROXY_NDP, "proxy_ndp"},
    {AF_INET6, DEVCONF_USE_TEMPADDR, "use_tempaddr"},
};

// "10.0.0.0/8"; "default" for no bytes.
std::string show_address(unsigned family, std::string_view bytes, unsigned prefix) {
  char text[INET6_ADDRSTRLEN];
  if (bytes.size() != (family == AF_INET6 ? sizeof(in6_addr) : sizeof(in_addr))) return "default";
  inet_ntop(static_cast<int>(family), bytes.data(), text, sizeof text);
  return fmt::format("{}/{}", text, prefix);
}

// Payloads are kept as the kernel said them: they need not be understood to be said again.
InterfaceEntry take(std::string_view header, const std::vector<NetAttribute>& attributes,
                    std::span<const unsigned> wanted) {
  InterfaceEntry entry{.shown = {}, .header = std::string(header), .attributes = {}};
  for (const NetAttribute& attribute : attributes) {
    if (std::ranges::find(wanted, attribute.type) != wanted.end()) {
      entry.attributes.emplace_back(attribute.type, attribute.payload);
    }
  }
  return entry;
}

std::optional<InterfaceEntry> read_address(const NetMessage& message) {
  auto header = message.header<ifaddrmsg>();
  std::vector<NetAttribute> attributes = message.attributes<ifaddrmsg>();
  auto by = attribute_value<uint8_t>(attributes, IFA_PROTO);
  auto flags = attribute_value<uint32_t>(attributes, IFA_FLAGS);
  // The kernel makes temporary ones (RFC 8981) by itself.
  bool temporary = header.ifa_family == AF_INET6 && (flags & IFA_F_TEMPORARY) != 0;
  if (temporary || (by >= address_by_kernel && by <= address_link_local)) return {};

  header.ifa_index = 0;
  header.ifa_flags = 0;
  InterfaceEntry entry = take(bytes_of(header), attributes, address_attributes);
  for (auto& [type, payload] : entry.attributes) {
    if (type == IFA_FLAGS) payload = bytes_of(flags & address_flags);
    if (type == IFA_CACHEINFO) {
      auto times = value_of<ifa_cacheinfo>(payload);
      times.cstamp = times.tstamp = 0;
      payload = bytes_of(times);
    }
  }
  auto local = find_attribute(attributes, IFA_LOCAL);
  entry.shown = show_address(header.ifa_family,
                             local ? *local : find_attribute(attributes, IFA_ADDRESS).value_or(""),
                             header.ifa_prefixlen);
  return entry;
}

// One next hop of RTA_MULTIPATH and its attributes (rtnetlink(7)).
struct NextHop {
  rtnexthop header;
  std::string_view attributes;
};

std::vector<NextHop> next_hops(std::string_view bytes) {
  std::vector<NextHop> hops;
  while (bytes.size() >= sizeof(rtnexthop)) {
    auto header = value_of<rtnexthop>(bytes);
    if (header.rtnh_len < sizeof header || header.rtnh_len > bytes.size()) break;
    hops.push_back({header, bytes.substr(sizeof header, header.rtnh_len - sizeof header)});
    bytes.remove_prefix(std::min<size_t>(bytes.size(), RTNH_ALIGN(header.rtnh_len)));
  }
  return hops;
}

// The kernel's own routes come with the address, redirects and cached ones with traffic, and what
// expires is a router's to renew.
bool comes_back(const rtmsg& header, const std::vector<NetAttribute>& attributes) {
  auto cache = attribute_value<rta_cacheinfo>(attributes, RTA_CACHEINFO);
  return header.rtm_protocol == RTPROT_KERNEL || header.rtm_protocol == RTPROT_REDIRECT ||
         cache.rta_expires != 0 || (header.rtm_flags & RTM_F_CLONED) != 0;
}

// The hops of an IPv4 route as one attribute, our own index as 0. One hop lost loses such a route
// as a whole.
std::string rewrite_hops(const std::vector<NextHop>& hops, uint32_t own) {
  std::string bytes;
  for (NextHop hop : hops) {
    if (static_cast<uint32_t>(hop.header.rtnh_ifindex) == own) hop.header.rtnh_ifindex = 0;
    hop.header.rtnh_flags &= RTNH_F_ONLINK;
    bytes.append(bytes_of(hop.header)).append(hop.attributes);
    bytes.resize(RTNH_ALIGN(bytes.size()));
  }
  return bytes;
}

void read_route(const NetMessage& message, uint32_t own, std::vector<InterfaceEntry>& routes) {
  auto header = message.header<rtmsg>();
  std::vector<NetAttribute> attributes = message.attributes<rtmsg>();
  if (comes_back(header, attributes)) return;
  header.rtm_flags &= RTNH_F_ONLINK;
  InterfaceEntry route = take(bytes_of(header), attributes, route_attributes);
  auto table = attribute_value<uint32_t>(attributes, RTA_TABLE);
  route.shown =
      fmt::format("{} table {}",
                  show_address(header.rtm_family, find_attribute(attributes, RTA_DST).value_or(""),
                               header.rtm_dst_len),
                  table);
  auto many =
      std::ranges::find(route.attributes, RTA_MULTIPATH, &std::pair<unsigned, std::string>::first);
  if (many == route.attributes.end()) {
    if (attribute_value<uint32_t>(attributes, RTA_OIF) == own) routes.push_back(std::move(route));
    return;
  }
  std::string packed = std::move(many->second);
  std::vector<NextHop> hops = next_hops(packed);
  auto ours = [own](const NextHop& hop) {
    return static_cast<uint32_t>(hop.header.rtnh_ifindex) == own;
  };
  if (std::ranges::none_of(hops, ours)) return;
  if (header.rtm_family == AF_INET) {
    many->second = rewrite_hops(hops, own);
    routes.push_back(std::move(route));
    return;
  }
  // An IPv6 route loses only the hop that leaves, and takes it back as a route of its own,
  // appended.
  route.attributes.erase(many);
  for (const NextHop& hop : hops) {
    if (!ours(hop)) continue;
    InterfaceEntry single = route;
    for (const NetAttribute& attribute : attributes_in(hop.attributes)) {
      single.attributes.emplace_back(attribute.type, attribute.payload);
    }
    routes.push_back(std::move(single));
  }
}

// A dump of one family; a system without it answers with others, which are passed over.
Result<std::vector<NetMessage>> routes_of(Netlink& netlink, int family, uint32_t index,
                                          const std::string& name) {
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(family);
  NetRequest request(RTM_GETROUTE, NLM_F_DUMP, header);
  request.put_value(RTA_OIF, index);
  std::vector<NetMessage> routes = TRY(netlink.list(request, name));
  std::erase_if(
      routes, [&](const NetMessage& route) { return route.header<rtmsg>().rtm_family != family; });
  return routes;
}

// From the link's own message: one question instead of a file each. An older kernel's array is
// shorter.
void read_settings(const std::vector<NetAttribute>& families, Words& words) {
  for (const Setting& setting : settings) {
    bool inet6 = setting.family == AF_INET6;
    std::vector<NetAttribute> family =
        attributes_in(find_attribute(families, setting.family).value_or(""));
    unsigned type = inet6 ? unsigned{IFLA_INET6_CONF} : unsigned{IFLA_INET_CONF};
    std::string_view array = find_attribute(family, type).value_or("");
    size_t at = setting.place * sizeof(int32_t);
    if (array.size() < at + sizeof(int32_t)) continue;
    words.push_back(fmt::format("{} {} {}", inet6 ? "ipv6" : "ipv4", setting.file,
                                value_of<int32_t>(array.substr(at))));
  }
}

}  // namespace

ifinfomsg link_header(uint32_t index, uint32_t flags, uint32_t change) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(index);
  header.ifi_flags = flags;
  header.ifi_change = change;
  return header;
}

Result<std::optional<NetMessage>> find_link(Netlink& netlink, const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) return std::optional<NetMessage>();
  NetRequest request(RTM_GETLINK, 0, ifinfomsg{});
  request.put_text(IFLA_IFNAME, name);
  Result<std::vector<NetMessage>> links = netlink.list(request, name);
  if (!links && links.error().code == ENODEV) return std::optional<NetMessage>();
  std::vector<NetMessage> found = TRY(std::move(links));
  if (found.empty()) return std::optional<NetMessage>();
  return std::move(found[0]);
}

Result<std::vector<NetMessage>> all_links(Netlink& netlink) {
  return netlink.list(NetRequest(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{}), "interfaces");
}

Result<std::vector<NetMessage>> all_addresses(Netlink& netlink, uint32_t index,
                                              const std::string& name) {
  ifaddrmsg header{};
  header.ifa_index = index;
  std::vector<NetMessage> all =
      TRY(netlink.list(NetRequest(RTM_GETADDR, NLM_F_DUMP, header), name));
  std::erase_if(all, [](const NetMessage& one) {
    auto family = one.header<ifaddrmsg>().ifa_family;
    return family != AF_INET && family != AF_INET6;
  });
  return all;
}

InterfaceState read_link(const NetMessage& link) {
  auto header = link.header<ifinfomsg>();
  std::vector<NetAttribute> attributes = link.attributes<ifinfomsg>();
  InterfaceState state;
  state.name = attribute_text(attributes, IFLA_IFNAME);
  state.kind = attribute_text(attributes_in(find_attribute(attributes, IFLA_LINKINFO).value_or("")),
                              IFLA_INFO_KIND);
  state.alias = attribute_text(attributes, IFLA_IFALIAS);
  state.hardware = find_attribute(attributes, IFLA_ADDRESS).value_or("");
  state.permanent = find_attribute(attributes, IFLA_PERM_ADDRESS).value_or("");
  state.index = static_cast<uint32_t>(header.ifi_index);
  state.flags = header.ifi_flags & restored_flags;
  state.mtu = attribute_value<uint32_t>(attributes, IFLA_MTU);
  state.queue = attribute_value<uint32_t>(attributes, IFLA_TXQLEN);
  // Sorted, so that the text does not depend on the order in which they were given.
  for (const NetAttribute& name :
       attributes_in(find_attribute(attributes, IFLA_PROP_LIST).value_or(""))) {
    if (name.type == IFLA_ALT_IFNAME)
      state.altnames.emplace_back(name.payload.substr(0, name.payload.find('\0')));
  }
  std::ranges::sort(state.altnames);
  read_settings(attributes_in(find_attribute(attributes, IFLA_AF_SPEC).value_or("")),
                state.settings);
  return state;
}

Result<InterfaceState> read_interface(Netlink& netlink, const NetMessage& link) {
  InterfaceState state = read_link(link);
  // The master by name: its index may be another's by the time that the interface comes back.
  if (auto master = attribute_value<uint32_t>(link.attributes<ifinfomsg>(), IFLA_MASTER);
      master != 0) {
    NetRequest request(RTM_GETLINK, 0, link_header(master));
    for (const NetMessage& found : TRY(netlink.list(request, state.name)))
      state.master = read_link(found).name;
  }
  for (const NetMessage& message : TRY(all_addresses(netlink, state.index, state.name))) {
    if (std::optional<InterfaceEntry> address = read_address(message))
      state.addresses.push_back(std::move(*address));
  }
  for (int family : {AF_INET, AF_INET6}) {
    for (const NetMessage& route : TRY(routes_of(netlink, family, state.index, state.name))) {
      read_route(route, state.index, state.routes);
    }
  }
  return state;
}

Result<std::string> describe_interface(const std::string& name) {
  Netlink netlink = TRY(Netlink::open());
  std::optional<NetMessage> link = TRY(find_link(netlink, name));
  if (!link) return fail_errno(name, ENODEV);
  return print_interface(TRY(read_interface(netlink, *link)));
}

}  // namespace jail
