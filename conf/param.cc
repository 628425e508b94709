// One overload of put(), words_of() and refusal() for each type of field: a new type is a new
// overload of each, or it does not compile.
#include "conf/param.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <strings.h>
#include <vector>

#include "conf/address.h"

namespace jail {
namespace {

constexpr size_t most_addresses = 255;  // of a family: security.jail.jail_max_af_ips of FreeBSD

// By value: 0, 1, 2 (Appendix B).
constexpr const char* jailsys_names[] = {"disable", "new", "inherit"};

bool same_word(const std::string& text, const char* word) {
  return strcasecmp(text.c_str(), word) == 0;
}

// A decimal integer that is the whole text, or nothing. One that the type cannot hold becomes the
// largest, which is out of every range that there is.
template <class T>
std::optional<T> whole_integer(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  T value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<T>::max();
  return value;
}

// What set_field has at hand.
struct Input {
  const Found& found;
  std::span<const std::string_view> words;
  Spec& spec;

  bool own() const { return found.param->owner == Owner::command; }
  std::string last() const { return words.empty() ? std::string() : std::string(words.back()); }
  std::unexpected<Error> bad(const char* what) const {
    return fail(EINVAL, fmt::format("{} value \"{}\"", what, last()));
  }
};

// One overload for each type of field; each leaves the field alone where it fails.
Result<void> put(const Input&, std::monostate) {
  return fail(EINVAL, "can only be read");
}

Result<void> put(const Input& in, std::optional<bool> Spec::* field) {
  bool value = true;
  std::string text = in.last();
  if (!in.words.empty() && !same_word(text, "true")) {
    std::optional<int64_t> number =
        text.empty() || same_word(text, "false") ? 0 : whole_integer<int64_t>(text);
    if (!number) return in.bad("unknown boolean");
    value = *number != 0;
  }
  in.spec.*field = value != in.found.negated;
  return {};
}

template <class T>
  requires std::is_same_v<T, int64_t> || std::is_same_v<T, uint64_t>
Result<void> put(const Input& in, std::optional<T> Spec::* field) {
  std::string text = in.last();
  if (in.words.empty() && in.own()) {
    (in.spec.*field).reset();
    return {};
  }
  std::optional<T> value = text.empty() && !in.own() ? T{0} : whole_integer<T>(text);
  if (!value) return in.bad("non-integer");
  in.spec.*field = value;
  return {};
}

// Puts the line KEY=VALUE in front of all lines and takes the one that the key had away; without a
// value it only does that (J2.2).
std::string with_key(std::string_view lines, std::string_view key,
                     std::optional<std::string> value) {
  Words kept;
  if (value) kept.push_back(fmt::format("{}={}", key, *value));
  for (std::string& line : split(lines, "\n")) {
    if (std::string_view(line).substr(0, line.find('=')) != key) kept.push_back(std::move(line));
  }
  return join(kept, "\n");
}

Result<void> put(const Input& in, std::optional<std::string> Spec::* field) {
  std::optional<std::string>& value = in.spec.*field;
  if (in.found.is_key) {
    std::optional<std::string> set;
    if (!in.words.empty()) set = in.last();
    value = with_key(value.value_or(""), in.found.key, std::move(set));
  } else if (in.words.empty() && in.own()) {
    value.reset();
  } else {
    const char* choice = in.found.param->extra.one_of;
    const Words words = split(choice ? choice : "", " ");
    if (choice && std::ranges::find(words, in.last()) == words.end())
      return fail(EINVAL, fmt::format("unknown value \"{}\": not one of {}", in.last(), choice));
    value = in.last();
  }
  return {};
}

// Addresses are kept as written: what interface and mask mean is decided when the jail is started.
Result<void> put(const Input& in, std::optional<Words> Spec::* field) {
  Form form = in.found.param->extra.form;
  if (form == Form::ip4) TRY(addresses_of(Family::ip4, in.words));
  if (form == Form::ip6) TRY(addresses_of(Family::ip6, in.words));
  in.spec.*field = Words(in.words.begin(), in.words.end());
  return {};
}

Result<void> put(const Input& in, std::optional<JailSys> Spec::* field) {
  std::string text = in.last();
  std::optional<JailSys> value;
  if (text.empty()) value = JailSys::new_;
  for (size_t i = 0; i < std::size(jailsys_names); ++i) {
    if (same_word(text, jailsys_names[i]) || whole_integer<size_t>(text) == i)
      value = static_cast<JailSys>(i);
  }
  if (!value) return in.bad("unknown jailsys");
  in.spec.*field = value;
  return {};
}

// The words that put() would read a value from.
Words words_of(bool value) {
  return {value ? "true" : "false"};
}
Words words_of(int64_t value) {
  return {std::to_string(value)};
}
Words words_of(uint64_t value) {
  return {std::to_string(value)};
}
Words words_of(const std::string& value) {
  return {value};
}
Words words_of(const Words& value) {
  return value;
}
Words words_of(JailSys value) {
  return {jailsys_name(value)};
}

// The errno by which a create refuses a value, or 0.
int refusal(const Param&, bool) {
  return 0;
}
int refusal(const Param&, uint64_t) {
  return 0;
}
int refusal(const Param& param, const Words& value) {
  const bool addresses = param.extra.form == Form::ip4 || param.extra.form == Form::ip6;
  return addresses && value.size() > most_addresses ? E2BIG : 0;
}
int refusal(const Param& param, int64_t value) {
  if (param.owner == Owner::command) return 0;
  return value < param.extra.least || value > param.extra.most ? EINVAL : 0;
}
int refusal(const Param& param, const std::string& value) {
  if (param.extra.longest == 0 || value.size() <= param.extra.longest) return 0;
  return param.extra.form == Form::keys ? EFBIG : ENAMETOOLONG;
}
int refusal(const Param& param, JailSys value) {
  return param.extra.no_disable && value == JailSys::disable ? EINVAL : 0;
}

}  // namespace

const char* jailsys_name(JailSys value) {
  return jailsys_names[static_cast<size_t>(value)];
}

std::optional<bool> Spec::* permission_field(const Param& param) {
  auto field = std::get_if<std::optional<bool> Spec::*>(&param.field);
  const bool allows = std::string_view(param.name).starts_with("allow.");
  return field && allows && param.owner == Owner::kernel ? *field : nullptr;
}

Result<void> set_field(const Found& found, std::span<const std::string_view> words, Spec& spec) {
  Input input{found, words, spec};
  return std::visit([&](auto field) { return put(input, field); }, found.param->field);
}

bool splits_at_commas(std::string_view name) {
  return name == "ip4.addr" || name == "ip6.addr" || name == "vnet.interface" ||
         name == "zfs.dataset";
}

std::optional<Words> field_words(const Param& param, const Spec& spec) {
  std::optional<Words> words;
  with_field(param, [&](auto field) {
    if (spec.*field) words = words_of(*(spec.*field));
  });
  return words;
}

std::optional<std::string> printed_value(const Param& param, const Spec& spec) {
  std::optional<Words> words = field_words(param, spec);
  if (!words) return std::nullopt;
  if (param.extra.form == Form::ip4 || param.extra.form == Form::ip6) {
    std::vector<std::string_view> views(words->begin(), words->end());
    Result<Words> bare =
        addresses_of(param.extra.form == Form::ip4 ? Family::ip4 : Family::ip6, views);
    if (bare) return join(*bare, ",");
  }
  return join(*words, ",");
}

void overlay(const Spec& changes, Spec& spec) {
  for (const Param& param : params()) {
    with_field(param, [&](auto field) {
      if (changes.*field) spec.*field = changes.*field;
    });
  }
}

Result<void> check_range(const Param& param, const Spec& spec) {
  // Two that are more than a range, in the kernel's words (Appendix A).
  if (param.field == Field(&Spec::osreldate) && spec.osreldate == 0)
    return fail(EINVAL, "osreldate cannot be 0");
  if (param.field == Field(&Spec::osrelease) && spec.osrelease &&
      (spec.osrelease->empty() || spec.osrelease->size() > param.extra.longest))
    return fail(EINVAL,
                fmt::format("osrelease string must be 1-{} bytes long", param.extra.longest));
  int code = 0;
  with_field(param, [&](auto field) {
    if (spec.*field) code = refusal(param, *(spec.*field));
  });
  if (code == E2BIG)
    return fail(code,
                fmt::format("too many IPv{} addresses", param.extra.form == Form::ip4 ? 4 : 6));
  if (code != 0) return fail(code, std::strerror(code));
  return {};
}

Result<void> check_ranges(const Spec& spec) {
  for (const Param& param : params()) {
    Result<void> checked = check_range(param, spec);
    if (checked) continue;
    // What explains itself is shown as it is (Appendix A).
    const bool explained = checked.error().text != std::strerror(checked.error().code);
    return explained ? std::move(checked) : in("jail_set", std::move(checked));
  }
  return {};
}

}  // namespace jail
