#!/usr/bin/env python3
"""Hold the documents to the program.

usage: man_test.py [JAIL]

Both ways: every parameter of conf/params.cc and cmd/listing.cc has its entry in jail.conf(5), with its type and marks,
and a row in doc/COMPAT.md; every one of conf/service_params.cc its entry in jinit.conf(5), with its kind and default; every
option of a program has its entry in that program's page; states, signals and words of the init have theirs in jinit(8); every
act has a row in doc/LEDGER.md, and every section of the specification that a comment cites one in doc/SPEC.md. Pages are linted
by mandoc, if it is there. With JAIL, a jail program: every example of a jail.conf in man/ (behind a line '.\\" example: NAME')
and in README.md and doc/ (a block ```jail.conf) passes `jail --check`, and doc/EXPLAIN.md names every key that --explain=json
prints. Prints a line for each failure, then 'N passed, N failed'.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
counts = {True: 0, False: 0}


def check(good, text):
    """Counts a check; says what is wrong where it failed."""
    counts[bool(good)] += 1
    if not good:
        print(text)


def same_sets(wanted, found, missing, odd):
    """A check for each name on either side; `missing` and `odd` are texts with {} for the name."""
    for name in sorted(set(wanted) | set(found)):
        check(name in wanted and name in found, (missing if name in wanted else odd).format(name))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


# --- what the program has ---

TYPES = {"bool": "boolean", "int64_t": "integer", "uint64_t": "integer", "std::string": "string", "Words": "list",
         "JailSys": "three-way"}


def parameters():
    """{name: set of words that belong behind its name in jail.conf(5)}."""
    types = {}
    for kind, fields in re.findall(r"std::optional<([\w:]+)>\s+([^;(]+);", read("conf/spec.h")):
        for field in re.findall(r"\w+", fields):
            types[field] = TYPES[kind]
    found = {}
    rows = re.findall(r'^\s*\{"([\w.]+)", (?:&Spec::(\w+)|\{\}), \w+, (\w+), "[^"]*"(.*)\},', read("conf/params.cc"), re.M)
    for name, field, access, extra in rows:
        marks = {types[field]} if field else set()
        found[name] = marks | ({"read-only"} if access == "read" else set()) | ({"addition"} if "ours = true" in extra else set())
    for name, boolean, in_all in re.findall(r'^\s*\{"([\w.]+)", (true|false), (true|false),', read("cmd/listing.cc"), re.M):
        marks = found.setdefault(name, {"read-only"})
        marks |= {"boolean"} if boolean == "true" else set()
        marks |= {"addition"} if in_all == "false" else set()
    return found


def service_parameters():
    """{name: kind}, for jinit.conf(5): the form of its values, or the type of its field."""
    types = {}
    for kind, field in re.findall(r"^  ([\w:<>]+) (\w+) = ", read("conf/service_spec.h"), re.M):
        types[field] = {"Restart": "choice", "OnExit": "choice"}.get(kind) or TYPES.get(kind)
    rows = re.findall(r'^\s*\{"([\w.]+)", &Spec::(\w+), "[^"]*"(?:, Form::(\w+))?', read("conf/service_params.cc"), re.M)
    return {name: types[field] if form in ("", "plain") else form for name, field, form in rows}


def service_defaults():
    """{name: text of its default, as the page has it}, of what has one that is not nothing."""
    source = read("conf/service_spec.h")
    found = {}
    for name, field, form in re.findall(r'^\s*\{"([\w.]+)", &Spec::(\w+), "[^"]*"(?:, Form::(\w+))?', read("conf/service_params.cc"), re.M):
        value = re.search(rf"^  int64_t {field} = ([^;]+);", source, re.M)
        number = value and value[1].replace("'", "")
        if form == "seconds" and number != "0":
            found[name] = str(int(number) // 1000)
        elif form == "octal" or (form == "" and number not in (None, "0")):
            found[name] = number
    return found


def table_of(name, columns):
    """The rows of a table of sup/request.cc: [(name, column...)]."""
    text = re.search(rf"constexpr \w+ {name}\[\] = \{{(.*?)\n\}};", read("sup/request.cc"), re.S)[1]
    return re.findall(r'\{"([\w+]+)"' + r",\s*(\w+)" * columns + r"(?:, true)?\}", text)


def init_words():
    """The words that a jail's init takes from inside."""
    host_only = re.findall(r'\{"(\w+)", \w+, true\}', read("sup/request.cc"))
    others = re.findall(r'"(\w+)"', re.search(r"other_words\[\] = \{(.*?)\}", read("init/client.cc"))[1])
    return {name for name, _ in table_of("words", 1) + table_of("levels", 1)} - set(host_only) | set(others)


def letters(source, start=""):
    """{option: 'none', 'value' or 'maybe'} of a getopt string and a table of long options."""
    options = {}
    string = re.search(r'getopt_long\([^"]*"\+?([A-Za-z:]+)"', source)[1]
    for letter, colon in re.findall(r"([A-Za-z])(:?)", string):
        options[letter] = "value" if colon else "none"
    kinds = {"no": "none", "required": "value", "optional": "maybe"}
    for name, kind in re.findall(r'\{"([a-z-]+)", (no|required|optional)_argument,', source):
        options["-" + name] = kinds[kind]
    return options


def options_of(program):
    if program == "jinit":
        words = re.findall(r'(count == 3 && )?strcmp\(words\[1\], "-(-\w+)"\)', read("init/main.cc"))
        return {word: "value" if value else "none" for value, word in words} | letters(read("init/entry.cc"))
    options = letters(read({"jail": "cmd/options.cc"}.get(program, f"cmd/{program}.cc")))
    for word in re.findall(r'form != "-(-\w+)"', read(f"cmd/{program}.cc")):
        options[word] = "none"
    if "take_libxo" in read(f"cmd/{program}.cc"):
        options["-libxo"] = "value"
    return options


def verbs():
    """{verb: number of words} of every act that a ledger may hold."""
    found = {}
    for path in ("plan/verbs.cc", "os/linux/verbs.cc"):
        for name, words, lives in re.findall(r'^\s*\{"(\w+)",\s*(\d+), Lives::(\w+)', read(path), re.M):
            if lives != "space":
                found[name] = int(words)
    return found


# --- what the documents say ---

def plain(text):
    """A line of mdoc with its escapes undone."""
    return text.replace("\\&", "").replace("\\e", "\\").replace("\\(aq", "'").replace("\\-", "-")


def items(page, macro):
    """[(the words of the .It, the rest of its line)] for the entries of a page whose head begins with that macro."""
    return [plain(line) for line in re.findall(rf"^\.It {macro} (.*)$", page, re.M)]


def check_parameters():
    page, wanted = read("man/jail.conf.5"), parameters()
    found = {}
    for line in items(page, "Va"):
        head = re.fullmatch(r"([\w.]+) Pq (.*)", line)
        if head:
            check(head[1] not in found, f"jail.conf.5: {head[1]}: two entries")
            found[head[1]] = set(re.findall(r"[\w-]+", head[2]))
    same_sets(wanted, found, "jail.conf.5: {}: no entry", "jail.conf.5: {}: no such parameter")
    for name in sorted(set(wanted) & set(found)):
        # What has no field of Spec has its type from the page alone.
        marks = found[name] if wanted[name] & set(TYPES.values()) else found[name] - {"integer", "string"}
        check(wanted[name] == marks, f"jail.conf.5: {name}: says {sorted(found[name])}, is {sorted(wanted[name])}")
    rows = re.findall(r"^\| `([\w.]+)` \| (\w+) \|", read("doc/COMPAT.md"), re.M)
    for name, verdict in rows:
        check(verdict in ("same", "differs", "absent", "ours"), f"COMPAT.md: {name}: {verdict}: no verdict")
        ours = "addition" in wanted.get(name, ())
        check((verdict == "ours") == ours, f"COMPAT.md: {name}: {verdict}: whose is it?")
    check(len(rows) == len({name for name, _ in rows}), "COMPAT.md: a parameter has two rows")
    same_sets(wanted, {name for name, _ in rows}, "COMPAT.md: {}: no row", "COMPAT.md: {}: no such parameter")


def check_service_parameters():
    wanted, found = service_parameters(), {}
    for line in items(read("man/jinit.conf.5"), "Va"):
        name, _, kind = line.partition(" Pq ")
        check(name not in found, f"jinit.conf.5: {name}: two entries")
        found[name] = kind
    same_sets(wanted, found, "jinit.conf.5: {}: no entry", "jinit.conf.5: {}: no such parameter")
    for name in sorted(set(wanted) & set(found)):
        check(wanted[name] == found[name], f"jinit.conf.5: {name}: says {found[name]}, is {wanted[name]}")


def part(page, heading):
    """The text below a heading of a page, up to the next one."""
    return re.split(r"^\.S[hs] ", page.split(f" {heading}\n")[1], flags=re.M)[0]


def check_service_page():
    """Defaults, resources and the words of choices, as far as they are lists in the code."""
    page, source = read("man/jinit.conf.5"), read("conf/service_params.cc")
    entries = dict(re.findall(r"^\.It Va (\S+) Pq .*\n((?:(?!\.It |\.El).*\n)*)", page, re.M))
    for name, default in service_defaults().items():
        check(re.search(rf"\b{default}M? by default", entries.get(name, "")), f"jinit.conf.5: {name}: does not say that {default} is the default")
    for name in re.findall(r'\{"(\w+)", RLIMIT_', source):
        check(re.search(rf"^\.Li .*\b{name}\b", entries["limit"], re.M), f"jinit.conf.5: limit.{name}: not there")
    for field, names in re.findall(r"(Restart|OnExit) Spec::\* field.*?names\[\] = \{(.*?)\}", source, re.S):
        entry = entries["restart" if field == "Restart" else "on_exit"]
        said = {word.rstrip(" ,.:") for word in re.findall(r"^\.Li (.*)$", entry, re.M)}
        same_sets(re.findall(r'"([\w-]+)"', names), said, f"jinit.conf.5: {field}: {{}}: not there", f"jinit.conf.5: {field}: {{}}: no such word")
    for name in re.findall(r'^\s*\{"([\w-]+)",', read("conf/service_dir.cc"), re.M):
        check(re.search(rf"^\.Pa (?:.*[ ,])?{name}\b", page, re.M), f"jinit.conf.5: {name} of a service directory: not there")


def check_init_page():
    """jinit(8) against the tables of sup/request.cc and sup/ttys.cc, both ways."""
    page = read("man/jinit.8")
    entries = {heading: [word for line in items(part(page, heading), "Cm") for word in re.split(r" , | Ar | Op ", line)]
               for heading in ("A system's init", "Asking process 1")}
    states = re.findall(r'"(\w+)"', re.search(r"states\[\] = \{(.*?)\};", read("sup/request.cc"), re.S)[1])
    same_sets(states, entries["A system's init"], "jinit.8: state {}: no entry", "jinit.8: {}: no such state")
    words = set(entries["Asking process 1"]) - {"name", "follow", "Cm follow"}
    same_sets(init_words(), words, "jinit.8: word {}: no entry", "jinit.8: {}: no such word")
    signals = part(page, "Signals")
    wanted = [tuple("-" if word == "none" else word for word in row) for row in table_of("signals", 3)]
    rows = [tuple(row.split(" Ta ")) for row in re.findall(r"^\.It ([A-Z].* Ta .*)$", signals, re.M) if not row.startswith("Sy")]
    check(rows == wanted, f"jinit.8: Signals: has {set(rows) - set(wanted)}, lacks {set(wanted) - set(rows)}")
    fifo = {level: event for levels, event in re.findall(r"^\.Cm ([\w ,]+)\nfor (\w+)", signals, re.M) for level in levels.split(" , ")}
    check(fifo == dict(table_of("initctl", 1)), f"jinit.8: run levels of the fifo: {fifo}")
    for flag in re.findall(r'^\s+\{"(\w+)",', read("sup/ttys.cc"), re.M):
        check(re.search(rf"^\.Cm .*\b{flag}\b", part(page, "Terminals"), re.M), f"jinit.8: Terminals: {flag}: not there")


def check_options(program):
    page, wanted = read(f"man/{program}.8"), options_of(program)
    found = {}
    for line in items(page, "Fl"):
        word, _, rest = line.partition(" ")
        if len(word) > 1 and not word.startswith("-"):  # several together, as an operation
            check(set(word) <= set(wanted), f"{program}.8: -{word}: no such options")
            continue
        found.setdefault(word, "maybe" if "Op =" in rest else "value" if "Ar" in rest else "none")
    same_sets(wanted, found, f"{program}.8: -{{}}: no entry", f"{program}.8: -{{}}: no such option")
    for option in sorted(set(wanted) & set(found)):
        check(wanted[option] == found[option],
              f"{program}.8: -{option}: argument: says {found[option]}, is {wanted[option]}")
    synopsis = page.split(".Sh SYNOPSIS")[1].split(".Sh ")[0]
    for line in re.findall(r"\bFl (.*)", synopsis):
        for word in re.findall(r"(?:^|\| (?:Fl )?|Fl )(-?[A-Za-z][A-Za-z-]*)", line):
            known = word in wanted if word.startswith("-") else set(word) <= set(wanted)
            check(known, f"{program}.8: SYNOPSIS: -{word}: no such option")


def check_page(path):
    page = read(path)
    wanted = ["NAME", "SYNOPSIS", "DESCRIPTION", "FILES", "EXAMPLES", "COMPATIBILITY", "SEE ALSO"]
    wanted += ["ENVIRONMENT", "EXIT STATUS"] if path.endswith(".8") else []
    sections = re.findall(r"^\.Sh (.*)$", page, re.M)
    for name in wanted:
        check(name in sections, f"{path}: no section {name}")
    for name in ("jail", "jls", "jexec"):
        if path == f"man/{name}.8":
            for variable in ("CELLBLOCK_DB", "CELLBLOCK_RUN", "CELLBLOCK_LOG", "CELLBLOCK_STRICT"):
                check(re.search(rf"^\.It Ev .*\b{variable}\b", page, re.M), f"{path}: ENVIRONMENT: {variable}: no entry")
    ours = {os.path.basename(p) for p in glob.glob(f"{ROOT}/man/*.[0-9]")}
    for name, section in re.findall(r"^\.Xr (j\w+(?:\.conf)?) (\d)", page, re.M):
        check(f"{name}.{section}" in ours, f"{path}: {name}({section}): there is no such page")
    if shutil.which("mandoc"):
        lint = subprocess.run(["mandoc", "-Tlint", "-Wwarning", path], cwd=ROOT, capture_output=True, text=True)
        check(lint.returncode == 0 and not lint.stdout, lint.stdout.strip() or f"{path}: mandoc: {lint.returncode}")


def check_ledger():
    table = read("doc/LEDGER.md").split("\n| act |")[1].split("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)( [A-Z -]+)?` \|", table, re.M))
    wanted = verbs()
    same_sets(wanted, rows, "LEDGER.md: {}: no row", "LEDGER.md: {}: no such act")
    for name in sorted(set(wanted) & set(rows)):
        words = len(rows[name].split())
        check(words == wanted[name], f"LEDGER.md: {name}: has {words} words, not {wanted[name]}")


def check_sections():
    """Comments cite no section of the specification that doc/SPEC.md does not have."""
    rows = re.findall(r"^\| ([JNL][\d.]+) \|", read("doc/SPEC.md"), re.M)
    check(len(rows) == len(set(rows)), "SPEC.md: a section has two rows")
    cited = {}
    for layer in ("base", "conf", "os", "ledger", "sup", "plan", "init", "cmd", "tests"):
        for path in glob.glob(f"{ROOT}/{layer}/**/*.[ch]*", recursive=True) + glob.glob(f"{ROOT}/{layer}/**/*.py", recursive=True):
            for comment in re.findall(r"(?://|#|\"\"\")(.*)", read(path)):
                for section in re.findall(r"\b(?:J[1-7]|N(?:1?\d)|L[1-8])(?:\.\d+)?(?=\.\d|[a-e]\b|\b)", comment):
                    cited.setdefault(section, os.path.relpath(path, ROOT))
    for section, path in sorted(cited.items()):
        check(section in rows, f"{path}: cites {section}, which doc/SPEC.md does not have")


def examples():
    """[(where, text)] of every jail.conf in the documents."""
    found = []
    for path in sorted(glob.glob(f"{ROOT}/man/*.[0-9]")):
        blocks = re.findall(r'^\.\\" example: (\S+)\n\.Bd[^\n]*\n(.*?)^\.Ed', read(path), re.M | re.S)
        found += [(f"{os.path.basename(path)}: {name}", plain(text)) for name, text in blocks]
    for path in ["README.md"] + sorted(glob.glob(f"{ROOT}/doc/*.md")):
        blocks = re.findall(r"^```jail\.conf\n(.*?)^```", read(path), re.M | re.S)
        found += [(f"{os.path.basename(path)}: {number}", text) for number, text in enumerate(blocks, 1)]
    return found


def keys(value):
    """Every key of a JSON value."""
    if isinstance(value, dict):
        return set(value) | {key for one in value.values() for key in keys(one)}
    return {key for one in value for key in keys(one)} if isinstance(value, list) else set()


def check_with_program(jail):
    with tempfile.TemporaryDirectory() as work:
        found, path = examples(), os.path.join(work, "jail.conf")
        for where in ("jail.conf.5", "jail.8", "README.md"):
            check(any(name.startswith(where) for name, _ in found), f"{where}: no example")
        for where, text in found:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            run = subprocess.run([jail, "--check", path], capture_output=True, text=True)
            check(run.returncode == 0, f"{where}:\n{run.stderr.replace(work + '/', '')}")
        with open(path, "wb") as f:
            f.write(b'a { path = /a; $v = 1; bogus; x = "\xff"; ip4.addr = "lo|127.0.0.1"; } b { depend = c; } d { path = /a; }')
        run = subprocess.run([jail, "-f", path, "--explain=json"], capture_output=True, text=True)
        named = set(re.findall(r"`(\w+)`", read("doc/EXPLAIN.md")))
        for key in sorted(keys(json.loads(run.stdout))):
            check(key in named, f"EXPLAIN.md: {key}: not there")


def main():
    check_parameters()
    check_service_parameters()
    check_service_page()
    check_init_page()
    for program in ("jail", "jls", "jexec", "jinit"):
        check_options(program)
    for path in sorted(glob.glob(f"{ROOT}/man/*.[0-9]")):
        check_page(os.path.relpath(path, ROOT))
    check_ledger()
    check_sections()
    if len(sys.argv) > 1:
        check_with_program(os.path.abspath(sys.argv[1]))
    print(f"{counts[True]} passed, {counts[False]} failed")
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main())
