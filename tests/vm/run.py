#!/usr/bin/env python3
"""Tests in machines of QEMU, under Debian's own kernel with nothing but cgroup v2.

usage: run.py [--rounds N] [--seed N] [--only SUITE] BUILD BINDIR SCRATCH

Suites: `host` is guest/host on a machine that is all ours; `power` cuts the power of machines that start and stop jails;
`sysv` and `systemd` boot and shut down machines with jails. Prints each test, and 'N passed, N failed' last.
"""
import argparse
import os
import random
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import image  # noqa: E402
from disk import Disk, History  # noqa: E402
from machine import Machine  # noqa: E402

DISK_SIZE = 16 << 20
CUTS = 20  # of each history of a disk
NAMES = "abc"


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def test(self, sentence, problems):
        if problems:
            self.failed += 1
            print(f"not ok {sentence}")
            for line in problems:
                print(f"   {line}"[:2000])
        else:
            self.passed += 1
            print(f"ok {sentence}")
        sys.stdout.flush()


class Place:
    """What every suite needs: the kernel, the tree of files, where to work."""

    def __init__(self, build, programs, scratch):
        self.build, self.programs, self.scratch = build, programs, scratch
        self.kernel = image.fetch_kernel(f"{scratch}/kernel")
        self.initrd = f"{scratch}/initrd"
        self.tree().write(self.initrd)

    def tree(self):
        return image.basic(self.kernel, self.programs)

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


def live(place, base, seed, chance):
    """A machine that starts and stops jails until it is cut. The history of its disk."""
    history = History()
    disk = Disk("disk", DISK_SIZE, f"{place.scratch}/disk.sock", history, base)
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


def power(place, tally, rounds, seed):
    base = place.file_system()
    cuts = lost = 0
    for number in range(rounds):
        own = seed + number
        chance = random.Random(own)
        disk, problems = live(place, base, own, chance)
        tally.test(f"power: round {number + 1} (seed {own}): jails start and stop until the power is cut", problems)
        if not disk:
            continue
        where = moments(disk.history, chance, CUTS)
        names = []
        for n, (moment, data) in enumerate([(None, base)] + [(m, disk.image(m, own * 1000 + m)) for m in where]):
            names.append(f"{place.scratch}/cut.{n}")
            with open(names[-1], "wb") as f:
                f.write(data)
        problems = {n: ["was not looked at"] for n in range(len(where) + 1)}
        ran = {n: set() for n in problems}
        at = 0
        with place.machine("recover", names) as machine:
            for line in machine.read("machine:", 400):
                if line is None or line.startswith("machine:"):
                    break
                if line.startswith("disk "):
                    at = int(line[5:])
                    problems[at] = []
                elif line.startswith("ran release "):
                    ran[at].add(line.split()[2])
                elif not line.startswith("ran "):
                    problems[at] += [line] if line != "no more disks" else []
        for n, moment in enumerate([0] + where):
            todo = needed(disk.history, moment) if n else set()
            lost += len(todo)
            if todo - ran[n]:
                problems[n].append(f"exec.prepare had begun and exec.release did not run: {' '.join(sorted(todo - ran[n]))}")
            what = f"cut at write {moment} of {len(disk.history)}" if n else "a new disk"
            tally.test(f"power: round {number + 1} (seed {own}): {what}: {len(todo)} half done, all undone", problems[n])
            if not problems[n]:
                os.unlink(names[n])
        cuts += len(where)
    print(f"power: {cuts} cuts, in which {lost} jails had begun and not ended; {rounds} machines; seed {seed}")


# --- the whole ---

def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--only", default="")
    parser.add_argument("build")
    parser.add_argument("programs")
    parser.add_argument("scratch")
    words = parser.parse_args()
    place = Place(words.build, os.path.abspath(words.programs), os.path.abspath(words.scratch))
    seed = words.seed if words.seed is not None else int(time.strftime("%y%m%d")) * 100
    tally = Tally()
    suites = {"power": lambda: power(place, tally, words.rounds, seed)}
    for name, suite in suites.items():
        if words.only in ("", name):
            begun = time.monotonic()
            suite()
            print(f"{name}: {time.monotonic() - begun:.0f} s\n")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
