#include "init/script.h"

#include <array>
#include <fcntl.h>

#include "base/sys.h"
#include "init/console.h"
#include "init/single.h"
#include "os/adopt.h"
#include "os/process1.h"
#include "os/terminal.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): only glibc's header has it

namespace jail {

namespace {

Fd open_init_log() {
  return Fd(sys::openat(AT_FDCWD, "/var/log/init.log",
                        O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
}

// A session on the console, or one without a terminal. The ends of what process 1 holds are all
// close-on-exec.
void enter_session(const Birthplace& place) {
  if (place.console) {
    Result<Fd> slave = place.console->open_for_child();
    if (slave && open_session(place.console->master(), slave->get())) return;
  }
  sys::setsid();
  use_log();
}

char* const* vector_of(std::span<const std::string> words, std::span<char*> space) {
  size_t count = 0;
  for (const std::string& word : words)
    if (count + 1 < space.size()) space[count++] = const_cast<char*>(word.c_str());
  space[count] = nullptr;
  return space.data();
}

}  // namespace

void say_line(const Birthplace& place, std::initializer_list<std::string_view> pieces) {
  char line[600] = "init: ";
  size_t size = 6;
  for (std::string_view piece : pieces)
    size += piece.copy(line + size, sizeof line - 1 - size);  // room for the newline
  if (place.console) return place.console->say({line, size});
  line[size++] = '\n';
  const Fd log = open_init_log();
  if (log && sys::write(log.get(), line, size) < 0) return;  // nobody else hears it
}

void use_log() {
  const Fd nothing(sys::openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC));
  const Fd log = open_init_log();
  const int output = log ? log.get() : nothing.get();
  // Where the jail has none, the child keeps /dev/null as process 1 has it.
  if (nothing && sys::dup2(nothing.get(), 0) < 0) return;
  if (output >= 0 && (sys::dup2(output, 1) < 0 || sys::dup2(output, 2) < 0)) return;
}

pid_t start_script(const Birthplace& place, const Rc& rc, const char* argument, bool deaf) {
  const pid_t pid = bear(place.group);
  if (pid != 0) return pid;
  enter_session(place);
  for (int signal : {SIGTSTP, SIGHUP}) ::signal(signal, deaf ? SIG_IGN : SIG_DFL);
  for (int signal : {SIGTTIN, SIGTTOU}) ::signal(signal, SIG_IGN);
  char shell[] = "/bin/sh";
  char option[] = "-c";
  char* script = const_cast<char*>(rc.path.c_str());
  char* text = const_cast<char*>(rc.text);
  char* word = argument[0] != '\0' ? const_cast<char*>(argument) : nullptr;
  char* by_itself[] = {script, word, nullptr};
  char* by_shell[] = {shell, script, word, nullptr};
  char* ours[] = {shell, option, text, script, word, nullptr};
  if (rc.text) sys::execve(shell, ours, environ);
  if (!rc.text) sys::execve(script, by_itself, environ);
  if (deaf) sys::execve(shell, by_shell, environ);
  _exit(127);
}

pid_t start_shell(const Birthplace& place) {
  const pid_t pid = bear(place.group);
  if (pid != 0) return pid;
  enter_session(place);
  close_from(3);  // a person is waited for: nothing of process 1's stays open
  be_single_user();
}

pid_t start_session(const Birthplace& place, std::span<const std::string> words,
                    const std::string& term) {
  const pid_t pid = bear(place.group);
  if (pid != 0) return pid;
  sys::setsid();  // a getty of Linux takes its terminal only where it leads a session
  for (int signal : {SIGTTIN, SIGTTOU}) ::signal(signal, SIG_IGN);
  close_from(0);
  std::array<char*, 256> space;
  char* environment[] = {term.empty() ? nullptr : const_cast<char*>(term.c_str()), nullptr};
  sys::execve(words[0].c_str(), vector_of(words, space), environment);
  _exit(errno == ENOENT ? 127 : 126);
}

}  // namespace jail
