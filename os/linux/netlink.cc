#include "os/linux/netlink.h"

#include <algorithm>
#include <cstring>
#include <libmnl/libmnl.h>

#include "base/file.h"
#include "os/linux/excursion.h"

namespace jail {

namespace {

// More than the kernel puts into one datagram of a dump (32 KB).
constexpr size_t datagram_bytes = 64U << 10;
// Answers wait in the socket's buffer until the whole batch is done: few enough that they always
// fit.
constexpr size_t batch_messages = 64;
constexpr int dump_tries = 16;  // a dump is spoiled by any change; so many in a row are no accident

const nlmsghdr* header_of(std::string_view bytes) {
  return reinterpret_cast<const nlmsghdr*>(bytes.data());
}

// The messages that end an answer; both begin with a negative errno or 0.
bool is_end(const nlmsghdr* message) {
  return message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR;
}

// What the end of an answer says: nothing for success.
std::optional<Error> refusal(const nlmsghdr* message, std::string_view noun) {
  auto* answer = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message));
  size_t size = mnl_nlmsg_get_payload_len(message);
  if (size < sizeof answer->error || answer->error >= 0) return {};
  Error error = fail_errno(noun, -answer->error).error();
  if (message->nlmsg_type == NLMSG_DONE || size < sizeof *answer) return error;
  if ((message->nlmsg_flags & NLM_F_ACK_TLVS) != 0 && (message->nlmsg_flags & NLM_F_CAPPED) != 0) {
    auto* start = reinterpret_cast<const char*>(answer + 1);
    auto* end = reinterpret_cast<const char*>(message) + message->nlmsg_len;
    std::string why = attribute_text(attributes_in({start, end}), NLMSGERR_ATTR_MSG);
    if (!why.empty()) error.text += " (" + why + ")";
  }
  return error;
}

// A socket in the namespace that this process is in now. Strict: a dump may be narrowed to one
// interface.
Result<Fd> make_socket() {
  constexpr const char* noun = "rtnetlink";
  Fd socket(sys::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return fail_errno(noun);
  int on = 1;
  for (int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
    if (sys::setsockopt(socket.get(), SOL_NETLINK, option, &on, sizeof on) != 0)
      return fail_errno(noun);
  }
  // Connected, it hears the kernel alone and no other process.
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (sys::connect(socket.get(), &kernel) != 0) return fail_errno(noun);
  return socket;
}

}  // namespace

// Lengths are the sender's word: mnl_attr_ok holds each one to what is left.
std::vector<NetAttribute> attributes_in(std::string_view bytes) {
  std::vector<NetAttribute> attributes;
  const char* end = bytes.data() + bytes.size();
  for (auto* at = reinterpret_cast<const nlattr*>(bytes.data());
       mnl_attr_ok(at, static_cast<int>(end - reinterpret_cast<const char*>(at)));
       at = mnl_attr_next(at)) {
    attributes.push_back(
        {mnl_attr_get_type(at),
         {static_cast<const char*>(mnl_attr_get_payload(at)), mnl_attr_get_payload_len(at)}});
  }
  return attributes;
}

std::string_view NetMessage::payload() const {
  const nlmsghdr* header = header_of(bytes_);
  return {static_cast<const char*>(mnl_nlmsg_get_payload(header)),
          mnl_nlmsg_get_payload_len(header)};
}

std::optional<std::string_view> find_attribute(const std::vector<NetAttribute>& attributes,
                                               unsigned type) {
  auto it = std::ranges::find(attributes, type, &NetAttribute::type);
  if (it == attributes.end()) return {};
  return it->payload;
}

std::string attribute_text(const std::vector<NetAttribute>& attributes, unsigned type) {
  std::string_view payload = find_attribute(attributes, type).value_or("");
  return std::string(payload.substr(0, payload.find('\0')));
}

NetRequest::NetRequest(unsigned type, unsigned flags, std::string_view header) {
  nlmsghdr* start = mnl_nlmsg_put_header(buffer_.data());
  bool dump = (flags & NLM_F_DUMP) == NLM_F_DUMP;
  start->nlmsg_type = static_cast<uint16_t>(type);
  start->nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST | (dump ? 0 : NLM_F_ACK));
  std::memcpy(mnl_nlmsg_put_extra_header(start, header.size()), header.data(), header.size());
}

// Remembers that something did not fit, so that a chain of puts needs no check of each.
NetRequest& NetRequest::put(unsigned type, std::string_view payload) {
  fits_ = mnl_attr_put_check(message(), buffer_.size(), static_cast<uint16_t>(type), payload.size(),
                             payload.data()) &&
          fits_;
  return *this;
}

nlattr* NetRequest::begin_nest(unsigned type) {
  nlattr* nest = mnl_attr_nest_start_check(message(), buffer_.size(), static_cast<uint16_t>(type));
  fits_ = fits_ && nest != nullptr;
  return nest;
}

void NetRequest::end_nest(nlattr* nest) {
  if (nest != nullptr) mnl_attr_nest_end(message(), nest);
}

std::string_view NetRequest::bytes() const {
  if (!fits_) return {};
  return {buffer_.data(), reinterpret_cast<const nlmsghdr*>(buffer_.data())->nlmsg_len};
}

void NetBatch::add(const NetRequest& request, std::string noun, int harmless) {
  parts_.push_back({std::string(request.bytes()), std::move(noun), harmless});
}

Result<Netlink> Netlink::open(int stack) {
  if (stack < 0) return Netlink(TRY(make_socket()));
  Fd home = TRY(own_stack());
  if (sys::setns(stack, CLONE_NEWNET) != 0) return fail_errno("network stack of the jail");
  Result<Fd> socket = make_socket();
  return_home(home.get(), CLONE_NEWNET);
  return Netlink(TRY(std::move(socket)));
}

Result<void> Netlink::transmit(std::string bytes) {
  int left = static_cast<int>(bytes.size());
  for (auto* at = reinterpret_cast<nlmsghdr*>(bytes.data()); mnl_nlmsg_ok(at, left);
       at = mnl_nlmsg_next(at, &left)) {
    at->nlmsg_seq = ++sequence_;
  }
  ssize_t sent = -1;
  do {
    sent = sys::send(socket_.get(), bytes.data(), bytes.size(), 0);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return fail_errno("rtnetlink");
  return {};
}

// One datagram, in buffer_. MSG_TRUNC: its whole length, so that a cut one is noticed.
Result<std::string_view> Netlink::receive() {
  buffer_.resize(datagram_bytes);
  ssize_t got = -1;
  do {
    got = sys::recv(socket_.get(), buffer_.data(), buffer_.size(), MSG_TRUNC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return fail_errno("rtnetlink");
  if (static_cast<size_t>(got) > buffer_.size())
    return fail(EMSGSIZE, "rtnetlink: answer too long");
  return std::string_view(buffer_.data(), static_cast<size_t>(got));
}

Result<void> Netlink::ask(const NetRequest& request, std::string_view noun) {
  NetBatch batch;
  batch.add(request, std::string(noun));
  std::vector<Error> refusals = TRY(post(batch));
  if (!refusals.empty()) return std::unexpected(std::move(refusals[0]));
  return {};
}

// Messages of another sequence number are the rest of an answer that was given up.
Result<bool> Netlink::gather(std::vector<NetMessage>& messages, std::string_view noun) {
  bool whole = true;
  for (;;) {
    std::string_view datagram = TRY(receive());
    int left = static_cast<int>(datagram.size());
    for (auto* at = header_of(datagram); mnl_nlmsg_ok(at, left); at = mnl_nlmsg_next(at, &left)) {
      if (at->nlmsg_seq != sequence_) continue;
      whole = whole && (at->nlmsg_flags & NLM_F_DUMP_INTR) == 0;
      if (is_end(at)) {
        if (std::optional<Error> error = refusal(at, noun))
          return std::unexpected(std::move(*error));
        return whole;
      }
      messages.emplace_back(std::string_view(reinterpret_cast<const char*>(at), at->nlmsg_len));
    }
  }
}

Result<std::vector<NetMessage>> Netlink::list(const NetRequest& request, std::string_view noun) {
  if (request.bytes().empty()) return fail_errno(noun, EMSGSIZE);
  for (int tries = 0; tries < dump_tries; ++tries) {
    TRY(transmit(std::string(request.bytes())));
    std::vector<NetMessage> messages;
    if (TRY(gather(messages, noun))) return messages;
  }
  return fail_errno(noun, EAGAIN);
}

// Several messages in one send: the kernel works them off in order within that one call and answers
// each. A part that did not fit its buffer refuses the batch before anything is sent.
Result<std::vector<Error>> Netlink::post(const NetBatch& batch) {
  std::vector<Error> refusals;
  for (const NetBatch::Part& part : batch.parts_) {
    if (part.bytes.empty()) return fail_errno(part.noun, EMSGSIZE);
  }
  for (size_t first = 0; first < batch.parts_.size(); first += batch_messages) {
    size_t count = std::min(batch_messages, batch.parts_.size() - first);
    std::string bytes;
    for (size_t i = 0; i < count; ++i) bytes += batch.parts_[first + i].bytes;
    uint32_t before = sequence_;
    TRY(transmit(std::move(bytes)));
    for (size_t answered = 0; answered < count;) {
      std::string_view datagram = TRY(receive());
      int left = static_cast<int>(datagram.size());
      for (auto* at = header_of(datagram); mnl_nlmsg_ok(at, left); at = mnl_nlmsg_next(at, &left)) {
        size_t which = at->nlmsg_seq - before - 1;
        if (at->nlmsg_type != NLMSG_ERROR || which >= count) continue;
        ++answered;
        const NetBatch::Part& part = batch.parts_[first + which];
        std::optional<Error> error = refusal(at, part.noun);
        if (error && error->code != part.harmless) refusals.push_back(std::move(*error));
      }
    }
  }
  return refusals;
}

Result<Fd> own_stack() {
  return open_at(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY);
}

}  // namespace jail
