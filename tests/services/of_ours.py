"""`jinit --services` by itself: what it is told, what a directory may not make it do, and that it sleeps."""
import ctypes
import errno
import os
import resource
import signal
import stat
import struct
import time

from sides import INSIDE, fp, read, same, until

STAYS = "echo begin $1 >> $REC; trap 'echo end $1 >> $REC; exit 0' TERM; sleep 1000 & wait"


def mode_of(side, path):
    return stat.S_IMODE(os.lstat(f"{side.scan}/{path}").st_mode)


def term_ends_all_and_it_exits_0(side):
    for name in ("a", "b"):
        side.script(f"{name}/run", STAYS)
    side.begin()
    side.sees("begin a")
    side.sees("begin b")
    side.process.send_signal(signal.SIGINT)
    same(side.process.wait(20), 0)
    same(sorted(side.lines()), ["begin a", "begin b", "end a", "end b"])
    same(os.path.exists(f"{side.scan}/a/supervise/status"), True)


def without_clone3():
    """As in the containers of most engines, whose filters have no such system call."""
    clone3, allow, refuse = 435, 0x7FFF0000, 0x00050000 | errno.ENOSYS
    words = [(0x20, 0, 0, 0), (0x15, 0, 1, clone3), (0x06, 0, 0, refuse), (0x06, 0, 0, allow)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *word) for word in words))
    program = struct.pack("HxxxxxxP", len(words), ctypes.addressof(code))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(38, 1, 0, 0, 0) != 0 or prctl(22, 2, ctypes.c_char_p(program), 0, 0) != 0:  # no_new_privs, seccomp
        raise OSError(ctypes.get_errno(), "seccomp")


def an_engines_filter_is_no_obstacle(side):
    side.script("a/run", STAYS)
    side.start(without_clone3)
    side.sees("begin a")


def a_second_one_kills(side):
    side.script("a/run", "trap '' TERM INT; echo deaf >> $REC; while :; do sleep 0.05; done")
    side.begin()
    side.sees("deaf")
    side.process.send_signal(signal.SIGTERM)
    until(lambda: "want down" in side.status("a"), "told to end")
    side.process.send_signal(signal.SIGTERM)
    same(side.process.wait(20), 0)


def hup_reads_again(side):
    side.script("a/run", STAYS)
    side.begin()
    side.sees("begin a")
    side.script("b/run", STAYS)
    os.rename(f"{side.scan}/a", f"{side.top}/gone")
    side.process.send_signal(signal.SIGHUP)
    side.sees("begin b")
    side.sees("end a")
    until(lambda: side.tool("s6-svok", "b")[0] == 0, "b is supervised")


def a_directory_may_be_another_one(side):
    """By the time of HUP: in its place, and whose it is."""
    side.script("a/run", STAYS)
    side.begin()
    side.sees("begin a")
    pid = side.pid("a")
    os.rename(f"{side.scan}/a", f"{side.top}/old")
    side.script("a/run", STAYS)
    side.process.send_signal(signal.SIGHUP)
    until(lambda: side.tool("s6-svok", "a")[0] == 0, "it is supervised")
    same(side.pid("a"), pid)
    side.put("a/timeout-kill", "100\n")
    side.process.send_signal(signal.SIGHUP)
    until(lambda: side.tool("sv", "status", f"{side.scan}/a")[0] == 1, "it is s6's alone")
    same(side.pid("a"), pid)


def many_have_room(side):
    """More than the limit of descriptors that it was given, which its services still have."""
    limit = ["prlimit", "--nofile=64:4096"]
    side.command = [*limit, *side.command]
    for i in range(30):
        side.script(f"s{i}/run", "ulimit -n >> $REC; exec sleep 1000")
    side.begin()
    side.sees("64", 30)


def only_we_may_write(side):
    side.script("a/run", STAYS)
    side.script("b/run", STAYS)
    side.script("b/check", "exit 0")
    side.begin()
    same([mode_of(side, path) for path in ("a/supervise", "a/supervise/control", "a/event", "b/supervise/ok")], [0o700, 0o600, 0o3730, 0o600])


def what_somebody_laid_out_is_not_followed(side):
    """Each is a service all the same, and nothing beside its directory is touched."""
    for name in ("link", "owner", "wide", "plain"):
        side.script(f"{name}/run", STAYS)
        os.mkdir(f"{side.scan}/{name}/supervise", 0o700)
    side.let("victim")
    os.symlink(f"{side.top}/victim", f"{side.scan}/link/supervise/control")
    os.chown(f"{side.scan}/owner/supervise", 1234, 1234)
    os.chmod(f"{side.scan}/wide", 0o777)
    os.symlink(f"{side.top}/victim", f"{side.scan}/plain/supervise/status.new")
    os.mkdir(f"{side.scan}/plain/event", 0o700)
    os.symlink(f"{side.top}/victim", f"{side.scan}/plain/event/ftrig1:@400000006b030d64286ff419:abcdef")
    names = ("link", "owner", "wide", "plain")
    side.start()
    for name in names:
        side.sees(f"begin {name}")
    same(os.path.getsize(f"{side.top}/victim"), 0)
    same([side.tool("s6-svok", name)[0] for name in names[:3]], [1, 1, 1])
    same([f"/{name}: " in side.said().replace(side.scan, "") for name in names[:3]], [True] * 3)


def a_link_of_our_own_is(side):
    side.script("a/run", STAYS)
    os.symlink(f"{side.top}/elsewhere", f"{side.scan}/a/supervise")
    side.begin()
    same(os.path.exists(f"{side.top}/elsewhere/control"), True)


def hostile_bytes_do_nothing(side):
    side.script("a/run", STAYS)
    side.begin()
    side.sees("begin a")
    pid = side.pid("a")
    with open(f"{side.scan}/a/supervise/control", "wb", buffering=0) as control:
        control.write(bytes(c for c in range(256) if chr(c) not in "uUdDoOQrxabqhktiy12pc") * 200)
        control.write(b"p")
    until(lambda: "paused" in side.status("a"), "what came behind is heard")
    same(side.pid("a"), pid)


def switches(pid):
    return [line for line in read(f"/proc/{pid}/status").splitlines() if "ctxt_switches" in line]


def settles(pid):
    before = switches(pid)
    time.sleep(0.2)  # rest has no event
    return before == switches(pid)


def it_sleeps(side):
    for i in range(10):
        side.script(f"s{i}/run", "exec sleep 1000")
    side.begin()
    until(lambda: all("up" in side.status(f"s{i}") for i in range(10)), "all are up")
    until(lambda: settles(side.process.pid), "it settles")
    before = switches(side.process.pid)
    time.sleep(2)  # what is shown is that nothing happens
    same(switches(side.process.pid), before)


def it_needs_little(side):
    for i in range(10):
        side.script(f"s{i}/run", "exec sleep 1000")
    side.begin()
    until(lambda: all("up" in side.status(f"s{i}") for i in range(10)), "all are up")
    size = sum(int(line.split()[1]) for line in read(f"/proc/{side.process.pid}/smaps_rollup").splitlines() if line.startswith("Anonymous:"))
    same(size <= 150 or size, True)


def few_descriptors_are_left(side):
    """What cannot be laid out is said; it neither spins nor is deaf."""
    for i in range(40):
        side.script(f"s{i}/run", "exec sleep 1000")
    side.start(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
    until(lambda: "Too many open files" in side.said(), "it says so")
    time.sleep(1)  # time is what is asked for: what spins would use all of it
    same(fp.ticks(side.process.pid) < 50, True)
    side.process.send_signal(signal.SIGTERM)
    same(side.process.wait(20), 0)


def it_is_process_1(side):
    """Of a container: an orphan of a service is reaped, and its end ends all that is in it."""
    side.command = [*INSIDE, *side.command]
    side.script("a/run", "sh -c 'sleep 0.1 & exec true'; echo $PPID >> $REC; exec sleep 1000")
    side.script("a/log/run", "exec cat")
    side.begin()
    side.sees("1")
    inner, = map(int, read(f"/proc/{side.process.pid}/task/{side.process.pid}/children").split())
    until(lambda: len(read(f"/proc/{inner}/task/{inner}/children").split()) == 2, "the orphan is gone")
    os.kill(inner, signal.SIGTERM)
    same(side.process.wait(20), 0)
    same(side.left(), [])


def what_has_failed_is_said(side):
    """On standard error, and in no file of a host it runs on."""
    log = "/var/log/init.log"
    before = os.path.exists(log) and os.path.getsize(log)
    side.script("a/run", "exit 3")
    side.script("a/finish", "exit 125")
    side.begin()
    until(lambda: "init: a: has failed: " in side.said(), f"it says so: {side.said()!r}")
    same(os.path.exists(log) and os.path.getsize(log), before)


def the_figures_are_right(side):
    """The two clocks: runit's has 10 leap seconds, s6's 37; and what lies behind in a file for both."""
    side.script("a/run", "exec sleep 1000")
    side.script("b/run", "exec sleep 1000")
    side.put("b/timeout-finish", "0\n")
    side.begin()
    until(lambda: all(side.status(name).startswith("up") for name in "ab"), "both are up")
    for name, leap in (("a", 10), ("b", 37)):
        with open(f"{side.scan}/{name}/supervise/status", "rb") as f:
            label, = struct.unpack(">Q", f.read()[:8])
        same(abs(label - 2**62 - leap - time.time()) < 60, True)
    same([side.tool("sv", "status", f"{side.scan}/a")[0], side.tool("s6-svstat", "a")[0]], [0, 0])


CASES = [term_ends_all_and_it_exits_0, an_engines_filter_is_no_obstacle, a_second_one_kills, hup_reads_again, a_directory_may_be_another_one, many_have_room,
         only_we_may_write,
         what_somebody_laid_out_is_not_followed, a_link_of_our_own_is, hostile_bytes_do_nothing, it_sleeps, it_needs_little, it_is_process_1,
         what_has_failed_is_said, few_descriptors_are_left, the_figures_are_right]
