#include "conf/address.h"

#include <arpa/inet.h>
#include <bit>
#include <charconv>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>

namespace jail {

namespace {

constexpr std::string_view blanks = " \t";
constexpr size_t interface_bytes = 15;  // IFNAMSIZ of both systems, without the NUL

// A word cut in pieces, nothing of it checked.
struct Pieces {
  std::optional<std::string> interface, mask;
  std::string address;
  Words arguments;
};

Pieces cut(std::string_view word) {
  Pieces pieces;
  if (size_t bar = word.find('|'); bar != std::string_view::npos) {
    pieces.interface = word.substr(0, bar);
    word.remove_prefix(bar + 1);
  }
  size_t blank = word.find_first_of(blanks);
  if (blank != std::string_view::npos) pieces.arguments = split(word.substr(blank), blanks);
  word = word.substr(0, blank);
  size_t slash = word.find('/');
  if (slash != std::string_view::npos) pieces.mask = word.substr(slash + 1);
  pieces.address = word.substr(0, slash);
  return pieces;
}

// The words, one address each.
Words one_each(std::span<const std::string_view> words) {
  Words each;
  for (std::string_view word : words) {
    for (std::string& text : split_exact(word, ',')) each.push_back(std::move(text));
  }
  if (each.size() == 1 && (each[0].empty() || each[0] == "-")) each.clear();
  return each;
}

// The address as the kernel prints it. Text with a NUL is none, whatever stands before the NUL.
Result<std::string> canonical(Family family, const std::string& text) {
  int domain = family == Family::ip4 ? AF_INET : AF_INET6;
  in6_addr address{};  // the larger of the two
  char printed[INET6_ADDRSTRLEN];
  if (text.find('\0') == std::string::npos && inet_pton(domain, text.c_str(), &address) == 1 &&
      inet_ntop(domain, &address, printed, sizeof printed) != nullptr) {
    return printed;
  }
  return fail(EINVAL,
              (family == Family::ip4 ? "not an IPv4 address: " : "not an IPv6 address: ") + text);
}

// The whole of `text` as a number in that base, at most `most`.
std::optional<uint32_t> parse_number(std::string_view text, int base, uint32_t most) {
  uint32_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return {};
  return value;
}

Result<unsigned> parse_prefix(Family family, const std::string& text) {
  std::optional<uint32_t> bits = parse_number(text, 10, family == Family::ip6 ? 128 : 32);
  if (!bits) return fail(EINVAL, "not a prefix length: " + text);
  return *bits;
}

// A netmask without holes, dotted or hexadecimal as ifconfig(8) prints it. IPv6 knows only prefix
// lengths.
Result<unsigned> parse_netmask(Family family, const std::string& text) {
  in_addr dotted;
  std::optional<uint32_t> mask;
  if (text.starts_with("0x")) mask = parse_number(std::string_view(text).substr(2), 16, UINT32_MAX);
  if (inet_pton(AF_INET, text.c_str(), &dotted) == 1) mask = ntohl(dotted.s_addr);
  if (family == Family::ip6 || !mask || std::popcount(*mask) != std::countl_one(*mask)) {
    return fail(EINVAL, "not a netmask: " + text);
  }
  return static_cast<unsigned>(std::popcount(*mask));
}

// Refuses what neither system could have, so that no name is taken for a path or an option later.
Result<void> check_interface(const std::string& name) {
  constexpr std::string_view never("/: \t\n\v\f\r\0", 9);
  if (name.empty() || name.size() > interface_bytes || name == "." || name == ".." ||
      name.starts_with('-') || name.find_first_of(never) != std::string::npos) {
    return fail(EINVAL, "not an interface: " + name);
  }
  return {};
}

// The ARGs: netmask and prefixlen say the prefix once more, the others are kept.
Result<void> take_arguments(Family family, const Words& words, Address& address) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] != "netmask" && words[i] != "prefixlen") {
      address.extra.push_back(words[i]);
      continue;
    }
    auto parse = words[i] == "netmask" ? parse_netmask : parse_prefix;
    ++i;
    address.prefix = TRY(parse(family, i < words.size() ? words[i] : ""));
  }
  return {};
}

Result<Address> parse_address(Family family, std::string_view word, std::string_view interface) {
  Pieces pieces = cut(word);
  bool ipv6 = family == Family::ip6;
  Address address{.interface = pieces.interface.value_or(std::string(interface)),
                  .address = TRY(canonical(family, pieces.address)),
                  .prefix = ipv6 ? 128U : 32U,
                  .ipv6 = ipv6,
                  .extra = {}};
  if (pieces.interface || !interface.empty()) TRY(check_interface(address.interface));
  if (pieces.mask) {
    bool dotted = !ipv6 && pieces.mask->find('.') != std::string::npos;
    address.prefix = TRY((dotted ? parse_netmask : parse_prefix)(family, *pieces.mask));
  }
  TRY(take_arguments(family, pieces.arguments, address));
  return address;
}

}  // namespace

Result<Words> addresses_of(Family family, std::span<const std::string_view> words) {
  Words texts = one_each(words);
  for (std::string& text : texts) text = TRY(canonical(family, cut(text).address));
  return texts;
}

Result<std::vector<Address>> parse_addresses(Family family, std::span<const std::string> words,
                                             std::string_view interface) {
  std::vector<std::string_view> views(words.begin(), words.end());
  std::vector<Address> addresses;
  for (const std::string& word : one_each(views)) {
    addresses.push_back(TRY(parse_address(family, word, interface)));
  }
  return addresses;
}

}  // namespace jail
