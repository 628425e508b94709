"""Processes without an end: orphans by the ten thousand, and crowds that do not want to go."""
import os
import shutil
import signal
import subprocess
import time

import box
import world
from box import ROOT, fp, init, inside, rc, said, state, until, up

RATE, SECONDS = 10_000, int(os.environ.get("ORPHAN_SECONDS", 10))
OLDEST = 2.0  # seconds a zombie may be one, on a machine that does other things too


def with_storm():
    shutil.copy(f"{world.WORK}/storm", f"{ROOT}/bin/storm")


def sees_zombies(pid):
    """Whether there is one to be seen while process 1 is stopped: else the watching means nothing."""
    os.kill(pid, signal.SIGSTOP)
    inside("sh", "-c", "( true & )")
    until(lambda: box.zombies_of(pid), "a zombie")
    os.kill(pid, signal.SIGCONT)
    until(lambda: not box.zombies_of(pid), "no zombie")


def watch_zombies(pid, process):
    """How long the oldest zombie was seen to be one, until the process ends."""
    first_seen, oldest = {}, 0.0
    while process.poll() is None:
        now, zombies = time.monotonic(), box.zombies_of(pid)
        first_seen = {zombie: first_seen.get(zombie, now) for zombie in zombies}
        oldest = max([oldest] + [now - seen for seen in first_seen.values()])
        time.sleep(0.02)
    return oldest


def orphans_by_the_ten_thousand():
    """Every one is reaped, none has waited longer than a moment, and a service that crashes meanwhile is up again."""
    with_storm()
    box.put("etc/jinit.conf", 'keeper { command = "/bin/sleep 7000"; restart.delay = 0; }\n', 0o644)
    rc("")
    up()
    pid = box.process1()
    until(lambda: box.pids_of("/bin/sleep", "7000"), "the service")
    sees_zombies(pid)
    process = subprocess.Popen(["/mnt/bin/jexec", "a", "/bin/storm", "orphans", str(RATE), str(SECONDS)], env=world.ENV,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    first, = box.pids_of("/bin/sleep", "7000")
    os.kill(first, signal.SIGKILL)
    began = time.monotonic()
    until(lambda: set(box.pids_of("/bin/sleep", "7000")) - {first}, "the service again")
    again = time.monotonic() - began
    oldest = watch_zombies(pid, process)
    spawned = int(process.stdout.read())
    process.stdout.close()
    until(lambda: not box.zombies_of(pid), "the last zombie")
    left = len([p for p in fp.pids() if fp.read(f"/proc/{p}/cmdline").startswith("/bin/storm")])
    print(f"   spawned {spawned} orphans in {SECONDS} s, reaped {spawned - left}; the oldest zombie was {1000 * oldest:.0f} ms old; "
          f"a service was up again after {1000 * again:.0f} ms", flush=True)
    box.same((left, box.process1(), state()), (0, pid, "multi_user"))
    box.same("keeper" in init("status"), True)
    if oldest > OLDEST:
        raise box.Wrong(f"a zombie of {oldest:.1f} s")
    if spawned < RATE * SECONDS // 4:
        raise box.Wrong(f"only {spawned} orphans: the machine is too slow to tell anything")


def crowd_at_the_end(how):
    """Nobody is left in the jail's group, and its successor finds none of them."""
    with_storm()
    up("stop.timeout = 1;")
    inside("/bin/storm", "forks", "100")
    until(lambda: len(box.pids_of("/bin/storm", "forks")) >= 20, "the crowd")
    began = time.monotonic()
    how()
    until(lambda: not box.pids_of("/bin/storm", "forks"), "the crowd's end")
    if time.monotonic() - began > 20:
        raise box.Wrong(f"it took {time.monotonic() - began:.1f} s")


def crowd_at_a_stop():
    crowd_at_the_end(lambda: box.jail("-qr", "a"))
    box.removed(box.STOPPED)


def crowd_at_a_reboot():
    crowd_at_the_end(lambda: box.again(2, lambda: init("reboot")))
    box.same(said().count("rc autoboot"), 2)


def crowd_at_a_halt():
    crowd_at_the_end(lambda: init("halt"))
    box.removed()


def crowd_at_single_user():
    crowd_at_the_end(lambda: init("single"))
    box.comes_to("single_user")


def crowd_at_a_crash():
    crowd_at_the_end(box.kill1)
    box.removed()


def reboots_in_a_crowd():
    """Asked again and again while it goes down and comes up, by all ways at once: in the end it is up or gone, as it was told last."""
    up("init.on_crash = restart;")
    for word in ("reboot", "single", "multi", "reload", "catatonia", "reboot") * 4:
        world.run([box.JAIL, "--init", "a", word])
    until(lambda: state() in ("multi_user", "single_user", "catatonia"), "some state that stays")
    world.run([box.JAIL, "--init", "a", "reboot"])
    until(lambda: world.run([box.JAIL, "--init", "a", "halt"])[0] == 0 or box.is_gone(), "somebody to take the last word")
    until(box.is_gone, "the end that it asks for")


def stop_while_rc_hangs():
    """A start by the warden's command that would never end, and one by jail -c, give way to a stop."""
    rc("[ -e /second ] && sleep 1000; : > /second")
    up("stop.timeout = 1; init.shutdown_timeout = 2;")
    init("reboot")
    box.sees("rc autoboot", 2)
    box.jail("-qr", "a", want=None, timeout=30)
    until(box.is_gone, "the end of the reboot")
    process = box.begin("stop.timeout = 1; init.shutdown_timeout = 2;")
    box.sees("rc autoboot", 3)
    box.jail("-qr", "a", want=None, timeout=30)
    until(box.is_gone, "the end of the start")
    process.communicate(timeout=20)


CASES = [stop_while_rc_hangs, orphans_by_the_ten_thousand, crowd_at_a_stop, crowd_at_a_reboot, crowd_at_a_halt, crowd_at_single_user, crowd_at_a_crash,
         reboots_in_a_crowd]
