// The names in a directory, for those who may not allocate.
#pragma once

#include <span>
#include <stddef.h>

namespace jail {

// The next names in the open directory `directory` but "." and "..", one behind the other in
// `space`, each with its NUL. Yields how many bytes that are; 0: no more, or an error. Who begins
// anew opens the directory anew.
size_t next_names(int directory, std::span<char> space);

}  // namespace jail
