#include "cmd/init_words.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

#include "base/sys.h"
#include "base/text.h"
#include "cmd/console_text.h"
#include "conf/lex.h"
#include "plan/init.h"
#include "sup/stream.h"

namespace jail {

namespace {

constexpr size_t longest_packet = 4096;

// What comes out of a jail must not play with the terminal.
std::string harmless(std::string_view bytes) {
  std::string text(bytes);
  std::ranges::replace_if(
      text,
      [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < ' ' || byte == 0x7f;
      },
      '?');
  return text;
}

// What a service has written.
void print_log(const Packet& packet, HarmlessText& text) {
  if (packet.kind == PacketKind::lost)
    (void)fputs("jail: some lines of the log are lost\n", stderr);
  (void)fputs(text.pass(packet.bytes).c_str(), stdout);
}

// One packet. False: it was an error.
bool print_packet(std::string_view packet, HarmlessText& log) {
  if (const std::optional<Packet> piece = read_packet(packet)) return print_log(*piece, log), true;
  const std::string_view word = packet.substr(0, packet.find(' '));
  const std::string_view rest = word.size() < packet.size() ? packet.substr(word.size() + 1) : "";
  const std::string text = harmless(rest);
  if (word == "ok" && text.empty()) return true;
  if (word == "ok" || word == "line") {
    for (const std::string& line : split_exact(rest, '\n'))
      (void)printf("%s\n", harmless(line).c_str());
    return true;
  }
  (void)fprintf(stderr, "jail: %s\n", text.empty() ? harmless(packet).c_str() : text.c_str());
  return false;
}

}  // namespace

int talk_to_init(const Host& host, const FoundJail& jail, const Words& words) {
  std::string request;
  for (const std::string& word : words) request += (request.empty() ? "" : " ") + quote_word(word);
  if (request.size() >= longest_packet) {
    (void)fprintf(stderr, "jail: %s: too long for a request\n", words[0].c_str());
    return 1;
  }
  Result<Fd> socket = call_init(host, jail, request);
  if (!socket) {
    (void)fprintf(stderr, "jail: %s: %s\n", jail.name.c_str(), socket.error().text.c_str());
    return 1;
  }
  HarmlessText log;
  int status = 1;
  for (bool first = true;; first = false) {
    char packet[longest_packet];
    const ssize_t size = sys::recv(socket->get(), packet, sizeof packet, 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    const bool good = print_packet({packet, static_cast<size_t>(size)}, log);
    if (first || !good) status = good ? 0 : 1;
  }
  return status;
}

}  // namespace jail
