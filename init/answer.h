// What process 1 answers to one request, read by whoever has asked: `jail --init` on the host,
// `jinit WORD` inside. For the host it is what an enemy says: what is printed of it goes through
// base/harmless.h.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "sup/stream.h"

namespace jail {

// A packet of it. `text` is what follows the first word of an answer, perhaps of several lines; the
// bytes of a log; or why there is none.
struct AnswerPiece {
  enum class Kind : unsigned char { text, log, lost, error } kind;
  std::string_view text;
};

class AnswerReader {
 public:
  // On a connected socket whose request is sent. How long the first packet may take, in
  // milliseconds; -1: for ever, as for what is answered when it is done.
  AnswerReader(int socket, int patience) : socket_(socket), patience_(patience) {}

  // The next one, which lives until the one behind it is asked for; nothing: it was the last.
  std::optional<AnswerPiece> next();

  // The exit status of who has printed it all: 0; 1 if nothing came, or an error.
  int status() const { return status_; }
  // Nothing has come at all: process 1 has ended with the request in its hands, or is deaf.
  bool silent() const { return first_; }

 private:
  AnswerPiece note(AnswerPiece piece);

  int socket_, patience_;
  bool first_ = true;
  int status_ = 1;
  std::array<char, packet_most> packet_;
};

}  // namespace jail
