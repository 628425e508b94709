// jail(8): starts, stops, changes and lists jails. Options choose the form of the command (J3.4);
// the form makes a request; the request is run.
#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <ranges>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/console.h"
#include "cmd/errors.h"
#include "cmd/explain.h"
#include "cmd/init_words.h"
#include "cmd/options.h"
#include "cmd/plan_text.h"
#include "cmd/request.h"
#include "conf/import.h"
#include "plan/claims.h"
#include "plan/depend.h"
#include "plan/reboot.h"

namespace jail {
namespace {

int usage() {
  (void)fputs(usage_text, stderr);
  return 1;
}

int print_failure(const Error& error) {
  if (!error.text.empty()) (void)fprintf(stderr, "jail: %s\n", error.text.c_str());
  return 1;
}

// Asked first: what a user may not do would else fail at whichever file comes first.
bool is_root() {
  return geteuid() == 0;
}
Error not_root() {
  return {EPERM, "Operation not permitted: only root can start, change, stop and recover jails"};
}

// --- forms that only look ---

int list_form(const Options& options) {
  if (options.create || options.modify || options.remove || options.cleanup ||
      !options.arguments.empty())
    return usage();
  Config config = load(options.conf);
  print_messages(config.messages());
  if (config.rejected()) return 1;
  (void)fputs(list_jails(config, options.separator).c_str(), stdout);
  return 0;
}

// The JSON form holds the errors itself, also those of a file that is rejected.
int explain_form(const Options& options) {
  if (options.arguments.size() > 1) return usage();
  Config config = load(options.conf);
  if (options.explain_json && !options.arguments.empty()) return usage();
  if (options.explain_json) {
    Explained explained = explain_json(config);
    (void)fputs(explained.text.c_str(), stdout);
    return explained.status;
  }
  print_messages(config.messages());
  if (config.rejected()) return 1;
  Result<std::string> text = explain(config, options.arguments.empty() ? "" : options.arguments[0]);
  if (!text) return print_failure(text.error());
  (void)fputs(text->c_str(), stdout);
  return 0;
}

int check_form(const Options& options) {
  if (options.arguments.size() != 1) return usage();
  Explained explained = check_file(options.arguments[0]);
  (void)fputs(explained.text.c_str(), stderr);
  return explained.status;
}

// --- recovery ---

// Those first that others do not need, by what all were started with; among equals the youngest.
std::vector<JailEntry> in_order_of_undoing(const Index& index) {
  std::vector<Node> nodes;
  for (const JailEntry& entry : index.entries) {
    Result<Spec> snapshot = read_snapshot(entry);
    nodes.push_back({entry.name, snapshot ? snapshot->depend.value_or(Words{}) : Words{}});
  }
  std::vector<JailEntry> entries;
  for (size_t place : depend_graph(nodes).order | std::views::reverse)
    entries.push_back(index.entries[place]);
  return entries;
}

// Every jail is tried, whatever the others come to; the status says whether any failed.
int recover_form(const Host& host, const Options& options) {
  if (options.forget && options.arguments.empty()) return usage();
  if (!is_root()) return print_failure(not_root());
  Result<void> pruned = prune_index(host.places, host.facts);
  Result<Index> index = read_index(host.places);
  if (!index) return print_failure(index.error());
  int status = pruned ? 0 : print_failure(pruned.error());
  for (const std::string& name : options.arguments) {
    if (index->by_name(name)) continue;
    status = print_failure({ENOENT, fmt::format("\"{}\" not found", name)});
  }
  for (const JailEntry& entry : in_order_of_undoing(*index)) {
    if (!options.arguments.empty() &&
        std::ranges::find(options.arguments, entry.name) == options.arguments.end())
      continue;
    Talk talk;
    talk.name = entry.name;
    talk.verbose = options.verbose;
    bool good = options.forget ? forget_jail(host, entry, talk) : recover_jail(host, entry, talk);
    if (!good) status = 1;
  }
  return status;
}

// --- a jail's init ---

int init_form(const Host& host, const Options& options) {
  if (options.arguments.size() < 2) return usage();
  if (!is_root()) return print_failure(not_root());
  Result<FoundJail> found = find_running(options.arguments[0]);
  if (!found) return print_failure(found.error());
  return talk_to_init(host, *found, Words(options.arguments.begin() + 1, options.arguments.end()));
}

int console_form(const Host& host, const Options& options) {
  if (options.arguments.size() != 1) return usage();
  if (!is_root()) return print_failure(not_root());
  Result<FoundJail> found = find_running(options.arguments[0]);
  if (!found) return print_failure(found.error());
  const char* key = std::getenv("CELLBLOCK_ESCAPE");
  const std::optional<int> escape = parse_escape_key(key ? key : "^]");
  if (!escape) return print_failure({EINVAL, "CELLBLOCK_ESCAPE: not a key such as ^] or none"});
  return attach_console({.control = host.places.run + "/" + found->id + "/control",
                         .name = found->name,
                         .mode = options.console_mode,
                         .escape_key = *escape});
}

// What only a warden calls (os/warden.h): `--boot ID` and `--ended ID HOW QUICK`.
std::optional<int> warden_form(int count, char** words) {
  const std::string_view form = count > 2 ? words[1] : "";
  if ((form != "--boot" || count != 3) && (form != "--ended" || count != 5)) return std::nullopt;
  if (!is_root()) return print_failure(not_root());
  (void)signal(SIGPIPE, SIG_IGN);
  Result<Host> host = this_host();
  if (!host) return print_failure(host.error());
  if (form == "--boot") return boot_for(*host, words[2]);
  return end_of_process1(*host, words[2], words[3], parse_int(words[4]).value_or(0));
}

// --- starting, stopping, changing ---

// What to do with each job that was asked for; -rc, -mr and -cmr decide by what runs and what would
// change (J3.3).
void choose_actions(const Host& host, const Options& options, Request& request) {
  for (size_t job : request.asked) {
    Item& item = request.items[job];
    const bool restart = options.create && options.remove;
    if (item.what == Do::stop) continue;
    if (options.cleanup &&
        !(options.modify && item.running)) {  // the cleanup, or the stop, precedes a start
      item.what = options.create ? Do::restart : Do::stop;
      continue;
    }
    if (options.modify && item.running) {
      item.what = Do::modify;
      if (options.remove && needs_restart(host, request, job)) item.what = Do::restart;
    } else if (options.remove && item.running) {
      item.what = restart ? Do::restart : Do::stop;
    } else if (options.create && !(restart && !options.modify && item.asked == Asked::named)) {
      item.what = Do::start;
    } else if (options.modify || restart) {
      item.what =
          options.modify ? Do::modify : Do::stop;  // which find that it is not there, and say so
    } else {
      item.what = options.remove ? Do::stop : Do::start;
    }
  }
}

// J3.4, items 3 to 5; main_form() has dealt with the others.
Result<Request> make_request(const Host& host, const Options& options) {
  const bool only_remove = options.remove && !options.create && !options.modify && !options.cleanup;
  if (only_remove) return request_removal(host, options);
  const bool single = options.arguments.size() > 1 || !options.shorthands.empty() ||
                      std::ranges::any_of(options.arguments, [](const std::string& word) {
                        return word.contains('=');
                      });
  if (!single) return request_configured(host, options);
  Words words = options.shorthands;
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  return request_single(host, options, words);
}

// Appending: workers write their lines by themselves, at the same time.
Result<Fd> open_record_file(const Options& options) {
  if (options.record.empty()) return Fd();
  Result<Fd> file =
      open_at(AT_FDCWD, options.record, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
  if (!file) return fail(file.error().code, "open " + file.error().text);
  return file;
}

void finish_jobs(const Options& options, Request& request, int stop_fd) {
  // In a combined operation no removal is noted without -v (J3.6).
  const bool combined = options.create || options.modify || options.cleanup;
  for (size_t i = 0; i < request.jobs.size(); ++i) {
    Job& job = request.jobs[i];
    job.talk.stop_fd = stop_fd;
    job.all = request.items[i].asked != Asked::named;
    job.cleanup = options.cleanup;
    job.restarts = request.items[i].what == Do::restart;
    if (combined) job.note_removal = options.verbose;
  }
}

// The order is FreeBSD's where it can be seen: the file is read and its errors are told before
// anything else, -J's file is opened before the first step (J3.8). A plan changes nothing, not even
// what crashes left, and is anybody's to ask for.
int act(const Host& host, const Options& options) {
  if (!options.plan && !is_root()) return print_failure(not_root());
  const bool only_cleanup =
      options.cleanup && !options.create && !options.modify && !options.remove;
  if (!options.plan)
    ignore(prune_index(host.places, host.facts, Look::quick),
           "what crashed commands left is in nobody's way");
  Result<Request> made = make_request(host, options);
  if (!made) return print_failure(made.error());
  Request& request = *made;
  if (only_cleanup) return 0;  // the file has been read: that is all that -C alone does
  choose_actions(host, options, request);
  if (options.plan) return print_plans(host, request);
  Result<Fd> record = open_record_file(options);
  if (!record) return print_failure(record.error());
  Result<Fd> signals = options.create || options.modify ? catch_stop_signals() : Result<Fd>(Fd());
  if (!signals) return print_failure(signals.error());
  finish_jobs(options, request, signals->get());
  Words complaints;
  for (const Complaint& complaint : request.complaints)
    complaints.push_back(request.jobs[complaint.job].talk.name + ": " + complaint.text);
  print_errors(complaints);
  if (options.dying || gives_dying(request)) (void)fprintf(stderr, "jail: %s\n", dying_warning);
  Schedule schedule(request.graph, request.items, request.asked, {options.parallel, 1},
                    options.quiet);
  Run run{host,          request.jobs,         schedule,      prepare_job, &request,
          record->get(), request.asked.size(), signals->get()};
  const int status = run_jobs(run);
  return status == 0 && request.failed ? 1 : status;
}

// The old style: PATH HOSTNAME IP[,IP] COMMAND ... (J3.9).
Result<Words> old_style(const Options& options) {
  const Words& words = options.arguments;
  if (words.size() < 4 || !words[0].starts_with('/')) return fail(EINVAL, "");
  Words single = options.shorthands;
  single.push_back("path=" + words[0]);
  single.push_back("host.hostname=" + words[1]);
  for (const std::string& address : split(words[2], ","))
    single.push_back((address.contains(':') ? "ip6.addr=" : "ip4.addr=") + address);
  single.push_back("command=" + words[3]);
  single.insert(single.end(), words.begin() + 4, words.end());
  return single;
}

// What J3.4 calls usage, form by form.
bool misused(const Options& options) {
  const bool parameters = std::ranges::any_of(
      options.arguments, [](const std::string& word) { return word.contains('='); });
  if (options.remove && !options.create && !options.modify && !options.cleanup)
    return options.arguments.empty() || (parameters && !options.ignore_file) ||
           !options.shorthands.empty();
  const bool single = parameters || options.arguments.size() > 1;
  if (single) return options.ignore_file || options.cleanup;
  return options.ignore_file || !options.shorthands.empty();
}

int main_form(Options& options) {
  if (options.list) return list_form(options);
  if (options.explain) return explain_form(options);
  if (options.check) return check_form(options);
  // A worker, a process 1 or a reader of our messages that dies must not take a start or an undo
  // with it.
  (void)signal(SIGPIPE, SIG_IGN);
  Result<Host> host = this_host();
  if (!host) return print_failure(host.error());
  if (options.recover) return recover_form(*host, options);
  if (options.init) return init_form(*host, options);
  if (options.console) return console_form(*host, options);
  if (!options.create && !options.modify && !options.remove && !options.cleanup) {
    Result<Words> words = old_style(options);
    if (!words) return usage();
    options.arguments = *words;
    options.shorthands.clear();
    options.create = options.old_style = true;
    return act(*host, options);
  }
  return misused(options) ? usage() : act(*host, options);
}

}  // namespace
}  // namespace jail

int main(int count, char** words) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  if (std::optional<int> status = jail::warden_form(count, words)) return *status;
  jail::Result<jail::Options> options = jail::parse_options(count, words);
  if (!options) return jail::usage();
  return jail::main_form(*options);
}
