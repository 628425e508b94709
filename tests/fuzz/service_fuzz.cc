// Fuzzes jinit.conf, the files of service directories, and what becomes of them: any bytes are
// taken, what is read keeps its promises, and services that anybody could write start and stop.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "conf/service_conf.h"
#include "conf/service_dir.h"
#include "conf/service_params.h"
#include "sup/supervisor.h"

namespace {

using Kind = jail::ServiceOrder::Kind;

void must(bool good) {
  if (!good) std::abort();
}

void check(const jail::ServiceSpec& spec) {
  must(!spec.name.empty() && spec.name.find('\n') == std::string::npos);
  must(!spec.command.empty() && !spec.command[0].empty());
  must(spec.ready >= jail::ready_at_exit && spec.ready <= 1023);
  must(spec.stop_signal >= 1 && spec.stop_signal <= 64);
  must(spec.ready_timeout >= 0 && spec.restart_delay >= 0 && spec.restart_period > 0);
  must(spec.umask >= 0 && spec.umask <= 0777 && spec.log_max_size >= 0);
  for (const std::string& line : spec.environment) must(line.find('=') + 1 > 1);
  for (const jail::ResourceLimit& limit : spec.limits) must(limit.soft <= limit.hard);
}

// Everything starts, crashes once, and stops; nothing may go on without end.
void live(std::vector<jail::ServiceSpec> specs) {
  jail::Supervisor supervisor(std::move(specs));
  const size_t count = supervisor.size();
  size_t orders = 0;
  int last_pid = 1;
  auto obey = [&] {
    while (auto order = supervisor.take()) {
      must(++orders < 200 * (count + 1));
      if (order->kind == Kind::run || order->kind == Kind::finish)
        supervisor.started(order->service, ++last_pid, 0);
    }
  };
  supervisor.start_all(0);
  obey();
  for (const jail::ExitStatus status : {jail::ExitStatus{.code = 1}, jail::ExitStatus{}}) {
    for (size_t i = 0; i < count; ++i) {
      if (int pid = supervisor.life(i).pid; pid != 0) must(supervisor.ended(pid, status, 0));
      obey();
    }
    supervisor.stop_all(0);
    obey();
  }
  for (size_t round = 0; round <= 2 * count && !supervisor.all_down(); ++round) {
    for (size_t i = 0; i < count; ++i) {
      if (int pid = supervisor.life(i).pid; pid != 0) must(supervisor.ended(pid, {}, 0));
      obey();
    }
  }
  must(supervisor.all_down() && supervisor.deadline() == jail::ServiceLife::never);
  for (size_t i = 0; i < count; ++i) must(supervisor.reason(i).find('\n') == std::string::npos);
}

void read_directory(const std::string& text) {
  jail::ServiceFiles files{.run = true, .finish = true, .log = true};
  for (const jail::ServiceFile& file : jail::service_files())
    if (file.text != &jail::ServiceFiles::type) files.*file.text = text;
  auto found = jail::read_service_directory("a", "/a", files);
  must(found.has_value());
  check(found->spec);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  read_directory(text);
  jail::ServiceConf conf = jail::read_services("fuzz", text);
  for (const jail::Message& message : conf.messages) must(!jail::placed_text(message).empty());
  for (const jail::ServiceSpec& spec : conf.services) check(spec);
  if (conf.services.size() <= 64) live(std::move(conf.services));
  return 0;
}
