// A new option is a row of the table, its letter in parse_options(), and a line of the synopsis.
#include "cmd/options.h"

#include <algorithm>
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
    "       jail --recover [--forget] [jail ...]\n"
    "       jail --init jail word ...\n"
    "       jail --console[=mode] jail\n";

namespace {

enum Long : int {
  long_plan = 256,
  long_explain,
  long_check,
  long_recover,
  long_forget,
  long_init,
  long_console
};

constexpr option long_options[] = {
    {"plan", no_argument, nullptr, long_plan},
    {"explain", optional_argument, nullptr, long_explain},
    {"check", no_argument, nullptr, long_check},
    {"recover", no_argument, nullptr, long_recover},
    {"forget", no_argument, nullptr, long_forget},
    {"init", no_argument, nullptr, long_init},
    {"console", optional_argument, nullptr, long_console},
    {nullptr, 0, nullptr, 0},
};

// -q, -v and -i share one setting: the last one decides, but -i goes on printing jids (J3.1).
void set_loudness(Options& options, int letter) {
  options.quiet = letter != 'v';
  options.verbose = letter == 'v';
  options.bare_jids = options.bare_jids || letter == 'i';
}

// -u and -U say both halves, so that the last of them wins over the other (J3.1).
void add_user(Options& options, bool of_host) {
  options.shorthands.push_back(std::string("exec.jail_user=") + optarg);
  options.shorthands.push_back(of_host ? "exec.system_jail_user" : "exec.system_jail_user=false");
}

// An option and what it does; its argument is in optarg.
struct Row {
  int letter;
  void (*take)(Options&);
};
constexpr Row rows[] = {
    {'c', [](Options& options) { options.create = true; }},
    {'C', [](Options& options) { options.cleanup = true; }},
    {'d', [](Options& options) { options.dying = true; }},
    {'e',
     [](Options& options) {
       options.list = true;
       options.separator = optarg;
     }},
    {'f', [](Options& options) { options.conf = optarg; }},
    {'h', [](Options& options) { options.shorthands.emplace_back("ip_hostname"); }},
    {'i', [](Options& options) { set_loudness(options, 'i'); }},
    {'J', [](Options& options) { options.record = optarg; }},
    {'l', [](Options& options) { options.shorthands.emplace_back("exec.clean"); }},
    {'m', [](Options& options) { options.modify = true; }},
    {'n', [](Options& options) { options.shorthands.push_back(std::string("name=") + optarg); }},
    {'p',
     [](Options& options) {
       // What is no number means no limit (J3.1).
       const int64_t limit = parse_int(optarg).value_or(0);
       options.parallel = static_cast<size_t>(std::max<int64_t>(limit, 0));
     }},
    {'q', [](Options& options) { set_loudness(options, 'q'); }},
    {'R', [](Options& options) { options.remove = options.ignore_file = true; }},
    {'r', [](Options& options) { options.remove = true; }},
    {'s',
     [](Options& options) { options.shorthands.push_back(std::string("securelevel=") + optarg); }},
    {'u', [](Options& options) { add_user(options, true); }},
    {'U', [](Options& options) { add_user(options, false); }},
    {'v', [](Options& options) { set_loudness(options, 'v'); }},
    {long_plan, [](Options& options) { options.plan = true; }},
    {long_explain,
     [](Options& options) {
       options.explain = true;
       options.explain_json = optarg && std::string_view(optarg) == "json";
       options.misused = optarg && !options.explain_json;
     }},
    {long_check, [](Options& options) { options.check = true; }},
    {long_recover, [](Options& options) { options.recover = true; }},
    {long_forget, [](Options& options) { options.forget = true; }},
    {long_init, [](Options& options) { options.init = true; }},
    {long_console,
     [](Options& options) {
       options.console = true;
       if (optarg) options.console_mode = optarg;
       options.misused =
           optarg && options.console_mode != "read" && options.console_mode != "steal";
     }},
};

bool take(Options& options, int letter) {
  const Row* row = std::ranges::find(rows, letter, &Row::letter);
  if (row == std::end(rows)) return false;
  row->take(options);
  return !options.misused;
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
