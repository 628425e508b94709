"""What the tests of this directory that go through every life have in common: the order, the time they have, and the count."""
import argparse
import os
import random
import time

import fingerprint as fp
import world
from specs import SPECS


class Wrong(Exception):
    """A life did not end as it should have."""


def options(usage, *flags):
    """The command line, in a world that is built; `only` is SPEC, OP and the rest."""
    a = argparse.ArgumentParser(usage=usage)
    a.add_argument("--seconds", type=float, default=0)
    a.add_argument("--seed", type=int, default=int(time.time() // 86400))
    a.add_argument("--only", default="")
    for flag in flags:
        a.add_argument(flag, action="store_true")
    a.add_argument("bindir")
    a.add_argument("killer")
    o = a.parse_args()
    if os.environ.get("KILL_FULL"):
        o.seconds, o.classes = 0, False
    spec, op, *rest = (o.only.split(",") + ["", ""])[:2] + o.only.split(",")[2:]
    o.only = spec, op, rest
    world.enter(o.bindir, o.killer)
    world.build()
    return o


def check_leaks(begin, runs):
    """What cannot be told apart from what others do: only growth with every run is a leak."""
    end = fp.whole_host()
    failed = 0
    for what, count in begin.items():
        grown = end[what] - count > 300 + runs / 2 if isinstance(count, int) else what == "nft ruleset" and end[what] != count
        if grown:
            failed += 1
            print(f"FAILED {what}: {count} before, {end[what]} after {runs} runs")
    print("whole host: " + ", ".join(f"{what} {count} -> {end[what]}" for what, count in begin.items() if isinstance(count, int)))
    return failed


def run_all(o, todo, campaign):
    """Runs campaign(SPEC, OP, rest, o, draw, until), which says how many passed and failed, for each of `todo` that is asked for."""
    wanted, way, rest = o.only
    todo = [(s, p) for s, p in todo if wanted in ("", s) and way in ("", p)]
    draw = random.Random(o.seed)
    print(f"seed {o.seed}", flush=True)
    began, begin = time.monotonic(), fp.whole_host()
    passed = failed = 0
    for number, (spec, op) in enumerate(todo):
        left = o.seconds - (time.monotonic() - began)
        until = time.monotonic() + left / (len(todo) - number) if o.seconds else 0
        try:
            good, bad = campaign(spec, op, rest, o, draw, until)
        except Wrong as wrong:
            print(f"FAILED {spec} {op}: {wrong}", flush=True)
            good, bad = 0, 1
        if bad or SPECS[spec][2]:
            world.scrub()
        passed, failed = passed + good, failed + bad
    failed += check_leaks(begin, passed + failed)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
