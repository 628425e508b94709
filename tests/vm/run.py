#!/usr/bin/env python3
"""Tests in machines of QEMU, under Debian's own kernel with nothing but cgroup v2.

usage: run.py [--rounds N] [--cuts N] [--seconds N] [--seed N] [--only SUITE,...] [--kernel-test PROGRAM] [--storm PROGRAM] INSTALLED SCRATCH

Suites: `host` is guest/host on a machine that is all ours; `kernel` runs the program of tests/kernel there; `power` cuts the power of machines that start and stop jails;
`sysv` and `systemd` boot and shut down machines with jails; `programs` runs jails whose process 1 is systemd or busybox; `hunger` takes memory
and processes from jails. Prints each test, and 'N passed, N failed' last.
"""
import argparse
import os
import random
import re
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, f"{os.path.dirname(HERE)}/programs"]
import image  # noqa: E402
import layers  # noqa: E402
from disk import Disk, History  # noqa: E402
from machine import Machine  # noqa: E402

DISK_SIZE = 16 << 20
NAMES = "abc"


class Tally:
    def __init__(self):
        self.passed, self.failed, self.lock = 0, 0, threading.Lock()

    def test(self, sentence, problems):
        with self.lock:
            self.passed, self.failed = self.passed + (not problems), self.failed + bool(problems)
            print("not ok" if problems else "ok", sentence)
            for line in problems:
                print(f"   {line}"[:2000])
            sys.stdout.flush()


class Place:
    """What every suite needs: the kernel, the tree of files, where to work."""

    def __init__(self, installed, scratch, kernel_test=None):
        self.installed, self.scratch, self.kernel_test = os.path.abspath(installed), os.path.abspath(scratch), kernel_test
        self.kernel = image.fetch_kernel(f"{self.scratch}/kernel")
        self.initrd = f"{self.scratch}/initrd"
        self.tree().write(self.initrd)
        self.disk = self.file_system()

    def tree(self):
        return image.basic(self.kernel, self.installed, self.kernel_test)

    def machine(self, suite, drives=(), **more):
        return Machine(self.kernel, more.pop("initrd", self.initrd), suite, f"{self.scratch}/{suite}.log", drives, **more)

    def file_system(self):
        """The bytes of a new file system with the places that guest/jails uses."""
        name, tree = f"{self.scratch}/new.ext4", f"{self.scratch}/new.tree"
        for path in ("db", "work", *(f"up/{jail}" for jail in NAMES)):
            os.makedirs(f"{tree}/{path}", exist_ok=True)
        with open(name, "wb") as f:
            f.truncate(DISK_SIZE)
        image.output("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-J", "size=4", "-d", tree, name)
        with open(name, "rb") as f:
            return f.read()


def tail(machine, lines=15):
    return ["the machine said last:"] + machine.lines[-lines:] + [f"and its kernel: {machine.log}"]


# --- lives ---

def host(place, tally):
    """The tests of guest/host, as it prints them."""
    sentence, problems = None, []
    with place.machine("host") as machine:
        for line in machine.read("machine:", 300):
            if line is not None and line.startswith("   ") and sentence:
                problems.append(line.strip())
                continue
            if sentence:
                tally.test(f"host: {sentence}", problems)
            found = re.match(r"(not )?ok (.*)", line or "")
            sentence, problems = (found[2], []) if found else (None, [])
        if not machine.lines or machine.lines[-1] != "machine: host: status 0":
            tally.test("host: all was tried", tail(machine))


def kernel(place, tally):
    """Every test of the GoogleTest program, as one of ours."""
    said = []
    with place.machine("kernel") as machine:
        for line in machine.read("machine:", 300):
            found = re.match(r"\[ +(RUN|OK|FAILED|SKIPPED) +\] (\w+\.\w+)( \(|$)", line or "")
            if not found:
                said.append(line or "no end")
            elif found[1] != "RUN" and found[3]:
                tally.test(f"kernel: {found[2]}", [] if found[1] != "FAILED" else said)
            if found:
                said = []
        if machine.lines[-1:] != ["machine: kernel: status 0"]:
            tally.test("kernel: all were run", tail(machine))


def cases(place, tally, suite, seconds, *drives, **more):
    """The cases of a runner of lives/world.py, as it prints them."""
    done = []
    with place.machine(suite, drives, **more) as machine:
        for line in machine.read("machine:", seconds):
            found = re.match(r"(FAILED )?([a-z0-9]+\.[a-z0-9_]+): ", line or "")
            if found:
                done.append(found[2])
                tally.test(f"{suite}: {found[2].removeprefix(f'{suite}.')}", [line, *tail(machine)] if found[1] else [])
        if machine.lines[-1:] != [f"machine: {suite}: status 0"] or not done:
            tally.test(f"{suite}: all were run", tail(machine, 40))


def programs(place, tally):
    """The cases of tests/programs that there are trees for."""
    cache = f"{os.path.dirname(place.scratch)}/trees"  # that of tests/programs
    layers.make(cache, whole=False)
    initrd, tree = f"{place.scratch}/programs.initrd", place.tree()
    image.add_programs(tree, place.installed)
    tree.write(initrd)
    cases(place, tally, "programs", 1200, image.trees_disk(cache, place.scratch), initrd=initrd, memory=1024)


def hunger(place, tally, storm):
    """The cases of guest/hunger."""
    initrd, tree = f"{place.scratch}/hunger.initrd", place.tree()
    image.add_hunger(tree, place.installed, storm)
    tree.write(initrd)
    cases(place, tally, "hunger", 1200, initrd=initrd)


# --- boot and shutdown ---

# What a boot says of the jails that it has started, and a shutdown of those that it has stopped.
UP = {"jails": "x y", "records": "2", "ids": "jail_x.id jail_y.id", "mounts": "2", "processes": "4", "unit": "active"}
DOWN = {"jails": "", "hooks": "y.poststop y.release x.poststop x.release", "records": "0", "ids": "", "mounts": "0", "processes": "0"}


def said(lines, word):
    found = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if colon and key.startswith(f"{word} "):
            found[key.split()[1]] = value.strip()
    return found


def compare(wanted, found, machine):
    wrong = [f"{key}: wanted '{value}', found '{found.get(key)}'" for key, value in wanted.items()
             if found.get(key) not in (value if isinstance(value, tuple) else (value,)) and (key != "unit" or machine.suite == "systemd")]
    return wrong + (tail(machine, 30) if wrong else [])


def boot(place, tally, suite):
    """Three boots on one disk: one that is cut, one that is shut down, and one at which jails are not enabled."""
    disk, initrd = f"{place.scratch}/{suite}.disk", f"{place.scratch}/{suite}.initrd"
    with open(disk, "wb") as f:
        f.write(place.disk)
    tree = place.tree()
    if suite == "systemd":
        image.add_systemd(tree)
    tree.write(initrd)
    with place.machine(suite, [disk], initrd=initrd, more="stay") as machine:
        machine.wait_for("up said")
        tally.test(f"{suite}: a boot starts the jails", compare(dict(UP, hooks="x.prepare y.prepare"), said(machine.lines, "up"), machine))
        machine.cut()
    with place.machine(suite, [disk], initrd=initrd) as machine:
        machine.wait_for("up said")
        # Any order will do: what --recover undoes after a boot does not depend on anything that is still there.
        hooks = "y.release x.release x.prepare y.prepare"
        tally.test(f"{suite}: a boot after a power cut undoes, then starts", compare(dict(UP, hooks=hooks), said(machine.lines, "up"), machine))
        machine.wait_for("down said")
        tally.test(f"{suite}: a shutdown stops them in reverse", compare(DOWN, said(machine.lines, "down"), machine))
        for _ in machine.read(seconds=60):  # it switches itself off
            pass
        tally.test(f"{suite}: and does not keep the machine from going off", tail(machine) if machine.is_on() else [])
    with place.machine(suite, [disk], initrd=initrd, more="disabled") as machine:
        machine.wait_for("up said")
        wanted = dict(DOWN, hooks="", unit=UP["unit"])
        tally.test(f"{suite}: without jail_enable nothing starts", compare(wanted, said(machine.lines, "up"), machine))


# --- power cuts ---

def witnessed(history):
    """[(place, word, jail)]: what hooks told the witness's disk."""
    found = []
    for place, (disk, _, data, _) in enumerate(history.events):
        if disk == "witness" and data is not None:
            for start in range(0, len(data), 4096):
                words = data[start:start + 64].split(b"\n")[0].decode(errors="replace").split()
                if len(words) == 2:
                    found.append((place, *words))
    return found


def moments(history, chance, count):
    """Where to cut: the real end, and places before it; half of these close behind something that a hook did."""
    told = [place for place, _, _ in witnessed(history)] or [0]
    found = {len(history)}
    for number in range(count * 4):
        place = chance.randrange(len(history)) if number % 2 else chance.choice(told) + chance.randrange(1, 12)
        if len(found) < count:
            found.add(min(place, len(history)))
    return sorted(found)


def live(place, seed, chance):
    """A machine that starts and stops jails until it is cut. The history of its disk."""
    history = History()
    disk = Disk("disk", DISK_SIZE, f"{place.scratch}/disk.sock", history, place.disk)
    witness = Disk("witness", 1 << 20, f"{place.scratch}/witness.sock", history)
    with place.machine("power", [disk.drive(), witness.drive()], more=f"seed={seed}") as machine:
        if not machine.wait_for("turn 1"):
            return None, tail(machine)
        time.sleep(chance.uniform(3, 10))
        machine.cut()
    for one in (disk, witness):
        one.close()
    return disk, []


def needed(history, moment):
    """The jails whose exec.prepare had begun and whose exec.release had not ended."""
    last = {jail: word for place, word, jail in witnessed(history) if place < moment}
    return {jail for jail, word in last.items() if word == "prepare"}


def look_at(place, names):
    """Boots, and recovers on every disk. By the disk's number: what was wrong, and for which jails exec.release ran."""
    wrong, ran, at = {n: ["was not looked at"] for n in range(len(names))}, {n: set() for n in range(len(names))}, 0
    with place.machine("recover", names) as machine:
        for line in machine.read("machine:", 400):
            words = (line or "").split()
            if words[:1] == ["disk"]:
                at = int(words[1])
                wrong[at] = []
            elif words[:2] == ["ran", "release"]:
                ran[at].add(words[2])
            elif line is None or words[:1] not in (["ran"], ["machine:"]):
                wrong[at].append(line or "no end")
    return wrong, ran


def one_round(place, tally, seed, count, title):
    """One life of jails, and what is found after it was cut at many moments. (cuts, jails that had begun and not ended)."""
    chance = random.Random(seed)
    disk, problems = live(place, seed, chance)
    tally.test(f"{title}: jails start and stop until the power is cut", problems)
    if not disk:
        return 0, 0
    where, names, lost = moments(disk.history, chance, count), [], 0
    for n, data in enumerate([place.disk] + [disk.image(m, seed * 1000 + m) for m in where]):
        names.append(f"{place.scratch}/cut.{n}")
        with open(names[-1], "wb") as f:
            f.write(data)
    wrong, ran = look_at(place, names)
    tally.test(f"{title}: jails on a new disk", wrong[0])
    for n, moment in enumerate(where, 1):
        todo = needed(disk.history, moment)
        lost += len(todo)
        if todo - ran[n]:
            wrong[n].append(f"exec.prepare had begun and exec.release did not run: {' '.join(sorted(todo - ran[n]))}")
        tally.test(f"{title}: cut at {moment} of {len(disk.history)} writes, {len(todo)} jails half done: all undone", wrong[n])
        if wrong[n]:
            os.replace(names[n], f"{place.scratch}/failed.{seed}.{moment}")
    return len(where), lost


def power(place, tally, words, seed):
    cuts = lost = done = 0
    end = time.monotonic() + words.seconds
    while done < words.rounds and time.monotonic() < end:
        more = one_round(place, tally, seed + done, words.cuts, f"power {seed + done}")
        done, cuts, lost = done + 1, cuts + more[0], lost + more[1]
    print(f"power: {cuts} cuts in {done} lives, with {lost} jails begun and not ended; seed {seed}")


# --- the whole ---

def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--cuts", type=int, default=20, help="of the history of each life")
    parser.add_argument("--seconds", type=float, default=300, help="for power cuts: no round begins after that")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--only", default="")
    parser.add_argument("--kernel-test")
    parser.add_argument("--storm", help="that of tests/ordeal")
    parser.add_argument("installed")
    parser.add_argument("scratch")
    words = parser.parse_args()
    place = Place(words.installed, words.scratch, words.kernel_test)
    seed = words.seed if words.seed is not None else int(time.strftime("%y%m%d")) * 100
    tally = Tally()
    suites = {"power": lambda: power(place, tally, words, seed), "host": lambda: host(place, tally),
              "programs": lambda: programs(place, tally),
              "sysv": lambda: boot(place, tally, "sysv"), "systemd": lambda: boot(place, tally, "systemd")}
    if words.storm:
        suites["hunger"] = lambda: hunger(place, tally, words.storm)
    if words.kernel_test:
        suites["kernel"] = lambda: kernel(place, tally)
    chosen = [name for name in suites if name in (words.only.split(",") if words.only else suites)]

    def lane(names):
        """One suite after another; one that breaks is a test that failed."""
        for name in names:
            begun = time.monotonic()
            try:
                suites[name]()
            except Exception:  # noqa: BLE001: whatever it is, the others go on
                tally.test(f"{name}: the runner", traceback.format_exc().splitlines())
            print(f"{name}: {time.monotonic() - begun:.0f} s")

    # A machine has little use for its second core: two at a time. Power cuts take as long as all the others.
    lanes = [threading.Thread(target=lane, args=(names,)) for names in
             ([name for name in chosen if name == "power"], [name for name in chosen if name != "power"])]
    for each in lanes:
        each.start()
    for each in lanes:
        each.join()
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
