"""No memory and no processes: process 1 lives, reaps, answers and shuts down.

Memory is taken from process 1 alone, by a limit of its address space as an unfriendly root of the jail can set it; and from the
whole jail, by a group of the memory controller around it, where the machine has one that a test may use. Processes are taken
by a group of the pids controller.
"""
import os
import resource
import signal
import subprocess
import time

import box
import files
import world
from box import ROOT, fp, init, inside, said, says, state, until, up
from crowds import with_storm

LIMIT = 24 << 20  # bytes for a whole jail, its page cache included


def space_of(pid):
    return int(box.status_of(pid, "VmSize").split()[0]) * 1024


def starve(pid, more=0):
    """No new page for it, but `more` bytes."""
    room = space_of(pid) + more
    resource.prlimit(pid, resource.RLIMIT_AS, (room, resource.RLIM_INFINITY))


def feed(pid):
    resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def no_memory_for_files():
    """What is too big to be read is an error that is said; what was read before goes on; later it is read."""
    files.good_files()
    up()
    pid = box.process1()
    files.both_run()
    starve(pid)
    files.hostile("etc/ttys", files.many_lines)
    files.hostile("etc/jinit.conf", files.some_services)
    init("reload")
    box.same((box.process1(), state()), (pid, "multi_user"))
    for path in files.PATHS:
        says(f"init: /{path}: Cannot allocate memory\n")
    files.both_run()
    feed(pid)
    files.good_files()
    init("reload")
    files.both_run()
    box.again(2, lambda: init("reboot"))


def no_memory_for_requests():
    """Asked for this and that without any memory to be had, over and over: it answers or refuses, reaps, and reboots."""
    files.good_files()
    up()
    pid = box.process1()
    files.both_run()
    starve(pid)
    for words in ("status", "reload", "status", "boot", "catatonia", "reload", "x" * 4000, "restart x", "status") * 5:
        status, err, _ = world.run([box.JAIL, "-f", box.CONF, "--init", "a", *words.split()], timeout=20)
        box.same((status in (0, 1), box.process1()), (True, pid), f"{words[:20]}: {err}")
    os.kill(box.pids_of("sleep", "1000")[0], signal.SIGKILL)
    until(lambda: not box.zombies_of(pid), "it reaps")
    box.comes_to("multi_user")
    feed(pid)
    box.again(2, lambda: init("reboot"))


def no_memory_at_the_end():
    """A stop, with rc.shutdown, without any memory to be had."""
    box.shutdown()
    up()
    starve(box.process1())
    init("reload")
    box.jail("-qr", "a")
    box.removed(box.STOPPED)


# --- groups of the first version ---

def group_of(controller):
    """A group below our own where a limit can be set; nothing where there is none."""
    own = [line.split(":", 2)[2] for line in fp.read("/proc/self/cgroup").splitlines() if controller in line.split(":", 2)[1].split(",")]
    path = f"/sys/fs/cgroup/{controller}{own[0] if own else ''}/ordeal.{os.getpid()}.{time.monotonic_ns()}"
    for one in (path, f"/sys/fs/cgroup/{controller}/{os.path.basename(path)}"):
        try:
            os.mkdir(one)
            return one
        except OSError:
            continue
    return ""


def put_into(group, pids):
    for pid in pids:
        try:
            with open(f"{group}/cgroup.procs", "w", encoding="ascii") as f:
                f.write(str(pid))
        except ProcessLookupError:
            pass


def take_away(group):
    """Whoever is in it still goes to the group above."""
    put_into(os.path.dirname(group), fp.read(f"{group}/cgroup.procs").split())
    until(lambda: not fp.read(f"{group}/cgroup.procs"), "an empty group")
    os.rmdir(group)


def everybody():
    """Process 1 and all that are in its jail: children of a process stay in its groups."""
    name = fp.link(f"/proc/{box.process1()}/ns/pid")
    return [pid for pid in fp.pids() if fp.link(f"/proc/{pid}/ns/pid") == name]


def with_group(controller, limits, case):
    group = group_of(controller)
    if not group:
        print(f"   no group of the {controller} controller can be made here: left out", flush=True)
        return
    try:
        for name, value in limits.items():
            with open(f"{group}/{name}", "w", encoding="ascii") as f:
                f.write(str(value))
        case(group)
    finally:
        world.run([box.JAIL, "-f", box.CONF, "-qr", "*"])
        take_away(group)


def eaten_by_a_process(group):
    with_storm()
    up("init.on_crash = stay;")
    pid = box.process1()
    put_into(group, everybody())
    for _ in range(3):
        box.same(subprocess.run(["/mnt/bin/jexec", "a", "/bin/true"], env=world.ENV, check=False).returncode, 0)
    init("reload")
    box.put("etc/jinit.conf", 'eater { command = "/bin/storm eat"; }\n', 0o644)
    init("reload")
    until(lambda: failures(group) > 0, "no memory is left", 30)
    for _ in range(20):
        box.same((state(), box.process1()), ("multi_user", pid))
    os.unlink(f"{ROOT}/etc/jinit.conf")
    world.run([box.JAIL, "--init", "a", "reload"])
    box.jail("-qr", "a")
    until(box.is_gone, "a stop")


def eaten_by_files(group):
    """Memory that no process has: the kernel ends one after the other, process 1 too when it is the last; nobody is stuck then."""
    up("init.on_crash = stay; mount = 'tmpfs /mnt/work/root/tmp tmpfs rw 0 0';")
    pid = box.process1()
    put_into(group, everybody())
    count = 2 * LIMIT // 65536
    words = f'"/bin/dd", "if=/dev/zero", "of=/tmp/full", "bs=64k", "count={count}"'
    box.put("etc/jinit.conf", f"eater {{ command = {words}; }}\n", 0o644)
    if not os.path.lexists(f"{ROOT}/bin/dd"):
        os.symlink("busybox", f"{ROOT}/bin/dd")
    init("reload")
    until(lambda: failures(group) > 0, "no memory is left", 30)
    until(lambda: state() in ("multi_user", "reaping"), "it answers")
    until(lambda: not box.pids_of("jail", "--ended"), "the command's end")
    # Until the file has gone, process 1 may be killed once more.
    until(lambda: box.world.run(["/mnt/bin/jexec", "a", "rm", "-f", "/tmp/full"])[0] == 0, "room again")
    until(lambda: inside("echo", "in", want=None).strip() == "in", "it can be entered")
    print(f"   process 1 {'lives' if box.process1() == pid else 'was the last one to be killed, and booted again'}", flush=True)
    box.jail("-qr", "a")
    until(box.is_gone, "a stop")


def failures(group):
    return int(fp.read(f"{group}/memory.failcnt").strip() or 0)


def memory_eaten_by_a_process():
    with_group("memory", {"memory.limit_in_bytes": LIMIT}, eaten_by_a_process)


def memory_eaten_by_files():
    with_group("memory", {"memory.limit_in_bytes": LIMIT}, eaten_by_files)


def without_processes(group):
    """No fork succeeds: sessions, services and shells wait; the jail is reaped, asked and stopped; and goes on when there are some."""
    files.good_files()
    box.put("etc/jinit.conf", 'x { command = "/bin/sleep 1000"; restart.delay = 0; }\n', 0o644)
    box.shutdown()
    up()
    pid = box.process1()
    files.both_run()
    put_into(group, [pid])
    for words in (("/bin/sleep", "1000"), ("/bin/sleep", "2000")):
        os.kill(box.pids_of(*words)[0], signal.SIGKILL)
    until(lambda: not box.pids_of("/bin/sleep") and not box.zombies_of(pid), "it reaps, and starts nothing")
    box.same(state(), "multi_user")
    time.sleep(0.2)  # time is what is asked for: what spins would use it
    if fp.ticks(pid) > 50:
        raise box.Wrong(f"it spins: {fp.ticks(pid)} ticks")
    with open(f"{group}/pids.max", "w", encoding="ascii") as f:
        f.write("max")
    until(lambda: box.pids_of("/bin/sleep", "1000"), "the service again", 30)
    with open(f"{group}/pids.max", "w", encoding="ascii") as f:
        f.write("1")
    init("reboot")
    until(lambda: box.process1() not in (0, pid), "another process 1")
    box.same("shutdown reboot" in said(), False, "rc.shutdown could not be started")
    box.comes_to("multi_user")
    says("can't fork")


def no_processes():
    with_group("pids", {"pids.max": 1}, without_processes)


def no_processes_at_the_end():
    def case(group):
        up()
        put_into(group, [box.process1()])
        init("single")
        box.comes_to("single_user")
        box.jail("-qr", "a")
        box.removed(box.STOPPED)

    with_group("pids", {"pids.max": 1}, case)


CASES = [no_memory_for_files, no_memory_for_requests, no_memory_at_the_end, memory_eaten_by_a_process, memory_eaten_by_files, no_processes,
         no_processes_at_the_end]
