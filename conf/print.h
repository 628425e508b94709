// Spec as jail.conf text and back: the snapshot of a jail that was started. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "conf/spec.h"

namespace jail {

// The Spec as text that read_spec() makes an equal Spec of: a block of the jail's name where a
// block can say it, else parameters alone. One parameter a line, in the order of params(), only
// those that were given. A NUL byte in a value cannot be written; no Spec that was read holds one.
std::string print_spec(const Spec& spec);

// A Spec printed by print_spec(). `name` is what errors call the text. EINVAL: it is no such text,
// or damaged, or of a program that knows more parameters; the text is the first thing that is wrong
// with it. Ranges are not checked. Reads no file that the text names.
Result<Spec> read_spec(const std::string& name, std::string text);

}  // namespace jail
