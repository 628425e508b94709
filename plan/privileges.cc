#include "plan/privileges.h"

#include <fmt/format.h>

#include "conf/params.h"

namespace jail {

// Only what differs from nothing is said: a right that is granted, and with `no` one that is taken
// though it is granted by default (Extra::on).
Words rights_of(const Spec& spec) {
  Words rights;
  if (spec.vnet == JailSys::new_) rights.push_back("vnet");
  if (spec.securelevel.value_or(-1) > 0)
    rights.push_back(fmt::format("securelevel={}", *spec.securelevel));
  for (const Param& param : params()) {
    std::string_view name = param.name;
    auto field = std::get_if<std::optional<bool> Spec::*>(&param.field);
    if (!field || param.owner != Owner::kernel || !name.starts_with("allow.")) continue;
    name.remove_prefix(6);
    const bool granted = (spec.**field).value_or(param.extra.on);
    if (granted)
      rights.emplace_back(name);
    else if (param.extra.on)
      rights.push_back("no" + std::string(name));
  }
  return rights;
}

}  // namespace jail
