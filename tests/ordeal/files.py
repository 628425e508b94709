"""/etc/ttys and /etc/jinit.conf as an enemy writes them, at a start and at a reload; and while they are being written."""
import os
import random
import stat
import time

import box
from box import ROOT, init, state, until, up

PATHS = ("etc/ttys", "etc/jinit.conf")
GOOD = {"etc/ttys": 't1 /bin/session xterm on\n', "etc/jinit.conf": 'x { command = "/bin/sleep 1000"; }\n'}


def write(path, text):
    with open(path, "wb") as f:
        f.write(text)


def binary(path):
    write(path, random.Random(1).randbytes(200_000))


def zeros(path):
    write(path, bytes(10 << 20))


def long_line(path):
    write(path, b'a "' + b"x" * (10 << 20))


def many_lines(path):
    write(path, b'tty "/bin/true" xterm off\n' * ((10 << 20) // 26))


def many_braces(path):
    write(path, b"a{" * (5 << 20))


def many_services(path):
    write(path, b"".join(b'a%d { command = "/bin/true"; depend = a%d; down; }\n' % (i, i + 1) for i in range(30_000)))


def some_services(path):
    write(path, b"".join(b'a%d { command = "/bin/true"; depend = a%d; down; }\n' % (i, i + 1) for i in range(18_000)))


def sparse(path):
    with open(path, "wb") as f:
        f.truncate(1 << 40)


def fifo(path):
    os.mkfifo(path)


def directory(path):
    os.mkdir(path)


def device(path):
    os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))


def terminal(path):
    os.symlink("/dev/console", path)


def loop(path):
    os.symlink(os.path.basename(path), path)


def outside(path):
    os.symlink("../../../../../../../../mnt/work/secret", path)


def magic(path):
    os.symlink("/proc/self/fd/3", path)


def endless(path):
    os.symlink("/proc/kmsg", path)


HOW = (binary, zeros, long_line, many_lines, many_braces, many_services, some_services, sparse, fifo, directory, device, terminal, loop,
       outside, magic, endless)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)


def hostile(path, how):
    full = f"{ROOT}/{path}"
    remove(full)
    how(full)


def good_files():
    box.script("bin/session", "exec /bin/sleep 2000")
    for path in PATHS:
        box.put(path, GOOD[path], 0o644)


def both_run():
    until(lambda: box.pids_of("/bin/sleep", "1000") and box.pids_of("/bin/sleep", "2000"), "the session and the service")


def answers_soon(what, pid):
    began = time.monotonic()
    box.same((state(), box.process1()), ("multi_user", pid), what)
    if time.monotonic() - began > 5:
        raise box.Wrong(f"{what}: an answer after {time.monotonic() - began:.1f} s")


def hostile_files_at_a_start():
    write("/mnt/work/secret", b't1 "/bin/leaked" xterm on\n')
    for path in PATHS:
        for how in HOW:
            box.fresh_root()
            hostile(path, how)
            up()
            answers_soon(f"{path}: {how.__name__}", box.process1())
            box.same("leaked" in init("status"), False)
            box.jail("-qr", "a")


def hostile_files_at_a_reload():
    """What is up stays up, and the next good file is taken."""
    good_files()
    up()
    pid = box.process1()
    both_run()
    for path in PATHS:
        for how in HOW:
            hostile(path, how)
            init("reload")
            answers_soon(f"{path}: {how.__name__}", pid)
        remove(f"{ROOT}/{path}")
        box.put(path, GOOD[path], 0o644)
        init("reload")
    both_run()
    memory = int(box.status_of(pid, "RssAnon").split()[0])
    if memory > 4000:
        raise box.Wrong(f"{memory} kB of memory are kept")


def files_change_while_they_are_read():
    """Truncated, written, renamed and replaced, as fast as the jail can."""
    body = "; ".join(f": > /{path}; head -c 300000 /dev/urandom >> /{path}; cp /good /{path}.x; mv /{path}.x /{path}" for path in PATHS)
    box.put("good", GOOD["etc/ttys"] * 100, 0o644)
    box.script("bin/writer", f"export PATH=/bin:/sbin; while [ ! -e /enough ]; do {body}; done")
    for name in ("head", "cp", "mv"):
        if not os.path.lexists(f"{ROOT}/bin/{name}"):
            os.symlink("busybox", f"{ROOT}/bin/{name}")
    up()
    pid = box.process1()
    box.inside("sh", "-c", "setsid /bin/writer > /dev/null 2>&1 < /dev/null &")
    until(lambda: box.pids_of("/bin/sh", "/bin/writer"), "the writer")
    for _ in range(100):
        init("reload")
    answers_soon("while they change", pid)
    box.put("enough", "")
    until(lambda: not box.pids_of("/bin/sh", "/bin/writer"), "the writer's end")
    good_files()
    box.ttys("t2 /bin/session xterm on")  # the other one may have been hung up so often that it waits
    init("reload")
    both_run()
    box.same(box.process1(), pid)


CASES = [hostile_files_at_a_start, hostile_files_at_a_reload, files_change_while_they_are_read]
