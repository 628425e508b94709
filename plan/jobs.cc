// The coordinator and its workers talk over a socket each, one byte a word (Turn of plan/life.h,
// and a Step to begin a phase). Either side takes an end of file for the other's end.
#include "plan/jobs.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <signal.h>

#include "base/file.h"
#include "base/sys.h"
#include "os/kernel.h"

namespace jail {

namespace {

constexpr size_t progress_from = 4;  // jails; fewer need no progress

// The process of one job, forked at its first grant; nothing of either once it is over.
struct Worker {
  pid_t pid = -1;
  Fd socket;
};

void print_messages(const Run& run) {
  for (const Complaint& complaint : run.schedule.take_messages())
    run.jobs[complaint.job].talk.error(complaint.text);
}

// -J: one line a jail that is up (J3.8), in one write so that lines of several processes never mix.
void write_record(const Run& run, const Job& job, int64_t jid) {
  if (run.record_fd < 0 || jid == 0) return;
  ignore(
      write_all(run.record_fd,
                fmt::format("{}\n", job.old_record ? fmt::format("{}\t{}", jid, job.record)
                                                   : fmt::format("jid={}\t{}", jid, job.record))),
      "the jail is up all the same");
}

bool do_phase(const Run& run, size_t index, Step step) {
  Job& job = run.jobs[index];
  if (step == Step::stop) return stop_jail(run.host, job);
  if (step == Step::modify) return modify_jail(run.host, job);
  int64_t jid = 0;
  bool good = start_jail(run.host, job, &jid);
  write_record(run, job, jid);
  return good;
}

// A worker: does the phases it is granted until there are no more.
[[noreturn]] void work(const Run& run, size_t index, int socket) {
  Job& job = run.jobs[index];
  job.talk.turns = socket;
  // Killed, the coordinator takes the starts under way with it: they are undone. An undo goes on
  // without it, and a command that only stops does not catch the signal.
  if (run.stop_fd >= 0) follow_parent();
  for (;;) {
    char step = 0;
    ssize_t size = sys::read(socket, &step, 1);
    if (size < 0 && errno == EINTR) continue;
    if (size != 1) {
      const int signal = caught_signal(run.stop_fd);
      _exit(signal > 0 ? 128 + signal : 0);
    }
    bool good = do_phase(run, index, static_cast<Step>(step));
    if (!take_turn(job.talk, good ? Turn::done : Turn::failed)) _exit(1);
  }
}

Result<Worker> start_worker(const Run& run, size_t index, const std::vector<Worker>& workers) {
  int ends[2];
  if (sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("socketpair");
  Fd ours(ends[0]), theirs(ends[1]);
  (void)fflush(stdout);
  pid_t pid = sys::fork();
  if (pid < 0) return fail_errno("fork");
  if (pid > 0) return Worker{pid, std::move(ours)};
  ours.reset();
  for (const Worker& other : workers)
    if (other.socket)
      Fd copy(other.socket.get());  // closes it here: only the coordinator talks to the others
  work(run, index, theirs.get());
}

// --- the coordinator ---

// What is known of the workers.
struct Crew {
  std::vector<Worker> workers;
  std::vector<bool> starting;  // by job: its start was granted
  size_t up = 0;
  int interrupted = 0;  // 128 + a signal, if a worker ended for one
};

// Takes note of how a worker has ended: with WNOHANG if it has, with 0 once it has.
void reap(Crew& crew, Worker& worker, int options) {
  int status = 0;
  if (worker.pid < 0 || sys::waitpid(worker.pid, &status, options) <= 0) return;
  worker.pid = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) > 128) crew.interrupted = WEXITSTATUS(status);
}

// Ends the workers that have no more to do: each has a descriptor here, and others may wait for it.
void let_go(const Run& run, Crew& crew) {
  for (size_t i = 0; i < crew.workers.size(); ++i) {
    if (!run.schedule.is_over(i)) continue;
    crew.workers[i].socket.reset();
    reap(crew, crew.workers[i], WNOHANG);
  }
}

// "[3/10] web" on a terminal's standard error, while many jails start.
void show_progress(const Run& run, Crew& crew, size_t index) {
  if (!crew.starting[index]) return;
  ++crew.up;
  if (run.starts < progress_from || run.jobs[index].talk.quiet || strict() ||
      isatty(STDERR_FILENO) != 1)
    return;
  const std::string line = fmt::format("[{}/{}] {}\n", crew.up, std::max(run.starts, crew.up),
                                       run.jobs[index].talk.name);
  ignore(write_all(STDERR_FILENO, line), "the jail is up all the same");
}

// A worker that cannot be talked to any more: it was killed, or finds an end of file and undoes
// what it was at.
void lose(const Run& run, Crew& crew, size_t index) {
  crew.workers[index].socket.reset();
  run.jobs[index].talk.error("the process that worked on it was killed");
  run.schedule.done(index, false);
}

void tell(const Run& run, Crew& crew, size_t index, char word) {
  ssize_t size;
  do size = sys::write(crew.workers[index].socket.get(), &word, 1);
  while (size < 0 && errno == EINTR);
  if (size != 1) lose(run, crew, index);
}

// One word a round, so that no worker is heard out before the others; what else waits in its socket
// is there in the next.
void hear(const Run& run, Crew& crew, size_t index) {
  std::vector<Worker>& workers = crew.workers;
  char word = static_cast<char>(Turn::failed);
  ssize_t size = sys::read(workers[index].socket.get(), &word, 1);
  if (size < 0 && errno == EINTR) return;
  if (size != 1) return lose(run, crew, index);
  const char go = static_cast<char>(Turn::go);
  switch (static_cast<Turn>(word)) {
    case Turn::command:
      if (run.schedule.wants_slot(index)) tell(run, crew, index, go);
      break;
    case Turn::waits:
      run.schedule.waits(index);
      break;
    case Turn::ended:
      run.schedule.ended(index);
      break;
    case Turn::exists:
      run.schedule.exists(index);
      break;
    case Turn::removed:
      run.schedule.removed(index);
      break;
    case Turn::done:
      show_progress(run, crew, index);
      run.schedule.done(index, true);
      break;
    case Turn::failed:
      run.schedule.done(index, false);
      break;
    case Turn::go:
      break;
  }
}

// Prepared here and not in the worker: what is wrong with a jail's values is said in the order of
// the grants, and what was read is inherited by the fork.
void grant(const Run& run, Crew& crew, const Grant& granted) {
  Worker& worker = crew.workers[granted.job];
  const bool phase =
      granted.step == Step::stop || granted.step == Step::start || granted.step == Step::modify;
  const Job& job = run.jobs[granted.job];
  // No work, and a file may name more jails than there can be processes.
  if (granted.step == Step::stop && job.absent && job.all)
    return run.schedule.done(granted.job, true);
  if (worker.pid < 0) {
    if (!run.prepare(run.context, granted.job, granted.step)) {
      run.schedule.done(granted.job, false);
      return;
    }
    Result<Worker> started = start_worker(run, granted.job, crew.workers);
    if (!started) {
      run.jobs[granted.job].talk.error(started.error().text);
      run.schedule.done(granted.job, false);
      return;
    }
    worker = std::move(*started);
  }
  if (phase) crew.starting[granted.job] = granted.step == Step::start;
  char word = phase ? static_cast<char>(granted.step) : static_cast<char>(Turn::go);
  // One that was killed between its phases failed none: it fails the next one, which nobody would
  // end.
  if (!worker.socket) return run.schedule.done(granted.job, false);
  tell(run, crew, granted.job, word);
}

// Waits until a worker says something or the user wants to stop.
void wait_for_news(const Run& run, Crew& crew, bool* stopped) {
  let_go(run, crew);
  const std::vector<Worker>& workers = crew.workers;
  std::vector<pollfd> sources;
  std::vector<size_t> whose;
  for (size_t i = 0; i < workers.size(); ++i) {
    if (!workers[i].socket) continue;
    sources.push_back({workers[i].socket.get(), POLLIN, 0});
    whose.push_back(i);
  }
  if (!*stopped && run.stop_fd >= 0) sources.push_back({run.stop_fd, POLLIN, 0});
  if (sys::poll(sources.data(), sources.size(), -1) < 0) return;
  for (size_t i = 0; i < whose.size(); ++i)
    if (sources[i].revents != 0) hear(run, crew, whose[i]);
  if (sources.size() > whose.size() && sources.back().revents != 0) {
    // The signal stays in its descriptor until the end: run_jobs() makes the exit status of it.
    *stopped = true;
    run.schedule.give_up();
    for (const Worker& worker : workers)
      if (worker.socket) sys::kill(worker.pid, SIGTERM);
  }
}

// One jail: no second process, no conversation.
void run_alone(const Run& run) {
  bool prepared = false, good = true;
  while (std::optional<Grant> granted = run.schedule.next()) {
    if (!prepared) good = run.prepare(run.context, granted->job, granted->step);
    prepared = true;
    run.schedule.done(granted->job, good && do_phase(run, granted->job, granted->step));
    print_messages(run);
  }
  print_messages(run);
}

}  // namespace

int run_jobs(const Run& run) {
  print_messages(run);
  if (run.jobs.size() == 1) {
    run_alone(run);
    const int signal = caught_signal(run.stop_fd);
    return !run.schedule.failed() ? 0 : signal > 0 ? 128 + signal : 1;
  }
  Crew crew{std::vector<Worker>(run.jobs.size()), std::vector<bool>(run.jobs.size())};
  for (bool stopped = false;;) {
    while (std::optional<Grant> granted = run.schedule.next()) {
      grant(run, crew, *granted);
      print_messages(run);
    }
    print_messages(run);
    if (run.schedule.finished()) break;
    wait_for_news(run, crew, &stopped);
    print_messages(run);
  }
  for (Worker& worker : crew.workers) worker.socket.reset();
  for (Worker& worker : crew.workers) reap(crew, worker, 0);
  // Ours if we got one: what we told the workers is always TERM.
  const int signal = crew.interrupted > 0 ? caught_signal(run.stop_fd) : 0;
  if (signal > 0) return 128 + signal;
  return crew.interrupted > 0 ? crew.interrupted : run.schedule.failed() ? 1 : 0;
}

}  // namespace jail
