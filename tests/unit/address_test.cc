// Tests of conf/address: words of ip4.addr and ip6.addr.
#include <gtest/gtest.h>

#include "conf/address.h"

namespace jail {
namespace {

using Addresses = std::vector<Address>;

constexpr Family ip4 = Family::ip4, ip6 = Family::ip6;

Addresses parse(Family family, const Words& words, const char* interface = "") {
  Result<Addresses> addresses = parse_addresses(family, words, interface);
  EXPECT_TRUE(addresses) << addresses.error().text;
  return addresses.value_or(Addresses{});
}

Address one(Family family, const char* word, const char* interface = "") {
  Addresses addresses = parse(family, {word}, interface);
  EXPECT_EQ(addresses.size(), 1U) << word;
  return addresses.empty() ? Address{} : addresses[0];
}

std::string error(Family family, const std::string& word, const char* interface = "") {
  Result<Addresses> addresses = parse_addresses(family, std::span(&word, 1), interface);
  if (addresses) return "accepted";
  EXPECT_EQ(addresses.error().code, EINVAL);
  return addresses.error().text;
}

TEST(Address, ABareAddressIsOneHostAndTouchesNoInterface) {
  EXPECT_EQ(one(ip4, "10.0.0.1"), (Address{"", "10.0.0.1", 32, false, {}}));
  EXPECT_EQ(one(ip6, "2001:db8::1"), (Address{"", "2001:db8::1", 128, true, {}}));
}

TEST(Address, TheWordsOwnInterfaceWinsOverTheParameter) {
  EXPECT_EQ(one(ip4, "10.0.0.1", "em0").interface, "em0");
  EXPECT_EQ(one(ip4, "em1|10.0.0.1", "em0").interface, "em1");
  EXPECT_EQ(one(ip6, "em1|::1").interface, "em1");
}

TEST(Address, AMaskIsAPrefixLengthOrDotted) {
  EXPECT_EQ(one(ip4, "10.0.0.1/24").prefix, 24U);
  EXPECT_EQ(one(ip4, "10.0.0.1/0").prefix, 0U);
  EXPECT_EQ(one(ip4, "10.0.0.1/32").prefix, 32U);
  EXPECT_EQ(one(ip4, "10.0.0.1/255.255.240.0").prefix, 20U);
  EXPECT_EQ(one(ip4, "10.0.0.1/0.0.0.0").prefix, 0U);
  EXPECT_EQ(one(ip6, "fd00::1/64").prefix, 64U);
}

TEST(Address, FurtherWordsAreKeptInOrder) {
  EXPECT_EQ(one(ip4, "em0|10.0.0.1/24 broadcast 10.0.0.255  up"),
            (Address{"em0", "10.0.0.1", 24, false, {"broadcast", "10.0.0.255", "up"}}));
}

TEST(Address, NetmaskAndPrefixlenWordsWinOverTheMask) {
  EXPECT_EQ(one(ip4, "em0|10.0.0.1 netmask 255.255.255.0"),
            (Address{"em0", "10.0.0.1", 24, false, {}}));
  EXPECT_EQ(one(ip4, "10.0.0.1/8 netmask 0xffff0000 up"),
            (Address{"", "10.0.0.1", 16, false, {"up"}}));
  EXPECT_EQ(one(ip6, "fd00::1 prefixlen 48").prefix, 48U);
  EXPECT_EQ(error(ip4, "10.0.0.1 netmask"), "not a netmask: ");
  EXPECT_EQ(error(ip6, "fd00::1 prefixlen 129"), "not a prefix length: 129");
}

TEST(Address, TheTextIsCanonical) {
  EXPECT_EQ(one(ip6, "2001:DB8:0:0::1").address, "2001:db8::1");
  EXPECT_EQ(one(ip6, "::ffff:10.0.0.1").address, "::ffff:10.0.0.1");
}

TEST(Address, CommasAndWordsMakeAList) {
  Addresses list = parse(ip4, {"10.0.0.1,em1|10.0.0.2/24", "10.0.0.3"}, "em0");
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0], (Address{"em0", "10.0.0.1", 32, false, {}}));
  EXPECT_EQ(list[1], (Address{"em1", "10.0.0.2", 24, false, {}}));
  EXPECT_EQ(list[2], (Address{"em0", "10.0.0.3", 32, false, {}}));
}

TEST(Address, NothingOrADashIsAnEmptyList) {
  EXPECT_TRUE(parse(ip4, {}).empty());
  EXPECT_TRUE(parse(ip4, {""}).empty());
  EXPECT_TRUE(parse(ip6, {"-"}, "em0").empty());
  EXPECT_EQ(error(ip4, "10.0.0.1,"), "not an IPv4 address: ");
  EXPECT_EQ(error(ip4, "10.0.0.1,-"), "not an IPv4 address: -");
}

TEST(Address, WhatIsNoAddressIsNamed) {
  EXPECT_EQ(error(ip4, "10.0.0.256"), "not an IPv4 address: 10.0.0.256");
  EXPECT_EQ(error(ip4, "em0|10.0.0/24"), "not an IPv4 address: 10.0.0");
  EXPECT_EQ(error(ip4, "fd00::1"), "not an IPv4 address: fd00::1");
  EXPECT_EQ(error(ip6, "10.0.0.1"), "not an IPv6 address: 10.0.0.1");
  EXPECT_EQ(error(ip6, "fe80::1%em0"), "not an IPv6 address: fe80::1%em0");
  EXPECT_EQ(error(ip4, "em0|"), "not an IPv4 address: ");
  EXPECT_EQ(error(ip4, "   "), "not an IPv4 address: ");
  EXPECT_NE(error(ip4, std::string("10.0.0.1\0x", 10)), "accepted");
}

TEST(Address, AMaskWithHolesOrOutOfRangeIsRefused) {
  EXPECT_EQ(error(ip4, "10.0.0.1/33"), "not a prefix length: 33");
  EXPECT_EQ(error(ip4, "10.0.0.1/"), "not a prefix length: ");
  EXPECT_EQ(error(ip4, "10.0.0.1/-1"), "not a prefix length: -1");
  EXPECT_EQ(error(ip4, "10.0.0.1/24x"), "not a prefix length: 24x");
  EXPECT_EQ(error(ip4, "10.0.0.1/255.0.255.0"), "not a netmask: 255.0.255.0");
  EXPECT_EQ(error(ip4, "10.0.0.1 netmask 0xff00ff00"), "not a netmask: 0xff00ff00");
  EXPECT_EQ(error(ip6, "fd00::1/129"), "not a prefix length: 129");
  EXPECT_EQ(error(ip6, "fd00::1/255.255.0.0"), "not a prefix length: 255.255.0.0");
}

TEST(Address, AnInterfaceNameIsNoPath) {
  EXPECT_EQ(error(ip4, "|10.0.0.1", "em0"), "not an interface: ");
  EXPECT_EQ(error(ip4, "../../x|10.0.0.1"), "not an interface: ../../x");
  EXPECT_EQ(error(ip4, "..|10.0.0.1"), "not an interface: ..");
  EXPECT_EQ(error(ip4, "-a|10.0.0.1"), "not an interface: -a");
  EXPECT_EQ(error(ip4, "a b|10.0.0.1"), "not an interface: a b");
  EXPECT_EQ(error(ip4, "1234567890123456|10.0.0.1"), "not an interface: 1234567890123456");
  EXPECT_EQ(error(ip6, "::1", "1234567890123456"), "not an interface: 1234567890123456");
}

TEST(Address, TheKernelsSideIsTheBareAddresses) {
  std::string_view words[] = {"em0|10.0.0.1/24 up,10.0.0.2", "10.0.0.3/999"};
  Result<Words> bare = addresses_of(ip4, words);
  ASSERT_TRUE(bare) << bare.error().text;
  EXPECT_EQ(*bare, (Words{"10.0.0.1", "10.0.0.2", "10.0.0.3"}));
  std::string_view dash[] = {"-"};
  EXPECT_EQ(addresses_of(ip6, dash).value_or(Words{"?"}), Words{});
  std::string_view wrong[] = {"fd00::1", "x"};
  ASSERT_FALSE(addresses_of(ip6, wrong));
  EXPECT_EQ(addresses_of(ip6, wrong).error().text, "not an IPv6 address: x");
}

}  // namespace
}  // namespace jail
