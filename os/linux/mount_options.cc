#include "os/linux/mount_options.h"

#include <algorithm>

#include "base/table.h"
#include "os/linux/abi.h"

namespace jail {
namespace {

// Whose an option is, and for `attribute` the MOUNT_ATTR_* that it clears and sets.
enum class Kind : uint8_t { attribute, superblock, bind, rbind, nothing };

struct Option {
  const char* name;
  Kind kind;
  uint64_t clear = 0, set = 0;
};

// clang-format off
constexpr Option options[] = {
    // Of the mount (mount(8), FILESYSTEM-INDEPENDENT MOUNT OPTIONS; FreeBSD's mount(8) -o).
    {"atime",         Kind::attribute, MOUNT_ATTR__ATIME, MOUNT_ATTR_RELATIME},
    {"dev",           Kind::attribute, MOUNT_ATTR_NODEV, 0},
    {"diratime",      Kind::attribute, MOUNT_ATTR_NODIRATIME, 0},
    {"exec",          Kind::attribute, MOUNT_ATTR_NOEXEC, 0},
    {"noatime",       Kind::attribute, MOUNT_ATTR__ATIME, MOUNT_ATTR_NOATIME},
    {"nodev",         Kind::attribute, 0, MOUNT_ATTR_NODEV},
    {"nodiratime",    Kind::attribute, 0, MOUNT_ATTR_NODIRATIME},
    {"noexec",        Kind::attribute, 0, MOUNT_ATTR_NOEXEC},
    {"norelatime",    Kind::attribute, MOUNT_ATTR__ATIME, MOUNT_ATTR_STRICTATIME},
    {"nostrictatime", Kind::attribute, MOUNT_ATTR__ATIME, MOUNT_ATTR_RELATIME},
    {"nosuid",        Kind::attribute, 0, MOUNT_ATTR_NOSUID},
    {"nosymfollow",   Kind::attribute, 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"rdonly",        Kind::attribute, 0, MOUNT_ATTR_RDONLY},
    {"relatime",      Kind::attribute, MOUNT_ATTR__ATIME, MOUNT_ATTR_RELATIME},
    {"ro",            Kind::attribute, 0, MOUNT_ATTR_RDONLY},
    {"rw",            Kind::attribute, MOUNT_ATTR_RDONLY, 0},
    {"strictatime",   Kind::attribute, MOUNT_ATTR__ATIME, MOUNT_ATTR_STRICTATIME},
    {"suid",          Kind::attribute, MOUNT_ATTR_NOSUID, 0},
    {"symfollow",     Kind::attribute, MOUNT_ATTR_NOSYMFOLLOW, 0},
    // Of the superblock.
    {"async",         Kind::superblock},
    {"dirsync",       Kind::superblock},
    {"lazytime",      Kind::superblock},
    {"nolazytime",    Kind::superblock},
    {"sync",          Kind::superblock},
    // Another kind of mount.
    {"bind",          Kind::bind},
    {"rbind",         Kind::rbind},
    // mount(8)'s and fstab(5)'s own, of both systems: nothing to a jail.
    {"_netdev",       Kind::nothing},
    {"acls",          Kind::nothing},
    {"auto",          Kind::nothing},
    {"automounted",   Kind::nothing},
    {"defaults",      Kind::nothing},
    {"fail-ok",       Kind::nothing},
    {"failok",        Kind::nothing},
    {"force",         Kind::nothing},
    {"group",         Kind::nothing},
    {"groupquota",    Kind::nothing},
    {"late",          Kind::nothing},
    {"loud",          Kind::nothing},
    {"multilabel",    Kind::nothing},
    {"nfsv4acls",     Kind::nothing},
    {"noasync",       Kind::nothing},
    {"noauto",        Kind::nothing},
    {"noclusterr",    Kind::nothing},
    {"noclusterw",    Kind::nothing},
    {"nofail",        Kind::nothing},
    {"nogroup",       Kind::nothing},
    {"noowner",       Kind::nothing},
    {"nouser",        Kind::nothing},
    {"nousers",       Kind::nothing},
    {"owner",         Kind::nothing},
    {"silent",        Kind::nothing},
    {"user",          Kind::nothing},
    {"userquota",     Kind::nothing},
    {"users",         Kind::nothing},
};
// clang-format on

std::string_view key_of(std::string_view word) {
  return word.substr(0, word.find('='));
}

// Options with a value that are other programs' (mount(8): x-*, X-*, comment=; quotas).
bool for_programs(std::string_view word) {
  return word.starts_with("x-") || word.starts_with("X-") || key_of(word) == "comment" ||
         key_of(word) == "userquota" || key_of(word) == "groupquota";
}

}  // namespace

// What is in no table is kept: whether it is an option is the file system's to say.
MountOptions parse_mount_options(std::string_view text) {
  MountOptions result;
  result.attributes = MOUNT_ATTR_NODEV;
  for (std::string& word : split(text, ",")) {
    const Option* option = find_row(std::span<const Option>(options), word);
    if (option == nullptr) {
      if (!for_programs(word)) result.words.push_back(std::move(word));
      continue;
    }
    if (option->kind == Kind::superblock) result.flags.push_back(std::move(word));
    result.attributes = (result.attributes & ~option->clear) | option->set;
    result.named |= option->clear | option->set;
    result.bind = result.bind || option->kind == Kind::bind || option->kind == Kind::rbind;
    result.recursive = result.recursive || option->kind == Kind::rbind;
  }
  return result;
}

Result<Words> tmpfs_words(const Words& words) {
  Words result;
  for (const std::string& word : words) {
    std::string_view key = key_of(word);
    if (key == "nonc" || key == "nomtime" || key == "pgread") continue;
    if (key == "maxfilesize" || key == "easize") {
      if (parse_int(word.substr(std::min(key.size() + 1, word.size()))) == 0) continue;
      return fail(ENOTSUP, "tmpfs: option " + std::string(key) + ": this kernel has no such limit");
    }
    result.push_back(key == "inodes" ? "nr_" + word : word);
  }
  return result;
}

const char* word_value(const Words& words, std::string_view name) {
  const char* value = nullptr;
  for (const std::string& word : words) {
    if (word.size() > name.size() && key_of(word) == name) value = word.c_str() + name.size() + 1;
  }
  return value;
}

Result<void> refuse_words(std::string_view type, const Words& words) {
  if (words.empty()) return {};
  return fail(EINVAL, std::string(type) + ": unknown option " + std::string(key_of(words.front())));
}

}  // namespace jail
