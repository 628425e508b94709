// Dependencies of services: order, loops, names that are nobody's.
#include <algorithm>
#include <gtest/gtest.h>
#include <random>

#include "sup/graph.h"

namespace jail {
namespace {

// Services as a text: "a: b c, ~d" is one that depends on b and c and comes after d.
class Services {
 public:
  explicit Services(std::initializer_list<std::string_view> lines) {
    for (std::string_view line : lines) {
      const size_t colon = line.find(':');
      names_.emplace_back(line.substr(0, colon));
      depend_.emplace_back();
      after_.emplace_back();
      if (colon == std::string_view::npos) continue;
      for (const std::string& word : split(line.substr(colon + 1), " ,")) {
        if (word[0] == '~') {
          after_.back().push_back(word.substr(1));
        } else {
          depend_.back().push_back(word);
        }
      }
    }
    std::vector<ServiceNode> nodes;
    for (size_t i = 0; i < names_.size(); ++i) nodes.push_back({names_[i], depend_[i], after_[i]});
    graph_ = ServiceGraph(nodes);
  }

  std::string order() const {
    std::string text;
    for (uint16_t i : graph_.order()) text += (text.empty() ? "" : " ") + names_[i];
    return text;
  }
  std::string_view trouble(size_t i) const { return graph_.trouble(i); }
  const ServiceGraph& graph() const { return graph_; }

 private:
  Words names_;
  std::vector<Words> depend_, after_;
  ServiceGraph graph_;
};

TEST(ServiceOrder, WhatIsNeededComesFirst) {
  EXPECT_EQ(Services({"a: b", "b: c", "c"}).order(), "c b a");
  EXPECT_EQ(Services({"a: ~b", "b"}).order(), "b a");
  EXPECT_EQ(Services({}).order(), "");
}

TEST(ServiceOrder, ServicesWithoutDependenciesKeepTheirOrder) {
  EXPECT_EQ(Services({"c", "a", "b"}).order(), "c a b");
}

TEST(ServiceOrder, LinksAreSeenFromBothEnds) {
  const Services services({"a: c", "b: c, ~a", "c"});
  EXPECT_EQ(services.graph().needs(1)[0], (ServiceLink{2, true}));
  EXPECT_EQ(services.graph().needs(1)[1], (ServiceLink{0, false}));
  ASSERT_EQ(services.graph().needed_by(2).size(), 2U);
  EXPECT_EQ(services.graph().needed_by(2)[1], (ServiceLink{1, true}));
  EXPECT_EQ(services.graph().needed_by(0)[0], (ServiceLink{1, false}));
}

TEST(ServiceOrder, ANameThatNobodyHasIsSaid) {
  const Services services({"a: nett", "b: ~nett"});
  EXPECT_EQ(services.trouble(0), "depends on nett, which is no service");
  EXPECT_EQ(services.trouble(1), "");
  EXPECT_EQ(services.order(), "a b");
}

TEST(ServiceOrder, ALoopIsNamedToEachThatIsInIt) {
  const Services services({"a: b", "b: c", "c: a", "d: a", "e"});
  EXPECT_EQ(services.trouble(0), "depends on b, which depends on c, which depends on a");
  EXPECT_EQ(services.trouble(1), "depends on c, which depends on a, which depends on b");
  EXPECT_EQ(services.trouble(2), "depends on a, which depends on b, which depends on c");
  EXPECT_EQ(services.trouble(3), "");
  EXPECT_EQ(services.trouble(4), "");
  EXPECT_EQ(services.order(), "e a b c d");
}

TEST(ServiceOrder, AServiceMayNotDependOnItself) {
  const Services services({"a: a"});
  EXPECT_EQ(services.trouble(0), "depends on itself");
  EXPECT_EQ(services.order(), "a");
}

TEST(ServiceOrder, SeveralLoopsAreAllFound) {
  const Services services({"a: b", "b: a", "c: d", "d: c", "e: a c", "f: ~f"});
  for (size_t i : {0UZ, 1UZ, 2UZ, 3UZ, 5UZ}) EXPECT_NE(services.trouble(i), "") << i;
  EXPECT_EQ(services.trouble(4), "");
  EXPECT_EQ(services.graph().order().size(), 6U);
}

TEST(ServiceOrder, ALongLoopIsToldByItsBeginning) {
  std::vector<std::string> names(100);
  std::vector<Words> depend(100);
  std::vector<ServiceNode> nodes;
  for (size_t i = 0; i < 100; ++i) names[i] = "s" + std::to_string(i);
  for (size_t i = 0; i < 100; ++i) depend[i] = {names[(i + 1) % 100]};
  for (size_t i = 0; i < 100; ++i) nodes.push_back({names[i], depend[i], {}});
  const ServiceGraph graph(nodes);
  EXPECT_TRUE(graph.trouble(5).ends_with("which depends on s13 ...")) << graph.trouble(5);
}

// Any graph: every service once, none before what it needs unless it is in a loop.
TEST(ServiceOrder, HoldsForAnyDependencies) {
  std::mt19937 random(4);
  for (int round = 0; round < 2000; ++round) {
    const size_t count = 1 + random() % 12;
    std::vector<std::string> names(count);
    std::vector<Words> depend(count);
    std::vector<ServiceNode> nodes;
    for (size_t i = 0; i < count; ++i) names[i] = std::string(1, static_cast<char>('a' + i));
    for (size_t i = 0; i < count; ++i) {
      for (size_t n = random() % 3; n > 0; --n) depend[i].push_back(names[random() % count]);
      nodes.push_back({names[i], depend[i], {}});
    }
    const ServiceGraph graph(nodes);
    std::vector<size_t> place(count, count);
    for (size_t at = 0; at < graph.order().size(); ++at) place[graph.order()[at]] = at;
    for (size_t i = 0; i < count; ++i) {
      ASSERT_LT(place[i], count);
      if (!graph.trouble(i).empty()) {
        EXPECT_TRUE(graph.needs(i).empty());
        continue;
      }
      EXPECT_EQ(graph.needs(i).size(), depend[i].size());
      for (const ServiceLink& link : graph.needs(i)) EXPECT_LT(place[link.service], place[i]);
    }
  }
}

}  // namespace
}  // namespace jail
