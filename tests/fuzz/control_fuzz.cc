// Fuzzer of what passes between process 1 and who calls it. The bytes are a request, as process 1
// reads it, and an answer, as its callers do: any bytes are taken, what is printed is harmless for
// a terminal, and words that were written are read back as they were.
#include <cstdint>
#include <cstdlib>

#include "base/fd.h"
#include "base/harmless.h"
#include "base/sys.h"
#include "base/table.h"
#include "conf/lex.h"
#include "init/answer.h"
#include "sup/request.h"

namespace {

void must(bool good) {
  if (!good) std::abort();
}

void read_request(std::string_view text) {
  const jail::Result<jail::Words> words = jail::lex_words(text);
  if (!words) return;
  std::string again;
  for (const std::string& word : *words) {
    // What no request can hold: the word ends there.
    if (word.find('\0') != std::string::npos) return;
    again += (again.empty() ? "" : " ") + jail::quote_word(word);
  }
  const jail::Result<jail::Words> read = jail::lex_words(again);
  must(read && *read == *words);
  if (!words->empty()) (void)jail::find_row(jail::request_words(), words->front());
}

void check_harmless(std::string_view text) {
  for (const char c : jail::harmless_line(text)) {
    const auto byte = static_cast<unsigned char>(c);
    must(byte >= ' ' && byte != 0x7f);
  }
  must(jail::harmless_line(jail::harmless_line(text)) == jail::harmless_line(text));
}

// Packets whose sizes the bytes say, as a hostile process 1 sends them; then it closes.
void read_answer(std::string_view data) {
  int ends[2];
  if (jail::sys::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
  const jail::Fd ours(ends[0]);
  jail::Fd theirs(ends[1]);
  size_t sent = 0;
  while (data.size() >= 2) {
    const size_t size =
        std::min<size_t>(static_cast<unsigned char>(data[0]) * 17U, data.size() - 1);
    if (jail::sys::send(theirs.get(), data.data() + 1, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
      break;
    sent += size;
    data.remove_prefix(1 + size);
    if (size == 0) break;  // an empty packet is the end
  }
  theirs.reset();
  jail::AnswerReader answer(ours.get(), 1000);
  size_t heard = 0;
  bool wrong = false;
  while (const std::optional<jail::AnswerPiece> piece = answer.next()) {
    heard += piece->text.size();
    wrong = wrong || piece->kind == jail::AnswerPiece::Kind::error;
    check_harmless(piece->text);
  }
  must(heard <= sent);
  must(!wrong || answer.status() == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_request(text);
  check_harmless(text);
  read_answer(text);
  return 0;
}
