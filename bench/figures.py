"""What all figures are made with: the table, commands that are timed, a jail's root, and the way back.

The programs under measurement are the first word of the command line, those that only measure the second one.
"""
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

if len(sys.argv) < 3:
    sys.exit("usage: bench.py PROGRAMS BENCH [PART]...")
programs, bench = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
busybox = shutil.which("busybox") or ""
null = os.open("/dev/null", os.O_RDWR)
errors = tempfile.TemporaryFile()
os.environ.pop("CELLBLOCK_STRICT", None)

median = statistics.median
table = []


class Failed(Exception):
    pass


def row(what, figure, wanted="", good=None):
    """A line of the table; good is None where nothing was promised."""
    table.append((what, figure, wanted, {None: "", True: "yes", False: "NO"}[good]))


def ms(seconds):
    value = seconds * 1000
    return f"{value:.2f} ms" if value < 10 else f"{value:.1f} ms" if value < 100 else f"{value:.0f} ms"


def run(argv, env=None):
    """Seconds from before the fork to after the end of a command that must succeed."""
    begin = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env or os.environ, file_actions=[
        (os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)])
    try:
        status = os.waitpid(pid, 0)[1]
    except KeyboardInterrupt:  # what has begun must end before it can be cleaned up
        os.waitpid(pid, 0)
        raise
    taken = time.perf_counter() - begin
    if status != 0:
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().splitlines()
        raise Failed(f"{os.path.basename(argv[0])}: {said[-1] if said else 'status ' + str(os.waitstatus_to_exitcode(status))}")
    errors.seek(0)
    errors.truncate()
    return taken


def output(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def print_table():
    titles = ("what", "figure", "wanted", "met")
    widths = [max(len(line[i]) for line in (titles, *table)) for i in range(4)]
    for line in (titles, tuple("-" * width for width in widths), *table):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def tool(name):
    found = shutil.which(name)
    if not found:
        raise Failed("not installed")
    return found


def memory(pid, name="Pss"):
    """kB of a line of its smaps_rollup."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith(name + ":"))


def make_root(top):
    root = f"{top}/root"
    for name in ("bin", "dev", "proc", "sys", "tmp", "etc", "usr", "run", "var", "a", "b", "c", "data"):
        os.makedirs(f"{root}/{name}")
    shutil.copy(busybox, f"{root}/bin/busybox")
    for name in ("true", "sh"):
        os.symlink("busybox", f"{root}/bin/{name}")
    with open(f"{root}/etc/os-release", "w") as release:
        release.write("ID=bench\n")
    with open(f"{root}/etc/passwd", "w") as users:
        users.write("root:x:0:0:root:/:/bin/sh\n")
    return root


def memory_directory():
    """Where /run would be on a host: on a tmpfs."""
    with open("/proc/self/mounts") as mounts:
        there = [line.split()[1] for line in mounts if line.split()[2] == "tmpfs"]
    return next((path for path in ("/run", "/dev/shm") if path in there), None)


def clean(top, fast):
    stops = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in stops]
    if os.path.isdir(f"{top}/db"):
        for arguments in (["-q", "-R", "*"], ["--recover"]):
            subprocess.run([f"{programs}/jail", *arguments], stdout=null, stderr=null, check=False)
    with open("/proc/self/mounts") as mounts:
        if any(path in line for line in mounts for path in (top, fast)):
            sys.exit(f"bench.py: something is still mounted below {top} or {fast}")
    shutil.rmtree(top)
    shutil.rmtree(fast, ignore_errors=True)
    for number, handler in zip(stops, before):
        signal.signal(number, handler)
