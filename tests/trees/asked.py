"""How the people and programs of each tree ask process 1 for something, a row each."""
import os

import host
import box
from box import comes_to, init, inside, process1, removed, same, signal1, until, up

# What is run inside, and what comes of it. `signal` is a signal to process 1 from inside; RTMIN is 34.
BOTH = [("init 6", "reboot"), ("reboot", "reboot"), ("reboot -f", "reboot"), ("shutdown -r now", "reboot"), ("signal 39", "reboot"),
        ("telinit q", "reload"), ("init q", "reload"), ("init 1", "single"), ("telinit S", "single"), ("shutdown now", "single"),
        ("init 0", "gone"), ("halt", "gone"), ("halt -f", "gone"), ("poweroff", "gone"), ("poweroff -f", "gone"),
        ("shutdown -h now", "gone"), ("shutdown -h -P now", "gone"), ("signal 37", "gone"), ("signal 38", "gone"), ("signal PWR", "gone"),
        ("signal TERM", "nothing"), ("signal USR1", "nothing"), ("init 3", "nothing")]
OPENRC = [("openrc-shutdown -r now", "reboot"), ("openrc-shutdown -s now", "single"), ("openrc-shutdown -p now", "gone"),
          ("openrc-shutdown -H now", "gone")]
QUICK = "init.rc = none; init.shutdown = none; "


def sessions():
    return [line.split()[1] for line in init("status").splitlines() if line.split()[0] == "session"]


def reboot(ask):
    before = (process1(), box.jls("jid"))
    ask()
    until(lambda: process1() not in (0, before[0]), "another process 1")
    comes_to("multi_user")
    same(box.jls("jid"), before[1])


def single(ask):
    ask()
    comes_to("single_user")
    init("multi")
    comes_to("multi_user")


def gone(ask):
    ask()
    removed()
    os.unlink(box.HOOKS)


def reload(ask):
    box.ttys("more /bin/sleep xterm on", "1000 /bin/sleep xterm on")
    ask()
    until(lambda: "/dev/1000" in sessions(), f"a session of the new file, but {sessions()}")
    os.unlink(f"{box.ROOT}/etc/ttys")


def nothing(ask):
    """The next request is heard behind it."""
    pid = process1()
    ask()
    reload(lambda: inside("telinit", "q"))
    same((process1(), box.state()), (pid, "multi_user"))


def ask(text):
    words = text.split()
    return signal1(words[1]) if words[0] == "signal" else inside(*words, want=None)


def try_all(rows):
    for text, what in rows:
        if not process1():
            up(QUICK + host.SETTINGS)
        try:
            OUTCOMES[what](lambda text=text: ask(text))
        except box.Wrong as error:
            raise box.Wrong(f"{text}: {error}") from None
    same(host.text("var/log/left-out"), "", "parts of a machine")


OUTCOMES = {"reboot": reboot, "single": single, "gone": gone, "reload": reload, "nothing": nothing}


def requests_of_sysvinit():
    try_all(BOTH)


def requests_of_openrc():
    try_all(OPENRC)


CASES = [("sysv-rc", requests_of_sysvinit), ("openrc", requests_of_openrc)]
