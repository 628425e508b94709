// Tests of plan/command_line.h: J4.4, "Parsing of the string".
#include <gtest/gtest.h>

#include "plan/command_line.h"

namespace jail {
namespace {

constexpr std::string_view shell_characters = "!\"$&'()*;<?>[]\\`{}|~";

TEST(CommandLine, IsSplitAtBlanksOfAllKinds) {
  EXPECT_EQ(parse_command("  echo \t a\nb\rc\vd\fe ")->argv,
            (Words{"echo", "a", "b", "c", "d", "e"}));
}

TEST(CommandLine, EachOfTwentyCharactersIsForTheShell) {
  EXPECT_EQ(shell_characters.size(), 20u);
  for (int byte = 1; byte < 256; byte++) {
    std::string text = std::string("a ") + static_cast<char>(byte) + "b";
    bool shell = shell_characters.find(static_cast<char>(byte)) != std::string_view::npos;
    Words argv = parse_command(text)->argv;
    EXPECT_EQ(argv[0] == "/bin/sh", shell) << byte;
    if (shell) {
      EXPECT_EQ(argv, (Words{"/bin/sh", "-c", text}));
    }
  }
}

TEST(CommandLine, WhatLooksLikeShellButIsNotIsPlain) {
  EXPECT_EQ(parse_command("A=b echo x # %d ^")->argv, (Words{"A=b", "echo", "x", "#", "%d", "^"}));
}

TEST(CommandLine, ABareAmpersandAtTheEndIsTheBackground) {
  for (const char* text : {"sleep 2 &", "sleep 2&", " sleep  2 &"}) {
    auto line = parse_command(text);
    EXPECT_EQ(line->argv, (Words{"sleep", "2"})) << text;
    EXPECT_TRUE(line->background) << text;
    EXPECT_EQ(line->shown, "sleep 2") << text;
  }
}

TEST(CommandLine, AnyOtherAmpersandIsTheShells) {
  for (const char* text : {"sleep 2& ", "sleep \"2\" &", "a && b", "a & b", "a &&"}) {
    auto line = parse_command(text);
    EXPECT_EQ(line->argv, (Words{"/bin/sh", "-c", text})) << text;
    EXPECT_FALSE(line->background) << text;
  }
}

TEST(CommandLine, NothingIsSkipped) {
  for (const char* text : {"", " ", "\t \n", "&", " &"}) EXPECT_FALSE(parse_command(text)) << text;
}

TEST(CommandLine, IsShownWithSingleBlanks) {
  EXPECT_EQ(parse_command("echo  a\tb")->shown, "echo a b");
  EXPECT_EQ(parse_command("exit 3;")->shown, "/bin/sh -c exit 3;");
  EXPECT_EQ(command_of({"echo", "a b", ""}).shown, "echo a b ");
}

}  // namespace
}  // namespace jail
