"""Killed at every system call: who keeps a jail with an init going, who starts it and stops it, and who speaks with it.

Whom a case kills: the warden, the commands it starts and the process 1 that these make, while the jail is booted again, halts, or
process 1 is killed (stalker.cc); `jail -c`, `jail -r` and `jail -rc` with all that they start (../lives/kill_test.py); the
commands of the host that speak with process 1. Afterwards the jail goes on, or it can be stopped and recovered; either way
nothing is left behind. Of the places a case has time for some, drawn by the day; KILL_FULL=1 takes all of them.
"""
import argparse
import os
import random
import subprocess
import time

import box
import kill_test
import specs
import world
from box import fp, init, pids_of, state, until, up

STALKER, REPORT = f"{world.WORK}/stalker", f"{world.WORK}/stalked"
SEED = int(os.environ.get("SEED", time.time() // 86400))
# What takes the jail through its lives: it is booted again, ends, or its process 1 is killed; and whether it is up afterwards.
LIVES = {"reboot": (lambda: init("reboot"), True), "halt": (lambda: init("halt"), False), "crash": (box.kill1, True)}


class Stalker:
    """Follows the warden; kills `name` at its place, or nobody."""

    def __init__(self, name="-", place=0):
        self.process = subprocess.Popen([STALKER, REPORT, name, str(place), str(box.warden())], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        box.same(self.process.stdout.readline(), "ready\n", "the stalker")

    def has_killed(self):
        return self.process.poll() is not None

    def end(self):
        """{name: effects of its places}, and what it has killed, if it has."""
        self.process.stdin.close()
        box.same(self.process.wait(20), 0, "the stalker")
        self.process.stdout.close()
        lines = [line.split() for line in fp.read(REPORT).splitlines()]
        killed = [" ".join(line[1:]) for line in lines if line[0] == "killed"]
        return {line[0]: line[1] if len(line) > 1 else "" for line in lines if line[0] != "killed"}, "".join(killed)


def chosen(effects, draw, seconds):
    """Places of which each shows something of its own; all of them without a limit of time."""
    return [draw.choice(one) if seconds else place for one in kill_test.classes_of(effects) for place in (one if not seconds else [0])]


def time_of(share):
    """How long a part of this may take; 0: as long as it wants."""
    return 0 if os.environ.get("KILL_FULL") else share


def jail_up():
    up("init.on_crash = restart;")


def has_settled(first, is_up):
    """The jail has come to the end of this life, and nobody works on it."""
    if pids_of("jail", "--ended") or pids_of("jail", "--boot"):
        return False
    if not is_up:
        return box.is_gone()
    return box.process1() not in (0, first) and state() == "multi_user"


def places_of(do, is_up):
    jail_up()
    first, stalker = box.process1(), Stalker()
    do()
    until(lambda: has_settled(first, is_up), "the end of a life in peace")
    found, _ = stalker.end()
    box.jail("-qr", "*")
    return found


def stop_and_look(before, told):
    """Whatever has become of the jail: it is stopped or recovered, and nothing is left."""
    status, err, _ = world.run([box.JAIL, "-f", box.CONF, "-r", "a"], timeout=20)
    if status not in (0, 1):
        raise box.Wrong(f"{told}: jail -r: status {status}: {err}")
    box.jail("--recover", timeout=20)
    left = world.settle(before)
    if left:
        raise box.Wrong(f"{told}; jail -r: {status} {err}: left behind:\n   " + "\n   ".join(left))


def live_once(before, do, name, place, is_up):
    """A life in which one is killed. Yields whether it came to that."""
    box.fresh_root()
    jail_up()
    first, stalker = box.process1(), Stalker(name, place)
    try:
        do()
    except box.Wrong:
        pass  # who should have answered was just killed
    until(lambda: stalker.has_killed() or has_settled(first, is_up), f"{name} at {place}, or the end of its life")
    _, killed = stalker.end()
    stop_and_look(before, f"{name},{place}: killed {killed or 'nobody'}")
    return bool(killed)


def lives(word, seconds):
    before = world.look()
    do, is_up = LIVES[word]
    draw = random.Random(SEED)
    found = places_of(do, is_up)
    items = [(name, place) for name, effects in sorted(found.items()) for place in chosen(effects, draw, seconds)]
    draw.shuffle(items)
    end = time.monotonic() + seconds
    run = killed = 0
    for name, place in items:
        if seconds and time.monotonic() > end:
            break
        run, killed = run + 1, killed + live_once(before, do, name, place, is_up)
    print(f"   {word}: {sum(map(len, found.values()))} places of {len(found)} processes, {len(items)} chosen, {run} run, {killed} killed",
          flush=True)
    if killed * 2 < run:
        raise box.Wrong(f"{word}: only {killed} of {run} were killed")


def warden_is_replaced():
    """Killed at any of its places while the jail is booted again: the next command has the jail up, with another warden."""
    do, is_up = LIVES["reboot"]
    effects = places_of(do, is_up)["warden"]
    draw, end, run = random.Random(SEED), time.monotonic() + time_of(15), 0
    some = chosen(effects, draw, time_of(15))
    draw.shuffle(some)
    for place in some:
        if time_of(15) and time.monotonic() > end:
            break
        box.fresh_root()
        jail_up()
        first, stalker = box.process1(), Stalker("warden", place)
        do()
        until(lambda s=stalker, f=first: s.has_killed() or has_settled(f, is_up), f"the warden's place {place}")
        _, killed = stalker.end()
        recovers(f"warden,{place}: killed {killed or 'nobody'}")
        run += 1
    print(f"   warden: {len(effects)} places, {len(some)} chosen, {run} run", flush=True)


def recovers(told):
    try:
        until(lambda: box.jail("--recover", timeout=30) == "" and state() == "multi_user" and box.warden(), "the jail is up again")
    except box.Wrong as wrong:
        raise box.Wrong(f"{told}: {wrong}") from None
    box.jail("-qr", "a", timeout=30)
    until(lambda: box.is_gone() and not box.warden(), f"{told}: its end")


def killed_while_rebooting():
    lives("reboot", time_of(20))


def killed_while_halting():
    lives("halt", time_of(12))


def killed_after_a_crash():
    lives("crash", time_of(12))


# --- the commands ---

CONF = f"""a {{ path = {box.ROOT}; init; noconsole; stop.timeout = 2; init.signals = freebsd;
  {specs.ALL_HOOKS}
}}
"""
KILLER = f"{world.WORK}/killer"


def commands(op, seconds):
    """jail -c while rc runs, jail -r and jail -rc, with their workers, stages and the warden (../lives/kill_test.py)."""
    specs.SPECS["init"] = ("a", CONF, False, False)
    rc_of_some_time()
    options = argparse.Namespace(classes=False, seconds=seconds)
    until_when = time.monotonic() + seconds if seconds else 0
    passed, failed = kill_test.campaign("init", op, [], options, random.Random(SEED), until_when)
    if failed or not passed:
        raise box.Wrong(f"{op}: {passed} passed, {failed} failed")


def rc_of_some_time():
    box.rc("n=0; while [ $n -lt 300 ]; do n=$((n+1)); done")


def killed_while_it_starts():
    commands("start", time_of(15))


def killed_while_it_stops():
    commands("stop", time_of(8))


def killed_while_it_restarts():
    commands("restart", time_of(12))


# --- who speaks with process 1 from the host ---

def goes_on(pid, what):
    box.same((state(), box.process1()), ("multi_user", pid), what)


def client_killed():
    """jail --init at each of its places: the jail does not notice."""
    jail_up()
    until(lambda: pids_of("sleep", "1000"), "the daemon")
    pid, base = box.process1(), world.look()
    words = [box.JAIL, "--init", "a", "status"]
    box.same(world.run([KILLER, "list", REPORT, *words])[0], 0)
    places = next(line.split()[2] for line in fp.read(REPORT).splitlines() if line.startswith("0 "))
    draw = random.Random(SEED)
    some = [place for place in range(len(places)) if not time_of(1) or draw.random() < 100 / len(places)]
    for place in some:
        world.run([KILLER, "kill", REPORT, "0", str(place), *words])
        box.same(fp.read(REPORT).startswith("killed 0 "), True, f"place {place}")
        if place % 10 == 0:
            goes_on(pid, f"place {place}")
    goes_on(pid, "after all")
    box.same(world.settle(base), [], "left behind")
    print(f"   jail --init: {len(places)} places, {len(some)} run", flush=True)


def console_killed():
    """A console's reader, while there is output, at each place that it comes to; the next reader finds all as it was."""
    up("console; init.on_crash = restart;")
    box.inside("/bin/sh", "-c", "setsid /bin/sh -c 'while :; do echo tick > /dev/console; sleep 0.01; done' > /dev/null 2>&1 &")
    pid, draw = box.process1(), random.Random(SEED)
    some = sorted(draw.sample(range(300), 40)) if time_of(1) else range(1000)
    for place in some:
        status, err, _ = world.run([KILLER, "kill", REPORT, "0", str(place), box.JAIL, "--console", "a"], timeout=20)
        box.same((status, fp.read(REPORT).startswith("killed 0 ")), (137, True), f"place {place}: {err}")
        if place % 10 == 0:
            goes_on(pid, f"place {place}")
    goes_on(pid, "after all")
    print(f"   jail --console: {len(some)} places run", flush=True)


CASES = [warden_is_replaced, killed_while_rebooting, killed_while_halting, killed_after_a_crash, killed_while_it_starts,
         killed_while_it_stops, killed_while_it_restarts, client_killed, console_killed]
