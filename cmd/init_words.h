// `jail --init`: a word for the init of a running jail.
#pragma once

#include "plan/lifecycle.h"
#include "plan/registry.h"

namespace jail {

// Sends the words as one request to process 1 and prints its answer: what follows `ok` and the
// lines behind it on standard output, an `error` on standard error. Waits as long as process 1
// does. The exit status: 0, or 1 for an error, a word that means nothing, a jail that has ended.
int talk_to_init(const Host& host, const FoundJail& jail, const Words& words);

}  // namespace jail
