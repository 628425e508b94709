// Jails into Specs: files, command lines, messages and their order; limits on hostile input.
#include <gtest/gtest.h>

#include "cmd/errors.h"
#include "cmd/explain.h"
#include "conf/address.h"
#include "conf/config.h"
#include "conf/import.h"
#include "tests/unit/conf_test.h"

namespace jail {
namespace {

Words lines(const Messages& messages) {
  Words result;
  for (const Message& message : messages) result.push_back(message.line_text());
  return result;
}

Words given(const Import& import) {
  Words result;
  for (const Given& one : import.kernel) result.push_back(given_text(one));
  return result;
}

Import import_words(const Words& words) {
  Config config = from_words(words);
  return import_jail(config, config.jails()[0]);
}

TEST(CommandLine, IsSplitAtTheFirstEqualsAndRepetitionAppends) {
  Import import = import_words(
      {"path=/a=b", "exec.start=a,b", "exec.start=c", "host.hostname=x", "host.hostname=y"});
  EXPECT_EQ(import.spec.path, "/a=b");
  EXPECT_EQ(import.spec.exec_start, (Words{"a,b", "c"}));
  EXPECT_EQ(import.spec.host_hostname, "y");
}

TEST(CommandLine, AValuelessRepetitionEmpties) {
  Import import = import_words({"depend=a", "depend", "ip4.addr=10.0.0.1,10.0.0.2", "depend=b,c"});
  EXPECT_EQ(import.spec.depend, Words{"b,c"});
  EXPECT_EQ(import.spec.ip4_addr, (Words{"10.0.0.1", "10.0.0.2"}));
}

TEST(CommandLine, CommandTakesAllThatFollows) {
  EXPECT_EQ(import_words({"command=/bin/echo", "path=/x", "a=b"}).spec.command,
            (Words{"/bin/echo", "path=/x", "a=b"}));
  EXPECT_EQ(import_words({"command", "ls", "-l"}).spec.command, (Words{"ls", "-l"}));
  EXPECT_EQ(import_words({"command"}).spec.command, std::nullopt);
  EXPECT_EQ(import_words({"command="}).spec.command, Words{""});
}

TEST(CommandLine, NameAndJidAreGivenOnce) {
  Config config = from_words(Words{"name=a", "name=b"});
  EXPECT_EQ(lines(config.messages()), Words{"cannot redefine parameter \"name\"."});
  EXPECT_TRUE(config.jails()[0].failed);
  EXPECT_TRUE(from_words(Words{"jid=1", "name=b"}).messages().empty());
}

TEST(CommandLine, NothingIsExpanded) {
  EXPECT_EQ(import_words({"name=a", "path=/$name\\n'"}).spec.path, "/$name\\n'");
  EXPECT_EQ(lines(import_words({"x+=1"}).messages), Words{"unknown parameter: x+"});
}

TEST(Import, TheCallIsShownInTheOrderGiven) {
  EXPECT_EQ(given(import_words({"persist", "path=/my tmp", "allow.raw_sockets=1", "allow.nomount",
                                "allow.chflags=0", "ip4.addr=em0|10.0.0.1/24", "vnet",
                                "children.max=007", "exec.start=x", "meta.a=b"})),
            (Words{"persist", "path=\"/my tmp\"", "allow.raw_sockets=true", "allow.nomount",
                   "allow.chflags=false", "ip4.addr=10.0.0.1", "vnet=new", "children.max=7",
                   "meta.a=b"}));
}

TEST(Import, OntoARunningJailsSpecChangesWhatIsGiven) {
  Spec running;
  running.path = "/a";
  running.meta = "k=v";
  Config config = from_words(Words{"meta.l=w", "persist"});
  Import import = import_jail(config, config.jails()[0], {.onto = running});
  EXPECT_EQ(import.spec.path, "/a");
  EXPECT_EQ(import.spec.meta, "l=w\nk=v");
  EXPECT_EQ(import.spec.persist, true);
}

TEST(Import, BadOwnValuesAreAllToldAndHideTheKernels) {
  Config config = load_text("t", "foo { bogus = 1; exec.clean = yes; stop.timeout = x; }");
  EXPECT_EQ(lines(import_jail(config, config.jails()[0]).messages),
            (Words{"foo: exec.clean: unknown boolean value \"yes\"",
                   "foo: stop.timeout: non-integer value \"x\""}));
  EXPECT_EQ(import_jail(config, config.jails()[0], {.everything = true}).messages.size(), 3U);
}

TEST(Import, UnknownParametersAreToldOnUse) {
  Config config =
      load_text("t", "foo { bogus; allow.nomount.devfs; parent = 1; nomount; persist = maybe; }");
  EXPECT_EQ(lines(import_jail(config, config.jails()[0]).messages),
            (Words{"foo: unknown parameter: bogus", "foo: unknown parameter: allow.nomount.devfs",
                   "foo: unknown parameter: parent", "foo: unknown parameter: nomount",
                   "foo: persist: unknown boolean value \"maybe\""}));
}

using ImportFiles = InConfDirectory;

TEST_F(ImportFiles, FstabFilesAreReadInOrder) {
  write("a", "one /1 t # c\n\n");
  write("b", "two /2 t");
  Config config = load_text("t", "foo { mount.fstab = a, \"\", b; }");
  Import import = import_jail(config, config.jails()[0]);
  EXPECT_EQ(import.fstab_lines, (Words{"one /1 t ", "", "two /2 t"}));
}

TEST_F(ImportFiles, AMissingFstabFileFailsTheJailBeforeKernelValuesAreLookedAt) {
  Config config = load_text("t", "foo { bogus; mount.fstab = nofile; }");
  EXPECT_EQ(lines(import_jail(config, config.jails()[0]).messages),
            Words{"foo: mount.fstab: nofile: No such file or directory"});
}

TEST_F(ImportFiles, CheckTellsEveryErrorWithItsLine) {
  write("c.conf",
        "a = $nope;\nx { persist = maybe;\tdepend = y; }\nz { .include nofile; b = ; }\n");
  Explained checked = check_file("c.conf");
  EXPECT_EQ(checked.status, 1);
  EXPECT_EQ(checked.text,
            "c.conf:2:5: x: persist: unknown boolean value \"maybe\"\n"
            "    x { persist = maybe;\tdepend = y; }\n"
            "        ^\n"
            "c.conf:3:14: nofile: No such file or directory\n"
            "    z { .include nofile; b = ; }\n"
            "                 ^\n"
            "c.conf:3:26: ;: syntax error\n"
            "    z { .include nofile; b = ; }\n"
            "                             ^\n");
  write("c.conf", "c = $nope;\nx { depend = y; }\nz {}");
  EXPECT_EQ(check_file("c.conf").text,
            "c.conf:1:5: x: c: variable \"nope\" not found (and 1 more)\n"
            "    c = $nope;\n"
            "        ^\n"
            "c.conf:2:5: x: depends on undefined jail \"y\"\n"
            "    x { depend = y; }\n"
            "        ^\n");
  write("c.conf", "x { persist; }");
  EXPECT_EQ(check_file("c.conf").text, "");
  EXPECT_EQ(check_file("c.conf").status, 0);
}

TEST_F(ImportFiles, ExplainShowsWhereValuesComeFrom) {
  write("c.conf",
        "$d = /j;\nfoo {\n  path = \"$d/$name\";\n  exec.start = a, \"b c\";\n}\nbar {}\n");
  EXPECT_EQ(*explain(load("c.conf"), "foo"),
            "foo  (c.conf:2)\n"
            "  name        foo     c.conf:2\n"
            "  path        /j/foo  c.conf:3\n"
            "  exec.start  a       c.conf:4\n"
            "              \"b c\"   c.conf:4\n"
            "  $d          /j      c.conf:1\n");
  EXPECT_EQ(explain(load("c.conf"), "zz").error().text, "\"zz\" not found");
}

TEST(InterfaceWords, AreThoseWithAnAddressThatHasAnInterface) {
  Spec spec;
  spec.ip4_addr =
      Words{"10.0.0.1", "em0|10.0.0.2", "10.0.0.3,em0|10.0.0.4", "em0|10.0.0.5,10.0.0.6"};
  EXPECT_EQ(interface_words(Family::ip4, spec),
            (Words{"em0|10.0.0.2", "10.0.0.3,em0|10.0.0.4", "em0|10.0.0.5,10.0.0.6"}));
  spec.interface = "em1";
  EXPECT_EQ(interface_words(Family::ip4, spec), *spec.ip4_addr);
  EXPECT_EQ(interface_words(Family::ip6, spec), Words{});
}

TEST(Quotes, AreThoseOfTheRecord) {
  EXPECT_EQ(quote_value(""), "\"\"");
  EXPECT_EQ(quote_value("a b"), "\"a b\"");
  EXPECT_EQ(quote_value("it's"), "\"it's\"");
  EXPECT_EQ(quote_value("say \"x\""), "'say \"x\"'");
  EXPECT_EQ(quote_value("it's \"x\""), "\"it's \\\"x\\\"\"");
  EXPECT_EQ(quote_value("a\\b"), "a\\\\b");
}

// What a short hostile text may not cost.
TEST(Limits, ValuesDoNotGrowWithoutBound) {
  std::string text = "$v0 = xxxxxxxxxx;\n$w0 = x, x;\n";
  for (int i = 1; i < 60; ++i) {
    std::string last = std::to_string(i - 1), now = std::to_string(i);
    text += "$v" + now + " = \"${v" + last + "}${v" + last + "}\";\n";
    text += "$w" + now + " = $w" + last + ", $w" + last + ";\n";
  }
  Config config = load_text("t", text + "foo { a = $v59; b = $w59; }");
  ASSERT_EQ(config.jails().size(), 1U);
  EXPECT_TRUE(config.jails()[0].failed);
}

TEST(Limits, ChainsOfVariablesMayBeLong) {
  std::string text = "$v0 = end;\n";
  for (int i = 1; i < 100000; ++i) {
    text += "$v" + std::to_string(i) + " = $v" + std::to_string(i - 1) + ";\n";
  }
  Config config = load_text("t", text + "foo { a = $v99999; }");
  EXPECT_TRUE(config.messages().empty());
  EXPECT_EQ(config.jails()[0].find("a")->values[0].text, "end");
}

TEST(Limits, BlocksDoNotNestForEver) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "a{";
  EXPECT_TRUE(load_text("t", text).rejected());
}

// Full names of nested blocks leave little room; the rest is for what has no limit of its own.
TEST(Limits, NothingIsTakenInOnceThereIsNoRoom) {
  std::string full;
  for (int depth = 0; depth < 31; ++depth) full += std::string(size_t{1} << 20, 'x') + "{";
  const std::string end(31, '}');
  EXPECT_TRUE(load_text("t", full + end).messages().empty());
  for (const std::string_view many : {"a;", "a{}", ",b", "$b"}) {
    std::string text = full + (many.ends_with('b') ? "a=b" : "");
    for (int i = 0; i < 1'200'000; ++i) text += many;
    Config config = load_text("t", text + (many.ends_with('b') ? ";" : "") + end);
    ASSERT_EQ(config.messages().size(), 1U) << many;
    EXPECT_EQ(config.messages()[0].text, "too much in all files together");
    EXPECT_TRUE(config.rejected());
  }
}

TEST(Limits, ManyJailsTimesManyParametersIsRefused) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "p" + std::to_string(i) + ";";
  for (int i = 0; i < 5000; ++i) text += "j" + std::to_string(i) + "{}";
  Config config = load_text("t", text);
  EXPECT_EQ(config.messages().size(), 1U);
  EXPECT_TRUE(config.jails().back().failed);
}

TEST(Errors, OfManyTheFirstTwentyAreShownAndHowManyMoreThereAre) {
  EXPECT_EQ(shortened(Words(20, "x")), Words(20, "x"));
  Words lines = shortened(Words(1020, "x"));
  ASSERT_EQ(lines.size(), 21u);
  EXPECT_EQ(lines.back(), "1000 more errors");
  setenv("CELLBLOCK_STRICT", "freebsd", 1);
  EXPECT_EQ(shortened(Words(1020, "x")).size(), 1020u);
  unsetenv("CELLBLOCK_STRICT");
}

TEST(Errors, ALineIsShortAndDoesNotSpeakToTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2J\nb\x7f\xc3\xa9"), "a?[2J?b?\xc3\xa9");
  EXPECT_EQ(printable(std::string(1000, 'x')), std::string(1000, 'x'));
  EXPECT_EQ(printable(std::string(5000, 'x')), std::string(1000, 'x') + "...");
}

}  // namespace
}  // namespace jail
