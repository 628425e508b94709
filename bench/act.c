/* What the jails and supervisors under measurement run; it notes the moment at its first instruction, in nanoseconds
 * of CLOCK_BOOTTIME, and writes "NAME MOMENT" into the fifo $BELL, or /bell.
 *
 *   act stamp NAME             that, and the end
 *   act serve NAME [READY]     that, a newline to the descriptor READY, and then nothing
 *   act loud NAME              the same, and NAME on its standard output
 *   act then NAME COMMAND...   that, and the command in its place
 *   act reboot NAME            that, and reboot(2)
 *   act orphans RATE SECONDS   so many orphans a second; "orphans NUMBER NANOSECONDS"; it stays a second
 *   act chain DIRECTORY COUNT STEP   starts COUNT services of s6 as s6-rc does: each by `s6-svc -uwU` once service
 *                              NUMBER - STEP is ready; rings once their supervisors are there
 * Called `rc` it is `act stamp rc`; called `run` it is `act serve`: NAME is the directory, READY is $READY, and where
 * $TOUCH is set it makes a file `ready`. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { batch = 10, chain_most = 1000 };

static void must(long result, const char *what) {
  if (result >= 0) return;
  dprintf(2, "act: %s: %s\n", what, strerror(errno));
  _exit(1);
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Nobody may listen any more: that is no reason to wait. */
static void ring(const char *name, long long first, long long second) {
  char line[128];
  const char *path = getenv("BELL");
  int bell = open(path ? path : "/bell", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  int size = second ? snprintf(line, sizeof line, "%.60s %lld %lld\n", name, first, second)
                    : snprintf(line, sizeof line, "%.60s %lld\n", name, first);
  must(bell, path ? path : "/bell");
  must(write(bell, line, (size_t)size), "bell");
  close(bell);
}

static void serve(const char *name, const char *ready, long long moment) {
  ring(name, moment, 0);
  if (getenv("TOUCH")) must(close(open("ready", O_WRONLY | O_CREAT, 0644)), "ready");
  if (ready) {
    must(write(atoi(ready), "\n", 1), "ready");
    must(close(atoi(ready)), "ready");
  }
  for (;;) pause();
}

/* Each has a parent that does not wait for it, and ends. */
static void bear(void) {
  for (int i = 0; i < batch; i++)
    if (fork() == 0) _exit(0);
  _exit(0);
}

static void orphans(long rate, long seconds) {
  long long begin = now(), count = 0;
  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  while (count < rate * seconds) {
    pid_t pid = fork();
    must(pid, "fork");
    if (pid == 0) bear();
    must(waitpid(pid, NULL, 0), "wait");
    count += batch;
    next.tv_nsec += 1000000000L / (rate / batch);
    next.tv_sec += next.tv_nsec / 1000000000L;
    next.tv_nsec %= 1000000000L;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
  }
  ring("orphans", count, now() - begin);
  sleep(1); /* whoever looks for what is left must find process 1 */
}

/* As s6-svok has it. */
static void wait_for_supervisor(const char *directory, int number) {
  char path[400];
  int control;
  snprintf(path, sizeof path, "%s/s%d/supervise/control", directory, number);
  while ((control = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) usleep(500);
  close(control);
}

static void chain(const char *directory, int count, int step) {
  pid_t pids[chain_most] = {0};
  int started = 0, status;
  for (int i = 0; i < count; i++) wait_for_supervisor(directory, i);
  ring("chain", now(), 0);
  for (int done = 0; done < count;) {
    for (; started < count && (started < step || pids[started - step] == -1); started++) {
      char name[300];
      char *words[] = {"s6-svc", "-uwU", "-T", "60000", name, NULL};
      snprintf(name, sizeof name, "%s/s%d", directory, started);
      if (posix_spawnp(&pids[started], words[0], NULL, NULL, words, environ) != 0) must(-1, words[0]);
    }
    pid_t pid = wait(&status);
    if (pid < 0 || status != 0) must(-1, "s6-svc");
    for (int i = 0; i < started; i++)
      if (pids[i] == pid) pids[i] = -1;
    for (; done < started && pids[done] == -1; done++) continue;
  }
}

int main(int count, char **words) {
  long long moment = now();
  const char *slash = strrchr(words[0], '/'), *self = slash ? slash + 1 : words[0];
  char directory[4096];
  if (strcmp(self, "rc") == 0) return ring("rc", moment, 0), 0;
  if (strcmp(self, "run") == 0) {
    if (!getcwd(directory, sizeof directory)) must(-1, "getcwd");
    serve(strrchr(directory, '/') + 1, getenv("READY"), moment);
  }
  if (count < 3) return 64;
  if (strcmp(words[1], "orphans") == 0 && count == 4) return orphans(atol(words[2]), atol(words[3])), 0;
  if (strcmp(words[1], "chain") == 0 && count == 5) return chain(words[2], atoi(words[3]), atoi(words[4])), 0;
  if (strcmp(words[1], "loud") == 0) must(dprintf(1, "%s\n", words[2]), "output");
  if (strcmp(words[1], "loud") == 0 || strcmp(words[1], "serve") == 0) serve(words[2], count > 3 ? words[3] : NULL, moment);
  ring(words[2], moment, 0);
  if (strcmp(words[1], "reboot") == 0) must(reboot(RB_AUTOBOOT), "reboot");
  if (strcmp(words[1], "then") == 0) must(execvp(words[3], words + 3), words[3]);
  return 0;
}
