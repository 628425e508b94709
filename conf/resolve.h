// From definitions to jails (J1.10 to J1.13): wildcards, precedence, +=, the `no` spellings,
// variables. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "conf/message.h"
#include "conf/params.h"
#include "conf/parse.h"

namespace jail {

// One parameter or variable of a jail, merged and expanded: its values, and what its name means.
struct Setting {
  const Name* name;
  std::span<const Word> values;  // without references
  Place place;                   // of the last statement that had a say
  Found found;                   // nothing for variables and unknown parameters
  bool variable;

  bool is_own() const { return found.param && found.param->owner == Owner::command; }
};

// One jail as configured.
struct Jail {
  std::string_view name;  // of its block; empty for one from a command line
  Place place = 0;
  bool failed = false;  // merging or expansion went wrong: its values mean nothing
  std::span<const Setting> parameters = {};  // in order of first appearance
  std::span<const Setting> variables = {};

  // The parameter whose final spelling is exactly that, or nullptr: `persist` does not find
  // `nopersist`.
  const Setting* find(std::string_view parameter) const;
};

// Whose names the parameters are, and what merging and expansion may make of a short hostile file,
// over all jails.
struct Resolving {
  Found (*find)(std::string_view name) = find_param;
  size_t most_settings = size_t{1} << 23;
  size_t most_bytes = size_t{256} << 20;
};

// The jails of a valid Conf in file order. What is wrong with one goes to conf.messages (stage
// load) and marks it failed. They refer to conf, which must outlive them; what expansion makes is
// added to conf's arena. Beyond 8 million statements applied in all, the jails that are left fail
// (a wildcard of many parameters for many jails asks for their product).
std::vector<Jail> resolve(Conf& conf, const Resolving& how = {});

// A jail without a name from the parameters of one definition (J3.5): no wildcard has a say, and no
// name or jid is implied. Otherwise as resolve().
Jail resolve_nameless(Conf& conf, const Definition& definition, const Resolving& how = {});

// True if a component of the name is exactly `*`: such a definition is no jail (J1.10).
bool is_wildcard(std::string_view name);

// True if the wildcard matches the jail's name, component by component from the left; its last `*`
// matches one or more.
bool wildcard_matches(std::string_view wildcard, std::string_view name);

// The jid that a name implies (J1.10): the name as a whole is a non-zero decimal integer as
// strtol(3) reads it, blanks and sign included. Else 0. Its range is not checked.
long numeric_name(std::string_view name);

}  // namespace jail
