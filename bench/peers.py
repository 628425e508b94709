"""Who is measured as an init: jinit in a jail; s6 and runit, each as process 1 of a pid namespace. What they run is act.c, which
tells by a fifo when it began."""
import os
import select
import shutil
import subprocess
import time

from figures import Failed, bench, make_root, output, programs, run, tool

LIMIT = 60  # seconds for anything to happen
SUPERVISORS = {"jinit", "s6-svscan", "s6-supervise", "runsvdir", "runsv", "tini", "catatonit"}


def now():
    """Nanoseconds, as act.c has them."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def children(pid):
    return [int(word) for word in read(f"/proc/{pid}/task/{pid}/children").split()]


def descendants(pid):
    found = [pid]
    for one in found:
        try:
            found += children(one)
        except OSError:
            continue  # has gone meanwhile
    return found[1:]


def comm(pid):
    try:
        return read(f"/proc/{pid}/comm").strip()
    except OSError:
        return ""


def service_of(pid):
    """The name that it runs under, by its words or, where it is called `run`, its directory."""
    words = read(f"/proc/{pid}/cmdline").split("\0")
    return words[2] if os.path.basename(words[0]) == "act" else os.path.basename(os.readlink(f"/proc/{pid}/cwd"))


class Bell:
    """The fifo; both ends are open, so neither side ever waits for the other."""

    def __init__(self, path):
        self.path, self.rest, self.rung = path, b"", {}
        os.mkfifo(path)
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def more(self, seconds):
        if not select.select([self.fd], [], [], max(0.0, seconds))[0]:
            return
        *lines, self.rest = (self.rest + os.read(self.fd, 65536)).split(b"\n")
        for name, *numbers in map(bytes.split, lines):
            self.rung[name.decode()] = [int(number) for number in numbers]

    def hears(self, name, seconds):
        """Whether it has rung; waits so long at most."""
        if name not in self.rung:
            self.more(seconds)
        return name in self.rung

    def take(self, names):
        """The first number of each, once all have rung. They may ring again then."""
        end = time.monotonic() + LIMIT
        while missing := [name for name in names if name not in self.rung]:
            if time.monotonic() > end:
                raise Failed(f"{len(missing)} of {len(names)} not within {LIMIT} s: {missing[0]}")
            self.more(1)
        return [self.rung.pop(name)[0] for name in names]


class Jail:
    """One root, where etc/rc and bin/act report; jails on it with `init`."""

    def __init__(self, top):
        self.root = make_root(top)
        os.makedirs(f"{self.root}/var/log")
        shutil.copy(f"{bench}/act", f"{self.root}/bin/act")
        os.link(f"{self.root}/bin/act", f"{self.root}/etc/rc")
        self.bell = Bell(f"{self.root}/bell")

    def services(self, *blocks):
        with open(f"{self.root}/etc/jinit.conf", "w") as conf:
            conf.writelines(block + "\n" for block in blocks)

    def start(self, name="x", *words):
        words = words or ("init",)
        run([f"{programs}/jail", "-c", f"name={name}", f"path={self.root}", "vnet", "mount.devfs", "mount.procfs", *words])

    def end(self, name="x"):
        run([f"{programs}/jail", "-R", name])

    def processes(self, name="x"):
        """Process 1 and its warden."""
        number = output(f"{programs}/jls", "-j", name, "cgroup").strip().split("/")[-1]
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if read(f"/proc/{pid}/cmdline").startswith(f"jinit\0--warden\0{number}\0"):
                    return children(pid)[0], int(pid)
            except OSError:
                continue
        raise Failed(f"{name} has no warden")

    def running(self):
        """{service: pid}"""
        return {service_of(pid): pid for pid in children(self.processes()[0]) if comm(pid) == "act"}


class Contained:
    """A command in a pid namespace, of which it is process 1."""

    def __init__(self, words, bell):
        self.process = subprocess.Popen([tool("unshare"), "--pid", "--fork", "--kill-child", *words], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "BELL": bell.path})

    def process1(self):
        return children(self.process.pid)[0]

    def supervisors(self):
        return [pid for pid in descendants(self.process.pid) if comm(pid) in SUPERVISORS]

    def running(self):
        return {service_of(pid): pid for pid in descendants(self.process.pid) if comm(pid) == "run"}

    def end(self):
        for pid in children(self.process.pid):
            os.kill(pid, 9)
        self.process.wait()


NOTIFIES = ("notification-fd", "3\n")  # for s6
DOWN = ("down", "")


class Scan(Contained):
    """s6-svscan or runsvdir on a directory of services, which begins with ringing its name."""

    def __init__(self, top, program, names, bell, run_of=None, files=()):
        self.directory = f"{top}/{program}"
        shutil.rmtree(self.directory, ignore_errors=True)
        for name in names:
            os.makedirs(f"{self.directory}/{name}")
            self.make_service(f"{self.directory}/{name}", run_of and run_of(name))
            for file, text in files:
                with open(f"{self.directory}/{name}/{file}", "w") as out:
                    out.write(text)
        ready = [tool("env"), "READY=3"] if files else [tool("env"), "TOUCH=1"] if run_of else []
        super().__init__([*ready, f"{bench}/act", "then", program, tool(program), self.directory], bell)

    @staticmethod
    def make_service(directory, scripts):
        if not scripts:
            os.symlink(f"{bench}/act", f"{directory}/run")
        for name, text in (scripts or {}).items():
            with open(f"{directory}/{name}", "w") as file:
                file.write(text)
            os.chmod(f"{directory}/{name}", 0o755)
