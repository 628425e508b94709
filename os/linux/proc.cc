// A jail's root is the host's root unless it has a user namespace, and most of /proc asks only for
// uid 0. So what can change the host is made read-only, and what tells about its memory and keys is
// hidden. Few system calls: this is part of each boot.
#include "os/linux/proc.h"

#include "os/linux/abi.h"
#include "os/linux/mount_options.h"
#include "os/linux/tree.h"

namespace jail {
namespace {

enum class Cover : uint8_t { read_only, empty_file, empty_directory };

struct Covered {
  const char* name;
  Cover cover;
};

// Names in this proc; a table, so that what is left open can be read off it. What runtimes of the
// OCI cover by custom, and: what the host's memory is used for (kpage*,
// slabinfo and the like), tracing switches (dynamic_debug), memory types (mtrr), the hypervisor's
// door (xen). Those that a kernel does not have are passed over.
// clang-format off
constexpr Covered covers[] = {
    {"acpi",          Cover::empty_directory},
    {"asound",        Cover::empty_directory},
    {"bus",           Cover::read_only},
    {"dynamic_debug", Cover::read_only},
    {"fs",            Cover::read_only},
    {"irq",           Cover::read_only},
    {"kcore",         Cover::empty_file},
    {"key-users",     Cover::empty_file},
    {"keys",          Cover::empty_file},
    {"kpagecgroup",   Cover::empty_file},
    {"kpagecount",    Cover::empty_file},
    {"kpageflags",    Cover::empty_file},
    {"latency_stats", Cover::empty_file},
    {"mtrr",          Cover::read_only},
    {"pagetypeinfo",  Cover::empty_file},
    {"pressure",      Cover::read_only},
    {"sched_debug",   Cover::empty_file},
    {"scsi",          Cover::empty_directory},
    {"slabinfo",      Cover::empty_file},
    {"sys",           Cover::read_only},
    {"sysrq-trigger", Cover::read_only},
    {"timer_list",    Cover::empty_file},
    {"timer_stats",   Cover::empty_file},
    {"vmallocinfo",   Cover::empty_file},
    {"xen",           Cover::empty_directory},
    {"zoneinfo",      Cover::empty_file},
};
// clang-format on

Fd clone_of(const Fd& dir, const char* name) {
  return Fd(sys::open_tree(dir.get(), name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

Result<void> cover(const Fd& proc, const char* name, const Fd& tree) {
  if (sys::move_mount(tree.get(), "", proc.get(), name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
    return fail_errno(name);
  return {};
}

// A read-only bind of the thing on itself. Not recursive: a new proc has no mounts below it.
Result<void> cover_read_only(const Fd& proc, const char* name) {
  Fd tree = clone_of(proc, name);
  if (!tree) return fail_errno(name);
  mount_attr change{};
  change.attr_set = MOUNT_ATTR_RDONLY;
  if (sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &change) < 0) return fail_errno(name);
  return cover(proc, name, tree);
}

Result<void> cover_empty(const Fd& proc, const char* name, const Fd& nothing, const char* source) {
  Fd tree = clone_of(nothing, source);
  if (!tree) return fail_errno(name);
  return cover(proc, name, tree);
}

// A read-only tmpfs with `file` and `directory`, both empty.
Result<Fd> build_nothing() {
  Words settings = {"source=none", "mode=555", "size=4k", "nr_inodes=4"};
  Fd tree =
      TRY(new_tree("tmpfs", settings, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  if (sys::mknodat(tree.get(), "file", S_IFREG | 0444, 0) < 0) return fail_errno("file");
  if (sys::mkdirat(tree.get(), "directory", 0555) < 0) return fail_errno("directory");
  mount_attr change{};
  change.attr_set = MOUNT_ATTR_RDONLY;
  if (sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &change) < 0) return fail_errno("tmpfs");
  return tree;
}

Result<void> cover_all(const Fd& proc, const Fd& nothing, bool own_network) {
  // Taken before sys is covered, put back on what covers it.
  Fd net;
  if (own_network) net = clone_of(proc, "sys/net");
  if (own_network && !net) return fail_errno("sys/net");
  for (const Covered& row : covers) {
    // Looked for first: a clone that is never attached costs more to close than everything else
    // here.
    struct stat status{};
    if (sys::fstatat(proc.get(), row.name, &status, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
      continue;
    if (row.cover == Cover::read_only) TRY(cover_read_only(proc, row.name));
    if (row.cover == Cover::empty_file) TRY(cover_empty(proc, row.name, nothing, "file"));
    if (row.cover == Cover::empty_directory) TRY(cover_empty(proc, row.name, nothing, "directory"));
  }
  if (net) TRY(cover(proc, "sys/net", net));
  return {};
}

}  // namespace

Result<void> mount_proc(const std::string& root, const MountWords& words, bool own_network) {
  MountOptions options = parse_mount_options(words.options);
  Fd point = TRY(open_point(root, words.point));
  Words settings = options.words;
  settings.push_back("source=proc");
  uint64_t attributes =
      options.attributes | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  Fd proc = TRY(in(words.point, new_tree("proc", settings, attributes)));
  Fd nothing = TRY(in(words.point, build_nothing()));
  // Only an attached mount can be cloned (until Linux 6.15), and where it is attached it must be
  // out of sight: below.
  TRY(in(words.point, attach(nothing, point)));
  TRY(in(words.point, attach(proc, point)));
  return in(words.point, cover_all(proc, nothing, own_network));
}

}  // namespace jail
