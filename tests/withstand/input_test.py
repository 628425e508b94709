#!/usr/bin/env python3
"""Bad input: one clear line each, exit status 1, nothing left. usage: input_test.py BINDIR [CASE...]"""
import os
import random
import shutil
import subprocess

from harness import (BIN, CONF, JAIL, JEXEC, JLS, ROOT, WORK, as_before, command, configure, expect, fp, good, jail, measured,
                     names, refused, run, world)

MEGABYTES_10 = 10_000_000


def big_valid():
    """10 MB of jails with defaults and variables: explained, and one of them started."""
    rest = "exec.start += 'echo ${name} of $class';\n" * 3
    blocks, size = ["$class = big; persist; host.hostname = \"$name.example.org\";\n"], 0
    while size < MEGABYTES_10:
        blocks.append(f"j{len(blocks)} {{ path = {ROOT}; # {'x' * 100}\n{rest}}}\n")
        size += len(blocks[-1])
    configure("".join(blocks))
    done = measured(JAIL, "-f", CONF, "--explain", "j77")
    expect(done.status == 0 and "j77.example.org" in done.out, done)
    expect(done.seconds < 20 and done.kilobytes < 2_000_000, f"{done.kilobytes} kB", done)
    for words in (("-c", "j77"), ("-m", "j77"), ("-r", "j77")):
        expect(good(*words).seconds < 30, words)
    return f"{len(blocks) - 1} jails, {done.seconds:.1f} s, {done.kilobytes // 1000} MB"


def repeat(text):
    return text * (MEGABYTES_10 // len(text))


HOSTILE = {
    "syntax errors": lambda: repeat("a = b c d;\n"),
    "commas": lambda: repeat(","),
    "braces": lambda: repeat("a{"),
    "closing braces": lambda: repeat("}"),
    "backslashes": lambda: repeat("\\"),
    "open quotes": lambda: repeat("'\n"),
    "one open quote": lambda: '"' + repeat("x"),
    "open comment": lambda: "/*" + repeat("*"),
    "stray bytes": lambda: repeat("\x01\x02\x1b]0;title\x07;"),
    "variables that are not there": lambda: "web { path = /; " + repeat("a += $none;\n") + "}",
    "variable loops": lambda: "web { path = /; " + "".join(f"$v{i} = \"$v{i + 1}\"; " for i in range(300_000)) + "$v300000 = \"$v0\"; }",
    "unknown parameters": lambda: "web { " + "".join(f"p{i} = {i};\n" for i in range(600_000)) + "}",
    "a long name": lambda: "web { path = /; persist; " + repeat("x") + " = 1; }",
    "a long value": lambda: "web { path = /; persist = " + repeat("x") + "; }",
    "a long name of a jail": lambda: "web { path = /; } " + repeat("x") + " { depend = none; }",
    "jails without what they need": lambda: "web { depend = none; } " + "".join(f"j{i} {{ depend = n{i}; }}\n" for i in range(300_000)),
    "a redefined name": lambda: "web { " + repeat("name = x;\n") + "}",
}


def big_hostile():
    """10 MB that mean nothing: the first errors, and how many more there are."""
    slowest = most = 0
    others = (("-m", "web"), ("-r", "*"), ("--explain", "web"), ("-e", ";"))
    for what, text in HOSTILE.items():
        configure(text())
        for words in (("-c", "web"), random.choice(others))[:random.choice((1, 1, 2))]:
            done = jail(*words)
            lines = done.err.splitlines()
            shows = words[0] in ("--explain", "-e", "-r")  # which need not read all values
            expect(done.status == 1 or shows, what, done)
            expect(len(lines) <= 50 and len(done.err) < 64_000, f"{what}: {len(lines)} lines, {len(done.err)} bytes", done)
            expect(all(line.startswith("jail: ") and line.isprintable() for line in lines), what, done)
            slowest, most = max(slowest, done.seconds), max(most, len(lines))
            expect(done.seconds < 30, what, done)
    return f"{len(HOSTILE)} files, at most {slowest:.1f} s and {most} lines"


def no_text():
    """Programs, random bytes, NUL bytes."""
    with open(f"{WORK}/busybox", "rb") as f:
        program = f.read()
    texts = [program, random.randbytes(100_000), b"\0" * 100_000, b"web { path = /mnt\0/r1; persist; \0 }", b"\xff\xfe" * 1000]
    for text in texts:
        configure(text)
        for words in (("-c",), ("-m",), ("-r", "*"), ("--explain",)):
            done = jail(*words)
            expect(done.status == 1 and done.err and len(done.err) < 30_000, text[:40], done)
            expect(all(line.startswith("jail: ") for line in done.err.splitlines()), text[:40], done)
    configure(b"web { path = /mnt/r1\0/and/more; persist; }")  # a NUL is no character of a word (J1.2)
    refused(jail("-c"), "line 1", "syntax error")


def files_that_are_none():
    os.mkdir(f"{WORK}/directory")
    os.symlink("nowhere", f"{WORK}/dangling")
    os.symlink("loop", f"{WORK}/loop")
    for path, why in ((f"{WORK}/directory", "Is a directory"), (f"{WORK}/missing", "No such file"), (f"{WORK}/dangling", "No such file"),
                      (f"{WORK}/loop", "Too many levels"), ("/proc/self/mem", "Input/output error"), ("/dev/zero", "too large"),
                      (f"{CONF}/below", "Not a directory"), ("/" + "x" * 300, "File name too long")):
        configure("")
        for words in (("-c",), ("-m",), ("-r", "*"), ("-r", "web"), ("--explain",), ("-e", ";"), ("--check",)):
            if words == ("-r", "web") or (words[0] == "-r" and why == "No such file"):
                continue  # a jail can be stopped without a file
            done = command(JAIL, "--check", path) if words == ("--check",) else command(JAIL, "-f", path, *words)
            done.err = done.err if words != ("--check",) else f"jail: {done.err}"  # whose lines begin with the file
            refused(done, path, why)
        configure(f".include \"{path}\"; web {{ path = {ROOT}; persist; }}")
        refused(jail("-c"), path, why)
    os.rmdir(f"{WORK}/directory")


def includes():
    """32 deep is allowed, 33 is not, and a loop ends (J1.9)."""
    for i in range(40):
        configure(f".include \"{WORK}/deep{i + 1}\";", f"{WORK}/deep{i}")
    last = f"deep {{ path = {ROOT}; persist; }}"
    configure(last, f"{WORK}/deep32")
    done = command(JAIL, "-f", f"{WORK}/deep0", "--explain", "deep")
    expect(done.status == 0 and done.err == "", done)
    configure(f".include \"{WORK}/deep33\";", f"{WORK}/deep32")
    configure(last, f"{WORK}/deep33")
    refused(command(JAIL, "-f", f"{WORK}/deep0", "-c"), "maximum include depth exceeded")
    configure(f".include \"{CONF}\";")
    refused(jail("-c"), "maximum include depth exceeded")
    configure(f".include \"{CONF}\", \"{CONF}\", \"{WORK}/con*\";" * 10)
    refused(jail("-c"), "maximum include depth exceeded")


def farm():
    """Symlinks of a root that lead out of it, in circles, or to one another forty times."""
    os.mkdir("/mnt/farm")
    os.makedirs("/mnt/outside/dev/fd")
    for d in ("dev", "proc", "tmp", "real"):
        os.mkdir(f"/mnt/farm/{d}")
    links = {"out": "/mnt/outside", "up": "../outside", "up2": "real/../../outside", "abs": "/", "self": "self", "a": "b", "b": "a",
             "real/back": "../../outside", "l0": "/mnt/outside", "proclink": "/proc/1/root/mnt/outside"}
    links.update({f"l{i}": f"l{i - 1}" for i in range(1, 45)})
    for name, target in links.items():
        os.symlink(target, f"/mnt/farm/{name}")
    before = world.look()
    for name in links:
        for kind in ("tmpfs /mnt/farm/%s tmpfs rw 0 0", "/mnt/r2 /mnt/farm/%s nullfs ro 0 0", "proc /mnt/farm/%s procfs rw 0 0"):
            configure(f"j {{ path = /mnt/farm; persist; mount = \"{kind % name}\"; }}")
            done = jail("-c", "j")
            if done.status == 0:  # inside the jail the link may mean something, but never our host
                good("-r", "j")
            else:
                refused(done, "/" + name.split("/")[-1])
            as_before(before)
    for name, words in (("dev", "mount.devfs"), ("proc", "mount.procfs"), ("dev", "mount.fdescfs")):
        os.rmdir(f"/mnt/farm/{name}")
        for target in ("/mnt/outside", "../outside", "nowhere", name):
            os.symlink(target, f"/mnt/farm/{name}")
            now = world.look()
            configure(f"j {{ path = /mnt/farm; persist; {words}; }}")
            refused(jail("-c", "j"), name)
            as_before(now)
            os.unlink(f"/mnt/farm/{name}")
        os.mkdir(f"/mnt/farm/{name}")
    expect(os.listdir("/mnt/outside") == ["dev"] and os.listdir("/mnt/outside/dev/fd") == [], "something was written outside")
    subprocess.run(["rm", "-rf", "/mnt/farm", "/mnt/outside"], check=True)
    return f"{3 * len(links) + 12} starts"


def roots_and_mounts():
    """What a jail needs and is not there, or is something else."""
    mount = "j {{ path = {}; persist; mount = \"{}\"; }}"
    cases = [
        ("j { path = /mnt/none; persist; }", "/mnt/none", "No such file"),
        ("j { path = /mnt/r1/etc/passwd; persist; }", "/mnt/r1/etc/passwd", "Not a directory"),
        ("j { path = /mnt/r1/etc/passwd/x; persist; }", "/mnt/r1/etc/passwd/x", "Not a directory"),
        ("j { path = relative; persist; }", "relative", "not an absolute pathname"),
        ("j { path = /" + "x" * 2000 + "; persist; }", "File name too long"),
        ("j { path = /mnt/r1; }", "new jail must persist or attach"),
        (mount.format(ROOT, "tmpfs /mnt/r1/none tmpfs rw 0 0"), "/mnt/r1/none", "No such file"),
        (mount.format(ROOT, "/mnt/none /mnt/r1/mnt nullfs rw 0 0"), "/mnt/none", "No such file"),
        (mount.format(ROOT, "x /mnt/r1/mnt nosuchfs rw 0 0"), "nosuchfs"),
        (mount.format(ROOT, "tmpfs /mnt/r1/etc/passwd tmpfs rw 0 0"), "/mnt/r1/etc/passwd", "Not a directory"),
        (mount.format(ROOT, "tmpfs"), "mount: "),
        (f"j {{ path = {ROOT}; persist; mount.fstab = {WORK}/none; }}", f"{WORK}/none", "No such file"),
        (f"j {{ path = {ROOT}; persist; mount.fstab = {WORK}; }}", WORK, "Is a directory"),
        (f"j {{ path = {ROOT}; persist; exec.consolelog = /mnt/none/log; exec.start = true; }}", "/mnt/none/log", "No such file"),
        (f"j {{ path = {ROOT}; persist; vnet; vnet.interface = nosuch0; }}", "nosuch0"),
        (f"j {{ path = {ROOT}; persist; ip4.addr = 'nosuch0|10.9.9.9'; }}", "nosuch0"),
        (f"j {{ path = {ROOT}; persist; ip4.addr = 10.9.9.999; }}", "10.9.9.999"),
        (f"p.j {{ path = {ROOT}; persist; }}", "\"p\" not found"),
    ]
    for text, *expected in cases:
        configure(text)
        refused(jail("-qc"), *expected)
    return f"{len(cases)} configurations"


def addresses():
    """255 of a family at most (J2.2)."""
    four = [f"10.8.{i // 250}.{i % 250 + 1}" for i in range(256)]
    six = [f"fd00::{i:x}" for i in range(1, 257)]
    for kind, list_, number in (("ip4", four, 4), ("ip6", six, 6)):
        configure(f"j {{ path = {ROOT}; persist; {kind}.addr = {', '.join(repr(a) for a in list_)}; }}")
        refused(jail("-qc"), f"j: too many IPv{number} addresses")
        configure(f"j {{ path = {ROOT}; persist; {kind}.addr = {', '.join(repr(a) for a in list_[:255])}; }}")
        good("-qc")
        refused(command(JAIL, "-qm", "name=j", f"{kind}.addr={','.join(list_)}"), f"too many IPv{number} addresses")
        good("-r", "j")


def restarts_that_cannot_start():
    """-mr, -rc and -cmr refuse before they stop what runs."""
    configure(f"j {{ path = {ROOT}; persist; exec.poststop = 'echo stopped > {WORK}/stopped'; }}")
    good("-c")
    for words, texts in ((("-mr", "name=j", "path=/mnt/r2"), ("must persist or attach",)),
                         (("-cmr", "name=j", "path=/mnt/r2"), ("must persist or attach",)),
                         (("-mr", "name=j", "path=/mnt/none", "persist"), ("/mnt/none", "No such file")),
                         (("-mr", "name=j", "path=/mnt/r2", "persist", "exec.fib=3"), ("exec.fib",))):
        refused(command(JAIL, *words), *texts)
        expect(names() == ["j"] and not os.path.exists(f"{WORK}/stopped"), words, "has stopped the jail")
    for text, words, *texts in (("persist; path = /mnt/none;", "-rc", "/mnt/none", "No such file"),
                                ("path = /mnt/r1;", "-rc", "must persist or attach"), ("path = /mnt/r2;", "-mr", "must persist or attach"),
                                ("persist; path = /mnt/r1; vnet.interface = va;", "-rc", "has no vnet")):
        configure(f"j {{ {text} }}")
        refused(jail(words, "j"), *texts)
        expect(names() == ["j"] and not os.path.exists(f"{WORK}/stopped"), text, "has stopped the jail")
    done = command(JAIL, "-mr", "name=j", "path=/mnt/r2", "persist")
    expect(done.status == 0 and os.path.exists(f"{WORK}/stopped"), done)
    os.unlink(f"{WORK}/stopped")
    good("-r", "j")


def fill(path):
    """Fills the file system, and leaves it without a byte."""
    with open(f"{path}/ballast", "wb", buffering=0) as f:
        for size in (1 << 16, 4096, 1):
            try:
                while f.write(b"x" * size):
                    pass
            except OSError:
                pass


def small_disk(kilobytes):
    os.makedirs(f"{WORK}/small", exist_ok=True)
    world.mount("-t", "tmpfs", "-o", f"size={kilobytes}k,nr_inodes=1000", "small", f"{WORK}/small")


def empty_disk():
    subprocess.run(["umount", f"{WORK}/small"], check=True)


def full_disk():
    """CELLBLOCK_DB and CELLBLOCK_RUN on a full disk, and on disks that fill up at some point of a start."""
    count = 0
    configure(f"j {{ path = {ROOT}; persist; mount.devfs; exec.prestart = true; exec.poststop = true; exec.start = true; }}")
    for variable in ("CELLBLOCK_DB", "CELLBLOCK_RUN"):
        for spare in range(0, 14):
            count += 1
            small_disk(200)
            before = world.look()
            env = {variable: f"{WORK}/small/here"}
            os.mkdir(f"{WORK}/small/here")
            fill(f"{WORK}/small")
            if spare:
                os.truncate(f"{WORK}/small/ballast", os.path.getsize(f"{WORK}/small/ballast") - 4096 * spare)
            done = jail("-c", env=env)
            if done.status == 0:
                fill(f"{WORK}/small")  # and a stop does not need what a start left
                stopped = jail("-r", "j", env=env)
                # The index of all jails, which only has to last until a boot, is written anew; --recover does it below.
                late = variable == "CELLBLOCK_RUN" and "index.new: write: No space left" in stopped.err
                expect(stopped.status == 0 or late, f"{variable}, {spare} blocks left at the start, none at the stop:", stopped)
            else:
                lines = done.err.splitlines()
                expect(done.status == 1 and lines and "No space left" in lines[0], f"{variable}, {spare} blocks left:", done)
                expect(len(lines) <= 3 and all(f"{WORK}/small" in x or "No space" in x for x in lines), f"{variable}, {spare}:", done)
            os.unlink(f"{WORK}/small/ballast")
            recovered = command(JAIL, "--recover", env=env)
            expect(recovered.status == 0 and not recovered.err, f"{variable}, {spare} blocks left:", recovered)
            left = names("-d") if not env else command(JLS, "-d", "name", env=env).out.split()
            expect(not left, f"{variable}, {spare} blocks left:", left)
            records = f"{WORK}/small/here/jails" if variable == "CELLBLOCK_DB" else f"{world.DB}/jails"
            expect(not os.path.isdir(records) or not os.listdir(records), f"{variable}, {spare} blocks left: {records}")
            as_before(before)
            empty_disk()
    return f"{count} disks"


def lines_lost_with_the_power():
    """After a boot of the host: whatever of a ledger was not synced is not there, or NULs are. What is on the disk goes all the same."""
    upper, records, kept = f"{WORK}/upper", f"{world.DB}/jails", f"{WORK}/record"
    os.makedirs(upper)
    os.makedirs(f"{ROOT}/over", exist_ok=True)
    configure(f"j {{ path = {ROOT}; persist; mount = '{upper} {ROOT}/over unionfs rw 0 0'; exec.prepare = 'touch {WORK}/prepared';"
              f" exec.release = 'rm -f {WORK}/prepared'; }}")
    good("-c")
    (record,) = os.listdir(records)
    shutil.copytree(f"{records}/{record}", kept)
    good("-r", "j")
    with open(f"{kept}/ledger", encoding="utf-8") as f:
        lines = f.read().replace(fp.read("/proc/sys/kernel/random/boot_id").strip(), "12345678-1234-1234-1234-123456789abc").splitlines(True)
    synced = next(n for n, line in enumerate(lines, 1) if line.startswith("+ union"))
    before, work = world.look(), f"{WORK}/.cellblock-work-{os.stat(upper).st_ino}"
    for count in range(synced, len(lines) + 1):
        for tail in ("", "\0" * 100, lines[count][:-1] if count < len(lines) else ""):
            shutil.copytree(kept, f"{records}/{record}")
            with open(f"{records}/{record}/ledger", "w", encoding="utf-8") as f:
                f.write("".join(lines[:count]) + tail)
            os.makedirs(f"{work}/work")
            open(f"{WORK}/prepared", "w", encoding="utf-8").close()
            done = command(JAIL, "--recover")
            expect(done.status == 0 and not done.err, f"{count} lines and {tail!r}:", done)
            left = [path for path in (work, f"{WORK}/prepared", f"{records}/{record}") if os.path.exists(path)]
            expect(not left, f"{count} lines and {tail!r}:", left)
    as_before(before)
    os.rmdir(upper)
    os.rmdir(f"{ROOT}/over")
    shutil.rmtree(kept)
    return f"{len(lines) + 1 - synced} lengths"


def read_only_disk():
    configure(f"j {{ path = {ROOT}; persist; mount.devfs; exec.start = 'sleep 1000 &'; }}")
    for variable in ("CELLBLOCK_DB", "CELLBLOCK_RUN"):
        env = {variable: f"{WORK}/small/here"}
        small_disk(1000)
        before = world.look()
        for made in (False, True):
            if made:
                os.makedirs(f"{WORK}/small/here")
            world.mount("-o", "remount,ro", f"{WORK}/small")
            refused(jail("-c", env=env), f"{WORK}/small", "Read-only file system")
            expect(command(JLS, env=env).status == 0, "jls")
            world.mount("-o", "remount,rw", f"{WORK}/small")
        good("-c", env=env)
        world.mount("-o", "remount,ro", f"{WORK}/small")
        done = jail("-r", "j", env=env)
        expect(done.status == 0 or "Read-only file system" in done.err, done)
        expect(done.status in (0, 1) and len(done.err.splitlines()) <= 3, done)
        world.mount("-o", "remount,rw", f"{WORK}/small")
        if done.status != 0:
            good("-r", "j", env=env)
        as_before(before)
        empty_disk()


def not_root():
    """Nobody may start, stop, change or enter; everybody may look."""
    configure(f"j {{ path = {ROOT}; persist; }}")
    os.chmod(CONF, 0o644)
    good("-c")
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    refused(command(*nobody, JEXEC, "j", "true"), "jail_attach", "ermi")
    for words in ((JAIL, "-f", CONF, "-c"), (JAIL, "-f", CONF, "-r", "j"), (JAIL, "-R", "j"), (JAIL, "-f", CONF, "-rc", "j"),
                  (JAIL, "-f", CONF, "-m", "j"), (JAIL, "-m", "name=j", "host.hostname=x"), (JAIL, "-c", "name=k", f"path={ROOT}", "persist"),
                  (JAIL, "--recover"), (JAIL, "--recover", "--forget", "j"), (JAIL, "-r", "*")):
        refused(command(*nobody, *words), "Operation not permitted")
    for words in ((JLS,), (JLS, "-v"), (JLS, "-d"), (JLS, "-n"), (JLS, "-j", "j", "name"), (JAIL, "--check", CONF), (JAIL, "-f", CONF, "-e", ";"),
                  (JAIL, "-f", CONF, "--explain"), (JAIL, "-f", CONF, "--plan", "-c")):
        done = command(*nobody, *words)
        expect(done.status == 0 and done.out.strip() or words == (JAIL, "--check", CONF), done)
        expect(not [line for line in done.err.splitlines() if ": note: " not in line], done)
    expect(names() == ["j"], "the jail is gone")
    os.chmod(CONF, 0o600)
    for words in (("--plan", "-c"), ("--explain",), ("-e", ";")):
        refused(command(*nobody, JAIL, "-f", CONF, *words), CONF, "Permission denied")
    good("-r", "j")


def no_groups():
    """A host without cgroup v2."""
    configure(f"j {{ path = {ROOT}; persist; }}")
    hidden = ("unshare", "-m", "--propagation", "private", "sh", "-c",
              "for m in $(awk '$3 == \"cgroup2\" {print $2}' /proc/mounts); do umount $m; done; exec \"$@\"", "sh")
    refused(command(*hidden, JAIL, "-f", CONF, "-c"), "cgroup v2", "not mounted")
    refused(command(*hidden, JAIL, "-c", "name=k", f"path={ROOT}", "persist"), "cgroup v2", "not mounted")
    expect(command(*hidden, JLS).status == 0, "jls")


def linked_child():
    """The root of a jail below another is the other's to arrange: no link there is followed, and no way is found out of it."""
    os.makedirs(f"{ROOT}/kid", exist_ok=True)
    os.symlink("../../../../../..", f"{ROOT}/kid/up")
    os.symlink("/", f"{ROOT}/kid/top")
    try:
        configure(f"j {{ path = {ROOT}; persist; }}")
        good("-c")
        for place in ("up", "top", "up/tmp"):
            done = command(JAIL, "-c", "name=j.k", f"path={ROOT}/kid/{place}", "persist", "exec.start=true")
            refused(done, "link")
            expect(names() == ["j"], names("-d"))
        os.unlink(f"{ROOT}/kid/up")
        os.mkdir(f"{ROOT}/kid/up")
        good("-c", "name=j.k", f"path={ROOT}/kid/up", "persist", "exec.start=")
        good("-R", "*")
    finally:
        world.run(["rm", "-rf", f"{ROOT}/kid"])


CASES = (big_valid, big_hostile, no_text, files_that_are_none, includes, farm, linked_child, roots_and_mounts, addresses, restarts_that_cannot_start,
         full_disk, lines_lost_with_the_power, read_only_disk, not_root, no_groups)

if __name__ == "__main__":
    run(CASES)
