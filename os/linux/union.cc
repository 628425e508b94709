// An overlay wants a work directory in the same *mount* as its upper directory and not below it.
// The only place for it that is sure to be there is beside the upper one. Where the upper one is
// itself the root of a mount (a jail's `path` is, in its view) what is beside it is another mount;
// then the parent directory is cloned, and both are found in the clone, which must be attached for
// the moment: up to Linux 6.14 an overlay takes no layers from detached mounts.
#include "os/linux/union.h"

#include <algorithm>

#include "os/linux/abi.h"
#include "os/linux/tree.h"

namespace jail {
namespace {

struct Layers {
  Fd lower, upper;
  std::string upper_path;
};

Result<Fd> open_directory(const std::string& root, const std::string& source) {
  Fd fd = TRY(open_source(root, source));
  if (!fd) fd = Fd(sys::openat(AT_FDCWD, source.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno(source);
  return fd;
}

Result<Layers> open_layers(const std::string& root, const MountWords& words, bool below) {
  Fd point = TRY(open_point(root, words.point));
  Fd source = TRY(open_directory(root, words.source));
  if (below) return Layers{std::move(source), std::move(point), words.point};
  return Layers{std::move(point), std::move(source), words.source};
}

Result<struct statx> look(const Fd& fd, const std::string& path) {
  struct statx status{};
  if (sys::statx(fd.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &status) < 0)
    return fail_errno(path);
  return status;
}

bool same_file(const struct statx& a, const struct statx& b) {
  return a.stx_ino == b.stx_ino && a.stx_dev_major == b.stx_dev_major &&
         a.stx_dev_minor == b.stx_dev_minor;
}

// By inode number: the same directory has the same work directory, whatever it is called.
std::string work_name(const struct statx& upper) {
  return ".cellblock-work-" + std::to_string(upper.stx_ino);
}

Result<Fd> parent_of(const Fd& upper, const std::string& path) {
  Fd parent(sys::openat(upper.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent) return fail_errno(path);
  return parent;
}

// The work directory, made if need be. The name may have been there: as a link (of the jail) it is
// not followed.
Result<Fd> open_work(const Fd& beside, const struct statx& upper) {
  std::string name = work_name(upper);
  if (sys::mkdirat(beside.get(), name.c_str(), 0700) < 0 && errno != EEXIST)
    return fail_errno(name);
  Fd work(sys::openat(beside.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!work) return fail_errno(name);
  return work;
}

Result<Fd> overlay(const Fd& lower, const Fd& upper, const Fd& work, const MountWords& words,
                   uint64_t attributes) {
  Words settings = {"source=" + words.source, "lowerdir=" + fd_path(lower),
                    "upperdir=" + fd_path(upper), "workdir=" + fd_path(work)};
  return new_tree("overlay", settings, attributes);
}

std::unexpected<Error> no_place(const std::string& path) {
  return fail(ENOTSUP, path + ": no place beside it for the work directory of a unionfs");
}

// The overlay where the upper directory is the root of a mount: both directories are opened in
// `beside`, a clone of the directory that it is mounted in, attached.
Result<Fd> overlay_within(const Fd& beside, const Layers& layers, const struct statx& upper,
                          const MountWords& words, uint64_t attributes) {
  std::string name = layers.upper_path;
  while (name.ends_with('/')) name.pop_back();
  name.erase(0, name.find_last_of('/') + 1);
  Fd inner(sys::openat(beside.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!inner || !same_file(TRY(look(inner, layers.upper_path)), upper))
    return no_place(layers.upper_path);
  Fd work = TRY(open_work(beside, upper));
  return overlay(layers.lower, inner, work, words, attributes);
}

Result<Fd> overlay_by_clone(const Fd& parent, const Fd& point, const Layers& layers,
                            const struct statx& upper, const MountWords& words,
                            uint64_t attributes) {
  Fd beside(sys::open_tree(parent.get(), "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!beside) return fail_errno(layers.upper_path);
  mount_attr change{};
  change.propagation = MS_PRIVATE;
  if (sys::mount_setattr(beside.get(), "", AT_EMPTY_PATH, &change) < 0)
    return fail_errno(layers.upper_path);
  TRY(attach(beside, point));
  Result<Fd> tree = overlay_within(beside, layers, upper, words, attributes);
  // The overlay has its own hold on its layers; this one must go, whatever came of it.
  if (sys::umount2(fd_path(beside).c_str(), MNT_DETACH) < 0) return fail_errno(layers.upper_path);
  return tree;
}

bool is_below(const MountOptions& options) {
  return std::ranges::find(options.words, "below") != options.words.end();
}

// Nothing is left to find: its directory went, or the jail, in its own tree, has put something else
// there. Any other failure says nothing about that.
bool is_gone(int code) {
  return code == ENOENT || code == ENOTDIR || code == ELOOP || code == EXDEV;
}

}  // namespace

Result<void> mount_union(const std::string& root, const MountWords& words,
                         const MountOptions& options) {
  Words others = options.words;
  std::erase(others, "below");
  TRY(in(words.point, refuse_words(words.type, others)));
  Fd point = TRY(open_point(root, words.point));
  Layers layers = TRY(open_layers(root, words, is_below(options)));
  struct statx upper = TRY(look(layers.upper, layers.upper_path));
  Fd parent = TRY(parent_of(layers.upper, layers.upper_path));
  struct statx above = TRY(look(parent, layers.upper_path));
  if (same_file(upper, above)) return no_place(layers.upper_path);  // "/" is its own parent
  Fd tree;
  if (above.stx_mnt_id == upper.stx_mnt_id) {
    Fd work = TRY(in(layers.upper_path, open_work(parent, upper)));
    tree =
        TRY(in(words.point, overlay(layers.lower, layers.upper, work, words, options.attributes)));
  } else {
    tree = TRY(
        in(words.point, overlay_by_clone(parent, point, layers, upper, words, options.attributes)));
  }
  return in(words.point, attach(tree, point));
}

Result<void> sweep_mount(const std::string& root, const MountWords& words) {
  if (words.type != "unionfs") return {};
  MountOptions options = parse_mount_options(words.options);
  bool below = is_below(options);
  const std::string& path = below ? words.point : words.source;
  Result<Fd> found = below ? open_point(root, path) : open_directory(root, path);
  if (!found && is_gone(found.error().code)) return {};
  if (!found) return std::unexpected(std::move(found.error()));
  struct statx upper = TRY(look(*found, path));
  Result<Fd> parent = parent_of(*found, path);
  if (!parent && is_gone(parent.error().code)) return {};
  if (!parent) return std::unexpected(std::move(parent.error()));
  std::string name = work_name(upper);
  Fd work(sys::openat(parent->get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!work && is_gone(errno)) return {};
  if (!work) return fail_errno(path);
  // What overlayfs makes in it. Only empty ones go: half a copy of a crash is not ours to judge.
  for (const char* inner : {"work", "index"}) {
    if (sys::unlinkat(work.get(), inner, AT_REMOVEDIR) < 0 && errno != ENOENT)
      return fail_errno(path);
  }
  if (sys::unlinkat(parent->get(), name.c_str(), AT_REMOVEDIR) < 0) return fail_errno(path);
  return {};
}

}  // namespace jail
