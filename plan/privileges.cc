#include "plan/privileges.h"

#include <fmt/format.h>

#include "conf/param.h"

namespace jail {

// Only what differs from nothing is said: a right that is granted, and with `no` one that is taken
// though it is granted by default (Extra::on).
Words rights_of(const Spec& spec) {
  Words rights;
  if (spec.vnet == JailSys::new_) rights.push_back("vnet");
  if (spec.init.value_or(false)) rights.push_back("reboot");
  if (spec.securelevel.value_or(-1) > 0)
    rights.push_back(fmt::format("securelevel={}", *spec.securelevel));
  for (const Param& param : params()) {
    auto field = permission_field(param);
    if (!field) continue;
    const std::string name = std::string(param.name).substr(6);  // without "allow."
    const bool granted = (spec.*field).value_or(param.extra.on);
    if (granted)
      rights.push_back(name);
    else if (param.extra.on)
      rights.push_back("no" + name);
  }
  return rights;
}

}  // namespace jail
