#include "plan/attach.h"

#include <fmt/format.h>
#include <unistd.h>

#include "os/users.h"
#include "plan/lifecycle.h"
#include "plan/registry.h"

namespace jail {
namespace {

// A user who is not there is found out before the jail is looked for (J5.6, steps 2 and 3).
Result<void> check_user(const Attach& attach) {
  if (!attach.user_of_host || (!attach.user && !attach.clean)) return {};
  auto found = attach.user ? host_user(*attach.user) : host_user(getuid());
  std::string who = attach.user ? *attach.user : fmt::format("{}", getuid());
  if (!found) return std::unexpected(std::move(found.error()).in(who));
  if (*found) return {};
  return fail(ENOENT, attach.user ? who + ": no such user" : "unknown uid: " + who);
}

}  // namespace

Result<int> attach(const Attach& attach) {
  TRY(this_host());  // a hook's jexec comes from the view
  TRY(check_user(attach));
  // jid 0 is the host, which nobody can attach to.
  if (parse_int(attach.jail) == 0) return fail_errno("jail_attach(0)", EINVAL);
  FoundJail found = TRY(find_running(attach.jail));
  // jexec(8) words its errors otherwise than jail(8) does, down to the colons.
  Command command{.argv = attach.argv,
                  .identity = {.user = attach.user.value_or(""),
                               .user_of_host = attach.user_of_host,
                               .clean = attach.clean,
                               .set = {}},
                  .inside = found.inside(),
                  .directory = attach.directory.value_or(""),
                  .fail_prefix = "jexec: ",
                  .texts = {.attach = fmt::format("jail_attach({})", found.jid),
                            .directory = "chdir():",
                            .home = "chdir:",
                            .exec = "execvp:",
                            .shell = "execlp:",
                            .unknown_uid = "unknown uid:"}};
  return relay_command(command);
}

}  // namespace jail
