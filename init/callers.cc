#include "init/callers.h"

#include <algorithm>
#include <fcntl.h>
#include <utility>

#include "base/sys.h"
#include "conf/lex.h"

namespace jail {

void reply(const Caller& caller, std::string_view text) {
  if (sys::send(caller.fd.get(), text.data(), std::min(text.size(), request_most),
                MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    return;  // it has not waited
}

void Callers::fill(std::span<pollfd, most> polls) const {
  for (size_t i = 0; i < most; ++i) polls[i] = {callers_[i].fd.get(), POLLIN, 0};
}

int Callers::hears(int listener) {
  // Something that counts for the process and for the system, and is there in every jail.
  if (!spare_) spare_.reset(sys::openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  deaf_ = std::exchange(failed_, false);
  return deaf_ ? -1 : listener;
}

// Nobody inside can crowd out the host between its call and its word.
Caller& Callers::longest_silent() {
  auto found =
      std::ranges::find_if(callers_, [](const Caller& one) { return one.fd && !one.host; });
  if (found == callers_.end())
    found = std::ranges::find_if(callers_, [](const Caller& one) { return bool(one.fd); });
  return found == callers_.end() ? callers_.front() : *found;
}

void Callers::take(int listener) {
  Caller caller = accept_caller(listener);
  if (!caller.fd && errno != EAGAIN && errno != EINTR) {
    (spare_ ? spare_ : longest_silent().fd).reset();
    caller = accept_caller(listener);
    failed_ = !caller.fd && errno != EAGAIN;
  }
  if (!caller.fd) return;
  auto room = std::ranges::find_if(callers_, [](const Caller& one) { return !one.fd; });
  if (room == callers_.end()) room = callers_.begin() + (&longest_silent() - callers_.data());
  std::rotate(room, room + 1, callers_.end());
  callers_.back() = std::move(caller);
}

std::optional<Callers::Request> Callers::hear(size_t place) {
  char text[request_most + 1];
  Caller& caller = callers_[place];
  const ssize_t size = sys::recv(caller.fd.get(), text, sizeof text, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  Caller asking = std::move(caller);
  caller = Caller();
  if (size <= 0) return std::nullopt;
  Result<Words> words;
  const char* refusal = nullptr;
  if (static_cast<size_t>(size) > request_most) refusal = "error too long";
  if (!refusal) words = lex_words({text, static_cast<size_t>(size)});
  if (!refusal && (!words || words->empty())) refusal = "error not a request";
  // Also from outside: root of the jail can open the socket's file to everybody.
  if (!refusal && !asking.root) refusal = "error Operation not permitted";
  if (!refusal) return Request{std::move(asking), std::move(*words)};
  reply(asking, refusal);
  return std::nullopt;
}

}  // namespace jail
