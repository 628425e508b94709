"""A jail with an init, for the cases: its root in /mnt/work/root, what was written down in it, and what its init says.

Scripts of the jail append lines to /log inside; hooks of the host to HOOKS. Cases run within lives/world.py.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, f"{TESTS}/lives"]
import fingerprint as fp  # noqa: E402
import world  # noqa: E402
from terminal.run import Terminal, Wrong  # noqa: E402

ROOT, CONF, HOOKS = f"{world.WORK}/root", f"{world.WORK}/i.conf", f"{world.WORK}/hooks"
JAIL = "/mnt/bin/jail"
# A daemon as rc starts them: gone from rc's session, deaf to the hang-up at its end.
DAEMON = "setsid sleep 1000 > /dev/null 2>&1 < /dev/null &"


def same(got, want, what=""):
    if got != want:
        raise Wrong(f"{what + ': ' if what else ''}{got!r} in the place of {want!r}")


def until(true, what, seconds=20.0):
    end = time.monotonic() + seconds
    while not (value := true()):
        if time.monotonic() > end:
            raise Wrong(f"not within {seconds} s: {what}; the log has {said()[-40:]}; init says {messages()!r}{world.who_waits()}")
        time.sleep(0.01)
    return value


# --- a case ---

# What wardens have said stays.
fp.COUNTERS["jail.log"] = lambda text: ""


def run_case(case, before, lay=None, clean=None):
    """Lays the root, runs the case, takes all away; yields what was wrong."""
    (lay or fresh_root)()
    wrong = ""
    try:
        case()
    except (Wrong, OSError, IndexError) as error:
        console = world.run(["timeout", "1", JAIL, "--console=read", "a"])[2]
        wrong = f"{error}\n   init: {messages()!r}\n   log: {said()[-40:]}\n   host: {fp.read(f'{world.LOG}/jail.log')[-400:]}\n   console: {console[-2000:]}"
    Terminal.close_all()
    world.run([JAIL, "-f", CONF, "-qR" if clean else "-qr", "*"])
    if clean:
        clean()
    left = world.settle(before)
    return wrong + ("left behind:\n   " + "\n   ".join(left) if left else "")


def first_look(extra="", clean=None):
    """The host as a registry leaves it that has had a jail with an init, whose root is laid already."""
    up(extra)
    jail("-qr", "a")
    until(lambda: not warden(), "the warden's end", 60)
    # A slow build's engine, which the warden has started in vain, may be there still.
    until(lambda: not any("--ended" in fp.read(f"/proc/{pid}/cmdline") for pid in fp.pids()), "the engine's end", 60)
    if clean:
        clean()
    return world.look()


# --- the jail's root ---

def put(path, text, mode=0o755):
    full = f"{ROOT}/{path}"
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(full + ".new", mode)
    os.rename(full + ".new", full)


def script(path, body, mode=0o755):
    put(path, f"#!/bin/sh\n{body}\n", mode)


def ttys(*lines):
    put("etc/ttys", "".join(line + "\n" for line in lines), 0o644)


def fresh_root():
    """rc says its argument and leaves a daemon; ttys is there and empty; the reboot program is busybox's."""
    shutil.rmtree(ROOT, ignore_errors=True)
    world.make_root(ROOT, f"{world.WORK}/busybox")
    for name in ("sbin", "run"):
        os.mkdir(f"{ROOT}/{name}")
    for name in ("reboot", "halt", "poweroff"):
        os.symlink("../bin/busybox", f"{ROOT}/sbin/{name}")
    for name in ("setsid", "mkfifo", "stat", "sed"):
        os.symlink("busybox", f"{ROOT}/bin/{name}")
    ttys()
    rc("")
    if os.path.exists(HOOKS):
        os.unlink(HOOKS)


def rc(body, mode=0o755):
    script("etc/rc", f"export PATH=/bin:/sbin; echo rc $* >> /log\n{body}\n{DAEMON}", mode)


def shutdown(body=""):
    script("etc/rc.shutdown", f"export PATH=/bin:/sbin; echo shutdown $* >> /log\n{body}")


def final(body="", mode=0o755):
    script("etc/rc.final", f"export PATH=/bin:/sbin; echo final $* >> /log\n{body}", mode)


def said():
    """What the jail's scripts have said, line by line."""
    return fp.read(f"{ROOT}/log").splitlines()


def sees(line, count=1, seconds=20.0):
    until(lambda: said().count(line) >= count, f"{count} times {line!r}", seconds)


def messages():
    return fp.read(f"{ROOT}/var/log/init.log")


def says(text):
    until(lambda: text in messages(), f"init says {text!r}")


# --- the jail ---

def conf(extra=""):
    hooks = "".join(f'exec.{name} = "echo {name} >> {HOOKS}";\n' for name in ("prestop", "poststop", "release"))
    console = "" if "console" in extra else "noconsole;"
    timeout = "" if "stop.timeout" in extra else "stop.timeout = 5;"
    asks = "" if "exec.start" in extra else "init;"
    with open(CONF, "w", encoding="utf-8") as f:
        f.write(f"a {{ path = {ROOT}; {asks} {console} {hooks} {timeout} init.signals = freebsd;\n {extra} }}\n")


def jail(*words, want=0, timeout=60):
    status, err, out = world.run([JAIL, "-f", CONF, *words], timeout=timeout)
    if want is not None:
        same(status, want, f"jail {' '.join(words)}: {err}")
    return out + err


def up(extra="", want=0):
    conf(extra)
    return jail("-q", "-c", "a", want=want)


def begin(extra=""):
    """`jail -c` in the background."""
    conf(extra)
    return subprocess.Popen([JAIL, "-f", CONF, "-q", "-c", "a"], env=world.ENV, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def ended(process, want):
    try:
        err = process.communicate(timeout=30)[1]
    except subprocess.TimeoutExpired:
        raise Wrong(f"jail -c does not end; {said()}{world.who_waits()}") from None
    same(process.returncode, want, f"jail -c: {err}")
    return err


def init(*words, want=0):
    return jail("--init", "a", *words, want=want)


def inside(*words, want=0):
    status, err, out = world.run(["/mnt/bin/jexec", "a", *words])
    if want is not None:
        same(status, want, f"jexec {' '.join(words)}: {err}")
    return out


def state():
    status, _, out = world.run([JAIL, "--init", "a", "status"])
    return out.split()[0] if status == 0 and out else ""


def comes_to(name, seconds=20.0):
    until(lambda: state() == name, f"state {name}, but {state()!r}", seconds)


def pids_of(*words):
    command = "\0".join(words) + "\0"
    return [int(p) for p in fp.pids() if fp.read(f"/proc/{p}/cmdline").startswith(command)]


def process1():
    found = pids_of("jinit", "--jail")
    return found[0] if found else 0


def warden():
    found = pids_of("jinit", "--warden")
    return found[0] if found else 0


def signal1(name):
    """A signal to process 1 from a process of its jail, which may end before we hear of it; by name, or as kill(1) numbers it."""
    inside("kill", f"-{name}", "1", want=None)


def console(*words):
    """A person's terminal with `jail --console`."""
    return Terminal(None, words=[JAIL, "-f", CONF, "--console", *words, "a"])


def kill1(number=signal.SIGKILL):
    os.kill(process1(), number)


def jls(*words):
    status, _, out = world.run(["/mnt/bin/jls", "-j", "a", *words])
    return out.strip() if status == 0 else ""


def is_gone():
    return world.run(["/mnt/bin/jls", "-d", "name"])[2] == "" and not process1()


def hooks():
    return fp.read(HOOKS).split()


STOPPED = ("prestop", "poststop", "release")  # the hooks of jail -r; a jail that has ended needs no exec.prestop


def removed(want_hooks=("poststop", "release")):
    until(is_gone, "the jail is gone")
    until(lambda: not warden(), "its warden is gone")
    same(tuple(hooks()), want_hooks, "hooks")


def again(count, do):
    """Does it, and waits until rc has run `count` times in all and the jail is up again."""
    before = process1()
    do()
    until(lambda: process1() not in (0, before), "another process 1")
    until(lambda: len([line for line in said() if line.split()[0] == "rc"]) >= count, f"rc {count} times")
    comes_to("multi_user")


def zombies_of(pid):
    """{its number and start time} of the processes that `pid` has not waited for."""
    found = set()
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            children = f.read().split()
    except OSError:
        return found
    for child in children:
        fields = fp.stat_of(child)
        if fields[:1] == ["Z"]:
            found.add((child, fields[19]))
    return found


def status_of(pid, field):
    return re.search(rf"^{field}:\s*(.*)$", fp.read(f"/proc/{pid}/status"), re.MULTILINE).group(1)
