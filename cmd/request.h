// From a command line to the jobs of a run: which jails, what to do with each, and what the
// schedule has to know (J3.3 to J3.10, J4.8).
#pragma once

#include <optional>
#include <vector>

#include "cmd/options.h"
#include "conf/config.h"
#include "plan/depend.h"
#include "plan/jobs.h"
#include "plan/schedule.h"

namespace jail {

// A run, ready but for the moment in which each job's values are read.
struct Request {
  Config config;
  // These four by job. A job of the file comes at its jail's index in config.jails(); behind them
  // stand the running jails that the file does not know, which have no Jail (nullptr).
  std::vector<const Jail*> configured;
  std::vector<Job> jobs;
  std::vector<Node> nodes;
  std::vector<Item> items;
  std::vector<size_t> asked;          // jobs, in the order named
  std::vector<Complaint> complaints;  // about the configuration as a whole, to be printed first
  Graph graph;
  bool failed = false;  // something was not found: exit status 1
};

// All three look at nothing but configuration, index and records, and may print what is wrong with
// the configuration; an error without a text has been printed. What to do with each job is settled
// only for a removal; otherwise it depends on the options and on what runs (J3.3).

// Builds the run of `jail -r|-R JAIL ...` (J3.6). What is not found is printed, and sets `failed`.
Result<Request> request_removal(const Host& host, const Options& options);
// Builds the run of `jail -c|-m|... NAME=VALUE ...` and of the old style (J3.5, J3.9).
Result<Request> request_single(const Host& host, const Options& options, const Words& words);
// Builds the run of `jail -c|-m|... [JAIL]` (J3.10). ESRCH: there is no such jail in the file.
Result<Request> request_configured(const Host& host, const Options& options);

// Reads the values of a job and prints what is wrong with them (J4.1), ip_hostname's addresses
// included; run_jobs calls it for each job once, just before its first act. `request` is a Request.
// False: the job failed. A plain stop goes by the snapshot and passes, whatever the file says
// today.
bool prepare_job(void* request, size_t job, Step step);

}  // namespace jail
