"""What the cases have: inits and their processes, terminals, and waiting for things with an end to it."""
import os
import re
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, f"{os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}/lives")
import screen  # noqa: E402
from screen import Wrong, same, until  # noqa: E402,F401

ENV = {"PATH": "/sbin:/bin:/usr/sbin:/usr/bin", "HOME": "/root", "LC_ALL": "C"} | screen.PLAIN
INSIDE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
# As a container's runtime starts it: process 1, leader of a session that has the terminal.
RUNTIME = [*INSIDE, "setsid", "--ctty"]


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


class Init:
    """An init, its words before `--`, and whether it is to be process 1."""

    def __init__(self, words, inside):
        self.words, self.inside, self.running = words, inside, []
        self.name = os.path.basename(words[0])

    def line(self, command, options=()):
        return [*(INSIDE if self.inside else []), *self.words, *options, *(["--", *command] if command else [])]

    def status(self, command, options=(), **how):
        done = subprocess.run(self.line(command, options), capture_output=True, text=True, timeout=60, check=False, **how)
        self.said = done.stdout, done.stderr
        return done.returncode

    def start(self, command, options=(), **how):
        """The process, and the init's number."""
        child = subprocess.Popen(self.line(command, options), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True, **how)
        self.running.append(child)
        return child, self.find(child.pid)

    def find(self, pid):
        """The number of our init among `pid` and its descendants, once it has a child or has settled: it hears what is sent to it."""
        found = []

        def there():
            seen = [pid]
            for one in seen:
                try:
                    children = read(f"/proc/{one}/task/{one}/children").split()
                    seen += map(int, children)
                    called = os.path.basename(read(f"/proc/{one}/cmdline").split("\0")[0])
                    if called == self.name and (os.readlink(f"/proc/{one}/cwd") == "/" or (children and "-P" not in
                                                                                        read(f"/proc/{one}/cmdline"))):
                        found.append(one)
                        return True
                except OSError:
                    pass
            return False

        until(there, f"{self.name} below {pid}")
        return found[0]

    def close(self):
        """Ends all that the case has left: we adopt, so all of it is below us."""
        while left := descendants(os.getpid())[1:]:
            for number in left:
                try:
                    os.kill(number, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            for child in self.running:
                child.wait()
            try:
                while os.waitpid(-1, 0):
                    pass
            except ChildProcessError:
                pass
        for child in self.running:
            for stream in (child.stdin, child.stdout):
                if stream:
                    stream.close()
        self.running = []


def descendants(pid):
    found = [pid]
    for one in found:
        try:
            found += map(int, read(f"/proc/{one}/task/{one}/children").split())
        except OSError:
            pass
    return found


def field(pid, name, kind="status"):
    found = re.search(rf"^{name}:\s*(\S+)", read(f"/proc/{pid}/{kind}"), re.M)
    return found and found[1]


def anonymous(pid):
    return int(field(pid, "Anonymous", "smaps_rollup"))


class Terminal(screen.Terminal):
    def __init__(self, words):
        super().__init__(words, ENV)
