// jexec(8): run a command in a jail. Options as FreeBSD's, in its order: the first word that is no
// option ends them, so those of the command stay the command's.
#include <cstdio>
#include <cstdlib>
#include <getopt.h>

#include "plan/attach.h"

namespace {

[[noreturn]] void usage() {
  std::fputs(
      "usage: jexec [-l] [-d working-directory] [-u username | -U username] jail [command ...]\n",
      stderr);
  std::exit(1);
}

[[noreturn]] void give_up(const jail::Error& error) {
  std::fprintf(stderr, "jexec: %s\n", error.text.c_str());
  std::exit(1);
}

jail::Attach read_options(int argc, char** argv) {
  jail::Attach attach;
  bool host = false, inside = false;
  const option none[] = {{nullptr, 0, nullptr, 0}};
  for (int letter; (letter = getopt_long(argc, argv, "+d:lnu:U:", none, nullptr)) != -1;) {
    if (letter == 'd') attach.directory = optarg;
    if (letter == 'l') attach.clean = true;
    if (letter == 'u' || letter == 'U') attach.user = optarg;
    if (letter == 'u') host = true;
    if (letter == 'U') inside = true;
    if (letter == '?') usage();
  }
  if (optind == argc || (host && inside)) usage();
  attach.user_of_host = !inside;
  attach.jail = argv[optind];
  attach.argv.assign(argv + optind + 1, argv + argc);
  return attach;
}

}  // namespace

int main(int argc, char** argv) {
  jail::Result<int> status = jail::attach(read_options(argc, argv));
  if (!status) give_up(status.error());
  // As if the command had been in our place: its status, or its signal.
  jail::end_like(*status);
}
