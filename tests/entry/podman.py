#!/usr/bin/env python3
"""jinit as podman's --init and as the pause process of its pods: podman.py BINDIR. By hand; not one of ctest's.

Needs podman with crun or runc, and busybox; works in a store of its own and without networks. The last line is 'N passed, N failed';
exits 1 if one failed.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Terminal, Wrong, anonymous, read, same, until  # noqa: E402


class Podman:
    def __init__(self, work, jinit):
        self.work, self.jinit, self.root = work, jinit, f"{work}/root"
        for name in ("bin", "proc", "sys", "dev", "tmp", "etc", "run"):
            os.makedirs(f"{self.root}/{name}")
        os.makedirs(f"{work}/helpers")
        shutil.copy(jinit, f"{work}/helpers/catatonit")  # what a pod's pause image is made of
        with open(f"{work}/containers.conf", "w", encoding="utf-8") as f:
            # A host whose own limits are lower than podman's defaults starts nothing without.
            f.write('[containers]\ndefault_ulimits = ["nofile=20000:20000", "nproc=1000:1000"]\n'
                    f'[engine]\nhelper_binaries_dir = ["{work}/helpers", "/usr/lib/podman", "/usr/libexec/podman"]\n'
                    'cgroup_manager = "cgroupfs"\nevents_logger = "file"\n')
        shutil.copy(shutil.which("busybox"), f"{self.root}/bin/busybox")
        for name in ("sh", "sleep", "ps", "cat", "kill", "readlink"):
            os.symlink("busybox", f"{self.root}/bin/{name}")
        # crun refuses a host that has both versions of cgroups mounted.
        self.runtime = ["--runtime", "runc"] if shutil.which("runc") else []
        self.env = dict(os.environ, CONTAINERS_CONF=f"{work}/containers.conf")

    def words(self, *words):
        return ["podman", "--root", f"{self.work}/store", "--runroot", f"{self.work}/state", "--storage-driver", "vfs", *self.runtime, *words]

    def run(self, *words):
        done = subprocess.run(self.words(*words), capture_output=True, text=True, env=self.env, timeout=120, check=False)
        return done.returncode, done.stdout, done.stderr

    def new(self, *words):
        return ["run", "--network", "none", "--init", "--init-path", self.jinit, *words, "--rootfs", self.root]

    def started(self, *command, options=()):
        status, out, err = self.run(*self.new("-d", *options), *command)
        same((status, err), (0, ""))
        return out.strip()

    def pid(self, name):
        return int(self.run("inspect", "--format", "{{.State.Pid}}", name)[1])


def statuses(podman):
    for command, status in (("exit 7", 7), ("kill -9 $$", 137), ("exec /nonesuch", 127)):
        same(podman.run(*podman.new("--rm"), "/bin/sh", "-c", command)[0], status)
    same(podman.run(*podman.new("--rm"), "nonesuch")[0], 127)
    same(podman.run(*podman.new("--rm"), "/etc")[0], 126)


def is_process_1(podman):
    status, out, _ = podman.run(*podman.new("--rm"), "/bin/sh", "-c", "cat /proc/1/cmdline; echo; echo out > /proc/1/fd/1")
    same((status, out.split("\0")[:2]), (0, ["/run/podman-init", "--"]))
    same(out.endswith("out\n"), True)


def is_stopped_at_once(podman):
    """sleep has no handler for TERM: as process 1 it would sit out the ten seconds and be killed."""
    name = podman.started("sleep", "1000")
    began = time.monotonic()
    same(podman.run("stop", name)[0], 0)
    if time.monotonic() - began > 9:
        raise Wrong(f"{time.monotonic() - began:.1f} s")
    same(podman.run("inspect", "--format", "{{.State.ExitCode}}", name)[1], "143\n")
    podman.run("rm", name)


def orphans(podman):
    name = podman.started("/bin/sh", "-c", "i=0; while [ $i -lt 200 ]; do (sleep 0.1 &); i=$((i+1)); done; exec sleep 1000")
    pid = podman.pid(name)
    until(lambda: read(f"/proc/{children(pid)[0]}/cmdline").startswith("sleep\x001000"), "the command")
    until(lambda: len(children(pid)) == 1, "orphans reaped")
    same(podman.run("exec", name, "/bin/sh", "-c", "(sleep 0.1 &)")[0], 0)
    until(lambda: len(children(pid)) == 1, "the orphan of an exec reaped")
    print(f"{anonymous(pid)} kB anonymous under podman")
    podman.run("rm", "-f", "-t", "0", name)


def children(pid):
    return read(f"/proc/{pid}/task/{pid}/children").split()


def terminal(podman):
    t = Terminal(["env", f"CONTAINERS_CONF={podman.env['CONTAINERS_CONF']}", *podman.words(*podman.new("--rm", "-it")), "/bin/sh"])
    t.sees("/ # ")
    t.asks("sh -c 'echo r$((1+1)); exec cat'\n", "r2\r\n")  # what is typed while a shell changes the modes may be lost
    t.asks("one\n", "one\r\none\r\n")
    t.asks("\003", "/ # ")
    t.asks("readlink /proc/self/fd/0\n", "/dev/(pts/0|console)")
    t.types("exit 5\n")
    same(t.ends(), 5)
    Terminal.close_all()


def pod(podman):
    """The pause image that podman builds holds `catatonit -P`: ours."""
    status, _, err = podman.run("pod", "create", "--network", "none", "--name", "p", "--share", "pid,ipc")
    same((status, err), (0, ""))
    status, _, err = podman.run("pod", "start", "p")
    same((status, err), (0, ""))
    name = podman.run("ps", "-a", "--filter", "pod=p", "--format", "{{.Names}}")[1].split()[0]
    pid = podman.pid(name)
    same(read(f"/proc/{pid}/cmdline"), "/catatonit\0-P\0")
    same(podman.run("run", "--rm", "--pod", "p", "--rootfs", podman.root, "/bin/sh", "-c", "(sleep 0.1 &); exit 3")[0], 3)
    until(lambda: not children(pid), "the orphan of a pod's process reaped")
    same(podman.run("pod", "stop", "-t", "20", "p")[0], 0)
    same(podman.run("inspect", "--format", "{{.State.ExitCode}}", name)[1], "0\n")


def main():
    bindir = os.path.abspath((sys.argv[1:] or sys.exit(__doc__))[0])
    if not shutil.which("podman"):
        print("podman is not installed: nothing tried\n0 passed, 0 failed")
        return 0
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="entry.") as work:
        podman = Podman(work, f"{bindir}/jinit")
        for case in (statuses, is_process_1, is_stopped_at_once, orphans, terminal, pod):
            try:
                case(podman)
                passed += 1
            except (Wrong, OSError, ValueError, IndexError, subprocess.SubprocessError) as wrong:
                failed += 1
                print(f"FAILED {case.__name__}: {wrong}", flush=True)
        podman.run("pod", "rm", "-f", "-a", "-t", "0")
        podman.run("rm", "-f", "-a", "-t", "0")
        podman.run("rmi", "-f", "-a")
        podman.run("unshare", "rm", "-rf", f"{work}/store")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
