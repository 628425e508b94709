// Tests of os/net.h on the real kernel, as root, in network namespaces of their own: the host's is
// never touched.
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "os/net.h"

namespace jail {
namespace {

#define ASSERT_GOOD(...)                                              \
  do {                                                                \
    auto good_ = (__VA_ARGS__);                                       \
    ASSERT_TRUE(good_) << #__VA_ARGS__ << ": " << good_.error().text; \
  } while (0)

Fd stack_now() {
  return Fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

// A new stack beside the one that we are in.
Fd new_stack() {
  Fd home = stack_now();
  EXPECT_EQ(unshare(CLONE_NEWNET), 0);
  Fd made = stack_now();
  EXPECT_EQ(setns(home.get(), CLONE_NEWNET), 0);
  return made;
}

bool run(const std::string& command) {
  return std::system(command.c_str()) == 0;
}

// A shell command in another stack.
bool run_in(const Fd& stack, const std::string& command) {
  Fd home = stack_now();
  EXPECT_EQ(setns(stack.get(), CLONE_NEWNET), 0);
  bool good = run(command);
  EXPECT_EQ(setns(home.get(), CLONE_NEWNET), 0);
  return good;
}

std::string output(const std::string& command) {
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  pclose(pipe);
  return text;
}

std::string describe(const std::string& name) {
  Result<std::string> text = describe_interface(name);
  EXPECT_TRUE(text) << text.error().text;
  return text.value_or("");
}

// Runs each test in a child with an empty network stack, so that the parent never leaves its own.
class InAStack : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  void inside(void (*body)()) {
    (void)std::fflush(nullptr);
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      EXPECT_EQ(unshare(CLONE_NEWNET), 0);
      EXPECT_TRUE(run("ip link set lo up"));
      if (!HasFailure()) body();
      (void)std::fflush(nullptr);
      _exit(HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "see above";
  }
};
using Addresses = InAStack;
using Lend = InAStack;
using Stack = InAStack;

void add_plain(const char* name = "d0") {
  ASSERT_TRUE(run(std::string("ip link add ") + name + " type ifb && ip link set " + name + " up"));
}

Holder holder(const InterfaceAddress& address) {
  Result<Holder> found = find_address(address);
  EXPECT_TRUE(found) << found.error().text;
  return found.value_or(Holder::nobody);
}

const InterfaceAddress four{"d0", "10.1.0.1", 24, false, {}};
const InterfaceAddress six{"d0", "fd00::1", 64, true, {}};

TEST_F(Addresses, TheKernelKeepsMarks) {
  inside([] {
    add_plain();
    ASSERT_GOOD(addresses_marked());
    bool marked = *addresses_marked();
    ASSERT_GOOD(add_address(four));
    EXPECT_EQ(holder(four), marked ? Holder::us : Holder::others);
    EXPECT_TRUE(marked);  // every kernel that we run on (6.1 and later)
  });
}

TEST_F(Addresses, AnAddressIsAddedFoundAndTakenOff) {
  inside([] {
    add_plain();
    const std::string before = describe("d0");
    for (const InterfaceAddress& address : {four, six}) {
      EXPECT_EQ(holder(address), Holder::nobody);
      ASSERT_GOOD(remove_address(address));  // undo of what was never done
      ASSERT_GOOD(add_address(address));
      ASSERT_GOOD(add_address(address));
      EXPECT_EQ(holder(address), Holder::us);
      EXPECT_NE(describe("d0"), before);
      ASSERT_GOOD(remove_address(address));
      EXPECT_EQ(holder(address), Holder::nobody);
      ASSERT_GOOD(remove_address(address));
      EXPECT_EQ(describe("d0"), before);
    }
  });
}

TEST_F(Addresses, AnIPv6AddressIsUsableAtOnce) {
  inside([] {
    ASSERT_TRUE(
        run("ip link add d0 type veth peer name d1 && ip link set d0 up && ip link set d1 up"));
    ASSERT_GOOD(add_address(six));
    EXPECT_EQ(output("ip -6 addr show dev d0 to fd00::1 tentative"), "");
    EXPECT_NE(output("ip -6 addr show dev d0 to fd00::1"), "");
  });
}

TEST_F(Addresses, AForeignAddressIsSeenAndSurvives) {
  inside([] {
    add_plain();
    ASSERT_TRUE(run("ip addr add 10.1.0.1/24 dev d0 && ip addr add fd00::1/64 dev d0 nodad"));
    const std::string before = describe("d0");
    for (const InterfaceAddress& address : {four, six}) {
      EXPECT_EQ(holder(address), Holder::others);
      InterfaceAddress other_prefix = address;
      other_prefix.prefix = address.ipv6 ? 128 : 32;
      EXPECT_EQ(holder(other_prefix), Holder::others);
      Result<void> added = add_address(address);
      ASSERT_FALSE(added);
      EXPECT_EQ(added.error().code, EEXIST);
      EXPECT_EQ(added.error().text,
                (address.ipv6 ? "d0 fd00::1/64" : "d0 10.1.0.1/24") + std::string(": File exists"));
      ASSERT_GOOD(remove_address(address));
      ASSERT_GOOD(remove_address(other_prefix, true));
    }
    EXPECT_EQ(describe("d0"), before);
    ASSERT_GOOD(remove_address(
        four, true));  // the ledger says that it is ours: the caller's word is enough
    EXPECT_EQ(holder(four), Holder::nobody);
  });
}

TEST_F(Addresses, OursIsTakenOffUnderAnyPrefixAndTheForeignTwinStays) {
  inside([] {
    add_plain();
    InterfaceAddress alone = four;
    alone.prefix = 32;
    ASSERT_GOOD(add_address(alone));
    ASSERT_TRUE(run("ip addr add 10.1.0.1/24 dev d0"));
    EXPECT_EQ(holder(four), Holder::us);
    ASSERT_GOOD(remove_address(four));
    EXPECT_EQ(holder(four), Holder::others);
    EXPECT_NE(output("ip -o addr show dev d0").find("10.1.0.1/24"), std::string::npos);
  });
}

TEST_F(Addresses, TakingOffAPrimaryAddressLeavesItsSecondaries) {
  inside([] {
    add_plain();
    ASSERT_TRUE(
        run("echo 0 > /proc/sys/net/ipv4/conf/all/promote_secondaries;"
            "echo 0 > /proc/sys/net/ipv4/conf/d0/promote_secondaries"));
    ASSERT_GOOD(add_address(four));
    ASSERT_TRUE(run("ip addr add 10.1.0.2/24 dev d0; ip addr add 10.1.0.3/24 dev d0"));
    ASSERT_GOOD(remove_address(four));
    EXPECT_EQ(holder(four), Holder::nobody);
    EXPECT_EQ(output("ip -o -4 addr show dev d0 | awk '{print $4}'"), "10.1.0.2/24\n10.1.0.3/24\n");
    EXPECT_EQ(output("cat /proc/sys/net/ipv4/conf/d0/promote_secondaries"), "0\n");
  });
}

TEST_F(Addresses, AnInterfaceThatIsNotThere) {
  inside([] {
    for (const char* name : {"nope", "", "1234567890123456"}) {
      InterfaceAddress address{name, "10.1.0.1", 24, false, {}};
      Result<Holder> found = find_address(address);
      ASSERT_FALSE(found);
      EXPECT_EQ(found.error().code, ENODEV);
      EXPECT_EQ(found.error().text, std::string(name) + ": No such device");
      Result<void> added = add_address(address);
      ASSERT_FALSE(added);
      EXPECT_EQ(added.error().code, ENODEV);
      ASSERT_GOOD(remove_address(address));
    }
  });
}

TEST_F(Addresses, FurtherWordsOfIfconfigMeanWhatTheySay) {
  inside([] {
    ASSERT_TRUE(run("ip link add d0 type veth peer name d1"));
    InterfaceAddress address = four;
    address.extra = {"broadcast", "10.1.0.99", "up", "alias"};
    ASSERT_GOOD(check_extra(address));
    ASSERT_GOOD(add_address(address));
    EXPECT_NE(output("ip -o addr show dev d0").find("brd 10.1.0.99"), std::string::npos);
    EXPECT_NE(output("ip -o link show dev d0 up"), "");
    ASSERT_GOOD(add_address({"d0", "10.2.0.1", 16, false, {}}));
    EXPECT_NE(output("ip -o addr show dev d0").find("brd 10.2.255.255"), std::string::npos);
    ASSERT_GOOD(
        add_address({"d0", "fd00::2", 128, true, {"pltime", "100", "vltime", "200", "no_dad"}}));
    EXPECT_NE(output("ip addr show dev d0 to fd00::2").find("preferred_lft 100sec"),
              std::string::npos);
  });
}

TEST_F(Addresses, WordsWithoutAMeaningAreRefusedBeforeAnythingIsDone) {
  inside([] {
    add_plain();
    const std::string before = describe("d0");
    for (const Words& words :
         {Words{"vhid", "1"}, {"up", "-arp"}, {"broadcast"}, {"broadcast", "x"}, {"metric", "3"}}) {
      InterfaceAddress address = four;
      address.extra = words;
      EXPECT_FALSE(check_extra(address));
      Result<void> added = add_address(address);
      ASSERT_FALSE(added) << words[0];
      EXPECT_EQ(added.error().code, EINVAL);
    }
    InterfaceAddress address = four;
    address.extra = {"vhid", "1"};
    EXPECT_EQ(check_extra(address).error().text, "d0 10.1.0.1/24: no meaning on this system: vhid");
    EXPECT_EQ(describe("d0"), before);
  });
}

TEST_F(Addresses, TwoThousandOfThemAreAllSeen) {
  inside([] {
    add_plain();
    std::string batch;
    for (int i = 0; i < 2000; ++i) {
      batch += "addr add 10.9." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) +
               "/32 dev d0\n";
    }
    FILE* pipe = popen("ip -batch -", "w");
    (void)std::fputs(batch.c_str(), pipe);
    ASSERT_EQ(pclose(pipe), 0);
    EXPECT_EQ(holder({"d0", "10.9.7.250", 32, false, {}}), Holder::others);
    EXPECT_EQ(holder({"d0", "10.9.7.251", 32, false, {}}), Holder::nobody);

    const std::string before = describe("d0");
    Fd jail = new_stack();
    ASSERT_GOOD(lend_interface("d0", jail.get(), "many"));
    ASSERT_GOOD(give_back_interface(before, jail.get(), "many"));
    EXPECT_EQ(describe("d0"), before);
  });
}

// An interface with everything on it that is to come back: d0, with its other end d1, in bridge br0
// (d2, d3).
void set_the_table() {
  ASSERT_TRUE(run(
      "ip link add d0 type veth peer name d1; ip link set d1 up;"
      "ip link set d0 mtu 1400 txqueuelen 77 alias 'up\nlink' up;"
      "ip link property add dev d0 altname first0 altname second0;"
      "echo 1 > /proc/sys/net/ipv4/conf/d0/proxy_arp; echo 0 > "
      "/proc/sys/net/ipv6/conf/d0/accept_ra;"
      "ip addr add 10.1.0.1/24 brd + dev d0 label d0:x; ip addr add 10.1.0.2/24 dev d0;"
      "ip addr add 10.3.0.1 peer 10.3.0.2/32 dev d0 scope link; ip addr add 10.4.0.1/16 dev d0 "
      "noprefixroute;"
      "ip addr add fd00::1/64 dev d0 nodad; ip addr add fd01::1/64 dev d0 nodad noprefixroute;"
      "ip route add default via 10.5.0.1 dev d0 onlink metric 7;"
      "ip route add 10.6.0.0/16 via 10.1.0.9 src 10.1.0.2 mtu 1300;"
      "ip route add 10.7.0.0/16 dev d0 table 77 proto static; ip route add 10.8.0.0/16 via "
      "10.7.0.9 dev d0 table 77;"
      "ip route add 10.10.0.0/16 nexthop via 10.1.0.7 dev d0 weight 3 nexthop via 10.1.0.8 dev d0;"
      "ip route add local 10.11.0.0/16 dev d0; ip route add 10.12.0.0/16 via inet6 fd00::9 dev d0;"
      "ip -6 route add default via fd00::9 dev d0; ip -6 route add fd02::/16 dev d0 table 78 "
      "metric 5;"
      "ip -6 route add fd03::/16 nexthop via fd00::7 dev d0 nexthop via fd00::8 dev d0"));
}

// All that iproute2 can see of d0, as a second opinion; link-local addresses come when they like.
std::string second_opinion() {
  return output(
      "(ip -d link show dev d0 | grep -v altname; ip -o addr show dev d0 | sed 's/ nodad//; "
      "s/\\\\.*//' | sort;"
      "ip route show table all dev d0; ip -6 route show table all dev d0) | grep -v "
      "fe80::[0-9a-f]*:");
}

TEST_F(Lend, EverythingComesBack) {
  inside([] {
    set_the_table();
    const std::string before = describe("d0"), seen = second_opinion();
    for (const char* fact :
         {"\nmtu 1400\n", "\nqueue 77\n", "\nalias up\\nlink\n", "\naltname first0\n",
          "\naddress 10.1.0.1/24 ", "\naddress fd01::1/64 ", "\nsetting ipv4 proxy_arp 1\n",
          "\nroute default table 254 ", "\nroute 10.8.0.0/16 table 77 ",
          "\nroute fd02::/16 table 78 "}) {
      EXPECT_NE(before.find(fact), std::string::npos) << fact;
    }
    Fd jail = new_stack();
    ASSERT_GOOD(lend_interface("d0", jail.get(), "m1"));
    EXPECT_FALSE(describe_interface("d0"));
    EXPECT_TRUE(run_in(jail, "ip -o link show dev d0 | grep -q 'alias cellblock:m1'"));
    ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
    EXPECT_EQ(describe("d0"), before);
    EXPECT_EQ(second_opinion(), seen);
    EXPECT_FALSE(run_in(jail, "ip link show dev d0 2>/dev/null"));
    EXPECT_TRUE(give_back_interface(before, jail.get(), "m1").value());  // undone already
    EXPECT_EQ(describe("d0"), before);
  });
}

TEST_F(Lend, GivingBackWhatWasNeverLentTouchesNothing) {
  inside([] {
    set_the_table();
    const std::string before = describe("d0");
    ASSERT_TRUE(run("ip link set d0 mtu 1300; ip addr del fd01::1/64 dev d0"));
    const std::string now = describe("d0");
    Fd jail = new_stack();
    ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
    ASSERT_GOOD(give_back_interface(before, -1, "m1"));
    EXPECT_EQ(describe("d0"), now);
  });
}

TEST_F(Lend, AMarkWithoutAMoveIsTakenOffAgain) {
  inside([] {
    set_the_table();
    const std::string before = describe("d0"), seen = second_opinion();
    Fd jail = new_stack();
    ASSERT_TRUE(run("ip link set d0 alias cellblock:m1"));
    ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
    EXPECT_EQ(describe("d0"), before);
    EXPECT_EQ(second_opinion(), seen);
  });
}

TEST_F(Lend, ARestoreThatWasCutShortIsFinished) {
  inside([] {
    set_the_table();
    const std::string before = describe("d0");
    Fd jail = new_stack();
    ASSERT_GOOD(lend_interface("d0", jail.get(), "m1"));
    Fd home = stack_now();
    ASSERT_TRUE(run_in(jail, "ip link set d0 netns /proc/" + std::to_string(getpid()) + "/fd/" +
                                 std::to_string(home.get())));  // moved, and no more
    ASSERT_TRUE(run("ip link set d0 up; ip addr add 10.1.0.1/24 brd + dev d0 label d0:x"));
    ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
    EXPECT_EQ(describe("d0"), before);
  });
}

// Runs `body` in a child, with that fault ordered where faults are compiled in; true if it said so.
bool in_child(const std::string& fault, const std::function<bool()>& body) {
  (void)std::fflush(nullptr);
  pid_t child = fork();
  if (child == 0) {
    if (!fault.empty()) setenv("CELLBLOCK_FAULT", fault.c_str(), 1);
    _exit(body() ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status == 0;
}

// What describe_interface says, by a child: who calls a door himself has children that do not count
// from 1.
std::string describe_by_child(const std::string& name) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  EXPECT_TRUE(in_child("", [&] {
    std::string text = describe_interface(name).value_or("");
    return write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }));
  close(ends[1]);
  std::string text(65536, ' ');
  text.resize(static_cast<size_t>(std::max<ssize_t>(0, read(ends[0], text.data(), text.size()))));
  close(ends[0]);
  return text;
}

// Fails (or dies) at every call of lending, then at every call of giving back; the next try
// finishes the undo.
void fail_everywhere(const char* how) {
  set_the_table();
  const std::string before = describe_by_child("d0"), seen = second_opinion();
  Fd jail = new_stack();
  const std::function<bool()> lend = [&] {
    return lend_interface("d0", jail.get(), "m1").has_value();
  };
  const std::function<bool()> give_back = [&] {
    return give_back_interface(before, jail.get(), "m1").has_value();
  };
  for (bool lending : {true, false}) {
    // A call that is tried again hides its fault: only several successes in a row mean that there
    // are no more calls.
    int successes = 0;
    for (int call = 1; successes < 4 && call < 1000; ++call) {
      if (!lending) {
        ASSERT_TRUE(in_child("", lend));
        ASSERT_TRUE(run_in(jail, "ip link set d0 mtu 900 name eth9"));
      }
      std::string fault = std::to_string(call) + how;
      successes = in_child(fault, lending ? lend : give_back) ? successes + 1 : 0;
      ASSERT_TRUE(in_child("", give_back)) << fault;
      ASSERT_EQ(describe_by_child("d0"), before) << fault;
    }
    EXPECT_EQ(successes, 4);
    EXPECT_EQ(second_opinion(), seen);
  }
}

TEST_F(Lend, AFailureAtAnyCallIsUndoneByTheNextTry) {
  inside([] { fail_everywhere(":EIO"); });
}

TEST_F(Lend, DeathAtAnyCallIsUndoneByTheNextTry) {
  inside([] { fail_everywhere(":kill"); });
}

TEST_F(Lend, WhateverTheJailDidIsUndone) {
  inside([] {
    set_the_table();
    const std::string before = describe("d0"), seen = second_opinion();
    Fd jail = new_stack();
    ASSERT_GOOD(lend_interface("d0", jail.get(), "m1"));
    ASSERT_TRUE(run_in(
        jail,
        "ip link add br0 type bridge; ip link set d0 name eth9; ip link set eth9 mtu 900 "
        "txqueuelen 5;"
        "ip link set eth9 promisc on arp off multicast off up; ip link set eth9 master br0;"
        "ip addr add 10.77.0.1/24 dev eth9; ip link property add dev eth9 altname lo9 altname d1;"
        "ip link property del dev eth9 altname first0; ip link set eth9 alias ''"));
    ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
    EXPECT_EQ(describe("d0"), before);
    EXPECT_EQ(second_opinion(), seen);
  });
}

TEST_F(Lend, ANewHardwareAddressIsUndoneAndAnotherMarkDoesNotMislead) {
  inside([] {
    set_the_table();
    const std::string before = describe("d0");
    Fd jail = new_stack();
    ASSERT_GOOD(lend_interface("d0", jail.get(), "m1"));
    ASSERT_TRUE(run_in(jail,
                       "ip link set d0 address 02:00:00:00:00:99; ip link add fake0 type bridge;"
                       "ip link set fake0 alias cellblock:m1"));
    ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
    EXPECT_EQ(describe("d0"), before);
    EXPECT_FALSE(run("ip link show dev fake0 2>/dev/null"));
  });
}

TEST_F(Lend, ANameThatIsTakenMeanwhileDoesNotLoseTheInterface) {
  inside([] {
    set_the_table();
    const std::string before = describe("d0");
    Fd jail = new_stack();
    ASSERT_GOOD(lend_interface("d0", jail.get(), "m1"));
    ASSERT_TRUE(run("ip link add d0 type bridge; ip link add back0 type bridge"));
    const std::string other = describe("d0");
    for (int i = 0; i < 2; ++i) {
      Result<bool> back = give_back_interface(before, jail.get(), "m1");
      ASSERT_FALSE(back);
      EXPECT_EQ(back.error().code, EEXIST);
      EXPECT_EQ(back.error().text, "d0: another interface has that name now: it is back as back1");
      EXPECT_NE(describe("back1").find("\nalias cellblock:m1\n"), std::string::npos);
      EXPECT_NE(describe("back1").find("\naddress 10.1.0.1/24 "), std::string::npos);
      EXPECT_EQ(describe("d0"), other);
    }
    ASSERT_TRUE(run("ip link del d0"));
    ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
    EXPECT_EQ(describe("d0"), before);
  });
}

TEST_F(Lend, ABridgeTakesItsPortBack) {
  inside([] {
    ASSERT_TRUE(run(
        "ip link add br0 type bridge; ip link set br0 up; ip link add d0 type veth peer name d1;"
        "ip link set d0 master br0 up; ip link set d1 up"));
    const std::string before = describe("d0");
    EXPECT_NE(before.find("\nmaster br0\n"), std::string::npos);
    Fd jail = new_stack();
    ASSERT_GOOD(lend_interface("d0", jail.get(), "m1"));
    ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
    EXPECT_EQ(describe("d0"), before);

    ASSERT_GOOD(lend_interface("d0", jail.get(), "m1"));
    ASSERT_TRUE(run("ip link del br0"));
    Result<bool> back = give_back_interface(before, jail.get(), "m1");
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().text, "d0 br0: No such device");
    ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
    EXPECT_EQ(describe("d0").find("cellblock"), std::string::npos);
  });
}

TEST_F(Lend, InterfacesOfOtherKinds) {
  inside([] {
    ASSERT_TRUE(
        run("ip link add low0 type veth peer name low1; ip link set low0 up; ip link set low1 up;"
            "ip link add d0 link low0 type macvlan mode bridge; ip link add d1 type ifb;"
            "ip tuntap add d2 mode tap"));
    for (std::string name : {"d0", "d1", "d2"}) {
      for (const char* state : {"down", "up"}) {
        ASSERT_TRUE(run(fmt::format(
            "ip addr flush dev {0}; ip link set {0} {1}; ip addr add 10.1.0.1/24 dev {0};"
            "ip -6 addr add fd00::1/64 dev {0} nodad",
            name, state)));
        const std::string before = describe(name);
        Fd jail = new_stack();
        ASSERT_GOOD(lend_interface(name, jail.get(), "m1"));
        ASSERT_TRUE(run_in(jail, "ip link set " + name + " name x9 up"));
        ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
        EXPECT_EQ(describe(name), before);
        ASSERT_TRUE(run("ip link set " + name + " down; ip addr flush dev " + name));
      }
    }
  });
}

TEST_F(Lend, NothingThatTheJailWritesHidesIt) {
  inside([] {
    ASSERT_TRUE(run("ip link add d0 index 50 type veth peer name d1"));
    const std::string before = describe("d0");
    for (const char* taken : {"49", "50"}) {
      Fd jail = new_stack();
      ASSERT_TRUE(run_in(
          jail, std::string("ip link add other index ") + taken + " type veth peer name other1"));
      ASSERT_GOOD(lend_interface("d0", jail.get(), "m1"));
      ASSERT_TRUE(
          run_in(jail,
                 "ip link set d0 alias '' address 02:00:00:00:00:98; ip link set d0 name eth9;"
                 "ip link set other alias cellblock:m1; ip link set other name d0"));
      ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
      EXPECT_EQ(describe("d0"), before);
      EXPECT_TRUE(run_in(jail, std::string("ip -o link show dev d0 | grep -q '^") + taken + ":'"));
    }
  });
}

TEST_F(Lend, WhatIsHomeIsNotLookedForInTheJail) {
  inside([] {
    ASSERT_TRUE(run("ip link add d0 index 50 type veth peer name d1"));
    const std::string before = describe("d0");
    Fd jail = new_stack();
    ASSERT_TRUE(run_in(
        jail, "ip link add d0 index 50 type veth peer name d1; ip link set d0 alias cellblock:m1"));
    ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
    EXPECT_EQ(describe("d0"), before);
    EXPECT_TRUE(run_in(jail, "ip link show dev d0 >/dev/null"));
  });
}

TEST_F(Lend, RefusalsLeaveItWhereItIs) {
  inside([] {
    ASSERT_TRUE(run("ip link add d0 type veth peer name d1"));
    const std::string before = describe("d0");
    Fd jail = new_stack();
    Result<void> none = lend_interface("nope", jail.get(), "m1");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().text, "nope: No such device");
    ASSERT_TRUE(run_in(jail, "ip link add d0 type bridge"));
    Result<void> twice = lend_interface("d0", jail.get(), "m1");
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error().code, EEXIST);
    Result<void> others = lend_interface("d0", jail.get(), "m2");  // the mark of the other is on it
    ASSERT_FALSE(others);
    EXPECT_EQ(others.error().code, EBUSY);
    ASSERT_GOOD(give_back_interface(before, jail.get(), "m1"));
    EXPECT_EQ(describe("d0"), before);
    EXPECT_TRUE(run_in(jail, "ip link show dev d0 > /dev/null"));
  });
}

TEST_F(Lend, OneThatDiedIsNoErrorButAPhysicalOneIsWaitedFor) {
  inside([] {
    ASSERT_TRUE(run("ip link add d0 type veth peer name d1"));
    std::string before = describe("d0");
    Fd jail = new_stack();
    ASSERT_GOOD(lend_interface("d0", jail.get(), "m1"));
    ASSERT_TRUE(run("ip link del d1"));
    EXPECT_FALSE(give_back_interface(before, jail.get(), "m1").value());
    EXPECT_FALSE(give_back_interface(before, -1, "m1").value());
    before.erase(before.find("kind veth\n"), 10);
    Result<bool> back = give_back_interface(before, jail.get(), "m1");
    ASSERT_FALSE(back);
    EXPECT_EQ(back.error().code, ENODEV);
  });
}

TEST_F(Lend, TextThatIsNotASavedInterfaceIsRefused) {
  inside([] {
    for (const char* text :
         {"", "x", "interface 1\n", "interface 2\nname d0\n", "interface 1\nname d0\nmtu x\n",
          "interface 1\nname d0\nroute r | 0g\n", "interface 1\nname d0\nroute r\n",
          "interface 1\nname d0\naddress a | 00 x:00\n"}) {
      Result<bool> back = give_back_interface(text, -1, "m1");
      ASSERT_FALSE(back) << text;
      EXPECT_EQ(back.error().code, EINVAL);
    }
  });
}

TEST_F(Stack, LoopbackComesUpAndWeStayWhereWeAre) {
  inside([] {
    Fd jail = new_stack();
    ASSERT_TRUE(run("ip link add here0 type bridge"));
    EXPECT_FALSE(
        run_in(jail, "ping -c1 -W1 127.0.0.1 >/dev/null 2>&1 || ip -o link show up | grep -q lo"));
    ASSERT_GOOD(loopback_up(jail.get()));
    ASSERT_GOOD(loopback_up(jail.get()));
    EXPECT_TRUE(run_in(jail, "ip -o link show up | grep -q ' lo:'"));
    EXPECT_TRUE(run("ip link show dev here0 >/dev/null"));
    ASSERT_GOOD(loopback_up(-1));
    Fd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_FALSE(loopback_up(file.get()));
  });
}

}  // namespace
}  // namespace jail
