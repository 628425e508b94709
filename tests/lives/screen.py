"""A terminal and the program on it, as a person has them: keys, what is shown, a window; and waiting with an end to it."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

PLAIN = {"TERM": "dumb", "PS1": "host$ ", "SHELL": "/bin/sh"}
LIMIT = int(os.environ.get("LIMIT", 20))  # seconds for anything to happen


class Wrong(Exception):
    pass


def same(got, want):
    if got != want:
        raise Wrong(f"{got!r} in the place of {want!r}")


def until(true, what):
    end = time.monotonic() + LIMIT
    while not true():
        if time.monotonic() > end:
            raise Wrong(f"not within {LIMIT} s: {what}{Terminal.context()}")
        time.sleep(0.01)


class Terminal:
    """A terminal whose session leader is a program. `shown` is what it has shown since the last thing that was awaited."""

    open = []
    context = staticmethod(lambda: "")  # what belongs behind the text of a failure

    def __init__(self, words, env, rows=24, columns=80):
        self.shown, self.gone = "", False
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(words[0], words, env)
        Terminal.open.append(self)

    def read(self):
        try:
            piece = os.read(self.master, 65536)
        except OSError:
            piece = b""
        self.gone = piece == b""
        self.shown += piece.decode(errors="replace")

    def more(self, end):
        """Waits for more to be shown. False: there was none before the end, or nobody has the terminal any more."""
        if self.gone or not select.select([self.master], [], [], max(0.0, end - time.monotonic()))[0]:
            return False
        self.read()
        return not self.gone

    def sees(self, pattern, seconds=None):
        """Waits until the terminal shows that, takes all up to its end, and returns the match."""
        end = time.monotonic() + (seconds or LIMIT)
        while not (found := re.search(pattern, self.shown)):
            if not self.more(end):
                raise Wrong(f"no {pattern!r} in {self.shown!r}{Terminal.context()}")
        self.shown = self.shown[found.end():]
        return found

    def types(self, text):
        os.write(self.master, text.encode())

    def asks(self, text, pattern):
        """Each answer is awaited: what is typed while a shell changes the terminal's modes may be lost."""
        self.types(text)
        return self.sees(pattern)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def ends(self, seconds=None):
        """The exit status of the session's leader. What it shows meanwhile is read: a terminal that is full would hold it up."""
        end = time.monotonic() + (seconds or LIMIT)
        leader = os.pidfd_open(self.pid)
        try:
            while leader not in (ready := select.select([leader, *([] if self.gone else [self.master])], [], [],
                                                        max(0.0, end - time.monotonic()))[0]):
                if not ready:
                    raise Wrong(f"no end; shown: {self.shown!r}{Terminal.context()}")
                self.read()
        finally:
            os.close(leader)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = 0
        while self.more(time.monotonic()):
            pass
        return status

    def close(self):
        if self not in Terminal.open:
            return
        Terminal.open.remove(self)
        os.close(self.master)
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    @classmethod
    def close_all(cls):
        for terminal in list(cls.open):
            terminal.close()
