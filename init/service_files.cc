#include "init/service_files.h"

#include <algorithm>
#include <fcntl.h>

#include "base/file.h"
#include "conf/service_conf.h"
#include "conf/service_dir.h"
#include "init/jail_file.h"

namespace jail {

namespace {

constexpr char conf_path[] = "/etc/jinit.conf";
constexpr char directories_path[] = "/etc/service";
constexpr size_t most_entries = 4 * most_services;  // of a directory, whatever they are

// Whose tools are there.
struct Programs {
  bool sv = false, s6_svc = false;
};

Programs find_programs() {
  Programs there;
  for (const std::string directory :
       {"/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/", "/usr/local/bin/", "/command/"}) {
    there.sv |= is_in_jail(directory + "sv");
    there.s6_svc |= is_in_jail(directory + "s6-svc");
  }
  return there;
}

ServiceFiles look_into(const std::string& path, const Programs& there, Words& messages) {
  ServiceFiles files;
  files.run = is_in_jail(path + "/run");
  files.finish = is_in_jail(path + "/finish");
  files.down = is_in_jail(path + "/down");
  files.log = is_in_jail(path + "/log/run");
  files.runit = is_in_jail(path + "/check") || is_in_jail(path + "/control");
  files.sv = there.sv;
  files.s6_svc = there.s6_svc;
  for (const ServiceFile& file : service_files()) {
    Result<std::string> text = read_jail_file(concat({path, "/", file.name}), longest_service_file);
    if (!text && text.error().code != ENOENT && text.error().code != ENOTDIR)
      messages.push_back(std::move(text.error().text));
    if (text) files.*file.text = std::move(*text);
  }
  return files;
}

// One directory; with a logger, two services. What has no run is none, and no mistake.
void read_directory(const std::string& name, const std::string& path, const Programs& there,
                    ServiceSet& set) {
  ServiceFiles files = look_into(path, there, set.messages);
  if (!files.run) return;
  if (!is_service_name(name.substr(0, name.find('/'))))
    return set.messages.push_back(concat({path, ": not a name for a service"}));
  if (name.contains('/')) files.log = false;  // a logger has none
  Result<ServiceDirectory> read = read_service_directory(name, path, files);
  if (!read) return set.messages.push_back(concat({path, ": ", read.error().text}));
  for (const std::string& remark : read->remarks)
    set.messages.push_back(concat({path, "/", remark}));
  set.specs.push_back(std::move(read->spec));
  if (files.log) read_directory(name + "/log", path + "/log", there, set);
}

// At a reload all stays as it was: who comes first by name must not be what ends others.
void refuse_more(const std::string& path, ServiceSet& set) {
  set.readable = false;
  set.messages.push_back(concat({path, ": too many services"}));
}

void read_directories(const std::string& directories, ServiceSet& set) {
  const Programs there = find_programs();
  Result<Words> names = list_directory(AT_FDCWD, directories, false, most_entries);
  if (!names) {
    if (names.error().code == ENOENT && directories == directories_path) return;
    set.readable = false;
    set.messages.push_back(names.error().code == EFBIG ? concat({directories, ": too many entries"})
                                                       : std::move(names.error().text));
    return;
  }
  std::erase_if(*names, [](const std::string& name) { return name.starts_with('.'); });
  std::ranges::sort(*names);
  for (const std::string& name : *names) {
    if (set.specs.size() + 2 > most_services) return refuse_more(directories, set);
    read_directory(name, concat({directories, "/", name}), there, set);
  }
}

void read_conf(ServiceSet& set) {
  Result<std::string> text = read_jail_file(conf_path, longest_service_conf);
  if (!text) {
    if (text.error().code == ENOENT) return;
    set.readable = false;
    return set.messages.push_back(std::move(text.error().text));
  }
  Words others;
  for (const ServiceSpec& spec : set.specs) others.push_back(spec.name);
  ServiceConf conf = read_services(conf_path, std::move(*text), others);
  for (const Message& message : conf.messages) {
    set.messages.push_back(placed_text(message));
    if (message.stage == Stage::parse) set.readable = false;
  }
  std::vector<ServiceSpec> specs = std::move(conf.services);
  for (ServiceSpec& spec : set.specs) {
    const bool twice = std::ranges::find(specs, spec.name, &ServiceSpec::name) != specs.end();
    if (twice)
      set.messages.push_back(concat({spec.where, ": ", conf_path, " has ", spec.name, " too"}));
    else if (specs.size() < most_services)
      specs.push_back(std::move(spec));
    else if (set.readable)
      refuse_more(spec.where, set);
  }
  set.specs = std::move(specs);
}

}  // namespace

ServiceSet read_service_files(const std::string& directories) {
  ServiceSet set;
  read_directories(directories.empty() ? directories_path : directories, set);
  if (directories.empty()) read_conf(set);
  return set;
}

}  // namespace jail
