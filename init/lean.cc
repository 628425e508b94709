// What the program jinit has in the place of libstdc++'s exceptions, which it never throws. Linked,
// they bring their reserve for times without memory (73 kB, two pages of them in use from the
// start), the unwinder and the demangler: half of a jinit's own memory and a third of its text.
// So new and delete are the loop that [new.delete.single] prescribes without its throw, and what
// the headers call to throw (libstdc++'s names) is a bug. Part of the program only: tests link the
// layer.
#include <new>
#include <stdlib.h>

#include "base/result.h"

// NOLINTBEGIN(cppcoreguidelines-no-malloc): this is what the others stand on
void* operator new(size_t size) {
  for (;;) {
    if (void* memory = malloc(size == 0 ? 1 : size)) return memory;
    const std::new_handler handler = std::get_new_handler();
    if (!handler) jail::bug("out of memory");
    handler();
  }
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
