// The packets of a console's or a log's stream, between process 1 and whoever is attached. Both
// ends read them with this, as bytes of an enemy. Pure, and without allocation.
//
//   b BYTES       output of the terminal, or input for it; 1 to 4095 bytes, right behind the letter
//   w ROWS COLS   from the one who writes: the size of the window
//   l COUNT       to a reader that was too slow: so many bytes come here no more
//   r             to one who could write: somebody else does from here on
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace jail {

constexpr size_t packet_most = 4096;  // bytes of a packet, the letter included
constexpr unsigned short window_most = 9999;

enum class PacketKind : uint8_t { bytes, window, lost, read_only };

struct Packet {
  PacketKind kind = PacketKind::bytes;
  std::string_view bytes = {};           // kind bytes: those behind the letter
  uint64_t lost = 0;                     // kind lost: at least 1
  unsigned short rows = 0, columns = 0;  // kind window: 1 to 9999 each
};

// Nothing where it is none of the above to the letter. `bytes` lies in `raw`.
std::optional<Packet> read_packet(std::string_view raw);

using PacketSpace = std::span<char, packet_most>;

// Each writes a packet into `space` and yields it. Of bytes at most packet_most - 1 are taken.
std::string_view bytes_packet(PacketSpace space, std::string_view bytes);
std::string_view window_packet(PacketSpace space, unsigned short rows, unsigned short columns);
std::string_view lost_packet(PacketSpace space, uint64_t count);
constexpr std::string_view read_only_packet = "r";

}  // namespace jail
