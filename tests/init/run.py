#!/usr/bin/env python3
"""Jails with `init;` on the real kernel: rc, sessions, going down, rebooting, and what is killed in between.

usage: run.py [-v] BINDIR [CASE...]

The cases are those of the table of states and signals of the specification (N18.2: I1 to I50), and of what a jail's init must
withstand. Runs in a world of its own (lives/world.py); after each case the host must be as before it (lives/fingerprint.py), but for the jail's root.
`known` beside this lists the cases of the table that are not here, with the reason. The last line is 'N passed, N failed'; exits 1 if
one failed, or if a case of the table is neither here nor there.
"""
import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import box  # noqa: E402
import ends  # noqa: E402
import services  # noqa: E402
import sessions  # noqa: E402
import starts  # noqa: E402
import wardens  # noqa: E402
import world  # noqa: E402
import fingerprint as fp  # noqa: E402

CASES = starts.CASES + sessions.CASES + services.CASES + ends.CASES + wardens.CASES


def first_look():
    box.fresh_root()
    return box.first_look()


def table_is_whole():
    """Every case of the table is a test, or has its reason."""
    tests = {number for case in CASES for number in re.findall(r"(?:^|_)i(\d+)(?=_)", case.__name__)}
    reasons = dict(line.split(None, 1) for line in fp.read(f"{HERE}/known").splitlines() if line and not line.startswith("#"))
    wrong = [f"I{n}" for n in range(1, 51) if (str(n) in tests) == (f"I{n}" in reasons)]
    if wrong:
        print(f"FAILED table: neither or both, a test and a reason: {' '.join(wrong)}")
    return not wrong


def main():
    verbose = "-v" in sys.argv
    bindir, *names = [word for word in sys.argv[1:] if word != "-v"] or sys.exit(__doc__)
    world.enter(bindir)
    world.build()
    world.root_has_sh()
    cases = {case.__name__: case for case in CASES if not names or case.__name__ in names}
    return world.run_cases(cases, box.run_case, first_look, verbose, failed=0 if table_is_whole() else 1)


if __name__ == "__main__":
    sys.exit(main())
