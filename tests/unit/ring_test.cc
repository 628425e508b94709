// Tests of the ring of the last output: what is in it, for whom, and what a hostile memory can do.
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "sup/ring.h"

namespace jail {
namespace {

// Memory as mmap gives it, of a ring that holds `capacity` bytes; guarded by bytes that nobody may
// touch.
class Memory {
 public:
  explicit Memory(size_t capacity) : words_((Ring::header_size + capacity) / 8 + 4, guard) {
    size_ = Ring::header_size + capacity;
    std::memset(words_.data(), 0, size_);
  }

  std::span<std::byte> bytes() { return {reinterpret_cast<std::byte*>(words_.data()), size_}; }
  uint64_t& word(size_t i) { return words_[i]; }
  bool intact() const { return words_.back() == guard; }

 private:
  static constexpr uint64_t guard = 0x5a5a5a5a5a5a5a5a;
  std::vector<uint64_t> words_;
  size_t size_ = 0;
};

// The numbers of the header.
enum { mark, capacity, begin, end };

std::string from(const Ring& ring, uint64_t position) {
  std::string text;
  for (;;) {
    const Ring::Piece piece = ring.read(position, 1000);
    if (piece.bytes.empty()) return text;
    text += piece.bytes;
    position = piece.position + piece.bytes.size();
  }
}

std::string all(const Ring& ring) {
  return from(ring, ring.begin());
}

TEST(Ring, NewMemoryIsAnEmptyRing) {
  Memory memory(16);
  Ring ring(memory.bytes());
  EXPECT_EQ(ring.begin(), 0u);
  EXPECT_EQ(ring.end(), 0u);
  EXPECT_TRUE(ring.read(0, 10).bytes.empty());
}

TEST(Ring, HoldsTheLastBytesAndKnowsWhereTheyStood) {
  Memory memory(16);
  Ring ring(memory.bytes());
  ring.write("0123456789");
  EXPECT_EQ(all(ring), "0123456789");
  ring.write("abcdefghij");
  EXPECT_EQ(ring.begin(), 4u);
  EXPECT_EQ(ring.end(), 20u);
  EXPECT_EQ(all(ring), "456789abcdefghij");
  EXPECT_TRUE(memory.intact());
}

TEST(Ring, OfMoreThanItHoldsKeepsTheEnd) {
  Memory memory(16);
  Ring ring(memory.bytes());
  ring.write("before");
  ring.write("0123456789abcdefghijklmnop");
  EXPECT_EQ(ring.end(), 32u);
  EXPECT_EQ(all(ring), "abcdefghijklmnop");
  EXPECT_EQ(ring.begin(), 16u);
}

TEST(Ring, ReadersHavePositionsOfTheirOwn) {
  Memory memory(16);
  Ring ring(memory.bytes());
  ring.write("one two");
  EXPECT_EQ(from(ring, 4), "two");
  EXPECT_EQ(from(ring, 0), "one two");
  EXPECT_EQ(ring.read(0, 3).bytes, "one");
  EXPECT_TRUE(ring.read(7, 3).bytes.empty());
}

TEST(Ring, ASlowReaderIsToldWhatItLost) {
  Memory memory(16);
  Ring ring(memory.bytes());
  ring.write(std::string(40, 'x'));
  const Ring::Piece piece = ring.read(10, 100);
  EXPECT_EQ(piece.lost, 14u);
  EXPECT_EQ(piece.position, 24u);
  EXPECT_EQ(ring.read(24, 100).lost, 0u);
}

TEST(Ring, APositionOfAnotherRingReadsFromTheStart) {
  Memory memory(16);
  Ring ring(memory.bytes());
  ring.write("text");
  for (uint64_t position : {uint64_t{5}, uint64_t{1} << 62, ~uint64_t{0}}) {
    const Ring::Piece piece = ring.read(position, 100);
    EXPECT_EQ(piece.bytes, "text");
    EXPECT_EQ(piece.lost, 0u);
    EXPECT_EQ(piece.position, 0u);
  }
}

TEST(Ring, StartsBehindTheFirstNewlineOnceSomethingIsGone) {
  Memory memory(16);
  Ring ring(memory.bytes());
  ring.write("a\nb\n");
  EXPECT_EQ(ring.start(), 0u);
  ring.write("0123\nsecond line");
  EXPECT_EQ(from(ring, ring.start()), "second line");
  ring.write(std::string(20, '-'));
  EXPECT_EQ(ring.start(), ring.begin());
  ring.write("end\n");
  EXPECT_EQ(ring.start(), ring.end());
}

TEST(Ring, TheNextOneGoesOnWhereTheLastEnded) {
  Memory memory(16);
  Ring(memory.bytes()).write("0123456789abcdefghij");
  Ring next(memory.bytes());
  EXPECT_EQ(next.end(), 20u);
  EXPECT_EQ(all(next), "456789abcdefghij");
  next.write("kl");
  EXPECT_EQ(all(next), "6789abcdefghijkl");
}

// The writer dies after it has given the oldest bytes up, and has overwritten some of them or all.
TEST(Ring, HalfAWriteOfADeadWriterWasNever) {
  Memory memory(16);
  Ring(memory.bytes()).write("0123456789abcdef");
  memory.word(begin) = 6;
  std::memcpy(memory.bytes().data() + Ring::header_size, "XYZ", 3);
  Ring next(memory.bytes());
  EXPECT_EQ(all(next), "6789abcdef");
  EXPECT_EQ(next.end(), 16u);
}

TEST(Ring, ADeadWriterOfMoreThanTheRingHoldsLeavesItEmptyAndPositionsGoOn) {
  Memory memory(16);
  Ring(memory.bytes()).write("0123456789abcdef");
  memory.word(begin) = 84;
  Ring next(memory.bytes());
  EXPECT_EQ(all(next), "");
  EXPECT_EQ(next.end(), 84u);
  next.write("new");
  EXPECT_EQ(all(next), "new");
}

TEST(Ring, WhatCannotBeARingBecomesAnEmptyOne) {
  const uint64_t huge = uint64_t{1} << 62;
  const struct {
    size_t word;
    uint64_t value;
  } damages[] = {{mark, 1},     {mark, 0},   {capacity, 15}, {capacity, 17}, {capacity, ~0ULL},
                 {begin, huge}, {end, huge}, {end, ~0ULL},   {begin, ~0ULL}, {end, 1000}};
  for (auto [word, value] : damages) {
    Memory memory(16);
    Ring(memory.bytes()).write("0123456789abcdefghij");
    memory.word(word) = value;
    Ring next(memory.bytes());
    EXPECT_EQ(next.begin(), next.end()) << word << " " << value;
    EXPECT_LT(next.end(), huge);
    next.write("0123456789abcdefghij");
    EXPECT_EQ(all(next), "456789abcdefghij");
    EXPECT_TRUE(memory.intact());
  }
}

TEST(Ring, WhoeverWritesItsHeaderMeanwhileChangesNothing) {
  Memory memory(16);
  Ring ring(memory.bytes());
  ring.write("0123456789");
  for (size_t word : {mark, capacity, begin, end}) memory.word(word) = ~uint64_t{0};
  EXPECT_EQ(all(ring), "0123456789");
  ring.write("abcdefghij");
  EXPECT_EQ(all(ring), "456789abcdefghij");
  EXPECT_TRUE(memory.intact());
}

TEST(Ring, TooLittleMemoryOrOneThatIsNotAlignedHoldsNothing) {
  Memory memory(16);
  for (std::span<std::byte> bytes :
       {std::span<std::byte>(), memory.bytes().first(Ring::header_size),
        memory.bytes().subspan(1)}) {
    Ring ring(bytes);
    ring.write("text");
    EXPECT_TRUE(ring.read(0, 10).bytes.empty());
    EXPECT_EQ(ring.start(), 0u);
  }
}

// Random writes, takeovers, damage and readers beside a model that keeps everything.
TEST(Ring, IsAlwaysTheEndOfAllThatWasWritten) {
  std::mt19937 random(7);
  Memory memory(61);
  Ring ring(memory.bytes());
  std::string written;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % (i % 50 == 0 ? 200 : 30), '.');
    for (char& c : bytes) c = static_cast<char>('a' + random() % 26);
    ring.write(bytes);
    written += bytes;
    if (random() % 10 == 0) ring = Ring(memory.bytes());
    ASSERT_EQ(ring.end(), written.size());
    ASSERT_EQ(all(ring), written.substr(ring.begin()));
    ASSERT_LE(ring.end() - ring.begin(), 61u);
    const uint64_t position = random() % (written.size() + 1);
    ASSERT_EQ(from(ring, position), written.substr(std::max(position, ring.begin())));
  }
  EXPECT_TRUE(memory.intact());
}

TEST(Ring, AnyMemoryAtAllIsTakenOver) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 20000; ++i) {
    Memory memory(32);
    Ring(memory.bytes()).write("something");
    for (size_t word = 0; word < 4; ++word)
      if (random() % 2) memory.word(word) = random() >> (random() % 64);
    Ring ring(memory.bytes());
    ring.write("0123456789");
    ASSERT_TRUE(all(ring).ends_with("0123456789"));
    ASSERT_LE(ring.end() - ring.begin(), 32u);
    ASSERT_TRUE(memory.intact());
  }
}

}  // namespace
}  // namespace jail
