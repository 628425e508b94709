// ttys(5): lines, fields, flags, words (N8; T1-T27 are the cases of N18.1).
#include <chrono>
#include <gtest/gtest.h>

#include "sup/ttys.h"

namespace jail {
namespace {

int asked = 0;  // how often exists() was

bool exists(const std::string& path) {
  ++asked;
  return path == "/dev/null" || path == "/dev/console" || path == "/sbin/getty";
}

const TtyWorld world{exists, {"console", "ttyu0"}};

std::vector<TtyLine> lines(std::string_view text) {
  std::vector<TtyLine> all;
  while (std::optional<TtyLine> line = next_tty(text, world)) all.push_back(*line);
  return all;
}

TtyLine line(std::string_view text) {
  std::vector<TtyLine> all = lines(std::string(text) + "\n");
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? TtyLine{} : all[0];
}

// What init executes for a line.
Words words(std::string_view text) {
  const TtyLine entry = line(text);
  return tty_words(entry.command.value_or("-") + " " + entry.name);
}

TEST(Ttys, T1FieldsAndFlags) {
  const TtyLine entry = line("console none unknown off secure");
  EXPECT_EQ(entry,
            (TtyLine{.name = "console", .command = "none", .type = "unknown", .secure = true}));
}

TEST(Ttys, T2TheNameIsTheLastArgument) {
  EXPECT_EQ(words(R"(ttyv0 "/usr/libexec/getty Pc" xterm on secure)"),
            (Words{"/usr/libexec/getty", "Pc", "ttyv0"}));
}

TEST(Ttys, T3BlanksBeforeTheNameAndBetweenFieldsAndAComment) {
  const TtyLine entry = line(" \t a /g xterm secure on   insecure # text");
  EXPECT_EQ(entry.name, "a");
  EXPECT_TRUE(entry.on);
  EXPECT_FALSE(entry.secure);
  EXPECT_EQ(entry.comment, "text");
}

TEST(Ttys, T4CommentsAndBlankLinesAreNoEntries) {
  EXPECT_TRUE(lines("# x\n\n   # x\n \t\r\n").empty());
  EXPECT_TRUE(lines("").empty());
}

TEST(Ttys, T5OnIfConsoleIsOnForAConsole) {
  const TtyLine entry = line(R"(ttyu0 "/g" vt100 onifconsole)");
  EXPECT_TRUE(entry.on);
  EXPECT_TRUE(entry.conditional);
}

TEST(Ttys, T6OnIfConsoleIsOffForOthers) {
  const TtyLine entry = line(R"(ttyu1 "/g" vt100 onifconsole)");
  EXPECT_FALSE(entry.on);
  EXPECT_TRUE(entry.conditional);
}

TEST(Ttys, T7OnIfExistsIsOnForADevice) {
  const TtyLine entry = line(R"(null "/bin/x" vt100 onifexists)");
  EXPECT_TRUE(entry.on);
  EXPECT_TRUE(entry.conditional);
}

TEST(Ttys, T8OnIfExistsIsOffWithoutTheDevice) {
  EXPECT_FALSE(line(R"(nosuch "/bin/x" vt100 onifexists)").on);
}

TEST(Ttys, T9AnAbsoluteNameIsThePathOfItsDeviceEverywhere) {
  EXPECT_TRUE(line(R"(/dev/null "/bin/x" vt100 onifexists)").on);
  EXPECT_FALSE(line(R"(/null "/bin/x" vt100 onifexists)").on);
  EXPECT_EQ(tty_device("/dev/null"), "/dev/null");
  EXPECT_EQ(tty_device("pts/0"), "/dev/pts/0");
}

TEST(Ttys, T10DialupIsATypeTooAndAGroupIsKept) {
  const TtyLine entry = line(R"(d0 "/g d1200" dialup on group=dialup # 555)");
  EXPECT_EQ(entry, (TtyLine{.name = "d0",
                            .command = "/g d1200",
                            .type = "dialup",
                            .group = "dialup",
                            .comment = "555",
                            .on = true,
                            .dialup = true}));
}

TEST(Ttys, T11NetworkIsATypeToo) {
  const TtyLine entry = line(R"(n0 "/g" network on)");
  EXPECT_TRUE(entry.network && entry.on);
  EXPECT_EQ(entry.type, "network");
}

TEST(Ttys, T12AWindowIsWhatFollowsTheEqualsSignUnquoted) {
  const TtyLine entry = line(R"(w0 "/t -d :0" xterm on window="/X :0" group=win secure)");
  EXPECT_EQ(entry.window, "/X :0");
  EXPECT_EQ(entry.group, "win");
  EXPECT_TRUE(entry.secure);
}

TEST(Ttys, T13AnUnknownFlagMakesTheRestAComment) {
  const TtyLine entry = line(R"(bad "/g" xterm on bogus secure)");
  EXPECT_TRUE(entry.on);
  EXPECT_FALSE(entry.secure);
  EXPECT_EQ(entry.comment, "bogus secure");
}

TEST(Ttys, T14OnlyANameHasNoCommandAndNoType) {
  const TtyLine entry = line("onlyname");
  EXPECT_EQ(entry, TtyLine{.name = "onlyname"});
}

TEST(Ttys, T15TheSecondFieldIsTheCommandWhateverItSays) {
  const TtyLine entry = line("noget on");
  EXPECT_EQ(entry.command, "on");
  EXPECT_FALSE(entry.on);
}

TEST(Ttys, T16SingleQuotesMakeOneWord) {
  EXPECT_EQ(words(R"(q1 "/g 'a b' c" xterm on)"), (Words{"/g", "a b", "c", "q1"}));
}

TEST(Ttys, T17AnUnterminatedDoubleQuoteSwallowsTheLine) {
  constexpr std::string_view text = R"(q2 "/g 'unterminated xterm on)";
  EXPECT_EQ(line(text).command, "/g 'unterminated xterm on");
  EXPECT_FALSE(line(text).on);
  EXPECT_EQ(words(text), Words{"/g"});
}

TEST(Ttys, T18ABackslashHidesADoubleQuote) {
  EXPECT_EQ(words(R"(q3 "/g \"x\" y" xterm on)"), (Words{"/g", "\"x\"", "y", "q3"}));
}

TEST(Ttys, T19DoubleQuotesToggleAnywhere) {
  constexpr std::string_view text = R"(q4 /g"a b"c xterm on)";
  EXPECT_EQ(line(text).command, "/ga bc");
  EXPECT_EQ(words(text), (Words{"/ga", "bc", "q4"}));
}

TEST(Ttys, T20AHashStartsACommentInTheMiddleOfAWord) {
  const TtyLine entry = line("h1 /g#x xterm on");
  EXPECT_EQ(entry, (TtyLine{.name = "h1", .command = "/g", .comment = "x xterm on"}));
}

TEST(Ttys, T21FlagsAreAppliedLeftToRight) {
  EXPECT_FALSE(line("o1 /g xterm on off").on);
  EXPECT_TRUE(line("o2 /g xterm off on").on);
}

TEST(Ttys, T22FlagsAreCaseSensitive) {
  const TtyLine entry = line("o3 /g xterm ON");
  EXPECT_FALSE(entry.on);
  EXPECT_EQ(entry.comment, "ON");
}

TEST(Ttys, T23TheThirdFieldIsTheTypeWhateverItSays) {
  const TtyLine entry = line("t1 /g on");
  EXPECT_EQ(entry.type, "on");
  EXPECT_FALSE(entry.on);
}

TEST(Ttys, T24AnEmptyCommandMakesTheNameTheProgram) {
  EXPECT_EQ(line(R"(e1 "" xterm on)").command, "");
  EXPECT_EQ(words(R"(e1 "" xterm on)"), Words{"e1"});
}

TEST(Ttys, T25ALineMayBeADaemon) {
  constexpr std::string_view text = R"(daemon1 "/usr/local/bin/foo -f" none on)";
  EXPECT_EQ(words(text), (Words{"/usr/local/bin/foo", "-f", "daemon1"}));
  EXPECT_EQ(line(text).type, "none");
}

TEST(Ttys, T26TwoLinesOfOneNameAreTwoEntries) {
  EXPECT_EQ(lines("dup /a x on\ndup /b x on\n").size(), 2U);
}

TEST(Ttys, T27TheLastLineNeedsNoNewline) {
  const std::vector<TtyLine> all = lines("a /g xterm on\nx /g xterm on");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(all[1].on);
  EXPECT_EQ(lines("x")[0].name, "x");
  EXPECT_EQ(lines("x /g dialup")[0].dialup, true);
}

TEST(Ttys, WhiteSpaceAndHashesAreOrdinaryInsideQuotes) {
  EXPECT_EQ(line("x \"/g \t# x\" xterm on").command, "/g \t# x");
}

TEST(Ttys, ABackslashIsOrdinaryButBeforeAQuoteInsideQuotes) {
  EXPECT_EQ(line(R"(x "/g \n \\ \'" xterm on)").command, R"(/g \n \\ \')");
  EXPECT_EQ(line(R"(x /g\"a b" xterm on)").command, R"(/g\a b)");
}

TEST(Ttys, AFlagEndsInWhiteSpace) {
  EXPECT_EQ(line("x /g xterm on#c").comment, "on#c");
  EXPECT_FALSE(line("x /g xterm on#c").on);
  EXPECT_FALSE(line("x /g xterm \"on\"").on);
  EXPECT_FALSE(line("x /g xterm onoff").on);
  EXPECT_TRUE(line("x /g xterm on\r").on);
  EXPECT_FALSE(line("x /g dialups on").dialup);
}

TEST(Ttys, FlagsDialupAndNetwork) {
  const TtyLine entry = line("x /g xterm dialup network");
  EXPECT_TRUE(entry.dialup && entry.network);
  EXPECT_FALSE(entry.on);
}

TEST(Ttys, ConditionsDoNotSwitchOff) {
  EXPECT_TRUE(line("nosuch /g xterm on onifexists onifconsole").on);
  EXPECT_FALSE(line("null /g xterm onifexists off").on);
}

TEST(Ttys, GroupAndWindowHaveDefaultsAndMayBeEmpty) {
  EXPECT_EQ(line("x /g xterm on").group, "none");
  EXPECT_EQ(line("x /g xterm on").window, std::nullopt);
  EXPECT_EQ(
      line("x /g xterm window= group= on"),
      (TtyLine{
          .name = "x", .command = "/g", .type = "xterm", .window = "", .group = "", .on = true}));
  EXPECT_EQ(line("x /g xterm window on").comment, "window on");
  EXPECT_EQ(line("x /g xterm window=/a=b#c").window, "/a=b");
}

TEST(Ttys, ACommentLosesItsHashAndTheBlanksBehindIt) {
  EXPECT_EQ(line("x /g xterm on #\t  a # b ").comment, "a # b ");
  EXPECT_EQ(line("x /g xterm on #").comment, "");
  EXPECT_EQ(line("x # y").comment, "y");
}

TEST(Ttys, ANulEndsItsLineOnly) {
  using namespace std::string_view_literals;
  const std::vector<TtyLine> all = lines("x /g\0 xterm on\nb /h t on\n\0c /g t on\n"sv);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0], (TtyLine{.name = "x", .command = "/g"}));
  EXPECT_EQ(all[1].name, "b");
}

TEST(Ttys, FieldsAreCutAndSaySo) {
  const std::string most(max_tty_text, 'a');
  EXPECT_FALSE(line("x " + most + " xterm on").cut);
  for (std::string text : {"x " + most + "b xterm on", most + "b /g xterm on",
                           "x /g b" + most + " on", "x /g xterm on window=" + most}) {
    const TtyLine entry = line(text);
    EXPECT_TRUE(entry.cut && entry.on);
    EXPECT_LE(entry.name.size() + entry.command->size() + entry.type->size() +
                  entry.window.value_or("").size(),
              max_tty_text + 10);
  }
  EXPECT_EQ(line("x /g xterm on #" + most + "b").comment, most);
}

TEST(Ttys, TheDeviceIsAskedForOnceALine) {
  asked = 0;
  std::string text = "nosuch /g xterm";
  for (int i = 0; i < 1000; ++i) text += " onifexists";
  EXPECT_FALSE(line(text).on);
  EXPECT_EQ(asked, 1);
}

// Each takes less than a second; anything but linear takes hours.
TEST(Ttys, TenMegabytesAreReadInLinearTime) {
  const auto begin = std::chrono::steady_clock::now();
  for (std::string_view piece : {"\\\"", " onifexists", "x y z on # w\n"}) {
    std::string text = "x /g xterm ";
    while (text.size() < 10'000'000) text += piece;
    std::string_view rest = text;
    while (next_tty(rest, world)) {
    }
    EXPECT_TRUE(rest.empty());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST(TtyWords, AreSplitAtBlanksAndTabs) {
  EXPECT_EQ(tty_words("  /g\t a  b "), (Words{"/g", "a", "b"}));
  EXPECT_EQ(tty_words(" \t"), Words{});
  EXPECT_EQ(tty_words(""), Words{});
}

TEST(TtyWords, ASingleQuoteCountsOnlyAtTheBeginning) {
  EXPECT_EQ(tty_words("/g it's 'a b'c '' d"), (Words{"/g", "it's", "a b", "c", "", "d"}));
}

TEST(TtyWords, AnUnterminatedSingleQuoteEndsTheVector) {
  EXPECT_EQ(tty_words("/g 'x q"), Words{"/g"});
  EXPECT_EQ(tty_words("'/g q"), Words{});
}

TEST(TtyWords, NothingElseIsSpecial) {
  EXPECT_EQ(tty_words(R"(/g $HOME * \a "b c" ;x)"),
            (Words{"/g", "$HOME", "*", "\\a", "\"b", "c\"", ";x"}));
}

TEST(ActiveConsoles, AreReadInBothSystemsForms) {
  EXPECT_EQ(active_consoles("ttyv0,ttyu0,/ttyv0,ttyu1,"), (Words{"ttyv0", "ttyu0"}));
  EXPECT_EQ(active_consoles("tty0 ttyS0\n"), (Words{"tty0", "ttyS0"}));
  EXPECT_EQ(active_consoles(""), Words{});
}

TEST(ConsoleIsSecure, UnlessALineSaysOtherwise) {
  EXPECT_TRUE(console_is_secure(""));
  EXPECT_TRUE(console_is_secure("ttyv0 none unknown off\n"));
  EXPECT_TRUE(console_is_secure("console none unknown off secure\n"));
  EXPECT_FALSE(console_is_secure("x /g\nconsole none unknown off\nconsole none unknown secure\n"));
}

TEST(DefaultTtys, IsTheFirstGettyThereIsOnTheConsole) {
  const std::string text = default_ttys(world);
  const std::vector<TtyLine> all = lines(text);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].on && all[0].conditional && all[0].secure);
  EXPECT_EQ(words(text.substr(0, text.size() - 1)),
            (Words{"/sbin/getty", "-L", "115200", "console"}));
}

TEST(DefaultTtys, IsEmptyWithoutAGetty) {
  EXPECT_EQ(default_ttys({[](const std::string&) { return false; }}), "");
}

}  // namespace
}  // namespace jail
