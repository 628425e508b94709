// Parameters: the table, values in and out of a Spec, the snapshot, the words of a command line.
#include <gtest/gtest.h>
#include <set>

#include "conf/config.h"
#include "conf/import.h"
#include "conf/param.h"
#include "conf/print.h"

namespace jail {
namespace {

std::string set(std::string_view name, std::vector<std::string_view> words, Spec& spec) {
  Found found = find_param(name);
  if (!found.param) return "unknown";
  Result<void> done = set_field(found, words, spec);
  return done ? "" : done.error().text;
}

// Words that a parameter of that type takes, awkward ones included.
std::vector<Words> samples(const Param& param) {
  if (param.is_boolean()) return {{}, {"false"}};
  if (param.extra.one_of) {
    std::vector<Words> choices;
    for (const std::string& word : split(param.extra.one_of, " ")) choices.push_back({word});
    return choices;
  }
  if (param.extra.form == Form::ip4) return {{}, {"em0|10.0.0.1/24 mtu 9000", "10.0.0.2"}};
  if (param.extra.form == Form::ip6) return {{}, {"fe80::1", "em0|2001:DB8::1/64"}};
  if (param.is_list()) return {{}, {""}, {"a b", "it's \"x\" $y \\z", "line\nline\t\x01\xff"}};
  Spec spec;
  std::vector<std::string_view> words{"17"};
  if (!set_field({.param = &param}, words, spec)) return {{"disable"}, {"new"}, {"inherit"}};
  if (!set_field({.param = &param}, std::vector<std::string_view>{"x"}, spec))
    return {{"0"}, {"7"}};
  return {{"17"}, {""}, {"a\n\"b\"'c'$d\\e#\x7f\xc3\xa9"}};
}

TEST(Params, NamesAreDistinctAndFound) {
  std::set<std::string_view> names;
  for (const Param& param : params()) {
    EXPECT_TRUE(names.insert(param.name).second) << param.name;
    EXPECT_EQ(find_param(param.name).param, &param);
    EXPECT_TRUE(std::string_view(param.summary).ends_with('.')) << param.name;
    EXPECT_EQ(param.field.index() == 0, param.access == Access::read) << param.name;
  }
}

TEST(Params, NoFormsAreThoseOfBooleansAlone) {
  for (const Param& param : params()) {
    Found found = find_param(with_no(param.name, true));
    EXPECT_EQ(found.param == &param && found.negated, param.is_boolean()) << param.name;
  }
  EXPECT_EQ(find_param("allow.nomount.devfs").param, nullptr);
  EXPECT_EQ(find_param("nomount").param, nullptr);
  EXPECT_EQ(find_param("exec.norollback").param, find_param("exec.rollback").param);
  EXPECT_EQ(with_no("allow.nomount", false), "allow.mount");
}

TEST(Params, EveryRowSurvivesPrintingAndReading) {
  for (const Param& param : params()) {
    if (param.access == Access::read) continue;
    for (const Words& sample : samples(param)) {
      Spec spec;
      std::vector<std::string_view> words(sample.begin(), sample.end());
      ASSERT_TRUE(set_field({.param = &param}, words, spec)) << param.name;
      ASSERT_TRUE(field_words(param, spec)) << param.name;
      std::string text = print_spec(spec);
      Result<Spec> again = read_spec("t", text);
      ASSERT_TRUE(again) << param.name << ": " << again.error().text << "\n" << text;
      EXPECT_EQ(*again, spec) << text;
      EXPECT_NE(spec, Spec{}) << param.name;
    }
  }
}

TEST(Params, AllRowsTogetherSurviveUnderNamesOfEveryKind) {
  for (const char* name : {"web", "a b.c", "7", "07", "*", "x.*", "0", "", "*x", "\xc3\xa9\n"}) {
    Spec spec;
    for (const Param& param : params()) {
      if (param.access == Access::read) continue;
      Words sample = samples(param).back();
      ASSERT_EQ(set(param.name, {sample.begin(), sample.end()}, spec), "");
    }
    spec.name = name;
    for (int64_t jid : {0, 7, 12}) {
      spec.jid = jid;
      Result<Spec> again = read_spec("t", print_spec(spec));
      ASSERT_TRUE(again) << again.error().text;
      EXPECT_EQ(*again, spec) << name;
    }
  }
}

TEST(Params, ASnapshotIsJailConf) {
  Spec spec;
  spec.name = "web";
  spec.path = "/jails/web";
  spec.persist = true;
  spec.allow_mount_devfs = false;
  spec.exec_start = Words{"/bin/sh /etc/rc", "$x"};
  EXPECT_EQ(
      print_spec(spec),
      "web {\n  exec.start = \"/bin/sh /etc/rc\", \"\\$x\";\n  path = \"/jails/web\";\n  persist;\n"
      "  allow.mount.nodevfs;\n}\n");
}

TEST(Params, ADamagedSnapshotIsRefused) {
  for (const char* text :
       {"web {", "a {} b {}", "web { colour = 1; }", "web { path = $x; }",
        "web { stop.timeout = x; }", "web { parent = 1; }", ".include \"/etc/passwd\";"}) {
    EXPECT_FALSE(read_spec("t", text)) << text;
  }
}

TEST(Values, BooleansOfTheCommand) {
  Spec spec;
  EXPECT_EQ(set("exec.clean", {}, spec), "");
  EXPECT_EQ(spec.exec_clean, true);
  EXPECT_EQ(set("exec.clean", {"FALSE"}, spec), "");
  EXPECT_EQ(spec.exec_clean, false);
  EXPECT_EQ(set("mount.nodevfs", {"false"}, spec), "");
  EXPECT_EQ(spec.mount_devfs, true);
  EXPECT_EQ(set("mount.nodevfs", {}, spec), "");
  EXPECT_EQ(spec.mount_devfs, false);
  EXPECT_EQ(set("exec.clean", {"2"}, spec), "");
  EXPECT_EQ(spec.exec_clean, true);
  EXPECT_EQ(set("exec.clean", {""}, spec), "");
  EXPECT_EQ(spec.exec_clean, false);
  EXPECT_EQ(set("exec.clean", {"yes"}, spec), "unknown boolean value \"yes\"");
  EXPECT_EQ(spec.exec_clean, false);
}

TEST(Values, NumbersAreWholeWordsAndTheLastCounts) {
  Spec spec;
  EXPECT_EQ(set("stop.timeout", {"x", "30"}, spec), "");
  EXPECT_EQ(spec.stop_timeout, 30);
  EXPECT_EQ(set("stop.timeout", {"10s"}, spec), "non-integer value \"10s\"");
  EXPECT_EQ(set("stop.timeout", {""}, spec), "non-integer value \"\"");
  EXPECT_EQ(set("securelevel", {""}, spec), "");
  EXPECT_EQ(spec.securelevel, 0);
  EXPECT_EQ(set("children.max", {}, spec), "");
  EXPECT_EQ(spec.children_max, 0);
  EXPECT_EQ(set("stop.timeout", {}, spec), "");
  EXPECT_EQ(spec.stop_timeout, std::nullopt);
}

TEST(Values, ThreeWayWordsOrTheirNumbers) {
  Spec spec;
  EXPECT_EQ(set("vnet", {}, spec), "");
  EXPECT_EQ(spec.vnet, JailSys::new_);
  EXPECT_EQ(set("ip4", {"INHERIT"}, spec), "");
  EXPECT_EQ(spec.ip4, JailSys::inherit);
  EXPECT_EQ(set("ip4", {"0"}, spec), "");
  EXPECT_EQ(spec.ip4, JailSys::disable);
  EXPECT_EQ(set("ip4", {"all"}, spec), "unknown jailsys value \"all\"");
}

TEST(Values, KeysGoToTheFrontAndAway) {
  Spec spec;
  EXPECT_EQ(set("meta.a", {"1"}, spec), "");
  EXPECT_EQ(set("meta.b", {"2"}, spec), "");
  EXPECT_EQ(spec.meta, "b=2\na=1");
  EXPECT_EQ(set("meta.a", {""}, spec), "");
  EXPECT_EQ(spec.meta, "a=\nb=2");
  EXPECT_EQ(set("meta.b", {}, spec), "");
  EXPECT_EQ(spec.meta, "a=");
  EXPECT_EQ(set("env.x.y", {"z"}, spec), "");
  EXPECT_EQ(spec.env, "x.y=z");
}

TEST(Values, PrintedAsTheKernelDoes) {
  Spec spec;
  EXPECT_EQ(set("ip6.addr", {"em0|2001:DB8:0::1/64", "::1"}, spec), "");
  EXPECT_EQ(printed_value(*find_param("ip6.addr").param, spec), "2001:db8::1,::1");
  EXPECT_EQ(set("ip4.addr", {"10.0.0.1,10.0.0.2"}, spec), "");
  EXPECT_EQ(printed_value(*find_param("ip4.addr").param, spec), "10.0.0.1,10.0.0.2");
  EXPECT_EQ(set("ip4.addr", {"10.0.0"}, spec), "not an IPv4 address: 10.0.0");
  EXPECT_EQ(printed_value(*find_param("persist").param, spec), std::nullopt);
}

TEST(Values, RangesAreTheCreatesBusiness) {
  struct {
    const char* name;
    const char* value;
  } const cases[] = {
      {"enforce_statfs", "3"}, {"devfs_ruleset", "65536"},      {"host", "disable"},
      {"vnet", "disable"},     {"jid", "99999999999999999999"},
  };
  for (const auto& one : cases) {
    Spec spec;
    ASSERT_EQ(set(one.name, {one.value}, spec), "");
    ASSERT_FALSE(check_ranges(spec)) << one.name;
    EXPECT_EQ(check_ranges(spec).error().text, "jail_set: Invalid argument");
  }
  Spec spec;
  spec.host_hostname = std::string(255, 'x');
  EXPECT_TRUE(check_ranges(spec));
  spec.host_hostname = std::string(256, 'x');
  EXPECT_EQ(check_ranges(spec).error().text, "jail_set: File name too long");
  spec.host_hostname = "";
  spec.meta = std::string(4097, 'x');
  EXPECT_EQ(check_ranges(spec).error().text, "jail_set: File too large");
}

TEST(Values, AnOverlayTakesWhatIsGiven) {
  Spec spec, changes;
  spec.name = "a";
  spec.persist = true;
  changes.persist = false;
  changes.ip4_addr = Words{};
  overlay(changes, spec);
  EXPECT_EQ(spec.name, "a");
  EXPECT_EQ(spec.persist, false);
  EXPECT_EQ(spec.ip4_addr, Words{});
}

TEST(Ranges, AReleaseIsSomethingAndItsRefusalExplainsItself) {
  Spec spec;
  for (const std::string& release : {std::string(), std::string(32, '1')}) {
    spec.osrelease = release;
    ASSERT_FALSE(check_ranges(spec)) << release;
    EXPECT_EQ(check_ranges(spec).error().text, "osrelease string must be 1-31 bytes long");
  }
  spec.osrelease = std::string(31, '1');
  spec.osreldate = -1;
  EXPECT_TRUE(check_ranges(spec));
  spec.osreldate = 0;
  EXPECT_EQ(check_ranges(spec).error().text, "osreldate cannot be 0");
  spec.osreldate = int64_t{1} << 40;
  EXPECT_EQ(check_ranges(spec).error().text, "jail_set: Invalid argument");
}

TEST(Ranges, MoreThan255AddressesOfAFamilyAreTooMany) {
  Spec spec;
  spec.ip4_addr = Words(255, "10.0.0.1");
  spec.ip6_addr = Words(255, "fd00::1");
  EXPECT_TRUE(check_ranges(spec));
  spec.ip6_addr->push_back("fd00::2");
  EXPECT_EQ(check_ranges(spec).error().text, "too many IPv6 addresses");
  spec.ip4_addr->push_back("10.0.0.2");
  EXPECT_EQ(check_ranges(spec).error().text, "too many IPv4 addresses");
}

}  // namespace
}  // namespace jail
