"""rc: how it is run, how it ends, what is asked for while it runs; single user and back (the cases I1 to I12, N5 and N7)."""
import os
import signal

import box
from box import again, begin, comes_to, ended, init, messages, pids_of, rc, said, same, says, script, sees, signal1, state, until, up

WHICH = "Enter full pathname of shell or RETURN for /bin/sh: $"
SECRET = "$6$abcdef$6lGaqhZkZqB0Az2mGvLWSM3ub7yeD1/XQqsgcaYlVWTE0OXJ.lxDIQ/skGqqCKfybTHNpeae0r1PxIGJ3V.BW."  # the password `secret`
# rc that waits until it is told to go on.
WAITS = "while ! [ -e /go ]; do sleep 0.02; done; rm /go; echo done >> /log"


def go():
    box.put("go", "")


def i1_rc_ends_well():
    """jail -c waits for it; rc is alone in a session, in / with umask 022, and knows no descriptor beyond 2."""
    rc("sleep 0.3; cut -d' ' -f4-6 /proc/$$/stat >> /log; pwd >> /log; umask >> /log; echo $$ >> /log;"
       " tr '\\0' ' ' < /proc/$$/environ >> /log; echo >> /log; [ -e /proc/$$/fd/3 ] && echo more descriptors >> /log; echo end >> /log")
    box.ttys('t1 "/bin/session" xterm on')
    script("bin/session", "echo session $1 >> /log; exec sleep 1000")
    up()
    lines = said()
    pid = lines[4]
    same(lines[:4], ["rc autoboot", f"1 {pid} {pid}", "/", "0022"])
    same(lines[6:7], ["end"], "rc is over when jail -c ends")
    sees("session t1")
    same((state(), messages()), ("multi_user", ""))
    same(len(pids_of("sleep", "1000")), 2, "the daemon lives, and the session")


def i2_rc_fails():
    rc("exit 3")
    said_by = up("init.rc_failure = single;", want=1)
    same((state(), messages()), ("single_user", ""))
    same("single user" in said_by, True, said_by)
    same(box.inside("echo", "in").strip(), "in")


def rc_failure_remove():
    """Also what rc has started goes; hooks of a start that is undone."""
    rc("setsid sleep 1000 & exit 3")
    text = up("init.rc_failure = remove;", want=1)
    same("rc has failed" in text, True, text)
    box.removed(box.hooks() and ("poststop", "release"))
    same(pids_of("sleep", "1000"), [])


def i3_rc_is_killed():
    for name, value in (("TERM", 1), ("KILL", 1)):
        box.fresh_root()
        rc(f"kill -{name} $$; sleep 1000")
        up("init.rc_failure = single;", want=value)
        same((state(), messages()), ("single_user", "init: /bin/sh on /etc/rc terminated abnormally, going to single user mode\n"), name)
        box.jail("-qr", "a")


def i4_rc_is_stopped():
    rc("kill -STOP $$; echo on >> /log")
    up()
    same((said(), state(), messages()), (["rc autoboot", "on"], "multi_user", "init: /bin/sh on /etc/rc stopped, restarting\n"))


def waiting(extra=""):
    rc(WAITS)
    box.shutdown()
    process = begin(extra)
    sees("rc autoboot")
    return process


def i5_term_while_rc_runs():
    process = waiting("init.rc_failure = single;")
    signal1("TERM")
    ended(process, 1)
    same((state(), said(), messages()), ("single_user", ["rc autoboot"], ""))


def i6_int_while_rc_runs():
    """Part of the start: rc runs again, and jail -c has the last one's result."""
    process = waiting()
    signal1("INT")
    sees("rc autoboot", 2)
    go()
    ended(process, 0)
    same((state(), said()), ("multi_user", ["rc autoboot", "rc autoboot", "done"]))


def i7_hup_while_rc_runs():
    process = waiting()
    signal1("HUP")
    rc_pid = pids_of("/bin/sh", "/etc/rc")[0]
    os.kill(rc_pid, signal.SIGHUP)
    same(int(box.status_of(rc_pid, "SigIgn"), 16) & 1 != 0, True, "rc ignores SIGHUP")
    go()
    ended(process, 0)
    same((state(), said()), ("multi_user", ["rc autoboot", "done"]))


def i8_tstp_while_rc_runs():
    box.ttys('t1 "/bin/session" xterm on')
    script("bin/session", "echo session $1 >> /log; sleep 0.1")
    process = waiting()
    signal1("TSTP")
    same(state(), "runcom")
    go()
    ended(process, 0)
    sees("session t1", 2)
    same(state(), "multi_user")


def i9_rc_is_not_executable():
    rc("echo $0 >> /log", 0o644)
    up()
    same(said(), ["rc autoboot", "/etc/rc"])


def i10_rc_is_executable():
    """It is run itself: what it names as its interpreter has it."""
    box.put("bin/other", "", 0o755)
    os.unlink(f"{box.ROOT}/bin/other")
    os.symlink("busybox", f"{box.ROOT}/bin/printenv")
    box.put("etc/rc", "#!/bin/echo\n")
    up()
    same(messages(), "/etc/rc autoboot\n")


def i11_single_user_and_back():
    box.shutdown()
    up()
    daemon = pids_of("sleep", "1000")
    pid, jid = box.process1(), box.jls("jid")
    init("single")
    comes_to("single_user")
    same(said(), ["rc autoboot", "shutdown single"])
    until(lambda: not set(daemon) & set(pids_of("sleep", "1000")), "everything is ended")
    same(box.inside("echo", "in").strip(), "in")
    init("multi")
    comes_to("multi_user")
    same(said(), ["rc autoboot", "shutdown single", "rc"])
    again(3, lambda: init("reboot"))
    same(said()[3:], ["shutdown reboot", "rc autoboot"])
    same((pid == box.process1(), jid), (False, box.jls("jid")))


def i11_rc_of_single_user_fails():
    """Then it goes back there: nobody is helped by a jail that vanishes under repair."""
    rc("[ -e /broken ] && exit 1")
    up("init.rc_failure = remove;")
    init("single")
    comes_to("single_user")
    box.put("broken", "")
    init("multi")
    sees("rc")
    comes_to("single_user")
    os.unlink(f"{box.ROOT}/broken")
    init("multi")
    comes_to("multi_user")


def i42_i43_single_user_shell():
    """On the console: killed by SIGSEGV it comes again; its end, with any status, runs rc without `autoboot`."""
    up("console;")
    init("single")
    comes_to("single_user")
    line = box.console()
    line.sees(WHICH)
    line.asks("\r", "# ")
    os.kill(pids_of("-sh")[0], signal.SIGSEGV)
    line.sees("single user shell terminated, restarting")
    line.sees(WHICH)
    line.asks("/bin/none\r", "init: can't exec /bin/none for single user: No such file or directory\r\n")
    line.sees("# ")
    line.types("exit 7\r")
    sees("rc")
    line.close()
    comes_to("multi_user")
    same(said(), ["rc autoboot", "rc"])


def insecure_console():
    """Single user on it, with the password `secret`; the console's line at the first question."""
    box.ttys("console none unknown off insecure")
    box.put("etc/shadow", f"root:{SECRET}:1::::::\n", 0o600)
    up("console;")
    line = box.console()
    init("single")
    line.sees("Enter root password, or \\^D to go multi-user\r\nPassword:$")
    return line


def i44_root_password_of_an_insecure_console():
    """Asked for until it is right; nothing, or the end of input, goes on to multi-user."""
    for word in ("\r", "\x04"):
        box.fresh_root()
        line = insecure_console()
        line.asks("wrong\r", "^\r\ninit: single-user login failed\r\nPassword:$")
        same((pids_of("-sh"), state()), ([], "single_user"))
        line.types(word)
        sees("rc")
        comes_to("multi_user")
        line.close()
        box.jail("-qr", "a")
    box.fresh_root()
    line = insecure_console()
    line.asks("secret\r", "^\r\n" + WHICH)
    line.asks("\r", "# ")
    line.asks("pwd; echo $HOME\r", "/root\r\n/root\r\n")
    line.types("exit\r")
    sees("rc")
    line.close()


def i12_rc_is_missing():
    """Else OpenRC, else sysv-rc, else nothing."""
    os.unlink(f"{box.ROOT}/etc/rc")
    up()
    same((state(), messages()), ("multi_user", ""))


def rc_asks_for_a_reboot():
    """As at a first boot (N3.3), by a signal, by reboot(8), and by reboot(2)."""
    for n, how in enumerate(("kill -INT 1; sleep 1000", "busybox reboot -f")):
        box.fresh_root()
        rc(f"[ -e /second ] && exit 0; : > /second; {how}")
        up()
        same((state(), said()), ("multi_user", ["rc autoboot"] * 2), how)
        box.jail("-qr", "a")


def rc_asks_for_ever():
    rc("kill -INT 1; sleep 1000")
    up(want=1)
    box.removed(box.hooks() and ("poststop", "release"))
    same(len(said()) > 3, True, said())


def halted_while_rc_runs():
    process = waiting()
    init("halt")
    text = ended(process, 1)
    same("halted" in text, True, text)
    until(box.is_gone, "the start is undone")


def crash_while_rc_runs():
    process = waiting()
    box.kill1()
    ended(process, 1)
    until(box.is_gone, "the start is undone")


def start_is_killed():
    """SIGKILL of jail -c while rc runs: the next command rolls back."""
    process = waiting()
    process.kill()
    process.communicate()
    box.jail("--recover")
    box.removed(box.hooks() and ("poststop", "release"))
    same(pids_of("/bin/sh", "/etc/rc"), [])


def start_is_interrupted():
    process = waiting()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    until(box.is_gone, "the start is undone")


def asked_for_by_a_command():
    """exec.start = /sbin/jinit, or a link to a jinit of the jail: the same as `init`, in its place among the commands."""
    os.makedirs(f"{box.ROOT}/lib", exist_ok=True)
    box.put("lib/jinit", "not executed")
    os.symlink("../lib/jinit", f"{box.ROOT}/sbin/init")
    for word in ("/sbin/jinit", "/sbin/init"):
        before = len(said())
        up(f"""exec.start = "echo before >> /log"; exec.start += {word}; exec.start += "echo after >> /log";""")
        same((said()[before:], state()), (["before", "rc autoboot", "after"], "multi_user"), word)
        same(bool(box.warden()), True, "its warden")
        again(2, lambda: box.inside("reboot", "-f", want=None)) if word == "/sbin/jinit" else None
        box.jail("-qr", "a")
        box.removed(box.STOPPED)
        os.unlink(box.HOOKS)


CASES = [asked_for_by_a_command, i1_rc_ends_well, i2_rc_fails, rc_failure_remove, i3_rc_is_killed, i4_rc_is_stopped, i5_term_while_rc_runs, i6_int_while_rc_runs,
         i7_hup_while_rc_runs, i8_tstp_while_rc_runs, i9_rc_is_not_executable, i10_rc_is_executable, i11_single_user_and_back,
         i11_rc_of_single_user_fails, i12_rc_is_missing, i42_i43_single_user_shell,
         i44_root_password_of_an_insecure_console, rc_asks_for_a_reboot, rc_asks_for_ever, halted_while_rc_runs,
         crash_while_rc_runs, start_is_killed, start_is_interrupted]
