#!/usr/bin/env python3
"""Other programs than jinit as process 1 of a jail (init.program): busybox, sysvinit, openrc-init, runit, s6, systemd.

usage: run.py [-v] --cache|--trees DIRECTORY BINDIR [CASE...]

Their trees are in DIRECTORY; with --cache they are made where they are not there yet (tests/trees, layers.py), and where nothing can be
fetched the test is skipped (77). Runs in a world of its own (lives/world.py); after each case the host must be as before it (lives/fingerprint.py). A case
is PROGRAM.CASE, or either. The last line is 'N passed, N failed'; exits 1 if one failed.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import layers  # noqa: E402
import roots  # noqa: E402
import life  # noqa: E402
import host  # noqa: E402
import box  # noqa: E402
import world  # noqa: E402


def run_case(program, case, before):
    return box.run_case(lambda: case(program), before, lambda: roots.lay(program), host.take_away)


def first_look():
    roots.lay(roots.PROGRAMS[0])
    return box.first_look("init.program = /sbin/init; console; init.shutdown_timeout = 2;", host.take_away)


def main():
    words = sys.argv[1:]
    verbose = "-v" in words
    words = [word for word in words if word != "-v"]
    if len(words) < 3 or words[0] not in ("--cache", "--trees"):
        sys.exit(__doc__)
    cache, bindir, names = words[1], words[2], words[3:]
    if words[0] == "--cache" and not os.environ.get("LIVES_INSIDE"):
        layers.tree.make_or_skip(layers.make, cache)
    world.enter(bindir)
    show_trees = host.keep_trees(cache)
    world.build()
    show_trees()
    world.root_has_sh()
    cases = {f"{program.name}.{case.__name__}": (program, case) for program in roots.PROGRAMS for case in life.CASES}
    chosen = {name: case for name, case in cases.items() if not names or {name, *name.split(".")} & set(names)}
    return world.run_cases(chosen, lambda case, before: run_case(*case, before), first_look, verbose)


if __name__ == "__main__":
    sys.exit(main())
