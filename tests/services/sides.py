"""Supervisors side by side: the same service directories under s6-svscan or runsvdir, and under `jinit --services`.

A directory's scripts write lines to REC; what the tools say is kept with its numbers of processes and seconds taken out.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", suite) for suite in ("entry", "lives")]
import fingerprint as fp  # noqa: E402, F401
from harness import INSIDE, Wrong, read, same, until  # noqa: E402, F401  the cases have them from here

ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/"}


class Side:
    """One supervisor on a directory of its own; `command` is what begins it, but for the directory."""

    def __init__(self, command):
        self.command, self.process, self.kept = command, None, []
        self.top = tempfile.mkdtemp(prefix="services.")
        self.scan, self.rec = f"{self.top}/scan", f"{self.top}/rec"
        os.mkdir(self.scan)
        self.env = ENV | {"REC": self.rec, "TOP": self.top}

    def put(self, path, text, mode=0o644):
        full = f"{self.scan}/{path}"
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full + "_", "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(full + "_", mode)
        os.rename(full + "_", full)

    def script(self, path, body):
        self.put(path, f"#!/bin/sh\n{body}\n", 0o755)

    def start(self, before=None):
        """`before`: what the process does before it executes."""
        with open(f"{self.top}/said", "wb") as said:
            self.process = subprocess.Popen([*self.command, self.scan], env=self.env, stdin=subprocess.DEVNULL, stdout=said,
                                            stderr=said, start_new_session=True, preexec_fn=before)

    def begin(self):
        """Returns when each directory is supervised."""
        self.start()
        for path, _, names in os.walk(self.scan):
            if "run" in names:
                until(lambda: self.tool("s6-svok", path)[0] == 0 or os.path.exists(f"{path}/supervise/ok"), f"{path} is supervised")

    def said(self):
        return read(f"{self.top}/said")

    def lines(self):
        return read(self.rec).splitlines() if os.path.exists(self.rec) else []

    def sees(self, line, count=1):
        until(lambda: self.lines().count(line) >= count, f"{self.command[0]}: {count} times {line!r} in {self.lines()}; {self.said()}")

    def let(self, gate):
        """A script waits for that with `until [ -e $TOP/GATE ] ...`."""
        with open(f"{self.top}/{gate}", "w", encoding="utf-8"):
            pass

    def tool(self, *words):
        """(status, what it says) of a tool in the directory of services."""
        done = subprocess.run(words, cwd=self.scan, env=self.env, capture_output=True, text=True, timeout=60, check=False)
        text = (done.stdout + done.stderr).replace(self.top, "")
        return done.returncode, re.sub(r"\b\d+s\b", "Ns", re.sub(r"\d+ seconds", "N seconds", re.sub(r"pid \d+", "pid N", text)))

    def keep(self, *words):
        self.kept.append(self.tool(*words))

    def status(self, name):
        return self.tool("s6-svstat", name)[1]

    def pid(self, name):
        return int(self.tool("s6-svstat", "-o", "pid", name)[1])

    def record(self):
        """What both sides have to have the same."""
        return self.lines(), self.kept

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM if "jinit" in " ".join(self.command) else signal.SIGHUP)
            try:
                self.process.wait(5 if "jinit" in " ".join(self.command) else 0.2)
            except subprocess.TimeoutExpired:
                pass
        for pid in self.left():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.process:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.top)

    def left(self):
        """Whatever of it lives: all have its directory in their environment."""
        mark, found = f"TOP={self.top}\0".encode(), []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if mark in f.read():
                        found.append(int(pid))
            except OSError:
                pass
        return found
