#include "os/posix/environment.h"

#include <algorithm>

namespace jail {
namespace {

// What exec.clean begins with, and the PATH of login.conf(5)'s class `default` (J4.4).
constexpr const char* clean_path = "/bin:/usr/bin";
constexpr const char* class_path =
    "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:";  // and ~/bin

bool is_of(const std::string& variable, std::string_view name) {
  return variable.size() > name.size() && variable[name.size()] == '=' &&
         variable.starts_with(name);
}

void set(Words& environment, std::string_view name, std::string_view value) {
  std::erase_if(environment, [&](const std::string& variable) { return is_of(variable, name); });
  environment.push_back(std::string(name).append("=").append(value));
}

}  // namespace

const char* get_variable(const Words& environment, std::string_view name) {
  auto found =
      std::ranges::find_if(environment, [&](const auto& word) { return is_of(word, name); });
  return found == environment.end() ? nullptr : found->c_str() + name.size() + 1;
}

Words make_environment(const Words& inherited, const Identity& identity, const User* user) {
  Words environment = identity.clean ? Words() : inherited;
  if (identity.clean) {
    set(environment, "PATH", clean_path);
    if (const char* term = get_variable(inherited, "TERM")) set(environment, "TERM", term);
  }
  if (user) {
    set(environment, "PATH", class_path + user->home + "/bin");
    set(environment, "HOME", user->home);
    set(environment, "SHELL", user->shell.empty() ? "/bin/sh" : user->shell);
    set(environment, "USER", user->name);
  }
  for (const std::string& variable : identity.set) {
    size_t equals = variable.find('=');
    if (equals == std::string::npos) continue;  // our own words always have one
    set(environment, variable.substr(0, equals), variable.substr(equals + 1));
  }
  return environment;
}

}  // namespace jail
