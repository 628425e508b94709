// A configuration as the commands use it: files or words in, jails out. The one door to conf/ for
// cmd/ and plan/. Nothing here fails as a whole: what is wrong is in messages(), a file that cannot
// be read included.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conf/message.h"
#include "conf/resolve.h"

namespace jail {

// Owns all texts that its jails refer to; stays valid when moved. Where rejected() there are no
// jails, but under Thorough::everything those that could be made out.
class Config {
 public:
  // The jails in file order, without wildcard definitions. Two may have the same name (J1.10).
  const std::vector<Jail>& jails() const { return jails_; }
  // What was wrong so far, in the order found: stages parse and load.
  const Messages& messages() const { return conf_->messages; }
  // A syntax error, or a file that cannot be read: nothing of it is used.
  bool rejected() const { return conf_->rejected; }

  // The first jail whose block has that name, or nullptr; never one without a block.
  const Jail* find(std::string_view name) const;
  // File, line, column of a setting or value.
  Origin where(Place place) const { return conf_->where(place); }
  // The text of a line (from 1) of the first file read under that name; empty if it is none.
  std::string_view line(std::string_view file, uint32_t line) const;

 private:
  friend Config load(const std::string& file, Thorough thorough);
  friend Config load_text(std::string name, std::string text, Thorough thorough);
  friend Config load_nameless(std::string name, std::string text);
  friend Config from_words(std::span<const std::string> words);
  void finish(Thorough thorough);

  std::unique_ptr<Conf> conf_ = std::make_unique<Conf>();
  std::vector<Jail> jails_;
  std::unordered_map<std::string_view, size_t> index_;
};

// Reads a file (`-`: standard input, called STDIN) and all that it includes.
Config load(const std::string& file, Thorough thorough = Thorough::as_jail);

// The same of a text in memory, called `name` in messages, which may not include files: an .include
// in it is an error of stage parse.
Config load_text(std::string name, std::string text, Thorough thorough = Thorough::as_jail);

// A text in memory that holds parameters and no blocks, as one jail without a name. Where it holds
// blocks all the same, only what stands first in it is taken.
Config load_nameless(std::string name, std::string text);

// One jail without a name from words NAME=VALUE of a command line (J3.5): split at the first `=`,
// repetition appends, a repetition without value empties, comma lists only for splits_at_commas().
// A word `command=X` or `command` is X and all words behind it, an argument vector. A second `name`
// or `jid` is a message of stage load.
Config from_words(std::span<const std::string> words);

}  // namespace jail
