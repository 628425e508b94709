// Fuzzer of sysvinit's requests: what others write to the FIFO /run/initctl, in pieces of any size.
// Each read takes something until there is nothing left, and what a request asks for is what the
// machine takes in any of its states.
#include <cstdint>
#include <cstdlib>

#include "base/sys.h"
#include "init/initctl.h"
#include "os/process1.h"
#include "sup/request.h"

namespace {

void must(bool good) {
  if (!good) std::abort();
}

bool is_level(jail::InitEvent event) {
  for (const jail::RequestWord& level : jail::initctl_levels())
    if (level.event == event) return true;
  return false;
}

size_t left_in(int fd) {
  int bytes = 0;
  must(jail::sys::ioctl(fd, FIONREAD, &bytes) == 0);
  return static_cast<size_t>(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const jail::Pipe pipe = jail::make_pipe();
  if (!pipe.read) return 0;
  jail::Machine machine;
  for (size_t at = 0; at < size; at += 1024) {
    const size_t piece = std::min<size_t>(1024, size - at);
    if (jail::sys::write(pipe.write.get(), data + at, piece) < 0) break;
    for (size_t left; (left = left_in(pipe.read.get())) > 0;) {
      if (const std::optional<jail::InitEvent> event = jail::read_initctl(pipe.read.get())) {
        must(is_level(*event));
        machine = jail::next(machine, *event, 0).machine;
      }
      must(left_in(pipe.read.get()) < left);
    }
  }
  must(!jail::read_initctl(pipe.read.get()));
  return 0;
}
