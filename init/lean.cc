// What the program jinit has in the place of libstdc++'s exceptions, which it never throws. Linked,
// they bring their reserve for times without memory (73 kB, two pages of them in use from the
// start), the unwinder and the demangler: half of a jinit's own memory and a third of its text.
// So new is the loop that [new.delete.single] prescribes with a handler of its own, and what
// the headers call to throw (libstdc++'s names) is a bug. Part of the program only: tests link the
// layer.
#include <new>
#include <stdlib.h>

#include "base/result.h"
#include "base/sys.h"
#include "os/process1.h"

// NOLINTBEGIN(cppcoreguidelines-no-malloc): this is what the others stand on
namespace {

// What malloc asks the kernel for at a time is up to 1 MB and what is needed.
constexpr size_t ballast_size = 1280 << 10;
constexpr int retry_pause = 100;  // ms

void* ballast = nullptr;

// Process 1 does not die of memory: what is needed now comes from the ballast, and where that has
// gone, we wait until there is some again. What may be big asks before (init/jail_file.h).
void find_memory() {
  if (ballast)
    jail::let_memory_go(ballast, ballast_size);
  else
    jail::sys::poll(nullptr, 0, retry_pause);
  ballast = nullptr;
}

}  // namespace

void* operator new(size_t size) {
  void* memory;
  while (!(memory = malloc(size == 0 ? 1 : size))) find_memory();
  if (!ballast) ballast = jail::keep_memory(ballast_size);
  return memory;
}

void operator delete(void* memory) noexcept {
  free(memory);
}

void operator delete(void* memory, size_t /*size*/) noexcept {
  free(memory);
}
// NOLINTEND(cppcoreguidelines-no-malloc)

#ifdef __GLIBCXX__
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl58-cpp): the library's own names
namespace std {

void __throw_bad_alloc() {
  jail::bug("bad_alloc");
}

void __throw_bad_array_new_length() {
  jail::bug("bad_array_new_length");
}

void __throw_length_error(const char* what) {
  jail::bug(what);
}

void __throw_logic_error(const char* what) {
  jail::bug(what);
}

void __throw_out_of_range_fmt(const char* what, ...) {
  jail::bug(what);
}

}  // namespace std
// NOLINTEND(bugprone-reserved-identifier,cert-dcl58-cpp)
#endif
