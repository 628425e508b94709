// What a configuration says, shown without acting on it: jail -e, --explain, --explain=json,
// --check. Prints nothing itself and never looks at running jails.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plan/depend.h"

namespace jail {

class Config;
struct Jail;

// One jail as `jail -e` and -J show it (J3.7): its parameters but jid as NAME=V1,V2 or NAME, quoted
// as J3.8, with `separator` between them.
std::string jail_line(const Jail& jail, std::string_view separator);

// The output of `jail -e SEPARATOR` (J3.7): a line for each jail in file order, also for failed
// ones.
std::string list_jails(const Config& config, std::string_view separator);

// The output of `jail --explain [NAME]`: of every jail, or the one or the wildcard named, each
// parameter and variable with its values and where each was written. ESRCH: no such jail, in the
// words of J3.10.
Result<std::string> explain(const Config& config, std::string_view name = {});

// What a command prints and exits with.
struct Explained {
  std::string text = {};
  // What a start of all jails would come to, as if each start itself succeeded.
  int status = 0;
};

// The output of `jail --explain=json`, ended by a newline, in the form that
// tests/corpus/jailconf/README.md tells; beyond it each jail and parameter has its `origin`, each
// value one of `origins` (file, line, column), and each error a `column`. Status 1 where a start of
// all would exit with 1.
Explained explain_json(const Config& config);

// The output of `jail --check FILE`: every error that can be found, in the order of the file, each
// with its place, the line it stands on, and a mark below. Status 1 if there is any. An error that
// several jails inherit is told once. For standard error.
Explained check_file(const std::string& file);

// The jails as the scheduler sees them, by index in config.jails(): names, and `depend` as
// expanded.
std::vector<Node> nodes_of(const Config& config);

}  // namespace jail
