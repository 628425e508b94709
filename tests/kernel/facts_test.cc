// What the host is (os/facts.h), on the real kernel.
#include "os/facts.h"
#include "tests/kernel/view.h"

namespace jail {
namespace {

using FactsTest = ViewTest;

TEST_F(FactsTest, GroupsAreFoundWhereverTheyAreMounted) {
  const std::string usual = probe().value().groups;
  if (usual.empty()) GTEST_SKIP() << "needs a cgroup v2 hierarchy";
  const std::string odd = host_ + "/a b\\134\t\n";
  ASSERT_EQ(sys::mkdirat(AT_FDCWD, odd.c_str(), 0755), 0);
  ASSERT_EQ(sys::mount(usual.c_str(), odd.c_str(), nullptr, MS_BIND, nullptr), 0);
  ASSERT_EQ(sys::umount2(usual.c_str(), MNT_DETACH), 0);
  // They may be mounted in further places: what is found is where they are.
  const std::string found = probe().value().groups;
  EXPECT_TRUE(read_file(AT_FDCWD, found + "/cgroup.procs")) << found;
}

}  // namespace
}  // namespace jail
