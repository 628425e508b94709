// Several jails in one command: one process for each, granted its steps by the queue machine of
// plan/schedule.h, so that order and -p are exactly those of J4.9. One jail alone is done in this
// process.
#pragma once

#include <vector>

#include "plan/lifecycle.h"
#include "plan/schedule.h"

namespace jail {

// Prepares a job just before its first act, which is `step`: reads its values, and prints what is
// wrong with them (J4.1). False: it failed.
using Prepare = bool (*)(void* context, size_t job, Step step);

// A run of one command. Jobs, schedule and the context of `prepare` go by the same indices.
struct Run {
  const Host& host;
  std::vector<Job>& jobs;
  Schedule& schedule;
  Prepare prepare;
  void* context;
  int record_fd = -1;  // -J: gets a line for each jail that a start has left up (J3.8); -1: none
  size_t starts = 0;   // jails asked to start, for the progress shown on a terminal
  int stop_fd = -1;    // readable when INT, TERM or HUP came
};

// Performs what the schedule grants until it is finished. The exit status: 128 + the signal that
// made a start give up, else 1 if any job failed, else 0. All workers are reaped when it returns.
int run_jobs(const Run& run);

}  // namespace jail
