#!/usr/bin/env python3
"""What a jail's init must withstand, on the real kernel: killed at every call, no memory, no process, orphans, enemies on both sides.

usage: ordeal.py [-v] BINDIR TOOLS [CASE...]

TOOLS is the directory of lives_killer, ordeal_stalker and ordeal_storm. Runs in a world of its own (lives/world.py), with the
boxes of tests/init; after each case the host must be as before it (lives/fingerprint.py), but for the jail's root. The last line
is 'N passed, N failed'; exits 1 if one failed.
"""
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
INIT = f"{os.path.dirname(HERE)}/init"
sys.path.insert(0, INIT)
import box  # noqa: E402  it knows where the others are
import world  # noqa: E402
sys.path.insert(0, INIT)  # whose run.py is meant
from run import first_look  # noqa: E402
import callers  # noqa: E402
import crowds  # noqa: E402
import files  # noqa: E402
import hunger  # noqa: E402
import kills  # noqa: E402
import liars  # noqa: E402

CASES = files.CASES + callers.CASES + hunger.CASES + crowds.CASES + liars.CASES + kills.CASES
TOOLS = {"lives_killer": "killer", "ordeal_stalker": "stalker", "ordeal_storm": "storm"}


def build(directory):
    """The world, and the tools in it: where they are may be hidden inside."""
    programs = {}
    for name, short in TOOLS.items():
        with open(f"{directory}/{name}", "rb") as f:
            programs[short] = f.read()
    world.build()
    for name, program in programs.items():
        with open(f"{world.WORK}/{name}", "wb") as f:
            f.write(program)
        os.chmod(f"{world.WORK}/{name}", 0o755)
    world.root_has_sh()


def main():
    verbose = "-v" in sys.argv
    words = [word for word in sys.argv[1:] if word != "-v"]
    if len(words) < 2:
        sys.exit(__doc__)
    world.enter(words[0])
    build(words[1])
    cases = {case.__name__: case for case in CASES if not words[2:] or case.__name__ in words[2:]}
    return world.run_cases(cases, box.run_case, first_look, verbose)


if __name__ == "__main__":
    sys.exit(main())
