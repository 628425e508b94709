#!/usr/bin/env python3
"""Run the cases of this folder on the real programs, each in the strict mode, by default, or in both.

usage: run.py [-v] [--share N/M] BINDIR [CASE...]
       run.py --table

README.md says what a case file looks like. Every step is run in a world of its own (lives/world.py) and compared; after
the last one, and `jail --recover`, the host must be as before (lives/fingerprint.py). --share runs the N-th of M parts. --table
only checks the tables: every case of J7 has exactly one row, every row names a test that exists, every case has a row, and every
place that asks for the strict mode is in the list. The last line is 'N passed, N failed'; exits 1 if one failed.
"""
import argparse
import functools
import glob
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [TESTS, f"{TESTS}/lives"]
import run_lifecycle  # noqa: E402
import world  # noqa: E402

WORK = f"{world.WORK}/c"
J7 = [f"G{n}" for n in range(1, 77)] + [f"A{n}" for n in range(1, 69)]
MODES = {"strict": ["strict"], "default": ["default"], "both": ["strict", "default"]}


class Step:
    def __init__(self, command, terminal, line):
        self.command, self.terminal, self.line = command, terminal, line
        self.out, self.err, self.status, self.seconds = "", "", 0, 0.0


@functools.cache
def parse(path):
    """(title, text of the configuration, {mode: [Step]}) of a case file."""
    title, conf, modes, current = "", "", {}, None
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    for number, line in enumerate(lines, 1):
        mark, _, rest = line.partition(" ")
        if mark == "#":
            title = title or rest
        elif mark == "|":
            conf += rest + "\n"
        elif mark == "==":
            current = [modes.setdefault(mode, []) for mode in MODES[rest]]
        elif mark in ("$", "$tty"):
            current = current or [modes.setdefault("strict", [])]
            step = Step(rest, mark == "$tty", number)
            for steps in current:
                steps.append(step)
        elif mark == ">":
            step.out += rest + "\n"
        elif mark == "!":
            step.err += rest + "\n"
        elif mark == "?":
            step.status = int(rest)
        elif mark == "~":
            step.seconds = float(rest)
        elif line:
            sys.exit(f"{path}:{number}: not a line of a case: {line}")
    return title, conf, modes


# --- the tables ---

def read_table(name):
    with open(f"{HERE}/{name}", encoding="utf-8") as f:
        return [line.split(None, 1) for line in f.read().splitlines() if line.strip() and not line.startswith("#")]


def exists(place):
    """Whether what a row names is there: lifecycle:CASE jailconf:CASE strict:CASE terminal:NAME grammar:ID unit:FILE:TEST."""
    kind, _, name = place.partition(":")
    if kind == "lifecycle":
        return os.path.exists(f"{TESTS}/corpus/lifecycle/{name}/expected.json")
    if kind == "jailconf":
        return os.path.exists(f"{TESTS}/corpus/jailconf/{name}.expected.json")
    if kind == "strict":
        return os.path.exists(f"{HERE}/cases/{name}")
    if kind == "terminal":
        return f"def {name}(" in run_lifecycle.read(f"{TESTS}/terminal/run.py")
    if kind == "grammar":
        return f'{{"{name}",' in run_lifecycle.read(f"{TESTS}/unit/conf_grammar_test.cc")
    if kind == "unit":
        file, _, test = name.partition(":")
        return re.search(rf"\bTEST(_F|_P)?\(\w+, {test}\)", run_lifecycle.read(f"{TESTS}/{file}")) is not None
    return False


def places_of(text):
    return re.findall(r"\b(?:lifecycle|jailconf|strict|terminal|grammar|unit):[\w./:-]+", text)


def uses_of_strict():
    """{file: how often it asks whether the mode is strict}, but for the definition."""
    top, found = os.path.dirname(TESTS), {}
    for layer in ("base", "boot", "cmd", "conf", "init", "ledger", "os", "plan"):
        for path in glob.glob(f"{top}/{layer}/**/*.cc", recursive=True):
            text = re.sub(r"//.*|\bbool strict\(\)", "", run_lifecycle.read(path))
            count = len(re.findall(r"\bstrict\(\)", text))
            if count:
                found[os.path.relpath(path, top)] = count
    return found


def check_tables():
    wrong, named = [], set()
    rows = read_table("j7.table")
    numbers = [row[0] for row in rows]
    wrong += [f"{n}: {numbers.count(n)} rows" for n in J7 if numbers.count(n) != 1]
    wrong += [f"{n}: no case of J7" for n in numbers if n not in J7]
    improvements = read_table("improvements.table")
    for row in rows + improvements:
        places = places_of(row[1] if len(row) > 1 else "")
        named |= {p[7:] for p in places if p.startswith("strict:")}
        if not places and not (len(row) > 1 and row[1].startswith("none: ")):
            wrong.append(f"{row[0]}: neither a test nor 'none: REASON'")
        wrong += [f"{row[0]}: there is no {place}" for place in places if not exists(place)]
    cases = set(os.listdir(f"{HERE}/cases"))
    wrong += [f"cases/{name} is in no row" for name in sorted(cases - named)]
    for row in improvements:
        for place in places_of(row[1]):
            modes = parse(f"{HERE}/cases/{place[7:]}")[2] if place.startswith("strict:") and exists(place) else MODES
            if set(modes) < {"strict", "default"}:
                wrong.append(f"{row[0]}: {place} shows only one of the two modes")
    listed = {file: int(count) for file, count in read_table("uses.table")}
    for file, count in sorted(uses_of_strict().items()):
        if count > listed.get(file, 0):
            wrong.append(f"{file} asks strict() {count} times: see that each has a row in improvements.table, then say so in uses.table")
    for text in wrong:
        print(f"FAILED {text}")
    print(f"{len(rows) + len(improvements)} rows, {len(cases)} cases of our own")
    print(f"{len(rows) + len(improvements) - min(len(wrong), len(rows))} passed, {len(wrong)} failed")
    return 1 if wrong else 0


# --- running ---

def run_plain(command, env, limit):
    # Files of its own: what an earlier step left running may still write.
    with tempfile.TemporaryFile(dir=world.WORK) as out, tempfile.TemporaryFile(dir=world.WORK) as err:
        p = subprocess.Popen(["/bin/sh", "-c", command], cwd=WORK, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                             start_new_session=True, umask=0o022)
        try:
            status = p.wait(limit)
        except subprocess.TimeoutExpired:
            status = "no end" + world.who_waits()
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
        for file in (out, err):
            file.seek(0)
        return status, out.read().decode(errors="replace"), err.read().decode(errors="replace")


def run_on_terminal(command, env, limit):
    """The same with a terminal of its own as all three streams: (status, what it shows, "")."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(WORK)
        os.execve("/bin/sh", ["/bin/sh", "-c", command], env)
    end, shown = time.monotonic() + limit, b""
    while time.monotonic() < end and select.select([master], [], [], max(0, end - time.monotonic()))[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        shown += piece
    else:
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(master)
    return status, shown.decode(errors="replace").replace("\r\n", "\n"), ""


def run_case(path, mode, env):
    """The differences of one case in one mode, as texts."""
    _, conf, modes = parse(path)
    m = run_lifecycle.Matcher({"@WORK@": WORK, "@CONF@": f"{WORK}/c.conf", "@LO@": "lo",
                               **{f"@ROOT{n}@": f"/mnt/r{n or 1}" for n in ("", "2", "3", "4")}})
    subprocess.run(["rm", "-rf", WORK], check=True)
    os.mkdir(WORK)
    with open(f"{WORK}/c.conf", "w", encoding="utf-8") as f:
        f.write(m.fill(conf))
    env = {k: v for k, v in env.items() if k != "CELLBLOCK_STRICT"} | ({"CELLBLOCK_STRICT": "freebsd"} if mode == "strict" else {})
    wrong = []
    for step in modes[mode]:
        began = time.monotonic()
        status, out, err = (run_on_terminal if step.terminal else run_plain)(m.fill(step.command), env, 20)
        took = time.monotonic() - began
        what = []
        if not m.match(step.out, out):
            what.append(("standard output", m.fill(step.out), out))
        if not m.match(step.err, err):
            what.append(("standard error", m.fill(step.err), err))
        if status != step.status:
            what.append(("status", step.status, status))
        if took < step.seconds:
            what.append(("seconds, at least", step.seconds, took))
        wrong += [f"line {step.line} $ {step.command}\n   {w}: expected {want!r}\n   {' ' * len(w)}       got {got!r}"
                  for w, want, got in what]
    return wrong


def tidy(before):
    """What a case left, once recovery has run; the roots' logs are its to leave."""
    for n in range(1, 5):
        os.truncate(f"/mnt/r{n}/log", 0)
    left = world.settle(before, 2.0)
    if left:
        world.run(["/mnt/bin/jail", "--recover"])
        left = world.settle(before)
    return left


def first_look():
    """The host as a registry leaves it that has had a jail; its IPv6 addresses are not checked for duplicates again."""
    for n in range(1, 5):
        os.truncate(f"/mnt/r{n}/log", 0)
    world.run(["/mnt/bin/jail", "-c", "name=first", "path=/mnt/r1", "persist", "vnet", "vnet.interface=va"])
    world.run(["/mnt/bin/jail", "-R", "first"])
    return world.look()


def main():
    if sys.argv[1:] == ["--table"]:
        return check_tables()
    a = argparse.ArgumentParser(usage=__doc__)
    a.add_argument("-v", action="store_true")
    a.add_argument("--share", default="1/1")
    a.add_argument("bindir")
    a.add_argument("case", nargs="*")
    o = a.parse_args()
    part, parts = map(int, o.share.split("/"))
    names = o.case or sorted(os.listdir(f"{HERE}/cases"))[part - 1::parts]
    for name in names:  # read now: a checkout below /tmp is not to be seen in there
        parse(f"{HERE}/cases/{name}")
    world.enter(o.bindir)
    world.build()
    world.root_has_sh()
    env = dict(run_lifecycle.ENV, PATH=world.ENV["PATH"])
    env.update({k: v for k, v in world.ENV.items() if k.startswith(("CELLBLOCK", "ASAN"))})

    def run(case, before):
        wrong = run_case(*case, env)
        left = tidy(before)
        return "\n".join(wrong + (["left behind:\n   " + "\n   ".join(left)] if left else []))

    paths = {name: f"{HERE}/cases/{name}" for name in names}
    cases = {f"{name}, {mode}": (path, mode) for name, path in paths.items() for mode in parse(path)[2]}
    return world.run_cases(cases, run, first_look, o.v)


if __name__ == "__main__":
    sys.exit(main())
