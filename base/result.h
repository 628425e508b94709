// Errors as values. An Error is an errno and one sentence that grows outward: whoever knows a noun
// adds it with in(). Nothing in this project throws; TRY hands an error to the caller.
#pragma once

#include <cerrno>
#include <cstring>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace jail {

// Why something failed. `code` is an errno value, never 0; `text` is one line without a newline and
// without the program's name, outermost context first ("web: mount /dev: Operation not permitted").
struct [[nodiscard]] Error {
  int code = EINVAL;
  std::string text;

  // The same error with `noun` in front: "noun: text".
  [[nodiscard]] Error in(std::string_view noun) && {
    text.insert(0, ": ").insert(0, noun);
    return std::move(*this);
  }
};

// A value, or why there is none. Result<void> is success or an Error.
template <class T>
using Result = std::expected<T, Error>;

// An error of our own finding: an errno to decide by and the whole sentence.
inline std::unexpected<Error> fail(int code, std::string text) {
  return std::unexpected(Error{code, std::move(text)});
}

// The error of a system call that has just failed: "what: strerror(code)". The default `code` is
// errno at the call, so nothing may come in between that changes it.
inline std::unexpected<Error> fail_errno(std::string_view what, int code = errno) {
  return fail(code, std::string(what) + ": " + std::strerror(code));
}

// Puts `noun` before the text of a failed result; a good one passes through.
template <class T>
Result<T> in(std::string_view noun, Result<T> result) {
  if (!result) return std::unexpected(std::move(result.error()).in(noun));
  return result;
}

// Says that a failure is of no interest here, and why; the only permitted way to drop a Result.
template <class T>
void ignore(const Result<T>& /*result*/, const char* /*why*/) {}

// Ends the program by abort(3): something happened that cannot. Never for input, however odd.
// Prints file, line and `what` on standard error.
[[noreturn]] void bug(const char* what, const char* file = __builtin_FILE(),
                      int line = __builtin_LINE());

}  // namespace jail

// The value of a Result, or a return of its error from the enclosing function. Does not compile in
// a function that returns void, which is what keeps it out of the children of a fork.
#define TRY(...) JAIL_TRY(JAIL_TRY_NAME(try_result_, __COUNTER__), __VA_ARGS__)
#define JAIL_TRY_NAME(a, b) JAIL_TRY_NAME2(a, b)
#define JAIL_TRY_NAME2(a, b) a##b
#define JAIL_TRY(result, ...)                                       \
  __extension__({                                                   \
    auto result = (__VA_ARGS__);                                    \
    if (!result) return std::unexpected(std::move(result.error())); \
    *std::move(result);                                             \
  })
