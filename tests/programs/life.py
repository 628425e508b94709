"""The life of a jail whose process 1 is another program."""
import os
import select
import signal

import host
import box
import world
from box import inside, jls, removed, same, until

# A stop that came to the KILL at its end would take longer than the test waits for it.
SETTINGS = "init.program = {}; init.stop_signal = {}; init.shutdown_timeout = 600; stop.timeout = 1; console;"
BOOT = int(os.environ.get("BOOT", 90))  # seconds


def witnessed():
    return [line.split()[0] for line in host.text("var/log/witness").splitlines()]


def sees(*words):
    until(lambda: witnessed() == list(words), f"{words}, but {witnessed()}", BOOT)


def up(program):
    box.up(SETTINGS.format(program.path, program.stop_signal))
    sees("start")
    is_well(program)


def is_well(program):
    words, answer = program.asks
    until(lambda: inside(*words.split(), want=None).strip() == answer, f"{words} says {answer}", BOOT)


def at_prompt():
    line = box.console()
    line.sees("login: $", BOOT)
    return line


def reboots(program):
    """By what a person types at the console, who stays attached."""
    before = (jls("jid"), jls("pid1"))
    line = at_prompt()
    host.log_in(line)
    line.types(f"{program.again}\r")
    sees("start", "stop", "start")
    line.sees("login: $", BOOT)
    is_well(program)
    same((jls("jid"), jls("pid1") != before[1], jls("-d", "status")), (before[0], True, "up"))
    line.close()


def loses_its_warden():
    """The next command puts another one in, with another console: the program has a getty there, as after any hang-up."""
    before = jls("pid1")
    warden = os.pidfd_open(box.warden())  # it ends after its command line does
    signal.pidfd_send_signal(warden, signal.SIGKILL)
    same(bool(select.select([warden], [], [], BOOT)[0]), True, "its end")
    os.close(warden)
    same((box.init("status").strip(), jls("pid1"), bool(box.warden())), ("program", before, True))


def goes(program):
    line = at_prompt()
    host.log_in(line)
    line.types(f"{program.off}\r")
    until(box.is_gone, "the end", BOOT)
    removed()
    same(witnessed(), ["start", "stop"] * 2)
    line.close()


def lives(program):
    up(program)
    reboots(program)
    loses_its_warden()
    goes(program)


def is_stopped(program):
    up(program)
    at_prompt().close()
    box.jail("-qr", "a", timeout=BOOT)
    removed(box.STOPPED)
    same(witnessed(), ["start", "stop"])


def is_stopped_at_once(program):
    """Before it can know of signals; but runit knows of none in its first stage."""
    if program.name == "runit":
        return
    box.up(SETTINGS.format(program.path, program.stop_signal))
    box.jail("-qr", "a", timeout=BOOT)
    removed(box.STOPPED)


CASES = [lives, is_stopped, is_stopped_at_once]
