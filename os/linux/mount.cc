// mount_words: from FreeBSD's types to mounts of this kernel. One table, one function a type.
#include "os/mount.h"

#include "base/table.h"
#include "os/linux/abi.h"
#include "os/linux/devices.h"
#include "os/linux/mount_options.h"
#include "os/linux/proc.h"
#include "os/linux/tree.h"
#include "os/linux/union.h"

namespace jail {
namespace {

// What every type is made from.
struct Request {
  const std::string& root;
  const MountWords& words;
  const MountOptions& options;
};

// A new mount of one type at its opened point. That there is no such type is no matter of the
// point, so it is not in that text.
Result<void> put(const Request& request, const Fd& point, const std::string& type,
                 const Words& settings, uint64_t attributes) {
  Result<Fd> tree = new_tree(type, settings, attributes);
  if (!tree && tree.error().code == ENODEV) return std::unexpected(tree.error());
  if (!tree) return std::unexpected(std::move(tree.error()).in(request.words.point));
  return in(request.words.point, attach(*tree, point));
}

Result<void> mount_bind(const Request& request) {
  const MountWords& words = request.words;
  TRY(in(words.point, refuse_words(words.type, request.options.words)));
  Fd point = TRY(open_point(request.root, words.point));
  unsigned recursive = request.options.recursive ? AT_RECURSIVE : 0;
  Fd source = TRY(in(words.point, open_source(request.root, words.source)));
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive;
  Fd tree(source ? sys::open_tree(source.get(), "", flags | AT_EMPTY_PATH)
                 : sys::open_tree(AT_FDCWD, words.source.c_str(), flags));
  if (!tree) return fail_errno(words.source);
  // Only ever takes rights away: what the host's own mount forbids stays forbidden.
  mount_attr change{};
  change.attr_set = request.options.attributes;
  // An access time mode is a field of several bits: the old one has to be cleared
  // (mount_setattr(2)).
  change.attr_clr = request.options.named & MOUNT_ATTR__ATIME;
  change.propagation = MS_SLAVE;
  if (sys::mount_setattr(tree.get(), "", AT_EMPTY_PATH | recursive, &change) < 0)
    return fail_errno(words.source);
  return in(words.point, attach(tree, point));
}

// FreeBSD's tmpfs takes over owner and mode of the directory that it covers; this kernel's is 1777,
// root's.
Result<void> mount_tmpfs(const Request& request) {
  const std::string& point = request.words.point;
  Words settings = TRY(in(point, tmpfs_words(request.options.words)));
  Fd covered = TRY(open_point(request.root, point));
  struct stat status{};
  if (sys::fstat(covered.get(), &status) < 0) return fail_errno(point);
  char mode[8];
  (void)std::snprintf(mode, sizeof mode, "%o", static_cast<unsigned>(status.st_mode & 07777));
  if (word_value(settings, "mode") == nullptr) settings.push_back(std::string("mode=") + mode);
  if (word_value(settings, "uid") == nullptr)
    settings.push_back("uid=" + std::to_string(status.st_uid));
  if (word_value(settings, "gid") == nullptr)
    settings.push_back("gid=" + std::to_string(status.st_gid));
  settings.push_back("source=tmpfs");
  return put(request, covered, "tmpfs", settings, request.options.attributes);
}

// A jail's root is the host's root here: with a writable sysfs it would own the host's kernel.
// FreeBSD's linsysfs only ever shows things, whatever its line says, and lines say `rw` by habit.
Result<void> mount_sysfs(const Request& request) {
  const MountOptions& options = request.options;
  TRY(in(request.words.point, refuse_words(request.words.type, options.words)));
  bool writable = request.words.type == "sysfs" && (options.named & MOUNT_ATTR_RDONLY) &&
                  !(options.attributes & MOUNT_ATTR_RDONLY);
  uint64_t attributes =
      options.attributes | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV;
  Fd point = TRY(open_point(request.root, request.words.point));
  return put(request, point, "sysfs", {"source=sysfs"},
             writable ? attributes : attributes | MOUNT_ATTR_RDONLY);
}

// Process 1 calls mount_proc() by itself (os/linux/boot.cc), as it knows whose the network stack
// is. Whoever comes this way does not: it is taken for shared.
Result<void> mount_procfs(const Request& request) {
  return mount_proc(request.root, request.words, false);
}

Result<void> mount_devfs(const Request& request) {
  const std::string& point = request.words.point;
  Words others;
  for (const std::string& word : request.options.words) {
    if (!word.starts_with("ruleset=")) others.push_back(word);
  }
  TRY(in(point, refuse_words("devfs", others)));
  const char* number = word_value(request.options.words, "ruleset");
  std::optional<int64_t> ruleset = parse_int(number == nullptr ? "0" : number);
  // What is no ruleset's number is refused as a ruleset that there is not, with the text for those.
  if (!ruleset)
    return fail(EINVAL, point + ": devfs ruleset " + number + " is not known here (1 to 4 are)");
  Fd covered = TRY(open_point(request.root, point));
  return in(point, put_devices(covered, *ruleset,
                               request.options.attributes & ~uint64_t{MOUNT_ATTR_NODEV}));
}

// The target of the link that stands in our own /dev.
constexpr std::string_view descriptors = "/proc/self/fd";

// True where the last component of the point is that link already: there is nothing to mount on,
// and nothing to do.
bool is_descriptor_link(const std::string& root, const std::string& point) {
  size_t slash = point.find_last_of('/');
  if (slash == std::string::npos || slash == 0) return false;
  Result<Fd> parent = open_point(root, point.substr(0, slash));
  char target[descriptors.size() + 1];
  if (!parent) return false;
  ssize_t n = sys::readlinkat(parent->get(), point.c_str() + slash + 1, target, sizeof target);
  return n > 0 && std::string_view(target, static_cast<size_t>(n)) == descriptors;
}

Result<void> mount_fdescfs(const Request& request) {
  const std::string& point = request.words.point;
  Words others;
  for (const std::string& word : request.options.words) {
    if (word != "linrdlnk" && word != "rdlnk" && word != "nodup") others.push_back(word);
  }
  TRY(in(point, refuse_words("fdescfs", others)));
  if (is_descriptor_link(request.root, point)) return {};
  Fd covered = TRY(open_point(request.root, point));
  Words settings = {"source=fdescfs", "mode=555", "size=4k", "nr_inodes=300"};
  Fd tree = TRY(in(point, new_tree("tmpfs", settings,
                                   request.options.attributes & ~uint64_t{MOUNT_ATTR_RDONLY})));
  // A real fdescfs shows what is open. These are links to all that may be, in the numbers that
  // scripts use; one that leads to a closed descriptor is dangling.
  for (int number = 0; number < 256; number++) {
    std::string name = std::to_string(number), target = std::string(descriptors) + "/" + name;
    if (sys::symlinkat(target.c_str(), tree.get(), name.c_str()) < 0) return fail_errno(point);
  }
  return in(point, attach(tree, covered));
}

Result<void> mount_unionfs(const Request& request) {
  return mount_union(request.root, request.words, request.options);
}

// A type of this kernel by its own name. Read-only is said to both mount and file system, as
// mount(8) does: a disk must not be opened for writing.
Result<void> mount_other(const Request& request) {
  const MountOptions& options = request.options;
  const std::string& type = request.words.type;
  Words settings = options.words;
  const std::string& source = request.words.source;
  Fd inside;
  if (source.starts_with('/'))
    inside = TRY(in(request.words.point, open_source(request.root, source)));
  if (!source.empty()) settings.push_back("source=" + (inside ? fd_path(inside) : source));
  settings.insert(settings.end(), options.flags.begin(), options.flags.end());
  if (options.attributes & MOUNT_ATTR_RDONLY) settings.push_back("ro");
  // Terminals are devices: without them there is no devpts.
  uint64_t without = type == "devpts" ? MOUNT_ATTR_NODEV : 0;
  Fd point = TRY(open_point(request.root, request.words.point));
  return put(request, point, type, settings, options.attributes & ~without);
}

struct Type {
  const char* name;
  Result<void> (*make)(const Request&);
  bool at_boot = false;
};

// FreeBSD's types; whatever is not here is a type of this kernel (mount_other).
constexpr Type types[] = {
    {"devfs", mount_devfs},         {"fdescfs", mount_fdescfs}, {"linprocfs", mount_procfs, true},
    {"linsysfs", mount_sysfs},      {"nullfs", mount_bind},     {"proc", mount_procfs, true},
    {"procfs", mount_procfs, true}, {"sysfs", mount_sysfs},     {"tmpfs", mount_tmpfs},
    {"unionfs", mount_unionfs},
};

}  // namespace

Result<void> mount_words(const std::string& root, const MountWords& words) {
  MountOptions options = parse_mount_options(words.options);
  Request request{root, words, options};
  if (options.bind) return mount_bind(request);
  const Type* type = find_row(std::span<const Type>(types), words.type);
  return type == nullptr ? mount_other(request) : type->make(request);
}

bool mounted_at_boot(const std::string& type) {
  const Type* row = find_row(std::span<const Type>(types), type);
  return row != nullptr && row->at_boot;
}

}  // namespace jail
