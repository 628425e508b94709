#include "ledger/ledger.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/file.h"
#include "base/sys.h"
#include "conf/lex.h"

namespace jail {

namespace {

constexpr const char* file_name = "ledger";
constexpr size_t longest = 16U << 20;  // bytes; most have a few hundred

Words words_of(const Op& op) {
  Words words{op.verb};
  words.insert(words.end(), op.args.begin(), op.args.end());
  return words;
}

std::string line_of(const Words& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    line += quote_word(word);
  }
  return line + '\n';
}

// A NUL would end a word early for the lexer: what it reads must be all that is there.
Result<LedgerHead> parse_head(std::string_view line) {
  Words words = TRY(lex_words(line));
  if (words.size() != 5 || words[0] != "ledger" || line.find('\0') != std::string_view::npos)
    return fail(EINVAL, "not a ledger");
  if (words[1] != "1")
    return fail(EINVAL,
                "a ledger of version " + quote_word(words[1]) + ", made by a newer program");
  return LedgerHead{words[2], words[3], words[4]};
}

}  // namespace

std::string text_of(const Op& op) {
  std::string line = line_of(words_of(op));
  line.pop_back();
  return line;
}

Result<Ledger> Ledger::create(int directory, LedgerHead head, bool sync) {
  Ledger ledger;
  ledger.file_ = TRY(open_at(directory, file_name, O_RDWR | O_CREAT | O_APPEND, 0644));
  // One whose first line was torn, or never came, has announced nothing.
  std::string there = TRY(in(file_name, read_all(ledger.file_.get(), longest)));
  if (there.find('\n') != std::string::npos) return fail_errno(file_name, EEXIST);
  if (!there.empty() && sys::ftruncate(ledger.file_.get(), 0) != 0) return fail_errno(file_name);
  std::string line = line_of({"ledger", "1", head.id, head.name, head.boot_id});
  TRY(in(file_name, write_all(ledger.file_.get(), line)));
  ledger.size_ = static_cast<off_t>(line.size());
  if (sync && (sys::fsync(ledger.file_.get()) != 0 || sys::fsync(directory) != 0))
    return fail_errno(file_name);
  ledger.head_ = std::move(head);
  return ledger;
}

Result<Ledger> Ledger::open(int directory, bool writable) {
  Fd file = TRY(open_at(directory, file_name, writable ? O_RDWR | O_APPEND : O_RDONLY));
  std::string text = TRY(in(file_name, read_all(file.get(), longest)));
  if (text.find('\n') == std::string::npos) return fail(ENOENT, "ledger: no first line");
  Ledger ledger = TRY(in(file_name, parse(text)));
  if (!writable) return ledger;
  // What a power cut tore off must not become the head of our next line.
  size_t whole = text.rfind('\n') + 1;
  if (whole != text.size() && sys::ftruncate(file.get(), static_cast<off_t>(whole)) != 0)
    return fail_errno(file_name);
  ledger.size_ = static_cast<off_t>(whole);
  ledger.file_ = std::move(file);
  return ledger;
}

// Strict: one line that cannot be read, and it is not known what may be in the world. salvage() is
// for whoever was told that (jail --recover --forget).
Result<Ledger> Ledger::parse(std::string_view text) {
  Ledger ledger;
  for (size_t number = 1; !text.empty(); ++number) {
    size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    Result<void> taken = [&]() -> Result<void> {
      if (number == 1) {
        ledger.head_ = TRY(parse_head(line));
        return {};
      }
      return ledger.take_line(line);
    }();
    if (!taken) return std::unexpected(std::move(taken.error()).in(fmt::format("line {}", number)));
  }
  if (ledger.head_.id.empty()) return fail(EINVAL, "no first line");
  return ledger;
}

Ledger Ledger::salvage(std::string_view text, LedgerHead otherwise) {
  Ledger ledger;
  ledger.head_ = parse_head(text.substr(0, text.find('\n'))).value_or(std::move(otherwise));
  for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos;
       text.remove_prefix(end + 1))
    ignore(ledger.take_line(text.substr(0, end)), "what cannot be read is left out");
  return ledger;
}

bool Ledger::any_open() const {
  return std::ranges::any_of(acts_, &Act::open);
}

const Act* Ledger::newest(std::string_view verb) const {
  for (auto act = acts_.rbegin(); act != acts_.rend(); ++act)
    if (act->open && act->op.verb == verb) return &*act;
  return nullptr;
}

Words Ledger::yielded(std::string_view verb) const {
  const Act* act = newest(verb);
  return act ? act->yield : Words{};
}

// At least a sign, a blank and a byte.
Result<void> Ledger::take_line(std::string_view line) {
  if (line.size() < 3 || line[1] != ' ' || line.find('\0') != std::string_view::npos)
    return fail(EINVAL, "not a line of a ledger");
  return take(line[0], TRY(lex_words(line.substr(2))));
}

// One line's meaning, the same for a line read back and a line just written.
Result<void> Ledger::take(char sign, Words words) {
  if (words.empty()) return fail(EINVAL, "an empty line");
  if (sign == '!') {
    mark_ = std::move(words);
    return {};
  }
  Words args(words.begin() + 1, words.end());
  Op op{words[0], args};
  // `=` names only the verb: it is of the newest act of that verb that is under way.
  auto same = std::find_if(acts_.rbegin(), acts_.rend(), [&](const Act& act) {
    return act.open && (sign == '=' ? act.op.verb == op.verb && !act.done : act.op == op);
  });
  // No such act under way: one that was done has been done again, in its place.
  if (sign == '=' && same == acts_.rend())
    same = std::find_if(acts_.rbegin(), acts_.rend(),
                        [&](const Act& act) { return act.open && act.op.verb == op.verb; });
  if (sign == '+') {
    if (same == acts_.rend())
      acts_.push_back({std::move(op), {}});
    else
      *same = Act{std::move(op), {}};
    return {};
  }
  if (same == acts_.rend())
    return fail(EINVAL, fmt::format("'{}' of an act that is not open", sign));
  if (sign == '=') {
    same->done = true;
    same->yield = std::move(args);
  } else if (sign == '-') {
    same->open = false;
  } else {
    return fail(EINVAL, fmt::format("'{}' begins no line of a ledger", sign));
  }
  return {};
}

// First the file, then memory, by the same function that reads it back: the two cannot differ.
Result<void> Ledger::append(char sign, const Words& words, bool sync) {
  if (!file_) return fail(EIO, "ledger: not open for writing");
  std::string line = fmt::format("{} {}", sign, line_of(words));
  Result<void> written = in(file_name, write_all(file_.get(), line));
  if (written && sync && sys::fsync(file_.get()) != 0) written = fail_errno(file_name);
  if (!written) {
    // A part of a line (the disk is full) must not become the head of the next one.
    if (sys::ftruncate(file_.get(), size_) != 0) file_.reset();
    return written;
  }
  size_ += static_cast<off_t>(line.size());
  return take(sign, words);
}

Result<size_t> Ledger::begin(const Op& op, bool sync) {
  TRY(append('+', words_of(op), sync));
  for (size_t place = acts_.size(); place-- > 0;)
    if (acts_[place].open && acts_[place].op == op) return place;
  bug("an act that was announced is not there");
}

Result<void> Ledger::done(size_t place, Words yield) {
  if (!acts_.at(place).open || acts_[place].done)
    return fail(EINVAL, "ledger: not an act under way");
  yield.insert(yield.begin(), acts_.at(place).op.verb);
  return append('=', yield, false);
}

Result<void> Ledger::done_again(const Op& op, Words yield) {
  const Act* act = newest(op.verb);
  if (!act || act->op != op || !act->done) return fail(EINVAL, "ledger: not an act that was done");
  yield.insert(yield.begin(), op.verb);
  return append('=', yield, false);
}

void Ledger::undone(size_t place) {
  if (acts_.at(place).open && !append('-', words_of(acts_.at(place).op), false))
    acts_.at(place).open = false;
}

void Ledger::strike(const Op& op) {
  for (size_t place = acts_.size(); place-- > 0;)
    if (acts_[place].open && acts_[place].op == op) return undone(place);
}

Result<void> Ledger::set_mark(const Words& words) {
  if (words.empty()) return fail(EINVAL, "ledger: a mark without words");
  return append('!', words, false);
}

}  // namespace jail
