#!/usr/bin/env python3
"""Hooks that do what hooks do: call our commands, leave daemons behind, mount and unmount. usage: hooks_test.py BINDIR [CASE...]"""
import os
import signal
import subprocess

from harness import (CONF, JAIL, JEXEC, JLS, ROOT, WORK, as_before, begin, command, configure, end, expect, fp, good, jail, names, run, wait_for,
                     world)

SAID = f"{WORK}/said"
HOST_HOOKS = ("prepare", "prestart", "created", "poststart", "prestop", "poststop", "release")


def said():
    """What the hooks have written since the last question, a line each."""
    with open(SAID, encoding="utf-8") as f:
        lines = f.read().splitlines()
    os.unlink(SAID)
    return lines


def tell(word, what):
    """A command that notes what another said, and its status."""
    return f"x=$({what} 2>&1); echo {word}: $? $x >> {SAID}"


def conf(hooks, more="persist;", name="j", root=ROOT):
    """A jail whose host hooks are {hook: [command]}."""
    quoted = {hook: ", ".join('"' + one.replace("\\", "\\\\").replace("$", "\\$").replace('"', '\\"') + '"' for one in commands)
              for hook, commands in hooks.items()}
    return f"{name} {{ path = {root}; {more} " + " ".join(f"exec.{hook} = {text};" for hook, text in quoted.items()) + " }\n"


def everywhere(what):
    return {hook: [tell(hook, what)] for hook in HOST_HOOKS}


def in_every_hook(what, hooks=HOST_HOOKS):
    """Starts and stops a jail each of whose hooks runs this; {hook: what it said}."""
    configure(conf({hook: text for hook, text in everywhere(what).items() if hook in hooks}))
    good("-c", timeout=30)
    good("-r", "j", timeout=30)
    return {line.split(":")[0]: line.split(": ", 1)[1] for line in said()}


def look_on():
    """jls in every hook: no jail before it is created, a jail from then on, none after it is gone."""
    found = in_every_hook(f"{JLS} name")
    expect(found == {"prepare": "0", "prestart": "0", "created": "0 j", "poststart": "0 j", "prestop": "0 j", "poststop": "0", "release": "0"},
           found)


def enter():
    """jexec into their own jail."""
    found = in_every_hook(f"{JEXEC} j /bin/echo inside")
    for hook in ("created", "poststart", "prestop"):
        expect(found[hook] == "0 inside", found)
    for hook in ("prepare", "prestart", "poststop", "release"):
        expect(found[hook] == '1 jexec: jail "j" not found', found)


def change():
    """jail -m on their own jail, by file and by words; what is set stays set."""
    found = in_every_hook(f"{JAIL} -m name=j host.hostname=changed.$RANDOM")
    for hook in ("created", "poststart", "prestop"):
        expect(found[hook] == "0", found)
    for hook in ("prepare", "prestart", "poststop", "release"):
        expect(found[hook].startswith("1 jail: ") and "not found" in found[hook], found)
    configure(conf({"created": [f"{JAIL} -m name=j host.hostname=here meta.a=b"], "poststart": [tell("name", f"{JEXEC} j /bin/uname -n")]}))
    good("-c")
    expect(said() == ["name: 0 here"] and command(JLS, "-j", "j", "host.hostname", "meta").out == "here a=b\n", "not changed")
    good("-m", "j")
    good("-r", "j")


def start_another():
    """jail -c and -r of other jails, by the words of a command line and by the same file."""
    other = f"k {{ path = /mnt/r2; persist; }}\nl {{ path = /mnt/r3; persist; depend = k; }}\n"
    for hook in HOST_HOOKS:
        configure(conf({hook: [tell("c", f"{JAIL} -f {CONF} -c l"), tell("ls", f"{JLS} -N name"), tell("r", f"{JAIL} -f {CONF} -r l k")]}) + other)
        good("-c", "j", timeout=30)
        good("-r", "j", timeout=30)
        lines = said()
        expect(lines[0] == "c: 0 k: created l: created" and lines[2] == "r: 0 l: removed k: removed", hook, *lines)
    configure(conf({"prestart": [f"{JAIL} -c name=k path=/mnt/r2 persist"], "poststop": [f"{JAIL} -r k"]}))
    good("-c", "j")
    expect(sorted(names()) == ["j", "k"], names())
    good("-r", "j")
    expect(not names("-d"), names("-d"))


def start_themselves():
    """jail -c, -r and -rc of their own jail must not wait for themselves."""
    for words in ("-c j", "-r j", "-rc j", "-R j", "-cm j", "-c name=j path=/mnt/r1 persist"):
        found = in_every_hook(f"{JAIL} -f {CONF} {words}", ("prepare", "prestart", "created", "poststart"))
        for hook, text in found.items():
            if words == "-cm j" and hook in ("created", "poststart"):
                expect(text == "0 j: updated", words, hook, text)
            else:
                expect(text.startswith("1 jail: "), words, hook, text)
        found = in_every_hook(f"{JAIL} -f {CONF} {words}", ("prestop", "poststop", "release"))
        expect(len(found) == 3 and not names("-d"), words, found)


def no_way_out():
    """A hook's command that sees no process outside of the view does nothing in there."""
    found = in_every_hook(f"{{ unshare --pid --fork --mount-proc {JAIL} -c name=k path=/mnt/r2 persist && {JAIL} -r k; }}")
    for hook, text in found.items():
        there = hook in ("prepare", "release")
        expect(text == ("0" if there else "1 jail: leave the view: no process outside of it is to be seen"), hook, text)


def recover():
    """jail --recover leaves alone what its caller is working on."""
    found = in_every_hook(f"{JAIL} --recover")
    expect(set(found.values()) == {"0"}, found)


def children():
    """A hook makes jails below its own, which go with it."""
    configure(conf({"poststart": [tell("c", f"{JAIL} -c name=j.k path=/mnt/r1/mnt persist")]}))
    good("-c")
    expect(said() == ["c: 0"] and sorted(names()) == ["j", "j.k"], names())
    good("-r", "j")
    expect(not names("-d"), names("-d"))


def count_daemons():
    return sum(fp.read(f"/proc/{pid}/cmdline").startswith("sleep\0001000") for pid in fp.pids())


def daemons():
    """What a hook leaves running stays, as on FreeBSD, until somebody ends it; the jail goes all the same."""
    daemon = "sleep 1000 < /dev/null > /dev/null 2>&1 &"
    for how in (daemon, "setsid " + daemon, "cd /mnt/r1/tmp; " + daemon, f"exec 3> {ROOT}/log; " + daemon):
        before = world.look()
        configure(conf({hook: [f"sh -c '{how}'"] for hook in HOST_HOOKS}, "persist; mount.devfs; mount = 'tmpfs /mnt/r1/tmp tmpfs rw 0 0';"))
        good("-c", timeout=20)
        good("-r", "j", timeout=20)
        expect(not names("-d"), names("-d"))
        wait_for(lambda: count_daemons() == len(HOST_HOOKS), f"a daemon of each hook: {how}")
        good("-c")  # they are in nobody's way
        good("-r", "j")
        wait_for(lambda: count_daemons() == 2 * len(HOST_HOOKS), f"another of each: {how}")
        world.end_daemons()
        command(JAIL, "--recover")
        as_before(before)
    configure(conf({}, f"persist; exec.start = '{daemon}', '{daemon}';"))
    good("-c")
    good("-r", "j")  # those of the jail go with it


def mounts():
    """What hooks mount in the view goes with it, also on top of ours; what they mount on the host is theirs."""
    before = world.look()
    for hook in ("prestart", "created", "poststart"):
        for point in ("/mnt/r1/tmp", "/mnt/r1", "/mnt/r1/dev", "/mnt/r1/dev/fd", "/mnt/r1/proc"):
            configure(conf({hook: [f"mount -t tmpfs hook {point}"] * 2}, "persist; mount.devfs; mount.fdescfs; mount.procfs;"))
            done = jail("-c", timeout=30)
            expect(done.status in (0, 1), hook, point, done)
            if done.status == 0:
                good("-r", "j", timeout=30)
            as_before(before)
    configure(conf({"prepare": ["mount -t tmpfs hook /mnt/r1/tmp", "mkdir /mnt/r1/tmp/root"], "release": ["umount /mnt/r1/tmp"]},
                   root="/mnt/r1/tmp/root"))
    good("-c")
    good("-r", "j")
    as_before(before)


def unmounts():
    """Hooks that take away what we mounted, or mount and unmount in pairs."""
    before = world.look()
    more = "persist; mount.devfs; mount.procfs; mount = 'tmpfs /mnt/r1/tmp tmpfs rw 0 0', '/mnt/r2 /mnt/r1/mnt nullfs rw 0 0';"
    for hook in HOST_HOOKS[1:-1]:
        for text in (["umount /mnt/r1/tmp"], ["umount -l /mnt/r1/dev", "umount -l /mnt/r1/mnt"], ["umount -a -t tmpfs,nullfs || true"]):
            configure(conf({hook: [one + " || true" for one in text]}, more))
            done = jail("-c", timeout=30)  # without its /dev a jail cannot start
            expect(done.status == 0 or "/dev/shm: No such file" in done.err, hook, text, done)
            if done.status == 0:
                good("-r", "j", timeout=30)
            as_before(before)
    configure(conf({"prestart": ["mount -t tmpfs hook /mnt/r1/root", "mkdir /mnt/r1/root/x"],
                    "poststop": ["rmdir /mnt/r1/root/x", "umount /mnt/r1/root"]}, more))
    for _ in range(3):
        good("-c")
        good("-r", "j")


def change_things():
    """Hooks that change the file, remove the root or kill the command that runs them."""
    configure(conf({"prestart": [f"echo garbage > {CONF}"], "poststop": [tell("stop", "true")]}))
    good("-c")
    done = jail("-r", "j")
    expect(done.status == 0 and said() == ["stop: 0"], done)
    before = world.look()
    for hook in ("prepare", "prestart", "created", "poststart"):
        for number in (signal.SIGTERM, signal.SIGKILL):
            configure(conf({hook: [f"kill -{int(number)} $PPID; sleep 5"], "poststop": ["true"], "release": ["true"]}))
            end(begin(JAIL, "-f", CONF, "-c"))
            jail("-r", "j", timeout=30)
            wait_for(lambda: not [p for p in fp.pids() if fp.read(f"/proc/{p}/cmdline").startswith("sleep\0005")], "the hook to end", 30)
            command(JAIL, "--recover")
            expect(not names("-d"), hook, number, names("-d"))
            as_before(before)
    subprocess.run(["cp", "-a", "/mnt/r4", "/mnt/r5"], check=True)
    configure(conf({"poststart": ["rm -rf /mnt/r5/*"]}, root="/mnt/r5"))  # a mount point in the view
    good("-c")
    good("-r", "j")
    os.rmdir("/mnt/r5")


CASES = (look_on, enter, change, start_another, start_themselves, no_way_out, recover, children, daemons, mounts, unmounts, change_things)

if __name__ == "__main__":
    run(CASES)
