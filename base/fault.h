// Fault points: places that can be told to fail, so that the failure is tried and not only written.
// Compiled in with CELLBLOCK_FAULTS (the dev preset); without it nothing of them remains.
#pragma once

namespace jail {

#ifdef CELLBLOCK_FAULTS
// Counts the system calls made through the doors (base/sys.h, os/*/abi.h) in this process and its
// children by fork. The environment says which one fails: CELLBLOCK_FAULT=N:ERRNO, the N-th from 1
// in the process that was started (or CELLBLOCK_FAULT=N:kill, which ends the process there with
// SIGKILL); ERRNO is a name or a number. CELLBLOCK_FAULT_LOG=FILE appends "N NAME" for every call
// counted. Both variables are read and removed by the first call: what a process executes starts
// without them. True: the call is not made and errno is set; false leaves errno as it was.
// Variables that make no sense end the program. `name` is the wrapper's, at most 100 bytes of it
// are logged.
bool fault_point(const char* name);
#else
constexpr bool fault_point(const char* /*name*/) {
  return false;
}
#endif

}  // namespace jail
