#include "cmd/init_words.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

#include "base/harmless.h"
#include "base/text.h"
#include "conf/lex.h"
#include "init/answer.h"
#include "plan/init.h"

namespace jail {

namespace {

constexpr int answer_wait = 10'000;  // ms

// What the engine alone says, when it has noted it: a jail would stay or end against its record.
bool is_engines(const Words& words) {
  static constexpr std::string_view own[] = {"handover", "persist", "nopersist"};
  return std::ranges::find(own, words[0]) != std::end(own) ||
         (words[0] == "stop" && words.size() == 1);
}

void print(const AnswerPiece& piece, HarmlessText& log) {
  switch (piece.kind) {
    case AnswerPiece::Kind::text:
      if (piece.text.empty()) return;
      for (const std::string& line : split_exact(piece.text, '\n'))
        (void)printf("%s\n", harmless_line(line).c_str());
      return;
    case AnswerPiece::Kind::log:
      (void)fputs(log.pass(piece.text).c_str(), stdout);
      (void)fflush(stdout);
      return;
    case AnswerPiece::Kind::lost:
      (void)fputs("jail: some lines of the log are lost\n", stderr);
      return;
    case AnswerPiece::Kind::error:
      (void)fprintf(stderr, "jail: %s\n", harmless_line(piece.text).c_str());
  }
}

}  // namespace

int talk_to_init(const Host& host, const FoundJail& jail, const Words& words) {
  std::string request;
  for (const std::string& word : words) request += (request.empty() ? "" : " ") + quote_word(word);
  if (request.size() >= packet_most) {
    (void)fprintf(stderr, "jail: %s: too long for a request\n", words[0].c_str());
    return 1;
  }
  if (is_engines(words)) {
    const char* cause = words[0] == "stop" ? "the name of a service is missing" : "unknown word";
    (void)fprintf(stderr, "jail: %s: %s\n", words[0].c_str(), cause);
    return 1;
  }
  Result<Fd> socket = call_init(host, jail, request);
  if (!socket) {
    (void)fprintf(stderr, "jail: %s: %s\n", jail.name.c_str(), socket.error().text.c_str());
    return 1;
  }
  HarmlessText log;
  // The answer to `boot` comes when rc is done.
  AnswerReader answer(socket->get(), words[0] == "boot" ? -1 : answer_wait);
  while (const std::optional<AnswerPiece> piece = answer.next()) print(*piece, log);
  if (answer.silent())
    (void)fprintf(stderr, "jail: %s: no answer from process 1\n", jail.name.c_str());
  return answer.status();
}

}  // namespace jail
