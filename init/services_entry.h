// jinit as any container's entry point with services: `jinit --services DIR` supervises all service
// directories beneath DIR, as s6-svscan(8) and runsvdir(8) do, whether it is process 1 or not. What
// they write goes where jinit's own output goes, unless they have loggers.
#pragma once

namespace jail {

// All of it. TERM and INT end all services in their order, and it returns the status 0 when they
// are down; a second one kills what is left of them. HUP reads DIR again: new ones are started,
// those that are gone are ended. 125 where it cannot begin, after a line on standard error.
int run_services(const char* directory);

}  // namespace jail
