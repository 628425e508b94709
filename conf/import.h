// A resolved jail into a Spec, with everything that is wrong with it (J4.1, J1.14). Reads the files
// of mount.fstab and touches nothing else.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conf/message.h"
#include "conf/spec.h"

namespace jail {

class Config;
enum class Family : uint8_t;
struct Jail;
struct Param;

// A kernel parameter as given, in the form that -v prints and the kernel takes.
struct Given {
  std::string name;                  // as written, perhaps in its `no` form
  std::optional<std::string> value;  // canonical; nothing for a boolean or list without a value
  const Param* param = nullptr;

  bool operator==(const Given&) const = default;
};

// What a jail came to. Where messages is not empty, the rest holds what could be made out.
struct Import {
  Spec spec;
  Words fstab_lines;          // of mount.fstab's files, comments cut, blank ones kept; in order
  std::vector<Given> kernel;  // in the order given, without those that are wrong
  Messages messages;          // none: the jail may be started

  bool good() const { return messages.empty(); }
};

// How much of a jail to import.
struct ImportOptions {
  // What the jail's values are put onto: for -m, the running jail's Spec.
  Spec onto = {};
  // Go on to the next kind of check although the last found something, as --check wants it.
  bool everything = false;
};

// Checks in this order: values of the command's own parameters; files of mount.fstab; the kernel's
// parameters. Where one of the three found something wrong, the next ones are not looked at (J4.1).
// Ranges (J2.2) only with `everything`: a start leaves them to its jail_set, which comes after the
// first commands. A jail that failed is imported like any other: the caller asks first. Never looks
// up host names: ip_hostname is the caller's, between this and the plan.
Import import_jail(const Config& config, const Jail& jail, ImportOptions options = {});

// Whether a command of exec.start is the request to boot, which needs no copy of jinit in the jail:
// "/sbin/jinit" and nothing else (jail.conf(5), `init`).
bool asks_for_init(std::string_view command);

// What `init` and a request to boot bring with them, each unless the Spec says otherwise: persist,
// mount.devfs, mount.procfs and a host name. import_jail() has done so.
void imply_by_init(Spec& spec);

// True for allow.dying in any spelling: it gets one warning per run (J2.1), which is this text.
bool gives_dying(const Jail& jail);
inline constexpr const char* dying_warning =
    "the 'allow.dying' parameter and '-d' flag are deprecated and have no effect.";

// How a Given reads in the line of -v, with J3.8's quotes: "path=/tmp", "persist",
// "allow.mount=false".
std::string given_text(const Given& given);

// A value in the quotes of J3.8, used by -e, -J and -v.
std::string quote_value(std::string_view value);

// The words of ip4.addr or ip6.addr that yield an interface command: those with an interface of
// their own, or all where `interface` is given. Of several addresses in one word one is enough; a
// word that is no address yields none.
Words interface_words(Family family, const Spec& spec);

}  // namespace jail
