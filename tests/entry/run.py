#!/usr/bin/env python3
"""jinit as the entry point of a container: `jinit -- COMMAND`, as process 1 and as any other process, on a terminal and not.

usage: run.py [-v] [--compare] [--debug] BINDIR [CASE...]

Process namespaces and sessions of its own for each case; nothing is left on the host. --compare runs the cases that make sense
for them with tini and catatonit as well, where they are installed, and prints what differs: that is for the eye and fails
nothing. --debug: a build of which no memory is asked. The last line is 'N passed, N failed'; exits 1 if one failed.
"""
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402,F401  it knows where the others are
import on_terminal  # noqa: E402
import screen  # noqa: E402
from harness import INSIDE, Init, Terminal, Wrong, anonymous, descendants, field, read, same, until  # noqa: E402

TOOLS = ("unshare", "setsid", "bash")
PYTHON = [sys.executable, "-IS", "-c"]

# Says each signal that it gets; all are blocked, so none is lost while it starts.
LISTENER = """
import os, signal
every = set(range(1, 65)) - {9, 19, 32, 33, signal.SIGCHLD}
signal.pthread_sigmask(signal.SIG_BLOCK, every)
print("ready", flush=True)
while True:
    print(signal.sigwait(every), flush=True)
"""
# Leaves COUNT orphans, each of which ends when it has a new parent and says which; then waits to be told to end.
PARENT = """
import os, sys, time
ends = os.pipe()
for n in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        here = os.getpid()
        if os.fork() == 0:
            while os.getppid() == here:
                time.sleep(0.001)
            os.write(ends[1], b"%d %d\\n" % (os.getpid(), os.getppid()))
        os._exit(0)
    os.waitpid(child, 0)
os.close(ends[1])
sys.stdout.write(os.fdopen(ends[0]).read())
print("all", os.getppid(), flush=True)
sys.stdin.read()
"""
# Becomes its arguments, with one child that has ended before and one that ends when it sees that.
BECOMES = """
import os, sys, time
if os.fork() == 0:
    os._exit(0)
os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
us = os.readlink("/proc/self/exe")
if os.fork() == 0:
    while os.readlink("/proc/%d/exe" % os.getppid()) == us:
        time.sleep(0.001)
    os._exit(0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


# --- how it ends ---

def status_of_command(init):
    for status in (0, 1, 7, 77, 255):
        same(init.status(["sh", "-c", f"exit {status}"]), status)


def status_of_signal(init):
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGRTMIN + 3):
        same(init.status(["sh", "-c", f"ulimit -c 0; kill -{int(number)} $$"]), 128 + number)


def cannot_be_executed(init):
    for command in ("/etc/passwd", "/etc"):
        same(init.status([command]), 126)


def not_found(init):
    for command in ("/nonesuch", "nonesuch", "/nonesuch/there"):
        same(init.status([command]), 127)
    same(len(init.said[1].splitlines()), 1)


def script_without_interpreter(init):
    """As a shell would: execvp(3)."""
    path = f"/tmp/entry.{os.getpid()}"
    with open(path, "w", encoding="utf-8") as f:
        f.write("exit 9\n")
    os.chmod(path, 0o755)
    try:
        same(init.status([path]), 9)
    finally:
        os.unlink(path)


def streams(init):
    same(init.status(["sh", "-c", "cat; echo out; echo err >&2"], input="in\n"), 0)
    same(init.said, ("in\nout\n", "err\n"))


# --- what it makes of the command ---

def born_as_without(init):
    """Mask, dispositions, descriptors, limits and directory are what they would be without it."""
    look = ["sh", "-c", "grep -E '^(Sig(Blk|Ign|Cgt)|ShdPnd)' /proc/self/status; ls /proc/$$/fd; pwd; umask; env | sort; nice; ulimit -a"]
    extra = os.open("/dev/null", os.O_RDONLY)

    def prepare():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGTTOU})
        for number in (signal.SIGHUP, signal.SIGCHLD, signal.SIGTTIN):
            signal.signal(number, signal.SIG_IGN)
        os.dup2(extra, 9)

    how = {"preexec_fn": prepare, "pass_fds": (9,), "cwd": "/usr", "restore_signals": False, "env": {"PATH": os.environ["PATH"]}}
    direct = INSIDE if init.inside else []
    want = subprocess.run([*direct, "sh", "-c", '"$@"; exit 5', "-", *look], capture_output=True, text=True, check=False, **how)
    same(init.status(["sh", "-c", '"$@"; exit 5', "-", *look], **how), 5)
    same(init.said[0], want.stdout)
    os.close(extra)


def keeps_nothing_open(init):
    """What the command closes is closed; and no directory stays busy on the init's account."""
    ends = os.pipe()
    child, pid = init.start(["sh", "-c", "exec 8>&-; cat"], pass_fds=(ends[1],), cwd="/usr",
                            preexec_fn=lambda: os.dup2(ends[1], 8))
    os.close(ends[1])
    until(lambda: os.listdir(f"/proc/{pid}/fd") == ["0", "1", "2"], "three descriptors")
    same(os.readlink(f"/proc/{pid}/cwd"), "/")
    child.communicate(timeout=30)
    os.close(ends[0])


def sockets_by_number(init):
    """LISTEN_PID names the command where it named us; another's stays."""
    number = "1" if init.inside else "$$"
    run = f'export LISTEN_PIDFDID=5 LISTEN_PID={number}; exec {" ".join(init.words)} -- sh -c "echo \\$LISTEN_PID \\$\\$ \\$LISTEN_PIDFDID"'
    front = INSIDE if init.inside else []
    words = subprocess.run([*front, "sh", "-c", run], capture_output=True, text=True, check=True).stdout.split()
    same(words[0], words[1])
    same(len(words), 2)
    same(init.status(["sh", "-c", "echo $LISTEN_PID"], env=dict(os.environ, LISTEN_PID="4444")), 0)
    same(init.said[0], "4444\n")


# --- signals ---

def every_signal(init):
    child, pid = init.start([*PYTHON, LISTENER])
    same(child.stdout.readline(), "ready\n")
    for number in sorted(set(range(1, 65)) - {9, 19, 32, 33, signal.SIGCHLD}):
        os.kill(pid, number)
        same(child.stdout.readline(), f"{number}\n")


def signal_to_command_alone(init):
    same(group_gets(init, []), "spared\nterm\n")


def signal_to_group(init):
    same(group_gets(init, ["-g"]), "member\nterm\n")


def group_gets(init, options):
    """What a TERM to the init does to a shell and to another of its group, which hears PWR behind it, a signal of a higher number."""
    script = "trap 'go=1' TERM; sh -c 'trap \"trap : PWR; echo member; exit\" TERM; trap \"echo spared; exit\" PWR; echo r; " \
             "while :; do sleep 0.01; done' & while [ -z \"$go\" ]; do sleep 0.01; done; " \
             "kill -PWR $! 2> /dev/null; wait $!; echo term; exit 4"
    child, pid = init.start(["sh", "-c", script], options)
    same(child.stdout.readline(), "r\n")
    os.kill(pid, signal.SIGTERM)
    said = child.communicate(timeout=30)[0]
    same(child.returncode, 4)
    return said


def ends_by_signal(init):
    child, pid = init.start(["sleep", "1000"])
    until(lambda: "sleep" in [read(f"/proc/{p}/comm").strip() for p in descendants(pid)], "the command")
    os.kill(pid, signal.SIGTERM)
    same(child.wait(30), 143)


def children_ignored_at_birth(init):
    """Who is started with SIGCHLD ignored is not told of ends, unless it minds."""
    same(init.status(["sh", "-c", "sleep 0.05; exit 6"], preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
                     restore_signals=False), 6)


def parent_ends(init):
    if init.inside:  # --kill-child is the same, and would hide it
        return
    for name in ("TERM", "SIGUSR1", "15"):
        line = " ".join(init.line(["sh", "-c", "'trap \"exit 3\" USR1 TERM; echo $PPID; while :; do sleep 0.01; done'"], ["-p", name]))
        out = subprocess.Popen(["sh", "-c", f"{line} & read x; kill -9 $$"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        init.running.append(out)
        pid = int(out.stdout.readline())
        out.communicate("\n", timeout=30)  # ends when the last that holds the pipe has gone
        until(lambda pid=pid: not os.path.exists(f"/proc/{pid}") or field(pid, "State") == "Z", "the init's end")


# --- children that nobody else has ---

def orphans(init):
    count = 1000
    child, pid = init.start([*PYTHON, PARENT, str(count)])
    lines = []
    while not lines or not lines[-1].startswith("all"):
        lines.append(child.stdout.readline())
    mine = lines.pop().split()[1]
    same(len([line for line in lines if line.split()[1] == mine]), count)
    until(lambda: len(read(f"/proc/{pid}/task/{pid}/children").split()) == 1, "all but the command reaped")
    child.communicate("", timeout=30)
    same(child.returncode, 0)


def children_from_before(init):
    """A program that has children and becomes the init: what has ended, and what will."""
    line = [*PYTHON, BECOMES, *init.words, "--", "sh", "-c", "echo up; read x; exit 8"]
    child = subprocess.Popen([*(INSIDE if init.inside else []), *line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    init.running.append(child)
    same(child.stdout.readline(), "up\n")
    pid = init.find(child.pid)
    until(lambda: len(read(f"/proc/{pid}/task/{pid}/children").split()) == 1, "both reaped")
    child.communicate("x\n", timeout=30)
    same(child.returncode, 8)


def sleeps(init):
    """No wake-up while nothing happens."""
    _, pid = init.start(["sleep", "1000"])
    settled = ("/",) if init.name == "jinit" else ("/", "/usr")
    until(lambda: os.readlink(f"/proc/{pid}/cwd") in settled and field(pid, "State") == "S", "rest")
    before = field(pid, "voluntary_ctxt_switches")
    time.sleep(2.5)  # time is what is asked for: some inits look around once a second
    same(field(pid, "voluntary_ctxt_switches"), before)


def memory(init):
    """The least of several: where the stack begins differs."""
    seen = []
    for _ in range(5):
        _, pid = init.start(["sleep", "1000"])
        until(lambda pid=pid: read(f"/proc/{descendants(pid)[-1]}/comm") == "sleep\n", "the command")
        seen.append(anonymous(pid))
    init.note = f"{min(seen)} to {max(seen)} kB anonymous"
    if init.name == "jinit" and min(seen) > 60 and "--debug" not in sys.argv:
        raise Wrong(init.note)


# --- options ---

def other_statuses(init):
    for options, status, becomes in ((["-e", "143"], 143, 0), (["-e143", "-e", "7"], 7, 0), (["-e", "7:9"], 7, 9), (["-e7:0"], 8, 8),
                                     (["-e", "0:3"], 0, 3), (["-e", "5", "-e", "5:6"], 5, 6), (["-e", "127"], 127, 0)):
        same(init.status(["sh", "-c", f"exit {status}"], options), becomes)


def misuse(init):
    for words in (["-e", "256"], ["-e", "x"], ["-e", "1:"], ["-e", "1:2:3"], ["-p", "NONE"], ["-p", "0"], ["-p", "65"], ["-x"], ["-g"],
                  ["--nonesuch"], ["-e"]):
        same((words, init.status(["true"] if len(words) > 1 else [], words)), (words, 64))
        same(init.said[0], "")
    same(init.status([], ["--version"]), 0)
    same(re.fullmatch(r"jinit \d+\.\d+\.\d+\n", init.said[0]) is not None, True)
    same(init.status([], ["--help"]), 0)
    same("usage: jinit" in init.said[0], True)


def words_are_the_commands(init):
    same(init.status(["sh", "-c", 'echo "$@"', "-", "-g", "--", "--version"]), 0)
    same(init.said[0], "-g -- --version\n")
    same(init.status([], ["-gs", "-v", "sh", "-c", "exit 3"]), 3)


def pause(init):
    """Holds namespaces for others, takes their orphans, and ends by TERM or INT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        run = f"(sleep 0.2 &); exec {' '.join(init.words)} -P"
        child = subprocess.Popen([*(INSIDE if init.inside else []), "sh", "-c", run])
        init.running.append(child)
        pid = init.find(child.pid)
        if init.inside:
            until(lambda pid=pid: read(f"/proc/{pid}/task/{pid}/children") == "", "no child left")
        for other in (signal.SIGHUP, signal.SIGUSR1, signal.SIGWINCH, signal.SIGTSTP):
            os.kill(pid, other)
        os.kill(pid, number)
        same(child.wait(30), 0)


CASES = [status_of_command, status_of_signal, cannot_be_executed, not_found, script_without_interpreter, streams, born_as_without,
         keeps_nothing_open, sockets_by_number, every_signal, signal_to_command_alone, signal_to_group, ends_by_signal,
         children_ignored_at_birth, parent_ends, orphans, children_from_before, sleeps, memory, other_statuses, misuse,
         words_are_the_commands, pause]
# On what the others do not claim to do they are not compared.
OURS = {"other_statuses": ("catatonit",), "misuse": ("tini", "catatonit"), "parent_ends": ("catatonit",), "pause": ("tini", "catatonit"),
        "words_are_the_commands": ("catatonit",)}


def too_long(*_):
    raise Wrong("it hangs")


def run_case(case, init):
    init.note = ""
    signal.alarm(4 * screen.LIMIT)
    try:
        case(init)
    except (Wrong, OSError, subprocess.SubprocessError) as wrong:
        return str(wrong) or type(wrong).__name__
    finally:
        signal.alarm(0)
        Terminal.close_all()
        init.close()
    return ""


def cases_of(init, names):
    for case in CASES + on_terminal.CASES + ([] if init.inside else on_terminal.OUTSIDE):
        if (not names or case.__name__ in names) and init.name not in OURS.get(case.__name__, ()):
            yield case


def compare(names):
    screen.LIMIT = 4
    for words in (["tini", "-s"], ["catatonit"]):
        if not shutil.which(words[0]):
            print(f"{words[0]} is not installed: not compared")
            continue
        for inside in (True, False):
            init = Init(words, inside)
            for case in cases_of(init, names):
                wrong = run_case(case, init)
                if wrong or init.note:
                    place = "process 1" if inside else "not process 1"
                    print(f"{init.name}, {place}: {case.__name__}: {init.note or 'differs: ' + wrong[:150]}", flush=True)


def main():
    flags = {word for word in sys.argv[1:] if word in ("-v", "--compare", "--debug")}
    bindir, *names = [word for word in sys.argv[1:] if word not in flags] or sys.exit(__doc__)
    if os.geteuid() != 0 or not all(map(shutil.which, TOOLS)):
        sys.exit(f"entry: root and {', '.join(TOOLS)} are needed")
    bindir = os.path.abspath(bindir)
    signal.signal(signal.SIGALRM, too_long)
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
    os.chdir("/usr")  # where an init that has settled is not
    passed = failed = 0
    for inside in (True, False):
        init = Init([f"{bindir}/jinit"], inside)
        for case in cases_of(init, names):
            began = time.monotonic()
            wrong = run_case(case, init)
            passed, failed = passed + (not wrong), failed + bool(wrong)
            place = "process 1" if inside else "not process 1"
            if wrong:
                print(f"FAILED {case.__name__}, {place}: {wrong}", flush=True)
            elif "-v" in flags:
                print(f"{case.__name__}, {place}: {time.monotonic() - began:.1f} s {init.note}", flush=True)
    if "--compare" in flags:
        compare(names)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
