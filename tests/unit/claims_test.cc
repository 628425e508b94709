// Tests of the writing half of the registry, over the world of tests/fake.
#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/ledger.h"
#include "plan/registry.h"
#include "tests/fake/lives.h"

namespace jail {
namespace {

class Claims : public testing::Test {
 protected:
  Claimed claim_one(const std::string& name, int64_t jid = 0) {
    Result<Claimed> claimed = claim(places_, name, jid);
    EXPECT_TRUE(claimed) << claimed.error().text;
    return std::move(*claimed);
  }
  Result<void> forget_one(const Claimed& claimed) {
    return forget(places_, fake::this_world().facts, claimed.entry.id);
  }
  Index index() { return read_index(places_).value(); }

  fake::World world_;
  Places places_ = places();
};

TEST_F(Claims, AClaimIsInTheIndexAndHasItsDirectoriesAndItsLock) {
  Claimed claimed = claim_one("web");
  EXPECT_EQ(claimed.entry.jid, 1);
  EXPECT_EQ(claimed.entry.id.size(), 8U);
  EXPECT_EQ(index().by_name("web")->id, claimed.entry.id);
  EXPECT_TRUE(std::filesystem::is_directory(places_.db + "/jails/" + claimed.entry.id));
  Result<LifeHolder> holder = life_holder(places_, claimed.entry.id);
  ASSERT_TRUE(holder) << holder.error().text;
  EXPECT_EQ(holder->pid, getpid());
  EXPECT_EQ(take_life(places_, claimed.entry).error().code, EBUSY);
}

TEST_F(Claims, NobodyElseCanOpenALockAlsoNotOneOfAnEarlierVersion) {
  Claimed claimed = claim_one("web");
  const std::string own = places_.run + "/" + claimed.entry.id;
  Fd parameters = lock_parameters(places_, claimed.entry.id).value();
  for (const std::string& file : {places_.run + "/registry", own + "/lock", own + "/parameters"}) {
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600)) << file;
    std::filesystem::permissions(file, std::filesystem::perms(0644));
  }
  claimed.life.reset();
  parameters.reset();
  ASSERT_TRUE(take_life(places_, claimed.entry));
  ASSERT_TRUE(lock_parameters(places_, claimed.entry.id));
  claim_one("other");
  for (const std::string& file : {places_.run + "/registry", own + "/lock", own + "/parameters"})
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600)) << file;
}

TEST_F(Claims, WhatIsForgottenLeavesNothing) {
  const std::string before = fake::fingerprint();
  Claimed claimed = claim_one("web");
  ASSERT_TRUE(forget_one(claimed));
  ASSERT_TRUE(forget_one(claimed));
  EXPECT_EQ(fake::fingerprint(), before);
  EXPECT_EQ(take_life(places_, claimed.entry).error().code, ENOENT);
}

TEST_F(Claims, NamesAndJidsAreTakenOnce) {
  Claimed one = claim_one("web", 5);
  EXPECT_EQ(claim(places_, "web", 0).error().code, EEXIST);
  EXPECT_EQ(claim(places_, "other", 5).error().code, EEXIST);
  EXPECT_EQ(claim(places_, "web", 0).error().text, "jail \"web\" already exists");
  EXPECT_EQ(claim(places_, "other", 5).error().text, "jail 5 already exists");
  EXPECT_EQ(index().entries.size(), 1U);
}

TEST_F(Claims, OneWithoutANameIsCalledByItsJid) {
  EXPECT_EQ(claim_one("").entry.name, "1");
  EXPECT_EQ(claim_one("", 40).entry.name, "40");
}

TEST_F(Claims, AJidIsNotGivenOutAgainAtOnceAndNeverWhileItIsTaken) {
  Claimed one = claim_one("one");
  ASSERT_TRUE(forget_one(one));
  Claimed held = claim_one("held", 3);
  Claimed two = claim_one("two"), next = claim_one("next");
  EXPECT_EQ(two.entry.jid, 2);
  EXPECT_EQ(next.entry.jid, 4);
}

TEST_F(Claims, AfterTheLastPossibleJidTheFirstFreeOneIsGiven) {
  Claimed first = claim_one("first", 1);
  std::ofstream(places_.run + "/index") << "index 1 999999\n1 " << first.entry.id << " first\n";
  EXPECT_EQ(claim_one("web").entry.jid, 2);
}

TEST_F(Claims, NamesThatAreHostileToTheIndexComeBack) {
  const Words names = {"a b", "a\"b", "$x", "#", "a\nb", "\xff", "a.b"};
  std::vector<Claimed> held;
  for (const std::string& name : names) held.push_back(claim_one(name));
  for (size_t i = 0; i < names.size(); ++i)
    EXPECT_EQ(index().by_name(names[i])->id, held[i].entry.id) << names[i];
}

TEST_F(Claims, AClaimThatWasKilledIsNoJail) {
  Claimed claimed = claim_one("web", 7);
  std::filesystem::remove_all(places_.db + "/jails/" + claimed.entry.id);
  claimed = {};
  EXPECT_EQ(claim_one("web", 7).entry.jid, 7);
  EXPECT_EQ(index().entries.size(), 1U);
}

TEST_F(Claims, WithoutAnIndexTheLedgersKnow) {
  ASSERT_TRUE(fake::start("web { jid = 9; path = /; persist; }", "web"));
  std::filesystem::remove(places_.run + "/index");
  EXPECT_EQ(index().by_jid(9)->name, "web");
  EXPECT_EQ(index().last_jid, 9);
  ASSERT_TRUE(fake::stop("", "web"));
}

TEST_F(Claims, WithoutAnIndexTheJidIsThatOfABootThatWasUndoneOrOfTheSnapshot) {
  Claimed claimed = claim_one("web", 9);
  Ledger ledger =
      Ledger::create(claimed.directory.get(), {claimed.entry.id, "web", "boot-1"}, false).value();
  ASSERT_TRUE(replace_file(claimed.directory.get(), "spec", "web { jid = 8; }", 0600, false));
  std::filesystem::remove(places_.run + "/index");
  EXPECT_EQ(index().by_name("web")->jid, 8);
  ledger.undone(ledger.begin({"boot", {"9", "new", "new"}}, false).value());
  EXPECT_EQ(index().by_name("web")->jid, 9);
}

TEST_F(Claims, ARecordThatNothingWasAnnouncedInGoesWithTheBootOfTheHost) {
  const std::string before = fake::fingerprint();
  for (const char* ledger : {"none", "", "ledger 1 torn"}) {
    const std::string record = places_.db + "/jails/0badcafe";
    std::filesystem::create_directories(record);
    std::ofstream(record + "/spec") << "web { }";
    if (std::string_view(ledger) != "none") std::ofstream(record + "/ledger") << ledger;
    ASSERT_TRUE(prune_index(places_, fake::this_world().facts));
    EXPECT_EQ(fake::fingerprint(), before) << ledger;
    std::filesystem::remove(places_.run + "/index");
  }
}

TEST_F(Claims, AnIndexThatIsDamagedIsMadeAnew) {
  ASSERT_TRUE(fake::start("web { jid = 9; path = /; persist; }", "web"));
  const std::string id = index().by_name("web")->id, good = "index 1 9\n9 " + id + " web\n";
  for (const std::string& text :
       {std::string(), std::string("index 1 \""), good.substr(0, good.size() - 1),
        std::string("\n"), "9 " + id + " web\n", good + "\n", good + "x y z\n",
        good + "8 x \"\n"}) {
    std::ofstream(places_.run + "/index") << text;
    ASSERT_NE(index().by_jid(9), nullptr) << text;
    EXPECT_EQ(list_jails(false)->size(), 1U) << text;
    ASSERT_TRUE(prune_index(places_, fake::this_world().facts, Look::quick));
    EXPECT_EQ(read_file(AT_FDCWD, places_.run + "/index"), good) << text;
  }
  ASSERT_TRUE(fake::stop("", "web"));
}

TEST_F(Claims, AJailThatTheIndexHasLostIsEnteredAgain) {
  const std::string conf = "* { path = /; persist; } web { jid = 9; } other { jid = 8; }";
  for (const char* name : {"web", "other"}) ASSERT_TRUE(fake::start(conf, name));
  std::string text = read_file(AT_FDCWD, places_.run + "/index").value();
  text = text.substr(0, text.rfind('\n', text.size() - 2) + 1);
  std::ofstream(places_.run + "/index") << text;
  EXPECT_EQ(index().entries.size(), 1U);
  ASSERT_TRUE(prune_index(places_, fake::this_world().facts, Look::quick));
  EXPECT_EQ(list_jails(false)->size(), 2U);
  for (const char* name : {"web", "other"}) ASSERT_TRUE(fake::stop("", name));
}

TEST_F(Claims, AnIndexOfANewerVersionIsLeftAlone) {
  Claimed claimed = claim_one("web");
  std::ofstream(places_.run + "/index") << "index 2 7\n";
  EXPECT_EQ(read_index(places_).error().text,
            places_.run + "/index: of version 2, made by a newer program");
  EXPECT_FALSE(claim(places_, "other", 0));
}

TEST_F(Claims, WithoutAnIndexADamagedLedgerIsNotForgotten) {
  ASSERT_TRUE(fake::start("web { jid = 9; path = /; persist; }", "web"));
  const std::string id = index().by_name("web")->id, record = places_.db + "/jails/" + id;
  std::ofstream(record + "/ledger", std::ios::app) << "? x\n";
  std::filesystem::remove(places_.run + "/index");
  ASSERT_TRUE(prune_index(places_, fake::this_world().facts));
  ASSERT_NE(index().by_name("web"), nullptr);
  EXPECT_EQ(index().by_name("web")->id, id);
  EXPECT_FALSE(fake::recover());
  std::ofstream(record + "/spec") << "}";
  std::filesystem::remove(places_.run + "/index");
  EXPECT_NE(index().by_name(id), nullptr);
}

TEST_F(Claims, WithoutAnIndexWhatCannotBeLookedAtIsAnError) {
  ASSERT_TRUE(fake::start("web { jid = 9; path = /; persist; }", "web"));
  const std::string record = places_.db + "/jails/" + index().by_name("web")->id;
  std::filesystem::remove(places_.run + "/index");
  std::filesystem::rename(record + "/ledger", record + "/kept");
  std::filesystem::create_symlink("ledger", record + "/ledger");
  EXPECT_EQ(read_index(places_).error().code, ELOOP);
  EXPECT_EQ(prune_index(places_, fake::this_world().facts).error().code, ELOOP);
  std::filesystem::rename(record + "/kept", record + "/ledger");
  std::filesystem::rename(places_.db + "/jails", places_.db + "/kept");
  std::ofstream(places_.db + "/jails").close();
  EXPECT_EQ(read_index(places_).error().code, ENOTDIR);
  std::filesystem::remove(places_.db + "/jails");
  std::filesystem::rename(places_.db + "/kept", places_.db + "/jails");
  ASSERT_TRUE(fake::stop("", "web"));
}

TEST_F(Claims, RenamingChangesTheIndex) {
  Claimed one = claim_one("one"), two = claim_one("two");
  ASSERT_TRUE(rename_entry(places_, one.entry.id, "three"));
  EXPECT_EQ(index().by_name("three")->id, one.entry.id);
  EXPECT_EQ(index().by_name("one"), nullptr);
  EXPECT_EQ(rename_entry(places_, one.entry.id, "two").error().code, EEXIST);
  EXPECT_TRUE(rename_entry(places_, two.entry.id, "two"));
}

TEST_F(Claims, ANewNameOutlivesTheIndexAlsoForThoseBelow) {
  ASSERT_TRUE(fake::start("web { path = /; persist; children.max = 1; }", "web"));
  ASSERT_TRUE(fake::start("web.db { path = /; persist; }", "web.db"));
  const std::string id = index().by_name("web.db")->id;
  ASSERT_TRUE(rename_entry(places_, index().by_name("web")->id, "www"));
  std::filesystem::remove(places_.run + "/index");
  ASSERT_NE(index().by_name("www"), nullptr);
  ASSERT_NE(index().by_name("www.db"), nullptr);
  EXPECT_EQ(index().by_name("www.db")->id, id);
}

TEST_F(Claims, HoldersAreTheOtherJailsWithThatActOpen) {
  const Op op{"address", {"em0", "192.0.2.9", "24", ""}};
  Claimed one = claim_one("one"), two = claim_one("two");
  Ledger first =
      Ledger::create(one.directory.get(), {one.entry.id, "one", "boot-1"}, false).value();
  EXPECT_EQ(other_holders(two.entry.id, op), 0U);
  size_t place = first.begin(op, false).value();
  EXPECT_EQ(other_holders(two.entry.id, op), 1U);
  EXPECT_EQ(other_holders(one.entry.id, op), 0U);
  EXPECT_EQ(other_holders(two.entry.id, {"address", {"em0", "192.0.2.9", "25", ""}}), 0U);
  first.undone(place);
  EXPECT_EQ(other_holders(two.entry.id, op), 0U);
}

TEST_F(Claims, ALockEndsWithItsHolder) {
  Claimed claimed = claim_one("web");
  const JailEntry entry = claimed.entry;
  claimed = {};
  pid_t child = fork();
  if (child == 0) {
    Result<Claimed> theirs = take_life(places_, entry);
    _exit(theirs && life_holder(places_, entry.id)->pid == getpid() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(life_holder(places_, entry.id).error().code, ESRCH);
  EXPECT_TRUE(take_life(places_, entry));
}

TEST_F(Claims, WhatAnEarlierHolderLeftInTheLockNamesNobody) {
  Claimed claimed = claim_one("web");
  const std::string lock = places_.run + "/" + claimed.entry.id + "/lock";
  for (const std::string& text : {fmt::format("{} 1\n", getppid()), fmt::format("{}\n", getppid()),
                                  std::string(), std::string(300, '7')}) {
    std::ofstream(lock) << text;
    EXPECT_FALSE(life_holder(places_, claimed.entry.id)) << text;
  }
  std::ofstream(lock) << "";
  EXPECT_EQ(life_holder(places_, claimed.entry.id).error().code, EAGAIN);
  EXPECT_EQ(fake::status_of("web"), "absent");  // its ledger is not begun
  claimed.life.reset();
  EXPECT_EQ(life_holder(places_, claimed.entry.id).error().code, ESRCH);
}

TEST_F(Claims, WhoMayNotSeeTheLockDoesNotTakeAStartForOneThatWasKilled) {
  ASSERT_TRUE(fake::start("web { path = /; persist; }", "web"));
  const std::string id = index().by_name("web")->id, lock = places_.run + "/" + id + "/lock";
  const std::string ledger = places_.db + "/jails/" + id + "/ledger";
  std::string text = read_file(AT_FDCWD, ledger).value();
  std::ofstream(ledger) << text.substr(0, text.find("! up"));
  EXPECT_TRUE(list_jails(false)->empty());
  EXPECT_EQ(fake::status_of("web"), "partial");
  std::filesystem::remove(lock);
  std::filesystem::create_directory(lock);  // opening it fails for root, too
  EXPECT_EQ(list_jails(false)->size(), 1U);
  EXPECT_EQ(jail_status(id).error().code, EISDIR);
  std::filesystem::remove(lock);
  std::ofstream(ledger) << text;
  ASSERT_TRUE(fake::stop("", "web"));
}

TEST_F(Claims, ManyAtOnceGetDifferentIdsAndJids) {
  constexpr int children = 4, each = 10;
  for (int i = 0; i < children; ++i) {
    if (fork() != 0) continue;
    for (int n = 0; n < each; ++n)
      if (!claim(places_, fmt::format("jail{}_{}", i, n), 0)) _exit(1);
    _exit(0);
  }
  for (int i = 0, status = 0; i < children; ++i) {
    ASSERT_GT(wait(&status), 0);
    EXPECT_EQ(status, 0);
  }
  std::set<std::string> ids;
  std::set<int64_t> jids;
  for (const JailEntry& entry : index().entries) {
    ids.insert(entry.id);
    jids.insert(entry.jid);
  }
  EXPECT_EQ(ids.size(), size_t{children * each});
  EXPECT_EQ(jids.size(), size_t{children * each});
}

// --- the reading half ---

TEST_F(Claims, NoRegistryIsAnEmptyList) {
  std::filesystem::remove_all(places_.run);
  std::filesystem::remove_all(places_.db);
  Result<std::vector<Listed>> listed = list_jails(true);
  ASSERT_TRUE(listed) << listed.error().text;
  EXPECT_TRUE(listed->empty());
  EXPECT_EQ(find_running("web").error().text, "jail \"web\" not found");
  EXPECT_EQ(find_running("7").error().text, "jail 7 not found");
  std::filesystem::create_directory(places_.run);
}

TEST_F(Claims, JailsAreListedByJidWithParentsAndChildren) {
  const std::string conf =
      "* { persist; path = /; } b { jid = 2; } a { jid = 9; } a.c { jid = 4; } a.c.d { jid = 5; }";
  for (const char* name : {"b", "a", "a.c", "a.c.d"}) ASSERT_TRUE(fake::start(conf, name)) << name;
  const std::vector<Listed> listed = list_jails(false).value();
  ASSERT_EQ(listed.size(), 4U);
  std::string text;
  for (const Listed& jail : listed)
    text += fmt::format("{} {} {} {}\n", jail.jid, jail.name, jail.parent, jail.children);
  EXPECT_EQ(text, "2 b 0 0\n4 a.c 9 1\n5 a.c.d 4 0\n9 a 0 2\n");
  ASSERT_TRUE(fake::stop("", "a"));
  EXPECT_EQ(list_jails(true)->size(), 1U);
}

TEST_F(Claims, WhatIsNotWholeIsListedAsDying) {
  Claimed claimed = claim_one("web", 7);
  EXPECT_TRUE(list_jails(false)->empty());
  const std::vector<Listed> listed = list_jails(true).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_TRUE(listed[0].dying);
  EXPECT_EQ(listed[0].name, "web");
  EXPECT_EQ(listed[0].jid, 7);
}

TEST_F(Claims, WhatIsShownHoldsNoCommands) {
  ASSERT_TRUE(fake::start(
      "web { persist; path = /; exec.prestart = 'say secret'; env = 'KEY=value'; }", "web"));
  const std::string id = index().by_name("web")->id;
  const std::string shown = read_file(AT_FDCWD, places_.db + "/jails/" + id + "/shown").value();
  EXPECT_EQ(shown.find("secret"), std::string::npos) << shown;
  EXPECT_NE(shown.find("persist"), std::string::npos) << shown;
  const auto mode = std::filesystem::status(places_.db + "/jails/" + id + "/spec").permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(Claims, AJailIsFoundByNameAndByJidAndKnowsWhatIsAllowedInIt) {
  ASSERT_TRUE(fake::start("web { jid = 7; persist; path = /; vnet; allow.raw_sockets; }", "web"));
  for (const char* name : {"web", "7"}) {
    Result<FoundJail> found = find_running(name);
    ASSERT_TRUE(found) << found.error().text;
    EXPECT_EQ(found->jid, 7);
    EXPECT_NE(std::ranges::find(found->rights, "vnet"), found->rights.end());
    EXPECT_NE(std::ranges::find(found->rights, "raw_sockets"), found->rights.end());
  }
  ASSERT_TRUE(fake::stop("", "web"));
  EXPECT_FALSE(find_running("web"));
}

}  // namespace
}  // namespace jail
