// The parameters of a jail: one row each. A row says what a name means, where its value goes, and
// who may change it; how values are read and written is in conf/param.h.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/text.h"

namespace jail {

struct Spec;
enum class JailSys : uint8_t;

// The field of Spec that a parameter fills; none for what can only be read from a running jail.
using Field =
    std::variant<std::monostate, std::optional<bool> Spec::*, std::optional<int64_t> Spec::*,
                 std::optional<uint64_t> Spec::*, std::optional<std::string> Spec::*,
                 std::optional<Words> Spec::*, std::optional<JailSys> Spec::*>;

// Whose a parameter is (J2.4).
enum class Owner : uint8_t {
  command,  // the jail command's own (J2.1): "internal"
  kernel,   // stored, inherited and shown by the jail's backend (J2.2, J2.3)
};

// When it may be given (J2.2): always, to a create only, or never, as it can only be read.
enum class Access : uint8_t { any, create, read };

// Values that are more than their type says.
enum class Form : uint8_t {
  plain,
  ip4,   // words of [INTERFACE|]ADDRESS[/MASK][ ARGUMENT...]
  ip6,   // the same
  keys,  // lines of KEY=VALUE; NAME.KEY is one of them
};

// What few parameters need to say. What a create accepts: integers from least to most, strings up
// to `longest` bytes (0: any), of a three-way type perhaps not `disable`.
struct Extra {
  bool reserved = false;    // no variable may have this name (J1.12)
  bool ours = false;        // not FreeBSD's
  bool no_disable = false;  // host and vnet: `disable` is a value, but not for these
  bool on = false;          // a permission that is granted unless it is taken (J2.3)
  Form form = Form::plain;
  int64_t least = std::numeric_limits<int32_t>::min();
  int64_t most = std::numeric_limits<int32_t>::max();
  size_t longest = 0;
  const char* one_of = nullptr;  // the only words that there are, with blanks between them
};

// One row.
struct Param {
  const char* name;  // as FreeBSD spells it, without `no`
  Field field;
  Owner owner;
  Access access;
  const char* summary;  // one sentence, for people
  Extra extra = {};

  bool is_boolean() const { return std::holds_alternative<std::optional<bool> Spec::*>(field); }
  bool is_list() const { return std::holds_alternative<std::optional<Words> Spec::*>(field); }
};

// All of them, in the order of the tables of J2.1, J2.2, J2.3. The order in which a Spec is
// printed.
std::span<const Param> params();

// What a name means. No row: the parameter is unknown.
struct Found {
  const Param* param = nullptr;
  bool negated = false;       // the `no` spelling of a boolean: allow.mount.nodevfs, nopersist
  std::string_view key = {};  // the KEY of meta.KEY and env.KEY: a part of the name looked up
  bool is_key = false;        // KEY may be empty
};

// Looks a name up as jail.conf spells it: a row's own, KEY below meta or env, or with `no` before
// its last component. Logarithmic.
Found find_param(std::string_view name);

// The other spelling of a boolean's name: persist <-> nopersist, allow.mount <-> allow.nomount.
// `negated`: the one with `no`; else it is taken off, and the last component must begin with it.
std::string with_no(std::string_view name, bool negated);

}  // namespace jail
