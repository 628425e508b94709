#!/usr/bin/env python3
"""Service directories under s6-svscan, runsvdir and `jinit --services`, side by side, with the distribution's own tools.

usage: run.py [-v] BINDIR [CASE...]

A case is one function: it lays out directories, begins the supervisor and drives it. What its scripts have written and what the
tools have said has to be the same on both sides. The last line is 'N passed, N failed'; exits 1 if one failed, 77 without s6 or runit.
"""
import concurrent.futures
import os
import shutil
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import of_ours  # noqa: E402
import of_runit  # noqa: E402
import of_s6  # noqa: E402
from sides import Side, Wrong  # noqa: E402


def run_side(case, command):
    """(its record, what went wrong)"""
    side = Side(command)
    try:
        case(side)
        return side.record(), ""
    except (Wrong, OSError, ValueError) as error:
        return None, f"{command[0]}: {error}"
    finally:
        side.end()


def run_case(case, commands):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ends = list(pool.map(lambda command: run_side(case, command), commands))
    wrong = [text for _, text in ends if text]
    if not wrong and any(record != ends[0][0] for record, _ in ends):
        wrong = [f"{command[0]} {record}" for command, (record, _) in zip(commands, ends)]
    return "\n   ".join(wrong)


def main():
    verbose = "-v" in sys.argv
    bindir, *names = [word for word in sys.argv[1:] if word != "-v"] or sys.exit(__doc__)
    if not shutil.which("s6-svscan") or not shutil.which("runsvdir"):
        print("s6 or runit is missing")
        return 77
    ours = [f"{os.path.abspath(bindir)}/jinit", "--services"]
    cases = [(case, [["s6-svscan"], ours]) for case in of_s6.CASES] + [(case, [["runsvdir"], ours]) for case in of_runit.CASES]
    passed = failed = 0
    for case, commands in cases + [(case, [ours]) for case in of_ours.CASES]:
        if names and case.__name__ not in names:
            continue
        began = time.monotonic()
        wrong = run_case(case, commands)
        passed, failed = passed + (not wrong), failed + bool(wrong)
        if wrong or verbose:
            print(f"{'FAILED ' * bool(wrong)}{case.__name__}: {wrong or f'{time.monotonic() - began:.1f} s'}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
