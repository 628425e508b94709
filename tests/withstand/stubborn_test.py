#!/usr/bin/env python3
"""Jails that do not want to end, and commands in strange surroundings. usage: stubborn_test.py BINDIR [CASE...]"""
import os
import re
import signal
import subprocess
import time

from harness import (BIN, CONF, JAIL, JEXEC, JLS, ROOT, WORK, Wrong, as_before, begin, command, configure, end, expect, fp, good, jail,
                     names, run, wait_for, world)

# A pipe, a child and the shell itself, all deaf.
DEAF = "trap '' TERM INT HUP QUIT USR1 USR2; while :; do /bin/busybox sleep 1000; done"


def inside():
    """Processes of the jail, as pids here, but for its process 1."""
    jid1 = command(JLS, "-j", "j", "pid1").out.strip()
    namespace = fp.link(f"/proc/{jid1}/ns/pid")
    return [pid for pid in fp.pids() if pid != jid1 and fp.link(f"/proc/{pid}/ns/pid") == namespace]


def group_of_jail():
    """The v2 group that the jail's processes are in, as a directory."""
    unified = os.path.dirname(os.environ["LIVES_INSIDE"])
    return unified + command(JLS, "-j", "j", "cgroup").out.strip()


def stopped_within(seconds, *words):
    done = good(*(words or ("-r", "j")), timeout=seconds + 30)
    expect(done.seconds < seconds, "too slow:", done)
    expect(not names("-d"), names("-d"))
    return done.seconds


def ignore_term():
    """Processes that ignore every signal they can are waited for as long as stop.timeout says, and then killed."""
    for limit in (0, 1, 2):
        configure(f"j {{ path = {ROOT}; persist; stop.timeout = {limit}; exec.start = \"{DEAF} &\"; }}")
        good("-c")
        wait_for(lambda: len(inside()) >= 2, "the deaf process")
        seconds = stopped_within(limit + 20)
        expect(seconds >= limit, f"{seconds} s of {limit}")
    configure(f"j {{ path = {ROOT}; stop.timeout = 1; command = \"{DEAF}\"; exec.timeout = 1; }}")
    done = jail("-c")  # and exec.timeout ends them
    expect(done.status == 1 and "timed out" in done.err and done.seconds < 20 and not names("-d"), done)


def light_the_bomb():
    """A shell that cannot fork ends: where all meet the limit at once they are gone before anybody has seen them."""
    for _ in range(20):
        good("-c")
        end = time.monotonic() + 2
        while time.monotonic() < end:
            if len(fp.pids()) > 100:
                return
        good("-r", "j")
    expect(False, "the bomb has not gone off")


def fork_without_end():
    """Processes that fork faster than anyone can count, within 300; in the jail's group all die at once."""
    with open(f"{ROOT}/bomb", "w", encoding="utf-8") as f:
        f.write("trap '' TERM INT HUP\nulimit -u 300 || exit\nwhile :; do /bin/sh /bomb & /bin/true; done 2> /dev/null\n")
    most = 0
    for words in (("-r", "j"), ("-R", "j"), ("-rc", "j")):
        configure(f"j {{ path = {ROOT}; persist; mount.devfs; stop.timeout = 1; exec.jail_user = tester; exec.start = \"/bin/sh /bomb > /dev/null 2>&1 &\"; }}")
        light_the_bomb()
        most = max(most, len(fp.pids()))
        if words[0] == "-rc":
            configure(f"j {{ path = {ROOT}; persist; }}")
            good("-rc", "j")
            expect(not inside(), "processes of the first jail")
            words = ("-r", "j")
        stopped_within(30, *words)
    os.unlink(f"{ROOT}/bomb")
    return f"up to {most} processes"


def frozen():
    """A jail whose group is frozen, or a group that is below it; and one whose processes are stopped."""
    for below, kind in (("", "1"), ("/mine", "1"), ("", "stop"), ("", "freeze and stop")):
        configure(f"j {{ path = {ROOT}; persist; stop.timeout = 1; exec.start = 'sleep 1000 &', 'sleep 1000 &'; }}")
        good("-c")
        processes = inside()
        expect(len(processes) == 2, processes)
        run_group = os.path.dirname(os.environ["LIVES_INSIDE"]) + fp.read(f"/proc/{processes[0]}/cgroup").rpartition("::")[2].strip()
        if below:
            os.mkdir(run_group + below)
            for pid in processes:
                with open(f"{run_group}{below}/cgroup.procs", "w", encoding="utf-8") as f:
                    f.write(pid)
        if kind != "1":
            for pid in processes:
                os.kill(int(pid), signal.SIGSTOP)
        if kind != "stop":
            with open(f"{run_group}{below}/cgroup.freeze", "w", encoding="utf-8") as f:
                f.write("1")
            wait_for(lambda g=run_group + below: "frozen 1" in fp.read(f"{g}/cgroup.events"), "the freezer")
        expect(command(JLS, "-j", "j", "name").out == "j\n", "jls")
        stopped_within(20)


def frozen_whole():
    """All of a jail is frozen, process 1 with it."""
    configure(f"j {{ path = {ROOT}; persist; stop.timeout = 1; exec.start = 'sleep 1000 &'; }}")
    for word in ("-r", "-R"):
        good("-c")
        group = group_of_jail()
        with open(f"{group}/cgroup.freeze", "w", encoding="utf-8") as f:
            f.write("1")
        wait_for(lambda g=group: "frozen 1" in fp.read(f"{g}/cgroup.events"), "the freezer")
        stopped_within(40, word, "j")


def files_held():
    """Files open and directories used on every mount, in the jail and from the host."""
    os.makedirs("/mnt/r1/mnt/sub", exist_ok=True)
    configure(f"""j {{ path = {ROOT}; persist; mount.devfs; mount.fdescfs; mount.procfs; stop.timeout = 1;
      mount = "tmpfs {ROOT}/tmp tmpfs rw,mode=777 0 0", "/mnt/r2 {ROOT}/mnt nullfs rw 0 0", "tmpfs {ROOT}/mnt/tmp tmpfs rw 0 0";
      exec.start = "for d in / /tmp /mnt /mnt/tmp /dev /dev/shm /dev/mqueue /proc; do (cd \\$d; sleep 1000 > \\$d/held 3< \\$d &) 2> /dev/null; done; true";
    }}""")
    before = world.look()
    for word in ("-r", "-R"):
        good("-c")
        wait_for(lambda: len(inside()) >= 5, "the processes that hold files")
        pid1 = command(JLS, "-j", "j", "pid1").out.strip()
        held = []
        for path in ("", "/tmp", "/mnt", "/mnt/tmp", "/dev", "/proc"):
            held.append(os.open(f"/proc/{pid1}/root{path}", os.O_RDONLY))
        held.append(os.open(f"/proc/{pid1}/ns/mnt", os.O_RDONLY))
        visitor = begin("nsenter", "-t", pid1, "-m", "-p", "/bin/busybox", "sleep", "1000")
        stopped_within(30, word, "j")
        for fd in held:
            os.close(fd)
        visitor[0].kill()  # one from outside is in the jail's pid namespace and has gone with it
        end(visitor)
        for place in (f"{ROOT}/held", "/mnt/r2/held"):
            if os.path.exists(place):
                os.unlink(place)
        as_before(before)
    os.rmdir("/mnt/r1/mnt/sub")


def process_1_is_killed():
    """A jail whose process 1 was killed or stopped from outside is cleaned up by the next command."""
    configure(f"j {{ path = {ROOT}; persist; mount.devfs; vnet; vnet.interface = va; stop.timeout = 1; exec.start = 'sleep 1000 &'; }}")
    for number in (signal.SIGKILL, signal.SIGSTOP):
        for words in (("-r", "j"), ("-R", "j"), ("-c", "j")):
            good("-c")
            os.kill(int(command(JLS, "-j", "j", "pid1").out), number)
            if number == signal.SIGKILL:
                wait_for(lambda: not names(), "the jail to end")
            done = jail(*words, timeout=60)
            expect(done.status == 0 or words[0] == "-c" and "already exists" in done.err, number, done)
            jail("-r", "j", timeout=60)
            expect(not names("-d"), names("-d"))


def its_log():
    """What the jail puts in the place of its log is neither waited for nor followed."""
    for there in ("mkfifo /own.log", "ln -s /mnt/work/out /own.log"):
        configure(f"j {{ path = {ROOT}; persist; exec.consolelog = {ROOT}/own.log; exec.start = 'busybox rm -f /own.log; busybox {there}'; exec.stop = 'echo x'; }}")
        good("-c")
        done = jail("-r", "j", timeout=30)
        expect("/own.log" in done.err and not names("-d") and not os.path.exists(f"{WORK}/out"), there, done)
        os.unlink(f"{ROOT}/own.log")


def another_namespace():
    """Starts and stops inside `unshare -m`, where pinning can fail (the kernel's answer to namespaces that were made too late)."""
    configure(f"j {{ path = {ROOT}; persist; mount.devfs; mount.procfs; mount = 'tmpfs {ROOT}/tmp tmpfs rw 0 0'; exec.start = 'echo x > /tmp/x'; }}")
    before = world.look()
    script = f"{JAIL} -f {CONF} -c && {JLS} -N name && {JEXEC} j cat /tmp/x && {JAIL} -f {CONF} -m j && {JAIL} -f {CONF} -rc j && {JAIL} -f {CONF} -r j"
    for i in range(30):
        options = (["--propagation", "private"], [], ["--propagation", "slave"], ["--propagation", "shared"])[i % 4]
        done = command("unshare", "-m", *options, "sh", "-c", script)
        expect(done.status == 0 and not done.err, f"time {i + 1}, {options}", done)
        expect(done.out.split() == "j: created j x j: updated j: created j: removed".split(), done)
        if i % 10 == 9:
            as_before(before)
    # One that was started there goes on, and can be stopped from here.
    for i in range(5):
        done = command("unshare", "-m", JAIL, "-f", CONF, "-c")
        expect(done.status == 0, done)
        expect(names() == ["j"], names("-d"))
        stopped = jail("-r", "j")
        expect(stopped.status == 0, f"time {i + 1}", stopped)
    return "35 times"


def callers_descriptors():
    """What the caller has open is open in no process of the jail."""
    configure(f"j {{ path = {ROOT}; persist; exec.start = \"/bin/busybox sleep 1000 &\"; }}")
    done = command("sh", "-c", f"exec 7< {CONF} 9>> {WORK}/held; exec {JAIL} -f {CONF} -q -c")
    expect(done.status == 0 and not done.err, done)
    wait_for(inside, "the sleep")
    for pid in [command(JLS, "-j", "j", "pid1").out.strip(), *inside()]:
        held = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        expect(not {CONF, f"{WORK}/held"} & set(held), pid, held)
    os.unlink(f"{WORK}/held")
    stopped_within(30)


CASES = (callers_descriptors, ignore_term, fork_without_end, frozen, frozen_whole, files_held, process_1_is_killed, its_log, another_namespace)

if __name__ == "__main__":
    run(CASES)
