// What an unfriendly program does in a jail: floods of processes, of memory, of callers. And as
// `jinit`, a process 1 that lies to whoever speaks to it. For the tests of tests/ordeal only.
//
//   storm orphans RATE SECONDS   so many orphans a second; prints how many there were
//   storm forks COUNT            COUNT processes that fork, double fork and lead sessions, and do
//   not
//                                hear TERM; each starts another one when it ends
//   storm eat                    takes all memory there is, touching it
//   storm call HOW COUNT         COUNT connections to process 1; HOW: silent (kept for ever),
//   closed
//                                (at once), long (4097 bytes), junk, empty, descriptors, stalled
//                                (asks for the console, never reads), boot
//
// As `jinit --jail`, what `liar` in the jail's root says: `escapes`, `lines`, `silence`, `junk`,
// `gone`, or else `ok`. As any other jinit it is the real one, in /mnt/bin.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr int batch = 50;  // children of one parent, whose end makes them orphans

int64_t now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

// --- processes ---

// A parent that ends before its children are waited for: they are process 1's. Yields how many.
int make_orphans() {
  int status = 0;
  const pid_t parent = fork();
  if (parent == 0) {
    int made = 0;
    for (int i = 0; i < batch; ++i) {
      const pid_t child = fork();
      if (child == 0) _exit(0);
      made += child > 0;
    }
    _exit(made);
  }
  if (parent < 0 || waitpid(parent, &status, 0) != parent || !WIFEXITED(status)) return 0;
  return WEXITSTATUS(status);
}

int orphans(long rate, long seconds) {
  const int64_t begin = now_ms();
  long made = 0;
  for (int64_t past = 0; past < seconds * 1000; past = now_ms() - begin) {
    if (made * 1000 <= rate * past)
      made += make_orphans();
    else
      poll(nullptr, 0, 1);
  }
  return printf("%ld\n", made) > 0 && fflush(stdout) == 0 ? 0 : 1;
}

// Lives a moment, and goes on as another process of another session.
[[noreturn]] void breed() {
  for (;;) {
    const pid_t next = fork();
    if (next > 0) _exit(0);
    if (next == 0) setsid();
    poll(nullptr, 0, 1);
  }
}

int forks(long count) {
  signal(SIGTERM, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  for (long i = 0; i < count; ++i)
    if (fork() == 0) breed();
  return 0;
}

int eat() {
  constexpr size_t piece = 1 << 20;
  for (;;) {
    void* memory = mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      poll(nullptr, 0, 10);
      continue;
    }
    memset(memory, 1, piece);
  }
}

// --- callers ---

int call_once() {
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path, "/run/jinit/control");
  if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    perror("control");
    exit(1);
  }
  return fd;
}

void send_descriptors(int fd) {
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int) * 8)] = {};
  char text[] = "status";
  iovec data{text, sizeof text - 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * 8);
  const int all[8] = {fd, fd, fd, fd, fd, fd, fd, fd};
  memcpy(CMSG_DATA(header), all, sizeof all);
  sendmsg(fd, &message, MSG_NOSIGNAL);
}

int call(const std::string& how, long count) {
  std::string junk(3000, '\0');
  for (size_t i = 0; i < junk.size(); ++i) junk[i] = static_cast<char>(i * 37 % 251);
  for (long i = 0; i < count; ++i) {
    const int fd = call_once();
    const std::string text = how == "long"      ? std::string(4097, 'a')
                             : how == "junk"    ? junk.substr(static_cast<size_t>(i) % 2500)
                             : how == "stalled" ? "console read"
                             : how == "boot"    ? "boot"
                                                : "";
    if (how == "descriptors")
      send_descriptors(fd);
    else if (how != "silent" && how != "closed")
      send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    const bool stays = how == "silent" || how == "stalled" || how == "boot";
    if (!stays) close(fd);
  }
  if (puts("called") < 0 || fflush(stdout) != 0) return 1;
  if (how == "silent" || how == "stalled" || how == "boot") poll(nullptr, 0, -1);
  return 0;
}

// --- a process 1 that lies ---

std::string how_to_lie() {
  char how[32] = "";
  const int file = open("/liar", O_RDONLY | O_CLOEXEC);
  if (file < 0 || read(file, how, sizeof how - 1) <= 0) _exit(1);
  close(file);
  return how;
}

void lie_to(int fd, const std::string& how) {
  const std::string evil =
      "error \033]0;evil\007\033[2J\r\x9b"
      "31m \xc2\x9b"
      "31m\n\033[6n";
  const std::string text = how == "escapes" ? evil
                           : how == "junk"  ? std::string(4096, '\033')
                                            : "ok";
  send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  while (how == "lines" && send(fd, "line \033[31mx", 11, MSG_NOSIGNAL) > 0) continue;
}

[[noreturn]] void lie() {
  for (;;) {
    const int fd = accept4(3, nullptr, nullptr, SOCK_CLOEXEC);
    const std::string how = how_to_lie();
    if (how == "gone") _exit(0);
    char request[4096];
    if (fd < 0 || how == "silence" || recv(fd, request, sizeof request, 0) <= 0) continue;
    lie_to(fd, how);
    close(fd);
  }
}

}  // namespace

int main(int count, char** words) {
  const char* slash = strrchr(words[0], '/');
  const std::string name = slash ? slash + 1 : words[0], what = count > 1 ? words[1] : "";
  if (name == "jinit" && what == "--jail") lie();
  if (name == "jinit") {
    execv("/mnt/bin/jinit", words);
    return 127;
  }
  if (what == "orphans" && count == 4) return orphans(atol(words[2]), atol(words[3]));
  if (what == "forks" && count == 3) return forks(atol(words[2]));
  if (what == "eat") return eat();
  if (what == "call" && count == 4) return call(words[2], atol(words[3]));
  return 64;
}
