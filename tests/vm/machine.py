"""A machine of QEMU: two cores without KVM, no network, an initrd and disks. Its second serial port is what it has to say."""
import os
import select
import subprocess
import time


class Machine:
    """Runs until it is cut or has switched itself off; always to be used in a `with`."""

    def __init__(self, kernel, initrd, suite, log, drives=(), memory=512, more=""):
        # The first serial port, with the kernel's own words, goes to a file, for whoever has to find out.
        words = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", str(memory), "-smp", "2", "-no-reboot",
                 "-display", "none", "-monitor", "none", "-nic", "none", "-kernel", kernel, "-initrd", initrd, "-append",
                 f"console=ttyS0 loglevel=4 panic=-1 vm={suite} {more}".strip(), "-serial", f"file:{log}", "-serial", "stdio"]
        for drive in drives:
            words += ["-drive", f"file={drive},format=raw,if=virtio,cache=writeback"]
        self.suite, self.log, self.begun, self.rest = suite, log, time.monotonic(), b""
        self.lines = []
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()

    def cut(self):
        """The end of power, now."""
        self.process.kill()
        self.process.wait()

    def is_on(self, seconds=5.0):
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def read(self, until=None, seconds=300.0):
        """Yields lines until one begins with `until`, the machine ends, or the time is over (None then, as the last)."""
        end = time.monotonic() + seconds
        out = self.process.stdout.fileno()
        while True:
            while b"\n" in self.rest:
                line, _, self.rest = self.rest.partition(b"\n")
                text = line.decode(errors="replace").rstrip("\r")
                self.lines.append(text)
                yield text
                if until is not None and text.startswith(until):
                    return
            if not select.select([out], [], [], max(0.0, end - time.monotonic()))[0]:
                yield None
                return
            more = os.read(out, 65536)
            if not more:
                return
            self.rest += more

    def wait_for(self, word, seconds=120.0):
        """True when a line that begins with `word` came."""
        return any(line is not None and line.startswith(word) for line in self.read(word, seconds))
