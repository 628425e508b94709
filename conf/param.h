// Values of parameters: words of jail.conf into a field of Spec, and back (J1.14, Appendix B).
// Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/result.h"
#include "conf/params.h"
#include "conf/spec.h"

namespace jail {

// Calls `visitor` with the member pointer of a parameter's field, whatever its type, if it has one.
template <class Visitor>
void with_field(const Param& param, Visitor visitor) {
  auto call = [&](auto field) {
    if constexpr (!std::is_same_v<decltype(field), std::monostate>) visitor(field);
  };
  std::visit(call, param.field);
}

// Puts the words given for a parameter into its field; of what is no list, the last word counts. No
// words: true, an empty list, the kernel's 0, empty string and `new`, and for a number or string of
// the command's own "not given". A KEY of meta or env changes its line in what the field held
// before. `found` must have a row. Ranges are not checked: a number too large for the field becomes
// the largest. Errors (EINVAL), without the parameter's name, which J1.14 puts in front: `unknown
// boolean value "X"` and its like, that of conf/address.h, "can only be read". The field is then as
// it was.
Result<void> set_field(const Found& found, std::span<const std::string_view> words, Spec& spec);

// True for those four parameters whose values are split at commas on a command line (J3.5).
bool splits_at_commas(std::string_view name);

// The words that set_field would turn into the field's value; nothing where the field was not given
// or the row has none. Booleans are one word `true` or `false`.
std::optional<Words> field_words(const Param& param, const Spec& spec);

// The field's value as the kernel prints it (Appendix B): lists joined with commas, addresses bare.
// Nothing where it was not given.
std::optional<std::string> printed_value(const Param& param, const Spec& spec);

// Copies what `changes` gives onto `spec`, field by field. Nothing can be taken away this way.
void overlay(const Spec& changes, Spec& spec);

// What a create or an update refuses by itself (J2.2): strings too long, numbers out of range,
// `disable` where it is not allowed, more than 255 addresses of a family. The command's own numbers
// have no range. The error is that of the first field in the order of params(); its text is the
// whole message: ENAMETOOLONG "jail_set: File name too long", EFBIG (meta, env) "jail_set: File too
// large", EINVAL "jail_set: Invalid argument", E2BIG "too many IPv4 addresses", EINVAL "osreldate
// cannot be 0" and "osrelease string must be 1-31 bytes long".
Result<void> check_ranges(const Spec& spec);

// The same of one field; the text is that of the errno alone where it does not explain itself.
Result<void> check_range(const Param& param, const Spec& spec);

// The field of a permission, allow.* of the kernel's (J2.3); nullptr for any other parameter.
std::optional<bool> Spec::* permission_field(const Param& param);

// The words of J2.2's three-way type: "disable", "new", "inherit".
const char* jailsys_name(JailSys value);

}  // namespace jail
