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
  std::vector<const Jail*>
      configured;  // by job; nullptr: a running jail that the file does not know
  std::vector<Job> jobs;
  std::vector<Node> nodes;
  std::vector<Item> items;
  std::vector<size_t> asked;
  std::vector<Complaint> complaints;  // about the configuration as a whole, to be printed first
  Graph graph;
  bool failed = false;  // something was not found: exit status 1
};

// Builds the run of `jail -r|-R JAIL ...` (J3.6).
Result<Request> request_removal(const Host& host, const Options& options);
// Builds the run of `jail -c|-m|... NAME=VALUE ...` and of the old style (J3.5, J3.9).
Result<Request> request_single(const Host& host, const Options& options, const Words& words);
// Builds the run of `jail -c|-m|... [JAIL]` (J3.10).
Result<Request> request_configured(const Host& host, const Options& options);

// Reads the values of a job and prints what is wrong with them; run_jobs calls it for each job
// once.
bool prepare_job(void* request, size_t job, Step step);

}  // namespace jail
