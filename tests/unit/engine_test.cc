// Tests of the engine, with verbs of their own that keep a diary.
#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>

#include "base/file.h"
#include "ledger/engine.h"
#include "os/world.h"

namespace jail {
namespace {

// What the verbs did, and which of their words are to go wrong.
struct Diary {
  Words lines, failing, refusing;
};
Diary diary;

bool has(const Words& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

Result<void> note(const char* what, const Op& op) {
  std::string line = std::string(what) + " " + op.verb + (op.args.empty() ? "" : " " + op.args[0]);
  diary.lines.push_back(line);
  if (has(diary.refusing, line)) return fail(ECANCELED, line + ": refused");
  if (has(diary.failing, line)) return fail(EIO, line + ": failed");
  return {};
}

Result<Claim> check(World&, const Op& op) {
  TRY(note("check", op));
  return op.args[0] == "there" ? Claim::nothing : Claim::ours;
}
Result<Words> apply(World&, const Op& op) {
  TRY(note("apply", op));
  return Words{"yield of " + op.args[0]};
}
Result<void> undo(World&, const Op& op) {
  return note("undo", op);
}

constexpr Verb verbs[] = {
    {"plain", 1, Lives::host_boot, nullptr, apply, undo, nullptr},
    {"checked", 1, Lives::host_boot, check, apply, undo, nullptr},
    {"space", 1, Lives::space, nullptr, apply, nullptr, nullptr},
    {"disk", 1, Lives::disk, nullptr, apply, undo, nullptr},
    {"last", 1, Lives::host_boot, nullptr, apply, undo, "plain"},
    {"forward", 1, Lives::host_boot, nullptr, apply, nullptr, nullptr},
};

class Engine : public testing::Test {
 protected:
  void SetUp() override {
    diary = {};
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
    directory_ = open_at(AT_FDCWD, path_, O_RDONLY | O_DIRECTORY).value();
    ledger_ = Ledger::create(directory_.get(), {"id", "web", "boot"}, false);
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  Work work() { return {world_, *ledger_, verbs, nullptr}; }
  Result<void> act(const char* verb, const char* word) { return perform(work(), {verb, {word}}); }
  void acts(std::initializer_list<std::pair<const char*, const char*>> ops) {
    for (auto [verb, word] : ops) ASSERT_TRUE(act(verb, word));
    diary.lines.clear();
  }
  // The ledger as another command would find it.
  Ledger reread() { return Ledger::open(directory_.get(), false).value(); }
  Words open_acts() {
    Words open;
    const Ledger ledger = reread();
    for (const Act& one : ledger.acts())
      if (one.open) open.push_back(one.op.verb + " " + one.op.args[0]);
    return open;
  }

  std::string path_ = "/tmp/engine_test.XXXXXX";
  Fd directory_;
  World world_;
  Result<Ledger> ledger_ = fail(ENOENT, "");
};

TEST_F(Engine, ChecksThenAnnouncesThenActsThenConfirms) {
  ASSERT_TRUE(act("checked", "a"));
  EXPECT_EQ(diary.lines, (Words{"check checked a", "apply checked a"}));
  Ledger ledger = reread();
  ASSERT_EQ(ledger.acts().size(), 1U);
  EXPECT_TRUE(ledger.acts()[0].done && ledger.acts()[0].open);
  EXPECT_EQ(ledger.yielded("checked"), Words{"yield of a"});
}

TEST_F(Engine, ACheckThatRefusesLeavesNoNote) {
  diary.failing = {"check checked a"};
  Result<void> refused = act("checked", "a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "check checked a: failed");
  EXPECT_TRUE(reread().acts().empty());
  EXPECT_EQ(diary.lines, Words{"check checked a"});
}

TEST_F(Engine, WhatIsThereAlreadyIsNeitherNotedNorDone) {
  ASSERT_TRUE(act("checked", "there"));
  EXPECT_TRUE(reread().acts().empty());
  EXPECT_TRUE(unwind(work(), "boot").troubles.empty());
  EXPECT_EQ(diary.lines, Words{"check checked there"});
}

TEST_F(Engine, AnActThatFailsStaysOpenSinceItMayBeHalfDone) {
  diary.failing = {"apply plain a"};
  ASSERT_FALSE(act("plain", "a"));
  Ledger ledger = reread();
  ASSERT_EQ(ledger.acts().size(), 1U);
  EXPECT_TRUE(ledger.acts()[0].open);
  EXPECT_FALSE(ledger.acts()[0].done);
}

TEST_F(Engine, WhatDiesWithTheSpaceIsNeverInTheLedger) {
  acts({{"plain", "a"}, {"space", "b"}});
  diary.failing = {"apply space c"};
  EXPECT_FALSE(act("space", "c"));
  EXPECT_EQ(open_acts(), Words{"plain a"});
  diary.lines.clear();
  EXPECT_TRUE(unwind(work(), "boot").troubles.empty());
  EXPECT_EQ(diary.lines, Words{"undo plain a"});
}

TEST_F(Engine, UnwindsNewestFirst) {
  acts({{"plain", "a"}, {"disk", "b"}, {"plain", "c"}, {"forward", "d"}});
  EXPECT_TRUE(unwind(work(), "boot").troubles.empty());
  EXPECT_EQ(diary.lines, (Words{"undo plain c", "undo disk b", "undo plain a"}));
  EXPECT_FALSE(reread().any_open());
}

TEST_F(Engine, UnwindsWhatWasOnlyAnnounced) {
  acts({{"plain", "a"}});
  diary.failing = {"apply disk b"};
  ASSERT_FALSE(act("disk", "b"));
  diary.lines.clear();
  unwind(work(), "boot");
  EXPECT_EQ(diary.lines, (Words{"undo disk b", "undo plain a"}));
}

TEST_F(Engine, GoesOnPastFailuresAndTriesThemAgainWhenAsked) {
  acts({{"plain", "a"}, {"plain", "b"}, {"plain", "c"}});
  diary.failing = {"undo plain b"};
  Unwound first = unwind(work(), "boot");
  ASSERT_EQ(first.troubles.size(), 1U);
  EXPECT_EQ(first.troubles[0].op, (Op{"plain", {"b"}}));
  EXPECT_EQ(first.troubles[0].error.text, "undo plain b: failed");
  EXPECT_FALSE(first.refused);
  EXPECT_EQ(diary.lines, (Words{"undo plain c", "undo plain b", "undo plain a"}));
  EXPECT_EQ(open_acts(), Words{"plain b"});

  diary = {};
  EXPECT_TRUE(unwind(work(), "boot").troubles.empty());
  EXPECT_EQ(diary.lines, Words{"undo plain b"});
  EXPECT_TRUE(open_acts().empty());
}

TEST_F(Engine, WhatNeedsAnotherGoneWaitsForIt) {
  acts({{"last", "group"}, {"plain", "boot"}});
  diary.failing = {"undo plain boot"};
  Unwound first = unwind(work(), "boot");
  EXPECT_EQ(first.troubles.size(), 1U);
  EXPECT_EQ(diary.lines, Words{"undo plain boot"});
  EXPECT_EQ(open_acts(), (Words{"last group", "plain boot"}));
  diary = {};
  EXPECT_TRUE(unwind(work(), "boot").troubles.empty());
  EXPECT_EQ(diary.lines, (Words{"undo plain boot", "undo last group"}));
}

TEST_F(Engine, AGuardThatRefusesKeepsAllThatIsOlder) {
  acts({{"plain", "a"}, {"plain", "b"}, {"plain", "guard"}, {"plain", "d"}});
  diary.refusing = {"undo plain guard"};
  Unwound refused = unwind(work(), "boot");
  EXPECT_TRUE(refused.refused);
  EXPECT_EQ(diary.lines, (Words{"undo plain d", "undo plain guard"}));
  EXPECT_EQ(open_acts(), (Words{"plain a", "plain b", "plain guard"}));
}

TEST_F(Engine, AfterABootOfTheHostOnlyWhatIsOnDiskIsUndone) {
  acts({{"plain", "a"}, {"disk", "b"}, {"last", "c"}, {"plain", "d"}});
  EXPECT_TRUE(unwind(work(), "another boot").troubles.empty());
  EXPECT_EQ(diary.lines, Words{"undo disk b"});
  EXPECT_TRUE(open_acts().empty());
}

TEST_F(Engine, AnActThatThisProgramDoesNotKnowIsTrouble) {
  acts({{"plain", "a"}});
  ASSERT_TRUE(ledger_->begin({"newer", {"x"}}, false));
  ASSERT_TRUE(ledger_->begin({"plain", {"too", "many"}}, false));
  Unwound result = unwind(work(), "boot");
  ASSERT_EQ(result.troubles.size(), 2U);
  EXPECT_EQ(result.troubles[0].error.code, EINVAL);
  EXPECT_NE(result.troubles[0].error.text.find("plain too many"), std::string::npos);
  EXPECT_NE(result.troubles[1].error.text.find("newer x"), std::string::npos);
  EXPECT_EQ(diary.lines, Words{"undo plain a"});
  EXPECT_EQ(open_acts().size(), 2U);
}

TEST_F(Engine, RefusesAnActItDoesNotKnowBeforeNotingIt) {
  EXPECT_FALSE(perform(work(), {"newer", {"x"}}));
  EXPECT_FALSE(perform(work(), {"plain", {}}));
  EXPECT_TRUE(reread().acts().empty());
}

TEST_F(Engine, TellsOfEachActInBothDirections) {
  Work told = work();
  told.seen = [](World&, const Op& op, bool undoing) {
    diary.lines.push_back((undoing ? "seen undoing " : "seen ") + op.verb);
  };
  ASSERT_TRUE(perform(told, {"plain", {"a"}}));
  ASSERT_TRUE(perform(told, {"space", {"b"}}));
  ASSERT_TRUE(perform(told, {"checked", {"there"}}));
  unwind(told, "boot");
  EXPECT_EQ(diary.lines, (Words{"seen plain", "apply plain a", "seen space", "apply space b",
                                "check checked there", "seen undoing plain", "undo plain a"}));
}

TEST_F(Engine, AnActDoneAnewIsUndoneInItsFirstPlace) {
  acts({{"plain", "boot"}, {"plain", "start"}, {"plain", "boot"}});
  unwind(work(), "boot");
  EXPECT_EQ(diary.lines, (Words{"undo plain start", "undo plain boot"}));
}

}  // namespace
}  // namespace jail
