// Fuzzes the language: lexer, parser, resolver, import. Any bytes are taken; what is understood is
// printed, and reading that back must give the same again.
#include <cstdint>
#include <cstdlib>

#include "conf/config.h"
#include "conf/import.h"
#include "conf/lex.h"
#include "conf/print.h"

namespace {

void must(bool good) {
  if (!good) std::abort();
}

// mount.fstab names files, which are no part of this.
void round_trip(const jail::Config& config, const jail::Jail& jail) {
  if (jail.failed || jail.find("mount.fstab")) return;
  jail::Import import = jail::import_jail(config, jail, {.everything = true});
  jail::Result<jail::Spec> again = jail::read_spec("printed", jail::print_spec(import.spec));
  must(again && *again == import.spec);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  jail::Config strict = jail::load_text("fuzz", text);
  must(!strict.rejected() || (strict.jails().empty() && !strict.messages().empty()));
  jail::Config config = jail::load_text("fuzz", text, jail::Thorough::everything);
  must(config.rejected() == strict.rejected());
  for (const jail::Message& message : config.messages()) must(!message.line_text().empty());
  size_t tried = 0;
  for (const jail::Jail& jail : config.jails()) {
    if (++tried <= 16) round_trip(config, jail);
    for (const jail::Setting& setting : jail.parameters) {
      for (const jail::Word& word : setting.values) must(config.where(word.place).line != 0);
    }
  }
  jail::Result<jail::Words> words = jail::lex_words(jail::quote_word(text));
  must(words && words->size() == 1 && (*words)[0] == text.substr(0, text.find('\0')));
  return 0;
}
