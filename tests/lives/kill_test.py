#!/usr/bin/env python3
"""Kill a start, a stop and a restart before and after every system call, recover, and compare the host with what it was.

usage: kill_test.py [--seconds N] [--seed N] [--classes] [--only SPEC[,OP[,VICTIM[,PLACE[,RECOVERY]]]]] BINDIR KILLER

For every configuration of specs.py: the command, its workers and stages, and process 1 are killed at their places (killer.cc);
then each of `jail -c` (and -r), `jail -r` and `jail --recover` has to bring the host back to what it was (fingerprint.py).
Victim `init@` is process 1, killed by the host at every place of the command. Places between which nothing happens that another
process can see form a class. Without limits every place is taken with every recovery (KILL_FULL=1 says the same); --classes
takes one place of each class, --seconds ends after that time, having taken places in an order drawn from --seed (by default
the day). How many there are and were run is printed either way. The last line is 'N passed, N failed'; exits 1 if one failed.
"""
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
from specs import HOOKS, PAIRS, SPECS  # noqa: E402

CONF = f"{world.WORK}/conf"
REPORT = f"{world.WORK}/report"
JAIL = ["/mnt/bin/jail", "-f", CONF]
OPS = {"start": "-c", "stop": "-r", "restart": "-rc"}
RECOVERIES = ("-c", "-r", "--recover")
# What no message may look like, whatever happened.
NO_SENTENCE = re.compile(r"\bbug\b|assert|Sanitizer|runtime error|terminate called|Segmentation|core dumped")


class Life:
    """One configuration, and the host without its jail."""

    def __init__(self, name):
        self.name = name
        self.names, conf, self.with_other, self.workers = SPECS[name]
        with open(CONF, "w") as f:
            f.write(conf)
        world.run(["/mnt/bin/jail", "--recover"])
        if self.with_other:
            self.must("-c", "other")
        self.must("-c", self.names)
        self.stop()
        self.before = world.look()
        self.must("-c", self.names)
        self.stop()
        left = world.settle(self.before)
        if left:
            raise Wrong("a start and a stop in peace:\n" + "\n".join(left))

    def must(self, *words):
        status, err, _ = world.run([*JAIL, *words])
        if status != 0:
            raise Wrong(f"jail {' '.join(words)}: status {status}: {err}")

    def stop(self):
        """A jail that ends with its commands is not found; else the stop must succeed."""
        status, err, _ = self.command("-r", self.names)
        if status != 0 and not (status == 1 and "not found" in err):
            raise Wrong(f"jail -r: status {status}: {err}")

    def command(self, *words, killer=()):
        status, err, out = world.run([*killer, *JAIL, *words])
        if status is None:
            raise Wrong(f"jail {' '.join(words)}: no end: {err}")
        wrong = [line for line in err.splitlines() if not line.startswith("jail: ") or NO_SENTENCE.search(line)]
        if wrong or status not in (0, 1, 137, 143):
            raise Wrong(f"jail {' '.join(words)}: status {status}: {err}")
        return status, err, out

    def prepare(self, op):
        if os.path.exists(HOOKS):
            os.unlink(HOOKS)
        if op != "start":
            self.must("-c", self.names)

    def places(self, op):
        """{process: (role, effects)}; retried calls make some runs longer, so the longest of a few counts."""
        found = {}
        for _ in range(3):
            self.prepare(op)
            self.command(OPS[op], self.names, killer=[f"{world.WORK}/killer", "list", REPORT])
            for line in fp.read(REPORT).splitlines():
                process, role, *effects = line.split()
                if process == "from":  # process 1 can be killed from here on
                    found["from"] = min(int(role), found.get("from", int(role))) or int(role)
                effects = effects[0] if effects else ""
                if role in ("command", "stage", "init") and len(effects) > len(found.get(process, ("", ""))[1]):
                    found[process] = role, effects
            self.stop()
        return found

    def recover(self, how):
        if how == "-c":
            status, err, _ = self.command("-c", self.names)
            if status != 0 and "already exists" not in err:
                raise Wrong(f"recovery by jail -c: status {status}: {err}")
        if how == "--recover":
            status, err, _ = world.run(["/mnt/bin/jail", "--recover"])
            if status != 0 or NO_SENTENCE.search(err):
                raise Wrong(f"jail --recover: status {status}: {err}")
            # What was whole already, or whose command still lives, is not for it: such a jail is stopped.
            _, _, jids = world.run(["/mnt/bin/jls", "-d", "name"])
            if not set(jids.split()) - {"other"}:
                return
        self.stop()

    def check_hooks(self, init_killed):
        ran = fp.read(HOOKS).split()
        for first, second in PAIRS:
            needs_process1 = second == "prestop"
            if first in ran and second not in ran and f"exec.{second}" in fp.read(CONF) and not (needs_process1 and init_killed):
                raise Wrong(f"exec.{first} ran and exec.{second} did not: {' '.join(ran)}")
        if "release" in ran and ran[-1] != "release":
            raise Wrong(f"exec.release is not the last: {' '.join(ran)}")

    def live(self, op, victim, place, how):
        """One life, cut short. Yields whether the place was reached."""
        self.prepare(op)
        mode, process = ("init", "0") if victim == "init@" else ("kill", victim)
        status, err, _ = self.command(OPS[op], self.names, killer=[f"{world.WORK}/killer", mode, REPORT, process, str(place)])
        told = fp.read(REPORT).strip()
        if not told.startswith("killed") and not told.startswith("not reached"):
            raise Wrong(f"killer: {told}")
        reached = told.startswith("killed")
        try:
            # A start that failed because of a stage has undone itself; its own death nobody can undo.
            if reached and op == "start" and status == 1 and not self.workers:
                left = world.settle(self.before)
                if left:
                    raise Wrong(f"the failed start left\n{err}" + "\n".join(left))
            self.recover(how)
            if "signal 9" in err:  # a hook was it that died: what it should have ended goes on, as on FreeBSD
                world.end_daemons()
                world.run(["/mnt/bin/jail", "--recover"])
            left = world.settle(self.before)
            if left:
                raise Wrong("left:\n" + "\n".join(left))
            if "signal 9" not in err:  # else a hook was it that died, and was not done again
                self.check_hooks(victim.endswith("i") or mode == "init")
        except Wrong as wrong:
            raise Wrong(f"{told}; then status {status} {err.strip()!r}\n{wrong}") from None
        return reached


def classes_of(effects):
    """Lists of places: a new one begins after each place with an effect."""
    found = [[]]
    for place, kind in enumerate(effects):
        found[-1].append(place)
        if kind == "+":
            found.append([])
    return [one for one in found if one]


def items_of(life, op, rest, o, draw):
    """[(victim, place, recovery)] to run, how many places, how many classes."""
    found = life.places(op)
    begin = found.pop("from", 0)
    places = {process: effects for process, (_, effects) in found.items()}
    places["init@"] = places.get("0", "") if begin else ""
    items, count, classes = [], 0, 0
    for victim, effects in sorted(places.items()):
        if rest[:1] and rest[0] != victim:
            continue
        count += len(effects) - (begin if victim == "init@" else 0)
        for one in classes_of(effects):
            one = [place for place in one if victim != "init@" or place >= begin]
            classes += bool(one)
            if not one:
                continue
            chosen = [draw.choice(one)] if o.classes or o.seconds else one
            items += [(victim, place, how) for place in chosen for how in RECOVERIES]
    if rest[1:2]:
        items = [i for i in items if i[1] == int(rest[1])] or [(rest[0], int(rest[1]), how) for how in RECOVERIES]
    if rest[2:3]:
        items = [i for i in items if i[2] == rest[2]]
    draw.shuffle(items)
    return items, count, classes


def campaign(spec, op, rest, o, draw, until):
    """Runs what there is of one operation; yields (passed, failed)."""
    life = Life(spec)
    items, places, classes = items_of(life, op, rest, o, draw)
    run = missed = failed = 0
    for victim, place, how in items:
        if until and time.monotonic() > until:
            break
        try:
            run += 1
            missed += not life.live(op, victim, place, how)
        except Wrong as wrong:
            failed += 1
            print(f"FAILED {life.name},{op},{victim},{place},{how}: {wrong}", flush=True)
            world.scrub()
            try:
                life = Life(life.name)
            except Wrong as hopeless:
                print(f"FAILED {life.name}: {hopeless}", flush=True)
                break
    print(f"{life.name} {op}: {places} places in {classes} classes, {len(items)} runs of them chosen, {run} run "
          f"({missed} did not come to their place), {failed} failed", flush=True)
    return run - failed, failed


def main():
    o = campaigns.options(__doc__, "--classes")
    return campaigns.run_all(o, [(s, p) for s in SPECS for p in OPS], campaign)


if __name__ == "__main__":
    sys.exit(main())
