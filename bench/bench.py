#!/usr/bin/env python3
"""Figures: bench.py PROGRAMS BENCH [PART...]. PROGRAMS is build/bin; BENCH holds `floor`, `language` and `act`.

With PARTs only these: language, start, many, memory, and those of inits.py. As root; without root only the language.
Everything that is compared is measured alternately in one run, A B C A B C ..., so that a busy machine slows all alike;
a ratio is the median of the ratios of such rounds. Nothing is left behind, also when interrupted.
"""
import ctypes
import json
import os
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import figures  # noqa: E402
import inits  # noqa: E402
from figures import (Failed, bench, clean, make_root, median, memory, memory_directory, ms, output, print_table,  # noqa: E402
                     programs, row, run, tool)

ROUNDS = 101
MANY = 500
IDLE = 100
SPEC = {"vnet", "mount.devfs", "mount.procfs", "persist"}


class Elsewhere:
    """run() in a process of its own with the mount namespace of a host that has cgroup v2 only."""

    def __init__(self):
        self.ask, self.answer = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            try:
                self.serve()
            finally:
                os._exit(0)
        os.close(self.ask[0])
        os.close(self.answer[1])
        self.lines = os.fdopen(self.answer[0])

    def serve(self):
        os.close(self.ask[1])
        libc = ctypes.CDLL(None, use_errno=True)
        problem = ""
        if libc.unshare(0x20000) != 0 or libc.mount(b"none", b"/", None, 0x44000, None) != 0:  # NEWNS; REC|PRIVATE
            problem = "unshare: " + os.strerror(ctypes.get_errno())
        unified = b"/sys/fs/cgroup/unified"
        if os.path.isdir(unified) and libc.mount(unified, b"/sys/fs/cgroup", None, 4096, None) != 0:  # BIND
            problem = "cgroup: " + os.strerror(ctypes.get_errno())
        with os.fdopen(self.ask[0]) as requests:
            for line in requests:
                try:
                    reply = {"error": problem} if problem else {"taken": run(json.loads(line))}
                except Failed as failed:
                    reply = {"error": str(failed)}
                os.write(self.answer[1], (json.dumps(reply) + "\n").encode())

    def run(self, argv):
        os.write(self.ask[1], (json.dumps(argv) + "\n").encode())
        reply = json.loads(self.lines.readline())
        if "error" in reply:
            raise Failed(reply["error"])
        return reply["taken"]

    def end(self):
        os.close(self.ask[1])
        os.waitpid(self.pid, 0)


# --- the language ---

def write_conf(path, count):
    """Defaults, variables, wildcards and dependencies, as a large site would have them."""
    with open(path, "w") as conf:
        conf.write('$jails = "/jails";\n$domain = "example.org";\n'
                   'path = "$jails/$name";\nhost.hostname = "$name.$domain";\n'
                   'exec.start = "/bin/sh /etc/rc";\nexec.stop = "/bin/sh /etc/rc.shutdown jail";\n'
                   'exec.clean; mount.devfs; persist;\nallow.raw_sockets;\n')
        for i in range(count):
            needs = f" depend = j{i // 2}, j{i - 1};" if i > 1 else ""
            conf.write(f'j{i} {{ $n = "{i // 256 % 256}.{i % 256}"; ip4.addr = "10.{i // 65536}.$n";{needs}\n'
                       f'    mount += "/data/$name $path/data nullfs rw 0 0"; children.max = {i % 7}; }}\n')


def measure_language(top):
    sizes = [10000, 5000, 1000]
    for size in sizes:
        write_conf(f"{top}/{size}.conf", size)
    whole, shown, inner = {n: [] for n in sizes}, {n: [] for n in sizes}, {n: [] for n in sizes}
    for _ in range(21):
        for size in sizes:
            whole[size].append(run([f"{bench}/language", f"{top}/{size}.conf"]))
            shown[size].append(run([f"{programs}/jail", "-f", f"{top}/{size}.conf", "-e", " "]))
            inner[size].append([float(word) for word in output(f"{bench}/language", f"{top}/{size}.conf").split()])
    for size in sizes:
        parts = [median(column) for column in zip(*inner[size])]
        row(f"{size} jails read, resolved, imported, ordered: a process", ms(median(whole[size])),
            "100 ms" if size == 10000 else "", median(whole[size]) <= 0.1 if size == 10000 else None)
        row("    in it: reading and resolving, import, order", f"{parts[1]:.1f} + {parts[2]:.1f} + {parts[3]:.1f} ms")
        row(f"    jail -e ' ' with {size}", ms(median(shown[size])))
    half = median(b / a for a, b in zip(whole[10000], whole[5000]))
    row("5,000 against 10,000", f"{half:.2f}", "0.5 (to 0.55)", half <= 0.55)


# --- one start and stop ---

def make_bundle(top, root):
    """A bundle that does what the jail does: own namespaces, /dev with devpts, shm and mqueue, /proc."""
    def mount(where, kind, *options):
        return {"destination": where, "type": kind, "source": kind, "options": list(options)}
    capabilities = ["CAP_CHOWN", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"]
    config = {
        "ociVersion": "1.0.0", "hostname": "x", "root": {"path": root, "readonly": False},
        "process": {"user": {"uid": 0, "gid": 0}, "args": ["/bin/true"], "env": ["PATH=/bin"], "cwd": "/",
                    "capabilities": {kind: capabilities for kind in ("bounding", "effective", "permitted")}},
        "mounts": [mount("/proc", "proc"), mount("/dev", "tmpfs", "nosuid", "mode=755", "size=64k"),
                   mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
                   mount("/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777"),
                   mount("/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev")],
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")]}}
    os.makedirs(f"{top}/bundle")
    with open(f"{top}/bundle/config.json", "w") as file:
        json.dump(config, file)
    return f"{top}/bundle"


def measure_start(top):
    root = make_root(top)
    bundle = make_bundle(top, root)
    elsewhere = Elsewhere()
    jail = f"{programs}/jail"
    parts = {"create": [], "remove": []}

    def ours():
        parts["create"].append(run([jail, "-c", "name=x", f"path={root}", *sorted(SPEC)]))
        parts["remove"].append(run([jail, "-R", "x"]))
        return parts["create"][-1] + parts["remove"][-1]

    number = iter(range(1 << 30))
    oci = lambda name, *options: lambda: elsewhere.run(
        [tool(name), *options, "run", "--bundle", bundle, f"bench-{os.getpid()}-{next(number)}"])
    ways = {
        "floor": lambda: run([f"{bench}/floor", root]),
        "jail": ours,
        "crun run": oci("crun", "--root", f"{top}/crun", "--cgroup-manager=disabled"),
        "bwrap": lambda: run([tool("bwrap"), "--bind", root, "/", "--unshare-pid", "--unshare-net", "--unshare-uts",
                              "--unshare-ipc", "--unshare-cgroup", "--proc", "/proc", "--dev", "/dev", "/bin/true"]),
        "systemd-nspawn": lambda: run([tool("systemd-nspawn"), "--quiet", f"--directory={root}", "--private-network",
                                       "--register=no", "--keep-unit", "/bin/true"]),
        "runc run": oci("runc", "--root", f"{top}/runc"),
    }
    times = {name: [] for name in ways}
    slow = {"systemd-nspawn", "runc run"}
    try:
        for turn in range(-3, ROUNDS):  # three to warm up
            for name, way in list(ways.items()):
                if name in slow and turn % 5:
                    times[name].append(None)
                    continue
                try:
                    times[name].append(way())
                except Failed as failed:
                    if name in ("floor", "jail"):
                        raise
                    del ways[name]
                    row(name, "cannot run here: " + str(failed)[:90])
    finally:
        elsewhere.end()
    for times_of in (*times.values(), *parts.values()):
        del times_of[:3]

    def ratio(name):
        return median(a / b for a, b in zip(times["jail"], times[name]) if b)

    row("jail -c vnet mount.devfs mount.procfs persist, jail -R",
        f"{ms(median(times['jail']))} ({ms(median(parts['create']))} + {ms(median(parts['remove']))})")
    row("the floor: clone3, mounts, pivot, exec, wait", ms(median(times["floor"])))
    row("jail against the floor", f"{ratio('floor'):.2f}", "2.00", ratio("floor") <= 2)
    for name in ways:
        if name in ("floor", "jail"):
            continue
        wanted = "" if name == "runc run" else "below 1.00"
        row(f"{name} /bin/true on the same tree", ms(median(t for t in times[name] if t)))
        row(f"    jail against {name}", f"{ratio(name):.2f}", wanted, ratio(name) < 1 if wanted else None)


# --- many ---

def mount_count():
    with open("/proc/self/mountinfo") as mounts:
        return sum(1 for _ in mounts)


def grow(name, start, stop):
    """MANY starts one after another; `jls` of all."""
    before = mount_count()
    taken = [start(i) for i in range(MANY)]
    mounts = mount_count() - before
    listing = median(run([f"{programs}/jls"]) for _ in range(21))
    count = len(output(f"{programs}/jls", "jid").splitlines())
    if count != MANY:
        raise Failed(f"{count} of {MANY} jails run")
    begin = time.perf_counter()
    stop()
    stopped = time.perf_counter() - begin
    first, last = median(taken[:20]), median(taken[-20:])
    row(f"{MANY} persistent jails with three mounts, {name}: starts", f"{ms(first)} first, {ms(last)} last")
    row("    the last 20 against the first 20", f"{last / first:.2f}", "1.20", last / first <= 1.2)
    row("    mounts that the host sees more", str(mounts), f"{MANY} pins + 1", mounts <= MANY + 1)
    row(f"    jls of {MANY}", ms(listing), "10 ms", listing <= 0.01)
    row("    their stop, one command", f"{stopped:.2f} s")


def measure_many(top):
    root = make_root(top)
    mounts = [f"{root}/data {root}/a nullfs ro 0 0", f"tmpfs {root}/b tmpfs rw,size=1m 0 0", f"{root}/data {root}/c nullfs rw 0 0"]
    conf = f"{top}/many.conf"
    with open(conf, "w") as file:
        file.write(f'path = "{root}"; persist; stop.timeout = 0;\n')
        file.writelines(f'mount += "{line}";\n' for line in mounts)
        file.writelines(f"m{i} {{ }}\n" for i in range(MANY))
    jail = f"{programs}/jail"
    grow("from the command line",
         lambda i: run([jail, "-c", f"name=m{i}", f"path={root}", "persist", *(f"mount={line}" for line in mounts)]),
         lambda: run([jail, "-R", "*"]))
    grow(f"from a file of {MANY}", lambda i: run([jail, "-f", conf, "-q", "-c", f"m{i}"]),
         lambda: run([jail, "-f", conf, "-q", "-r", "*"]))
    begin = time.perf_counter()
    run([jail, "-f", conf, "-q", "-c"])
    row(f"{MANY} jails with one jail -c", f"{time.perf_counter() - begin:.2f} s")
    run([jail, "-R", "*"])


# --- memory ---

def measure_memory(top):
    root = make_root(top)
    for i in range(IDLE):
        run([f"{programs}/jail", "-c", f"name=p{i}", f"path={root}", *sorted(SPEC)])
    base = output(f"{programs}/jls", "-j", "p0", "cgroup").strip().split("/")[1]
    sizes = []  # of all that is below the registry's group: nothing in these jails is not ours
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cgroup") as groups:
                if f"::/{base}/" in groups.read():
                    sizes.append(memory(pid))
        except OSError:
            continue  # somebody's that has gone meanwhile
    if len(sizes) < IDLE:
        raise Failed(f"{len(sizes)} processes of {IDLE} jails")
    each = sum(sizes) / IDLE
    row(f"{IDLE} idle jails: proportional memory of each, all processes of ours", f"{each:.0f} kB", "250 kB", each <= 250)
    row("    processes of ours on the host, each", f"{len(sizes) / IDLE:.2f}")
    run([f"{programs}/jail", "-R", "*"])


# --- all ---


def interrupted(number, _frame):
    raise KeyboardInterrupt(number)


def main():
    parts = {"language": measure_language, "start": measure_start, "many": measure_many, "memory": measure_memory,
             **inits.PARTS}
    chosen = sys.argv[3:] or list(parts)
    if os.geteuid() != 0:
        print("Without root: only the language.")
        chosen = ["language"]
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    for name in chosen:
        # A short name on a real file system, one for each part.
        top = tempfile.mkdtemp(prefix="cellblock-bench.")
        fast = tempfile.mkdtemp(prefix="cellblock-bench.", dir=memory_directory())
        os.environ.update(CELLBLOCK_DB=f"{top}/db", CELLBLOCK_RUN=f"{fast}/run", CELLBLOCK_LOG=f"{top}/log")
        try:
            print(f"{name} ...", file=sys.stderr, flush=True)
            parts[name](top)
        except Failed as problem:
            row(name, "FAILED: " + str(problem)[:100], "", False)
        finally:
            clean(top, fast)
    with open("/proc/cpuinfo") as cpus:
        model = next((line.split(":")[1].strip() for line in cpus if line.startswith("model name")), "unknown")
    print(f"{os.uname().release}, {os.cpu_count()} x {model}, load {os.getloadavg()[0]:.1f}")
    print_table()
    missed = sum(line[3] == "NO" for line in figures.table)
    print(f"{missed} missed" if missed else "all met")


try:
    main()
except KeyboardInterrupt:
    sys.exit("bench.py: interrupted; nothing was left behind")
