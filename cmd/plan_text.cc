#include "cmd/plan_text.h"

#include <cstdio>
#include <fmt/format.h>

#include "base/file.h"
#include "conf/import.h"
#include "ledger/ledger.h"
#include "plan/init.h"
#include "plan/plan.h"

namespace jail {

namespace {

// What a start would do: ids are drawn when it happens, so a plan shows ID in their place.
Result<void> print_start(const Host& host, const Job& job) {
  Site site;
  site.id = "ID";
  site.jid = job.spec.jid.value_or(0);
  site.path = job.spec.path.value_or("/");
  site.group = host.places.base + "/ID";
  site.fstab = job.fstab;
  Plan plan = TRY(plan_start(job.spec, host.facts, site));
  for (const Op& op : plan.ops) {
    (void)printf("    %s\n", text_of(op).c_str());
    if (op.verb != "boot") continue;
    for (const Op& inner : plan.boot) (void)printf("        %s\n", text_of(inner).c_str());
  }
  for (const std::string& remark : plan.remarks) job.talk.remark(remark);
  return {};
}

// What a stop would undo: the open acts of the ledger, newest first.
Result<void> print_stop(const Host& host, const Job& job) {
  Index index = TRY(read_index(host.places));
  const JailEntry* entry = find_entry(index, job.spec);
  if (!entry) return fail(ENOENT, "not found");
  Ledger ledger = TRY(read_ledger(entry->id));
  for (auto act = ledger.acts().rbegin(); act != ledger.acts().rend(); ++act)
    if (act->open) (void)printf("    undo %s\n", text_of(act->op).c_str());
  return {};
}

// Depth first, without recursion: a chain may be as long as the file. Jails that need nothing done
// are left out.
void add_needed(const Request& request, size_t first, std::vector<bool>& seen,
                std::vector<size_t>& order) {
  struct Step {
    size_t job, edge;  // the next of its edges
  };
  std::vector<Step> path;
  auto go_to = [&](size_t job) {
    if (!seen[job]) path.push_back({job, 0});
    seen[job] = true;
  };
  go_to(first);
  while (!path.empty()) {
    Step& at = path.back();
    const bool stops = request.items[at.job].what == Do::stop;
    const auto& edges = stops ? request.graph.needed_by[at.job] : request.graph.needs[at.job];
    if (at.edge == edges.size()) {
      order.push_back(at.job);
      path.pop_back();
      continue;
    }
    const Edge& edge = edges[at.edge++];
    if (!edge.loop && request.items[edge.job].running == stops) go_to(edge.job);
  }
}

}  // namespace

std::vector<size_t> planned_jobs(Request& request) {
  std::vector<bool> seen(request.jobs.size());
  std::vector<size_t> order;
  bool settled = false;  // once, and none is left that has nothing to do
  for (size_t job : request.asked) {
    const Do what = request.items[job].what;
    if (!settled && (what == Do::stop || what == Do::start)) {
      for (Item& item : request.items)
        if (item.what == Do::nothing) item.what = what;
      settled = true;
    }
    add_needed(request, job, seen, order);
  }
  return order;
}

// A modification has no acts: the line that -v would print stands for it. One job's error hides no
// other's plan.
int print_plans(const Host& host, Request& request) {
  int status = request.failed ? 1 : 0;
  for (size_t index : planned_jobs(request)) {
    Job& job = request.jobs[index];
    const Do what = request.items[index].what;
    const Step step = what == Do::stop     ? Step::stop
                      : what == Do::modify ? Step::modify
                                           : Step::start;
    if (!prepare_job(&request, index, step)) {
      status = 1;
      continue;
    }
    const std::string name = job.spec.name.value_or(fmt::format("{}", job.spec.jid.value_or(0)));
    if (what == Do::modify) {
      (void)printf("%s: modify\n    jail_set(JAIL_UPDATE) %s\n", name.c_str(),
                   job.create_text.c_str());
      continue;
    }
    for (bool stop : {true, false}) {
      if (what != Do::restart && stop != (what == Do::stop)) continue;
      (void)printf("%s: %s\n", name.c_str(), stop ? "stop" : "start");
      Result<void> printed = stop ? print_stop(host, job) : print_start(host, job);
      if (printed) continue;
      job.talk.error(printed.error().text);
      status = 1;
    }
  }
  return status;
}

bool needs_restart(const Host& host, Request& request, size_t job) {
  const Jail* jail = request.configured[job];
  Result<Index> index = read_index(host.places);
  const JailEntry* entry = index ? find_entry(*index, request.jobs[job].spec) : nullptr;
  Result<Spec> shown = entry ? read_shown(*entry) : fail_errno("record", ENOENT);
  if (!jail || !shown) return false;
  Import import = import_jail(request.config, *jail);
  follow_init(import.spec);
  return create_only_change(*shown, import.spec) != nullptr;
}

bool gives_dying(const Request& request) {
  for (const Jail* jail : request.configured)
    if (jail && gives_dying(*jail)) return true;
  return false;
}

}  // namespace jail
