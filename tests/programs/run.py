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
import fingerprint as fp  # noqa: E402
import world  # noqa: E402

fp.COUNTERS["jail.log"] = lambda text: ""  # what wardens have said stays


def run_case(program, case, before):
    wrong = ""
    roots.lay(program)
    try:
        case(program)
    except (box.Wrong, OSError, IndexError) as error:
        shown = world.run(["timeout", "1", box.JAIL, "--console=read", "a"])[2]
        wrong = f"{error}\n   host: {fp.read(f'{world.LOG}/jail.log')[-400:]}\n   console: {shown[-2000:]}"
    box.Terminal.close_all()
    world.run([box.JAIL, "-f", box.CONF, "-qR", "*"])
    host.take_away()
    left = world.settle(before)
    return wrong + ("left behind:\n   " + "\n   ".join(left) if left else "")


def first_look():
    """The host as a registry leaves it that has had a jail with another process 1."""
    roots.lay(roots.PROGRAMS[0])
    box.up("init.program = /sbin/init; console;")
    box.jail("-qR", "a")
    box.until(lambda: not box.warden(), "the warden's end", life.BOOT)
    box.until(lambda: not any("--ended" in fp.read(f"/proc/{pid}/cmdline") for pid in fp.pids()), "the engine's end", life.BOOT)
    return world.look()


def make_layers(cache):
    try:
        layers.make(cache)
    except layers.tree.NoTrees as error:
        print(f"no Debian trees: {error}")
        sys.exit(77)


def main():
    words = sys.argv[1:]
    verbose = "-v" in words
    words = [word for word in words if word != "-v"]
    if len(words) < 3 or words[0] not in ("--cache", "--trees"):
        sys.exit(__doc__)
    cache, bindir, names = words[1], words[2], words[3:]
    if words[0] == "--cache" and not os.environ.get("LIVES_INSIDE"):
        make_layers(cache)
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
