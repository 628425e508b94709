// jls(8): list jails (J5.1). Options as FreeBSD's and in its order; --libxo is taken out first,
// wherever it stands.
#include <cstdio>
#include <cstdlib>
#include <getopt.h>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "cmd/listing.h"
#include "conf/config.h"
#include "plan/attach.h"

namespace {

using jail::Listed;

struct Options {
  jail::XoOptions xo;
  jail::View view;
  bool dying = false, check = false;
  std::optional<std::string> jail;
  jail::Words parameters;
};

[[noreturn]] void usage() {
  std::fputs(
      "usage: jls [-dhNnqsv] [--libxo options] [-j jail] [parameter ...]\n"
      "       jls -c [-d] -j jail\n",
      stderr);
  std::exit(1);
}

[[noreturn]] void give_up(const std::string& text) {
  std::fprintf(stderr, "jls: %s\n", text.c_str());
  std::exit(1);
}

[[noreturn]] void misuse(const char* text) {
  std::fprintf(stderr, "jls: %s\n", text);
  usage();
}

void print(const std::string& text) {
  if (jail::Result<void> written = jail::write_all(1, text); !written)
    give_up("stdout: " + written.error().text);
}

// Each of these takes away what it cannot go with.
void set_view(jail::View& view, int letter) {
  if (letter == 'h') view.header = true;
  if (letter == 'n' || letter == 's') view.name_value = true;
  if (letter == 'N') view.names = true;
  if (letter == 'q' || letter == 's') view.quoted = true;
  if (letter == 's') view.settable = true;
  if (letter == 'v') view.verbose = true;
  if (letter == 'h' || letter == 'v') view.settable = false;
  if (letter == 's' || letter == 'v') view.header = false;
  if (letter == 'v') view.name_value = false;
  if (letter == 'h' || letter == 'n' || letter == 's') view.verbose = false;
}

void check_options(const Options& options) {
  const jail::View& view = options.view;
  if (view.names || view.verbose || view.header || view.name_value || view.quoted ||
      view.settable) {
    misuse("-c is incompatible with other print options");
  }
  if (!options.parameters.empty()) misuse("-c does not accept non-option arguments");
  if (!options.jail) misuse("-j jail to check must be provided for -c");
}

// The leading + keeps getopt_long from looking for options among the parameters' names.
Options read_options(int argc, char** argv) {
  jail::Words arguments(argv, argv + argc);
  jail::Result<jail::XoOptions> xo = jail::take_libxo(arguments);
  if (!xo) give_up(xo.error().text);
  Options options;
  options.xo = *xo;
  std::vector<char*> words;
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  const int count = static_cast<int>(arguments.size());
  const option none[] = {{nullptr, 0, nullptr, 0}};
  for (int letter = 0;
       (letter = getopt_long(count, words.data(), "+acdhj:Nnqsv", none, nullptr)) != -1;) {
    if (letter == '?') usage();
    if (letter == 'a' || letter == 'd') options.dying = true;
    if (letter == 'c') options.check = true;
    if (letter == 'j') options.jail = optarg;
    set_view(options.view, letter);
  }
  options.parameters.assign(words.begin() + optind, words.end() - 1);
  if (options.check) check_options(options);
  const jail::View& view = options.view;
  if (options.parameters.empty() && (view.header || view.name_value || view.settable))
    options.parameters = {"all"};
  return options;
}

// A jail is given by its jid if the text is a number other than 0, else (0) by name.
int64_t jid_of(const std::string& text) {
  return jail::parse_int(text).value_or(0);
}

// Those to be shown: all, or the one of -j; nothing where that one is not there.
std::vector<Listed> find_rows(const Options& options) {
  jail::Result<std::vector<Listed>> jails = jail::list_jails(options.dying);
  if (!jails) give_up(jails.error().text);
  const int64_t jid = jid_of(options.jail.value_or(""));
  if (options.jail)
    std::erase_if(*jails, [&](const Listed& one) {
      return jid != 0 ? one.jid != jid : one.name != *options.jail;
    });
  return std::move(*jails);
}

std::string not_found(const std::string& jail) {
  const int64_t jid = jid_of(jail);
  return jid != 0 ? "jail " + std::to_string(jid) + " not found"
                  : "jail \"" + jail + "\" not found";
}

// What takes more than a look at the records. Not everyone may know: then it is "-".
void look_closer(std::vector<Listed>& rows, const std::vector<jail::Column>& columns) {
  const bool status = jail::asks_for(columns, "status"), drift = jail::asks_for(columns, "drift");
  std::map<std::string, jail::Config> files;
  for (Listed& row : rows) {
    if (status) {
      const jail::Result<jail::Status> found = jail::jail_status(row.id);
      row.status = found ? jail::status_word(*found) : "-";
    }
    if (drift) row.drift = jail::drift_of(row, files);
    if (row.drift.empty()) row.drift = "-";
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (jail::Result<void> filled = jail::fill_standard_descriptors(); !filled)
    give_up(filled.error().text);
  const Options options = read_options(argc, argv);
  std::vector<Listed> rows = find_rows(options);
  if (options.check) return rows.empty() ? 1 : 0;
  const jail::Result<std::vector<jail::Column>> columns =
      jail::columns_of(options.parameters, rows);
  // As jls(8) does: the head of a document has gone out before the parameter is looked up.
  if (!columns) {
    print(jail::Xo(options.xo).finish());
    give_up(columns.error().text);
  }
  look_closer(rows, *columns);
  print(jail::listing(options.xo, options.view, *columns, rows));
  if (options.jail && rows.empty()) give_up(not_found(*options.jail));
  return 0;
}
