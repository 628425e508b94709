#include "init/client.h"

#include <algorithm>
#include <stdio.h>
#include <string.h>
#include <string>
#include <string_view>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "base/table.h"
#include "conf/lex.h"
#include "init/answer.h"
#include "sup/request.h"

namespace jail {

namespace {

constexpr const char* control = "/run/jinit/control";
// Words of the protocol that ask the machine for nothing.
constexpr std::string_view other_words[] = {"status", "start", "stop", "restart", "log"};

int complain(std::string_view text) {
  const std::string line = concat({"init: ", text, "\n"});
  (void)fputs(line.c_str(), stderr);
  return 1;
}

// A word of FreeBSD's init is one character long, whatever it means.
bool is_run_level(std::string_view word) {
  return word.size() == 1;
}

// What is sent for the words of a command line; empty: nothing that there is.
std::string request_of(std::span<char* const> words) {
  if (words.size() < 2) return "boot";
  if (is_run_level(words[1])) {
    for (const RequestWord& level : run_levels())
      for (const RequestWord& word : request_words())
        if (std::string_view(level.name) == words[1] && level.event == word.event) return word.name;
    return {};
  }
  std::string request;
  for (const char* word : words.subspan(1))
    request += concat({request.empty() ? "" : " ", quote_word(word)});
  return request;
}

Fd connect_control() {
  Fd socket(sys::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, control, sizeof address.sun_path - 1);
  if (!socket || sys::connect(socket.get(), &address) != 0) return Fd();
  return socket;
}

void print(const AnswerPiece& piece) {
  const std::string text(piece.text);
  switch (piece.kind) {
    case AnswerPiece::Kind::text:
      if (!text.empty()) (void)puts(text.c_str());
      return;
    case AnswerPiece::Kind::log:
      (void)fwrite(text.data(), 1, text.size(), stdout);
      (void)fflush(stdout);
      return;
    case AnswerPiece::Kind::lost:
      (void)fputs("init: some lines of the log are lost\n", stderr);
      return;
    case AnswerPiece::Kind::error:
      (void)complain(text);
  }
}

}  // namespace

bool is_for_process1(std::span<char* const> words) {
  struct stat status;
  if (words.size() < 2) return sys::fstatat(AT_FDCWD, control, &status, 0) == 0;
  const std::string_view word = words[1];
  return is_run_level(word) || find_row(request_words(), word) ||
         std::ranges::find(other_words, word) != std::end(other_words);
}

int run_client(std::span<char* const> words) {
  if (geteuid() != 0) return complain("Operation not permitted");
  const std::string request = request_of(words);
  if (request.empty()) return complain(concat({"invalid run-level ``", words[1], "''"}));
  Fd socket = connect_control();
  if (!socket) return complain(concat({control, ": ", strerror(errno)}));
  if (sys::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0)
    return complain(concat({control, ": ", strerror(errno)}));
  AnswerReader answer(socket.get(), -1);
  while (const std::optional<AnswerPiece> piece = answer.next()) print(*piece);
  if (answer.silent()) return complain("process 1 has ended without an answer");
  return answer.status();
}

}  // namespace jail
