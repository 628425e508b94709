// Tests of the pure half of os/privileges.h on Linux.
#include <gtest/gtest.h>

#include "os/linux/abi.h"
#include "os/linux/privileges.h"
#include "os/privileges.h"

namespace jail {
namespace {

constexpr uint64_t bit(int capability) {
  return uint64_t{1} << capability;
}
bool grants(const Words& rights, int capability) {
  return granted_capabilities(rights) & bit(capability);
}

const Words everything = {"vnet",
                          "raw_sockets",
                          "mlock",
                          "chflags",
                          "settime",
                          "adjtime",
                          "read_msgbuf",
                          "setaudit",
                          "mount",
                          "sysvipc",
                          "quotas",
                          "socket_af",
                          "extattr",
                          "nfsd",
                          "routing",
                          "suser",
                          "mount.zfs",
                          "set_hostname",
                          "unprivileged_proc_debug"};

TEST(Privileges, NothingGivesTheHostToAJail) {
  for (int capability :
       {CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_SYS_MODULE, CAP_DAC_READ_SEARCH, CAP_MKNOD,
        CAP_SYS_RAWIO, CAP_BPF, CAP_PERFMON, CAP_SYS_BOOT, CAP_MAC_ADMIN, CAP_CHECKPOINT_RESTORE})
    EXPECT_FALSE(grants(everything, capability)) << capability;
}

TEST(Privileges, RootOfAPlainJailCanServe) {
  for (int capability :
       {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_SETUID, CAP_KILL, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT})
    EXPECT_TRUE(grants({}, capability)) << capability;
  for (int capability :
       {CAP_NET_RAW, CAP_NET_ADMIN, CAP_SYS_TIME, CAP_SYSLOG, CAP_IPC_LOCK, CAP_LINUX_IMMUTABLE})
    EXPECT_FALSE(grants({}, capability)) << capability;
}

TEST(Privileges, AWordGivesWhatItNames) {
  EXPECT_TRUE(grants({"raw_sockets"}, CAP_NET_RAW));
  EXPECT_FALSE(grants({"raw_sockets"}, CAP_NET_ADMIN));
  EXPECT_TRUE(grants({"vnet"}, CAP_NET_ADMIN));
  EXPECT_TRUE(grants({"vnet"}, CAP_NET_RAW));
  EXPECT_TRUE(grants({"mlock"}, CAP_IPC_LOCK));
  EXPECT_TRUE(grants({"settime"}, CAP_SYS_TIME));
}

TEST(Privileges, WordsThatTakeWinWhereverTheyStand) {
  EXPECT_FALSE(grants({"noreserved_ports"}, CAP_NET_BIND_SERVICE));
  EXPECT_FALSE(grants({"securelevel=1", "chflags"}, CAP_LINUX_IMMUTABLE));
  EXPECT_FALSE(grants({"chflags", "securelevel=2"}, CAP_LINUX_IMMUTABLE));
  EXPECT_TRUE(grants({"settime", "securelevel=1"}, CAP_SYS_TIME));
  EXPECT_FALSE(grants({"settime", "securelevel=2"}, CAP_SYS_TIME));
  EXPECT_TRUE(grants({"vnet", "securelevel=2"}, CAP_NET_ADMIN));
  EXPECT_FALSE(grants({"vnet", "securelevel=7"}, CAP_NET_ADMIN));
  EXPECT_TRUE(grants({"chflags", "securelevel=0"}, CAP_LINUX_IMMUTABLE));
  EXPECT_TRUE(grants({"chflags", "securelevel=-1"}, CAP_LINUX_IMMUTABLE));
  EXPECT_EQ(granted_capabilities({"nosuser", "vnet"}), 0u);
}

TEST(Privileges, UnknownWordsGrantNothing) {
  EXPECT_EQ(granted_capabilities({"", "all", "sys_admin"}), granted_capabilities({}));
}

TEST(Privileges, WhatCannotBeSaidIsRemarked) {
  EXPECT_EQ(privilege_remark("raw_sockets"), "");
  EXPECT_EQ(privilege_remark("suser"), "");
  EXPECT_EQ(privilege_remark("nosuchword"), "");
  for (const char* word :
       {"mount", "mount.nullfs", "quotas", "extattr", "nfsd", "routing", "socket_af"})
    EXPECT_NE(privilege_remark(word), "") << word;
}

}  // namespace
}  // namespace jail
