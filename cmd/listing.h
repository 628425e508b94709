// What jls(8) prints (J5.1 to J5.5), as a pure function of its options and of the jails that were
// found.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "cmd/xo.h"
#include "conf/params.h"
#include "plan/registry.h"

namespace jail {

// Options, after those that cancel others have done so (J5.1).
// All false: the table.
struct View {
  bool names = false;       // -N: in the table, names instead of jids
  bool verbose = false;     // -v: several lines a jail
  bool header = false;      // -h: a line of parameter names first
  bool name_value = false;  // -n
  bool quoted = false;      // -q
  bool settable = false;    // -s: only what could be given to a create
};

// A value read from a jail that is no field of its Spec.
struct ReadOnly {
  const char* name;
  bool boolean;  // its value is "true" or "false", and it has a spelling with `no`
  bool in_all;   // FreeBSD's too; ours are shown when named
  std::string (*value)(const Listed&);
};

// A parameter to be shown.
struct Column {
  std::string name;                     // as asked for
  Found found;                          // with a row, unless the parameter is one of ours
  const ReadOnly* read_only = nullptr;  // how to get it, where it is no field
};

// The columns for these arguments: `all` is every parameter that any of `rows` has, names without a
// dot first, each group in byte order; what is repeated counts once. EINVAL: "unknown parameter:
// P".
Result<std::vector<Column>> columns_of(const Words& arguments, std::span<const Listed> rows);

// Whether one of the columns is `name`: status and drift, which list_jails leaves empty, are looked
// up only where they are asked for.
bool asks_for(const std::vector<Column>& columns, std::string_view name);

// All that is printed: the parameter lines of these columns (J5.3), or without any, the table or
// the verbose form (J5.2); of no rows, the head alone. In libxo's styles as J5.5 has them.
std::string listing(XoOptions options, const View& view, const std::vector<Column>& columns,
                    std::span<const Listed> rows);

}  // namespace jail
