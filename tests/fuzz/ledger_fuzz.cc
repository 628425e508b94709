// Fuzzer of the ledger's reader: any bytes are taken; what is understood, written again through the
// functions that write a ledger, reads the same.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "ledger/ledger.h"

namespace {

void must(bool good) {
  if (!good) std::abort();
}

bool same(const jail::Ledger& one, const jail::Ledger& other) {
  if (one.head() != other.head() || one.mark() != other.mark()) return false;
  if (one.acts().size() != other.acts().size()) return false;
  for (size_t i = 0; i < one.acts().size(); ++i) {
    const jail::Act &left = one.acts()[i], &right = other.acts()[i];
    if (left.op != right.op || left.yield != right.yield || left.done != right.done ||
        left.open != right.open)
      return false;
  }
  return true;
}

// The directory that the ledgers are written in.
int directory() {
  static char path[] = "/tmp/ledger_fuzz.XXXXXX";
  static const int fd = [] {
    must(mkdtemp(path) != nullptr);
    must(atexit([] {
           (void)unlink((std::string(path) + "/ledger").c_str());
           (void)rmdir(path);
         }) == 0);
    return open(path, O_RDONLY | O_DIRECTORY);
  }();
  return fd;
}

// Closed acts are struck before the next is announced, as an engine does it: of two equal acts only
// one is ever open.
void write_again(const jail::Ledger& read) {
  (void)unlinkat(directory(), "ledger", 0);
  jail::Ledger written = jail::Ledger::create(directory(), read.head(), false).value();
  for (const jail::Act& act : read.acts()) {
    size_t place = written.begin(act.op, false).value();
    if (act.done) must(written.done(place, act.yield).has_value());
    if (!act.open) written.undone(place);
  }
  if (!read.mark().empty()) must(written.set_mark(read.mark()).has_value());
  must(same(written, read));
  must(same(jail::Ledger::open(directory(), false).value(), read));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  jail::Result<jail::Ledger> ledger = jail::Ledger::parse(text);
  if (!ledger) {
    must(ledger.error().code == EINVAL && ledger.error().text.find('\n') == std::string::npos);
    return 0;
  }
  must(!ledger->any_open() || !ledger->acts().empty());
  write_again(*ledger);
  return 0;
}
