// Addresses that a jail has on the host's interfaces. An address of ours bears a mark that the
// kernel keeps, so that nothing is ever taken off that was there before us.
#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>

#include "os/linux/interface.h"
#include "os/net.h"

namespace jail {

namespace {

// IFA_PROTO: who added an address, free for us to choose from 4 on (linux/if_addr.h). "CB", in
// hexadecimal.
constexpr uint8_t our_mark = 0xCB;

// What ifconfig(8)'s further words ask for.
struct Extra {
  std::string broadcast;                                // bytes
  uint32_t valid = UINT32_MAX, preferred = UINT32_MAX;  // seconds; all ones: for ever
  bool up = false;
};

// The words that mean something here. `set` gets the word's argument where it has one.
struct ExtraWord {
  const char* name;
  bool argument;
  bool ipv4, ipv6;
  bool (*set)(Extra&, const std::string&);
};

bool set_nothing(Extra&, const std::string&) {
  return true;
}

bool set_up(Extra& extra, const std::string&) {
  return extra.up = true;
}

bool set_deprecated(Extra& extra, const std::string&) {
  extra.preferred = 0;
  return true;
}

bool set_broadcast(Extra& extra, const std::string& text) {
  in_addr address;
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) return false;
  extra.broadcast = bytes_of(address);
  return true;
}

bool set_seconds(uint32_t& seconds, const std::string& text) {
  std::optional<int64_t> value = text == "infty" ? UINT32_MAX : parse_int(text);
  if (!value || *value < 0 || *value > UINT32_MAX) return false;
  seconds = static_cast<uint32_t>(*value);
  return true;
}

bool set_valid(Extra& extra, const std::string& text) {
  return set_seconds(extra.valid, text);
}

bool set_preferred(Extra& extra, const std::string& text) {
  return set_seconds(extra.preferred, text);
}

constexpr ExtraWord extra_words[] = {
    {"add", false, true, true, set_nothing},
    {"alias", false, true, true, set_nothing},
    {"broadcast", true, true, false, set_broadcast},
    {"deprecated", false, false, true, set_deprecated},
    {"no_dad", false, false, true, set_nothing},
    {"pltime", true, false, true, set_preferred},
    {"up", false, true, true, set_up},
    {"vltime", true, false, true, set_valid},
};

std::string noun_of(const InterfaceAddress& address) {
  return fmt::format("{} {}/{}", address.interface, address.address, address.prefix);
}

Result<Extra> parse_extra(const InterfaceAddress& address) {
  Extra extra;
  for (size_t i = 0; i < address.extra.size(); ++i) {
    const std::string& word = address.extra[i];
    auto* row = std::ranges::find(extra_words, std::string_view(word), &ExtraWord::name);
    if (row == std::end(extra_words) || !(address.ipv6 ? row->ipv6 : row->ipv4)) {
      return fail(EINVAL, fmt::format("{}: no meaning on this system: {}", noun_of(address), word));
    }
    if (row->argument) ++i;
    std::string argument = row->argument && i < address.extra.size() ? address.extra[i] : "";
    if (!row->set(extra, argument)) {
      return fail(EINVAL,
                  fmt::format("{}: {}: not understood: {}", noun_of(address), word, argument));
    }
  }
  // The kernel refuses an address that is preferred longer than it is valid.
  if (extra.preferred > extra.valid) extra.preferred = extra.valid;
  return extra;
}

// The address as bytes.
Result<std::string> parse_bytes(const InterfaceAddress& address) {
  in6_addr bytes;
  bool good = inet_pton(address.ipv6 ? AF_INET6 : AF_INET, address.address.c_str(), &bytes) == 1 &&
              address.prefix <= (address.ipv6 ? 128U : 32U);
  if (!good) return fail_errno(noun_of(address), EINVAL);
  return std::string(bytes_of(bytes).substr(0, address.ipv6 ? sizeof(in6_addr) : sizeof(in_addr)));
}

// An interface and what is on it of one address.
struct Place {
  NetMessage link;
  uint32_t index;
  std::vector<NetMessage> family;   // all its addresses of that family
  std::vector<NetMessage> matches;  // those that are this one
};

// Of a point-to-point link IFA_ADDRESS is the other end; an IPv6 address without one has no
// IFA_LOCAL.
std::string_view local_of(const std::vector<NetAttribute>& attributes) {
  return find_attribute(attributes, IFA_LOCAL)
      .value_or(find_attribute(attributes, IFA_ADDRESS).value_or(""));
}

bool is_ours(const NetMessage& address) {
  return attribute_value<uint8_t>(address.attributes<ifaddrmsg>(), IFA_PROTO) == our_mark;
}

// Nothing: there is no such interface.
Result<std::optional<Place>> look(Netlink& netlink, const InterfaceAddress& address,
                                  const std::string& bytes) {
  std::optional<NetMessage> link = TRY(find_link(netlink, address.interface));
  if (!link) return std::optional<Place>();
  auto index = static_cast<uint32_t>(link->header<ifinfomsg>().ifi_index);
  Place place{std::move(*link), index, TRY(all_addresses(netlink, index, address.interface)), {}};
  int family = address.ipv6 ? AF_INET6 : AF_INET;
  std::erase_if(place.family, [&](const NetMessage& one) {
    return one.header<ifaddrmsg>().ifa_family != family;
  });
  std::ranges::copy_if(place.family, std::back_inserter(place.matches), [&](const NetMessage& one) {
    return local_of(one.attributes<ifaddrmsg>()) == bytes;
  });
  return place;
}

ifaddrmsg address_header(const InterfaceAddress& address, uint32_t index) {
  ifaddrmsg header{};
  header.ifa_family = address.ipv6 ? AF_INET6 : AF_INET;
  header.ifa_prefixlen = static_cast<uint8_t>(address.prefix);
  header.ifa_scope =
      !address.ipv6 && address.address.starts_with("127.") ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  header.ifa_index = index;
  return header;
}

// The broadcast address that ifconfig(8) gives by itself, as bytes.
std::string broadcast_of(const std::string& bytes, unsigned prefix) {
  uint32_t host_bits = prefix == 0 ? UINT32_MAX : (uint32_t{1} << (32 - prefix)) - 1;
  return std::string(bytes_of(htonl(ntohl(value_of<uint32_t>(bytes)) | host_bits)));
}

// IPv4: to take a primary address off takes its secondaries along, but for this setting.
void add_promotion(NetBatch& batch, uint32_t index, uint32_t value) {
  NetRequest request(RTM_SETLINK, 0, link_header(index));
  nlattr* families = request.begin_nest(IFLA_AF_SPEC);
  nlattr* inet = request.begin_nest(AF_INET);
  nlattr* settings = request.begin_nest(IFLA_INET_CONF);
  request.put_value(IPV4_DEVCONF_PROMOTE_SECONDARIES, value);
  request.end_nest(settings);
  request.end_nest(inet);
  request.end_nest(families);
  batch.add(request, "promote_secondaries");
}

// Where the kernel does not say, it is left alone.
bool promotes(const NetMessage& link) {
  Words settings = read_link(link).settings;
  return std::ranges::find(settings, "ipv4 promote_secondaries 0") == settings.end();
}

void add_removal(NetBatch& batch, const NetMessage& found, const std::string& noun) {
  std::vector<NetAttribute> attributes = found.attributes<ifaddrmsg>();
  NetRequest request(RTM_DELADDR, 0, found.header<ifaddrmsg>());
  for (unsigned type : {IFA_LOCAL, IFA_ADDRESS}) {
    if (auto payload = find_attribute(attributes, type)) request.put(type, *payload);
  }
  batch.add(request, noun, EADDRNOTAVAIL);
}

}  // namespace

Result<bool> addresses_marked() {
  // A mark without a byte in it, for an interface that is not: a kernel that knows marks refuses
  // the mark, another the interface.
  Netlink netlink = TRY(Netlink::open());
  NetRequest request(RTM_NEWADDR, 0, address_header({"", "127.0.0.1", 32, false, {}}, INT32_MAX));
  request.put_value(IFA_LOCAL, htonl(INADDR_LOOPBACK)).put(IFA_PROTO, "");
  Result<void> answer = netlink.ask(request, "address marks");
  if (!answer && answer.error().code == ENODEV) return false;
  if (!answer && answer.error().code != ERANGE && answer.error().code != EINVAL) {
    return std::unexpected(std::move(answer.error()));
  }
  return true;
}

Result<void> check_extra(const InterfaceAddress& address) {
  TRY(parse_extra(address));
  return {};
}

Result<Holder> find_address(const InterfaceAddress& address) {
  std::string bytes = TRY(parse_bytes(address));
  Netlink netlink = TRY(Netlink::open());
  std::optional<Place> place = TRY(look(netlink, address, bytes));
  if (!place) return fail_errno(address.interface, ENODEV);
  if (place->matches.empty()) return Holder::nobody;
  return std::ranges::any_of(place->matches, is_ours) ? Holder::us : Holder::others;
}

Result<void> add_address(const InterfaceAddress& address) {
  Extra extra = TRY(parse_extra(address));
  std::string bytes = TRY(parse_bytes(address));
  std::string noun = noun_of(address);
  Netlink netlink = TRY(Netlink::open());
  std::optional<Place> place = TRY(look(netlink, address, bytes));
  if (!place) return fail_errno(address.interface, ENODEV);
  if (std::ranges::any_of(place->matches, is_ours)) return {};
  if (!place->matches.empty()) return fail_errno(noun, EEXIST);

  NetRequest request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address_header(address, place->index));
  request.put(IFA_LOCAL, bytes).put(IFA_ADDRESS, bytes).put_value(IFA_PROTO, our_mark);
  if (address.ipv6) request.put_value(IFA_FLAGS, uint32_t{IFA_F_NODAD});
  // A prefix of 31 or 32 bits has no room for a broadcast address (RFC 3021).
  bool broadcasts =
      (place->link.header<ifinfomsg>().ifi_flags & IFF_BROADCAST) != 0 && address.prefix < 31;
  if (extra.broadcast.empty() && broadcasts && !address.ipv6)
    extra.broadcast = broadcast_of(bytes, address.prefix);
  if (!extra.broadcast.empty()) request.put(IFA_BROADCAST, extra.broadcast);
  if (extra.preferred != UINT32_MAX) {
    ifa_cacheinfo times{};
    times.ifa_valid = extra.valid;
    times.ifa_prefered = extra.preferred;
    request.put_value(IFA_CACHEINFO, times);
  }
  TRY(netlink.ask(request, noun));
  if (!extra.up) return {};
  return netlink.ask(NetRequest(RTM_SETLINK, 0, link_header(place->index, IFF_UP, IFF_UP)), noun);
}

Result<void> remove_address(const InterfaceAddress& address, bool unmarked) {
  std::string bytes = TRY(parse_bytes(address));
  Netlink netlink = TRY(Netlink::open());
  std::optional<Place> place = TRY(look(netlink, address, bytes));
  if (!place) return {};
  auto stays = [&](const NetMessage& one) {
    return !is_ours(one) && !(unmarked && one.header<ifaddrmsg>().ifa_prefixlen == address.prefix);
  };
  std::erase_if(place->matches, stays);
  if (place->matches.empty()) return {};

  // One batch is one system call: the setting is another only for a moment, and we cannot be killed
  // in it.
  bool protect =
      !address.ipv6 && place->family.size() > place->matches.size() && !promotes(place->link);
  NetBatch batch;
  if (protect) add_promotion(batch, place->index, 1);
  for (const NetMessage& found : place->matches) add_removal(batch, found, noun_of(address));
  if (protect) add_promotion(batch, place->index, 0);
  std::vector<Error> refusals = TRY(netlink.post(batch));
  if (!refusals.empty()) return std::unexpected(std::move(refusals[0]));
  return {};
}

}  // namespace jail
