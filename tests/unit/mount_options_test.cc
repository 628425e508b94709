// The table of mount options: what becomes an attribute of the mount, what goes to the file system,
// what to nobody.
#include <gtest/gtest.h>

#include "os/linux/abi.h"
#include "os/linux/mount_options.h"

namespace jail {
namespace {

uint64_t attributes(std::string_view text) {
  return parse_mount_options(text).attributes;
}

TEST(MountOptions, WithoutAnyAMountHasNoDevices) {
  EXPECT_EQ(attributes(""), uint64_t{MOUNT_ATTR_NODEV});
  EXPECT_EQ(attributes(",,"), uint64_t{MOUNT_ATTR_NODEV});
  EXPECT_EQ(attributes("dev"), 0U);
  EXPECT_EQ(attributes("dev,nodev"), uint64_t{MOUNT_ATTR_NODEV});
}

TEST(MountOptions, ALaterOneWinsOverAnEarlier) {
  EXPECT_EQ(attributes("dev,ro,rw"), 0U);
  EXPECT_EQ(attributes("dev,rw,ro"), uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(attributes("dev,noatime,strictatime"), uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(attributes("dev,strictatime,relatime"), 0U);
  EXPECT_EQ(attributes("dev,nosuid,noexec,exec"), uint64_t{MOUNT_ATTR_NOSUID});
}

TEST(MountOptions, WhatWasSpokenOfIsKnownEitherWay) {
  EXPECT_EQ(parse_mount_options("").named, 0U);
  EXPECT_EQ(parse_mount_options("rw").named, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(parse_mount_options("atime").named, uint64_t{MOUNT_ATTR__ATIME});
}

TEST(MountOptions, EveryAttributeOfTheKernelHasAWord) {
  EXPECT_EQ(attributes("ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow"),
            uint64_t{MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                     MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW});
}

TEST(MountOptions, WordsOfMountAndFstabAreDropped) {
  MountOptions options = parse_mount_options(
      "late,noauto,failok,fail-ok,nfsv4acls,acls,x-systemd.automount,X-mount.mkdir=755,_netdev,"
      "defaults,comment=a b,"
      "userquota=/q,groupquota,nofail,users");
  EXPECT_EQ(options, parse_mount_options(""));
}

TEST(MountOptions, WordsOfTheFileSystemStayAsTheyWereWritten) {
  MountOptions options = parse_mount_options("size=1m,ro,below,rom,lowerdir=/a:/b,ro=1");
  EXPECT_EQ(options.words, (Words{"size=1m", "below", "rom", "lowerdir=/a:/b", "ro=1"}));
  EXPECT_TRUE(options.flags.empty());
}

TEST(MountOptions, WordsOfTheSuperblockAreKeptApart) {
  MountOptions options = parse_mount_options("sync,lazytime");
  EXPECT_EQ(options.flags, (Words{"sync", "lazytime"}));
  EXPECT_TRUE(options.words.empty());
}

TEST(MountOptions, BindAndRbindMakeABindOfAnyType) {
  EXPECT_FALSE(parse_mount_options("ro").bind);
  EXPECT_TRUE(parse_mount_options("bind").bind);
  EXPECT_FALSE(parse_mount_options("bind").recursive);
  EXPECT_TRUE(parse_mount_options("rbind,bind").bind);
  EXPECT_TRUE(parse_mount_options("rbind,bind").recursive);
}

TEST(MountOptions, TheFirstUnknownWordIsNamedWithoutItsValue) {
  EXPECT_TRUE(refuse_words("nullfs", {}));
  Result<void> refused = refuse_words("nullfs", {"colour=red", "size=1"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EINVAL);
  EXPECT_EQ(refused.error().text, "nullfs: unknown option colour");
}

TEST(MountOptions, TheLastValueOfAWordCounts) {
  Words words = {"mode=1", "modest=2", "mode", "mode=3", "mode=", "size=4"};
  EXPECT_STREQ(word_value(words, "size"), "4");
  EXPECT_STREQ(word_value(words, "mode"), "");
  EXPECT_EQ(word_value(words, "mod"), nullptr);
  EXPECT_EQ(word_value({"mode"}, "mode"), nullptr);
}

TEST(TmpfsWords, FreeBsdsNamesBecomeThisKernels) {
  EXPECT_EQ(tmpfs_words({"size=1g", "inodes=5", "mode=700", "uid=1", "gid=2"}).value(),
            (Words{"size=1g", "nr_inodes=5", "mode=700", "uid=1", "gid=2"}));
}

TEST(TmpfsWords, WhatOnlyMakesItFasterIsDropped) {
  EXPECT_EQ(tmpfs_words({"nonc", "pgread", "nomtime", "huge=never"}).value(), Words{"huge=never"});
}

TEST(TmpfsWords, ALimitThatThisKernelDoesNotHaveIsRefused) {
  EXPECT_TRUE(tmpfs_words({"maxfilesize=0"}).value().empty());
  for (const char* word : {"maxfilesize=1m", "maxfilesize", "easize=16"}) {
    Result<Words> refused = tmpfs_words({word});
    ASSERT_FALSE(refused) << word;
    EXPECT_EQ(refused.error().code, ENOTSUP);
    EXPECT_NE(refused.error().text.find("this kernel has no such limit"), std::string::npos);
  }
}

}  // namespace
}  // namespace jail
