// supervise/ and event/ in the directory of a service: what s6-svc, s6-svstat, s6-svwait, s6-svok
// and sv look into and write to (sup/supervisor_tools.h). Nothing there is followed, read or
// written that somebody else than we may have laid out: whoever could do that could have process 1
// write anywhere. Allocates when it is laid out only.
#pragma once

#include <span>
#include <string_view>
#include <time.h>

#include "base/fd.h"
#include "base/result.h"
#include "sup/supervisor_tools.h"

namespace jail {

class ServiceTools {
 public:
  static constexpr size_t letters_most = 64;  // taken at a time

  ServiceTools() = default;
  // Makes what is missing in the directory spec.where, and takes its lock. Links are followed as
  // long as they, and what they lead to, are our own: supervise/ often is one, to below /run.
  // Error: "PATH: why"; nothing is served then.
  static Result<ServiceTools> lay_out(const ServiceSpec& spec, const ServiceLife& life);

  explicit operator bool() const { return static_cast<bool>(control_); }
  // Whether that is the directory of now, and the tools are the same.
  bool fits(const ServiceSpec& spec) const;
  // Readable when a tool has sent something; never at its end, since we have its other end too.
  int control() const { return control_.get(); }
  // What came, unread before; perhaps nothing.
  std::span<const char> hear(std::span<char, letters_most> space) const;
  ToolMarks& marks() { return marks_; }

  // Brings the files up to date, and tells who waits at event/.
  void show(const ServiceSpec& spec, const ServiceLife& life);
  // ./down is made, or removed.
  void mark_down(bool down) const;
  // The service is supervised no more: whoever waits for that hears it.
  void let_go();

 private:
  void write_status(const ServiceSpec& spec, const ServiceLife& life) const;
  void count_death(const ServiceSpec& spec, ExitStatus status) const;
  void notify(char letter) const;
  bool write_file(const char* name, std::string_view text) const;

  ToolMarks marks_;
  Tools kind_ = Tools::none;
  Fd home_, supervise_, event_, lock_, control_, ok_;
};

}  // namespace jail
