#!/usr/bin/env python3
"""Many commands at once, and commands that are interrupted. usage: together_test.py BINDIR [CASE...]"""
import os
import random
import signal
import time

from harness import (CONF, JAIL, JEXEC, ROOT, WORK, Wrong, as_before, begin, command, configure, end, expect, good, jail, names, run,
                     start_many, wait_for, world)

HOOKS = f"{WORK}/hooks"
ONE = f"""j {{ path = {ROOT}; persist; mount.devfs; mount.procfs; exec.prestart = "echo prestart >> {HOOKS}";
  exec.poststop = "echo poststop >> {HOOKS}"; exec.start = "sleep 0.01"; exec.stop = "true"; stop.timeout = 2; MORE }}\n"""
EXISTS, NOT_FOUND = 'jail: "j" already exists\n', 'jail: "j" not found\n'


def one(more=""):
    return ONE.replace("MORE", more)


def hooks():
    """How often the two hooks ran since the last question."""
    with open(HOOKS, encoding="utf-8") as f:
        ran = f.read().split()
    os.unlink(HOOKS)
    return ran.count("prestart"), ran.count("poststop")


def two_starts():
    """One makes the jail, the other waits for it and says that it exists."""
    for _ in range(10):
        configure(one())
        done = start_many([[JAIL, "-f", CONF, "-c", "j"]] * 2)
        expect(sorted(d.status for d in done) == [0, 1], *done)
        expect([d.err for d in sorted(done, key=lambda d: d.status)] == ["", EXISTS], *done)
        good("-r", "j")
        expect(hooks() == (1, 1), "hooks did not run once")


def two_stops():
    """One stops the jail, the other waits for that, or comes too late."""
    for _ in range(10):
        configure(one())
        good("-c")
        done = start_many([[JAIL, "-f", CONF, "-r", "j"]] * 2)
        expect(any(d.status == 0 for d in done), *done)
        expect(all(d.err in ("", NOT_FOUND) and (d.status == 1) == (d.err == NOT_FOUND) for d in done), *done)
        expect(not names("-d") and hooks() == (1, 1), *done)


def start_and_stop():
    """Whoever wins, what is left is a jail or nothing."""
    undone = 0
    for i in range(20):
        configure(one())
        first = begin(JAIL, "-f", CONF, "-c", "j")
        time.sleep(random.uniform(0, 0.05))
        stopped = jail("-r", "j")
        started = end(first)
        expect(stopped.status == 0 or stopped.err == NOT_FOUND, stopped, started)
        undone += started.status == 143
        # A start that was asked to give up says no more than the commands that it cut off.
        expect(started.status in (0, 143), started, stopped)
        expect(names("-d") == (["j"] if stopped.status != 0 else names()), started, stopped)
        jail("-r", "j")
        if os.path.exists(HOOKS):
            ran = hooks()
            # A hook that was cut off before its first word has its partner all the same.
            expect(ran[0] <= ran[1] <= 1, f"{i}: {ran[0]} prestart and {ran[1]} poststop", started, stopped)
    return f"{undone} starts were undone"


def many(count, more=""):
    return "".join(f"j{i} {{ path = /mnt/r{i % 4 + 1}; persist; mount.devfs; host.hostname = j{i}; {more} }}\n" for i in range(count))


def fifty():
    """50 commands start 50 jails, look at them, and stop them."""
    configure(many(50))
    for done in start_many([[JAIL, "-f", CONF, "-c", f"j{i}"] for i in range(50)]):
        expect(done.status == 0 and not done.err, done)
    expect(sorted(names()) == sorted(f"j{i}" for i in range(50)), names())
    for i, done in enumerate(start_many([[JEXEC, f"j{i}", "/bin/uname", "-n"] for i in range(50)])):
        expect(done.status == 0 and done.out == f"j{i}\n", done)
    for done in start_many([[JAIL, "-f", CONF, "-rc" if i % 2 else "-m", f"j{i}"] for i in range(50)]):
        expect(done.status == 0 and not done.err, done)
    jids = command("/mnt/bin/jls", "jid").out.split()
    expect(len(set(jids)) == 50, jids)
    for done in start_many([[JAIL, "-f", CONF, "-r", f"j{i}"] for i in range(50)]):
        expect(done.status == 0 and not done.err, done)


def one_command():
    """One command starts 50 jails with dependencies, and one stops them."""
    configure("".join(f"j{i} {{ path = /mnt/r{i % 4 + 1}; persist; {f'depend = j{i // 2};' if i else ''} exec.start = true; }}\n"
                      for i in range(50)))
    good("-c")
    expect(len(names()) == 50, names())
    good("-r", "*")


def stop_all_during_a_start():
    """Of those that were starting none is left half-way; those that came later are whole."""
    for pause in (0.0, 0.05, 0.15, 0.3):
        configure(many(30, "exec.start = 'sleep 0.05';"))
        starting = begin(JAIL, "-f", CONF, "-c")
        time.sleep(pause)
        stopped = jail("-r", "*")
        expect(stopped.status == 0, stopped)
        started = end(starting)
        expect(started.status in (0, 1, 143), started)
        expect(sorted(names()) == sorted(names("-d")), "some are half-way", names("-d"), started, stopped)
        good("-r", "*")
        expect(not names("-d"), names("-d"))


def stop_of_a_hanging_start():
    """A jail whose exec.start hangs, or whose prestart does, is stopped all the same."""
    for phase in ("exec.start", "exec.prestart", "exec.poststart", "exec.prepare", "exec.created"):
        for what in ("sleep 1000", "trap '' TERM INT HUP; while :; do sleep 1; done"):
            place = f"{ROOT}/tmp/hangs"
            configure(one(f"{phase} = \"echo > {'/tmp/hangs' if phase == 'exec.start' else place}; {what}\";"))
            starting = begin(JAIL, "-f", CONF, "-c")
            wait_for(lambda place=place: os.path.exists(place), f"{phase} to begin")
            stopped = jail("-r", "j", timeout=50)
            expect(stopped.status == 0 and stopped.seconds < 40, phase, stopped)
            started = end(starting)
            expect(started.status in (143, -9), phase, started)
            expect(not names("-d"), phase, names("-d"))
            os.unlink(place)
            if os.path.exists(HOOKS):
                hooks()


def signals():
    """INT, TERM and HUP at random moments of a start: it is undone, or it was over."""
    configure(one())
    begun = time.monotonic()
    good("-c")
    length = time.monotonic() - begun
    good("-r", "j")
    hooks()
    before = world.look()
    limit = time.monotonic() + 8
    count = undone = 0
    while time.monotonic() < limit and count < 300:
        count += 1
        number = random.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        moment = random.uniform(0, length * 1.3)
        starting = begin(JAIL, "-f", CONF, "-c")
        time.sleep(moment)
        starting[0].send_signal(number)
        if random.random() < 0.3:
            starting[0].send_signal(number)
        started = end(starting)
        about = f"run {count}, {number.name} after {moment * 1000:.1f} ms"
        # Before it listens the signal ends it as any program.
        expect(started.status in (0, 128 + number, -number), about, started)
        if started.status == 0:
            good("-r", "j")
        elif started.status > 0:
            undone += 1
        expect(not names("-d"), about, started, names("-d"))
        if os.path.exists(HOOKS):
            ran = hooks()
            expect(ran[0] <= ran[1] <= 1, about, ran, started)
        if count % 10 == 0:
            as_before(before)
    expect(undone > 3, f"only {undone} of {count} starts were interrupted")
    return f"{count} signals, {undone} starts undone"


def signals_to_many():
    """The same to a command that starts 12 jails."""
    configure(many(12, "exec.start = 'sleep 0.02';"))
    length = good("-c").seconds
    good("-r", "*")
    undone = 0
    for i in range(12):
        number = random.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        starting = begin(JAIL, "-f", CONF, "-c")
        time.sleep(random.uniform(0, length))
        starting[0].send_signal(number)
        started = end(starting)
        expect(started.status in (0, 128 + number, -number), number.name, started)
        undone += started.status > 0
        expect(sorted(names()) == sorted(names("-d")), f"run {i}: some are half-way", names("-d"), started)
        good("-r", "*")
        expect(not names("-d"), names("-d"))
    return f"{undone} of 12 were interrupted"


def signals_to_a_stop():
    """A stop is not interrupted half-way: it goes on, or the next one finishes it."""
    configure(one())
    for _ in range(15):
        number = random.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        good("-c")
        stopping = begin(JAIL, "-f", CONF, "-r", "j")
        time.sleep(random.uniform(0, 0.06))
        stopping[0].send_signal(number)
        stopped = end(stopping)
        expect(stopped.status in (0, 128 + number, -number), number.name, stopped)
        again = jail("-r", "j")
        expect(again.status == 0 or again.err == NOT_FOUND, stopped, again)
        expect(not names("-d"), stopped, again)
    hooks()


CASES = (two_starts, two_stops, start_and_stop, fifty, one_command, stop_all_during_a_start, stop_of_a_hanging_start, signals,
         signals_to_many, signals_to_a_stop)

if __name__ == "__main__":
    run(CASES)
