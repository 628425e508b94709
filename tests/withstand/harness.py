"""What the withstand tests share: a host of one's own (tests/lives), cases, and the words for what they check.

A module of cases calls run(CASES): each case begins on a host without jails, and when it has ended the host's fingerprint is
as before, whatever the case did.
"""
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lives"))
import world  # noqa: E402
import fingerprint as fp  # noqa: E402

BIN, WORK = "/mnt/bin", world.WORK
JAIL, JLS, JEXEC = f"{BIN}/jail", f"{BIN}/jls", f"{BIN}/jexec"
CONF = f"{WORK}/conf"
ROOT = "/mnt/r1"
NO_SENTENCE = ("Sanitizer", "runtime error", "terminate called", "Segmentation", "core dumped", "bug:")


class Wrong(Exception):
    """What a case found to be other than it should be."""


class Done:
    """What became of a command."""

    def __init__(self, words, status, err, out, seconds=0.0, kilobytes=0):
        self.words, self.status, self.err, self.out = words, status, err, out
        self.seconds, self.kilobytes = seconds, kilobytes

    def __str__(self):
        shown = " ".join(self.words)
        return f"{shown[:300]}: status {self.status}, {self.seconds:.1f} s\n{self.err[:2000]}{self.out[:500]}"


def expect(true, *about):
    if not true:
        raise Wrong("\n".join(str(one) for one in about))


def configure(text, path=CONF):
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def command(*words, timeout=60, env=None):
    """Runs it to its end; whatever it says has to be sentences."""
    words = [str(word) for word in words]
    begin = time.monotonic()
    status, err, out = world.run(words, timeout=timeout, env=env)
    done = Done(words, status, err, out, time.monotonic() - begin)
    expect(status is not None, "no end:", done)
    expect(status >= 0 and not any(word in err for word in NO_SENTENCE), done)
    return done


def measured(*words, timeout=60):
    """The same, with the most memory that it, or any command before it, used."""
    done = command(*words, timeout=timeout)
    done.kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return done


def jail(*words, **options):
    return command(JAIL, "-f", CONF, *words, **options)


def good(*words, **options):
    done = jail(*words, **options)
    expect(done.status == 0, done)
    return done


def refused(done, *texts):
    """One line on standard error that names all of this, and status 1."""
    lines = done.err.splitlines()
    expect(done.status == 1, "status 1 expected:", done)
    expect(len(lines) == 1 and lines[0].startswith(("jail: ", "jexec: ", "jls: ")), "one line expected:", done)
    for text in texts:
        expect(text in lines[0], f"{text!r} expected in:", done)


def names(*options):
    """The jails that are there; with -d also those that are not whole."""
    return command(JLS, *options, "name").out.split()


def start_many(commands):
    """Starts them all at once; yields a Done for each when all have ended."""
    found = [None] * len(commands)

    def one(index):
        found[index] = command(*commands[index])

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(commands))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(all(found), "a command did not end as it should")
    return found


def begin(*words, env=None):
    """Starts a command and goes on. Its output goes to files: what it leaves running may hold them for ever."""
    files = [tempfile.TemporaryFile(dir=WORK) for _ in range(2)]
    process = subprocess.Popen([str(word) for word in words], env=dict(world.ENV, **(env or {})), cwd="/", stdin=subprocess.DEVNULL,
                               stderr=files[0], stdout=files[1])
    return process, files


def end(begun, timeout=60):
    """Waits for one of begin()."""
    process, files = begun
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        raise Wrong(f"no end: {process.args}{world.who_waits()}") from None
    texts = []
    for file in files:
        file.seek(0)
        texts.append(file.read().decode(errors="replace"))
        file.close()
    return Done(process.args, process.returncode, *texts)


def wait_for(condition, what, seconds=20):
    limit = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < limit, f"waited in vain for {what}", world.who_waits())
        time.sleep(0.01)


def as_before(before):
    left = world.settle(before)
    expect(not left, "left on the host:", *left)


def first_jail():
    """Makes what the first jail of a host leaves for good: directories, and on a lent interface that addresses need no check."""
    configure(f"first {{ path = {ROOT}; persist; vnet; vnet.interface = va; }}")
    good("-c", "first")
    good("-r", "first")


def run(cases, seed=None):
    """Runs the cases in their order on a host of their own; the words of the command line choose some of them."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} BINDIR [CASE...]")
    world.enter(sys.argv[1])
    world.build()
    world.root_has_sh()
    seed = int(os.environ.get("SEED", seed or time.time() // 86400))
    passed = failed = 0
    first_jail()
    for case in cases:
        if sys.argv[2:] and case.__name__ not in sys.argv[2:]:
            continue
        random.seed(seed)
        start, note = time.monotonic(), ""
        before = world.look()
        try:
            note = case() or ""
            as_before(before)
            passed += 1
        except Wrong as wrong:
            failed += 1
            print(f"FAILED {case.__name__} (SEED={seed}): {wrong}", flush=True)
            world.scrub()
            first_jail()
        print(f"{time.monotonic() - start:6.2f} s {case.__name__} {note}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)
