// Options of a mount, as they stand in the fourth field of fstab(5): which are the mount's, which
// the file system's, which nobody's here. Pure: text to values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/text.h"

namespace jail {

// The options of one mount, sorted by whose they are.
struct MountOptions {
  // MOUNT_ATTR_* to set. MOUNT_ATTR_NODEV is in it unless the option `dev` was given.
  uint64_t attributes = 0;
  uint64_t named = 0;      // MOUNT_ATTR_* that some option spoke of, either way
  bool bind = false;       // bind or rbind
  bool recursive = false;  // rbind
  Words flags;             // of the superblock, by fsconfig(2)'s words: "sync", "lazytime"
  // Everything else, in order, as written: "size=1m", "below". Perhaps not an option at all.
  Words words;

  bool operator==(const MountOptions&) const = default;
};

// Reads options separated by commas; empty ones are passed over and a later one wins over an
// earlier. Words that mount(8) or FreeBSD's mount(8) takes for itself and that mean nothing to a
// jail (late, noauto, failok, nfsv4acls, x-*; J6.36) are dropped.
MountOptions parse_mount_options(std::string_view text);

// tmpfs(5) of FreeBSD in the words of this kernel: inodes is nr_inodes; what only makes it faster
// (nonc, nomtime, pgread) is dropped; what is a limit that this kernel does not have (maxfilesize,
// easize) is ENOTSUP unless it is 0, no limit. Words of this kernel pass through.
Result<Words> tmpfs_words(const Words& words);

// What follows `NAME=` in the last of the words that begins so; nullptr if none does. Points into
// `words`.
const char* word_value(const Words& words, std::string_view name);

// The error for the first of `words`, or success if there is none: "TYPE: unknown option WORD"
// (EINVAL), the word without its value.
Result<void> refuse_words(std::string_view type, const Words& words);

}  // namespace jail
