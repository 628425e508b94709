// Tests of what passes between a person and a console: packets, the escape key, harmless output.
#include <array>
#include <gtest/gtest.h>

#include "base/harmless.h"
#include "cmd/console_text.h"
#include "sup/stream.h"

namespace jail {
namespace {

TEST(Stream, BytesAreWhatStandsBehindTheLetter) {
  const std::string raw("b\0 b\n", 5);
  ASSERT_TRUE(read_packet(raw));
  EXPECT_EQ(read_packet(raw)->kind, PacketKind::bytes);
  EXPECT_EQ(read_packet(raw)->bytes, std::string_view("\0 b\n", 4));
}

TEST(Stream, NumbersAreDecimalWithoutSignZeroOrBlankTooMany) {
  const std::optional<Packet> window = read_packet("w 24 9999");
  ASSERT_TRUE(window);
  EXPECT_EQ(window->kind, PacketKind::window);
  EXPECT_EQ(window->rows, 24);
  EXPECT_EQ(window->columns, 9999);
  ASSERT_TRUE(read_packet("l 18446744073709551615"));
  EXPECT_EQ(read_packet("l 18446744073709551615")->lost, ~uint64_t{0});
  EXPECT_EQ(read_packet("r")->kind, PacketKind::read_only);
}

TEST(Stream, NothingElseIsAPacket) {
  for (const char* raw : {"",
                          "b",
                          "w",
                          "w ",
                          "w 24",
                          "w 24 ",
                          "w 24 80 ",
                          "w 24 80 1",
                          "w 024 80",
                          "w 0 80",
                          "w 24 0",
                          "w -1 80",
                          "w +1 80",
                          "w 24  80",
                          "w24 80",
                          "w 10000 80",
                          "w 24 10000",
                          "w 24 99999999999999999999",
                          "l",
                          "l ",
                          "l 0",
                          "l -1",
                          "l 1 ",
                          "l 1 1",
                          "l 18446744073709551616",
                          "r ",
                          "rr",
                          "x",
                          "B1",
                          " b",
                          "ok"})
    EXPECT_FALSE(read_packet(raw)) << raw;
  EXPECT_TRUE(read_packet(std::string(packet_most, 'b')));
  EXPECT_FALSE(read_packet(std::string(packet_most + 1, 'b')));
}

TEST(Stream, WhatIsWrittenReadsTheSame) {
  std::array<char, packet_most> space;
  EXPECT_EQ(read_packet(bytes_packet(space, "text"))->bytes, "text");
  const std::string much(5000, 'm');
  EXPECT_EQ(read_packet(bytes_packet(space, much))->bytes, much.substr(0, packet_most - 1));
  EXPECT_EQ(window_packet(space, 50, 132), "w 50 132");
  EXPECT_EQ(read_packet(lost_packet(space, ~uint64_t{0}))->lost, ~uint64_t{0});
  EXPECT_TRUE(read_packet(read_only_packet));
}

// All that is typed, with commands as letters in brackets.
std::string typed(EscapeKey& key, std::string_view text) {
  std::string all;
  while (!text.empty()) {
    const KeyWord word = key.take(text, all);
    if (word == KeyWord::leave) all += "[leave]";
    if (word == KeyWord::suspend) all += "[suspend]";
    if (word == KeyWord::help) all += "[help]";
  }
  return all;
}

TEST(EscapeKey, PassesEverythingElse) {
  EscapeKey key(default_escape_key);
  EXPECT_EQ(typed(key, "ls\r\033[A\x03q.z"), "ls\r\033[A\x03q.z");
}

TEST(EscapeKey, HasItsCommands) {
  EscapeKey key(default_escape_key);
  EXPECT_EQ(typed(key, "a\x1dqb\x1d.c\x1dzd\x1d?e"), "a[leave]b[leave]c[suspend]d[help]e");
}

TEST(EscapeKey, TwiceIsTypedOnceAndBeforeAnythingElseTogether) {
  EscapeKey key(default_escape_key);
  EXPECT_EQ(typed(key, "\x1d\x1dq\x1dx"), "\x1dq\x1dx");
}

TEST(EscapeKey, MayComeApartFromItsCommand) {
  EscapeKey key(default_escape_key);
  EXPECT_EQ(typed(key, "ls\x1d"), "ls");
  EXPECT_EQ(typed(key, "q"), "[leave]");
  EXPECT_EQ(typed(key, "q"), "q");
}

TEST(EscapeKey, CanBeAnotherEvenOneOfTheCommandsOrNone) {
  EscapeKey dot('.'), none(no_escape_key);
  EXPECT_EQ(typed(dot, "a..b.q"), "a.b[leave]");
  EXPECT_EQ(typed(none, "\x1dq\xff"), "\x1dq\xff");
}

TEST(EscapeKey, IsNamedAsPeopleWriteIt) {
  EXPECT_EQ(parse_escape_key("^]"), 0x1d);
  EXPECT_EQ(parse_escape_key("^a"), 1);
  EXPECT_EQ(parse_escape_key("^A"), 1);
  EXPECT_EQ(parse_escape_key("^?"), 0x7f);
  EXPECT_EQ(parse_escape_key("~"), '~');
  EXPECT_EQ(parse_escape_key("none"), no_escape_key);
  for (const char* wrong : {"", " ", "^@", "^1", "^~", "^AB", "ab", "\x1d", "\x7f", "\xc3"})
    EXPECT_FALSE(parse_escape_key(wrong)) << wrong;
  for (const char* name : {"^]", "^A", "^?", "~", "none", "^_"})
    EXPECT_EQ(escape_key_name(*parse_escape_key(name)), name);
}

TEST(HarmlessText, LeavesTextAndTakesControls) {
  HarmlessText text;
  EXPECT_EQ(text.pass("plain\ttext\r\nnext \033[31mred\a\x7f"), "plain\ttext\nnext ?[31mred??");
  EXPECT_EQ(text.pass(std::string_view("\0", 1)), "?");
}

TEST(HarmlessText, LeavesUtf8AndTakesControlsInIt) {
  HarmlessText text;
  EXPECT_EQ(text.pass("gr\xc3\xbc\xc3\x9f"
                      "e \xe2\x82\xac \xf0\x9f\x90\xa7"),
            "gr\xc3\xbc\xc3\x9f"
            "e \xe2\x82\xac \xf0\x9f\x90\xa7");
  EXPECT_EQ(text.pass("\xc2\x9b"
                      "31m"),
            "?31m");
  EXPECT_EQ(text.pass("\x9b"
                      "31m"),
            "?31m");
}

TEST(HarmlessText, TakesWhatIsNoUtf8) {
  HarmlessText text;
  EXPECT_EQ(text.pass("\xc0\x80|\xe0\x80\x80|\xed\xa0\x80|\xf4\x90\x80\x80|\xff"), "??|?|?|?|?");
  EXPECT_EQ(text.pass("\xe2\x82\033[m"), "??[m");
  EXPECT_EQ(text.pass("\xe2\xe2\x82\xac"), "?\xe2\x82\xac");
}

TEST(HarmlessText, OfOneLineHasNoOtherLines) {
  EXPECT_EQ(harmless_line("one\ttwo\r\nthree \xc2\x9b"
                          "31m \xe2\x82\xac"),
            "one?two?three ?31m \xe2\x82\xac");
}

TEST(HarmlessText, KnowsACharacterThatComesInParts) {
  HarmlessText text;
  EXPECT_EQ(text.pass("\xe2"), "");
  EXPECT_EQ(text.pass("\x82"), "");
  EXPECT_EQ(text.pass("\xac"), "\xe2\x82\xac");
  EXPECT_EQ(text.pass("\xc2"), "");
  EXPECT_EQ(text.pass("\x9b"), "?");
}

}  // namespace
}  // namespace jail
