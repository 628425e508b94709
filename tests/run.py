#!/usr/bin/env python3
"""Run the tests of a build: all of them as root, else all that need no root.

usage: run.py BUILD [CTEST-OPTION...]

Prints what ctest prints, then what was left out and why, then 'N passed, N failed' (and ', N skipped').
"""
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as xml


def count(build, options):
    listing = subprocess.run(["ctest", "--test-dir", build, "-N", *options], capture_output=True, text=True)
    found = re.search(r"Total Tests: (\d+)", listing.stdout)
    return int(found[1]) if found else 0


def reason(output):
    """What a skipped test says of itself: the lines between its start and '[  SKIPPED ]', without places."""
    lines = [line.strip() for line in output.splitlines()]
    said = [line for line in lines if line and not re.match(r"\[|Note: |Running main|Skipped$|.*: Skipped$", line)]
    return said[0] if said else "no reason given"


def main():
    build, options = sys.argv[1], sys.argv[2:]
    # A script's `make test &` would have the tests, and what they send these to, ignore them.
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    needs_root = 0
    if os.geteuid() != 0:
        needs_root = count(build, ["-L", "root", *options])
        options += ["-LE", "root"]
    report = os.path.abspath(os.path.join(build, "tests.xml"))
    status = subprocess.run(["ctest", "--test-dir", build, "--output-on-failure", "-j", str(os.cpu_count()),
                             "--test-output-size-passed", "65536", "--output-junit", report, *options]).returncode
    cases = xml.parse(report).getroot().findall("testcase")
    skipped = [(c.get("name"), reason(c.findtext("system-out") or "")) for c in cases if c.get("status") == "notrun"]
    failed = sum(c.get("status") == "fail" for c in cases)
    passed = sum(c.get("status") == "run" for c in cases)
    print()
    for case in cases:  # runners of recorded cases count their own
        totals = re.findall(r"^\d+ passed, \d+ failed.*$", case.findtext("system-out") or "", re.MULTILINE)
        if totals:
            print(f"{case.get('name')}: {totals[-1]}")
    for name, why in skipped:
        print(f"skipped: {name}: {why}")
    if needs_root:
        print(f"skipped: {needs_root} tests that need root: sudo make test")
    print(f"{passed} passed, {failed} failed, {len(skipped) + needs_root} skipped")
    return 1 if status != 0 or failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
