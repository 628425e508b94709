"""An enemy in the jail at process 1's control socket, and at its console."""
import contextlib
import os
import shutil
import signal
import subprocess
import time

import box
import world
from box import ROOT, fp, inside, state, until, up
from crowds import with_storm

RATHER_LONG = 10  # seconds for a word of the host, whatever the jail does


def start_inside(*words):
    """A command of jexec that goes on; its first line of output has come, where it has one to say."""
    return subprocess.Popen(["/mnt/bin/jexec", "a", *words], env=world.ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def called(process):
    box.same(process.stdout.readline(), "called\n", "the callers")


def end(process):
    """Both of it, the one of the host and the one in the jail; we have to reap the second, as a host's process 1 does."""
    process.kill()
    process.wait()
    process.stdout.close()
    for pid in box.pids_of("/bin/storm", "call"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not box.pids_of("/bin/storm", "call"), "the callers' end")
    # A process 1 cannot end while one of its namespace is a zombie, so zombies count here.
    until(lambda: world.reap() or not any(fp.read(f"/proc/{pid}/comm") == "jexec\n" for pid in os.listdir("/proc")), "the end of jexec")


def host_is_heard(what):
    began = time.monotonic()
    box.same(state(), "multi_user", what)
    took = time.monotonic() - began
    if took > RATHER_LONG:
        raise box.Wrong(f"{what}: the host was heard after {took:.1f} s")


def callers_of_every_kind():
    """Each kind alone: 1,000 of them, and process 1 goes on and keeps nothing of them."""
    with_storm()
    up()
    pid = box.process1()
    descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    for how in ("closed", "empty", "long", "junk", "descriptors", "silent", "boot", "stalled"):
        process = start_inside("/bin/storm", "call", how, "1000" if how != "stalled" else "300")
        called(process)
        host_is_heard(how)
        end(process)
        until(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= descriptors + 16, f"{how}: its descriptors are closed")
    host_is_heard("after all")
    box.same(box.process1(), pid)
    box.jail("-qr", "a", timeout=8)
    box.removed(box.STOPPED)


def flood_of_callers():
    """Many at once, without an end: the host still gets its word in, and a stop."""
    with_storm()
    up("stop.timeout = 1;")
    hows = ("silent", "closed", "junk", "long")
    box.script("bin/flood", "while :; do /bin/storm call $1 200 > /dev/null 2>&1 & p=$!; sleep 0.1; kill -9 $p; done")
    processes = [start_inside("/bin/sh", "/bin/flood", how) for how in hows]
    until(lambda: len(box.pids_of("/bin/sh", "/bin/flood")) >= len(hows), "the flood")
    end = time.monotonic() + 2
    while time.monotonic() < end:
        host_is_heard("in a flood")
    box.jail("-qr", "a")
    for process in processes:
        process.wait(20)
        process.stdout.close()


def strangers():
    """Nobody but root is obeyed; and nobody inside asks for what is the host's."""
    with_storm()
    shutil.copy("/mnt/bin/jinit", f"{ROOT}/bin/jinit")
    os.chmod(f"{ROOT}/run", 0o755)
    up()
    inside("/bin/jinit", "persist", want=64)
    status, err, _ = world.run(["/mnt/bin/jexec", "-U", "tester", "a", "/bin/jinit", "halt"])
    box.same((status != 0, state()), (True, "multi_user"), err)


def console_is_filled():
    """Output without an end and nobody who reads it, then readers that do not read; process 1 goes on, and the last output is there."""
    with_storm()
    up("console;")
    pid = box.process1()
    box.script("bin/flood", "exec yes 0123456789 > /dev/console 2>&1")
    inside("/bin/sh", "-c", "setsid /bin/flood &")
    until(lambda: box.pids_of("/bin/sh", "/bin/flood"), "the flood")
    host_is_heard("nobody reads")
    process = start_inside("/bin/storm", "call", "stalled", "8")
    called(process)
    host_is_heard("nobody of those who read reads")
    reader = subprocess.Popen([box.JAIL, "--console", "a"], env=world.ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    box.same(b"0123456789" in reader.stdout.read(100_000), True, "what a reader sees")
    for _ in range(5):
        host_is_heard("one reads")
    reader.kill()
    reader.wait()
    reader.stdout.close()
    end(process)
    box.same(box.process1(), pid)


CASES = [callers_of_every_kind, flood_of_callers, strangers, console_is_filled]
