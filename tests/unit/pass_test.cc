// Descriptors over a unix socket: as many as fit, and an end that is one whatever is left unread.
#include <array>
#include <gtest/gtest.h>

#include "base/pass.h"
#include "base/sys.h"

namespace jail {
namespace {

struct Pair {
  Fd one, other;
};

Pair make_pair_of_sockets() {
  int ends[2];
  EXPECT_EQ(sys::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

TEST(Pass, DescriptorsComeWithTheirPacketAndAreClosedOnExec) {
  const Pair pair = make_pair_of_sockets();
  const std::array<int, 2> given{0, pair.one.get()};
  ASSERT_TRUE(pass_descriptors(pair.one.get(), "ok a b", given));
  const Result<Passed> passed = take_descriptors(pair.other.get());
  ASSERT_TRUE(passed);
  EXPECT_EQ(passed->packet, "ok a b");
  ASSERT_EQ(passed->descriptors.size(), 2U);
  EXPECT_EQ(sys::fcntl(passed->descriptors[1].get(), F_GETFD), FD_CLOEXEC);
}

TEST(Pass, OneWhoGivesNoneOrTooManyIsHeard) {
  const Pair pair = make_pair_of_sockets();
  ASSERT_TRUE(pass_descriptors(pair.one.get(), "none", {}));
  EXPECT_TRUE(take_descriptors(pair.other.get())->descriptors.empty());
  const std::array<int, most_passed + 1> many{};
  ASSERT_TRUE(pass_descriptors(pair.one.get(), "many", many));
  EXPECT_EQ(take_descriptors(pair.other.get())->descriptors.size(), most_passed);
}

TEST(Pass, OneWhoHasGoneHasGoneWhateverHeHasNotRead) {
  for (const bool unread : {false, true}) {
    Pair pair = make_pair_of_sockets();
    if (unread) {
      ASSERT_EQ(sys::send(pair.other.get(), "word", 4, 0), 4);
    }
    pair.one.reset();
    const Result<Passed> passed = take_descriptors(pair.other.get());
    ASSERT_FALSE(passed);
    EXPECT_EQ(passed.error().code, EPIPE) << unread;
  }
}

}  // namespace
}  // namespace jail
