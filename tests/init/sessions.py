"""Sessions of /etc/ttys (the cases I13 to I26, I46 and I47; N8 and N9)."""
import os
import resource
import socket
import time

import box
from box import fp, init, messages, pids_of, said, same, says, script, sees, signal1, state, ttys, until, up

# A session that says how it was started and stays; /bin/NAME is only another name for it.
STAYS = "trap 'echo hup $1 >> /log; exit' HUP; echo start $0 $1 >> /log; sleep 1000 & wait"
QUICK = "echo start $0 $1 >> /log"


def stays(*names):
    for name in names:
        script(f"bin/{name}", STAYS)


def sessions():
    """{device: pid of its process} as init tells them."""
    lines = [line.split() for line in init("status").splitlines()]
    return {words[1].removeprefix("/dev/"): int(words[3]) if words[2] == "pid" else 0 for words in lines if words[0] == "session"}


def pid_of(name, line):
    return pids_of("/bin/sh", f"/bin/{name}", line)[0]


def changes(*lines):
    ttys(*lines)
    signal1("HUP")


def i16_how_a_session_is_started():
    """Exactly TERM; no descriptor; in / with umask 022; it leads a session, as a getty of Linux needs; the last word is the line."""
    # A program that neither opens nor sets anything: busybox's own sleep, which does not mind its second word.
    ttys('1000 "/bin/sleep" xterm on', '1001 "/bin/sleep" "" on', "1002 /bin/sleep vt100 off", '1003 "/bin/sleep 2000" vt100 on secure')
    up()
    until(lambda: len(pids_of("/bin/sleep")) == 3, "three sessions")
    same(pids_of("/bin/sleep", "1002"), [])
    one, bare, two = (pids_of("/bin/sleep", *words)[0] for words in (["1000"], ["1001"], ["2000", "1003"]))
    same([fp.read(f"/proc/{pid}/environ") for pid in (one, bare, two)], ["TERM=xterm\0", "TERM=\0", "TERM=vt100\0"])
    same([os.listdir(f"/proc/{pid}/fd") for pid in (one, bare, two)], [[], [], []])
    parent, group, session, terminal = fp.stat_of(one)[1:5]
    same((int(parent), int(group), int(session), terminal), (box.process1(), one, one, "0"))
    same((box.status_of(one, "Umask"), os.readlink(f"/proc/{one}/cwd").removeprefix(box.ROOT)), ("0022", "/"))
    ignored = int(box.status_of(one, "SigIgn"), 16)
    same((ignored & (1 << 20 | 1 << 21), box.status_of(one, "SigBlk")), (1 << 20 | 1 << 21, "0" * 16), "TTIN, TTOU")


def i13_i14_i15_sessions_that_end():
    """One that lives longer than 5 s comes again at once; one that ends at once has four starts; one that cannot be executed one."""
    script("bin/quick", QUICK)
    script("bin/slow", QUICK + "; exec sleep 5.2")
    ttys('q1 "/bin/quick" xterm on', 's1 "/bin/slow" xterm on', 'n1 "/bin/none" xterm on')
    up()
    sees("start /bin/quick q1", 4)
    says("init: getty repeating too quickly on port /dev/q1, sleeping 30 secs\n")
    says("init: can't exec getty '/bin/none' for port /dev/n1: No such file or directory\n")
    sees("start /bin/slow s1", 3)
    same((said().count("start /bin/quick q1"), messages().count("/bin/none")), (4, 1), "10 s later")
    same({name: pid != 0 for name, pid in sessions().items()}, {"q1": False, "s1": True, "n1": False})
    ttys('q1 "/bin/quick x" xterm on')
    signal1("HUP")
    sees("start /bin/quick x", 4)  # I20: another command has a back-off of its own


def i17_to_i22_what_a_hang_up_changes():
    stays("a", "b", "c", "d", "e", "f")
    ttys('t1 "/bin/a" xterm on', 't2 "/bin/b" xterm on', 't3 "/bin/c" xterm on', 't4 "/bin/d" xterm on insecure')
    up()
    for name, line in zip("abcd", ("t1", "t2", "t3", "t4")):
        sees(f"start /bin/{name} {line}")
    before = sessions()
    signal1("HUP")
    until(lambda: state() == "multi_user", "multi-user")
    same(sessions(), before, "I17: an unchanged file")
    same("hup" in " ".join(said()), False)
    # t1 off, t2 deleted, t3 another command, t4 secure, t5 new
    changes('t1 "/bin/a" xterm off', 't3 "/bin/e" xterm on', 't4 "/bin/d" xterm on secure', 't5 "/bin/f" xterm on')
    for line in ("hup t1", "hup t2", "hup t3", "start /bin/e t3", "start /bin/f t5"):
        sees(line)
    until(lambda: set(sessions()) == {"t3", "t4", "t5"}, "three sessions")
    same((sessions()["t4"], said().count("hup t4"), said().count("start /bin/a t1"), said().count("start /bin/b t2")),
         (before["t4"], 0, 1, 1))


def i18_i19_i20_i21_i22_as_said():
    """The same by the host's word, and back again."""
    stays("a")
    ttys('t1 "/bin/a" xterm on')
    up()
    sees("start /bin/a t1")
    ttys('t1 "/bin/a" xterm off')
    init("reload")
    sees("hup t1")
    until(lambda: sessions() == {}, "no session")
    ttys('t1 "/bin/a" vt100 on')
    init("reload")
    sees("start /bin/a t1", 2)


def i23_ttys_missing_at_a_hang_up():
    stays("a", "b")
    ttys('t1 "/bin/a" xterm on', 't2 "/bin/b" xterm on')
    up()
    sees("start /bin/a t1")
    sees("start /bin/b t2")
    os.unlink(f"{box.ROOT}/etc/ttys")
    signal1("HUP")
    sees("hup t1")
    sees("hup t2")
    until(lambda: sessions() == {}, "none left")


def i24_i25_catatonia_and_back():
    stays("a", "b")
    ttys('t1 "/bin/a" xterm on', 't2 "/bin/b" xterm on')
    up()
    sees("start /bin/a t1")
    sees("start /bin/b t2")
    signal1("TSTP")
    until(lambda: state() == "catatonia", "catatonia")
    os.kill(pid_of("a", "t1"), 9)
    until(lambda: set(sessions()) == {"t2"}, "t1 is dropped")
    same(said().count("start /bin/a t1"), 1)
    signal1("HUP")
    sees("start /bin/a t1", 2)
    same((state(), said().count("start /bin/b t2")), ("multi_user", 1))


def i26_catatonia_and_reboot():
    stays("a")
    box.shutdown()
    ttys('t1 "/bin/a" xterm on')
    up()
    sees("start /bin/a t1")
    signal1("TSTP")
    until(lambda: state() == "catatonia", "catatonia")
    box.again(2, lambda: signal1("INT"))
    sees("start /bin/a t1", 2)
    same([line for line in said() if line.split()[0] in ("hup", "shutdown")], ["hup t1", "shutdown reboot"])


def i46_window():
    """The window program first, 3 s, then the command; both again at each start. It is nobody's: its line may go."""
    stays("a")
    script("bin/w", "echo window $* $TERM >> /log; exec sleep 1000")
    ttys('t1 "/bin/a" xterm on window="/bin/w x"')
    up()
    began = time.monotonic()
    sees("window x xterm")
    sees("start /bin/a t1")
    same(time.monotonic() - began > 2.5, True)
    os.kill(pid_of("a", "t1"), 9)
    sees("window x xterm", 2)
    changes()
    until(lambda: sessions() == {}, "no session")
    same(len(pids_of("sleep", "1000")) >= 3, True, "both window programs live")


def i47_device_vanishes():
    stays("a")
    ttys('/tmp/device "/bin/a" xterm onifexists', '/tmp/other "/bin/a" xterm onifexists')
    box.put("tmp/device", "", 0o644)
    up()
    sees("start /bin/a /tmp/device")
    os.unlink(f"{box.ROOT}/tmp/device")
    os.kill(pid_of("a", "/tmp/device"), 9)
    until(lambda: sessions() == {}, "dropped")
    box.put("tmp/device", "", 0o644)
    signal1("HUP")
    sees("start /bin/a /tmp/device", 2)
    same(said().count("start /bin/a /tmp/other"), 0)


def without_dev_null_the_log_has_the_output():
    os.unlink(f"{box.ROOT}/dev/null")
    box.rc("echo said by rc")
    up("mount.nodevfs;")
    same(messages().splitlines()[0], "said by rc")


def call(word=None):
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    caller.settimeout(20)
    caller.connect(f"{box.world.RUN}/{os.listdir(f'{box.world.DB}/jails')[0]}/control")
    if word:
        caller.send(word)
    return caller


def no_descriptor_is_left():
    """Process 1 hears all the same, by one that it has kept, or in the place of who says nothing; where it cannot, it waits."""
    box.put("etc/jinit.conf", "".join(f"s{i} {{ command = /bin/sleep, 1000; log = /var/log/s; }}\n" for i in range(40)), 0o644)
    up()
    until(lambda: init("status").count(" up ") == 40, "its services")
    few = min(set(range(1000)) - {int(fd) for fd in os.listdir(f"/proc/{box.process1()}/fd")})
    most = resource.prlimit(box.process1(), resource.RLIMIT_NOFILE)[1]
    resource.prlimit(box.process1(), resource.RLIMIT_NOFILE, (few, most))
    try:
        same([state() for _ in range(3)], ["multi_user"] * 3)
        silent = [call() for _ in range(3)]
        same([state() for _ in range(3)], ["multi_user"] * 3, "in the place of who is silent")
        follower = call(b"log s1 follow")
        same(follower.recv(100), b"ok")
        last = call(b"status")
        before = fp.ticks(box.process1())
        time.sleep(1)  # time is what is asked for: what spins would use all of it
        same(fp.ticks(box.process1()) - before < 50, True, "less than half of a processor")
    finally:
        resource.prlimit(box.process1(), resource.RLIMIT_NOFILE, (most, most))
    same(last.recv(100), b"ok multi_user")
    for caller in [*silent, follower, last]:
        caller.close()


CASES = [i13_i14_i15_sessions_that_end, i16_how_a_session_is_started, i17_to_i22_what_a_hang_up_changes, i18_i19_i20_i21_i22_as_said,
         i23_ttys_missing_at_a_hang_up, i24_i25_catatonia_and_back, i26_catatonia_and_reboot, i46_window, i47_device_vanishes,
         without_dev_null_the_log_has_the_output, no_descriptor_is_left]
