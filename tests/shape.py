#!/usr/bin/env python3
"""Report the shape of the sources beside their budgets; exit 1 where a hard limit is passed.

A budget is a smoke alarm: passing one is printed, and a reason belongs in doc/HACKING.md. A limit is a wall.
"""
import glob
import json
import os
import re
import statistics
import subprocess
import sys

#        what                      budget  limit
LIMITS = {
    "median file":                (110, None),
    "longest file":               (400, 400),
    "function p95":               (40, None),
    "longest function":           (60, 60),
    "comments, least %":          (15, None),
    "comments, most %":           (20, None),
    "include depth":              (4, 8),
    "include closure":            (10, None),
    "#if in sources":             (10, 10),
    "goto":                       (0, 0),
    "virtual":                    (0, 0),
    "catch":                      (0, None),  # tests/layers.py says where one may stand
    "source lines per test line": (1, None),
}

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import layers  # noqa: E402  the sibling knows the directories and how to take comments out


def functions(paths):
    """(lines, "file:line name") of every function that has a body, by universal-ctags."""
    if not paths:
        return []
    out = subprocess.run(["ctags", "-f-", "--output-format=json", "--fields=+ne", "--language-force=C++",
                          "--kinds-C++=f", *paths], capture_output=True, text=True, check=True).stdout
    tags = [json.loads(line) for line in out.splitlines()]
    return sorted((t["end"] - t["line"] + 1, f"{t['path']}:{t['line']} {t['name']}") for t in tags if "end" in t)


def comment_share(sources):
    """Of the lines with something on them, the share (in %) that hold a comment and nothing else."""
    lines = [line.strip() for text in sources.values() for line in text.splitlines() if line.strip()]
    return round(100 * sum(line.startswith("//") for line in lines) / max(1, len(lines)))


def includes(sources):
    """{file: our headers that it names}."""
    return {p: [h for h in re.findall(r'^#include "([^"]+)"', text, re.MULTILINE) if h in sources]
            for p, text in sources.items()}


def reach(graph, path):
    """(longest chain of our headers from here, how many there are in all)."""
    def depth(p):
        return 1 + max((depth(h) for h in graph[p]), default=0)
    seen, todo = set(), list(graph[path])
    while todo:
        header = todo.pop()
        if header not in seen:
            seen.add(header)
            todo += graph[header]
    return depth(path) - 1, len(seen)


def measure(sources, tests):
    code = [layers.blank(text) for text in sources.values()]
    def count(pattern):
        return sum(len(re.findall(pattern, text, re.MULTILINE)) for text in code)
    sizes = sorted((text.count("\n"), path) for path, text in sources.items())
    bodies = functions(list(sources)) or [(0, "-")]
    graph = includes(sources)
    depths = sorted((reach(graph, p)[0], p) for p in sources if p.endswith(".h"))
    closures = sorted((reach(graph, p)[1], p) for p in sources if p.endswith(".h"))
    comments = comment_share(sources)
    lines = sum(size for size, _ in sizes)
    return {
        "median file": (int(statistics.median(size for size, _ in sizes)), ""),
        "longest file": sizes[-1],
        "function p95": bodies[int(0.95 * (len(bodies) - 1))],
        "longest function": bodies[-1],
        "comments, least %": (comments, ""),
        "comments, most %": (comments, ""),
        "include depth": depths[-1],
        "include closure": closures[-1],
        "#if in sources": (count(r"^\s*#\s*if"), ""),
        "goto": (count(r"\bgoto\b"), ""),
        "virtual": (count(r"\bvirtual\b"), ""),
        "catch": (count(r"\bcatch\s*\("), ""),
        "source lines per test line": (round(lines / max(1, tests), 2), f"{lines} to {tests}"),
    }, sizes, bodies


def read(patterns):
    paths = sorted(p for pattern in patterns for p in glob.glob(pattern, recursive=True))
    return {p: open(p, encoding="utf-8").read() for p in paths}


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    sources = read(f"{layer}/**/*{end}" for layer in layers.layers()[0] for end in (".cc", ".h"))
    tests = sum(text.count("\n") for text in read(["tests/**/*.cc", "tests/**/*.h", "tests/**/*.py", "tests/**/*.sh"]).values())
    found, sizes, bodies = measure(sources, tests)
    failed = False
    print(f"{'':28}{'now':>7}{'budget':>8}{'limit':>7}")
    for what, (value, where) in found.items():
        budget, limit = LIMITS[what]
        beyond = value < budget if "least" in what else value > budget
        broken = limit is not None and value > limit
        failed |= broken
        word = "BROKEN" if broken else "over" if beyond else ""
        print(f"{what:28}{value:>7}{budget:>8}{'-' if limit is None else limit:>7}  {word:7}{where}")
    for kind, rows, limit in (("file", sizes, "longest file"), ("function", bodies, "longest function")):
        for size, where in rows:
            if size > LIMITS[limit][1]:
                print(f"{where}: a {kind} of {size} lines")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
