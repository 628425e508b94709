#include "base/pass.h"

#include <algorithm>
#include <cstring>

#include "base/sys.h"

namespace jail {

namespace {

// What the descriptors of a message lie in, aligned as cmsg(3) wants it.
union Control {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int) * most_passed)];
};

msghdr message_of(iovec& packet, Control& control, size_t size) {
  msghdr message{};
  message.msg_iov = &packet;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = static_cast<decltype(message.msg_controllen)>(size);
  return message;
}

}  // namespace

bool pass_descriptors(int socket, std::string_view packet, std::span<const int> descriptors) {
  Control control{};
  const size_t size = sizeof(int) * std::min(descriptors.size(), most_passed);
  iovec bytes{const_cast<char*>(packet.data()), packet.size()};
  msghdr message = message_of(bytes, control, CMSG_SPACE(size));
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = static_cast<decltype(header->cmsg_len)>(CMSG_LEN(size));
  std::copy_n(reinterpret_cast<const char*>(descriptors.data()), size, CMSG_DATA(header));
  return sys::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

Result<Passed> take_descriptors(int socket) {
  Control control{};
  char text[4096];
  iovec bytes{text, sizeof text};
  msghdr message = message_of(bytes, control, sizeof control.bytes);
  const ssize_t size = sys::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  // Reset: closed with something of ours unread.
  if (size < 0) return fail_errno("socket", errno == ECONNRESET ? EPIPE : errno);
  Passed passed;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    std::vector<int> numbers((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(numbers.data(), CMSG_DATA(header), numbers.size() * sizeof(int));
    for (int number : numbers) passed.descriptors.emplace_back(number);
  }
  if (size == 0) return fail_errno("socket", EPIPE);
  passed.packet.assign(text, static_cast<size_t>(size));
  return passed;
}

}  // namespace jail
