#include "init/program.h"

#include <signal.h>

#include "base/sys.h"
#include "os/handed.h"
#include "os/terminal.h"

namespace jail {

void become_program(const std::string& path) {
  if (isatty(handed::console) == 1)
    if (Result<Fd> slave = open_slave(handed::console, "/dev/console"); slave)
      ignore(use_terminal(slave->get()), "it is not heard then");
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  char container[] = "container=cellblock", home[] = "HOME=/root", term[] = "TERM=vt220";
  char search[] = "PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";
  char* environment[] = {container, search, home, term, nullptr};
  char* words[] = {const_cast<char*>(path.c_str()), nullptr};
  sys::execve(path.c_str(), words, environment);
}

}  // namespace jail
