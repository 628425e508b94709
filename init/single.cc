#include "init/single.h"

#if __has_include(<crypt.h>)  // elsewhere unistd.h has it
#include <crypt.h>
#endif
#include <optional>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <unistd.h>

#include "base/sys.h"
#include "base/text.h"
#include "init/jail_file.h"
#include "sup/ttys.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): only glibc's header has it

namespace jail {

namespace {

constexpr size_t longest_file = 10U << 20, longest_line = 127;
constexpr const char* usual_shell = "/bin/sh";

void show(std::string_view text) {
  if (sys::write(2, text.data(), text.size()) < 0) _exit(1);  // nobody is there
}

std::string text_of(const char* path) {
  Result<std::string> text = read_jail_file(path, longest_file);
  return text ? std::move(*text) : std::string();
}

// Nothing at the end of input; what is too long is cut.
std::optional<std::string> read_line() {
  std::string line;
  line.reserve(longest_line);  // one place for all of a password
  ssize_t size;
  char byte = 0;
  while ((size = sys::read(0, &byte, 1)) == 1 && byte != '\n')
    if (line.size() < longest_line) line += byte;
  if (size != 1 && line.empty()) return std::nullopt;
  return line;
}

// The fields of root's entry in a file of passwd(5)'s kind; none: it has no entry.
Words entry_of_root(const char* path) {
  for (const std::string& line : split(text_of(path), "\n"))
    if (line.starts_with("root:")) return split_exact(line, ':');
  return {};
}

std::string password_of_root() {
  Words entry = entry_of_root("/etc/passwd");
  if (entry.size() < 2) return "";
  if (entry[1] != "x" && entry[1] != "*") return entry[1];
  for (const char* path : {"/etc/shadow", "/etc/master.passwd"})
    if (Words other = entry_of_root(path); other.size() > 1) return other[1];
  return entry[1];
}

std::optional<std::string> read_password() {
  termios modes, silent;
  const bool terminal = sys::tcgetattr(0, &modes) == 0;
  silent = modes;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  if (terminal && sys::tcsetattr(0, TCSAFLUSH, &silent) != 0) _exit(1);
  show("Password:");
  std::optional<std::string> line = read_line();
  if (terminal && sys::tcsetattr(0, TCSANOW, &modes) != 0) _exit(1);
  show("\n");
  return line;
}

// Returns when it was right.
void ask_password(const std::string& password) {
  show("Enter root password, or ^D to go multi-user\n");
  crypt_data space{};  // 32 kB, which crypt(3) would have in process 1 for good
  for (;;) {
    std::optional<std::string> line = read_password();
    if (!line || line->empty()) _exit(0);
    const char* made = crypt_r(line->c_str(), password.c_str(), &space);
    explicit_bzero(line->data(), line->size());
    if (made && made == password) return;
    show("init: single-user login failed\n");
  }
}

std::string ask_shell() {
  show(concat({"Enter full pathname of shell or RETURN for ", usual_shell, ": "}));
  const std::string line = read_line().value_or("");
  return line.empty() ? usual_shell : line;
}

void execute(const std::string& shell) {
  char name[] = "-sh";
  char* words[] = {name, nullptr};
  sys::execve(shell.c_str(), words, environ);
  show(concat({"init: can't exec ", shell, " for single user: ", strerror(errno), "\n"}));
}

}  // namespace

void be_single_user() {
  if (!console_is_secure(text_of("/etc/ttys")))
    if (const std::string password = password_of_root(); !password.empty()) ask_password(password);
  const std::string shell = ask_shell();
  const Words entry = entry_of_root("/etc/passwd");
  const std::string home = entry.size() > 5 ? entry[5] : "/root";
  const bool at_home = sys::chdir(home.c_str()) == 0;
  if (setenv("HOME", at_home ? home.c_str() : "/", 1) != 0) _exit(127);
  execute(shell);
  if (shell != usual_shell) execute(usual_shell);
  _exit(127);
}

}  // namespace jail
