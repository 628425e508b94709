// Tests of `jail --console`'s client on the real kernel: as a person at a terminal, in a pipe, over
// a reboot inside, and against a jail that lies, floods, or says nothing.
#include <pty.h>
#include <sys/wait.h>
#include <utmp.h>

#include "cmd/console.h"
#include "conf/lex.h"
#include "tests/kernel/console_pair.h"

namespace jail {
namespace {

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root";
    char name[] = "/tmp/console_test.XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    listen_here();
    pair_.emplace();
    request_.control = directory_ + "/control";
    request_.name = "web";
  }

  void TearDown() override {
    if (directory_.empty()) return;
    if (client_ > 0) {
      sys::kill(client_, SIGKILL);
      sys::waitpid(client_, nullptr, 0);
    }
    unlisten();
    rmdir(directory_.c_str());
  }

  void listen_here() {
    listener_.reset(sys::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::ranges::copy(directory_ + "/control", address.sun_path);
    ASSERT_EQ(sys::bind(listener_.get(), &address), 0);
    ASSERT_EQ(sys::listen(listener_.get(), 8), 0);
  }
  void unlisten() {
    listener_.reset();
    sys::unlinkat(AT_FDCWD, (directory_ + "/control").c_str(), 0);
  }

  // The client on a terminal of its own, or with pipes for input and output.
  void start_on_terminal() {
    ASSERT_EQ(openpty(&terminal_, &terminal_slave_, nullptr, nullptr, nullptr), 0);
    ASSERT_EQ(sys::tcgetattr(terminal_slave_, &before_), 0);
    sys::fcntl(terminal_, F_SETFL, O_NONBLOCK);
    terminal_fd_.reset(terminal_);
    slave_fd_.reset(terminal_slave_);
    client_ = fork();
    ASSERT_GE(client_, 0);
    if (client_ == 0) {
      terminal_fd_.reset();
      login_tty(dup(terminal_slave_));
      be_client();
    }
  }
  void start_in_pipe() {
    int in[2], out[2];
    ASSERT_EQ(sys::pipe2(in, O_CLOEXEC), 0);
    ASSERT_EQ(sys::pipe2(out, O_CLOEXEC | O_NONBLOCK), 0);
    client_ = fork();
    ASSERT_GE(client_, 0);
    if (client_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      dup2(out[1], 2);
      sys::fcntl(1, F_SETFL, 0);
      be_client();
    }
    close(in[0]);
    close(out[1]);
    input_.reset(in[1]);
    terminal_fd_.reset(out[0]);
  }
  [[noreturn]] void be_client() {
    setenv("TERM", "xterm", 1);
    listener_.reset();
    pair_.reset();
    _exit(attach_console(request_));
  }

  // What process 1's control does with a request.
  bool accept_one() {
    Fd client(sys::accept4(listener_.get(), SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) return false;
    pollfd request{client.get(), POLLIN, 0};
    char words[packet_most];
    EXPECT_EQ(sys::poll(&request, 1, 5000), 1);
    const ssize_t size = sys::read(client.get(), words, sizeof words);
    asked_ = {words, size > 0 ? static_cast<size_t>(size) : 0};
    if (hostile_) {
      hostile_client_ = std::move(client);
      return true;
    }
    Result<Words> lexed = lex_words(asked_);
    EXPECT_TRUE(lexed);
    EXPECT_EQ(lexed->front(), "console");
    pair_->console().attach(std::move(client), std::span(*lexed).subspan(1));
    return true;
  }
  template <class Done>
  void until(Done done) {
    for (int i = 0; i < 1500; ++i) {
      seen_ += ConsolePair::read_some(terminal_fd_);
      if (done()) return;
      if (serving_) accept_one();
      pair_->turn(10);
    }
    ADD_FAILURE() << "what was waited for did not come; on the terminal: " << seen_;
  }
  // Until the terminal shows it behind what was waited for before.
  void see(const std::string& text) {
    size_t at = 0;
    until([&] { return (at = seen_.find(text, seen_before_)) != std::string::npos; });
    seen_before_ = at == std::string::npos ? seen_before_ : at + text.size();
  }
  void type(std::string_view keys) {
    const int fd = input_ ? input_.get() : terminal_fd_.get();
    EXPECT_EQ(sys::write(fd, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  // What it ended by: the status, or 128 and the signal.
  int status() {
    int status = 0;
    until([&] { return sys::waitpid(client_, &status, WNOHANG) == client_; });
    client_ = -1;
    seen_ += ConsolePair::read_some(terminal_fd_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void expect_restored() {
    termios after{};
    ASSERT_EQ(sys::tcgetattr(terminal_slave_, &after), 0);
    EXPECT_EQ(after.c_lflag, before_.c_lflag);
    EXPECT_EQ(after.c_iflag, before_.c_iflag);
    EXPECT_EQ(after.c_oflag, before_.c_oflag);
  }
  bool is_raw() {
    termios now{};
    return sys::tcgetattr(terminal_slave_, &now) == 0 && (now.c_lflag & (ICANON | ECHO)) == 0;
  }
  // The console is the client's, and the greeting past.
  void start_attached() {
    start_on_terminal();
    until([&] { return pair_->console().anybody_attached(); });
    see("q leaves");
  }
  void answer(std::string_view packet) { send_text(hostile_client_, packet); }
  void start_with_hostile_jail() {
    hostile_ = true;
    start_on_terminal();
    until([&] { return bool(hostile_client_); });
  }

  std::string directory_, seen_, asked_;
  size_t seen_before_ = 0;
  ConsoleRequest request_;
  std::optional<ConsolePair> pair_;
  Fd listener_, terminal_fd_, slave_fd_, input_, hostile_client_;
  int terminal_ = -1, terminal_slave_ = -1;
  termios before_{};
  pid_t client_ = -1;
  bool hostile_ = false, serving_ = true;
};

TEST_F(ClientTest, APersonTypesAndReadsAndLeaves) {
  pair_->print("login: ");
  start_attached();
  see("login: ");
  EXPECT_TRUE(is_raw());
  type("root\r");
  see("root\r\n");
  EXPECT_EQ(pair_->typed(5), "root\n");
  type("\x1dq");
  EXPECT_EQ(status(), 0);
  expect_restored();
  EXPECT_NE(seen_.find("[web: left]"), std::string::npos);
}

TEST_F(ClientTest, SignalsOfTheKeyboardAreTheJails) {
  start_attached();
  for (auto [key, shown] :
       {std::pair("\x03", "^C"), {"\x1c", "^\\"}, {"\x1a", "^Z"}, {"\x1d\x1d", "^]"}}) {
    type(key);
    see(shown);
  }
  EXPECT_TRUE(is_raw());
}

TEST_F(ClientTest, AnotherEscapeKeyIsPossibleAndNoneToo) {
  request_.escape_key = 1;
  start_attached();
  type("\x1dq\r");
  EXPECT_EQ(pair_->typed(3), "\x1dq\n");
  type("\x01q");
  EXPECT_EQ(status(), 0);
}

TEST_F(ClientTest, HelpIsAtHand) {
  start_attached();
  type("\x1d?");
  see("^] q or ^] . leaves, ^] z suspends, ^] ^] types ^]");
}

TEST_F(ClientTest, TheWindowFollowsTheTerminal) {
  winsize size{.ws_row = 33, .ws_col = 99, .ws_xpixel = 0, .ws_ypixel = 0};
  auto window = [&] {
    winsize now{};
    sys::ioctl(pair_->slave(), TIOCGWINSZ, &now);
    return std::pair(now.ws_row, now.ws_col);
  };
  start_attached();
  ASSERT_EQ(sys::ioctl(terminal_slave_, TIOCSWINSZ, &size), 0);
  until([&] { return window() == std::pair<uint16_t, uint16_t>(33, 99); });
  size.ws_row = 50;
  ASSERT_EQ(sys::ioctl(terminal_slave_, TIOCSWINSZ, &size), 0);
  until([&] { return window() == std::pair<uint16_t, uint16_t>(50, 99); });
}

TEST_F(ClientTest, ASignalThatEndsItRestoresTheTerminal) {
  for (int signal : {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGSEGV, SIGABRT}) {
    seen_before_ = seen_.size();
    start_attached();
    until([&] { return is_raw(); });
    sys::kill(client_, signal);
    EXPECT_EQ(status(), 128 + signal);
    expect_restored();
    until([&] { return !pair_->console().anybody_attached(); });
  }
}

TEST_F(ClientTest, StopsWithTheTerminalRestoredAndGoesOn) {
  start_attached();
  for (const bool by_key : {true, false}) {
    until([&] { return is_raw(); });
    if (by_key)
      type("\x1dz");
    else
      sys::kill(client_, SIGTSTP);
    int status = 0;
    until([&] { return sys::waitpid(client_, &status, WUNTRACED | WNOHANG) == client_; });
    EXPECT_TRUE(WIFSTOPPED(status));
    expect_restored();
    sys::kill(client_, SIGCONT);
    until([&] { return is_raw(); });
  }
  type("still here\r");
  EXPECT_EQ(pair_->typed(11), "still here\n");
}

TEST_F(ClientTest, OneThatReadsTypesNothing) {
  request_.mode = "read";
  start_attached();
  type("rm -rf /\r");
  pair_->print("output");
  see("output");
  pair_->settle();
  EXPECT_EQ(pair_->typed(), "");
  type("\x1dq");
  EXPECT_EQ(status(), 0);
}

TEST_F(ClientTest, TheSecondReadsAndSaysSo) {
  Fd first = pair_->attach();
  start_attached();
  see("[web: read only: somebody else writes]");
}

TEST_F(ClientTest, OneThatIsRobbedSaysSo) {
  start_attached();
  Fd thief = pair_->attach({"steal"});
  see("[web: read only: somebody else writes from here on]");
  type("x\r");
  pair_->print("output");
  see("output");
  pair_->settle();
  EXPECT_EQ(pair_->typed(), "");
}

TEST_F(ClientTest, StealingTakesIt) {
  Fd first = pair_->attach();
  request_.mode = "steal";
  start_attached();
  Heard robbed;
  until([&] {
    listen(first, robbed);
    return robbed.read_only;
  });
  type("mine\r");
  EXPECT_EQ(pair_->typed(5), "mine\n");
}

TEST_F(ClientTest, GoesOnOverARebootInside) {
  pair_->print("before ");
  start_attached();
  see("before ");
  serving_ = false;
  pair_->begin();
  see("waiting for the next one]");
  pair_->print("meanwhile ");
  serving_ = true;
  see("[web: attached again]");
  see("meanwhile ");
  EXPECT_EQ(asked_, "console write 7");
  EXPECT_EQ(seen_.find("before ", seen_.find("before ") + 1), std::string::npos);
  type("on\r");
  EXPECT_EQ(pair_->typed(3), "on\n");
}

TEST_F(ClientTest, SaysWhatItCouldNotHearOverAReboot) {
  start_attached();
  serving_ = false;
  pair_->begin();
  see("waiting for the next one]");
  for (int i = 0; i < 20; ++i) pair_->print(std::string(1000, '.'));
  serving_ = true;
  see("bytes lost]");
}

TEST_F(ClientTest, MayBeLeftWhileThereIsNoProcess1) {
  start_attached();
  serving_ = false;
  pair_->begin();
  see("waiting for the next one]");
  type("typed to nobody\x1dq");
  EXPECT_EQ(status(), 0);
  expect_restored();
}

TEST_F(ClientTest, WaitsForTheNextProcess1OnlySoLong) {
  request_.reconnect_ms = 300;
  start_attached();
  serving_ = false;
  pair_->begin();
  EXPECT_EQ(status(), 1);
  EXPECT_NE(seen_.find("no new process 1"), std::string::npos);
  expect_restored();
}

TEST_F(ClientTest, SeesTheEndOfTheJail) {
  start_attached();
  unlisten();
  ASSERT_EQ(rmdir(directory_.c_str()), 0);
  pair_->begin();
  EXPECT_EQ(status(), 2);
  EXPECT_NE(seen_.find("[web: the jail has ended]"), std::string::npos);
  expect_restored();
}

TEST_F(ClientTest, AJailThatIsNotThereIsAnError) {
  unlisten();
  start_on_terminal();
  EXPECT_EQ(status(), 1);
  EXPECT_NE(seen_.find("No such file or directory"), std::string::npos);
  expect_restored();
}

TEST_F(ClientTest, SilenceIsAnswerEnough) {
  request_.answer_ms = 200;
  serving_ = false;
  start_on_terminal();
  EXPECT_EQ(status(), 1);
  EXPECT_NE(seen_.find("no answer from process 1"), std::string::npos);
}

TEST_F(ClientTest, GarbageEndsIt) {
  const std::string huge(packet_most + 1, 'b');
  for (const std::string& packet :
       {std::string("ok"), std::string("ok write"), std::string("ok write x"),
        std::string("ok write -1"), std::string("ok own 5"), std::string("ok write 5 5"),
        std::string("\""), std::string("b text"), huge}) {
    start_with_hostile_jail();
    answer(packet);
    EXPECT_EQ(status(), 1) << packet.substr(0, 20);
    EXPECT_NE(seen_.find("garbage"), std::string::npos);
    expect_restored();
    hostile_client_.reset();
  }
  for (const std::string& packet : {std::string("x"), std::string("l"), std::string("l 0"),
                                    std::string("w 1 1"), std::string("ok write 5"), huge}) {
    start_with_hostile_jail();
    answer("ok write 5");
    answer(packet);
    EXPECT_EQ(status(), 1) << packet.substr(0, 20);
    expect_restored();
    hostile_client_.reset();
  }
}

TEST_F(ClientTest, AnErrorsTextCannotSpeakToTheTerminal) {
  start_with_hostile_jail();
  answer("error \"no console \\033[31m" + std::string(3000, 'x') + "\"");
  EXPECT_EQ(status(), 1);
  EXPECT_NE(seen_.find("[web: no console ?[31mxxx"), std::string::npos);
  EXPECT_LT(seen_.size(), 2000u);
}

TEST_F(ClientTest, AJailThatAnswersAndClosesForEverIsGivenUp) {
  request_.reconnect_ms = 1000;
  start_with_hostile_jail();
  int status = 0;
  until([&] {
    if (hostile_client_) {
      answer("ok write 0");
      hostile_client_.reset();
    }
    return sys::waitpid(client_, &status, WNOHANG) == client_;
  });
  client_ = -1;
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

TEST_F(ClientTest, AJailThatNeverTakesInputCannotHoldIt) {
  ASSERT_TRUE(make_raw(pair_->slave()));
  start_attached();
  const std::string much(1000, 'x');
  for (int i = 0; i < 2000; ++i) {
    if (sys::write(terminal_fd_.get(), much.data(), much.size()) < 0) pair_->turn(1);
    pair_->turn();
  }
  until([&] { return sys::write(terminal_fd_.get(), "\x1d", 1) == 1; });
  until([&] { return sys::write(terminal_fd_.get(), "q", 1) == 1; });
  EXPECT_EQ(status(), 0);
}

TEST_F(ClientTest, EscapeSequencesReachATerminal) {
  start_attached();
  pair_->print("\033[31mred\033[m");
  see("\033[31mred\033[m");
}

TEST_F(ClientTest, AFileHasNoControlCharacters) {
  pair_->print("\033[31mred\033[m\n\a");
  start_in_pipe();
  see("?[31mred?[m\n?");
}

TEST_F(ClientTest, AScriptTypesAllOfItsInputAndHearsOn) {
  start_in_pipe();
  until([&] { return pair_->console().anybody_attached(); });
  type("echo \x1dq\n");
  EXPECT_EQ(pair_->typed(8), "echo \x1dq\n");
  input_.reset();
  pair_->print("heard\n");
  see("heard\n");
  until([&] { return pair_->console().anybody_attached(); });
  sys::kill(client_, SIGTERM);
  EXPECT_EQ(status(), 128 + SIGTERM);
}

// console.link with what people have for it. Debian's cu becomes uucp before it opens the line.
TEST_F(ClientTest, TheRealCuOpensTheLink) {
  if (access("/usr/bin/cu", X_OK) != 0) GTEST_SKIP() << "no cu here";
  const LinkTerminal link = make_link_terminal().value();
  pair_->set_link(link.master.get());
  client_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
  ASSERT_GE(client_, 0);
  if (client_ == 0) {
    execl("/usr/bin/cu", "cu", "-l", link.path.c_str(), nullptr);
    _exit(127);
  }
  terminal_fd_.reset(terminal_);
  sys::fcntl(terminal_, F_SETFL, O_NONBLOCK);
  see("Connected");
  type("root\r");
  see("root\r\n");
  EXPECT_EQ(pair_->typed(5), "root\n");
  pair_->print("Password: ");
  see("Password: ");
  type("\r~.");
  see("Disconnected");
  EXPECT_EQ(status(), 0);
  pair_->settle();
  pair_->print("nobody is there\n");
  EXPECT_FALSE(pair_->turn(100));
}

TEST_F(ClientTest, TheEndOfTheTerminalIsTheEnd) {
  start_attached();
  slave_fd_.reset();
  terminal_slave_ = -1;
  terminal_fd_.reset();
  EXPECT_EQ(status(), 128 + SIGHUP);
}

}  // namespace
}  // namespace jail
