// Tests of the console's server and of its terminals on the real kernel: who hears what, who may
// type, and that nobody - the jail, a client, whoever has console.link open - can make it wait,
// spin, grow or end.
#include <pwd.h>
#include <termios.h>

#include "os/linux/tree.h"
#include "tests/kernel/console_pair.h"
#include "tests/kernel/view.h"

namespace jail {
namespace {

class ConsoleTest : public testing::Test {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root";
    pair_.emplace();
  }
  void TearDown() override {
    pair_.reset();
    EXPECT_TRUE(sys::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD);
  }
  ConsolePair& pair() { return *pair_; }

  std::optional<ConsolePair> pair_;
};

TEST_F(ConsoleTest, AllReadersHearTheOutput) {
  Fd one = pair().attach({"read"}), two = pair().attach({"read"});
  pair().print("hello\n");
  EXPECT_EQ(listen(one).bytes, "hello\r\n");
  EXPECT_EQ(listen(two).bytes, "hello\r\n");
}

TEST_F(ConsoleTest, WhoComesLaterHearsTheLastOutputFirst) {
  pair().print("before\n");
  Fd client = pair().attach({"read"});
  Heard heard = listen(client);
  EXPECT_EQ(heard.answer, "ok read 0");
  EXPECT_EQ(heard.bytes, "before\r\n");
  pair().print("after\n");
  listen(client, heard);
  EXPECT_EQ(heard.bytes, "before\r\nafter\r\n");
}

TEST_F(ConsoleTest, OnAReplayThatIsLongNoLineBeginsInTheMiddle) {
  for (int i = 0; i < 1000; ++i) pair().print("a line of the boot\n");
  Fd client = pair().attach({"read"});
  pair().settle();
  const Heard heard = listen(client);
  EXPECT_TRUE(heard.bytes.starts_with("a line of"));
  EXPECT_GT(heard.bytes.size(), 8000u);
}

TEST_F(ConsoleTest, GoesOnWhereAClientWasWhenTheNextProcess1HasIt) {
  pair().print("one ");
  Fd client = pair().attach({"write"});
  EXPECT_EQ(listen(client).answer, "ok write 0");
  pair().print("two ");
  pair().begin();
  EXPECT_TRUE(listen(client).ended);
  pair().print("three");
  Fd again = pair().attach({"write", "4"});
  const Heard heard = listen(again);
  EXPECT_EQ(heard.answer, "ok write 4");
  EXPECT_EQ(heard.bytes, "two three");
}

TEST_F(ConsoleTest, APositionThatIsNoMoreBeginsWithTheOldest) {
  for (int i = 0; i < 600; ++i) pair().print("0123456789abcdefghijklmnopqrstuv\n");
  Fd old = pair().attach({"read", "17"}), wrong = pair().attach({"read", "99999999999"});
  const std::string from_old = listen(old).answer, from_wrong = listen(wrong).answer;
  EXPECT_GT(parse_int(from_old.substr(8)), 12'000);
  EXPECT_LT(parse_int(from_wrong.substr(8)), 600 * 34);
}

TEST_F(ConsoleTest, OneWritesAndTheOthersRead) {
  Fd one = pair().attach(), two = pair().attach({"write"}), three = pair().attach({"read"});
  EXPECT_EQ(listen(one).answer, "ok write 0");
  EXPECT_EQ(listen(two).answer, "ok read 0");
  EXPECT_EQ(listen(three).answer, "ok read 0");
  send_text(one, "bls\n");
  EXPECT_EQ(pair().typed(3), "ls\n");
  one.reset();
  pair().settle();
  EXPECT_EQ(listen(pair().attach()).answer, "ok write 0");
}

TEST_F(ConsoleTest, StealingTakesTheWritingAndSaysSo) {
  Fd one = pair().attach();
  send_text(one, "babc");
  pair().turn_until([&] { return pair().written() == 3; });
  Fd two = pair().attach({"steal"});
  EXPECT_EQ(listen(two).answer, "ok write 0");
  Heard robbed = listen(one);
  EXPECT_TRUE(robbed.read_only);
  // It may have typed before it knew.
  send_text(one, "bxyz\n");
  send_text(two, "bdef\n");
  EXPECT_EQ(pair().typed(7), "abcdef\n");
  listen_for(pair(), one, robbed, 8);
  EXPECT_FALSE(robbed.ended);
  EXPECT_EQ(robbed.bytes, "abcdef\r\n");
}

TEST_F(ConsoleTest, TheOneWhoWritesSetsTheWindow) {
  Fd client = pair().attach();
  send_text(client, "w 50 132");
  pair().settle();
  winsize size{};
  ASSERT_EQ(sys::ioctl(pair().slave(), TIOCGWINSZ, &size), 0);
  EXPECT_EQ(size.ws_row, 50);
  EXPECT_EQ(size.ws_col, 132);
}

TEST_F(ConsoleTest, WhoBreaksTheRulesIsDropped) {
  const std::string huge(packet_most + 1, 'b');
  for (const std::string& packet : {std::string("x"), std::string("w 0 0"), std::string("l 5"),
                                    std::string("r"), std::string("ok"), std::string("b"), huge}) {
    Fd client = pair().attach();
    EXPECT_EQ(listen(client).answer, "ok write 0");
    send_text(client, packet);
    pair().settle();
    EXPECT_TRUE(listen(client).ended) << packet.substr(0, 10);
  }
  Fd reader = pair().attach({"read"});
  send_text(reader, "bls\n");
  pair().settle();
  EXPECT_EQ(pair().typed(), "");
  EXPECT_FALSE(pair().console().anybody_attached());
}

TEST_F(ConsoleTest, ARequestThatMakesNoSenseIsRefused) {
  for (const Words& words : {Words{"own"}, Words{"read", "x"}, Words{"read", "-1"},
                             Words{"read", "1", "2"}, Words{""}}) {
    Fd client = pair().attach(words);
    const Heard heard = listen(client);
    EXPECT_TRUE(heard.answer.starts_with("error ")) << heard.answer;
    EXPECT_TRUE(heard.ended);
  }
}

TEST_F(ConsoleTest, AJailThatNeverReadsStopsTheOneWhoTypesAndNobodyElse) {
  Fd writer = pair().attach(), reader = pair().attach({"read"});
  ASSERT_TRUE(make_raw(pair().slave()));
  const std::string packet = "b" + std::string(4000, 'x');
  size_t sent = 0;
  for (int i = 0; i < 1000; ++i) {
    if (sys::send(writer.get(), packet.data(), packet.size(), MSG_NOSIGNAL) > 0)
      sent += packet.size() - 1;
    pair().turn();
  }
  pair().settle();
  EXPECT_LT(sent, 2'000'000u);  // the rest stays with who types
  pair().print("alive");
  EXPECT_EQ(listen(reader).bytes, "alive");
  // Once it reads, all of it comes.
  size_t got = 0;
  for (size_t size; (size = pair().typed().size()) > 0; pair().settle()) got += size;
  EXPECT_EQ(got, sent);
}

TEST_F(ConsoleTest, WhoGoesWhileTheJailTakesNothingIsGone) {
  Fd writer = pair().attach();
  ASSERT_TRUE(make_raw(pair().slave()));
  const std::string packet = "b" + std::string(4000, 'x');
  while (sys::send(writer.get(), packet.data(), packet.size(), MSG_NOSIGNAL) > 0) pair().turn();
  pair().settle();
  writer.reset();
  pair().settle();
  EXPECT_FALSE(pair().console().anybody_attached());
  EXPECT_EQ(listen(pair().attach()).answer, "ok write 0");
}

TEST_F(ConsoleTest, AReaderThatStallsLosesTheOldestAndIsTold) {
  Fd slow = pair().attach({"read"}), quick = pair().attach({"read"});
  std::string line(1000, '.');
  line += '\n';
  Heard all;
  for (int i = 0; i < 500; ++i) {
    pair().print(line);
    listen(quick, all);
  }
  EXPECT_EQ(all.bytes.size(), 500u * 1002);
  EXPECT_EQ(all.lost, 0u);
  Heard late = listen(slow);
  for (size_t before = 0; before != late.bytes.size();) {
    before = late.bytes.size();
    pair().settle();
    listen(slow, late);
  }
  EXPECT_GT(late.lost, 0u);
  EXPECT_EQ(late.bytes.size() + late.lost, all.bytes.size());
}

TEST_F(ConsoleTest, AJailThatPrintsForEverTakesTurnsWithTheRest) {
  Fd client = pair().attach();
  const std::string text(4000, 'y');
  for (int i = 0; i < 200; ++i) {
    // More than the terminal takes: never empty.
    while (sys::write(pair().slave(), text.data(), text.size()) > 0) continue;
    if (i == 100) send_text(client, "w 10 10");
    pair().turn();
  }
  winsize size{};
  ASSERT_EQ(sys::ioctl(pair().slave(), TIOCGWINSZ, &size), 0);
  EXPECT_EQ(size.ws_row, 10);
}

TEST_F(ConsoleTest, NobodyInTheJailHavingItOpenWakesNobody) {
  pair().print("last words\n");
  pair().drop_slave();
  pair().settle();
  EXPECT_FALSE(pair().turn(100));
  Fd client = pair().attach();
  send_text(client, "bhello\n");
  Fd slave = open_slave(pair().master()).value();
  EXPECT_EQ(pair().read_from(slave, 6), "hello\n");
}

TEST_F(ConsoleTest, RoomIsMadeByTheOneThatIsMostBehindAndByNobodyElse) {
  std::vector<Fd> clients;
  for (size_t i = 0; i < Console::clients_most; ++i) clients.push_back(pair().attach({"read"}));
  Fd refused = pair().attach({"read"});
  EXPECT_TRUE(listen(refused).answer.starts_with("error "));
  std::vector<Heard> heard(clients.size());
  const std::string line(999, '.');
  for (int i = 0; i < 300; ++i) {
    pair().print(line);
    for (size_t j = 0; j < clients.size(); ++j)
      if (j != 3) listen(clients[j], heard[j]);
  }
  EXPECT_EQ(listen(pair().attach({"read"})).answer.substr(0, 3), "ok ");
  for (size_t j = 0; j < clients.size(); ++j) {
    if (j == 3) listen(clients[j], heard[j]);
    listen(clients[j], heard[j]);
    EXPECT_EQ(heard[j].ended, j == 3) << j;
  }
}

TEST_F(ConsoleTest, SaysWordsOfItsOwnWhateverTheJailHasDoneToTheTerminal) {
  Fd client = pair().attach({"read"});
  termios modes{};
  ASSERT_EQ(sys::tcgetattr(pair().slave(), &modes), 0);
  ASSERT_EQ(sys::ioctl(pair().slave(), TCXONC, nullptr), 0);  // stopped
  pair().console().say("init: going down");
  EXPECT_EQ(listen(client).bytes, "init: going down\r\n");
}

TEST_F(ConsoleTest, HangingUpTakesItFromAllWhoHadIt) {
  Fd client = pair().attach();
  pair().print("secret? ");
  ASSERT_TRUE(pair().console().hang_up());
  char byte;
  EXPECT_EQ(sys::read(pair().slave(), &byte, 1), 0);
  EXPECT_EQ(sys::write(pair().slave(), "x", 1), -1);
  pair().settle();
  Fd slave = pair().console().open_for_child().value();
  EXPECT_EQ(sys::write(slave.get(), "new", 3), 3);
  send_text(client, "bab\n");
  Heard heard;
  listen_for(pair(), client, heard, 15);
  EXPECT_EQ(heard.bytes, "secret? newab\r\n");
  EXPECT_EQ(pair().read_from(slave, 3), "ab\n");
}

TEST_F(ConsoleTest, ADeadWriterOfTheRingIsNoTrouble) {
  pair().print("some output\n");
  pair().end();
  std::ranges::fill(pair().memory(), std::byte{0xff});
  pair().begin();
  Fd client = pair().attach();
  pair().print("new\n");
  EXPECT_EQ(listen(client).bytes, "new\r\n");
}

// --- console.link ---

class Link : public ConsoleTest {
 protected:
  void SetUp() override {
    ConsoleTest::SetUp();
    if (IsSkipped()) return;
    link_ = make_link_terminal().value();
    pair().set_link(link_.master.get());
    pair().settle();
  }
  Fd open_link() {
    return Fd(sys::openat(AT_FDCWD, link_.path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK));
  }
  LinkTerminal link_;
};

TEST_F(Link, IsForRootAndItsGroupAndRaw) {
  struct stat status{};
  ASSERT_EQ(sys::fstatat(AT_FDCWD, link_.path.c_str(), &status, 0), 0);
  EXPECT_EQ(status.st_mode & 07777, 0660u);
  EXPECT_EQ(status.st_uid, 0u);
  EXPECT_EQ(status.st_gid, 0u);
  termios modes{};
  Fd opened = open_link();
  ASSERT_EQ(sys::tcgetattr(opened.get(), &modes), 0);
  EXPECT_EQ(modes.c_lflag & (ICANON | ECHO | ISIG), 0u);
  EXPECT_EQ(modes.c_oflag & OPOST, 0u);
}

TEST_F(Link, HearsAndTypesWhileItIsOpen) {
  Fd opened = open_link();
  pair().print("login: ");
  EXPECT_EQ(pair().read_from(opened, 7), "login: ");
  ASSERT_EQ(sys::write(opened.get(), "root\r", 5), 5);
  EXPECT_EQ(pair().typed(5), "root\n");
  EXPECT_EQ(pair().read_from(opened, 6), "root\r\n");
}

TEST_F(Link, IsHeardAlsoBeforeThereIsAnyOutput) {
  Fd opened = open_link();
  pair().settle();
  ASSERT_EQ(sys::write(opened.get(), "\r", 1), 1);
  EXPECT_EQ(pair().typed(1), "\n");
}

TEST_F(Link, WhatIsTypedBeforeItCloses) {
  Fd opened = open_link();
  ASSERT_EQ(sys::write(opened.get(), "halt\r", 5), 5);
  opened.reset();
  EXPECT_EQ(pair().typed(5), "halt\n");
}

TEST_F(Link, NobodyHavingItOpenHearsNothingLaterAndWakesNobody) {
  pair().print("to nobody\n");
  EXPECT_FALSE(pair().turn(100));
  Fd opened = open_link();
  pair().print("to somebody\n");
  EXPECT_EQ(pair().read_from(opened, 13), "to somebody\r\n");
  opened.reset();
  pair().settle();
  pair().print("to nobody\n");
  EXPECT_FALSE(pair().turn(100));
  opened = open_link();
  pair().print("again\n");
  EXPECT_EQ(pair().read_from(opened, 7), "again\r\n");
}

TEST_F(Link, WhatItsLastUserHasNotReadIsNotForTheNext) {
  Fd opened = open_link();
  pair().print("a password, perhaps\n");
  termios modes{};
  ASSERT_EQ(sys::tcgetattr(opened.get(), &modes), 0);
  modes.c_lflag |= ECHO | ICANON;
  ASSERT_EQ(sys::tcsetattr(opened.get(), TCSANOW, &modes), 0);
  opened.reset();
  pair().settle();
  opened = open_link();
  ASSERT_EQ(sys::tcgetattr(opened.get(), &modes), 0);
  EXPECT_EQ(modes.c_lflag & (ECHO | ICANON), 0u);
  pair().print("next\n");
  EXPECT_EQ(pair().read_from(opened, 6), "next\r\n");
}

TEST_F(Link, ItsUserMayNeverRead) {
  Fd opened = open_link(), reader = pair().attach({"read"});
  const std::string line(1000, '.');
  Heard heard;
  for (int i = 0; i < 300; ++i) {
    pair().print(line);
    listen(reader, heard);
  }
  EXPECT_EQ(heard.bytes.size(), 300'000u);
  EXPECT_FALSE(pair().turn(100));
  while (!pair().read_some(opened).empty()) pair().settle();
  pair().print("on\n");
  EXPECT_EQ(pair().read_from(opened, 4), "on\r\n");
}

TEST_F(Link, ItsUserMayFloodAJailThatNeverReads) {
  ASSERT_TRUE(make_raw(pair().slave()));
  Fd opened = open_link(), writer = pair().attach();
  const std::string much(4000, 'x');
  for (int i = 0; i < 500; ++i) {
    EXPECT_TRUE(sys::write(opened.get(), much.data(), much.size()) > 0 || errno == EAGAIN);
    pair().turn();
  }
  pair().settle();
  opened.reset();
  pair().settle();
  EXPECT_FALSE(pair().turn(100));
  while (!pair().typed().empty()) pair().settle();
  send_text(writer, "bok");
  EXPECT_EQ(pair().typed(2), "ok");
}

TEST_F(Link, StaysOpenThroughTheNextProcess1) {
  Fd opened = open_link();
  pair().print("one ");
  pair().begin();
  pair().print("two");
  EXPECT_EQ(pair().read_from(opened, 7), "one two");
}

TEST_F(Link, ThePathIsAnActThatKnowsItsOwn) {
  char name[] = "/tmp/console_test.XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  const std::string path = std::string(name) + "/link";
  EXPECT_TRUE(put_link(path, link_.path));
  EXPECT_TRUE(put_link(path, link_.path));
  EXPECT_TRUE(drop_link(path, "/dev/pts/4711"));
  EXPECT_EQ(put_link(path, "/dev/pts/4711").error().code, EEXIST);
  Fd opened(sys::openat(AT_FDCWD, path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK));
  EXPECT_TRUE(opened);
  EXPECT_TRUE(drop_link(path, link_.path));
  EXPECT_TRUE(drop_link(path, link_.path));
  EXPECT_EQ(sys::unlinkat(AT_FDCWD, name, AT_REMOVEDIR), 0);
}

// --- terminals of a jail ---

class Terminals : public ViewTest {
 protected:
  // In a child, which may lose rights and sessions; its status is what `act` returns.
  template <class Act>
  static int in_child(Act act) {
    const pid_t pid = fork();
    if (pid == 0) _exit(act());
    int status = -1;
    EXPECT_EQ(sys::waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
};

TEST_F(Terminals, TheFirstPairOfAnInstanceIsTheConsole) {
  Fd terminals = make_terminals().value();
  Terminal console = open_terminal(terminals).value();
  EXPECT_EQ(console.number, 0u);
  EXPECT_EQ(open_terminal(terminals)->number, 1u);
  struct stat status{};
  ASSERT_EQ(sys::fstatat(terminals.get(), "0", &status, 0), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  ASSERT_EQ(sys::fstatat(terminals.get(), "ptmx", &status, 0), 0);
  EXPECT_EQ(status.st_mode & 07777, 0666u);
  winsize size{};
  ASSERT_EQ(sys::ioctl(console.master.get(), TIOCGWINSZ, &size), 0);
  EXPECT_EQ(size.ws_row, 24);
}

TEST_F(Terminals, TheSlaveStandsOnDevConsole) {
  Fd terminals = make_terminals().value();
  Terminal console = open_terminal(terminals).value();
  Fd dev = open_at(AT_FDCWD, path_ + "/dev", O_PATH | O_DIRECTORY).value();
  // As in a view: one terminal of an instance can be cloned only where that is attached, before
  // Linux 6.15.
  ASSERT_EQ(sys::mkdirat(dev.get(), "pts", 0755), 0);
  ASSERT_TRUE(attach(terminals, open_at(dev.get(), "pts", O_PATH | O_DIRECTORY).value()));
  ASSERT_TRUE(put_console(terminals, console.number, dev));
  Fd named = open_slave(console.master.get(), (path_ + "/dev/console").c_str()).value();
  char link[256];
  const ssize_t length = sys::readlinkat(
      AT_FDCWD, ("/proc/self/fd/" + std::to_string(named.get())).c_str(), link, sizeof link);
  ASSERT_GT(length, 0);
  EXPECT_EQ(std::string(link, static_cast<size_t>(length)), path_ + "/dev/console");
  EXPECT_EQ(sys::write(named.get(), "hi", 2), 2);
  char text[8];
  EXPECT_EQ(sys::read(console.master.get(), text, sizeof text), 2);
}

TEST_F(Terminals, WhateverElseStandsOnDevConsoleIsPassedOver) {
  Fd terminals = make_terminals().value();
  Terminal console = open_terminal(terminals).value();
  struct stat ours{}, found{};
  ASSERT_EQ(sys::fstatat(terminals.get(), "0", &ours, 0), 0);
  write("/jail/dev/file", "");
  ASSERT_EQ(sys::mknodat(AT_FDCWD, (path_ + "/dev/fifo").c_str(), S_IFIFO | 0600, 0), 0);
  link("/dev/null", "/jail/dev/link");
  for (const char* name : {"file", "fifo", "link", "nothing", ""}) {
    Fd slave = open_slave(console.master.get(), (path_ + "/dev/" + name).c_str()).value();
    ASSERT_EQ(sys::fstat(slave.get(), &found), 0);
    EXPECT_EQ(found.st_dev, ours.st_dev) << name;
    EXPECT_EQ(found.st_ino, ours.st_ino) << name;
  }
}

TEST_F(Terminals, ALinkOnDevConsoleIsRefused) {
  Fd terminals = make_terminals().value();
  Terminal console = open_terminal(terminals).value();
  link("/etc/passwd", "/jail/dev/console");
  Fd dev = open_at(AT_FDCWD, path_ + "/dev", O_PATH | O_DIRECTORY).value();
  const Result<void> put = put_console(terminals, console.number, dev);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ELOOP);
}

TEST_F(Terminals, AChildTakesItAsItsControllingTerminal) {
  Fd terminals = make_terminals().value();
  Terminal console = open_terminal(terminals).value();
  EXPECT_EQ(in_child([&] {
              Fd slave = open_slave(console.master.get()).value();
              if (!open_session(console.master.get(), slave.get())) return 1;
              for (int fd : {0, 1, 2})
                if (isatty(fd) != 1 || sys::fcntl(fd, F_GETFD) != 0) return 2;
              if (sys::fcntl(0, F_GETFL) & O_NONBLOCK) return 3;
              if (tcgetsid(0) != getpid() || tcgetpgrp(0) != getpid()) return 4;
              return tcgetpgrp(console.master.get()) == getpid() ? 0 : 5;
            }),
            0);
}

TEST_F(Terminals, AProcess1ThatIsNotOursGetsThemWithoutASession) {
  Fd terminals = make_terminals().value();
  Terminal console = open_terminal(terminals).value();
  EXPECT_EQ(in_child([&] {
              Fd slave = open_slave(console.master.get()).value();
              sys::setsid();
              if (!use_terminal(slave.get())) return 1;
              return isatty(0) == 1 && tcgetsid(0) < 0 ? 0 : 2;
            }),
            0);
}

// A child that has the terminal, ignores SIGHUP, and waits.
struct Holder {
  explicit Holder(const Terminal& console) {
    int ends[2];
    EXPECT_EQ(sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    Fd ours(ends[0]), other(ends[1]);
    pid = fork();
    if (pid == 0) {
      signal(SIGHUP, SIG_IGN);
      Fd slave = open_slave(console.master.get()).value();
      if (!open_session(console.master.get(), slave.get())) _exit(1);
      if (sys::setresuid(1000, 1000, 1000) != 0) _exit(2);
      if (sys::write(other.get(), "x", 1) != 1) _exit(3);
      for (;;) pause();
    }
    other.reset();
    char byte;
    EXPECT_EQ(sys::read(ours.get(), &byte, 1), 1);
  }
  int wait() const {
    int status = 0;
    EXPECT_EQ(sys::waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  pid_t pid;
};

TEST_F(Terminals, WithoutTheRightToRevokeTheLeaderOfTheOtherSessionDies) {
  Fd terminals = make_terminals().value();
  Terminal console = open_terminal(terminals).value();
  Holder holder(console);
  EXPECT_EQ(in_child([&] {
              Fd slave = open_slave(console.master.get()).value();
              if (sys::setresuid(1000, 1000, 1000) != 0) return 1;
              if (hang_up(console.master.get(), slave.get())) return 2;
              return open_session(console.master.get(), slave.get()) ? 0 : 3;
            }),
            0);
  EXPECT_EQ(holder.wait(), SIGKILL);
}

TEST_F(Terminals, WithItTheOtherSessionOnlyLosesTheTerminal) {
  Fd terminals = make_terminals().value();
  Terminal console = open_terminal(terminals).value();
  Holder holder(console);
  EXPECT_EQ(in_child([&] {
              Fd slave = open_slave(console.master.get()).value();
              if (!hang_up(console.master.get(), slave.get())) return 2;
              Fd fresh = open_slave(console.master.get()).value();
              return open_session(console.master.get(), fresh.get()) ? 0 : 3;
            }),
            0);
  EXPECT_EQ(sys::kill(holder.pid, 0), 0);
  sys::kill(holder.pid, SIGKILL);
  EXPECT_EQ(holder.wait(), SIGKILL);
}

TEST_F(Terminals, WhatAJailDidToTheTerminalIsUndone) {
  Fd terminals = make_terminals().value();
  Terminal console = open_terminal(terminals).value();
  Fd slave = open_slave(console.master.get()).value();
  termios before{}, after{};
  ASSERT_EQ(sys::tcgetattr(slave.get(), &before), 0);
  ASSERT_TRUE(make_raw(slave.get()));
  ASSERT_EQ(sys::ioctl(slave.get(), TIOCEXCL), 0);
  ASSERT_EQ(sys::write(console.master.get(), "rm -rf /\n", 9), 9);
  reset_terminal(slave.get());
  ASSERT_EQ(sys::tcgetattr(slave.get(), &after), 0);
  EXPECT_EQ(before.c_lflag, after.c_lflag);
  EXPECT_EQ(before.c_iflag, after.c_iflag);
  EXPECT_EQ(before.c_oflag, after.c_oflag);
  char text[16];
  EXPECT_EQ(sys::read(slave.get(), text, sizeof text), -1);
  EXPECT_EQ(in_child([&] {
              if (sys::setresuid(1000, 1000, 1000) != 0) return 1;
              return open_slave(console.master.get()) ? 0 : 2;
            }),
            0);
}

// --- the ring's memory ---

TEST(ConsoleRing, IsASealedMemoryFileOfItsSize) {
  Fd file = make_ring().value();
  EXPECT_EQ(sys::ftruncate(file.get(), 0), -1);
  const std::span<std::byte> memory = map_ring(file.get()).value();
  EXPECT_EQ(memory.size(), console_ring_size);
  Ring(memory).write("remembered");
  const std::span<std::byte> again = map_ring(file.get()).value();
  EXPECT_EQ(Ring(again).read(0, 100).bytes, "remembered");
}

TEST(ConsoleRing, AFileThatCouldBeCutOffIsRefused) {
  Fd file(sys::memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(sys::ftruncate(file.get(), 4096), 0);
  EXPECT_EQ(map_ring(file.get()).error().code, EINVAL);
  Fd nothing(sys::openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_FALSE(map_ring(nothing.get()));
}

}  // namespace
}  // namespace jail
