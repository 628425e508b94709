#include "cmd/options.h"

#include <getopt.h>

namespace jail {

const char* const usage_text =
    "usage: jail [-dhilqv] [-J jid_file] [-u username | -U username]\n"
    "            -[cmr] param=value ... [command=command ...]\n"
    "       jail [-dqv] [-f file] [-p limit] [-J jid_file] -[Ccmr] [jail]\n"
    "       jail [-qv] [-f file] -rR ['*' | jail ...]\n"
    "       jail [-dhilqv] [-J jid_file] [-u username | -U username]\n"
    "            [-n jailname] [-s securelevel]\n"
    "            path hostname [ip[,...]] command ...\n"
    "       jail [-f file] -e separator\n"
    "       jail [-f file] --plan -c | -r [jail]\n"
    "       jail [-f file] --explain[=json] [jail]\n"
    "       jail --check file\n"
    "       jail --recover [--forget] [jail ...]\n";

namespace {

enum Long : int { long_plan = 256, long_explain, long_check, long_recover, long_forget };

constexpr option long_options[] = {
    {"plan", no_argument, nullptr, long_plan},
    {"explain", optional_argument, nullptr, long_explain},
    {"check", no_argument, nullptr, long_check},
    {"recover", no_argument, nullptr, long_recover},
    {"forget", no_argument, nullptr, long_forget},
    {nullptr, 0, nullptr, 0},
};

// -q, -v and -i share one setting: the last one decides, but -i goes on printing jids (J3.1).
void set_loudness(Options& options, int letter) {
  options.quiet = letter != 'v';
  options.verbose = letter == 'v';
  options.bare_jids = options.bare_jids || letter == 'i';
}

void add_user(Options& options, bool of_host) {
  options.shorthands.push_back(std::string("exec.jail_user=") + optarg);
  options.shorthands.push_back(of_host ? "exec.system_jail_user" : "exec.system_jail_user=false");
}

bool take(Options& options, int letter) {
  switch (letter) {
    case 'c':
      return options.create = true;
    case 'C':
      return options.cleanup = true;
    case 'd':
      return options.dying = true;
    case 'e':
      options.separator = optarg;
      return options.list = true;
    case 'f':
      options.conf = optarg;
      return options.conf_given = true;
    case 'h':
      options.shorthands.push_back("ip_hostname");
      return true;
    case 'J':
      options.record = optarg;
      return true;
    case 'l':
      options.shorthands.push_back("exec.clean");
      return true;
    case 'm':
      return options.modify = true;
    case 'n':
      options.shorthands.push_back(std::string("name=") + optarg);
      return true;
    case 'p':
      options.parallel = static_cast<size_t>(std::max<int64_t>(parse_int(optarg).value_or(0), 0));
      return true;
    case 'i':
    case 'q':
    case 'v':
      set_loudness(options, letter);
      return true;
    case 'R':
      options.ignore_file = true;
      return options.remove = true;
    case 'r':
      return options.remove = true;
    case 's':
      options.shorthands.push_back(std::string("securelevel=") + optarg);
      return true;
    case 'u':
      add_user(options, true);
      return true;
    case 'U':
      add_user(options, false);
      return true;
    case long_plan:
      return options.plan = true;
    case long_explain:
      options.explain_json = optarg && std::string_view(optarg) == "json";
      options.explain = true;
      return !optarg || options.explain_json;
    case long_check:
      return options.check = true;
    case long_recover:
      return options.recover = true;
    case long_forget:
      return options.forget = true;
    default:
      return false;
  }
}

}  // namespace

Result<Options> parse_options(int count, char** words) {
  Options options;
  opterr = 0;
  optind = 1;
  // The leading + keeps getopt_long from looking for options among the words of the jailed command.
  for (int letter; (letter = getopt_long(count, words, "+cCde:f:hiJ:lmn:p:qrRs:u:U:v", long_options,
                                         nullptr)) != -1;)
    if (!take(options, letter)) return fail(EINVAL, usage_text);
  options.arguments.assign(words + optind, words + count);
  return options;
}

}  // namespace jail
