#!/usr/bin/env python3
"""Debian trees as jails with `init;`: one with sysv-rc, one with OpenRC, each with cron, sshd and nginx.

usage: run.py [-v] --cache DIRECTORY BINDIR [CASE...]

The trees are made by debootstrap into DIRECTORY where they are not there yet (tree.py); where nothing can be fetched the test is
skipped (77). Runs in a world of its own (lives/world.py); after each case the host must be as before it (lives/fingerprint.py). The
last line is 'N passed, N failed'; exits 1 if one failed.
"""
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import host  # noqa: E402
import lives  # noqa: E402
import asked  # noqa: E402
import tree  # noqa: E402
import box  # noqa: E402
import world  # noqa: E402


def run_case(name, case, before):
    return box.run_case(case, before, lambda: host.lay(name), host.take_away)


def first_look():
    host.lay("sysv-rc")
    return box.first_look("init.rc = none; init.shutdown = none;" + host.SETTINGS, host.take_away)


def main():
    words = sys.argv[1:]
    verbose = "-v" in words
    words = [word for word in words if word != "-v"]
    if len(words) < 3 or words[0] != "--cache":
        sys.exit(__doc__)
    cache, bindir, names = words[1], words[2], words[3:]
    if not os.environ.get("LIVES_INSIDE"):
        tree.make_or_skip(tree.make, cache)
    world.enter(bindir)
    show_trees = host.keep_trees(cache)
    world.build()
    show_trees()
    world.root_has_sh()
    cases = {f"{name}.{case.__name__}": (name, case) for name, case in lives.CASES + asked.CASES}
    chosen = {title: case for title, case in cases.items() if not names or {title, *title.split(".")} & set(names)}
    return world.run_cases(chosen, lambda case, before: run_case(*case, before), first_look, verbose)


if __name__ == "__main__":
    sys.exit(main())
