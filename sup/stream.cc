#include "sup/stream.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace jail {
namespace {

// Strict, so that every packet can be written in one way only: what is read and written again is
// the same, and a fuzzer can tell. A blank and a decimal number, without sign or leading zeros,
// taken off the front of `text`.
std::optional<uint64_t> take_number(std::string_view& text) {
  if (text.size() < 2 || text[0] != ' ' || text[1] < '1' || text[1] > '9') return {};
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [behind, error] = std::from_chars(text.data() + 1, end, number);
  if (error != std::errc()) return {};
  text = {behind, static_cast<size_t>(end - behind)};
  return number;
}

std::string_view numbers(PacketSpace space, char letter, std::span<const uint64_t> values) {
  char* at = space.data();
  *at++ = letter;
  for (uint64_t value : values) {
    *at++ = ' ';
    at = std::to_chars(at, space.data() + space.size(), value).ptr;
  }
  return {space.data(), static_cast<size_t>(at - space.data())};
}

}  // namespace

std::optional<Packet> read_packet(std::string_view raw) {
  if (raw.empty() || raw.size() > packet_most) return {};
  if (raw == read_only_packet) return Packet{.kind = PacketKind::read_only};
  std::string_view rest = raw.substr(1);
  if (raw[0] == 'b' && !rest.empty()) return Packet{.kind = PacketKind::bytes, .bytes = rest};
  if (raw[0] != 'w' && raw[0] != 'l') return {};
  const std::optional<uint64_t> one = take_number(rest);
  if (!one) return {};
  if (raw[0] == 'l')
    return rest.empty() ? std::optional(Packet{.kind = PacketKind::lost, .lost = *one})
                        : std::nullopt;
  const std::optional<uint64_t> two = take_number(rest);
  if (!two || !rest.empty() || *one > window_most || *two > window_most) return {};
  return Packet{.kind = PacketKind::window,
                .rows = static_cast<unsigned short>(*one),
                .columns = static_cast<unsigned short>(*two)};
}

std::string_view bytes_packet(PacketSpace space, std::string_view bytes) {
  bytes = bytes.substr(0, packet_most - 1);
  space[0] = 'b';
  std::memcpy(space.data() + 1, bytes.data(), bytes.size());
  return {space.data(), bytes.size() + 1};
}

std::string_view window_packet(PacketSpace space, unsigned short rows, unsigned short columns) {
  const uint64_t values[] = {rows, columns};
  return numbers(space, 'w', values);
}

std::string_view lost_packet(PacketSpace space, uint64_t count) {
  const uint64_t values[] = {count};
  return numbers(space, 'l', values);
}

}  // namespace jail
