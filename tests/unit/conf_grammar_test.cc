// The grammar by its table of cases (J7.1): what `jail -f c.conf -e ' | '` prints, on both outputs.
#include <gtest/gtest.h>

#include "cmd/explain.h"
#include "conf/config.h"
#include "tests/unit/conf_test.h"

namespace jail {
namespace {

struct Case {
  const char* id;
  std::string_view text;
  std::string_view listed;    // standard output
  std::string_view messages;  // standard error, without "jail: "
  bool rejected = false;
};

constexpr bool bad = true;

// clang-format off
const Case cases[] = {
  {"G1", "", "", ""},
  {"G2", ";;;", "", ""},
  {"G3", "foo {}", "name=foo\n", ""},
  {"G4", "foo { path = /a/b; persist; }", "name=foo | path=/a/b | persist\n", ""},
  {"G5", "foo { path = \"/a b\"; persist }", "", "c.conf line 1: }: syntax error\n", bad},
  {"G6", "foo { path = /a\n persist;\n}", "", "c.conf line 2: persist: syntax error\n", bad},
  {"G7", "foo { path = /a#b;\npersist; }", "", "c.conf line 2: persist: syntax error\n", bad},
  {"G8", "foo { path = //a; persist; }\nbar{}", "", "c.conf line 2: {: syntax error\n", bad},
  {"G9", "foo { a = x\"y z\"w; }", "name=foo | a=\"xy zw\"\n", ""},
  {"G10", R"(foo { a = 'x\ty'; b = "x\ty"; c = x\ty; })", "name=foo | a=\"x\ty\" | b=\"x\ty\" | c=\"x\ty\"\n", ""},
  {"G11", R"(foo { d='$name'; e="$name"; f=$name; g="${name}x"; h="\$name"; })", "name=foo | d=$name | e=foo | f=foo | g=foox | h=$name\n", ""},
  {"G12", R"(foo { a = $; b = "$"; c = $$name; d = "$$name"; e = "a$"; })", "name=foo | a=$ | b=$ | c=$foo | d=$foo | e=a$\n", ""},
  {"G13", R"(foo { a = \x41\102\e\q; b = "\x4g\7z"; c = "\101\0bc"; })", "name=foo | a=ABeq | b=\x04g\x07z | c=A\n", ""},
  {"G14", R"(foo { a = x\,y; b = x\;y; c = x\{y\}; d = x\ y; e = x+y; f = x*y; })", "name=foo | a=x,y | b=x;y | c=x{y} | d=\"x y\" | e=x+y | f=x*y\n", ""},
  {"G15", "foo { a = x y; }", "", "c.conf line 1: y: syntax error\n", bad},
  {"G16", "foo { a = x=y; }", "", "c.conf line 1: =: syntax error\n", bad},
  {"G17", "foo { a = \"\" \"\"; }", "", "c.conf line 1: \"\": syntax error\n", bad},
  {"G18", "foo { a = ''b; c = b\"\"; }", "name=foo | a=b | c=b\n", ""},
  {"G19", "foo { path = ; }", "", "c.conf line 1: ;: syntax error\n", bad},
  {"G20", "foo { path = a, ; }", "", "c.conf line 1: ;: syntax error\n", bad},
  {"G21", "foo {", "", "c.conf: unexpected EOF\n", bad},
  {"G22", "foo }", "", "c.conf line 1: }: syntax error\n", bad},
  {"G23", "foo.* { persist; }", "", "c.conf line 1: *: syntax error\n", bad},
  {"G24", "\"foo.*\" { persist; } foo.bar {path=/;} foo {}", "name=foo.bar | persist | path=/\nname=foo\n", ""},
  {"G25", "foo { * { persist; } bar {path=/;} }", "name=foo\nname=foo.bar | persist | path=/\n", ""},
  {"G26", "foo { a=1; bar { b=2; baz { c=3; } } }", "name=foo | a=1\nname=foo.bar | b=2\nname=foo.bar.baz | c=3\n", ""},
  {"G27", R"(foo.bar.baz { a=1; } "foo.*" { b=2; } "foo.*.baz" { c=3; } "*.baz" { d=4; } "foo*" { e=5; })", "name=foo.bar.baz | a=1 | b=2 | c=3\nname=foo* | e=5\n", ""},
  {"G28", "a=1; foo {} a=2; bar {a=3;} a=4;", "name=foo | a=4\nname=bar | a=3\n", ""},
  {"G29", "foo{a=1;} a=2; bar{a=3;}", "name=foo | a=2\nname=bar | a=3\n", ""},
  {"G30", "*{a=2;} foo{a=1;} bar{} *{a=5;}", "name=foo | a=5\nname=bar | a=5\n", ""},
  {"G31", "ip4.addr = 1.1.1.1; foo { ip4.addr += 2.2.2.2; } bar { ip4.addr = 3.3.3.3; }", "name=foo | ip4.addr=1.1.1.1,2.2.2.2\nname=bar | ip4.addr=3.3.3.3\n", ""},
  {"G32", "foo { a = 1; a += 2, 3; b += 1; b = 5; }", "name=foo | a=1,2,3 | b=5\n", ""},
  {"G33", "foo { exec.start = \"a\",\"b\"; exec.start; }", "name=foo | exec.start\n", ""},
  {"G34", "foo { exec.start; exec.start += \"c\"; }", "name=foo | exec.start=c\n", ""},
  {"G35", "foo { allow.mount; allow.nomount; allow.mount = 0; }", "name=foo | allow.mount=0\n", ""},
  {"G36", "foo { name = bar; }", "name=foo\n", "foo: cannot redefine parameter \"name\".\n"},
  {"G37", "5 { name = bar; }", "name=bar\n", ""},
  {"G38", "5 { jid = 6; }", "name=5\n", "5: cannot redefine parameter \"jid\".\n"},
  {"G39", "5 { x = \"${name}\"; y = \"${jid}\"; }", "x=5 | y=5 | name=5\n", ""},
  {"G40", "$x = 1; foo { $x = 2; a = $x; } bar { a = $x; }", "name=foo | a=2\nname=bar | a=1\n", ""},
  {"G41", "a = $x; foo { $x = 2; } bar { $x = 3; }", "name=foo | a=2\nname=bar | a=3\n", ""},
  {"G42", "foo { a = \"$b\"; b = \"$a\"; }", "name=foo | a=\"\" | b=\"\"\n", "foo: a: variable loop\n"},
  {"G43", "foo { a = b; a += $a; }", "name=foo | a=b,\"\"\n", "foo: a: variable loop\n"},
  {"G44", "foo { a = \"$nope\"; }", "name=foo | a=\"\"\n", "foo: a: variable \"nope\" not found\n"},
  {"G45", "foo { persist; a = $persist; }", "name=foo | persist | a=\"\"\n", "foo: a: variable \"persist\" not found\n"},
  {"G46", "foo { $v = a, b; n = \"x$v\"; }", "name=foo | n=x\n", "foo: n: array cannot be substituted inline\n"},
  {"G47", "foo { $v = a, b; l = x, $v, c; }", "name=foo | l=x,a,b,c\n", ""},
  {"G48", "$path = /x; foo { }", "name=foo\n", "foo: variable \"$path\" cannot have the same name as a parameter.\n"},
  {"G49", "foo { host.hostname = h; a = $host.hostname; }", "name=foo | host.hostname=h | a=.hostname\n", "foo: a: variable \"host\" not found\n"},
  {"G50", "foo { host.hostname = h; b = \"${host.hostname}-x\"; }", "name=foo | host.hostname=h | b=h-x\n", ""},
  {"G51", "foo { ${x.y} = 1; a = ${x.y}; }", "name=foo | a=1\n", ""},
  {"G52", "foo { \"$x\" = 1; }", "", "c.conf line 1: $x: syntax error\n", bad},
  {"G53", "foo { a = \"unterminated; }\nbar {}", "", "c.conf line 1: unterminated string\nc.conf line 2: {: syntax error\n", bad},
  {"G54", "foo { a = \"multi\nline\"; b = 1; }", "name=foo | a=multi\nline | b=1\n", ""},
  {"G55", "foo { a = 1; /* unterminated\nbar {}", "", "c.conf line 2: unterminated comment\nc.conf: unexpected EOF\n", bad},
  {"G56", "foo { a = \"${unterminated\"; }", "", "c.conf line 1: unterminated variable\n", bad},
  {"G57", "foo { a = x/*c*/y; }", "", "c.conf line 1: y: syntax error\n", bad},
  {"G58", "foo { /* c1 */ a /* c2 */ = /* c3 */ 1 /**/ ; /***/ b = 2; }", "name=foo | a=1 | b=2\n", ""},
  {"G59", "foo { a = \"http://x/\"; b=\"a#b\"; c = \"/* x */\"; }", "name=foo | a=http://x/ | b=a#b | c=\"/* x */\"\n", ""},
  {"G60", "foo {\r\n  path = /a; # c\r\n  persist;\r\n}\r\n", "name=foo | path=/a | persist\n", ""},
  {"G61", "foo { a=1 }\nbar { b=2 }\nbaz { c=3; }", "", "c.conf line 1: }: syntax error\n", bad},
  {"G62", "foo bar { }", "", "c.conf line 1: {: syntax error\n", bad},
  {"G63", "foo\"bar\" { }", "", "c.conf line 1: \"bar\": syntax error\n", bad},
  {"G64", "\"foo bar\" { path = \"/x/$name\"; }", "name=\"foo bar\" | path=\"/x/foo bar\"\n", ""},
  {"G65", "foo { path /x; ip4.addr a, b; }", "name=foo | path=/x | ip4.addr=a,b\n", ""},
  {"G66", "foo { a = (x|y)&z<w>[q]^!%?~@:-._; }", "name=foo | a=(x|y)&z<w>[q]^!%?~@:-._\n", ""},
  {"G67", "foo { a = \xc3\xa9; }", "", "c.conf line 1: \xc3: syntax error\n", bad},
  {"G67, quoted", "foo { a = \"\xc3\xa9\"; }", "name=foo | a=\xc3\xa9\n", ""},
  {"G67, at the start of a statement", "foo {} \xc3 {}", "", "c.conf line 1: \xc3: syntax error\n", bad},
  {"G68", "foo { path=/a; } foo { persist; }", "name=foo | path=/a\nname=foo | persist\n", ""},
  {"G69", ".include \"d/*.conf\"; foo{}", "name=zed\nname=baz\nname=foo\n", ""},
  {"G70", ".include \"d/nomatch*.conf\"; foo{}", "name=foo\n", ""},
  {"G71", ".include \"d/missing.conf\"; foo{}", "", "d/missing.conf: No such file or directory\n", bad},
  {"G72", "foo { .include \"d/a.conf\"; }", "name=foo\nname=foo.zed\n", ""},
  {"G73", "$d = d; .include \"$d/a.conf\";", "", "c.conf line 1: variables not permitted in '.include' filename\n", bad},
  {"G74", ".include \"c.conf\";", "", "maximum include depth exceeded\n", bad},
  {"G75", ".include \"d/bad\"; foo }", "", "d/bad: unexpected EOF\n", bad},
  // Beyond the table: words of J1.
  {"a piece may be a single byte", "foo { a = *; b = +; c = \\\\; }", "name=foo | a=* | b=+ | c=\\\\\n", ""},
  {"a comment line is not continued", "foo { # c \\\n a; }", "name=foo | a\n", ""},
  {"a continued bare word", "foo { a = x\\\ny; b = x\\\n ; }", "name=foo | a=xy | b=x\n", ""},
  {"variables have no no-form", "$node = 1; $de = 2; foo { a = $node$de; }", "name=foo | a=12\n", ""},
  {"no spellings are one parameter", "mount.devfs; foo { mount.nodevfs; } bar { allow.nomount.devfs; allow.mount.devfs; }", "name=foo | mount.nodevfs\nname=bar | mount.devfs | allow.mount.devfs\n", ""},
  {"a reference needs the last spelling", "foo { persist = 1; nopersist = 2; a = $persist; b = $nopersist; }", "name=foo | nopersist=2 | a=\"\" | b=2\n", "foo: a: variable \"persist\" not found\n"},
  {"zero is a name", "0 {} 007 {} -4 {}", "name=0\nname=007\nname=-4\n", ""},
  {"what is after an error and a semicolon is reported again", "foo { a = ; b = 1; c = 2; d = ; }", "", "c.conf line 1: ;: syntax error\nc.conf line 1: ;: syntax error\n", bad},
  {"a fresh error hides the next", "foo { a = ; , b; c = 1; }", "", "c.conf line 1: ;: syntax error\n", bad},
  {"a valueless parameter is not found", "$flag; foo { a = \"x$flag\"; }", "name=foo | a=x\n", "foo: a: variable \"flag\" not found\n"},
  {"only the statement form includes", "foo { .include = \"d/a.conf\"; }", "name=foo | .include=d/a.conf\n", ""},
  {"a file that is not there", ".include \"d/[m]issing.conf\"; foo {}", "name=foo\n", ""},
  {"our own parameters reserve no variable", "$exec.x = 1; foo {}", "", "c.conf line 1: .x: syntax error\n", bad},
  {"our own names are free", "${stop.strict} = 1; foo { a = ${stop.strict}; }", "name=foo | a=1\n", ""},
};
// clang-format on

using Grammar = InConfDirectory;

TEST_F(Grammar, EveryCaseOfTheTable) {
  write("d/a.conf", "zed {}");
  write("d/z.conf", "baz {}");
  write("d/bad", "bad {");
  for (const Case& one : cases) {
    SCOPED_TRACE(one.id);
    write("c.conf", one.text);
    Config config = load("c.conf");
    std::string messages;
    for (const Message& message : config.messages()) messages += message.line_text() + "\n";
    EXPECT_EQ(list_jails(config, " | "), one.listed);
    EXPECT_EQ(messages, one.messages);
    EXPECT_EQ(config.rejected(), one.rejected);
  }
}

TEST_F(Grammar, AFileThatCannotBeRead) {
  Config config = load("nofile");
  ASSERT_TRUE(config.rejected());
  EXPECT_EQ(config.messages()[0].line_text(), "nofile: No such file or directory");
  EXPECT_TRUE(load(".").rejected());
}

TEST_F(Grammar, ThirtyTwoIncludesAreDeepEnough) {
  for (int i = 0; i < 32; ++i)
    write(std::to_string(i), ".include \"" + std::to_string(i + 1) + "\";");
  write("32", "deep {}");
  EXPECT_EQ(list_jails(load("0"), " "), "name=deep\n");
  write("32", ".include \"33\";");
  write("33", "deeper {}");
  Config config = load("0");
  ASSERT_EQ(config.messages().size(), 1U);
  EXPECT_EQ(config.messages()[0].line_text(), "maximum include depth exceeded");
}

TEST_F(Grammar, IncludesAreRelativeToTheIncludingFile) {
  write("sub/a", ".include \"b\";");
  write("sub/b", "inner {}");
  write("c.conf", ".include sub/a;");
  EXPECT_EQ(list_jails(load("c.conf"), " "), "name=inner\n");
}

TEST_F(Grammar, ATextInMemoryIncludesNothing) {
  write("a", "zed {}");
  EXPECT_TRUE(load_text("text", ".include \"a\";").rejected());
}

TEST_F(Grammar, PlacesAreThoseOfTheValue) {
  write("c.conf", "a = 1,\n    \"2\";\nfoo {\n\ta += 3; }\n");
  Config config = load("c.conf");
  const Setting* setting = config.find("foo")->find("a");
  ASSERT_EQ(setting->values.size(), 3U);
  Origin second = config.where(setting->values[1].place),
         third = config.where(setting->values[2].place);
  EXPECT_EQ(second.line, 2U);
  EXPECT_EQ(second.column, 5U);
  EXPECT_EQ(third.line, 4U);
  EXPECT_EQ(third.column, 7U);
  EXPECT_EQ(third.file, "c.conf");
}

}  // namespace
}  // namespace jail
