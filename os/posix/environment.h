// The environment of a command, made from ours and its user (J4.4, J5.6). Pure: neither environ nor
// any file is looked at. There is no login.conf(5) here: of a login class only the PATH is meant,
// and it is FreeBSD's default class's, on every system, so that a configuration means the same;
// /etc/login.defs, /etc/environment and PAM are never read.
#pragma once

#include <string>

#include "base/text.h"
#include "os/command.h"
#include "os/users.h"

namespace jail {

// The variables of a command as NAME=VALUE, without duplicates of what is set here. First
// `inherited` as it is; with identity.clean only its TERM, and PATH=/bin:/usr/bin. Then with a user
// (the one asked for, or with clean the current uid's) PATH of the login class (its ~ is the home),
// HOME, SHELL (/bin/sh if empty) and USER. Last of all identity.set. `user` is null where neither a
// user nor clean was asked for.
Words make_environment(const Words& inherited, const Identity& identity, const User* user);

// The value of a variable in such a list, or null. Points into the list.
const char* get_variable(const Words& environment, std::string_view name);

}  // namespace jail
