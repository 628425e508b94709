#include "cmd/request.h"

#include <algorithm>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unordered_map>

#include "base/sys.h"
#include "cmd/errors.h"
#include "cmd/explain.h"
#include "conf/import.h"
#include "plan/init.h"
#include "plan/registry.h"

namespace jail {

namespace {

Talk talk_of(const Options& options, std::string name) {
  Talk talk;
  talk.quiet = options.quiet;
  talk.verbose = options.verbose;
  talk.bare_jids = options.bare_jids;
  talk.name = std::move(name);
  return talk;
}

// A job for a configured jail: only what choosing and ordering need; the rest is read when its turn
// comes.
Job job_of(const Options& options, const Jail& jail) {
  Job job;
  job.configured = true;
  job.file = options.conf;
  job.talk = talk_of(options, std::string(jail.name));
  if (long jid = numeric_name(jail.name)) job.spec.jid = jid;
  job.spec.name = std::string(jail.name);
  if (const Setting* setting = jail.find("jid"); setting && !setting->values.empty())
    job.spec.jid = parse_int(setting->values.back().text).value_or(0);
  return job;
}

void add(Request& request, Job job, const Jail* jail, Node node, Item item) {
  request.jobs.push_back(std::move(job));
  request.configured.push_back(jail);
  request.nodes.push_back(std::move(node));
  request.items.push_back(item);
}

bool exists(const std::string& path) {
  struct stat status;
  // One that only cannot be seen is there: reading it tells why.
  return sys::fstatat(AT_FDCWD, path.c_str(), &status, 0) == 0 || errno != ENOENT;
}

// A rejected file is an error without a text: its messages have been printed.
Result<Config> read_config(const Options& options) {
  Config config = load(options.conf);
  print_messages(config.messages());
  if (config.rejected()) return fail(EINVAL, "");
  return config;
}

// Finds out who runs: of those that were asked for, and of all that stand and fall with them.
Result<void> look_who_runs(const Index& index, Request& request) {
  std::unordered_map<std::string_view, const JailEntry*> entries;
  for (const JailEntry& entry : index.entries) entries.emplace(entry.name, &entry);
  std::vector<bool> seen(request.jobs.size());
  std::vector<size_t> reached;
  auto reach = [&](size_t job) {
    if (!seen[job]) reached.push_back(job);
    seen[job] = true;
  };
  for (size_t job : request.asked) reach(job);
  for (size_t at = 0; at < reached.size(); ++at) {
    const size_t job = reached[at];
    for (const auto* side : {&request.graph.needs, &request.graph.needed_by})
      for (const Edge& edge : (*side)[job]) reach(edge.job);
    const Spec& spec = request.jobs[job].spec;
    const auto named = entries.find(spec.name.value_or(""));
    const JailEntry* entry = spec.jid.value_or(0) != 0 ? index.by_jid(*spec.jid)
                             : named != entries.end()  ? named->second
                                                       : nullptr;
    request.items[job].running = entry && (TRY(is_running(*entry)) || is_between_lives(*entry));
  }
  return {};
}

// All configured jails as jobs in file order.
void add_configured(const Options& options, Request& request) {
  std::vector<Node> nodes = nodes_of(request.config);
  for (size_t i = 0; i < request.config.jails().size(); ++i) {
    const Jail& jail = request.config.jails()[i];
    Item item;
    item.standing = jail.failed ? Standing::failed : Standing::fine;
    add(request, job_of(options, jail), &jail, std::move(nodes[i]), item);
  }
}

// The graph of all nodes. A removal by what the jails were started with has no use for complaints
// about today's file.
void finish(Request& request, bool keep_complaints) {
  request.graph = depend_graph(request.nodes);
  if (keep_complaints) {
    request.complaints = request.graph.complaints;
    for (size_t i = 0; i < request.items.size(); ++i)
      if (request.items[i].standing == Standing::fine)
        request.items[i].standing = request.graph.standing[i];
  }
}

// --- removal ---

void ask(Request& request, size_t job, Asked how) {
  Item& item = request.items[job];
  item.what = Do::stop;
  if (item.asked == Asked::no) request.asked.push_back(job);
  item.asked = how;
}

std::optional<size_t> configured_job(const Request& request, std::string_view name) {
  const Jail* jail = request.config.find(name);
  if (!jail) return std::nullopt;
  return static_cast<size_t>(jail - request.config.jails().data());  // added in their order
}

// A jail that the file does not know: by its record.
size_t add_running(const Options& options, Request& request, const JailEntry& entry) {
  for (size_t i = 0; i < request.jobs.size(); ++i)
    if (!request.configured[i] && request.jobs[i].spec.name == entry.name) return i;
  Job job;
  job.talk = talk_of(options, entry.name);
  job.spec.name = entry.name;
  job.spec.jid = entry.jid;
  add(request, std::move(job), nullptr, {entry.name, {}},
      {Do::nothing, Asked::no, Standing::fine, true});
  return request.jobs.size() - 1;
}

// The jail that an argument of -r means: of the file, or running by name or jid; one found running
// whose name is in the file is the file's (J3.6). Nothing: not found.
std::optional<size_t> find_target(const Options& options, const Index& index, Request& request,
                                  const std::string& word) {
  if (!options.ignore_file)
    if (auto job = configured_job(request, word)) return job;
  auto number = parse_int(word);
  const JailEntry* entry = index.by_name(word);
  if (!entry && number) entry = index.by_jid(*number);
  if (!entry) return std::nullopt;
  if (!options.ignore_file)
    if (auto job = configured_job(request, entry->name)) return job;
  return add_running(options, request, *entry);
}

// With -r a wildcard means configured jails, with -R running ones, in the order of their jids
// (J3.6).
void ask_matching(const Options& options, const Index& index, Request& request,
                  const std::string& wildcard) {
  if (options.ignore_file) {
    std::vector<JailEntry> entries = index.entries;
    std::ranges::sort(entries, {}, &JailEntry::jid);
    for (const JailEntry& entry : entries)
      if (wildcard_matches(wildcard, entry.name))
        ask(request, add_running(options, request, entry), Asked::all);
    return;
  }
  for (size_t i = 0; i < request.jobs.size(); ++i)
    if (request.configured[i] && wildcard_matches(wildcard, request.configured[i]->name)) {
      request.jobs[i].absent = !find_entry(index, request.jobs[i].spec);
      ask(request, i, Asked::all);
    }
}

// Puts the snapshots' `depend` in the place of today's, and adds the running jails that the file
// does not know.
void use_snapshots(const Options& options, const Index& index, Request& request) {
  for (const JailEntry& entry : index.entries) {
    std::optional<size_t> job = configured_job(request, entry.name);
    if (!job) job = add_running(options, request, entry);
    if (Result<Spec> snapshot = read_snapshot(entry))
      request.nodes[*job].depend = snapshot->depend.value_or(Words{});
  }
}

}  // namespace

Result<Request> request_removal(const Host& host, const Options& options) {
  Request request;
  Index index = TRY(read_index(host.places));
  bool have_file = false;
  if (!options.ignore_file && (options.conf == "-" || exists(options.conf))) {
    Result<Config> config = read_config(options);
    // Strict or not, a broken file must not choose which jails `*` means; but a jail that is named
    // can be stopped.
    const bool wild = std::ranges::any_of(
        options.arguments, [](const std::string& word) { return is_wildcard(word); });
    if (!config && (strict() || wild)) return std::unexpected(std::move(config.error()));
    if (config) {
      request.config = std::move(*config);
      have_file = true;
      add_configured(options, request);
    }
  }
  for (const std::string& word : options.arguments) {
    if (is_wildcard(word)) {
      ask_matching(options, index, request, word);
    } else if (auto job = find_target(options, index, request, word)) {
      ask(request, *job, Asked::named);
    } else {
      if (!options.quiet) print_errors({fmt::format("\"{}\" not found", word)});
      request.failed = true;
    }
  }
  // Order and dependents come from what the jails were started with, as all of a stop does
  // (doc/COMPAT.md); FreeBSD's from today's file.
  if (!strict() && !options.ignore_file) use_snapshots(options, index, request);
  const bool note = have_file || options.arguments.size() > 1 ||
                    is_wildcard(options.arguments[0]) || options.verbose;
  for (Job& job : request.jobs) {
    job.note_removal = note;
    job.no_hooks = options.ignore_file;
  }
  finish(request, have_file && strict());
  TRY(look_who_runs(index, request));
  return request;
}

// The jail has no configured name: messages bear none (J3.5). Of `depend` only is asked whether
// those jails run, so the graph has one node.
Result<Request> request_single(const Host& host, const Options& options, const Words& words) {
  Request request;
  request.config = from_words(words);
  print_messages(request.config.messages());
  if (request.config.rejected() || request.config.jails().empty()) return fail(EINVAL, "");
  const Jail& jail = request.config.jails()[0];
  if (jail.failed) return fail(EINVAL, "");
  Job job;
  job.talk = talk_of(options, "");
  job.relative_path = job.command_is_vector = true;
  job.old_record = options.old_style;
  job.record = jail_line(jail, "\t");
  Import import = import_jail(request.config, jail);
  job.spec.name = import.spec.name;
  job.spec.jid = import.spec.jid;
  const Index index = TRY(read_index(host.places));
  const JailEntry* entry = find_entry(index, job.spec);
  Item item{Do::start, Asked::named, Standing::fine,
            entry && (TRY(is_running(*entry)) || is_between_lives(*entry))};
  if (!entry && !job.spec.name && !job.spec.jid && !options.create)
    return fail(EINVAL, "no jail specified");
  if (item.running && entry) job.spec.jid = entry->jid;
  add(request, std::move(job), &jail, {"", {}}, item);
  for (const std::string& needed : import.spec.depend.value_or(Words{}))
    if (Result<FoundJail> found = find_running(needed); !found)
      return found.error().code == ESRCH
                 ? fail(ESRCH, fmt::format("depends on nonexistent jail \"{}\"", needed))
                 : std::unexpected(std::move(found.error()));
  finish(request, false);
  request.asked = {0};
  return request;
}

// All jails of the file are jobs, whichever were asked for: dependencies pull others in, and what
// is wrong with the order of the file is told in every run (J4.8).
Result<Request> request_configured(const Host& host, const Options& options) {
  Request request;
  request.config = TRY(read_config(options));
  const Index index = TRY(read_index(host.places));
  add_configured(options, request);
  finish(request, true);
  const std::string wanted = options.arguments.empty() ? "*" : options.arguments[0];
  for (size_t i = 0; i < request.jobs.size(); ++i) {
    const std::string_view name = request.configured[i]->name;
    if (is_wildcard(wanted) ? wildcard_matches(wanted, name) : name == wanted)
      request.asked.push_back(i);
  }
  if (request.asked.empty() && !is_wildcard(wanted))
    return fail(ESRCH, fmt::format("\"{}\" not found", wanted));
  for (size_t job : request.asked)
    request.items[job].asked = is_wildcard(wanted) ? Asked::all : Asked::named;
  TRY(look_who_runs(index, request));
  return request;
}

namespace {

// ip_hostname: the addresses of host.hostname are appended to ip4.addr and ip6.addr (J2.1).
Result<void> add_host_addresses(Spec& spec) {
  if (!spec.ip_hostname.value_or(false)) return {};
  const std::string name = spec.host_hostname.value_or("");
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (failed != 0)
    return fail(EINVAL, fmt::format("host.hostname {}: {}", name, gai_strerror(failed)));
  for (const addrinfo* one = found; one; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) !=
        0)
      continue;
    std::optional<Words>& list = one->ai_family == AF_INET ? spec.ip4_addr : spec.ip6_addr;
    if (!list) list = Words{};
    list->push_back(text);
  }
  freeaddrinfo(found);
  return {};
}

// The record of -J in the old style: path, host name, addresses, the words of the command (J3.8).
std::string old_record(const Spec& spec) {
  Words addresses = spec.ip4_addr.value_or(Words{});
  const Words six = spec.ip6_addr.value_or(Words{});
  addresses.insert(addresses.end(), six.begin(), six.end());
  Words command;
  for (const std::string& word : spec.command.value_or(Words{}))
    command.push_back(quote_value(word));
  return fmt::format("{}\t{}\t{}\t{}", spec.path.value_or(""), spec.host_hostname.value_or(""),
                     join(addresses, ","), join(command, " "));
}

// meta and env of the running jail, whose lines -m changes one by one.
Spec keys_of(const Spec& wanted) {
  Spec keys;
  Result<Index> index = read_index(places());
  const JailEntry* entry = index ? find_entry(*index, wanted) : nullptr;
  if (Result<Spec> shown = entry ? read_shown(*entry) : fail_errno("record", ENOENT)) {
    keys.meta = shown->meta;
    keys.env = shown->env;
  }
  return keys;
}

}  // namespace

bool prepare_job(void* context, size_t index, Step step) {
  Request& request = *static_cast<Request*>(context);
  Job& job = request.jobs[index];
  const Jail* jail = request.configured[index];
  if (!jail) return true;
  ImportOptions options;
  const bool modifies = step == Step::modify;
  if (modifies) options.onto = keys_of(job.spec);
  Import import = import_jail(request.config, *jail, options);
  // The stop half of a restart reads all: a broken file refuses the restart before its stop.
  const bool stops = step == Step::stop && request.items[index].what != Do::restart;
  if (stops && !strict()) {  // the snapshot counts; the file only says which jail is meant
    if (import.good()) job.spec = std::move(import.spec);
    return true;
  }
  // A stop looks at the commands' own values only (J4.1).
  if (stops)
    std::erase_if(import.messages,
                  [](const Message& message) { return message.stage == Stage::import; });
  Words texts;
  for (const Message& message : import.messages) texts.push_back(message.text);
  for (const std::string& text : shortened(texts)) job.talk.error(text);
  if (!import.good()) return false;
  const std::optional<int64_t> found_jid = job.spec.jid;
  job.spec = std::move(import.spec);
  follow_init(job.spec);
  if (!job.spec.jid && !job.configured) job.spec.jid = found_jid;
  if (!stops) {
    Result<void> resolved = add_host_addresses(job.spec);
    if (!resolved) job.talk.error(resolved.error().text);
    if (!resolved) return false;
  }
  job.fstab = std::move(import.fstab_lines);
  for (const Given& given : import.kernel)
    if (!modifies || given.param->access == Access::any)
      job.create_text += (job.create_text.empty() ? "" : " ") + given_text(given);
  if (job.configured) job.record = jail_line(*jail, "\t");
  if (job.old_record) job.record = old_record(job.spec);
  return true;
}

}  // namespace jail
