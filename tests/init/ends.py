"""Going down, rebooting, halting, and whatever ends process 1 or its warden (the cases I27 to I45; N6, N12, N19; init.on_*)."""
import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import box
import world
from box import again, comes_to, fp, init, inside, jls, messages, pids_of, rc, removed, said, same, says, script, sees, signal1, state, until, up

IGNORES = "setsid sh -c 'trap \"echo term >> /log\" TERM; while :; do sleep 1000; done' > /dev/null 2>&1 < /dev/null &"


# --- how it goes down ---

def i27_int():
    """Hang-up of sessions, rc.shutdown, TERM, KILL, rc.final, and rc again; the jail is the same."""
    box.ttys('t1 "/bin/session" xterm on')
    script("bin/session", "trap 'echo hup >> /log' HUP; trap 'echo session term >> /log; exit' TERM; "
                          "echo session $1 >> /log; while :; do sleep 0.05; done")
    rc("setsid sh -c 'trap \"echo daemon term >> /log; exit\" TERM; while :; do sleep 0.1; done' > /dev/null 2>&1 < /dev/null & sleep 0.2")
    box.shutdown("sleep 0.2")
    box.final("ls /proc | grep -c '^[0-9]' >> /log")
    up()
    sees("session t1")
    jid = box.jls("jid")
    again(2, lambda: signal1("INT"))
    until(lambda: said().count("session t1") == 2, "the session again")
    lines = said()[2:]
    terms = sorted(lines[2:lines.index("final")])
    same((sorted(lines[:2]), terms), (["hup", "shutdown reboot"], ["daemon term", "session term"]))
    same((lines[4], lines[6:], int(lines[5]) <= 5), ("final", ["rc autoboot", "session t1"], True), "rc.final is alone")
    same((box.jls("jid"), box.hooks(), messages()), (jid, [], ""))


def i28_usr1_usr2_winch():
    for name in ("USR1", "USR2"):
        box.fresh_root()
        box.shutdown()
        up()
        signal1(name)
        removed()
        same(said(), ["rc autoboot", "shutdown reboot"], name)
    box.fresh_root()
    up()
    again(2, lambda: signal1("WINCH"))


def meanings(setting, table):
    for name, what in table.items():
        box.fresh_root()
        up(f"init.signals = {setting};")
        pid = box.process1()
        if what == "reboot":
            again(2, lambda name=name: signal1(name))
        elif what == "removed":
            signal1(name)
            removed()
        elif what:
            signal1(name)
            comes_to(what)
        else:
            signal1(name)
            time.sleep(0.1)  # a signal that means nothing has no event
            same((box.process1(), state()), (pid, "multi_user"), f"{setting} {name}")
        box.jail("-qr", "*")


def signals_by_meaning():
    """Of busybox and sysvinit, and systemd's for containers in each: RTMIN is 34 here."""
    meanings("busybox", {"TERM": "reboot", "USR1": "removed", "USR2": "removed", "WINCH": "", "INT": "reboot", "37": "removed"})
    meanings("sysv", {"TERM": "", "USR1": "", "INT": "reboot", "PWR": "removed", "39": "reboot"})
    meanings("freebsd", {"TERM": "single_user", "38": "removed"})


def i29_term():
    box.shutdown()
    box.final()
    up()
    signal1("TERM")
    comes_to("single_user")
    same(said(), ["rc autoboot", "shutdown single"])
    same(len(fp.pids()) - 1, 2, "our own process, and: the warden and process 1")


def i30_i31_i38_shutdown_missing_failing():
    box.final("", 0o644)
    up()
    again(2, lambda: init("reboot"))
    box.shutdown("exit 7")
    again(3, lambda: init("reboot"))
    says("init: /etc/rc.shutdown returned status 7\n")
    says("init: /etc/rc.final exists, but not executable\n")
    same("final" in said(), False)


def i32_shutdown_hangs():
    box.shutdown("sleep 1000")
    up("init.shutdown_timeout = 2;")
    began = time.monotonic()
    again(2, lambda: init("reboot"))
    same(time.monotonic() - began >= 1.9, True)
    says("init: timeout expired for /etc/rc.shutdown: Interrupted system call; going to single user mode\n")


def i33_timeout_below_2():
    box.shutdown("sleep 1.5; echo done >> /log")
    up("init.shutdown_timeout = 1;")
    again(2, lambda: init("reboot"))
    same((said(), messages()), (["rc autoboot", "shutdown reboot", "done", "rc autoboot"], ""))


def i34_ignores_term():
    rc(IGNORES + " sleep 0.2")
    up("stop.timeout = 1;")
    began = time.monotonic()
    again(2, lambda: init("reboot"))
    same((time.monotonic() - began >= 0.9, "term" in said()), (True, True))


def i36_nobody_left():
    box.put("etc/rc", "#!/bin/true\n")
    up("stop.timeout = 30;")
    began = time.monotonic()
    again(0, lambda: init("reboot"))
    box.jail("-qr", "a")
    same(time.monotonic() - began < 10, True, "there is nobody to wait for")


def i37_final():
    box.final("sleep 0.1; echo end $# >> /log")
    up()
    init("halt")
    removed()
    same(said(), ["rc autoboot", "final", "end 0"])


def i39_term_then_int():
    box.shutdown("sleep 0.5")
    up()
    signal1("TERM")
    sees("shutdown single")
    again(2, lambda: signal1("INT"))
    same(said(), ["rc autoboot", "shutdown single", "rc autoboot"])


def halt_during_reboot():
    """What was asked for adds up: USR1 then INT halts as well."""
    for first, second in (("reboot", "halt"), ("halt", "reboot"), ("single", "poweroff")):
        box.fresh_root()
        box.shutdown("sleep 0.3")
        up()
        init(first)
        until(lambda: state() == "death", "death")
        init(second)
        removed()


def stopped_by_the_host():
    """jail -r: rc.shutdown, TERM, stop.timeout, KILL."""
    box.shutdown()
    box.final()
    rc(IGNORES + " sleep 0.2")
    up("stop.timeout = 1;")
    began = time.monotonic()
    box.jail("-qr", "a")
    removed(box.STOPPED)
    same(said(), ["rc autoboot", "shutdown reboot", "term", "final"])
    same(0.9 <= time.monotonic() - began < 6, True)


def stopped_while_going_down():
    box.shutdown("sleep 0.5")
    up()
    init("reboot")
    until(lambda: state() == "death", "death")
    box.jail("-qr", "a")
    until(box.is_gone, "it is gone")
    same(said().count("rc autoboot"), 1)


# --- orphans, and idleness ---

def i40_i41_orphans():
    """2,000 of them, quickly, of rc and of jexec; a daemon of rc among them."""
    up()
    for pid in until(lambda: pids_of("sleep", "1000"), "the daemon of rc"):
        os.kill(pid, signal.SIGKILL)
    inside("sh", "-c", "n=0; while [ $n -lt 2000 ]; do ( true & ) ; n=$((n+1)); done")
    until(lambda: not box.zombies_of(box.process1()), "no zombie")
    until(lambda: len(fp.pids()) == 3, "nobody else")
    same((state(), messages()), ("multi_user", ""))


def i45_idle():
    """No session, no child: no system call and no wake-up of process 1 nor its warden."""
    up()
    is_idle()


def idle_without_persist():
    """A jail that was booted does not end with its last other process, and process 1 does not go on looking."""
    up()
    until(lambda: pids_of("sleep", "1000"), "the daemon")
    for pid in pids_of("sleep", "1000"):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not pids_of("sleep", "1000"), "nobody else is left")
    began = time.monotonic()
    box.jail("-qm", "name=a", "nopersist")
    same(time.monotonic() - began < 5, True, "nobody waits for its end")
    same(inside("echo", "in").strip(), "in")
    is_idle()


def is_idle():
    pids = (box.process1(), box.warden())
    switches = [box.status_of(pid, "voluntary_ctxt_switches") for pid in pids]
    calls = [fp.read(f"/proc/{pid}/schedstat") for pid in pids]
    time.sleep(1)  # time is what is asked for: there is no event of nothing happening
    same([box.status_of(pid, "voluntary_ctxt_switches") for pid in pids], switches)
    same([fp.read(f"/proc/{pid}/schedstat") for pid in pids], calls)


# --- who asks for the end, and what comes of it ---

def reboot_programs():
    """busybox's reboot, halt and poweroff inside, as init.signals = auto has them; and their raw reboot(2). The end that they ask for is also
    their own."""
    def ask(program):
        status, err, _ = world.run(["/mnt/bin/jexec", "a", program])
        same(status in (0, -signal.SIGTERM), True, f"{program}: {status} {err}")

    box.shutdown()
    up("init.signals = auto;")
    again(2, lambda: ask("/sbin/reboot"))
    same(said().count("shutdown reboot"), 1)
    again(3, lambda: inside("/sbin/reboot", "-f", want=None))
    same(said().count("shutdown reboot"), 1, "reboot(2) is at once")
    ask("/sbin/halt")
    removed()
    for words in (["/sbin/poweroff"], ["/sbin/poweroff", "-f"], ["/sbin/halt", "-f"]):
        box.fresh_root()
        up("init.signals = auto;")
        inside(*words, want=None)
        removed()


def host_words():
    up()
    again(2, lambda: init("reboot"))
    init("nonsense", want=1)
    init("multi", want=1)
    init("halt")
    removed()
    box.fresh_root()
    up()
    init("poweroff")
    removed()


def i48_i49_run_levels_inside():
    """By a copy of jinit that the jail calls its init: 0 1 6 c q are words; 7 is none; without one it is running already; root only."""
    shutil.copy("/mnt/bin/jinit", f"{box.ROOT}/sbin/init")
    up()
    again(2, lambda: inside("/sbin/init", "6", want=None))
    inside("/sbin/init", "7", want=1)
    inside("/sbin/init", want=1)
    status, err, _ = world.run(["/mnt/bin/jexec", "-U", "tester", "a", "/sbin/init", "6"])
    same((status, "Operation not permitted" in err, state()), (1, True, "multi_user"), err)
    inside("/sbin/init", "c")
    comes_to("catatonia")
    inside("/sbin/init", "q")
    comes_to("multi_user")
    inside("/sbin/init", "1", want=None)
    comes_to("single_user")
    inside("/sbin/init", "0", want=None)
    removed()


def policies():
    """init.on_*: what an end by reboot, halt and crash brings."""
    ends = {"reboot": lambda: init("reboot"), "halt": lambda: init("halt"), "crash": box.kill1}
    for how, do in ends.items():
        for policy in ("restart", "remove", "stay"):
            box.fresh_root()
            up(f"init.on_{how} = {policy};")
            pid = box.process1()
            if policy == "restart":
                again(2, do)
            elif policy == "remove":
                do()
                removed()
            else:
                do()
                until(lambda pid=pid: box.process1() not in (0, pid), "another process 1")
                comes_to("reaping")
                same((said(), inside("echo", "in").strip()), (["rc autoboot"], "in"))
                init("multi")
                comes_to("multi_user")
            if policy != "remove":
                until(lambda: not pids_of("jail", "--ended"), "the command's end")
                box.jail("-qr", "a")
                removed(box.STOPPED)


def crash_loop():
    """Slowed down, and given up; the jail stays, reaping, for somebody to look at."""
    up("init.on_crash = restart;")
    for count in range(1, 7):
        pid = box.process1()
        box.kill1()
        until(lambda pid=pid: box.process1() not in (0, pid), "another process 1")
        until(lambda: state() in ("multi_user", "reaping"), "it is up")
        until(lambda: not pids_of("jail", "--ended"), "the command's end")
        same(state(), "multi_user" if count < 6 else "reaping", f"crash {count}")
    same(inside("echo", "in").strip(), "in")
    same("given up" in fp.read(f"{world.LOG}/jail.log"), True)
    same(jls("status"), "given-up")
    init("multi")
    comes_to("multi_user")
    same(jls("status"), "up")
    box.jail("-qr", "a")
    removed(box.STOPPED)


def rc_fails_after_a_reboot():
    """It ends as init.on_crash says."""
    rc("[ -e /broken ] && exit 1")
    up()
    box.put("broken", "")
    init("reboot")
    until(box.is_gone, "it is gone")
    same(box.hooks()[-2:], ["poststop", "release"])


def rc_fails_after_a_reboot_and_the_jail_stays():
    rc("[ -e /broken ] && exit 1")
    up("init.on_crash = stay;")
    box.put("broken", "")
    init("reboot")
    comes_to("reaping")
    same((jls("status"), said()), ("up", ["rc autoboot"] * 2))


def rc_fails_twice_after_a_reboot():
    """Then it goes on."""
    rc("[ -e /broken ] && mv /broken /worse && exit 1; [ -e /worse ] && rm /worse && exit 1")
    up("init.on_crash = restart;")
    box.put("broken", "")
    again(4, lambda: init("reboot"))
    same(jls("status"), "up")


def reboots_during_reboots():
    """rc that asks for one each time is an end like others: slowed down."""
    rc("[ -e /again ] && kill -INT 1 && sleep 1000")
    up("init.on_halt = stay; init.on_exit = stay; init.on_crash = stay;")
    box.put("again", "")
    init("reboot")
    sees("rc autoboot", 4)
    os.unlink(f"{box.ROOT}/again")
    comes_to("multi_user")
    same(len(said()) <= 6, True, said())


def restarted_while_it_reboots():
    """-rc finds a jail that runs also between two lives; so does what speaks to it."""
    for _ in range(8):
        up()
        init("reboot")
        box.jail("-qrc", "a")
        same((state(), jls("status")), ("multi_user", "up"))
        box.jail("-qr", "a")


def only_root_is_heard():
    """Root of the jail can open the socket to everybody, but who is not root is not heard, wherever he is."""
    up()
    inside("chmod", "777", "/run/jinit", "/run/jinit/control")
    path = f"{world.RUN}/{os.listdir(f'{world.DB}/jails')[0]}/control"
    child = subprocess.run([sys.executable, "-c", """import os, socket, sys
os.setgid(65534); os.setuid(65534)
caller = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
caller.connect(sys.argv[1])
caller.send(b"handover")
print(caller.recv(4096).decode())""", path], capture_output=True, text=True, check=False, timeout=20)
    same(child.stdout.strip(), "error Operation not permitted", child.stderr)


def ended_is_killed():
    """The warden's command killed in the middle of a reboot: the next command finds it."""
    rc("[ -e /second ] && sleep 1000; : > /second")
    up()
    init("reboot")
    sees("rc autoboot", 2)
    until(lambda: pids_of("jail", "--ended"), "the command")
    os.kill(pids_of("jail", "--ended")[0], signal.SIGKILL)
    box.jail("-qr", "a", want=None)
    box.jail("--recover")
    until(box.is_gone, "it is gone")
    until(lambda: not box.warden(), "and its warden")


def jexec_across_a_reboot():
    """What jexec had in the jail ends with it, and hinders nothing: after a reboot by init, and by reboot(2)."""
    box.shutdown()
    up("stop.timeout = 1;")
    for count, how in ((2, ["jail"]), (3, ["jexec"])):
        children = [subprocess.Popen(["/mnt/bin/jexec", "a", "sh", "-c", f"trap '' TERM; {command}"], env=world.ENV,
                                     stdin=subprocess.DEVNULL)
                    for command in ("while :; do sleep 1000; done", "sh -c 'exec sleep 1000'; sleep 1000")]
        until(lambda: len(pids_of("sleep", "1000")) == 3, "the commands")
        again(count, lambda how=how: init("reboot") if how == ["jail"] else inside("/bin/busybox", "reboot", "-f", want=None))
        same([child.wait(20) for child in children], [-9, -9], "it ends as its command did")


def reboots_in_a_row():
    """The host looks the same after them, but for the numbers of processes and namespaces."""
    def shape():
        return collections.Counter(re.sub(r"\d+", "N", line.partition("'")[0]) for line in world.look())

    rc("echo run >> /count")
    up()
    until(lambda: pids_of("sleep", "1000"), "the daemon")
    before = shape()
    count = 1
    while count <= 100:
        inside("/bin/busybox", "reboot", "-f", want=None)
        count += 1
        until(lambda: fp.read(f"{box.ROOT}/count").count("run") >= count, f"rc {count} times")
        comes_to("multi_user")
    until(lambda: not pids_of("jail", "--ended"), "the last command's end")
    end = time.monotonic() + 5
    while (now := shape()) != before and time.monotonic() < end:
        time.sleep(0.05)
    same((sorted((now - before).items()), sorted((before - now).items())), ([], []), "more and less than before")
    same(fp.read(f"{box.ROOT}/count").count("run"), count)


CASES = [i27_int, i28_usr1_usr2_winch, signals_by_meaning, i29_term, i30_i31_i38_shutdown_missing_failing, i32_shutdown_hangs,
         i33_timeout_below_2, i34_ignores_term, i36_nobody_left, i37_final, i39_term_then_int, halt_during_reboot, stopped_by_the_host,
         stopped_while_going_down, jexec_across_a_reboot, i40_i41_orphans, i45_idle, idle_without_persist, reboot_programs, host_words,
         i48_i49_run_levels_inside, policies, crash_loop, rc_fails_after_a_reboot, rc_fails_after_a_reboot_and_the_jail_stays,
         rc_fails_twice_after_a_reboot, reboots_during_reboots, restarted_while_it_reboots, only_root_is_heard, ended_is_killed, reboots_in_a_row]
