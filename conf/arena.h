// Memory for many small things that live and die together: the words and statements of one
// configuration. Must never hold anything that needs a destructor.
#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace jail {

// What is taken stays at its address until the arena goes; moving the arena moves nothing in it.
// Nothing is ever given back singly, and nothing fails but for want of memory, which ends the
// program.
class Arena {
 public:
  // `size` bytes, uninitialised, aligned for any of our records.
  char* take(size_t size) {
    size = (size + alignment - 1) / alignment * alignment;
    if (size > left_) grow(size);
    char* result = at_;
    at_ += size;
    left_ -= size;
    used_ += size;
    return result;
  }

  // A copy of one record, to be changed in place.
  template <class T>
  T* make(const T& value) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignment);
    return new (take(sizeof(T))) T(value);
  }

  // Copies of a list and of a text. What is empty takes no room and points nowhere.
  template <class T>
  std::span<const T> copy(std::span<const T> items) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= alignment);
    if (items.empty()) return {};
    T* result = reinterpret_cast<T*>(take(items.size_bytes()));
    std::uninitialized_copy(items.begin(), items.end(), result);
    return {result, items.size()};
  }

  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* result = take(text.size());
    std::memcpy(result, text.data(), text.size());
    return {result, text.size()};
  }

  // Bytes taken so far, rounding included: what limits on hostile input are measured by.
  size_t used() const { return used_; }

 private:
  static constexpr size_t alignment = 8;
  static constexpr size_t chunk_size = size_t{256} << 10;

  // The rest of the last chunk is left unused: chunks are many times larger than what is taken.
  void grow(size_t size) {
    left_ = size > chunk_size ? size : chunk_size;
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(left_));
    at_ = chunks_.back().get();
  }

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* at_ = nullptr;
  size_t left_ = 0;
  size_t used_ = 0;
};

}  // namespace jail
