#!/usr/bin/env python3
"""Let every system call of the commands fail once, with the errnos of its manual page, and look for a sentence and a clean host.

usage: fault_test.py [--seconds N] [--seed N] [--only SPEC[,OP[,CALL[,ERRNO]]]] BINDIR KILLER

BINDIR holds programs built with CELLBLOCK_FAULTS (base/fault.h). For every configuration of specs.py a start, a stop and a
restart, and beside a running jail jexec, jls, `jail -m` and `jail --recover` are run once for each call they make through
the doors and each errno of ERRNOS. Either the command does all that it should (a call that was made again, or only in the
best case, may fail), or it says why not in a line of its own and fails; a failed start has left nothing, and after
`jail --recover` and `jail -r` the host is as before. No errno is tried that would be a lie about the world (ENOENT of what is
there): no program could tell. --seconds ends after that time, in an order drawn from --seed (by default the day; KILL_FULL=1:
all of them). The last line is 'N passed, N failed'; exits 1 if one failed.
"""
import collections
import errno
import os
import re
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import campaigns  # noqa: E402
import world  # noqa: E402
import fingerprint as fp  # noqa: E402
from campaigns import Wrong  # noqa: E402
from kill_test import CONF, JAIL, NO_SENTENCE, Life  # noqa: E402
from specs import HOOKS, SPECS  # noqa: E402

LOGFILE = f"{world.WORK}/calls"
ERRNOS = {
    "accept4": "EMFILE", "bind": "EACCES ENOMEM", "capget": "EPERM", "capset": "EPERM", "chdir": "EACCES EIO", "chroot": "EPERM",
    "clone3": "EAGAIN ENOMEM", "close_range": "ENOMEM", "connect": "EAGAIN EACCES", "creat": "EMFILE ENOSPC EROFS", "dup2": "EMFILE", "execveat": "ENOMEM EACCES",
    "execvp": "ENOMEM EACCES", "fchdir": "EACCES", "fchmod": "EIO EROFS", "fcntl": "EMFILE", "fdopendir": "ENOMEM",
    "flock": "ENOLCK EINTR", "fork": "EAGAIN ENOMEM", "fsconfig": "EINVAL ENOMEM", "fsmount": "EMFILE ENOMEM",
    "fsopen": "EMFILE ENOMEM", "fstat": "EIO", "fstatat": "EACCES EIO", "fsync": "EIO ENOSPC", "ftruncate": "EIO",
    "keyctl": "EDQUOT ENOMEM", "kill": "EPERM", "listen": "EADDRINUSE", "mkdirat": "ENOSPC EROFS", "mknodat": "EPERM ENOSPC",
    "mount": "EPERM ENOMEM", "mount_setattr": "EPERM", "move_mount": "EPERM ENOMEM", "open_tree": "EMFILE ENOMEM",
    "openat": "EMFILE ENOMEM EACCES", "openat2": "EMFILE EAGAIN", "pidfd_open": "EMFILE ENOMEM", "pidfd_send_signal": "EPERM",
    "pipe2": "EMFILE", "pivot_root": "EBUSY", "poll": "EINTR ENOMEM", "prctl": "EPERM", "pread": "EIO", "read": "EIO EINTR",
    "readlinkat": "EIO", "recv": "ENOBUFS EINTR", "renameat": "ENOSPC EIO", "rt_sigaction": "EINVAL", "sched_getaffinity": "EPERM",
    "sched_setaffinity": "EPERM", "send": "ENOBUFS ENOMEM", "setdomainname": "EPERM", "setgroups": "EPERM", "sethostname": "EPERM",
    "setns": "EPERM ENOMEM", "setpgid": "EACCES EINVAL EPERM ESRCH", "setresgid": "EPERM", "setresuid": "EAGAIN", "setrlimit": "EPERM", "setsid": "EPERM",
    "setsockopt": "ENOBUFS", "shutdown": "ENOTCONN", "signalfd": "EMFILE", "socket": "EMFILE ENOBUFS", "socketpair": "EMFILE", "statfs": "EIO",
    "statx": "ENOMEM", "symlinkat": "ENOSPC", "umount2": "EBUSY EPERM", "unlinkat": "EBUSY EROFS", "unshare": "ENOSPC ENOMEM",
    "waitpid": "EINTR", "write": "ENOSPC EIO EINTR",
}
# Operations: words of the command, whether the jail runs before, and whether it is meant to run afterwards.
Op = collections.namedtuple("Op", "words up_before up_after")


def operations(life):
    jail = life.names if life.names != "*" else "p"
    return {
        "start": Op([*JAIL, "-c", life.names], False, True),
        "stop": Op([*JAIL, "-r", life.names], True, False),
        "restart": Op([*JAIL, "-rc", life.names], True, True),
        "recover": Op(["/mnt/bin/jail", "--recover"], True, True),
        "modify": Op(["/mnt/bin/jail", "-m", f"name={jail}", "host.hostname=renamed"], True, True),
        "jexec": Op(["/mnt/bin/jexec", jail, "/bin/echo", "here"], True, True),
        "jls": Op(["/mnt/bin/jls", "-n", "name", "host.hostname", "path"], True, True),
    }


class Faults:
    """The faults of one operation on one life."""

    def __init__(self, life, name):
        self.life, self.name, self.op = life, name, operations(life)[name]
        # Who ends with its commands cannot be looked at afterwards.
        self.lasts = life.name != "transient"
        self.prepare()
        status, err, self.out = world.run(self.op.words, env={"CELLBLOCK_FAULT_LOG": LOGFILE})
        if status != 0 and not (life.name == "transient" and "not found" in err):
            raise Wrong(f"{name} in peace: status {status}: {err}")
        self.calls = [line.split()[1] for line in fp.read(LOGFILE).splitlines()]
        self.life.stop()

    def prepare(self):
        for path in (LOGFILE, HOOKS):
            if os.path.exists(path):
                os.unlink(path)
        if self.op.up_before:
            self.life.must("-c", self.life.names)

    def items(self):
        unknown = set(self.calls) - ERRNOS.keys()
        if unknown:
            raise Wrong(f"no errnos are known for {', '.join(sorted(unknown))}")
        return [(number, call, code) for number, call in enumerate(self.calls, 1) for code in ERRNOS[call].split()]

    def judge(self, status, err, out):
        program = os.path.basename(self.op.words[0])
        if status == -9 and self.name == "jexec":
            return  # how its command ended never came through: for the caller, it was killed
        if status is None or status not in (0, 1):
            raise Wrong(f"status {status}: {err}")
        lines = err.splitlines()
        if any(NO_SENTENCE.search(line) or not line.startswith((f"{program}: ", "jail: ")) for line in lines):
            raise Wrong(f"not a sentence: {err}")
        if status != 0 and not any(re.match(r"\w+: (?!.*\bnote: )\S", line) for line in lines):
            raise Wrong(f"status {status} without a sentence: {err!r}")
        if status == 0 and self.name in ("jexec", "jls") and out != self.out:
            raise Wrong(f"success, but it said {out!r} and not {self.out!r}")

    def fail(self, number, code):
        """One run in which call `number` fails. Yields whether the call was made."""
        self.prepare()
        env = {"CELLBLOCK_FAULT": f"{number}:{getattr(errno, code)}", "CELLBLOCK_FAULT_LOG": LOGFILE}
        status, err, out = world.run(self.op.words, env=env)
        made = [line.split()[1] for line in fp.read(LOGFILE).splitlines() if line.startswith(f"{number} ")]
        told = f"{made[0] if made else 'no call'} {number}: {code}; then status {status} {err.strip()!r}\n"
        try:
            # A message that could not be written is the one thing that nobody can tell of.
            if not (status == 1 and err == "" and made == ["write"]):
                self.judge(status, err, out)
            self.look_after(status)
        except Wrong as wrong:
            raise Wrong(told + str(wrong)) from None
        return bool(made)

    def look_after(self, status):
        # One that ends with its commands was undone, not rolled back: what an undo cannot do is kept, and asked for again.
        if status != 0 and self.name == "start" and self.lasts and not self.life.workers:
            self.settled("the failed start left")
        if status == 0 and self.op.up_after and self.lasts and self.life.name != "nested":
            done, err, _ = world.run(["/mnt/bin/jexec", "j", "/bin/true"])
            if done != 0:
                raise Wrong(f"the jail should be up: {err}")
        done, err, _ = world.run(["/mnt/bin/jail", "--recover"])
        if done != 0:
            raise Wrong(f"jail --recover: status {done}: {err}")
        if status == 0 and not self.op.up_after:  # empty groups that could not be swept go with the next command
            self.settled("the stop left")
        self.life.stop()
        if status != 0:  # a hook that could not be run is told of and not kept: what it should have ended goes on
            world.end_daemons()
            world.run(["/mnt/bin/jail", "--recover"])
        self.settled("after recovery")

    def settled(self, when):
        left = world.settle(self.life.before)
        if left:
            raise Wrong(f"{when}:\n" + "\n".join(left))


def campaign(spec, name, rest, _, draw, until):
    life = Life(spec)
    faults = Faults(life, name)
    items = [i for i in faults.items() if rest[:1] in ([], [str(i[0])]) and rest[1:2] in ([], [i[2]])]
    total = len(items)
    draw.shuffle(items)
    run = missed = failed = 0
    for number, call, code in items:
        if until and time.monotonic() > until:
            break
        run += 1
        try:
            missed += not faults.fail(number, code)
        except Wrong as wrong:
            failed += 1
            print(f"FAILED {life.name},{name},{number},{code}: {call}: {wrong}", flush=True)
            world.scrub()
            faults.life.__init__(life.name)
    print(f"{life.name} {name}: {len(faults.calls)} calls, {total} faults, {run} run ({missed} of calls that were not made), {failed} failed",
          flush=True)
    return run - failed, failed


def main():
    o = campaigns.options(__doc__)
    # What looks at a jail looks at each of them alike; two are enough.
    todo = [(s, p) for s in SPECS for p in ("start", "stop", "restart", "recover", "modify", "jexec", "jls")
            if p in ("start", "stop", "restart") or s in ("hooks", "vnet")]
    return campaigns.run_all(o, todo, campaign)


if __name__ == "__main__":
    sys.exit(main())
