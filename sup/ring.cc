#include "sup/ring.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace jail {

// Each number is stored at once, so whoever dies leaves the old or the new one. `begin` is stored
// before bytes are overwritten and `end` after: what lies between them was never half of anything.
struct Ring::Header {
  std::atomic<uint64_t> mark, capacity, begin, end;
};

namespace {

// "CllRing1" in memory: another layout has another one, and is not read.
constexpr uint64_t mark = 0x31676e69526c6c43;
// No terminal reaches it; below it no sum of positions overflows.
constexpr uint64_t position_most = uint64_t{1} << 62;

}  // namespace

Ring::Ring(std::span<std::byte> memory) {
  static_assert(sizeof(Header) == header_size && std::atomic<uint64_t>::is_always_lock_free);
  if (memory.size() <= header_size) return;
  if (reinterpret_cast<uintptr_t>(memory.data()) % alignof(Header) != 0) return;
  header_ = reinterpret_cast<Header*>(memory.data());
  data_ = reinterpret_cast<char*>(memory.data()) + header_size;
  capacity_ = memory.size() - header_size;
  // Read once: who else can write this memory must not change it between a look and its use.
  const uint64_t begin = header_->begin, end = header_->end;
  const bool ours = header_->mark == mark && header_->capacity == capacity_ &&
                    begin < position_most && end < position_most;
  // begin beyond end: the last writer died in a write of more than the ring holds.
  if (ours && (begin >= end || end - begin <= capacity_)) {
    begin_ = begin;
    end_ = std::max(begin, end);
  }
  // Without the mark while the numbers do not belong together: who dies here leaves an empty ring.
  header_->mark = 0;
  header_->capacity = capacity_;
  header_->begin = begin_;
  header_->end = end_;
  header_->mark = mark;
}

void Ring::write(std::string_view bytes) {
  if (capacity_ == 0) return;
  const uint64_t end = end_ + bytes.size();
  if (bytes.size() > capacity_) bytes.remove_prefix(bytes.size() - capacity_);
  if (end - begin_ > capacity_) {
    begin_ = end - capacity_;
    header_->begin = begin_;
  }
  const size_t at = (end - bytes.size()) % capacity_;
  const size_t first = std::min<size_t>(bytes.size(), capacity_ - at);
  std::memcpy(data_ + at, bytes.data(), first);
  std::memcpy(data_, bytes.data() + first, bytes.size() - first);
  end_ = end;
  header_->end = end_;
}

uint64_t Ring::start() const {
  if (begin_ == 0) return 0;
  for (uint64_t at = begin_; at < end_;) {
    const Piece piece = read(at, capacity_);
    const size_t newline = piece.bytes.find('\n');
    at += newline == std::string_view::npos ? piece.bytes.size() : newline + 1;
    if (newline != std::string_view::npos) return at;
  }
  return begin_;  // one line without an end
}

Ring::Piece Ring::read(uint64_t position, size_t most) const {
  if (capacity_ == 0) return {};
  if (position > end_) position = start();
  Piece piece{.position = std::max(position, begin_), .lost = 0, .bytes = {}};
  piece.lost = piece.position - position;
  const size_t at = piece.position % capacity_;
  const uint64_t there = std::min(end_ - piece.position, capacity_ - at);
  piece.bytes = {data_ + at, static_cast<size_t>(std::min<uint64_t>(there, most))};
  return piece;
}

}  // namespace jail
