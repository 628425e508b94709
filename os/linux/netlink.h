// rtnetlink(7), the one way to a network stack: requests built and answers read by libmnl, sent
// singly or in batches. Knows messages and attributes, nothing of jails. It must never leave the
// process in another network namespace.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "os/linux/abi.h"

namespace jail {

// The bytes of a plain structure, and back: zeroes where there are too few of them.
template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
template <class T>
T value_of(std::string_view bytes) {
  T value{};
  if (bytes.size() >= sizeof value) bytes.copy(reinterpret_cast<char*>(&value), sizeof value);
  return value;
}

// One attribute; its payload lies in the message that it was read from.
struct NetAttribute {
  unsigned type;
  std::string_view payload;
};

// The attributes in a payload (of a nested one), in order; what is malformed ends the list.
std::vector<NetAttribute> attributes_in(std::string_view bytes);

// An answer of the kernel: an rtnetlink message with its netlink header. Owns its bytes.
class NetMessage {
 public:
  explicit NetMessage(std::string_view bytes) : bytes_(bytes) {}

  // The family header (ifinfomsg, ifaddrmsg, rtmsg).
  template <class Header>
  Header header() const {
    return value_of<Header>(payload());
  }
  // The attributes behind a family header of that type.
  template <class Header>
  std::vector<NetAttribute> attributes() const {
    return attributes_in(payload().substr(std::min(payload().size(), NLMSG_ALIGN(sizeof(Header)))));
  }

 private:
  std::string_view payload() const;

  std::string bytes_;
};

// The payload of the first attribute of that type, or nothing.
std::optional<std::string_view> find_attribute(const std::vector<NetAttribute>& attributes,
                                               unsigned type);
// The same as a number or a structure; zero where it is not there.
template <class T>
T attribute_value(const std::vector<NetAttribute>& attributes, unsigned type) {
  return value_of<T>(find_attribute(attributes, type).value_or(""));
}
// The same as text, up to a NUL.
std::string attribute_text(const std::vector<NetAttribute>& attributes, unsigned type);

// A message to the kernel. One that outgrows its buffer is refused when it is sent (EMSGSIZE).
class NetRequest {
 public:
  // `flags` beside NLM_F_REQUEST, and NLM_F_ACK for all but dumps.
  template <class Header>
  NetRequest(unsigned type, unsigned flags, const Header& header)
      : NetRequest(type, flags, bytes_of(header)) {}
  NetRequest(const NetRequest&) = delete;
  NetRequest& operator=(const NetRequest&) = delete;
  NetRequest(NetRequest&&) = delete;
  NetRequest& operator=(NetRequest&&) = delete;
  ~NetRequest() = default;

  // These three append one attribute.
  NetRequest& put(unsigned type, std::string_view payload);
  template <class T>
  NetRequest& put_value(unsigned type, const T& value) {
    return put(type, bytes_of(value));
  }
  // With its NUL.
  NetRequest& put_text(unsigned type, const std::string& text) {
    return put(type, {text.c_str(), text.size() + 1});
  }
  // Everything put until end_nest() lies inside this attribute. nullptr where it did not fit, which
  // end_nest() takes.
  nlattr* begin_nest(unsigned type);
  void end_nest(nlattr* nest);

  // The message, or nothing if it did not fit.
  std::string_view bytes() const;

 private:
  NetRequest(unsigned type, unsigned flags, std::string_view header);
  nlmsghdr* message() { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }

  alignas(nlmsghdr) std::array<char, 8192> buffer_;
  bool fits_ = true;
};

// Requests that are sent together, each with the noun that its error is about.
class NetBatch {
 public:
  // `harmless`: an errno that is as good as success here, or 0.
  void add(const NetRequest& request, std::string noun, int harmless = 0);

 private:
  friend class Netlink;
  struct Part {
    std::string bytes, noun;
    int harmless;
  };
  std::vector<Part> parts_;
};

// A socket to one network stack. Errors: "NOUN: STRERROR", with the kernel's own sentence behind it
// where it has one.
class Netlink {
 public:
  // To the stack of this process (-1), or to the one behind the descriptor `stack`: the process
  // enters it for the moment of making the socket.
  static Result<Netlink> open(int stack = -1);

  // One change. A refusal is the error, with its errno.
  Result<void> ask(const NetRequest& request, std::string_view noun);

  // One question, or a dump (NLM_F_DUMP): all the messages of the answer. A dump that others
  // changed under way is asked again, 16 times at most: EAGAIN then.
  Result<std::vector<NetMessage>> list(const NetRequest& request, std::string_view noun);

  // All requests in order, also those after one that is refused; yields the refusals. An error only
  // where the conversation itself failed: how far it came is then not known.
  Result<std::vector<Error>> post(const NetBatch& batch);

 private:
  explicit Netlink(Fd socket) : socket_(std::move(socket)) {}
  // Sends these messages, numbered from sequence_ + 1 on.
  Result<void> transmit(std::string bytes);
  // The next datagram, in buffer_.
  Result<std::string_view> receive();
  // One whole answer. False: it was changed under way.
  Result<bool> gather(std::vector<NetMessage>& messages, std::string_view noun);

  Fd socket_;
  uint32_t sequence_ = 0;
  std::string buffer_;
};

// The network namespace of this process. Error: "PATH: strerror".
Result<Fd> own_stack();

}  // namespace jail
