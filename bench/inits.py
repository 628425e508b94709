"""What a jail's init reaches, beside those that do the same elsewhere: the parts idle, holding, rc, crash, boot, reboot, orphans.

BENCH_ROUNDS and BENCH_SECONDS make it shorter. s6-rc is not in Debian 12: what it does for services that only depend on each
other, `s6-svc -uwU` for each once those before it are ready, is done by `act chain`.
"""
import os
import re
import signal
import subprocess
import time

from figures import Failed, bench, median, memory, ms, output, programs, row, run, tool
from peers import DOWN, LIMIT, NOTIFIES, Contained, Jail, Scan, children, now, read

ROUNDS = int(os.environ.get("BENCH_ROUNDS", 51))
SECONDS = int(os.environ.get("BENCH_SECONDS", 60))
RATE, STORM, LOOK = 10000, 10, 0.02  # orphans a second, seconds, seconds between looks for zombies
WHOLE, DEPTH = 100, 10  # services, and how long a chain of them is


def names(count):
    return [f"s{i}" for i in range(count)]


def blocks(count, ready=False, depth=0):
    """Each behind the one that is `depth` before it."""
    says = ", 3; ready = 3" if ready else ""
    needs = [f"depend = s{i - depth};" if 0 < depth <= i else "" for i in range(count)]
    return [f"s{i} {{ command = /bin/act, serve, s{i}{says}; restart = always; {needs[i]} }}" for i in range(count)]


def seconds_of(nanoseconds):
    return nanoseconds / 1e9


# --- idle ---

def switches(pid):
    return sum(int(count) for count in re.findall(r"ctxt_switches:\s*(\d+)", read(f"/proc/{pid}/status")))


def time_on_cpu(pid):
    """Seconds."""
    return seconds_of(int(read(f"/proc/{pid}/schedstat").split()[0]))


def is_traced(pid, tracer):
    status = read(f"/proc/{pid}/status")
    return f"TracerPid:\t{tracer}\n" in status and re.search(r"^State:\s*S", status, re.MULTILINE)


def trace(pids, path, wait):
    """{pid: system calls that ended while we waited}. What each of them sits in is no call of that time."""
    words = [tool("strace"), "-q", "-o", path, *(f"-p{pid}" for pid in pids)]
    tracer = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + LIMIT
        while not all(is_traced(pid, tracer.pid) for pid in pids):
            if time.monotonic() > end:
                raise Failed("strace does not attach")
            time.sleep(0.01)
        wait()
    finally:
        tracer.send_signal(signal.SIGINT)  # it lets go of them
        tracer.wait()
    counts = dict.fromkeys(pids, 0)
    for line in read(path).splitlines():
        pid, _, call = line.partition(" ")
        counts[int(pid)] += ") = " in call or ") = ?" in call
    return counts


def attached(words):
    """A client that shows what comes from the jail, once something has come."""
    client = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if not os.read(client.stdout.fileno(), 4096):
        raise Failed(f"{' '.join(words[1:])}: nothing comes")
    return client


def show_idle(groups, calls, before, after):
    for who, pids in groups.items():
        woken = sum(after[pid][0] - before[pid][0] for pid in pids)
        spent = sum(after[pid][1] - before[pid][1] for pid in pids)
        made = sum(calls[pid] for pid in pids)
        ours = not who.startswith(("s6", "runit"))
        row(f"    {who}", f"{made} calls, woken {woken} times, {spent * 1e6:.0f} us", "0, 0" if ours else "",
            made == woken == 0 if ours else None)


def watch_idle(top, groups):
    pids = [pid for group in groups.values() for pid in group]
    counters = []

    def wait():
        time.sleep(1)  # until all is over that being attached to has brought
        for pause in (SECONDS, 0):
            counters.append({pid: (switches(pid), time_on_cpu(pid)) for pid in pids})
            time.sleep(pause)

    calls = trace(pids, f"{top}/calls", wait)
    row(f"idle for {SECONDS} s, with 10 services:", "")
    show_idle(groups, calls, *counters)


def measure_idle(top):
    jail, peers, clients = Jail(top), [], []
    jail.services("s0 { command = /bin/act, loud, s0; log = /var/log/s0; }", *blocks(10)[1:-1], "s9 { command = /bin/act, loud, s9; }")
    try:
        jail.start()
        jail.bell.take(["rc", *names(10)])
        clients.append(attached([f"{programs}/jail", "--console=read", "x"]))
        clients.append(attached([f"{programs}/jail", "--init", "x", "log", "s0", "follow"]))
        process1, warden = jail.processes()
        groups = {"process 1": [process1], "its warden": [warden], "jail --console=read": [clients[0].pid],
                  "jail --init x log s0 follow": [clients[1].pid]}
        for program, who in (("s6-svscan", "s6: 11 processes"), ("runsvdir", "runit: 11 processes")):
            peers.append(Scan(top, program, names(10), jail.bell))
            jail.bell.take([program, *names(10)])
            groups[who] = peers[-1].supervisors()
        watch_idle(top, groups)
    finally:
        for client in clients:
            client.kill()
            client.wait()
        for peer in peers:
            peer.end()


# --- holding: memory ---

def anonymous(*pids):
    return sum(memory(pid, "Anonymous") for pid in pids)


def held_by_ours(jail, services):
    """Of process 1, of its warden."""
    jail.services(*blocks(services))
    jail.start()
    jail.bell.take(["rc", *names(services)])
    time.sleep(0.3)  # until it is idle
    held = [anonymous(pid) for pid in jail.processes()]
    jail.end()
    return held


def held_by(contained, bell, wanted):
    try:
        bell.take(wanted)
        time.sleep(0.3)
        return anonymous(*contained.supervisors())
    finally:
        contained.end()


def measure_crowd(top, jail, count):
    jail.services()
    for i in range(count):
        jail.start(f"h{i}")
        jail.bell.take(["rc"])
    sizes = [memory(pid) for i in range(count) for pid in jail.processes(f"h{i}")]
    each = sum(sizes) / count
    row(f"{count} jails up: process 1 and warden, proportional, each", f"{each:.0f} kB", "250 kB", each <= 250)
    run([f"{programs}/jail", "-R", "*"])


def measure_holding(top):
    jail = Jail(top)
    full, empty, wardens = [], [], []
    for _ in range(3):
        for services, into in ((10, full), (0, empty)):
            process1, warden = held_by_ours(jail, services)
            into.append(process1)
            wardens.append(warden)
    for what, sizes, most in (("jinit with 10 services", full, 150), ("jinit with none", empty, 60), ("warden", wardens, 60)):
        row(f"anonymous memory: {what}", f"{median(sizes):.0f} kB", f"{most} kB", median(sizes) <= most)
    for program in ("s6-svscan", "runsvdir"):
        size = held_by(Scan(top, program, names(10), jail.bell), jail.bell, [program, *names(10)])
        row(f"    {program} with 10 services, 11 processes", f"{size} kB")
    for words in ([f"{programs}/jinit", "--"], [tool("tini"), "--"], [tool("catatonit"), "--"]):
        size = held_by(Contained([*words, f"{bench}/act", "serve", "one"], jail.bell), jail.bell, ["one"])
        row(f"    {os.path.basename(words[0])} -- command", f"{size} kB")
    measure_crowd(top, jail, 20)


# --- rc ---

def measure_rc(top):
    """From before `jail -c` is forked to the first instruction in the jail."""
    jail = Jail(top)
    jail.services()
    times = {"rc": [], "start": []}
    ways = {"rc": ("init",), "start": ("persist", "exec.start=/bin/act stamp start")}
    for turn in range(-3, ROUNDS):
        for name, words in ways.items():
            begin = now()
            jail.start("x", *words)
            taken = seconds_of(jail.bell.take([name])[0] - begin)
            jail.end()
            if turn >= 0:
                times[name].append(taken)
    ratio = median(a / b for a, b in zip(times["rc"], times["start"]))
    row("from `jail -c` to rc's first instruction", ms(median(times["rc"])))
    row("    to that of exec.start, without init", ms(median(times["start"])))
    row("    the one against the other", f"{ratio:.2f}", "1.30", ratio <= 1.3)


# --- crash ---

def measure_crash(top):
    """SIGKILL for one service after the other. All have run for more than a second and those of s6 have said that they are ready:
    it and runit wait else until a second has passed."""
    jail, peers, each = Jail(top), {}, names(ROUNDS)
    jail.services(*blocks(ROUNDS, True))
    jail.start()
    jail.bell.take(["rc", *each])
    try:
        for program, files in (("s6-svscan", (NOTIFIES,)), ("runsvdir", ())):
            peers[program] = Scan(top, program, each, jail.bell, files=files)
            jail.bell.take([program, *each])
        time.sleep(1.5)
        pids = {"jinit": jail.running(), **{program: peer.running() for program, peer in peers.items()}}
        times = {who: [] for who in pids}
        for name in each:
            for who, running in pids.items():
                begin = now()
                os.kill(running[name], signal.SIGKILL)
                times[who].append(seconds_of(jail.bell.take([name])[0] - begin))
    finally:
        for peer in peers.values():
            peer.end()
    row("a service that was killed runs again", ms(median(times["jinit"])), "5 ms", median(times["jinit"]) <= 0.005)
    for program in peers:
        ratio = median(a / b for a, b in zip(times["jinit"], times[program]))
        row(f"    by {'s6-supervise' if program == 's6-svscan' else 'runsv'}", ms(median(times[program])))
        row("    jinit against it", f"{ratio:.2f}", "1.00", ratio <= 1)


# --- boot ---

def last_of(bell, begin, wanted):
    """Seconds from that ring to the last of these."""
    began = bell.take([begin])[0]
    return seconds_of(max(bell.take(wanted)) - began)


def boot_jinit(jail, ordered):
    jail.services(*(blocks(WHOLE, True, DEPTH) if ordered else blocks(WHOLE)))
    jail.start()
    try:
        return last_of(jail.bell, "rc", names(WHOLE))
    finally:
        jail.end()


def boot_s6(top, bell, ordered, supervised):
    """Adds to `supervised` what it takes once the supervisors are there, in their order."""
    peer = Scan(top, "s6-svscan", names(WHOLE), bell, files=(NOTIFIES, DOWN) if ordered else ())
    driver = None
    try:
        if ordered:
            driver = subprocess.Popen([f"{bench}/act", "chain", peer.directory, str(WHOLE), str(DEPTH)],
                                      env={**os.environ, "BELL": bell.path})
        began, *moments = bell.take(["s6-svscan", *names(WHOLE)])
        if ordered:
            supervised.append(seconds_of(max(moments) - bell.take(["chain"])[0]))
        return seconds_of(max(moments) - began)
    finally:
        if driver:
            driver.wait()
        peer.end()


def runit_script(name):
    """As runit's documentation has it: run starts what it needs, and check tells whether it is ready."""
    needs = int(name[1:]) - DEPTH
    start = f"{tool('sv')} start ../s{needs} > /dev/null || exit 1\n" if needs >= 0 else ""
    return {"run": f"#!/bin/sh\n{start}exec {bench}/act serve {name}\n", "check": "#!/bin/sh\nexec test -e ready\n"}


def boot_runit(top, bell, ordered):
    peer = Scan(top, "runsvdir", names(WHOLE), bell, run_of=runit_script if ordered else None)
    try:
        return last_of(bell, "runsvdir", names(WHOLE))
    finally:
        peer.end()


def compare_boots(top, jail, ordered, rounds):
    """From the end of rc, or the beginning of s6-svscan or runsvdir, to the first instruction of the last service. What starts those
    of s6 in their order tells when its supervisors wait for it."""
    supervised = []
    ways = {"jinit": lambda: boot_jinit(jail, ordered), "s6": lambda: boot_s6(top, jail.bell, ordered, supervised),
            "runit": lambda: boot_runit(top, jail.bell, ordered)}
    times = {who: [] for who in ways}
    for turn in range(-1, rounds):
        for who, way in ways.items():
            taken = way()
            if turn >= 0:
                times[who].append(taken)
    row(f"boot of {WHOLE} services, {f'in chains of {DEPTH}' if ordered else 'all at once'}", ms(median(times["jinit"])))
    for who in ("s6", "runit"):
        ratio = median(a / b for a, b in zip(times["jinit"], times[who]))
        row(f"    {who}", ms(median(times[who])))
        if who == "s6" and ordered:
            row("        of it once its supervisors are there", ms(median(supervised)))
        row("    jinit against it", f"{ratio:.2f}", "1.00", ratio <= 1)


def measure_boot(top):
    jail = Jail(top)
    compare_boots(top, jail, True, min(ROUNDS, 7))
    compare_boots(top, jail, False, min(ROUNDS, 11))


# --- reboot ---

def measure_reboot(top):
    jail, times = Jail(top), []
    jail.services(*blocks(1), "again { command = /bin/act, reboot, reboot; restart = no; down; }")
    jail.start()
    for _ in range(ROUNDS):
        jail.bell.take(["rc", "s0"])
        run([f"{programs}/jail", "--init", "x", "start", "again"])
        begin = jail.bell.take(["reboot"])[0]
        while not jail.bell.hears("rc", LIMIT):
            raise Failed(f"no rc within {LIMIT} s after a reboot")
        times.append(seconds_of(jail.bell.rung["rc"][0] - begin))
    row("from reboot(2) inside to rc", ms(median(times)), "50 ms", median(times) < 0.05)
    row("    the slowest of " + str(ROUNDS), ms(max(times)))


# --- orphans ---

def is_zombie(pid):
    try:
        return read(f"/proc/{pid}/stat").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def watch(process1, bell):
    """The age of the oldest zombie that was seen, and how many are there at the end, a moment later."""
    since, oldest = {}, 0.0
    while not bell.hears("orphans", LOOK):
        moment = time.monotonic()
        since = {pid: since.get(pid, moment) for pid in children(process1)}
        ages = [moment - first for pid, first in since.items() if first < moment and is_zombie(pid)]
        oldest = max([oldest, *ages])
    time.sleep(0.1)
    return oldest, sum(map(is_zombie, children(process1)))


def storm(who, process1, bell):
    """From before the first orphan to after the last one. What was made and is no zombie was reaped."""
    before, began = time_on_cpu(process1), time.monotonic()
    oldest, left = watch(process1, bell)
    share = (time_on_cpu(process1) - before) / (time.monotonic() - began)
    count, nanoseconds = bell.rung.pop("orphans")
    good = left == 0 and oldest < 0.1
    row(f"    {who}", f"{count - left} of {count} in {seconds_of(nanoseconds):.1f} s, oldest {max(oldest, LOOK) * 1000:.0f} ms, "
        f"CPU {share * 100:.0f} %", "all, 100 ms" if who.startswith("jinit") else "", good if who.startswith("jinit") else None)


def measure_orphans(top):
    jail = Jail(top)
    jail.services(*blocks(10))
    jail.start()
    jail.bell.take(["rc", *names(10)])
    row(f"{RATE} orphans a second, {STORM} s: reaped, no zombie older than", "")
    before = jail.running()
    words = ["orphans", str(RATE), str(min(STORM, SECONDS))]
    client = subprocess.Popen([f"{programs}/jexec", "x", "/bin/act", *words])
    storm("jinit in a jail, with 10 services", jail.processes()[0], jail.bell)
    client.wait()
    state = output(f"{programs}/jail", "--init", "x", "status").split("\n")
    same = jail.running() == before and sum(line.split()[:3:2] == ["service", "up"] for line in state if line) == 10
    row("    its services are as before", "yes" if same else "no", "yes", same)
    for first in ([f"{programs}/jinit", "--"], [tool("tini"), "--"], [tool("catatonit"), "--"]):
        contained = Contained([*first, f"{bench}/act", *words], jail.bell)
        try:
            while not (there := children(contained.process.pid)):
                time.sleep(0.001)
            storm(f"{os.path.basename(first[0])} --", there[0], jail.bell)
        finally:
            contained.process.wait()


PARTS = {"idle": measure_idle, "holding": measure_holding, "rc": measure_rc, "crash": measure_crash, "boot": measure_boot,
         "reboot": measure_reboot, "orphans": measure_orphans}
