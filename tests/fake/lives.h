// Whole lives over the world of tests/fake: jails written as jail.conf text, started, stopped and
// recovered by the code that the commands use.
#pragma once

#include <string>

#include "plan/lifecycle.h"
#include "tests/fake/world.h"

namespace jail::fake {

// This host as a command of now sees it.
Host this_world();

// The job of jail `name` of that configuration, as `jail -c` or `-r` would make it; quiet.
Job job_of(const std::string& conf, const std::string& name);

// One command each; true as its exit status 0.
bool start(const std::string& conf, const std::string& name);
bool stop(const std::string& conf, const std::string& name);
bool modify(const std::string& conf, const std::string& name);
// jail --recover: every jail that has a record, and what claims left.
bool recover();

// The status of that jail, or "absent".
std::string status_of(const std::string& name);

// The same lines in the same order, none between them counted: true if `wanted` is what `all` has
// of them.
bool in_order(const Words& all, const Words& wanted);

// What a jail has that has everything; its path is the one of the world.
std::string everything(const std::string& path);

}  // namespace jail::fake
