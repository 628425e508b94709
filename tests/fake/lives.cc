#include "tests/fake/lives.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "conf/config.h"
#include "conf/import.h"
#include "plan/registry.h"

namespace jail::fake {

Host this_world() {
  return {places(), probe().value(), {}};
}

Job job_of(const std::string& conf, const std::string& name) {
  static std::string text;  // what the words of a configuration lie in
  text = conf;
  Config config = load_text("jail.conf", text);
  Job job;
  job.configured = true;
  job.talk.quiet = true;
  job.talk.name = name;
  job.spec.name = name;
  for (const Jail& jail : config.jails()) {
    if (jail.name != name) continue;
    Import import = import_jail(config, jail);
    if (!import.good()) bug("a test's configuration is wrong");
    job.spec = std::move(import.spec);
    job.fstab = std::move(import.fstab_lines);
  }
  return job;
}

bool start(const std::string& conf, const std::string& name) {
  Job job = job_of(conf, name);
  int64_t jid = 0;
  return start_jail(this_world(), job, &jid);
}

bool stop(const std::string& conf, const std::string& name) {
  Job job = job_of(conf, name);
  return stop_jail(this_world(), job);
}

bool modify(const std::string& conf, const std::string& name) {
  Job job = job_of(conf, name);
  return modify_jail(this_world(), job);
}

bool recover() {
  const Host host = this_world();
  Result<Index> index = read_index(host.places);
  bool good = index.has_value();
  for (const JailEntry& entry : index ? index->entries : std::vector<JailEntry>()) {
    Talk talk;
    talk.quiet = true;
    talk.name = entry.name;
    good = recover_jail(host, entry, talk) && good;
  }
  return prune_index(host.places, host.facts).has_value() && good;
}

std::string status_of(const std::string& name) {
  Result<Index> index = read_index(places());
  const JailEntry* entry = index ? index->by_name(name) : nullptr;
  if (!entry) return "absent";
  Result<Status> status = jail_status(entry->id);
  if (status) return status_word(*status);
  return status.error().code == ENOENT ? "absent" : status.error().text;
}

bool in_order(const Words& all, const Words& wanted) {
  size_t found = 0;
  for (const std::string& line : all)
    if (found < wanted.size() && line == wanted[found]) ++found;
  return found == wanted.size();
}

std::string everything(const std::string& path) {
  std::filesystem::create_directories(path + "/jail");
  return fmt::format(R"(web {{
  jid = 7; path = "{}/jail"; persist; vnet; vnet.interface = em1, ix0;
  exec.prepare = "say prepare"; exec.release = "say release";
  exec.prestart = "say prestart 1", "say prestart 2"; exec.poststop = "say poststop";
  exec.created = "say created"; exec.start = "daemon start"; exec.stop = "say stop";
  exec.poststart = "say poststart"; exec.prestop = "say prestop";
  mount = "tmpfs {}/jail/tmp tmpfs rw 0 0", "/srv {}/jail/srv unionfs rw 0 0"; mount.devfs; mount.procfs;
}}
)",
                     path, path, path);
}

}  // namespace jail::fake
