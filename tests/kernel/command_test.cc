// Tests of os/command.h on the real kernel: what a command is born with, becomes, and leaves (J4.4,
// L5).
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/command.h"
#include "os/linux/abi.h"
#include "os/linux/privileges.h"
#include "tests/kernel/small_jail.h"

namespace jail {
namespace {

using InAJail = SmallJail;

constexpr int exit_1 = 1 << 8;

std::string link_of(const std::string& path) {
  char text[4096];
  ssize_t size = readlink(path.c_str(), text, sizeof text);
  return size < 0 ? "" : std::string(text, static_cast<size_t>(size));
}

Command on_host(Words argv) {
  Command command;
  command.argv = std::move(argv);
  return command;
}

std::string field(const std::string& status, const std::string& name) {
  size_t at = status.find(name + ":\t");
  return at == std::string::npos
             ? ""
             : status.substr(at + name.size() + 2, status.find('\n', at) - at - name.size() - 2);
}

TEST_F(InAJail, ACommandRunsInTheRootAndSeesOnlyTheJail) {
  Outcome outcome = run(script(
      "pwd; hostname; head -n 1 /etc/group; ls /proc > /tmp/seen; grep -c '^[0-9]' /tmp/seen"));
  EXPECT_EQ(outcome.out, "/\nsmall\nwheel:*:0:\n3\n");  // process 1, sh and ls
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.status, 0);
}

TEST_F(InAJail, ACommandIsInAllNamespacesAndTheGroupOfTheJail) {
  Pipe out;
  Command command = script("echo ready; read forever");
  Pipe input;
  std::optional<Streams> streams(std::in_place, input.reads.get(), out.writes.get(), -1);
  Running running = start_command(command).value();
  streams.reset();
  ASSERT_EQ(read_until(out.reads.get(), "ready\n"), "ready\n");
  std::string mine = "/proc/" + std::to_string(running.pid), one = "/proc/" + std::to_string(pid_);
  for (const char* kind : {"mnt", "net", "uts", "ipc", "pid", "user", "cgroup"})
    EXPECT_EQ(link_of(mine + "/ns/" + kind), link_of(one + "/ns/" + kind)) << kind;
  EXPECT_NE(link_of(mine + "/ns/pid"), link_of("/proc/self/ns/pid"));
  EXPECT_EQ(run(on_host({"cat", group_path_ + "/cgroup.procs"})).out,
            std::to_string(running.pid) + "\n");
  running.end();
  wait_until_empty();
}

TEST_F(InAJail, WeStayWhereWeWere) {
  std::string before = link_of("/proc/self/ns/pid_for_children");
  sigset_t mask_before, mask_after;
  sigprocmask(SIG_SETMASK, nullptr, &mask_before);
  run(script("true"));
  EXPECT_EQ(link_of("/proc/self/ns/pid_for_children"), before);
  sigprocmask(SIG_SETMASK, nullptr, &mask_after);
  for (int signal = 1; signal < NSIG; signal++)
    EXPECT_EQ(sigismember(&mask_before, signal), sigismember(&mask_after, signal)) << signal;
  EXPECT_EQ(access("/proc/self/environ", R_OK), 0);
  struct stat status;
  ASSERT_EQ(stat("/proc/self/environ", &status), 0);
  EXPECT_EQ(status.st_uid, getuid());
}

TEST_F(InAJail, ExitStatusAndSignalsArePassedOn) {
  EXPECT_EQ(run(script("exit 7")).status, 7 << 8);
  EXPECT_EQ(run(script("kill -9 $$")).status, SIGKILL);
  EXPECT_EQ(run(script("kill -15 $$")).status, SIGTERM);
}

TEST_F(InAJail, RootHasTheRightsOfTheJailAndNoOthers) {
  Command command = inside({"cat", "/proc/self/status"});
  command.inside->rights = {"raw_sockets"};
  char expected[20];
  (void)snprintf(expected, sizeof expected, "%016llx",
                 static_cast<unsigned long long>(granted_capabilities({"raw_sockets"})));
  std::string status = run(command).out;
  for (const char* set : {"CapPrm", "CapEff", "CapBnd"})
    EXPECT_EQ(field(status, set), expected) << set;
  for (const char* set : {"CapInh", "CapAmb"})
    EXPECT_EQ(field(status, set), "0000000000000000") << set;
}

TEST_F(InAJail, WithoutSuserRootHasNothingAndAUserCanStillBeTakenOn) {
  Command command = inside({"cat", "/proc/self/status"});
  command.inside->rights = {"nosuser", "vnet"};
  std::string status = run(command).out;
  for (const char* set : {"CapPrm", "CapEff", "CapBnd"})
    EXPECT_EQ(field(status, set), "0000000000000000") << set;
  command.identity = {.user = "tester", .user_of_host = false, .set = {}};
  EXPECT_EQ(field(run(command).out, "Uid"), "1001\t1001\t1001\t1001");
}

TEST_F(InAJail, AUserHasNoCapabilities) {
  Command command = inside({"cat", "/proc/self/status"});
  command.identity = {.user = "tester", .user_of_host = false, .set = {}};
  std::string status = run(command).out;
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
    EXPECT_EQ(field(status, set), "0000000000000000") << set;
}

TEST_F(InAJail, TheUserOfTheJailIsLookedUpInTheJail) {
  Command command = script("id -u; id -G; pwd; echo $HOME $USER $SHELL; umask");
  command.identity = {.user = "tester", .user_of_host = false, .set = {}};
  EXPECT_EQ(run(command).out, "1001\n1001 1003\n/\n/home/tester tester /bin/sh\n0022\n");
  command = script("id -u; echo $HOME");
  command.identity = {.user = "nobody", .user_of_host = false, .set = {}};
  EXPECT_EQ(run(command).out, "60001\n/tmp\n");
}

TEST_F(InAJail, TheUserOfTheHostIsLookedUpOnTheHost) {
  Command command = script("id -u; echo $HOME");
  command.identity = {.user = "nobody", .set = {}};
  EXPECT_EQ(run(command).out, "65534\n/nonexistent\n");
}

TEST_F(InAJail, CleanGivesAnEnvironmentOfItsOwnAndWithAUserTheHome) {
  setenv("FOO", "bar", 1);
  Command command = script("echo [$FOO] $HOME $USER; pwd");
  command.identity = {.user = {}, .user_of_host = false, .clean = true, .set = {}};
  EXPECT_EQ(run(command).out, "[] /root root\n/\n");
  command.identity.user = "tester";
  EXPECT_EQ(run(command).out, "[] /home/tester tester\n/home/tester\n");
  command.directory = "/tmp";
  EXPECT_EQ(run(command).out, "[] /home/tester tester\n/tmp\n");
  unsetenv("FOO");
}

struct Refusal {
  const char* what;
  Command (*change)(Command);
  const char* text;
};

constexpr Refusal refusals[] = {
    {"nobody of that name in the jail",
     [](Command c) {
       c.identity.user = "nosuchuser";
       c.identity.user_of_host = false;
       return c;
     },
     "nosuchuser: no such user"},
    {"nobody of that name on the host",
     [](Command c) {
       c.identity.user = "tester";
       return c;
     },
     "tester: no such user"},
    {"no home",
     [](Command c) {
       c.identity = {.user = "nohome", .user_of_host = false, .clean = true, .set = {}};
       return c;
     },
     "chdir /nowhere: No such file or directory"},
    {"no directory",
     [](Command c) {
       c.directory = "/nosuch";
       return c;
     },
     "chdir /nosuch: No such file or directory"},
    {"no program",
     [](Command c) {
       c.argv = {"nosuchcommand"};
       return c;
     },
     "exec nosuchcommand: No such file or directory"},
    {"no program of that path",
     [](Command c) {
       c.argv = {"/no/such", "x"};
       return c;
     },
     "exec /no/such: No such file or directory"},
    {"no right to execute",
     [](Command c) {
       c.argv = {"/etc/passwd"};
       return c;
     },
     "exec /etc/passwd: Permission denied"},
};

TEST_F(InAJail, WhatFailsInTheChildIsSaidThereInOneLine) {
  for (const Refusal& refusal : refusals) {
    Outcome outcome = run(refusal.change(inside({"true"})));
    EXPECT_EQ(outcome.err, std::string("jail: web: ") + refusal.text + "\n") << refusal.what;
    EXPECT_EQ(outcome.status, exit_1) << refusal.what;
  }
}

TEST_F(InAJail, ADyingJailCannotBeAttachedTo) {
  end_process1();
  Result<Running> running = start_command(inside({"true"}));
  ASSERT_FALSE(running);
  EXPECT_EQ(running.error().text, "jail_attach: Invalid argument");
}

TEST_F(InAJail, OnlyTheStandardDescriptorsGoIn) {
  int leak = dup2(group_.get(), 57);  // not close-on-exec
  Outcome outcome = run(inside({"ls", "/proc/self/fd"}));
  close(leak);
  EXPECT_EQ(outcome.out, "0\n1\n2\n3\n");  // 3 is what ls reads
}

TEST_F(InAJail, ADirectoryOfTheHostDoesNotGoInAsADescriptor) {
  Fd directory(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Streams streams(directory.get(), -1, -1);
  Result<Running> running = start_command(inside({"true"}));
  ASSERT_FALSE(running);
  EXPECT_EQ(running.error().code, EPERM);
}

TEST_F(InAJail, OutputGoesToTheLogThatIsGiven) {
  Fd log(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  Command command = script("echo out; echo err >&2");
  command.output = log.get();
  Outcome outcome = run(command);
  EXPECT_EQ(outcome.out + outcome.err, "");
  char text[32];
  EXPECT_EQ(std::string(text, static_cast<size_t>(pread(log.get(), text, sizeof text, 0))),
            "out\nerr\n");
}

TEST_F(InAJail, SignalsAreAsTheProgramExpects) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGTERM, [](int) {});
  std::string status = run(inside({"cat", "/proc/self/status"})).out;
  for (int number : {SIGPIPE, SIGHUP, SIGTERM}) signal(number, SIG_DFL);
  EXPECT_EQ(field(status, "SigBlk"), "0000000000000000");
  EXPECT_EQ(field(status, "SigCgt"), "0000000000000000");
  // Signals 32 and 33 are libc's own: what our caller does with them cannot be changed.
  EXPECT_EQ(std::stoul(field(status, "SigIgn"), nullptr, 16) & 0x7fffffffU,
            1U)  // nohup(1) means the program
      << field(status, "SigIgn");
}

TEST_F(InAJail, ABackgroundCommandIsNobodysChild) {
  Pipe out;
  std::optional<Streams> streams(std::in_place, -1, out.writes.get(), -1);
  Command command = script("echo started; exec sleep 1000");
  command.background = true;
  Running running = start_command(command).value();
  streams.reset();
  EXPECT_EQ(running.pid, -1);
  EXPECT_EQ(wait_command(running, -1, -1).value().status, 0);
  EXPECT_EQ(read_until(out.reads.get(), "started\n"), "started\n");
  int status;
  EXPECT_EQ(waitpid(-1, &status, WNOHANG), 0);  // process 1 is the only child
  std::string line = run(inside({"sh", "-c", "ps -o pid,ppid,sid,comm | grep '[s]leep'"})).out;
  Words fields;
  for (const std::string& word : split(line, " \n")) fields.push_back(word);
  ASSERT_EQ(fields.size(), 4u) << line;
  EXPECT_EQ(fields[1], "1");
  EXPECT_EQ(fields[2], fields[0]);
  end_process1();  // and it does not have to wait for us
}

TEST_F(InAJail, ItsCallersProcessorsBindItOnlyWhereItIsNotToldOtherwise) {
  cpu_set_t all, one;
  ASSERT_EQ(sys::sched_getaffinity(&all), 0);
  if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "needs two processors";
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu)
    if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
  ASSERT_EQ(sys::sched_setaffinity(&one), 0);
  Command command = inside({"nproc"});
  const std::string bound = run(command).out;
  command.all_processors = true;
  const std::string wide = run(command).out;
  ASSERT_EQ(sys::sched_setaffinity(&all), 0);
  EXPECT_EQ(bound, "1\n");
  EXPECT_EQ(wide, std::to_string(CPU_COUNT(&all)) + "\n");
}

TEST_F(InAJail, ASignalToItsGroupDoesNotReachItsCaller) {
  const pid_t session = sys::fork();  // without a terminal
  if (session == 0) {
    ::signal(SIGTERM, SIG_DFL);
    if (sys::setsid() < 0) _exit(2);
    Running running = start_command(script("kill -TERM 0; sleep 1000")).value();
    _exit(WTERMSIG(wait_command(running, -1, -1).value().status) == SIGTERM ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(sys::waitpid(session, &status, 0), session);
  EXPECT_TRUE(WIFEXITED(status)) << "the caller was hit too";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(InAJail, WaitingEndsWithTheTimeAndKillsNothing) {
  Running running = start_command(inside({"sleep", "1000"})).value();
  Result<Ended> ended = wait_command(running, 20, -1);
  ASSERT_TRUE(ended);
  EXPECT_TRUE(ended->timed_out);
  EXPECT_EQ(kill(running.pid, SIGTERM), 0);
  EXPECT_EQ(wait_command(running, -1, -1).value().status, SIGTERM);
}

TEST_F(InAJail, WaitingEndsWithAWord) {
  Running running = start_command(inside({"sleep", "1000"})).value();
  Pipe stop;
  stop.writes.reset();
  Result<Ended> ended = wait_command(running, -1, stop.reads.get());
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, ECANCELED);
}

TEST_F(InAJail, WhoForgetsACommandEndsIt) {
  {
    Running running = start_command(inside({"sleep", "1000"})).value();
  }
  wait_until_empty();
}

TEST_F(InAJail, AHostCommandRunsInTheViewInOurDirectoryOrTheRoot) {
  Fd view(open(("/proc/" + std::to_string(pid_) + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  std::string here = link_of("/proc/self/cwd");
  Command command = on_host({"sh", "-c", "pwd; echo $JID"});
  command.identity = {.user = {}, .clean = true, .set = {"JID=7"}};
  command.view = view.get();
  command.group = group_.get();
  ASSERT_EQ(chdir("/tmp"), 0);
  Outcome outcome = run(command);
  EXPECT_EQ(outcome.out, "/tmp\n7\n") << outcome.err;
  ASSERT_EQ(chdir("/usr"), 0);  // the small jail has none
  EXPECT_EQ(run(command).out, "/\n7\n");
  command.view = -1;
  EXPECT_EQ(run(command).out, "/usr\n7\n");
  EXPECT_EQ(chdir(here.c_str()), 0);
  std::string groups = run([&] {
                         command.argv = {"cat", "/proc/self/cgroup"};
                         return command;
                       }())
                           .out;
  EXPECT_NE(groups.find("0::" + group_path_.substr(group_path_.rfind('/'))), std::string::npos)
      << groups;
}

TEST_F(InAJail, AHostCommandKeepsItsRightsAndHasTheUserThatIsAskedFor) {
  Command command = on_host({"sh", "-c", "id -u; echo $USER $JNAME"});
  command.identity = {.user = "nobody", .set = {"JNAME=web"}};
  EXPECT_EQ(run(command).out, "65534\nnobody web\n");
  std::string status = run(on_host({"cat", "/proc/self/status"})).out;
  EXPECT_NE(field(status, "CapEff"), "0000000000000000");
  EXPECT_EQ(field(status, "CapEff"), field(status, "CapBnd"));
}

}  // namespace
}  // namespace jail
