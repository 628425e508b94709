// The lexer where nothing but bytes is around it: words of ledgers, quoting, names and wildcards.
#include <gtest/gtest.h>

#include "conf/lex.h"
#include "conf/resolve.h"

namespace jail {
namespace {

Words words_of(std::string_view text) {
  return lex_words(text).value_or(Words{"an error"});
}

TEST(LexWords, AreSplitAtWhiteSpaceAndStructure) {
  EXPECT_EQ(words_of(""), Words{});
  EXPECT_EQ(words_of(" + clone  overlay base@14\n= x "),
            (Words{"+", "clone", "overlay", "base@14", "=", "x"}));
  EXPECT_EQ(words_of("a,b;c{}d+=e"), (Words{"a", ",", "b", ";", "c", "{", "}", "d", "+=", "e"}));
}

TEST(LexWords, JoinPiecesOfEveryKind) {
  EXPECT_EQ(words_of(R"(x"y z"'w'\ v/u)"), Words{"xy zw v/u"});
  EXPECT_EQ(words_of("\"\""), Words{""});
}

TEST(LexWords, RefuseWhatIsNoWord) {
  EXPECT_FALSE(lex_words("a $b"));
  EXPECT_FALSE(lex_words("\"a ${b}\""));
  EXPECT_FALSE(lex_words("a \xff"));
  EXPECT_FALSE(lex_words("\"abc"));
  EXPECT_FALSE(lex_words("/* abc"));
}

TEST(LexWords, EveryByteButNulSurvivesQuoting) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  for (std::string text :
       {all, std::string(), std::string("plain"), std::string("/a/b"), std::string("$x"),
        std::string("a\nb"), std::string("#"), std::string("'\"\\"), std::string("\0017")}) {
    std::string quoted = quote_word(text);
    EXPECT_EQ(words_of(quoted), Words{text});
    for (char c : quoted) EXPECT_TRUE(static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
  }
  EXPECT_EQ(quote_word("web-1.a"), "web-1.a");
  EXPECT_EQ(quote_word(std::string("a\0b", 3)), "a");
}

TEST(Lexer, KnowsWhereTokensStandAndWhatTheyWere) {
  Arena arena;
  Lexer lexer("ab  'c d' ${e}", arena);
  Token first = lexer.next(), second = lexer.next(), third = lexer.next();
  EXPECT_EQ(lexer.raw(second), "'c d'");
  EXPECT_EQ(second.text, "c d");
  EXPECT_FALSE(second.glued);
  EXPECT_EQ(third.kind, TokenKind::variable);
  EXPECT_EQ(third.begin, 10U);
  EXPECT_EQ(first.end, 2U);
  EXPECT_EQ(lexer.next().kind, TokenKind::end);
  EXPECT_EQ(lexer.next().kind, TokenKind::end);
}

TEST(Lexer, AHashStartsACommentInTheMiddleOfAWord) {
  EXPECT_EQ(words_of("a#b\nc"), (Words{"a", "c"}));
  EXPECT_EQ(words_of("http://x\nc"), (Words{"http:", "c"}));
  EXPECT_EQ(words_of("a/*b*/c/**/d"), (Words{"a", "c", "d"}));
}

TEST(Wildcards, HaveAComponentThatIsAStar) {
  for (const char* name : {"*", "foo.*", "*.bar", "a.*.b"}) EXPECT_TRUE(is_wildcard(name)) << name;
  for (const char* name : {"", "foo", "foo*", "*a", "a.b*"})
    EXPECT_FALSE(is_wildcard(name)) << name;
}

TEST(Wildcards, MatchComponentByComponent) {
  EXPECT_TRUE(wildcard_matches("*", "a.b.c"));
  EXPECT_TRUE(wildcard_matches("foo.*", "foo.bar"));
  EXPECT_TRUE(wildcard_matches("foo.*", "foo.bar.baz"));
  EXPECT_FALSE(wildcard_matches("foo.*", "foo"));
  EXPECT_TRUE(wildcard_matches("*.baz", "foo.baz"));
  EXPECT_FALSE(wildcard_matches("*.baz", "foo.bar.baz"));
  EXPECT_FALSE(wildcard_matches("*.baz", "baz"));
  EXPECT_TRUE(wildcard_matches("foo.*.baz", "foo.bar.baz"));
}

// The resolver finds wildcards by a tree; it must find those that matching one by one finds.
TEST(Wildcards, AreFoundByTheResolverAsTheyMatch) {
  const char* const parts[] = {"a", "b", "*"};
  std::vector<std::string> wildcards, names;
  auto build = [&](auto self, std::string prefix, int depth) -> void {
    for (const char* part : parts) {
      std::string name = prefix.empty() ? part : prefix + "." + part;
      (is_wildcard(name) ? wildcards : names).push_back(name);
      if (depth < 4) self(self, name, depth + 1);
    }
  };
  build(build, "", 1);
  std::string text;
  for (const std::string& wildcard : wildcards)
    text += "\"" + wildcard + "\" { p += \"" + wildcard + "\"; }\n";
  for (const std::string& name : names) text += "\"" + name + "\" {}\n";
  Conf conf;
  parse_text("t", text, Thorough::as_jail, conf);
  for (const Jail& jail : resolve(conf)) {
    Words expected, got;
    for (const std::string& wildcard : wildcards) {
      if (wildcard_matches(wildcard, jail.name)) expected.push_back(wildcard);
    }
    for (const Word& word : jail.find("p")->values) got.emplace_back(word.text);
    EXPECT_EQ(got, expected) << jail.name;
  }
}

TEST(NumericNames, AreWhatStrtolTakesWhole) {
  EXPECT_EQ(numeric_name("5"), 5);
  EXPECT_EQ(numeric_name("-4"), -4);
  EXPECT_EQ(numeric_name(" +026"), 26);
  for (const char* name : {"0", "", "5a", "5 ", "1.2", "+"})
    EXPECT_EQ(numeric_name(name), 0) << name;
}

}  // namespace
}  // namespace jail
