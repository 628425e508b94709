// Tests of the ledger: what is written is read back, torn and foreign texts, and what happens where
// nothing can be written any more.
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/file.h"
#include "ledger/ledger.h"

namespace jail {
namespace {

const LedgerHead head{"5d1f09c2", "web", "boot-1"};

class LedgerFile : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
    directory_ = open_at(AT_FDCWD, path_, O_RDONLY | O_DIRECTORY).value();
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  Ledger create(LedgerHead first = head) {
    Result<Ledger> ledger = Ledger::create(directory_.get(), std::move(first), false);
    EXPECT_TRUE(ledger) << ledger.error().text;
    return std::move(*ledger);
  }
  Result<Ledger> open(bool writable = false) const {
    return Ledger::open(directory_.get(), writable);
  }
  std::string text() const { return read_file(directory_.get(), "ledger").value(); }
  void put(std::string_view text) const { std::ofstream(path_ + "/ledger") << text; }

  std::string path_ = "/tmp/ledger_test.XXXXXX";
  Fd directory_;
};

size_t begin(Ledger& ledger, const Op& op, bool sync = false) {
  Result<size_t> place = ledger.begin(op, sync);
  EXPECT_TRUE(place) << place.error().text;
  return place.value_or(0);
}

void expect_same(const Ledger& one, const Ledger& other) {
  EXPECT_EQ(one.head(), other.head());
  EXPECT_EQ(one.mark(), other.mark());
  ASSERT_EQ(one.acts().size(), other.acts().size());
  for (size_t i = 0; i < one.acts().size(); ++i) {
    const Act &left = one.acts()[i], &right = other.acts()[i];
    EXPECT_TRUE(left.op == right.op && left.yield == right.yield && left.done == right.done &&
                left.open == right.open)
        << i << ": " << left.op.verb;
  }
}

TEST_F(LedgerFile, IsOneLineForEachStep) {
  Ledger ledger = create();
  ASSERT_TRUE(ledger.done(begin(ledger, {"group", {"cellblock/5d1f09c2"}}), {}));
  size_t boot = begin(ledger, {"boot", {"7"}});
  ASSERT_TRUE(ledger.done(boot, {"4242", "8831120"}));
  ASSERT_TRUE(ledger.set_mark({"up"}));
  ledger.undone(boot);
  EXPECT_EQ(text(),
            "ledger 1 5d1f09c2 web boot-1\n"
            "+ group \"cellblock/5d1f09c2\"\n"
            "= group\n"
            "+ boot 7\n"
            "= boot 4242 8831120\n"
            "! up\n"
            "- boot 7\n");
}

TEST_F(LedgerFile, HostileWordsComeBackAsTheyWere) {
  const Words hostile = {"",
                         " ",
                         "a b",
                         "\n",
                         "\t\r\v\f\x01\x7f",
                         "\"",
                         "'",
                         "\\",
                         "$name",
                         "${x}",
                         "# no",
                         "// no",
                         "/* no",
                         "=",
                         "+=",
                         "{;},",
                         "\xff\xfe\x80",
                         "- boot 7",
                         "\nx\n= y",
                         std::string(70000, 'x')};
  Ledger ledger = create({"5d1f09c2", "a \"b\"\n# c", "boot id"});
  for (const std::string& word : hostile) {
    size_t place = begin(ledger, {"mount", {word, "end"}});
    ASSERT_TRUE(ledger.done(place, {word, word}));
  }
  ASSERT_TRUE(ledger.set_mark(hostile));
  Result<Ledger> again = open();
  ASSERT_TRUE(again) << again.error().text;
  expect_same(*again, ledger);
  EXPECT_EQ(again->mark(), hostile);
  EXPECT_EQ(again->acts()[3].op.args[0], "\n");
  EXPECT_EQ(again->acts().back().yield[0].size(), 70000U);
}

TEST_F(LedgerFile, EveryByteButNulComesBack) {
  std::string word;
  for (int byte = 1; byte < 256; ++byte) word += static_cast<char>(byte);
  Ledger ledger = create();
  begin(ledger, {"hook", {word}});
  Result<Ledger> again = open();
  ASSERT_TRUE(again) << again.error().text;
  EXPECT_EQ(again->acts()[0].op.args[0], word);
}

TEST_F(LedgerFile, ThereIsOnlyOneOfAJail) {
  create();
  Result<Ledger> second = Ledger::create(directory_.get(), head, false);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EEXIST);
}

TEST_F(LedgerFile, WithoutOneOpeningSaysSo) {
  Result<Ledger> none = open();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ENOENT);
}

// A command that was killed between making the file and writing its first line has announced
// nothing: the next one must be able to go on as if there were no file.
TEST_F(LedgerFile, OneThatTheFirstLineNeverReachedIsNone) {
  for (const char* torn : {"", "ledger 1 5d1f09c2 we"}) {
    put(torn);
    Result<Ledger> none = open(true);
    ASSERT_FALSE(none) << torn;
    EXPECT_EQ(none.error().code, ENOENT) << none.error().text;
    Ledger ledger = create();
    begin(ledger, {"boot", {"7"}});
    EXPECT_EQ(text(), "ledger 1 5d1f09c2 web boot-1\n+ boot 7\n");
  }
}

TEST_F(LedgerFile, ATornLastLineNeverHappened) {
  put("ledger 1 5d1f09c2 web boot-1\n+ group g\n= group\n+ boot 7");
  Result<Ledger> ledger = open();
  ASSERT_TRUE(ledger) << ledger.error().text;
  EXPECT_EQ(ledger->acts().size(), 1U);
  EXPECT_EQ(ledger->newest("boot"), nullptr);
}

TEST_F(LedgerFile, ATornLastLineIsNotTheHeadOfTheNextOne) {
  put("ledger 1 5d1f09c2 web boot-1\n+ group g\n+ view /jails/w");
  Ledger ledger = open(true).value();
  begin(ledger, {"boot", {"7"}});
  EXPECT_EQ(text(), "ledger 1 5d1f09c2 web boot-1\n+ group g\n+ boot 7\n");
}

TEST_F(LedgerFile, ReadersChangeNothing) {
  const std::string torn = "ledger 1 5d1f09c2 web boot-1\n+ group g\n+ view";
  put(torn);
  Ledger ledger = open().value();
  EXPECT_FALSE(ledger.begin({"boot", {"7"}}, false));
  EXPECT_FALSE(ledger.set_mark({"up"}));
  EXPECT_EQ(text(), torn);
}

TEST(LedgerText, EveryPrefixOfOneIsOneOrHasNoFirstLine) {
  const std::string whole =
      "ledger 1 id \"a b\" boot\n+ a 1\n= a x y\n+ b \"\\n\"\n! up\n- a 1\n= b\n! down\n- b "
      "\"\\n\"\n";
  const size_t first = whole.find('\n') + 1;
  for (size_t size = 0; size <= whole.size(); ++size)
    EXPECT_EQ(Ledger::parse(whole.substr(0, size)).has_value(), size >= first) << size;
}

TEST(LedgerText, AnotherVersionIsRefusedByName) {
  Result<Ledger> ledger = Ledger::parse("ledger 2 id web boot\n+ a\n");
  ASSERT_FALSE(ledger);
  EXPECT_EQ(ledger.error().code, EINVAL);
  EXPECT_NE(ledger.error().text.find("version 2"), std::string::npos) << ledger.error().text;
}

TEST(LedgerText, AnActDoneAgainKeepsItsPlaceAndYieldsAnew) {
  Result<Ledger> ledger = Ledger::parse("ledger 1 id web boot\n+ a 1\n= a 2\n+ b\n= b\n= a 3\n");
  ASSERT_TRUE(ledger) << ledger.error().text;
  ASSERT_EQ(ledger->acts().size(), 2U);
  EXPECT_EQ(ledger->acts()[0].op, (Op{"a", {"1"}}));
  EXPECT_EQ(ledger->acts()[0].yield, (Words{"3"}));
  EXPECT_TRUE(ledger->acts()[0].open);
}

TEST(LedgerText, WhatIsNoLedgerIsRefusedWithItsLine) {
  const std::string first = "ledger 1 id web boot\n";
  const struct {
    std::string text, line;
  } cases[] = {
      {"web {\n}\n", "line 1"},
      {"ledger 1 id web\n", "line 1"},
      {"ledger 1 id web boot more\n", "line 1"},
      {first + "+\n", "line 2"},
      {first + "+ \n", "line 2"},
      {first + "\n", "line 2"},
      {first + "+ a\n* a\n", "line 3"},
      {first + "+ \"a\n", "line 2"},
      {first + "+ $a\n", "line 2"},
      {first + "= a\n", "line 2"},
      {first + "- a\n", "line 2"},
      {first + "+ a 1\n- a 2\n", "line 3"},
      {first + "+ a\n= b\n", "line 3"},
      {first + "+ a\n- a\n- a\n", "line 4"},
      {first + "+ a\n- a\n= a\n", "line 4"},
      {first + "++ a\n", "line 2"},
      {first + "+ a\n+ b" + '\0' + "\n", "line 3"},
  };
  for (const auto& one : cases) {
    Result<Ledger> ledger = Ledger::parse(one.text);
    ASSERT_FALSE(ledger) << one.text;
    EXPECT_EQ(ledger.error().code, EINVAL) << one.text;
    EXPECT_TRUE(ledger.error().text.starts_with(one.line)) << one.text << ledger.error().text;
  }
}

TEST(LedgerText, AMarkIsReplacedByTheNext) {
  Ledger ledger = Ledger::parse("ledger 1 id web boot\n! up\n! reboot halt 3 77\n").value();
  EXPECT_EQ(ledger.mark(), (Words{"reboot", "halt", "3", "77"}));
}

TEST_F(LedgerFile, ARepeatedActTakesThePlaceOfTheFirst) {
  Ledger ledger = create();
  ASSERT_TRUE(ledger.done(begin(ledger, {"group", {"g"}}), {}));
  ASSERT_TRUE(ledger.done(begin(ledger, {"boot", {"7"}}), {"100", "1"}));
  ASSERT_TRUE(ledger.done(begin(ledger, {"start", {}}), {}));
  EXPECT_EQ(begin(ledger, {"boot", {"7"}}), 1U);
  EXPECT_FALSE(ledger.acts()[1].done);
  EXPECT_EQ(ledger.yielded("boot"), Words{});
  ASSERT_TRUE(ledger.done(1, {"200", "2"}));
  EXPECT_EQ(ledger.yielded("boot"), (Words{"200", "2"}));
  Ledger again = open().value();
  expect_same(again, ledger);
  EXPECT_EQ(again.acts().size(), 3U);
}

TEST_F(LedgerFile, AnActAnnouncedAfterItWasUndoneIsANewOne) {
  Ledger ledger = create();
  size_t first = begin(ledger, {"boot", {"7"}});
  begin(ledger, {"start", {}});
  ledger.undone(first);
  EXPECT_EQ(begin(ledger, {"boot", {"7"}}), 2U);
  expect_same(open().value(), ledger);
}

TEST_F(LedgerFile, TwoActsOfOneVerbAreKeptApart) {
  Ledger ledger = create();
  size_t one = begin(ledger, {"address", {"lo", "127.0.0.2"}});
  ASSERT_TRUE(ledger.done(one, {}));
  size_t two = begin(ledger, {"address", {"lo", "127.0.0.3"}});
  ASSERT_TRUE(ledger.done(two, {"mark"}));
  EXPECT_EQ(ledger.yielded("address"), Words{"mark"});
  ledger.undone(one);
  EXPECT_EQ(ledger.newest("address")->op.args[1], "127.0.0.3");
  ledger.undone(two);
  EXPECT_EQ(ledger.newest("address"), nullptr);
  EXPECT_FALSE(ledger.any_open());
  expect_same(open().value(), ledger);
}

// What a caller does once too often is no line: the next command could not read the file.
TEST_F(LedgerFile, WhatMakesNoSenseIsNotWritten) {
  Ledger ledger = create();
  size_t place = begin(ledger, {"boot", {"7"}});
  ASSERT_TRUE(ledger.done(place, {"1", "2"}));
  EXPECT_FALSE(ledger.done(place, {"3", "4"}));
  EXPECT_FALSE(ledger.set_mark({}));
  ledger.undone(place);
  ledger.undone(place);
  EXPECT_FALSE(ledger.done(place, {"5", "6"}));
  Result<Ledger> again = open();
  ASSERT_TRUE(again) << again.error().text;
  expect_same(*again, ledger);
}

TEST_F(LedgerFile, DoneConfirmsTheActOfItsPlace) {
  Ledger ledger = create();
  size_t failed = begin(ledger, {"hook", {"a"}});
  size_t going_on = begin(ledger, {"hook", {"b"}});
  ASSERT_TRUE(ledger.done(going_on, {"of b"}));
  EXPECT_FALSE(ledger.acts()[failed].done);
  EXPECT_TRUE(ledger.acts()[going_on].done);
  expect_same(open().value(), ledger);
}

TEST_F(LedgerFile, ALedgerOverItsLimitIsRefused) {
  put("ledger 1 id web boot\n");
  std::filesystem::resize_file(path_ + "/ledger", (16U << 20) + 1);
  Result<Ledger> ledger = open();
  ASSERT_FALSE(ledger);
  EXPECT_EQ(ledger.error().code, EFBIG);
}

// --- where nothing can be written: a limit on the size of files stands for a full disk ---

// Runs `body` in a child whose files cannot grow beyond `limit` bytes; true if it returned true.
template <class Body>
bool with_limit(size_t limit, Body body) {
  pid_t child = fork();
  if (child == 0) {
    (void)signal(SIGXFSZ, SIG_IGN);
    rlimit size{limit, limit};
    _exit(setrlimit(RLIMIT_FSIZE, &size) == 0 && body() ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(LedgerFile, WhatCannotBeAnnouncedWholeLeavesNoPart) {
  Ledger ledger = create();
  begin(ledger, {"group", {"g"}});
  const std::string before = text();
  EXPECT_TRUE(with_limit(before.size() + 5, [&] {
    Result<size_t> refused = ledger.begin({"boot", {"7"}}, false);
    return !refused && refused.error().code == EFBIG && text() == before &&
           ledger.acts().size() == 1;
  }));
  EXPECT_EQ(text(), before);
  begin(ledger, {"boot", {"7"}});
  EXPECT_EQ(open().value().acts().size(), 2U);
}

TEST_F(LedgerFile, AMarkThatCannotBeWrittenIsNotSet) {
  Ledger ledger = create();
  EXPECT_TRUE(
      with_limit(text().size(), [&] { return !ledger.set_mark({"up"}) && ledger.mark().empty(); }));
}

TEST_F(LedgerFile, WhatCannotBeStruckInTheFileIsStruckInMemory) {
  Ledger ledger = create();
  size_t place = begin(ledger, {"group", {"g"}});
  const std::string before = text();
  EXPECT_TRUE(with_limit(before.size() + 3, [&] {
    ledger.undone(place);
    return !ledger.any_open() && !ledger.newest("group") && text() == before;
  }));
  EXPECT_TRUE(open().value().any_open());
}

TEST_F(LedgerFile, OneThatCannotBeBegunSaysWhy) {
  EXPECT_TRUE(with_limit(4, [&] {
    Result<Ledger> ledger = Ledger::create(directory_.get(), head, false);
    return !ledger && ledger.error().code == EFBIG && ledger.error().text.starts_with("ledger: ");
  }));
  create();  // and is no hindrance when there is room again
}

}  // namespace
}  // namespace jail
