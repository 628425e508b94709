// Golden tests of the plan: tests/golden/NAME/{jail.conf,facts,plan}. CELLBLOCK_GOLDEN=write writes
// the plans anew; the difference is then to be read before it is committed.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "base/table.h"
#include "conf/config.h"
#include "conf/import.h"
#include "conf/lex.h"
#include "plan/plan.h"

namespace jail {
namespace {

namespace fs = std::filesystem;

const fs::path golden = fs::path(__FILE__).parent_path().parent_path() / "golden";

std::string read_text(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

Facts read_facts(const fs::path& path) {
  Facts facts;
  facts.boot_id = "boot";
  for (const std::string& line : split(read_text(path), "\n")) {
    const Words words = split(line, " ");
    if (words[0] == "groups")
      facts.groups = words.at(1);
    else if (words[0] == "strict")
      setenv("CELLBLOCK_STRICT", "freebsd", 1);
    else
      ADD_FAILURE() << "no such fact: " << line;
  }
  return facts;
}

std::string line_of(const char* indent, const Op& op) {
  return indent + text_of(op) + "\n";
}

// What a start of the jail would do. What is drawn when it happens is a word in capitals.
std::string plan_of(const Config& config, const Jail& jail, const Facts& facts) {
  const Import import = import_jail(config, jail);
  std::string text;
  for (const Message& message : import.messages) text += "    error: " + message.text + "\n";
  if (!import.good()) return text;
  const std::string& name = *import.spec.name;
  const bool nested = name.find('.') != std::string::npos;
  Site site{.id = "ID",
            .jid = 7,
            .path = import.spec.path.value_or("/"),
            .group = nested ? "cellblock/PARENT/ID" : "cellblock/ID",
            .parent = nested ? "PARENT" : "",
            .fstab = import.fstab_lines};
  while (site.path.size() > 1 && site.path.ends_with('/')) site.path.pop_back();
  Result<Plan> plan = plan_start(import.spec, facts, site);
  if (!plan) return "    error: " + plan.error().text + "\n";
  for (const Op& op : plan->ops) {
    text += line_of("    ", op);
    if (op.verb != "boot") continue;
    for (const Op& inner : plan->boot) text += line_of("        ", inner);
  }
  for (const std::string& remark : plan->remarks) text += "    note: " + remark + "\n";
  return text;
}

std::string plans_of(const fs::path& directory) {
  const Facts facts = read_facts(directory / "facts");
  std::string source = read_text(directory / "jail.conf");
  const Config config = load_text("jail.conf", source);
  std::string text;
  for (const Message& message : config.messages()) text += "error: " + message.line_text() + "\n";
  for (const Jail& jail : config.jails())
    text += fmt::format("{}: start\n", jail.name) + plan_of(config, jail, facts);
  return text;
}

class Golden : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { unsetenv("CELLBLOCK_STRICT"); }
  void TearDown() override { unsetenv("CELLBLOCK_STRICT"); }
};

TEST_P(Golden, ThePlanIsTheOneWrittenDown) {
  const fs::path directory = golden / GetParam();
  const std::string plans = plans_of(directory);
  const char* mode = std::getenv("CELLBLOCK_GOLDEN");
  if (mode && std::string_view(mode) == "write") std::ofstream(directory / "plan") << plans;
  EXPECT_EQ(plans, read_text(directory / "plan"));
}

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(golden))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Plans, Golden, testing::ValuesIn(golden_names()), [](const auto& one) {
  std::string name = one.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(Phases, EachHasAnotherNameAndSaysWhatFreeBsdCallsIt) {
  Words names;
  for (const Phase& phase : phases()) {
    names.emplace_back(phase.name);
    EXPECT_FALSE(std::string_view(phase.freebsd).empty());
  }
  Words sorted = names;
  std::ranges::sort(sorted);
  EXPECT_EQ(std::ranges::adjacent_find(sorted), sorted.end()) << join(names, " ");
  EXPECT_EQ(names.front(), "prepare");
  EXPECT_EQ(names.back(), "poststart");
}

// A plan is data of the Spec alone: planning it twice gives it twice.
TEST(Phases, APlanIsAPureFunction) {
  for (const std::string& name : golden_names()) {
    EXPECT_EQ(plans_of(golden / name), plans_of(golden / name)) << name;
    unsetenv("CELLBLOCK_STRICT");
  }
}

}  // namespace
}  // namespace jail
