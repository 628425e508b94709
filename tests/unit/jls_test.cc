#include <gtest/gtest.h>

#include "cmd/listing.h"
#include "cmd/xo.h"

namespace jail {
namespace {

using Style = XoOptions::Style;
constexpr XoOptions text{Style::text, false}, json{Style::json, false},
    pretty_json{Style::json, true}, xml{Style::xml, false}, html{Style::html, false};

Listed row_of(int64_t jid, const std::string& name, const std::string& hostname = "",
              Words ip4 = {}) {
  Listed row;
  row.jid = jid;
  row.name = name;
  row.process1 = 4242;
  row.cgroup = "/cellblock/5d1f09c2";
  row.netns = "/proc/4242/ns/net";
  Spec& shown = row.shown;
  shown.jid = jid;
  shown.name = name;
  shown.path = "/jails/" + name;
  shown.persist = true;
  shown.securelevel = -1;
  shown.enforce_statfs = 2;
  shown.children_max = 0;
  shown.host = JailSys::new_;
  shown.host_hostname = hostname;
  shown.host_domainname = "";
  shown.ip4 = shown.ip6 = JailSys::disable;
  shown.ip4_addr = std::move(ip4);
  shown.ip6_addr = Words{};
  shown.ip4_saddrsel = true;
  shown.allow_mount = false;
  shown.allow_set_hostname = true;
  shown.meta = "";
  return row;
}

std::string lines(const Words& arguments, const std::vector<Listed>& rows, View view = {},
                  XoOptions options = text) {
  const Result<std::vector<Column>> columns = columns_of(arguments, rows);
  return columns ? listing(options, view, *columns, rows) : columns.error().text;
}

constexpr View name_value{.name_value = true}, quoted{.quoted = true}, header{.header = true},
    both{.name_value = true, .quoted = true},
    settable{.name_value = true, .quoted = true, .settable = true};

// ---- Columns (J5.2)

constexpr const char* table_header = "   JID  IP Address      Hostname                      Path\n";

TEST(JlsTable, WithNoJailsThereIsOnlyTheHeader) {
  EXPECT_EQ(listing(text, {}, {}, {}), table_header);
  EXPECT_EQ(listing(text, {.names = true}, {}, {}),
            " JID             IP Address      Hostname                      Path\n");
  EXPECT_EQ(
      listing(text, {.verbose = true}, {}, {}),
      "   JID  Hostname                      Path\n        Name                          State\n"
      "        CPUSetID\n        IP Address(es)\n");
}

TEST(JlsTable, ColumnsArePaddedAndCut) {
  const std::vector<Listed> rows{
      row_of(61, "web", "www.example.org", {"em0|10.0.0.1/24 mtu 1400", "10.0.0.2"}),
      row_of(62, "db", "a-very-long-host-name-of-more.than.29.characters.example"),
      row_of(63, "a-name-of-twenty-one-", "")};
  EXPECT_EQ(
      listing(text, {}, {}, rows),
      std::string(table_header) +
          "    61  10.0.0.1        www.example.org               /jails/web\n"
          "    62                  a-very-long-host-name-of-more /jails/db\n"
          "    63                                                /jails/a-name-of-twenty-one-\n");
  EXPECT_EQ(listing(text, {.names = true}, {}, rows),
            " JID             IP Address      Hostname                      Path\n"
            " web             10.0.0.1        www.example.org               /jails/web\n"
            " db                              a-very-long-host-name-of-more /jails/db\n"
            " a-name-of-twenty-one-                                               "
            "/jails/a-name-of-twenty-one-\n");
}

TEST(JlsTable, APathIsCutAt74) {
  Listed row = row_of(1, "a");
  row.shown.path = "/" + std::string(100, 'x');
  const std::string out = listing(text, {}, {}, {{row}});
  EXPECT_TRUE(out.ends_with(" /" + std::string(73, 'x') + "\n"));
}

TEST(JlsTable, NoCharacterIsCutInTwo) {
  std::string hostname;
  for (int i = 0; i < 40; ++i) hostname += "ü";
  const std::string out = listing(text, {}, {}, {{row_of(1, "a", hostname)}});
  EXPECT_NE(out.find(" " + hostname.substr(0, 58) + " /jails/a\n"), std::string::npos);
}

TEST(JlsTable, TheVerboseFormHasALineForEachAddress) {
  Listed row = row_of(61, "web", "www.example.org", {"10.0.0.1", "10.0.0.2"});
  row.shown.ip6_addr = Words{"2001:db8::1"};
  row.dying = true;
  const std::string out = listing(text, {.verbose = true}, {}, {{row, row_of(62, "db")}});
  EXPECT_TRUE(
      out.ends_with("        IP Address(es)\n"
                    "    61  www.example.org               /jails/web\n"
                    "        web                           DYING\n"
                    "        61\n"
                    "        10.0.0.1\n"
                    "        10.0.0.2\n"
                    "        2001:db8::1\n"
                    "    62                                /jails/db\n"
                    "        db                            ACTIVE\n"
                    "        62\n"))
      << out;
}

// ---- Parameter lines (J5.3, A63 to A65)

struct LineCase {
  Words arguments;
  View view;
  const char* expected;
};

TEST(JlsLines, ValuesArePrintedAsRecorded) {
  const std::vector<Listed> rows{row_of(61, "web", "www.example.org", {"127.0.0.1"}),
                                 row_of(63, "nohost")};
  const LineCase cases[] = {
      {{"jid", "name", "host.hostname", "persist"},
       {},
       "61 web www.example.org true\n63 nohost \"\" true\n"},
      {{"jid", "name", "host.hostname", "persist"},
       name_value,
       "jid=61 name=web host.hostname=www.example.org persist\njid=63 name=nohost "
       "host.hostname=\"\" persist\n"},
      {{"jid", "name"}, header, "jid name\n61 web\n63 nohost\n"},
      {{"jid", "name"},
       {.header = true, .name_value = true},
       "jid name\njid=61 name=web\njid=63 name=nohost\n"},
      {{"name", "name", "jid"}, {}, "web 61\nnohost 63\n"},
      {{"nopersist"}, {}, "false\nfalse\n"},
      {{"nopersist"}, name_value, "persist\npersist\n"},
      {{"allow.mount", "allow.nomount"}, {}, "false true\nfalse true\n"},
      {{"allow.mount", "allow.set_hostname"},
       name_value,
       "allow.nomount allow.set_hostname\n"
       "allow.nomount allow.set_hostname\n"},
      {{"ip4.addr", "ip4"}, {}, "127.0.0.1 disable\n- disable\n"},
      {{"ip4.addr"}, quoted, "127.0.0.1\n\"\"\n"},
      {{"ip4.addr"}, name_value, "ip4.addr=127.0.0.1\nip4.addr=\n"},
      {{"ip4.addr"}, both, "ip4.addr=127.0.0.1\nip4.addr=\"\"\n"},
      {{"securelevel", "enforce_statfs", "children.max", "children.cur", "dying", "parent"},
       {},
       "-1 2 0 0 false 0\n-1 2 0 0 false 0\n"},
      {{"dying", "nodying"}, name_value, "nodying nodying\nnodying nodying\n"},
      {{"pid1", "cgroup", "netns"},
       {},
       "4242 /cellblock/5d1f09c2 /proc/4242/ns/net\n4242 /cellblock/5d1f09c2 /proc/4242/ns/net\n"},
  };
  for (const LineCase& one : cases) EXPECT_EQ(lines(one.arguments, rows, one.view), one.expected);
}

TEST(JlsLines, QuotesGoRoundBlanksAndQuotesAndNothingIsEscaped) {
  const std::vector<Listed> rows{row_of(1, "q1", "a b"), row_of(2, "q2", "it\"s"),
                                 row_of(3, "q3", "it's"), row_of(4, "q4", "back\\slash"),
                                 row_of(5, "q5", "\"'")};
  EXPECT_EQ(lines({"host.hostname"}, rows), "a b\nit\"s\nit's\nback\\slash\n\"'\n");
  EXPECT_EQ(lines({"host.hostname"}, rows, quoted),
            "\"a b\"\n'it\"s'\n\"it's\"\nback\\slash\n\"\"'\"\n");
  EXPECT_EQ(lines({"host.hostname"}, {rows[0]}, both), "host.hostname=\"a b\"\n");
}

TEST(JlsLines, AllHasNamesWithoutDotsFirstAndNoneOfOurs) {
  const std::string names = lines({"all"}, {row_of(1, "a")}, header);
  const std::string first = names.substr(0, names.find('\n') + 1);
  EXPECT_TRUE(first.starts_with(
      "dying enforce_statfs host ip4 ip6 jid meta name parent path persist securelevel "
      "allow.mount allow.set_hostname children.cur "))
      << first;
  EXPECT_TRUE(first.ends_with(" ip4.addr ip4.saddrsel ip6.addr\n")) << first;
}

TEST(JlsLines, SettableLeavesOutWhatACreateWouldNotTake) {
  Listed row = row_of(1, "a", "h h", {"10.0.0.1"});
  EXPECT_EQ(lines({"jid", "parent", "dying", "cpuset.id", "children.cur", "pid1", "ip4.addr",
                   "host.hostname"},
                  {row}, settable),
            "jid=1 host.hostname=\"h h\"\n");
  row.shown.host = JailSys::inherit;
  row.shown.ip4 = JailSys::new_;
  row.shown.meta = "k=v";
  EXPECT_EQ(lines({"jid", "ip4.addr", "host.hostname", "meta.k"}, {row}, settable),
            "jid=1 ip4.addr=10.0.0.1 meta.k=v\n");
}

TEST(JlsLines, AMissingKeyLeavesItsPlaceEmpty) {
  Listed row = row_of(1, "a");
  row.shown.meta = "tag=x y\nempty=\nword";
  EXPECT_EQ(lines({"meta.tag", "meta.none", "meta.empty", "meta.word", "jid"}, {row}),
            "x y  \"\" \"\" 1\n");
  EXPECT_EQ(lines({"meta.tag", "meta.none", "jid"}, {row}, name_value),
            "meta.tag=x y meta.none jid=1\n");
  EXPECT_EQ(lines({"meta"}, {row}), "tag=x y\nempty=\nword\n");
}

TEST(JlsLines, WhatIsNoParameterOfAJailIsUnknown) {
  for (const char* name : {"nosuch", "nosecurelevel", "exec.start", "", "no", "noparent", "nopid1",
                           "allow.", "all."}) {
    const Result<std::vector<Column>> columns = columns_of({"jid", name}, {});
    ASSERT_FALSE(columns) << name;
    EXPECT_EQ(columns.error().text, std::string("unknown parameter: ") + name);
  }
}

TEST(JlsLines, StatusAndDriftAreThereWhenNamed) {
  Listed row = row_of(1, "a");
  row.status = "up";
  row.drift = "none";
  EXPECT_EQ(lines({"status", "drift"}, {row}, name_value), "status=up drift=none\n");
  EXPECT_TRUE(asks_for(*columns_of({"jid", "drift"}, {}), "drift"));
  EXPECT_FALSE(asks_for(*columns_of({"all"}, {}), "status"));
}

// ---- libxo (J5.5)

TEST(JlsJson, DocumentsAreAsRecorded) {
  const std::vector<Listed> rows{row_of(61, "web", "www.example.org"),
                                 row_of(62, "db", "say \"hi\"")};
  EXPECT_EQ(listing(json, {}, {}, {}),
            "{\"__version\": \"2\", \"jail-information\": {\"jail\": []}}\n");
  EXPECT_EQ(
      listing(json, {}, {}, rows),
      R"({"__version": "2", "jail-information": {"jail": [{"jid":61,"ipv4":"","hostname":"www.example.org",)"
      R"("path":"/jails/web"}, {"jid":62,"ipv4":"","hostname":"say \"hi\"","path":"/jails/db"}]}})"
      "\n");
  EXPECT_EQ(
      listing(json, {.names = true}, {}, {{rows[0]}}),
      R"({"__version": "2", "jail-information": {"jail": [{"name":"web","ipv4":"","hostname":"www.example.org",)"
      R"("path":"/jails/web"}]}})"
      "\n");
  EXPECT_EQ(lines({"jid", "persist"}, {rows[0]}, {}, json),
            "{\"__version\": \"2\", \"jail-information\": {\"jail\": "
            "[{\"jid\":\"61\",\"persist\":\"true\"}]}}\n");
  EXPECT_EQ(
      lines({"jid", "persist", "allow.mount", "nopersist"}, {rows[0]}, name_value, json),
      "{\"__version\": \"2\", \"jail-information\": {\"jail\": [{\"jid\":\"61\",\"persist\":true,"
      "\"allow.mount\":false,\"nopersist\":false}]}}\n");
  EXPECT_EQ(lines({"jid", "name"}, {rows[0]}, {}, pretty_json),
            "{\n  \"__version\": \"2\", \n  \"jail-information\": {\n    \"jail\": [\n      {\n"
            "        \"jid\": \"61\",\n        \"name\": \"web\"\n      }\n    ]\n  }\n}\n");
}

TEST(JlsJson, AddressesAreLists) {
  const std::vector<Listed> rows{row_of(1, "a", "", {"127.0.0.1", "127.0.0.2"}), row_of(2, "none")};
  EXPECT_EQ(
      lines({"name", "ip4.addr", "jid"}, rows, {}, json),
      R"({"__version": "2", "jail-information": {"jail": [{"name":"a", "ip4.addr": ["127.0.0.1","127.0.0.2"],)"
      R"("jid":"1"}, {"name":"none", "ip4.addr": [],"jid":"2"}]}})"
      "\n");
  EXPECT_EQ(
      listing(json, {.verbose = true}, {}, {{rows[0]}}),
      R"({"__version": "2", "jail-information": {"jail": [{"jid":1,"hostname":"","path":"/jails/a","name":"a",)"
      R"("state":"ACTIVE","cpusetid":1, "ipv4_addrs": ["127.0.0.1","127.0.0.2"], "ipv6_addrs": []}]}})"
      "\n");
}

TEST(JlsXml, ElementsAreAsRecorded) {
  const Listed row = row_of(61, "web", "<a&b>", {"127.0.0.1", "127.0.0.2"});
  EXPECT_EQ(lines({"jid", "name"}, {row}, {}, xml),
            "<jail-information "
            "version=\"2\"><jail><jid>61</jid><name>web</name></jail></jail-information>");
  EXPECT_EQ(
      lines({"host.hostname", "ip4.addr"}, {row}, {}, xml),
      "<jail-information version=\"2\"><jail><host.hostname>&lt;a&amp;b&gt;</host.hostname>"
      "<ip4.addr>127.0.0.1</ip4.addr><ip4.addr>127.0.0.2</ip4.addr></jail></jail-information>");
  EXPECT_EQ(lines({"jid"}, {row}, {}, {Style::xml, true}),
            "<jail-information version=\"2\">\n  <jail>\n    <jid>61</jid>\n  "
            "</jail>\n</jail-information>\n");
}

TEST(JlsHtml, ValuesAreMarkedAndEscaped) {
  EXPECT_EQ(
      lines({"jid", "host.hostname"}, {row_of(61, "web", "<script>")}, {}, html),
      "<div class=\"line\"><div class=\"data\" data-tag=\"jid\">61</div><div class=\"text\"> </div>"
      "<div class=\"data\" data-tag=\"host.hostname\">&lt;script&gt;</div></div>");
}

TEST(Xo, AnEmptyDocumentIsValidInEveryStyle) {
  EXPECT_EQ(Xo(json).finish(), "{ }\n");
  EXPECT_EQ(Xo(xml).finish(), "");
  EXPECT_EQ(Xo(text).finish(), "");
}

std::string json_of(std::string_view value) {
  Xo xo(json);
  xo.open("c");
  xo.field("k", value, Xo::Kind::string, "");
  const std::string out = xo.finish();
  const std::string before = "{\"__version\": \"2\", \"c\": {\"k\":";
  return out.substr(before.size(), out.size() - before.size() - 3);
}

TEST(Xo, HostileBytesNeverBreakJson) {
  EXPECT_EQ(json_of("a\"b\\c\n\t\r\b\f"), "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\"");
  EXPECT_EQ(json_of(std::string_view("\0\x1b[31m\x7f", 7)), "\"\\u0000\\u001b[31m\\u007f\"");
  EXPECT_EQ(json_of("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x90\x98"),
            "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x90\x98\"");
  const char* bad[] = {"\xFF",
                       "\xC3",
                       "\xC0\x80",
                       "\xED\xA0\x80",
                       "\xF5\x80\x80\x80",
                       "\xE0\x80\x80",
                       "\xF0\x80\x80\x80"};
  for (const char* bytes : bad) {
    const std::string out = json_of(bytes);
    EXPECT_TRUE(out.starts_with("\"\xEF\xBF\xBD")) << out;
    for (const std::string_view raw : {"\xFF", "\xC0", "\xED\xA0", "\xF5"})
      EXPECT_EQ(out.find(raw), std::string::npos);
  }
}

TEST(Xo, XmlHasNoControlCharactersAndOnlyProperNames) {
  Xo xo(xml);
  xo.open("c");
  xo.field("meta.a b<", "x\x1by", Xo::Kind::string, "");
  EXPECT_EQ(xo.finish(), "<c version=\"2\"><meta.a_b_>x\xEF\xBF\xBDy</meta.a_b_></c>");
}

struct LibxoCase {
  Words arguments, left;
  Style style;
  bool pretty;
};

TEST(Xo, OptionsAreTakenOutWhereverTheyStand) {
  const LibxoCase cases[] = {
      {{"jls", "-n"}, {"jls", "-n"}, Style::text, false},
      {{"jls", "--libxo", "json", "name"}, {"jls", "name"}, Style::json, false},
      {{"jls", "name", "--libxo=json,pretty"}, {"jls", "name"}, Style::json, true},
      {{"jls", "--libxo:J"}, {"jls"}, Style::json, false},
      {{"jls", "--libxo:XP", "-v"}, {"jls", "-v"}, Style::xml, true},
      {{"jls", "--libxo", ":H"}, {"jls"}, Style::html, false},
      {{"jls", "--libxo=json", "--libxo=text"}, {"jls"}, Style::text, false},
  };
  for (const LibxoCase& one : cases) {
    Words arguments = one.arguments;
    const Result<XoOptions> options = take_libxo(arguments);
    ASSERT_TRUE(options) << join(one.arguments, " ");
    EXPECT_EQ(arguments, one.left);
    EXPECT_EQ(options->style, one.style) << join(one.arguments, " ");
    EXPECT_EQ(options->pretty, one.pretty);
  }
}

TEST(Xo, UnknownOptionsAreErrors) {
  const std::pair<Words, const char*> cases[] = {
      {{"jls", "--libxo"}, "missing libxo option"},
      {{"jls", "--libxo=yaml"}, "unknown libxo option value: 'yaml'"},
      {{"jls", "--libxo:Z"}, "unknown libxo option: 'Z'"},
      {{"jls", "--libxos"}, "unknown libxo option: '--libxos'"},
  };
  for (auto [arguments, message] : cases) {
    const Result<XoOptions> options = take_libxo(arguments);
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().text, message);
  }
}

}  // namespace
}  // namespace jail
