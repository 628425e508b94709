"""A host for one test alone: own mounts, network, pids, ipc, names and groups; fresh /run, /var and /tmp; places to lend.

A test calls enter(), which starts it again inside and takes everything away afterwards, also when it is interrupted.
Inside, /mnt/bin holds the programs, /mnt/r1 to /mnt/r4 are roots with a busybox, /mnt/work is scratch, `va` and `vb` are a
veth pair with addresses, routes and settings, and we are process 1, so every orphan is ours to reap.
"""
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
from run_lifecycle import make_root  # noqa: E402
import fingerprint as fp  # noqa: E402

DB, RUN, LOG = "/var/db/lives", "/run/lives", "/var/log/lives"
WORK = "/mnt/work"
ENV = {"PATH": "/mnt/bin:/sbin:/bin:/usr/sbin:/usr/bin", "HOME": "/root", "LC_ALL": "C", "CELLBLOCK_DB": DB, "CELLBLOCK_RUN": RUN,
       "CELLBLOCK_LOG": LOG, "ASAN_OPTIONS": "detect_leaks=0"}
NET = """
link set lo up
addr add 10.66.0.1/24 dev lo
link add va type veth peer name vb
link set va mtu 1400 alias uplink
addr add 192.0.2.1/24 dev va
addr add 192.0.2.2/24 dev va
addr add 2001:db8::1/64 dev va
link set va up
link set vb up
addr add 192.0.2.99/24 dev vb
route add 198.51.100.0/24 via 192.0.2.254 dev va
route add 203.0.113.0/24 via 192.0.2.253 dev va table 77 metric 5
rule add from 192.0.2.1 lookup 77
"""
# No address waits for its check for duplicates; and one setting that has to come back with the interface.
SETTINGS = {"net/ipv6/conf/all/accept_dad": "0", "net/ipv6/conf/default/accept_dad": "0", "net/ipv4/conf/default/forwarding": "1"}


# --- outside: the way in, and the way back ---

def enter(bindir, killer=""):
    """Outside: runs this program again inside, cleans up, and exits with its status. Inside: returns."""
    if os.environ.get("LIVES_INSIDE"):
        return
    if os.geteuid() != 0:
        sys.exit("lives: only root can make jails")
    for tool in ("busybox", "ip", "unshare"):
        shutil.which(tool) or sys.exit(f"lives: {tool} is needed on the PATH")
    unified = next((p for p in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified") if os.path.exists(p + "/cgroup.procs")), None)
    if not unified:
        sys.exit("lives: cgroup v2 is not mounted here")
    for old in os.listdir(unified):  # of one that was killed
        if re.match(r"lives\.\d+$", old) and not os.path.exists(f"/proc/{old[6:]}"):
            take_away(None, f"{unified}/{old}")
    group = f"{unified}/lives.{os.getpid()}"
    os.mkdir(group)
    env = dict(os.environ, LIVES_INSIDE=group, LIVES_BIN=os.path.abspath(bindir),
               LIVES_KILLER=os.path.abspath(killer or shutil.which("busybox")))

    def prepare():  # in the child: born in the group, gone when we are
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        with open(f"{group}/cgroup.procs", "w") as f:
            f.write("0")

    child = None
    status = 1
    try:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(1))
        child = subprocess.Popen(["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child",
                                  "--mount-proc", sys.executable, os.path.abspath(sys.argv[0]), *sys.argv[1:]], env=env,
                                 preexec_fn=prepare, stdin=subprocess.DEVNULL)
        status = child.wait()
    except KeyboardInterrupt:
        status = 130
    finally:
        take_away(child, group)
    sys.exit(status)


def take_away(child, group):
    with open(f"{group}/cgroup.kill", "w") as f:
        f.write("1")
    if child:
        child.wait()
    for _ in range(200):
        for directory, _, _ in os.walk(group, topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                pass
        if not os.path.exists(group):
            break
        time.sleep(0.02)  # processes that were killed are still ending


# --- inside ---

def ip(lines):
    done = subprocess.run(["ip", "-batch", "-"], input=lines, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"lives: ip: {done.stderr}")


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def make_net():
    for name, value in SETTINGS.items():
        with open(f"/proc/sys/{name}", "w") as f:
            f.write(value)
    ip(NET)
    with open("/proc/sys/net/ipv4/conf/default/forwarding", "w") as f:
        f.write("0")


def build():
    """Inside, once: the host that the lives are lived on."""
    group, bindir = os.environ["LIVES_INSIDE"], os.open(os.environ["LIVES_BIN"], os.O_PATH)
    killer, busybox = os.open(os.environ["LIVES_KILLER"], os.O_RDONLY), os.open(shutil.which("busybox"), os.O_RDONLY)
    # Hosts that systemd has booted share their mounts, so whatever escaped from a view would be seen here.
    mount("--make-rshared", "/")
    mount("-t", "tmpfs", "lives", "/mnt")
    os.makedirs("/mnt/bin")
    mount("--no-canonicalize", "--bind", f"/proc/{os.getpid()}/fd/{bindir}", "/mnt/bin")
    os.makedirs(WORK)
    for fd, name in ((killer, "killer"), (busybox, "busybox")):
        with open(f"/proc/self/fd/{fd}", "rb") as f, open(f"{WORK}/{name}", "wb") as copy:
            shutil.copyfileobj(f, copy)
        os.chmod(f"{WORK}/{name}", 0o755)
    for fd in (bindir, killer, busybox):
        os.close(fd)
    for path in ("/tmp", "/run", "/var", "/dev/shm", "/dev/mqueue"):
        if not os.path.isdir(path):
            continue
        # What others mount there vanishes here too when they remove its directory.
        for line in reversed(fp.read("/proc/self/mounts").splitlines()):
            if line.split()[1].startswith(path + "/"):
                subprocess.run(["umount", "-l", line.split()[1]], check=False)
        mount("-t", "tmpfs", "lives", path)
    for path in ("/var/db", "/var/log", "/var/tmp"):
        os.mkdir(path)
    os.chmod("/tmp", 0o1777)
    unified = os.path.dirname(group)
    subprocess.run(["umount", unified], check=True)  # the same file system twice in one place is refused
    mount("-t", "cgroup2", "cgroup2", unified)  # its root is our group: all that we make is below it
    for n in range(1, 5):
        make_root(f"/mnt/r{n}", f"{WORK}/busybox")
    make_net()


def root_has_sh():
    """Inside: the root user's shell is /bin/sh, as in the recorded cases; only we see it."""
    with open(f"{WORK}/passwd", "w", encoding="utf-8") as f:
        f.write(re.sub(r"^(root:.*:).*$", r"\1/bin/sh", fp.read("/etc/passwd"), flags=re.MULTILINE))
    mount("--bind", f"{WORK}/passwd", "/etc/passwd")


def run(words, timeout=60, env=None):
    """(status, standard error, standard output); status None: it did not end in time. What it leaves running is not waited for."""
    # Files of its own: what an earlier command left may still write.
    with tempfile.TemporaryFile(dir=WORK) as err, tempfile.TemporaryFile(dir=WORK) as out:
        process = subprocess.Popen(words, env=dict(ENV, **(env or {})), cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            status = None
        texts = []
        for file in (err, out):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
        if status is None:
            texts[0] += who_waits()
            process.kill()
            process.wait()
    return status, *texts


def who_waits():
    return "".join(f"\n   {pid} {fp.read(f'/proc/{pid}/cmdline').replace(chr(0), ' ')}: {fp.read(f'/proc/{pid}/wchan')}, "
                   f"{fp.read(f'/proc/{pid}/syscall').strip()}" for pid in fp.pids() if pid != "1")


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def look(interfaces=("va", "vb")):
    reap()
    return fp.fingerprint({os.getpid()}, interfaces)


def settle(before, seconds=5.0):
    """What is different from `before`, once it had time to end: what was killed ends a moment later."""
    end = time.monotonic() + seconds
    pause = 0.002
    swept = False
    while True:
        now = look()
        if now == before or time.monotonic() > end:
            return fp.difference(before, now)
        # What a hook left running keeps its group, which the next command after its end takes away.
        only_hooks = now > before and all(re.match(r"group .*/cellblock\.\w+(/\w+\.hook(/\w+)?)?$", x) for x in now - before)
        if only_hooks and not swept and end - time.monotonic() < seconds - 0.1:
            swept = True
            run(["/mnt/bin/jail", "--recover"])
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def end_daemons():
    """Ends what hooks have started to stay."""
    for pid in fp.pids():
        if fp.read(f"/proc/{pid}/cmdline").startswith("sleep\0001000"):
            os.kill(int(pid), signal.SIGKILL)
    reap()


def scrub():
    """Takes away whatever a bug has left, so that the next life begins as the first."""
    for _ in range(3):
        run(["/mnt/bin/jail", "-qR", "*"], timeout=30)
    for pid in fp.pids():
        if pid != "1":
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
    for _ in range(200):
        reap()
        if len(fp.pids()) == 1:
            break
        time.sleep(0.01)
    for line in reversed(fp.read("/proc/self/mounts").splitlines()):
        if line.split()[1].startswith((RUN, "/mnt/r")):
            subprocess.run(["umount", "-l", line.split()[1]], check=False)
    if not os.path.isdir("/proc/sys/net/ipv4/conf/va"):  # lost with a network namespace: new ones
        subprocess.run(["ip", "rule", "del", "from", "192.0.2.1"], check=False)
        subprocess.run(["ip", "addr", "flush", "dev", "lo"], check=False)
        make_net()
    for path in (DB, RUN):
        shutil.rmtree(path, ignore_errors=True)
    for directory, _, _ in os.walk(os.path.dirname(os.environ["LIVES_INSIDE"]), topdown=False):
        try:
            os.rmdir(directory)
        except OSError:
            pass


def run_cases(cases, run_case, first_look, verbose=False, failed=0):
    """Runs each of {name: case} by run_case(case, before), which yields what is wrong with it, as text; prints that, or the time it
    took, and the last line of a runner. After a failure the host is scrubbed and looked at anew. Yields the exit status."""
    before, passed = first_look(), 0
    for name, case in cases.items():
        began = time.monotonic()
        wrong = run_case(case, before)
        passed, failed = passed + (not wrong), failed + bool(wrong)
        if wrong:
            print(f"FAILED {name}: {wrong}", flush=True)
            scrub()
            before = first_look()
        elif verbose:
            print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0
