/* What a start and stop of a jail cannot do without: floor ROOT. One clone3 makes the namespaces of
 * `jail -c path=ROOT vnet mount.devfs mount.procfs`, the child mounts /proc and a small /dev, pivots and executes
 * /bin/true, the parent waits. No record, no undo, no protection: never a way to run anything. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(long result, const char *what) {
  if (result >= 0) return;
  dprintf(2, "floor: %s: %s\n", what, strerror(errno));
  _exit(1);
}

static const struct {
  const char *path;
  unsigned major, minor;
} nodes[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
             {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};

static void live(const char *root) {
  char *argv[] = {"true", NULL}, *envp[] = {NULL};
  must(mount("", "/", NULL, MS_REC | MS_SLAVE, NULL), "slave");
  must(mount(root, root, NULL, MS_BIND, NULL), root);
  must(chdir(root), root);
  must(mount("dev", "dev", "tmpfs", MS_NOSUID, "mode=755"), "dev");
  for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
    must(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)), nodes[i].path);
  must(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "proc");
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "umount");
  must(execve("/bin/true", argv, envp), "/bin/true");
}

int main(int count, char **words) {
  struct clone_args how = {.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC |
                                    CLONE_NEWCGROUP,
                           .exit_signal = SIGCHLD};
  int status = 0;
  long child = count == 2 ? 0 : -1;
  if (child < 0) errno = EINVAL;
  must(child, "usage: floor ROOT");
  child = syscall(SYS_clone3, &how, sizeof how);
  must(child, "clone3");
  if (child == 0) live(words[1]);
  must(waitpid((pid_t)child, &status, 0), "wait");
  return status == 0 ? 0 : 1;
}
