// `jail --plan`: the acts of a start or stop, printed and not performed.
#pragma once

#include "cmd/request.h"

namespace jail {

// The jobs that have a plan: each asked for behind those that it pulls in, which thereby get
// something to do. Jails that need nothing done are left out. Linear in jobs and edges.
std::vector<size_t> planned_jobs(Request& request);

// Prints, for each job asked for, its acts in order, those of process 1 indented below `boot`. A
// stop prints what its ledger holds, newest first. Exit status 1 if a job could not be planned.
int print_plans(const Host& host, Request& request);

// Whether a running jail has to be restarted to become what is asked of it: a create-only parameter
// differs (J4.10). False where its record cannot be read.
bool needs_restart(const Host& host, Request& request, size_t job);

// True if any job gives allow.dying in any spelling.
bool gives_dying(const Request& request);

}  // namespace jail
