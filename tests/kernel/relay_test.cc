// Tests of relay_command on the real kernel: statuses, signals, stops, terminals, and who outlives
// whom.
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "os/command.h"
#include "os/linux/abi.h"
#include "tests/kernel/small_jail.h"

namespace jail {
namespace {

class Relay : public SmallJail {
 protected:
  void TearDown() override {
    if (outer_ > 0) {
      kill(outer_, SIGKILL);
      waitpid(outer_, nullptr, 0);
    }
    if (shell_ > 0) {
      orders_.writes.reset();
      waitpid(shell_, nullptr, 0);
    }
    SmallJail::TearDown();
  }

  // A process that relays the command, as jexec(8) is one, with pipes for input and output.
  void relay(const Command& command) {
    input_ = Pipe();
    output_ = Pipe();
    outer_ = fork();
    ASSERT_GE(outer_, 0);
    if (outer_ == 0) {
      input_.writes.reset();
      output_.reads.reset();
      dup2(input_.reads.get(), 0);
      dup2(output_.writes.get(), 1);
      dup2(output_.writes.get(), 2);
      output_.writes.reset();
      be_jexec(command);
    }
    input_.reads.reset();
    output_.writes.reset();
  }

  [[noreturn]] static void be_jexec(const Command& command) {
    Result<int> status = relay_command(command);
    if (!status) _exit(98);
    end_like(*status);
  }

  int wait_for_outer(int options = 0) {
    int status = -1;
    EXPECT_EQ(waitpid(outer_, &status, options), outer_);
    if (!WIFSTOPPED(status)) outer_ = -1;
    return status;
  }

  std::string hear(const std::string& text) { return read_until(output_.reads.get(), text); }

  // A terminal whose session leader does what a shell with job control does: starts the command in
  // a group of its own in the foreground; says each status; takes the terminal when it stops or
  // ends; continues it when told to.
  void relay_on_terminal(const Command& command) {
    int master = -1;
    shell_ = forkpty(&master, nullptr, nullptr, nullptr);
    ASSERT_GE(shell_, 0);
    if (shell_ == 0) be_shell(command);
    master_.reset(master);
    orders_.reads.reset();
    reports_.writes.reset();
  }

  struct Report {
    int status = -1;
    bool group_has_terminal = false;  // not one of the jail's
  };

  [[noreturn]] void be_shell(const Command& command) {
    orders_.writes.reset();
    signal(SIGTTOU, SIG_IGN);
    pid_t job = fork();
    if (job == 0) {
      setpgid(0, 0);
      tcsetpgrp(0, getpid());
      signal(SIGTTOU, SIG_DFL);
      be_jexec(command);
    }
    setpgid(job, job);
    for (;;) {
      Report report;
      waitpid(job, &report.status, WUNTRACED);
      report.group_has_terminal = tcgetpgrp(0) == job;
      tcsetpgrp(0, getpgrp());
      if (write(reports_.writes.get(), &report, sizeof report) < 0) _exit(1);
      char order;
      if (!WIFSTOPPED(report.status) || read(orders_.reads.get(), &order, 1) != 1) break;
      tcsetpgrp(0, job);
      kill(-job, SIGCONT);
    }
    kill(job, SIGKILL);
    _exit(0);
  }

  Report next_report() {
    Report report;
    pollfd ready{reports_.reads.get(), POLLIN, 0};
    EXPECT_EQ(poll(&ready, 1, 10'000), 1) << "the command neither stops nor ends";
    if (ready.revents) {
      EXPECT_EQ(read(reports_.reads.get(), &report, sizeof report),
                static_cast<ssize_t>(sizeof report));
    }
    return report;
  }
  void foreground() { EXPECT_EQ(write(orders_.writes.get(), "f", 1), 1); }
  void type(const std::string& text) {
    EXPECT_EQ(write(master_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void sees(const std::string& text) {
    std::string seen = read_until(master_.get(), text);
    EXPECT_NE(seen.find(text), std::string::npos) << seen;
  }

  pid_t outer_ = -1, shell_ = -1;
  Pipe input_, output_, orders_, reports_;
  Fd master_;
};

// --- without a terminal ---

TEST_F(Relay, TheStatusIsTheCommands) {
  relay(script("exit 7"));
  EXPECT_EQ(wait_for_outer(), 7 << 8);
  for (int number : {SIGKILL, SIGTERM, SIGHUP, SIGSEGV}) {
    relay(script("kill -" + std::to_string(number) + " $$"));
    EXPECT_EQ(wait_for_outer(), number);  // no core either
  }
}

TEST_F(Relay, WhatFailsBeforeTheCommandIsStatusOne) {
  Command command = inside({"nosuchcommand"});
  command.texts.exec = "execvp:";
  command.fail_prefix = "jexec: ";
  relay(command);
  EXPECT_EQ(hear("\n"), "jexec: execvp: nosuchcommand: No such file or directory\n");
  EXPECT_EQ(wait_for_outer(), 1 << 8);
  command.identity.user = "nosuchuser";  // said before there is a waiter
  relay(command);
  EXPECT_EQ(hear("\n"), "jexec: nosuchuser: no such user\n");
  EXPECT_EQ(wait_for_outer(), 1 << 8);
}

TEST_F(Relay, WithoutACommandItIsTheShellOfTheEnvironment) {
  setenv("SHELL", "/bin/cat", 1);
  Command command = inside({});
  command.texts.shell = "execlp:";
  relay(command);
  std::string said = hear("\n");
  unsetenv("SHELL");
  EXPECT_NE(said.find("invalid option -- 'i'"), std::string::npos) << said;
  EXPECT_EQ(wait_for_outer(), 1 << 8);
}

TEST_F(Relay, InputAndOutputAreTheCommands) {
  relay(inside({"cat"}));
  ASSERT_EQ(write(input_.writes.get(), "word\n", 5), 5);
  EXPECT_EQ(hear("word\n"), "word\n");
  input_.writes.reset();
  EXPECT_EQ(wait_for_outer(), 0);
}

TEST_F(Relay, OutputThatTheCommandClosesIsClosed) {
  relay(script("echo done; exec >&- 2>&-; read forever"));
  EXPECT_EQ(hear("no such text"), "done\n");  // end of file, and it is still there
  EXPECT_EQ(waitpid(outer_, nullptr, WNOHANG), 0);
  input_.writes.reset();
  EXPECT_EQ(wait_for_outer(), 1 << 8);
}

TEST_F(Relay, SignalsSentToUsReachTheCommand) {
  for (auto [number, name] : {std::pair{SIGTERM, "TERM"},
                              {SIGHUP, "HUP"},
                              {SIGINT, "INT"},
                              {SIGQUIT, "QUIT"},
                              {SIGUSR1, "USR1"},
                              {SIGUSR2, "USR2"},
                              {SIGWINCH, "WINCH"},
                              {SIGCONT, "CONT"},
                              {SIGTSTP, "TSTP"}}) {
    relay(script(std::string("trap 'echo got; exit 9' ") + name + "; echo ready; read forever"));
    ASSERT_EQ(hear("ready\n"), "ready\n");
    kill(outer_, number);
    EXPECT_EQ(hear("got\n"), "got\n") << name;
    EXPECT_EQ(wait_for_outer(), 9 << 8) << name;
  }
}

TEST_F(Relay, WhoEndsByASignalSentToUsMakesUsEndByIt) {
  relay(script("echo ready; exec sleep 1000"));
  ASSERT_EQ(hear("ready\n"), "ready\n");
  kill(outer_, SIGTERM);
  EXPECT_EQ(wait_for_outer(), SIGTERM);
}

TEST_F(Relay, KilledWeTakeTheCommandAlong) {
  relay(script("trap '' TERM HUP INT; echo ready; exec sleep 1000"));
  ASSERT_EQ(hear("ready\n"), "ready\n");
  kill(outer_, SIGKILL);
  EXPECT_EQ(wait_for_outer(), SIGKILL);
  wait_until_empty();
}

TEST_F(Relay, TheEndOfTheJailEndsUs) {
  relay(script("echo ready; exec sleep 1000"));
  ASSERT_EQ(hear("ready\n"), "ready\n");
  end_process1();
  EXPECT_EQ(wait_for_outer(), SIGKILL);
}

TEST_F(Relay, StoppedWeDoNotKeepProcess1FromDying) {
  relay(script("echo ready; exec sleep 1000"));
  ASSERT_EQ(hear("ready\n"), "ready\n");
  kill(outer_, SIGSTOP);
  EXPECT_TRUE(WIFSTOPPED(wait_for_outer(WUNTRACED)));
  end_process1();  // waits for it
  kill(outer_, SIGCONT);
  EXPECT_EQ(wait_for_outer(), SIGKILL);
}

TEST_F(Relay, WeLeaveNoProcessToWhoeverInheritsOurs) {
  const pid_t heir = fork();
  ASSERT_GE(heir, 0);
  if (heir == 0) {
    sys::prctl(PR_SET_CHILD_SUBREAPER, 1);
    // On one processor, who is woken by the last word tends to be faster than who has said it.
    cpu_set_t all, one;
    sys::sched_getaffinity(&all);
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu)
      if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    sys::sched_setaffinity(&one);
    for (int i = 0; i < 100; ++i) {
      const pid_t outer = fork();
      if (outer == 0) be_jexec(inside({"true"}));
      int status = -1;
      if (waitpid(outer, &status, 0) != outer || status != 0) _exit(2);
      if (waitpid(-1, nullptr, 0) != -1) _exit(1);
    }
    _exit(0);
  }
  int status = -1;
  EXPECT_EQ(waitpid(heir, &status, 0), heir);
  EXPECT_EQ(status, 0);
}

TEST_F(Relay, TheCommandsStopsAreOurs) {
  relay(script("echo ready; kill -STOP $$; echo on"));
  ASSERT_EQ(hear("ready\n"), "ready\n");
  EXPECT_TRUE(WIFSTOPPED(wait_for_outer(WUNTRACED)));
  kill(outer_, SIGCONT);
  EXPECT_EQ(hear("on\n"), "on\n");
  EXPECT_EQ(wait_for_outer(), 0);
}

TEST_F(Relay, TheJailCannotLookIntoTheWaiter) {
  // Root may list the numbers of its descriptors, and that is all.
  relay(
      script("cd /proc/$PPID; for f in root cwd exe environ mem maps fd/*; do readlink $f; ls $f/; "
             "cat $f; done "
             "2>/dev/null; ls fd | grep -c .; echo end"));
  std::string said = hear("end\n");
  EXPECT_EQ(said, "2\nend\n");
}

// --- on a terminal ---

TEST_F(Relay, ControlCReachesTheCommandOnce) {
  relay_on_terminal(script(
      "trap 'n=$((n+1)); echo int $n' INT; echo ready; until [ \"$a\" = end ]; do read a; done; "
      "echo n=$n"));
  sees("ready");
  type("\003");
  sees("int 1");
  type("\003");
  sees("int 2");
  type("end\n");
  sees("n=2");
  EXPECT_EQ(next_report().status, 0);
}

TEST_F(Relay, ControlCIsSeenByTheShell) {
  relay_on_terminal(script("echo ready; exec sleep 1000"));
  sees("ready");
  type("\003");
  Report report = next_report();
  EXPECT_EQ(report.status, SIGINT);
  EXPECT_TRUE(report.group_has_terminal);
}

TEST_F(Relay, ControlZStopsUsAndTheShellContinuesUs) {
  relay_on_terminal(script("echo ready; until [ \"$a\" = end ]; do read a; echo a=$a; done"));
  sees("ready");
  for (int i = 0; i < 20; i++) {
    type("\032");
    EXPECT_TRUE(WIFSTOPPED(next_report().status));
    foreground();
    std::string word = "word" + std::to_string(i);
    type(word + "\n");
    sees("a=" + word);
  }
  type("end\n");
  EXPECT_EQ(next_report().status, 0);
}

TEST_F(Relay, AnInteractiveShellHasJobControl) {
  setenv("PS1", "prompt@ ", 1);
  relay_on_terminal(inside({"sh", "-i"}));
  unsetenv("PS1");
  // Each answer is awaited: what is typed while the shell changes the terminal's mode may be lost.
  auto tell = [&](const char* typed, const char* answer) {
    type(typed);
    sees(answer);
  };
  sees("@ ");
  tell("sh -c 'echo g$((1+1)); exec cat'\n", "g2\r\n");
  tell("echoed\n", "echoed\r\nechoed\r\n");
  tell("\003", "@ ");
  tell("sh -c 'echo g$((1+2)); exec cat'\n", "g3\r\n");
  tell("\032", "Stopped");
  sees("@ ");
  tell("fg\n", "cat\"\r\n");
  tell("more\n", "more\r\nmore\r\n");
  tell("\004", "@ ");
  tell("sleep 1000 &\n", "@ ");
  tell("kill %1; wait; echo w$((2+2))\n", "w4\r\n");
  sees("@ ");
  type("exit 5\n");
  Report report = next_report();
  EXPECT_EQ(report.status, 5 << 8);
  EXPECT_TRUE(report.group_has_terminal);  // back from the group that only the jail knows
}

TEST_F(Relay, AShellThatStopsItselfComesBackWithTheTerminal) {
  relay_on_terminal(inside({"sh", "-i"}));
  type("echo $((40+2)); kill -STOP $$\n");
  sees("42\r\n");
  Report report = next_report();
  EXPECT_TRUE(WIFSTOPPED(report.status));
  EXPECT_TRUE(report.group_has_terminal);
  foreground();
  type("echo b$((1+1))\n");
  sees("b2\r\n");
  type("exit\n");
  EXPECT_EQ(next_report().status, 0);
}

TEST_F(Relay, AHangUpEndsAShellAlsoInAGroupOfItsOwn) {
  relay_on_terminal(inside({"sh", "-i"}));
  type("echo $((40+2))\n");
  sees("42\r\n");
  orders_.writes.reset();
  master_.reset();
  wait_until_empty();
}

}  // namespace
}  // namespace jail
