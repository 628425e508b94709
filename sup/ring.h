// The last output of a terminal, in memory that outlives who writes it: a process 1 dies, perhaps
// in the middle of a write, and the next one goes on behind its last byte. Readers are positions
// that they keep themselves, so any number of them costs nothing and none can hold up the writer.
// Pure: it maps nothing, and never trusts what it finds in the memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace jail {

// Positions count bytes from the first one ever written; the ring holds those from begin() to
// end(). One writer at a time; what somebody else does to the memory meanwhile can change the bytes
// that are read, and nothing else.
class Ring {
 public:
  static constexpr size_t header_size = 32;

  // Takes over `memory`, aligned to 8 bytes and there as long as the ring is: what was written
  // before is still in it, but for the bytes of a write that never ended. What cannot be a ring of
  // this size (new memory, another version, damage) becomes an empty one at position 0. Memory of
  // header_size or less, or not aligned, holds nothing.
  explicit Ring(std::span<std::byte> memory);

  // Never fails; the oldest bytes go. More than the ring holds leaves the last of it.
  void write(std::string_view bytes);

  uint64_t begin() const { return begin_; }
  uint64_t end() const { return end_; }

  // Where somebody new starts to read: at the oldest byte, or, if older ones are gone, behind the
  // first newline, so that no half line or half escape sequence comes first.
  uint64_t start() const;

  struct Piece {
    uint64_t position = 0;   // of its first byte
    uint64_t lost = 0;       // bytes between what was asked for and this, gone for good
    std::string_view bytes;  // in the memory: good until the next write
  };
  // What stands from `position` on, at most `most` bytes; a piece ends where the memory does, so
  // there may be more behind it. Empty at the end. A position that this ring has not reached is of
  // another one: it reads from start(), and nothing counts as lost.
  Piece read(uint64_t position, size_t most) const;

 private:
  struct Header;

  Header* header_ = nullptr;
  char* data_ = nullptr;
  uint64_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace jail
