"""Services of /etc/jinit.conf and /etc/service: order, readiness, running again, logs, what their end means for the jail."""
import errno
import os
import random
import resource
import signal
import threading
import time

import box
from box import comes_to, fp, init, inside, messages, pids_of, same, says, script, sees, until, up

# A service that says when it begins and ends, in /log.
STAYS = "trap 'echo end $0 >> /log; exit 0' TERM; echo begin $0 >> /log; sleep 1000 & wait"


def services(*blocks):
    box.put("etc/jinit.conf", "".join(block + "\n" for block in blocks), 0o644)
    os.makedirs(f"{box.ROOT}/var/log", exist_ok=True)


def stays(*names):
    for name in names:
        script(f"bin/{name}", STAYS)


def told(name):
    """(state, pid, what there is to say) of a service."""
    for line in init("status").splitlines():
        words, _, text = line.partition(": ")
        words = words.split()
        if words[:2] == ["service", name]:
            return words[2], int(words[5]) if len(words) > 5 else 0, text
    return None


def until_state(name, state):
    until(lambda: told(name) and told(name)[0] == state, f"{name} {state}")
    return told(name)


def log(name):
    return fp.read(f"{box.ROOT}/var/log/{name}")



def next_line(process):
    """The next line that it prints; none within 20 s is a failure."""
    killer = threading.Timer(20, process.kill)
    killer.start()
    line = process.stdout.readline()
    killer.cancel()
    if not line:
        raise box.Wrong("no more output")
    return line


def they_follow_each_other():
    """Down in the opposite order, with finish behind each end; a stop of what is needed stops what needs it."""
    stays("high")
    script("bin/low", STAYS.replace("; sleep", "; echo >&3; sleep"))
    services("low { command = /bin/low; ready = 3; finish = '/bin/sh', '-c', 'echo finish $0 $1 $2 >> /log'; }", "high { command = /bin/high; depend = low; }")
    up()
    until_state("high", "up")
    until(lambda: len(box.said()) == 3, "both begin")
    same(box.said()[1:], ["begin /bin/low", "begin /bin/high"])
    same(init("stop", "low"), "")
    until_state("low", "down")
    same(box.said()[3:], ["end /bin/high", "end /bin/low", "finish 0 0 low"])
    init("start", "high")
    until_state("high", "up")
    sees("begin /bin/high", 2)
    box.jail("-qr", "a")
    same(box.said()[8:], ["end /bin/high", "end /bin/low", "finish 0 0 low"])


def one_is_ready_when_it_says_so():
    services("slow { command = 'while ! [ -e /go ]; do sleep 0.02; done; echo >&5; exec sleep 1000'; ready = 5; }",
             "next { command = /bin/sleep, 1000; depend = slow; }",
             "late { command = /bin/sleep, 1001; ready = 3; ready.timeout = 0.2; restart = no; stop.timeout = 1; }",
             "once { command = /bin/true; ready = exit; }", "behind { command = /bin/sleep, 1002; depend = once; }")
    up()
    same((told("slow")[0], told("next")[::2]), ("starting", ("waiting", "waits for slow")))
    until_state("late", "failed")
    until_state("behind", "up")
    box.put("go", "")
    until_state("next", "up")
    same(pids_of("/bin/sleep", "1001"), [])


def one_that_crashes_runs_again():
    services("a { command = /bin/sleep, 1000; }", "b { command = /bin/sh, -c, 'exit 7'; restart.limit = 3; }", "c { command = /bin/true; }")
    up()
    until_state("b", "failed")
    same(told("b")[2], "exited with 7, too often")
    same((told("c")[0], messages().count("b: exited with 7\n"), messages().count("b: has failed")), ("down", 3, 1))
    pid = told("a")[1]
    os.kill(pids_of("/bin/sleep", "1000")[0], signal.SIGKILL)
    until(lambda: told("a")[0] == "up" and told("a")[1] not in (0, pid), "another process")
    says("init: a: ended by signal 9\n")


def its_process_is_as_asked():
    box.put("etc/passwd", "root:x:0:0::/:/bin/sh\nwww:x:33:34::/var:/bin/sh\n", 0o644)
    box.put("etc/group", "root:x:0:\nwww:x:34:\nextra:x:44:www\nmore:x:45:\n", 0o644)
    services("a { command = /bin/sleep, 1000; user = www; groups = more; environment.A = b; limit.nofile = 77; umask = 027; ready = exit; }",
             "b { command = /bin/none; restart = no; log = /var/log/b; }", "c { command = /bin/sleep; user = nobody; restart = no; log = /var/log/c; }")
    up()
    until_state("c", "failed")
    until_state("b", "failed")
    until(lambda: pids_of("/bin/sleep", "1000"), "it runs")
    pid = pids_of("/bin/sleep", "1000")[0]
    status = [box.status_of(pid, field).split() for field in ("Uid", "Gid", "Groups", "Umask")]
    same(status, [["33"] * 4, ["34"] * 4, ["34", "44", "45"], ["0027"]])
    variables = dict(word.split("=", 1) for word in fp.read(f"/proc/{pid}/environ").split("\0") if word)
    same([variables.get(name) for name in ("A", "USER", "HOME")], ["b", "www", "/var"])
    same(("77" in fp.read(f"/proc/{pid}/limits"), sorted(os.listdir(f"/proc/{pid}/fd"))), (True, ["0", "1", "2"]))
    until(lambda: log("b") and log("c"), "both say why")
    same((log("b"), log("c")), ("init: b: /bin/none: No such file or directory\n", "init: c: user nobody: no such user\n"))
    same((told("b")[2], told("c")[2]), ("exited with 127", "exited with 127"))


def its_log_is_put_aside():
    """By size, at the end of a line; a follower sees each line once. So few lines that its socket has room for all of them."""
    pad = "x" * 100
    script("bin/many", f"while ! [ -e /go ]; do sleep 0.02; done; i=100; while [ $i -lt 220 ]; do echo $i {pad}; i=$((i+1)); done; exec sleep 1000")
    services("a { command = /bin/many; log = /var/log/a; log.max_size = 4k; log.max_files = 2; }", "b { command = /bin/sleep, 1000; }")
    up()
    same("has no log file" in init("log", "b", want=1), True)
    box.put("var/log/a", "before\n", 0o644)
    follower = box.subprocess.Popen([box.JAIL, "--init", "a", "log", "a", "follow"], env=box.world.ENV, stdout=box.subprocess.PIPE, text=True)
    try:
        same(next_line(follower), "before\n")
        box.put("go", "")
        lines = ["before\n"] + [next_line(follower) for _ in range(120)]
    finally:
        follower.kill()
        follower.wait()
    same(lines[1:], [f"{i} {pad}\n" for i in range(100, 220)])
    kept = [log(name) for name in ("a.2", "a.1", "a")]
    same("".join(kept), "".join(lines)[-len("".join(kept)):])
    same([4096 <= len(text) < 4096 + 110 for text in kept[:2]], [True, True])
    same(os.path.exists(f"{box.ROOT}/var/log/a.3"), False)
    same(init("log", "a"), kept[2])


def a_follower_loses_nothing():
    """A slow one: its file is put aside ten times while it reads, and moved away once. It has each line once, in order."""
    pad = "x" * 1000
    script("bin/many", "n=0; for part in 1 2 3; do while ! [ -e /go$part ]; do sleep 0.02; done; end=$((part * 500))\n"
                       f"while [ $n -lt $end ]; do echo $n {pad}; n=$((n+1)); done; : > /done$part; done; exec sleep 1000")
    services("a { command = /bin/many; log = /var/log/a; log.max_size = 100k; log.max_files = 9; }")
    up()
    box.put("var/log/a", "before\n", 0o644)
    follower = box.subprocess.Popen([box.JAIL, "--init", "a", "log", "a", "follow"], env=box.world.ENV, stdout=box.subprocess.PIPE, text=True)
    try:
        lines = []
        same(next_line(follower), "before\n")
        for part in (1, 2, 3):
            box.put(f"go{part}", "")
            until(lambda part=part: os.path.exists(f"{box.ROOT}/done{part}"), "it has written")
            until(lambda part=part: f"{part * 500 - 1} " in log("a") + log("a.1"), "the log has it")
            lines += [next_line(follower) for _ in range(500)]
            if part == 2:
                os.rename(f"{box.ROOT}/var/log/a", f"{box.ROOT}/var/log/elsewhere")
    finally:
        follower.kill()
        follower.wait()
    same([line.split()[0] for line in lines], [str(n) for n in range(1500)])


def without_a_log_the_console_has_it():
    """For writing alone: nothing is typed to a service, and the terminal is not its session's."""
    services("a { command = 'ls -l /proc/self/fd; (: < /dev/tty) 2> /dev/null || echo no terminal; exec sleep 1000'; }")
    up("console; mount.devfs;")
    reader = box.subprocess.Popen([box.JAIL, "--console", "a"], env=box.world.ENV, stdin=box.subprocess.PIPE,
                                  stdout=box.subprocess.PIPE, stderr=box.subprocess.STDOUT, text=True)
    try:
        lines = []
        until(lambda: lines.append(next_line(reader)) or "no terminal" in lines[-1], "its output")
    finally:
        reader.kill()
        reader.wait()
    text = "".join(lines)
    same(["0 -> /dev/null" in text, "1 -> /dev/console" in text, "2 -> /dev/console" in text], [True] * 3, text)


def a_directory_of_s6_is_a_service():
    """What it writes comes to its logger, whoever is started again, up to the last line."""
    for name in ("sd", "bad", "fifo"):
        os.makedirs(f"{box.ROOT}/etc/service/{name}/log")
    script("etc/service/sd/run", "echo begin $*; echo >&3; exec sleep 1004")
    script("etc/service/sd/finish", "echo finish $1 $2")
    script("etc/service/sd/log/run", "exec cat >> /log")
    box.put("etc/service/sd/notification-fd", "3\n", 0o644)
    script("etc/service/bad/run", "")
    box.put("etc/service/bad/type", "oneshot\n", 0o644)
    os.mkfifo(f"{box.ROOT}/etc/service/fifo/type")
    up()
    until_state("sd", "up")
    says("init: /etc/service/bad: type: oneshot is not supported\n")
    says("init: /etc/service/fifo/type: not a regular file\n")
    logger = pids_of("cat")[0]
    os.kill(logger, signal.SIGKILL)
    until(lambda: not os.path.exists(f"/proc/{logger}"), "its logger is gone")  # or it reads one line more
    os.kill(pids_of("sleep", "1004")[0], signal.SIGTERM)
    sees("begin sd", 2)
    until_state("sd", "up")
    box.jail("-qr", "a")
    same([line for line in box.said() if line != "rc autoboot"], ["begin sd", "finish 256 15", "begin sd", "finish 256 15"])


def a_directory_hears_letters():
    """Of whoever may write there, in single user too, and after a reboot as before it."""
    script("etc/service/sd/run", "exec sleep 1004")
    up()

    def letter(one):
        fd = os.open(f"{box.ROOT}/etc/service/sd/supervise/control", os.O_WRONLY | os.O_NONBLOCK)
        os.write(fd, one)
        os.close(fd)

    def shown():
        with open(f"{box.ROOT}/etc/service/sd/supervise/status", "rb") as f:
            status = f.read()
        return int.from_bytes(status[24:32], "big"), status[34]

    for boot in (1, 2):
        until_state("sd", "up")
        same(shown(), (told("sd")[1], 4))
        letter(b"d")
        until_state("sd", "down")
        until(lambda: shown() == (0, 8), "the status file says so")
        letter(b"\0u")
        until_state("sd", "up")
        if boot == 1:
            box.again(2, lambda: init("reboot"))
    init("single")
    comes_to("single_user")
    same((told("sd")[0], shown()), ("down", (0, 8)))
    box.jail("-qr", "a")
    try:
        letter(b"u")
    except OSError as error:
        same(error.errno, errno.ENXIO)
    else:
        raise box.Wrong("somebody reads it still")


def a_reload_changes_what_has_changed():
    services("a { command = /bin/sleep, 1000; }", "b { command = /bin/sleep, 1001; }", "c { command = /bin/sleep, 1002; down; }")
    up()
    pid = told("a")[1]
    services("a { command = /bin/sleep, 1000; }", "d { command = /bin/sleep, 1003; }", "e { colour = red; command = x; }")
    init("reload")
    until_state("d", "up")
    until(lambda: not pids_of("/bin/sleep", "1001"), "b is gone")
    same((told("a")[:2], told("c"), told("e")), (("up", pid), None, None))
    says("init: /etc/jinit.conf:3:5: e: unknown parameter: colour\n")
    services("{{{")
    init("reload")
    says("syntax error")
    same((told("a")[:2], told("d")[0]), (("up", pid), "up"))


def lay(kind):
    """Something in the place of jinit.conf."""
    path = f"{box.ROOT}/etc/jinit.conf"
    if os.path.lexists(path):
        (os.rmdir if os.path.isdir(path) else os.unlink)(path)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        os.mkdir(path)
    elif kind == "loop":
        os.symlink("jinit.conf", path)
    else:
        with open(path, "wb") as f:
            f.write(random.Random(1).randbytes(1 << 19) if kind == "binary" else b"a { command = x; }\n" * 550000)


def a_hostile_file_is_refused_in_a_line():
    """Or in some, where it is a text in a way; nothing is waited for, and what runs goes on."""
    services("a { command = /bin/sleep, 1000; }")
    up()
    pid = told("a")[1]
    for kind, text in (("fifo", "not a regular file"), ("directory", "not a regular file"),
                       ("loop", "Too many levels of symbolic links"), ("long", "File too large"), ("binary", "jinit.conf")):
        before = messages()
        lay(kind)
        init("reload")
        new = messages()[len(before):].splitlines()
        same((len(new), text in new[0], told("a")[:2]), (1, True, ("up", pid)), f"{kind} {new[:3]}")


def a_file_may_change_while_it_is_read():
    services("a { command = /bin/sleep, 1000; }")
    up()
    done = threading.Event()

    def change():
        with open(f"{box.ROOT}/etc/jinit.conf", "r+b", buffering=0) as f:
            while not done.is_set():
                for text in (b"a { command = /bin/sleep, 1000; }\n" * 3000, b"", b"\0\xff{{" * 10000, b"b { command = "):
                    f.seek(0)
                    f.write(text)
                    f.truncate()

    writer = threading.Thread(target=change)
    writer.start()
    try:
        for _ in range(30):
            init("reload", want=None)
    finally:
        done.set()
        writer.join()
    services("a { command = /bin/sleep, 1000; }")
    init("reload")
    until_state("a", "up")
    same(len(pids_of("/bin/sleep", "1000")), 1)


def the_jail_lives_for_one():
    services("a { command = 'while ! [ -e /go ]; do sleep 0.02; done; exit 1'; restart = no; on_exit = halt; }")
    box.shutdown()
    up("init.on_halt = remove;")
    comes_to("multi_user")
    box.put("go", "")
    box.removed(("poststop", "release"))
    same(box.said(), ["rc autoboot", "shutdown reboot"])


def single_user_ends_them_and_multi_brings_them_back():
    services("a { command = /bin/sleep, 1000; }", "stubborn { command = \"trap '' TERM; while :; do sleep 0.1; done\"; stop.timeout = 0.2; }")
    up()
    until_state("stubborn", "up")
    init("single")
    comes_to("single_user")
    same((pids_of("/bin/sleep", "1000"), told("a")[0], told("stubborn")[0]), ([], "down", "down"))
    same("services are down" in init("start", "a", want=1), True)
    init("multi")
    comes_to("multi_user")
    until_state("a", "up")
    same(inside("echo", "in").strip(), "in")


def there_may_be_more_than_descriptors_usually():
    """Process 1 takes what it may have; who lowers that later makes it look at what it has now and then, and not for ever."""
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    services("first { command = 'ulimit -n >> /log'; restart = no; }", *(f"s{i} {{ command = /bin/true; restart = no; }}" for i in range(400)))
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, most))
    try:
        up()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    comes_to("multi_user")
    sees("1024")
    pid = box.process1()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (100, most))
    same(box.state(), "multi_user")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (5, most))
    before = fp.ticks(pid)
    time.sleep(1)  # time is what is asked for: what spins would use all of it
    same(fp.ticks(pid) - before < 50, True, "less than half of a processor")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))
    same(box.state(), "multi_user")
    box.jail("-qr", "a")
    box.removed(box.STOPPED)


def a_directory_may_have_too_many_names():
    """It is not read any more, in a line; all services go on as they were."""
    services("a { command = /bin/sleep, 1000; }")
    script("etc/service/sd/run", "exec sleep 1004")
    up()
    until_state("sd", "up")
    for i in range(4000):
        os.symlink("nowhere", f"{box.ROOT}/etc/service/{i}")
    init("reload")
    says("init: /etc/service: too many entries\n")
    same((told("sd")[0], told("a")[0]), ("up", "up"))


def a_reload_with_too_many_services_changes_nothing():
    """Whichever come first by name: none of them ends one that was there."""
    script("etc/service/zz/run", "exec sleep 1004")
    up()
    until_state("zz", "up")
    for i in range(1000):
        script(f"etc/service/h{i}/run", "exec sleep 1005")
    init("reload")
    says("init: /etc/service: too many services\n")
    same((told("zz")[0], len(init("status").splitlines())), ("up", 3))


def what_is_no_service_is_said():
    """A name that no status line could have; a logger's own logger is not looked for."""
    for name in ("two words", "\n", "\u00e9", "x" * 65, ".hidden", "x" * 64):
        script(f"etc/service/{name}/run", "exec sleep 1004")
    script("etc/service/loop/run", "[ -p /proc/self/fd/0 ] && exec cat; exec sleep 1004")
    os.symlink("../loop", f"{box.ROOT}/etc/service/loop/log")
    os.mkdir(f"{box.ROOT}/etc/service/no service")
    up()
    until_state("loop", "up")
    until_state("loop/log", "up")
    same([line.split()[1] for line in init("status").splitlines() if line.startswith("service ")], ["loop", "loop/log", "x" * 64])
    for name in ("two words", "?", "\u00e9", "x" * 65):
        says(f"init: /etc/service/{name}: not a name for a service\n")
    same(messages().count("not a name"), 4)


def one_without_a_name_is_asked_for():
    """What the engine says, when it has noted it, is nobody else's word."""
    up()
    for verb in ("start", "restart", "stop"):
        same(init(verb, want=1), f"jail: {verb}: the name of a service is missing\n")
    for verb in ("nopersist", "persist", "handover"):
        same(init(verb, want=1), f"jail: {verb}: unknown word\n")
    for verb in ("reboot", "status"):
        same(init(verb, "b", want=1), f"jail: {verb} takes no other word\n")
    same(box.state(), "multi_user")


CASES = [there_may_be_more_than_descriptors_usually, they_follow_each_other, one_is_ready_when_it_says_so, one_that_crashes_runs_again, its_process_is_as_asked,
         its_log_is_put_aside, a_follower_loses_nothing, without_a_log_the_console_has_it, a_directory_of_s6_is_a_service, a_directory_hears_letters,
         a_reload_changes_what_has_changed, a_hostile_file_is_refused_in_a_line,
         a_file_may_change_while_it_is_read, a_directory_may_have_too_many_names,
         a_reload_with_too_many_services_changes_nothing, what_is_no_service_is_said, one_without_a_name_is_asked_for, the_jail_lives_for_one, single_user_ends_them_and_multi_brings_them_back]
