// Tests of os/posix/environment.h: J4.4's table of variables.
#include <gtest/gtest.h>

#include "os/posix/environment.h"

namespace jail {
namespace {

const Words ours = {"PATH=/x", "TERM=dumb", "FOO=bar", "HOME=/root", "USER=root", "JID=x"};
const User tester{"tester", 1001, 1001, "/home/tester", "", {1001}};

std::string value(const Words& environment, const char* name) {
  const char* found = get_variable(environment, name);
  return found ? found : "(unset)";
}

TEST(Environment, IsInheritedAsItIs) {
  EXPECT_EQ(make_environment(ours, {}, nullptr), ours);
}

TEST(Environment, CleanLeavesOnlyPathTermAndTheUsersVariables) {
  Identity identity{.user = {}, .clean = true, .set = {}};
  Words environment = make_environment(ours, identity, &tester);
  EXPECT_EQ(value(environment, "FOO"), "(unset)");
  EXPECT_EQ(value(environment, "TERM"), "dumb");
  EXPECT_EQ(value(environment, "HOME"), "/home/tester");
  EXPECT_EQ(value(environment, "USER"), "tester");
  EXPECT_EQ(value(environment, "LOGNAME"), "(unset)");
  EXPECT_EQ(environment.size(), 5u);
}

TEST(Environment, CleanMakesNoTermWhereThereWasNone) {
  Words environment =
      make_environment({"FOO=bar"}, {.user = {}, .clean = true, .set = {}}, &tester);
  EXPECT_EQ(value(environment, "TERM"), "(unset)");
}

TEST(Environment, WithAUserTheRestStays) {
  Words environment = make_environment(ours, {.user = "tester", .set = {}}, &tester);
  EXPECT_EQ(value(environment, "FOO"), "bar");
  EXPECT_EQ(value(environment, "HOME"), "/home/tester");
  EXPECT_EQ(environment.size(), ours.size() + 1);  // SHELL is new
}

TEST(Environment, ThePathIsTheLoginClasssWithTheHome) {
  Words environment = make_environment(ours, {.user = "tester", .set = {}}, &tester);
  EXPECT_EQ(value(environment, "PATH"),
            "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/home/tester/bin");
}

TEST(Environment, AnEmptyShellIsTheStandardOne) {
  EXPECT_EQ(value(make_environment({}, {}, &tester), "SHELL"), "/bin/sh");
  User other = tester;
  other.shell = "/bin/zsh";
  EXPECT_EQ(value(make_environment({}, {}, &other), "SHELL"), "/bin/zsh");
}

TEST(Environment, WhatIsSetComesLastAlsoWithClean) {
  Identity identity{.user = {},
                    .clean = true,
                    .set = {"JID=7", "JNAME=web", "JPATH=", "HOME=/other", "nonsense"}};
  Words environment = make_environment(ours, identity, &tester);
  EXPECT_EQ(value(environment, "JID"), "7");
  EXPECT_EQ(value(environment, "JPATH"), "");
  EXPECT_EQ(value(environment, "HOME"), "/other");
  EXPECT_EQ(environment.back(), "HOME=/other");
}

TEST(Environment, AVariableThatIsSetTakesThePlaceOfEveryOldOne) {
  Words environment =
      make_environment({"A=1", "AB=2", "A=3"}, {.user = {}, .set = {"A=4"}}, nullptr);
  EXPECT_EQ(environment, (Words{"AB=2", "A=4"}));
}

}  // namespace
}  // namespace jail
