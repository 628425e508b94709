#include "init/answer.h"

#include <errno.h>

#include "base/sys.h"

namespace jail {

namespace {

using Kind = AnswerPiece::Kind;

AnswerPiece piece_of(std::string_view packet) {
  if (const std::optional<Packet> stream = read_packet(packet))
    return {stream->kind == PacketKind::lost ? Kind::lost : Kind::log, stream->bytes};
  const size_t blank = packet.find(' ');
  const std::string_view word = packet.substr(0, blank);
  const std::string_view text = blank == std::string_view::npos ? "" : packet.substr(blank + 1);
  if (word == "ok" || word == "line") return {Kind::text, text};
  return {Kind::error, text.empty() ? packet : text};
}

}  // namespace

AnswerPiece AnswerReader::note(AnswerPiece piece) {
  const bool good = piece.kind != Kind::error;
  if (first_ || !good) status_ = good ? 0 : 1;
  first_ = false;
  return piece;
}

std::optional<AnswerPiece> AnswerReader::next() {
  for (;;) {
    pollfd news{socket_, POLLIN, 0};
    const int ready = sys::poll(&news, 1, first_ ? patience_ : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) {
      sys::shutdown(socket_, SHUT_RDWR);  // what it says later is not heard any more
      return note({Kind::error, "no answer from process 1"});
    }
    const ssize_t size = sys::recv(socket_, packet_.data(), packet_.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return std::nullopt;
    return note(piece_of({packet_.data(), static_cast<size_t>(size)}));
  }
}

}  // namespace jail
