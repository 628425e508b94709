#!/usr/bin/env python3
"""Debian trees as jails with `init;`: one with sysv-rc, one with OpenRC, each with cron, sshd and nginx.

usage: run.py [-v] --cache DIRECTORY BINDIR [CASE...]

The trees are made by debootstrap into DIRECTORY where they are not there yet (tree.py); where nothing can be fetched the test is
skipped (77). Runs in a world of its own (lives/world.py); after each case the host must be as before it (lives/fingerprint.py). The
last line is 'N passed, N failed'; exits 1 if one failed.
"""
import os
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import host  # noqa: E402
import lives  # noqa: E402
import asked  # noqa: E402
import tree  # noqa: E402
import box  # noqa: E402
import fingerprint as fp  # noqa: E402
import world  # noqa: E402

# What wardens have said stays.
fp.COUNTERS["jail.log"] = lambda text: ""


def run_case(name, case, before):
    host.lay(name)
    wrong = ""
    try:
        case()
    except (box.Wrong, OSError, IndexError) as error:
        wrong = f"{error}\n   init: {box.messages()!r}\n   host: {fp.read(f'{world.LOG}/jail.log')[-400:]}"
    world.run([box.JAIL, "-f", box.CONF, "-qr", "*"])
    host.take_away()
    left = world.settle(before)
    wrong += "left behind:\n   " + "\n   ".join(left) if left else ""
    if wrong:
        world.scrub()
    return wrong


def first_look(name):
    """The host as a registry leaves it that has had a jail with an init."""
    host.lay(name)
    box.up("init.rc = none; init.shutdown = none;" + host.SETTINGS)
    box.jail("-qr", "a")
    box.until(lambda: not box.warden(), "the warden's end")
    box.until(lambda: not any("--ended" in fp.read(f"/proc/{pid}/cmdline") for pid in fp.pids()), "the engine's end")
    host.take_away()
    return world.look()


def make_trees(cache):
    try:
        tree.make(cache)
    except tree.NoTrees as error:
        print(f"no Debian trees: {error}")
        sys.exit(77)


def main():
    words = sys.argv[1:]
    verbose = "-v" in words
    words = [word for word in words if word != "-v"]
    if len(words) < 3 or words[0] != "--cache":
        sys.exit(__doc__)
    cache, bindir, names = words[1], words[2], words[3:]
    if not os.environ.get("LIVES_INSIDE"):
        make_trees(cache)
    world.enter(bindir)
    show_trees = host.keep_trees(cache)
    world.build()
    show_trees()
    world.root_has_sh()
    before = first_look("sysv-rc")
    passed = failed = 0
    for name, case in lives.CASES + asked.CASES:
        title = f"{name}.{case.__name__}"
        if names and title not in names and name not in names and case.__name__ not in names:
            continue
        began = time.monotonic()
        wrong = run_case(name, case, before)
        passed, failed = passed + (not wrong), failed + bool(wrong)
        if wrong:
            print(f"FAILED {title}: {wrong}", flush=True)
            before = first_look("sysv-rc")
        elif verbose:
            print(f"{title}: {time.monotonic() - began:.1f} s", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
