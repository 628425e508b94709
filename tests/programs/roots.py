"""The jail's root for each program that is process 1, and what there is to know of it.

All roots write `start` and `stop` to /var/log/witness by something that only the program's own boot and shutdown run.
"""
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Callable

sys.dont_write_bytecode = True
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [f"{TESTS}/trees", f"{TESTS}/init"]
import box  # noqa: E402
import host  # noqa: E402
import world  # noqa: E402
from starts import SECRET  # noqa: E402

GETTY = "#!/bin/sh\nexec /sbin/agetty --noclear console 115200 < /dev/console > /dev/console 2>&1\n"


@dataclass
class Program:
    """`lower`: layers of an overlay, or none: busybox's root. `prepare` writes what is the jail's own. The others are commands inside:
    `asks` what it is to say of itself, and the answer; for another boot, and for the end."""
    name: str
    lower: tuple
    path: str
    stop_signal: str
    prepare: Callable
    asks: tuple
    again: str = "reboot"
    off: str = "poweroff"


def lay(program):
    if not program.lower:
        box.fresh_root()
    else:
        for part in ("upper", "work", "root"):
            os.makedirs(f"{world.WORK}/{part}", exist_ok=True)
        lower = ":".join(f"{host.TREES}/{layer}" for layer in program.lower)
        world.mount("-t", "overlay", "-o", f"lowerdir={lower},upperdir={world.WORK}/upper,workdir={world.WORK}/work", "tree", box.ROOT)
        if os.path.exists(box.HOOKS):
            os.unlink(box.HOOKS)
    program.prepare()


def link(path, target):
    os.makedirs(os.path.dirname(f"{box.ROOT}/{path}"), exist_ok=True)
    os.symlink(target, f"{box.ROOT}/{path}")


def busybox():
    box.put("etc/inittab", "::sysinit:/etc/boot\n::shutdown:/etc/down\nconsole::respawn:/bin/getty 0 console vt100\n", 0o644)
    box.script("etc/boot", "echo start >> /var/log/witness")
    box.script("etc/down", "echo stop >> /var/log/witness")
    box.put("etc/passwd", f"root:{SECRET}:0:0:root:/:/bin/sh\n", 0o600)
    for name in ("getty", "login"):
        link(f"bin/{name}", "busybox")
    link("sbin/init", "../bin/busybox")


def sysvinit():
    inittab = host.text("etc/inittab").replace("38400 tty1", "38400 console")
    box.put("etc/inittab", "".join(line for line in inittab.splitlines(True) if " tty" not in line), 0o644)


def openrc():
    link("etc/init.d/agetty.console", "agetty")
    link("etc/runlevels/default/agetty.console", "/etc/init.d/agetty.console")


def runit():
    box.put("etc/runit/runsvdir/default/getty-console/run", GETTY)
    link("etc/runit/runsvdir/current", "default")
    box.script("etc/runit/ctrlaltdel", "install -m100 /dev/null /run/runit.stopit")


def s6():
    """As s6-overlay has it: /init sets up, becomes s6-svscan, and that becomes `finish`."""
    box.script("init", "exec < /dev/console > /dev/console 2>&1\necho start >> /var/log/witness\nmkdir -p /run/service\n"
                       "cp -a /etc/s6/. /run/service\nexec s6-svscan /run/service")
    box.put("etc/s6/getty/run", GETTY)
    box.script("etc/s6/.s6-svscan/finish", "echo stop >> /var/log/witness\n[ -e /run/again ] && exec /sbin/reboot -f\n"
                                            "exec /sbin/poweroff -f")
    box.script("usr/local/bin/again", ": > /run/again\nexec s6-svscanctl -t /run/service")


PROGRAMS = [
    Program("busybox", (), "/sbin/init", "USR2", busybox, ("cat /proc/1/comm", "init")),
    Program("sysvinit", ("machine", "sysv-rc"), "/sbin/init", "INT", sysvinit, ("runlevel", "N 2")),
    Program("openrc", ("machine", "openrc"), "/sbin/openrc-init", "TERM", openrc, ("rc-status -r", "default"), "openrc-shutdown -r now",
            "openrc-shutdown -p now"),
    Program("runit", ("runit", "machine", "sysv-rc"), "/sbin/init", "INT", runit, ("runlevel", "N 2")),
    Program("s6", ("s6", "sysv-rc"), "/init", "TERM", s6, ("s6-svstat -o up /run/service/getty", "true"), "again",
            "s6-svscanctl -t /run/service"),
    Program("systemd", ("systemd",), "/sbin/init", "RTMIN+3", lambda: None, ("systemctl is-system-running", "running"),
            "systemctl reboot", "systemctl poweroff"),
]
