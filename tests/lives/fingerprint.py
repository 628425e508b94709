"""The fingerprint: what a jail could leave on a host, as a set of lines. Two of one host are equal unless something stayed.

For use inside lives.world: an own mount, network, pid and cgroup namespace, so that all that can be seen is ours. It names:
mounts of every mount namespace that has a process or is pinned; a census of namespaces (processes, descriptors, pins);
links with aliases, addresses with flags, routes of all tables, rules, settings of interfaces; loop devices; groups of v2 and
v1; unix sockets; the files below /run, /var, /tmp and the jails' roots
with their contents; System V and POSIX ipc; live processes (a zombie is none). What others on the machine
change too is counted by whole_host: the nft ruleset, BPF programs and links, keyrings, objects of the kernel. What it leaves out is in the constants.
"""
import ctypes
import os
import re
import subprocess

# Places whose contents are a test's own, or only tell what ran last: a number that counts up, the pid of a lock's holder.
SCRATCH = ("/mnt/bin", "/mnt/work")
FILES = ("/run", "/var", "/tmp", "/mnt", "/dev/shm", "/dev/mqueue")
COUNTERS = {"index": lambda text: re.sub(r"^index 1 \d+", "index 1 N", text), "lock": lambda text: ""}
# A link's carrier follows a change of its peer by up to a second (linkwatch), and says nothing about what we left.
CARRIER = re.compile(r",?(NO-CARRIER|LOWER_UP|M-DOWN)| state \w+| linkdown| dead|\\ +")


def read(path):
    try:
        with open(path, errors="surrogateescape") as f:
            return f.read()
    except OSError:
        return ""


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


def output(*command, stdin=""):
    try:
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False).stdout.splitlines()
    except FileNotFoundError:
        return [f"{command[0]} is not here"]


def stat_of(pid):
    """The fields of its stat behind the command, the state first (proc(5)); none: there is no such process."""
    return read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def ticks(pid):
    """Of the processor, that it has used."""
    return sum(map(int, stat_of(pid)[11:13]))


def is_zombie(pid):
    return stat_of(pid)[:1] in (["Z"], ["X"], [])


def pids():
    return [p for p in os.listdir("/proc") if p.isdigit() and not is_zombie(p)]


def processes(own):
    for pid in pids():
        if int(pid) not in own:
            yield f"process {pid}: {read(f'/proc/{pid}/cmdline').replace(chr(0), ' ').strip()} in " \
                  f"{read(f'/proc/{pid}/cgroup').strip().splitlines()[-1:]}"


def mounts(text):
    for line in text.splitlines():
        fields = line.split()
        yield " ".join([fields[3], fields[4], fields[5]] + [re.sub(r":\d+$", "", f) for f in fields[6:]])


def namespaces():
    """Every namespace that a process is in, holds open, or that is pinned; and the mounts of each mount namespace."""
    found, seen = set(), set()
    for pid in pids():
        for kind in ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts"):
            name = link(f"/proc/{pid}/ns/{kind}")
            if name:
                found.add(f"namespace {name}")
            if kind == "mnt" and name and name not in seen:
                seen.add(name)
                found |= {f"mount in {name}: {line}" for line in mounts(read(f"/proc/{pid}/mountinfo"))}
        try:
            descriptors = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        found |= {f"namespace {t}" for t in (link(f"/proc/{pid}/fd/{fd}") for fd in descriptors) if re.match(r"\w+:\[\d+\]$", t)}
    return found


def network():
    batch = "link show\naddr show\nroute show table all\nrule show\n"
    lines = [f"net: {CARRIER.sub('', line)}" for line in output("ip", "-o", "-d", "-batch", "-", stdin=batch)]
    for line in read("/proc/net/ipv6_route").splitlines():
        f = line.split()
        lines.append("net: route6 " + " ".join(f[:6] + f[8:]))
    for line in read("/proc/net/if_inet6").splitlines():
        lines.append("net: address6 " + line)
    return lines


def settings(interface):
    for family in ("ipv4", "ipv6"):
        for kind in ("conf", "neigh"):
            directory = f"/proc/sys/net/{family}/{kind}/{interface}"
            for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
                if name != "stable_secret":
                    yield f"setting {directory}/{name}: {read(f'{directory}/{name}').strip()}"


def groups():
    for top, directories, _ in os.walk("/sys/fs/cgroup"):
        directories[:] = [d for d in directories if d != "process_api"]
        yield f"group {top}"


def files():
    for start in FILES:
        for top, directories, names in os.walk(start):
            directories[:] = [d for d in directories if f"{top}/{d}" not in SCRATCH]
            for name in directories + names:
                path = f"{top}/{name}"
                try:
                    status = os.lstat(path)
                except OSError:
                    continue
                text = link(path) if os.path.islink(path) else ""
                if os.path.isfile(path) and not text and status.st_size < 65536 and not path.endswith("/bin/busybox"):
                    text = COUNTERS.get(name, str)(read(path))
                yield f"file {path} {status.st_mode:o} {status.st_uid}:{status.st_gid} {text!r}"


def bpf():
    """Ids of programs (11) and links (31), by bpf(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    for command, kind in ((11, "program"), (31, "link")):
        attributes = (ctypes.c_uint32 * 16)()
        while libc.syscall(321, command, attributes, 64) == 0:
            yield f"bpf {kind} {attributes[1]}"
            attributes[0] = attributes[1]


def loops():
    for name in os.listdir("/sys/block"):
        backing = read(f"/sys/block/{name}/loop/backing_file").strip()
        if backing.startswith("/mnt"):  # others on this machine have theirs
            yield f"loop {name}: {backing}"


def fingerprint(own=(), interfaces=()):
    """The lines. `own`: pids of the test; `interfaces`: whose settings are looked at."""
    lines = set(processes(own)) | namespaces() | set(network()) | set(groups()) | set(files()) | set(loops())
    for interface in interfaces:
        lines |= set(settings(interface))
    lines |= {f"socket {line.split()[7]}" for line in read("/proc/net/unix").splitlines()[1:] if len(line.split()) > 7}
    lines |= {f"sysv {kind}: {' '.join(line.split()[:2])}" for kind in ("msg", "sem", "shm")
              for line in read(f"/proc/sysvipc/{kind}").splitlines()[1:]}
    return lines


def whole_host():
    """What costs more, or is not ours alone: {what: how many or what}. For the begin and the end of many lives."""
    found = {"nft ruleset": output("nft", "list", "ruleset"), "loop devices": output("losetup", "-a")}
    found["bpf"] = len(list(bpf()))
    keys = read("/proc/keys").splitlines()
    found["keyrings"] = sum("_ses" in line for line in keys)
    for line in read("/proc/slabinfo").splitlines():
        name, *numbers = line.split()
        if name in ("mnt_cache", "net_namespace", "pid_namespace", "uts_namespace", "user_namespace", "mnt_namespace"):
            found[name] = int(numbers[0])
    return found


def difference(before, after):
    lines = sorted(f"+ {x}"[:400] for x in after - before) + sorted(f"- {x}"[:400] for x in before - after)
    return lines[:25] + ([f"... and {len(lines) - 25} lines more"] if len(lines) > 25 else [])
