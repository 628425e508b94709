// From a Spec to the words of os/privileges.h.
#pragma once

#include "base/text.h"
#include "conf/spec.h"

namespace jail {

// What root may do in this jail: "vnet", "reboot" (with an init), "nosuser", "noreserved_ports",
// "securelevel=N" and the names of granted allow.* without the prefix, in the order of the table.
// Values not given count with FreeBSD's defaults (J2.3).
Words rights_of(const Spec& spec);

}  // namespace jail
