#!/usr/bin/env python3
"""The commands on a terminal: shells in a jail, signals of keys, sizes, modes, job control, starts of many jails.

usage: run.py [-v] BINDIR [TEST...]

Runs in a world of its own (lives/world.py), with a pseudo-terminal for each test whose session leader is a shell of the host. After
each test the host must be as before (lives/fingerprint.py). The last line is 'N passed, N failed'; exits 1 if one failed.
"""
import os
import signal
import sys

sys.dont_write_bytecode = True
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, f"{TESTS}/lives"]
import fingerprint as fp  # noqa: E402
import screen  # noqa: E402
import world  # noqa: E402
from screen import Wrong, same, until  # noqa: E402

CONF = f"{world.WORK}/t.conf"
screen.Terminal.context = staticmethod(world.who_waits)
ONE = "a { path = /mnt/r1; persist; stop.timeout = 0; }"


class Terminal(screen.Terminal):
    """A terminal and the host shell on it."""

    def __init__(self, script, rows=24, columns=80, words=None, env=None):
        super().__init__(words or ["/bin/sh", "-c", script], world.ENV | screen.PLAIN | (env or {}), rows, columns)


def conf(text):
    with open(CONF, "w", encoding="utf-8") as f:
        f.write(text)


def jail(*words):
    status, err, out = world.run(["/mnt/bin/jail", "-f", CONF, *words])
    if status != 0:
        raise Wrong(f"jail {' '.join(words)}: {status} {err}")
    return out


def pids_of(*words):
    command = "\0".join(words) + "\0"
    return [int(p) for p in fp.pids() if fp.read(f"/proc/{p}/cmdline") == command]


# The host's shell: what jexec came to, and whether the terminal is as before. It outlives the keys that are for the command.
AROUND = "trap : INT QUIT; before=$(stty -g); {}; s=$?; [ $before = $(stty -g) ] && echo same modes; echo status $s; exit $s"


def in_jail(command="/bin/sh", **how):
    conf(ONE)
    jail("-q", "-c", "a")
    return Terminal(AROUND.format(f"jexec a {command}"), env={"PS1": "inside@ "}, **how)


def shell_ends(t, status):
    t.sees("same modes\r\n")
    t.sees(f"status {status}\r\n")
    same(t.ends(), status)


# --- a shell in a jail ---

def prompt_and_echo():
    t = in_jail()
    t.sees("inside@ ")
    t.asks("echo $((40+2))\n", r"echo \$\(\(40\+2\)\)\r\n(\S*)42\r\n")
    t.sees("inside@ ")
    t.asks("tty=$(readlink /proc/self/fd/0); id -u\n", "\r\n0\r\n")
    t.types("exit 5\n")
    shell_ends(t, 5)


def no_command_is_the_shell():
    t = in_jail("")
    t.sees("inside@ ")
    t.asks("echo $0 $-\n", r"\r\n/bin/sh \S*i")
    t.types("exit 3\n")
    shell_ends(t, 3)


def window_size():
    t = in_jail(rows=33, columns=101)
    t.sees("inside@ ")
    t.asks("busybox stty size\n", "\r\n33 101\r\n")
    t.sees("inside@ ")
    t.asks("sh -c 'trap \"busybox stty size; exit\" WINCH; echo r$((1+1)); while :; do sleep 0.1; done'\n", "r2\r\n")
    t.resize(44, 55)
    t.sees("44 55\r\n")
    t.sees("inside@ ")
    t.types("exit\n")
    shell_ends(t, 0)


def control_c():
    t = in_jail()
    t.sees("inside@ ")
    for n in range(3):
        t.asks(f"sh -c 'echo r$(({n}+1)); exec sleep 1000'\n", f"r{n + 1}\r\n")
        t.asks("\003", "inside@ ")
        t.asks("echo s$?\n", "\r\n(\\S*)s130\r\n")
        t.sees("inside@ ")
    t.asks("half a line\003", "inside@ ")
    t.asks("echo still here\n", "\r\n(\\S*)still here\r\n")
    t.types("exit 7\n")
    shell_ends(t, 7)


def control_c_of_a_command():
    """Without a shell in between, the command's death is jexec's."""
    t = in_jail("sleep 1000")
    until(lambda: pids_of("sleep", "1000"), "the command")
    t.types("\003")
    shell_ends(t, 130)


def control_backslash():
    t = in_jail("sh -c 'ulimit -c 0; exec sleep 1000'")
    until(lambda: pids_of("sleep", "1000"), "the command; busybox's shell itself takes no notice of QUIT")
    t.types("\034")
    shell_ends(t, 131)


def job_control():
    t = in_jail()
    t.sees("inside@ ")
    t.asks("sh -c 'echo r$((1+1)); exec cat'\n", "r2\r\n")
    t.asks("\032", "Stopped")
    t.sees("inside@ ")
    t.asks("jobs\n", r"\[1\]\S* +Stopped")
    t.sees("inside@ ")
    t.asks("fg\n", "cat'?\"?\r\n")
    t.asks("more\n", "more\r\nmore\r\n")
    t.asks("\032", "Stopped")
    t.sees("inside@ ")
    t.asks("kill -9 %1; fg 2> /log; echo w$((1+1))\n", "w2\r\n")
    t.sees("inside@ ")
    t.types("exit 4\n")
    shell_ends(t, 4)


def end_of_file():
    t = in_jail()
    t.sees("inside@ ")
    t.types("\004")
    shell_ends(t, 0)


def shell_is_killed():
    """Its line editing had changed the modes; a shell of the host that does not care gets them back all the same."""
    t = in_jail("/bin/sh -i")
    t.sees("inside@ ")
    until(lambda: len(pids_of("/bin/sh", "-i")) == 1, "one shell")
    os.kill(pids_of("/bin/sh", "-i")[0], signal.SIGKILL)
    shell_ends(t, 137)


def jail_is_removed():
    t = in_jail("/bin/sh -i")
    t.sees("inside@ ")
    jail("-q", "-r", "a")
    shell_ends(t, 137)


def hang_up():
    t = in_jail("/bin/sh -i")
    t.sees("inside@ ")
    t.asks("sleep 1000 &\n", "inside@ ")
    os.close(t.master)
    t.master = os.open("/dev/null", os.O_RDONLY)
    until(lambda: not pids_of("/bin/sh", "-i"), "the end of the shell")


def input_from_a_pipe():
    conf(ONE)
    jail("-q", "-c", "a")
    t = Terminal(AROUND.format("printf 'echo got\\necho line; exit 6\\n' | jexec a sh"))
    t.sees("^got\r\nline\r\n")
    shell_ends(t, 6)


def output_to_a_pipe():
    conf(ONE)
    jail("-q", "-c", "a")
    t = Terminal(AROUND.format("jexec a sh -c 'read x; echo got $x; echo err >&2' | sed 's/^/out: /'"))
    t.types("typed\n")
    t.sees("err\r\n|out: got typed\r\n")
    t.sees("err\r\n|out: got typed\r\n")
    shell_ends(t, 0)


def job_of_the_hosts_shell():
    """jexec as a job of an interactive shell of the host: stopped, in the background, in the foreground."""
    conf(ONE)
    jail("-q", "-c", "a")
    t = Terminal("", words=["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"])
    t.sees(r"host\$ ")
    t.asks("jexec a cat\n", "jexec a cat\r\n")
    t.asks("one\n", "one\r\none\r\n")
    t.asks("\032", r"Stopped[^\n]*\n(.*\n)*?host\$ ")
    t.asks("fg\n", "jexec a cat\r\n")
    t.asks("two\n", "two\r\ntwo\r\n")
    t.asks("\004", r"host\$ ")
    t.asks("jexec a cat &\n", r"host\$ ")
    until(lambda: t.asks("jobs\n", r"(Running|Stopped)[^\n]*\n(.*\n)*?host\$ ").group(1) == "Stopped", "a job that reads stops")
    t.asks("kill %1; fg; echo status $?\n", "status 143\r\n")
    t.sees(r"host\$ ")
    t.asks("jexec a /bin/sh\n", "/ # |inside@ |host[$] ")
    t.asks("echo $((40+2))\n", "42\r\n")
    t.types("exit\n")
    t.sees(r"exit\r\n(.*\n)*?host\$ ")
    t.types("exit 9\n")
    same(t.ends(), 9)


# --- jail(8) on a terminal ---

def start_reads_terminal():
    """A command of a start has the terminal, also with a time limit, in either mode."""
    for env in ({}, {"CELLBLOCK_STRICT": "freebsd"}):
        conf('a { path = /mnt/r1; persist; exec.timeout = 60; exec.prestart = "echo host?; read x; echo host \\$x;";'
             ' exec.start = "echo jail?; read x; echo jail \\$x;"; }')
        t = Terminal(AROUND.format(f"jail -f {CONF} -c a"), env=env)
        t.sees("host\\?")
        t.types("one\n")
        t.sees("host one\r\n")
        t.sees("jail\\?")
        t.types("two\n")
        t.sees("jail two\r\n")
        shell_ends(t, 0)
        t.close()
        jail("-q", "-r", "a")


def many(start):
    conf(f"path = /mnt/r1; persist; stop.timeout = 0; exec.start = '{start}';\n" + "".join(f"j{n} {{ }}\n" for n in range(1, 13)))


def many_with_progress():
    many("true")
    t = Terminal(AROUND.format(f"jail -f {CONF} -c > /dev/null"))
    seen = []
    for n in range(1, 13):
        seen.append(t.sees(rf"^\[{n}/12\] (j\d+)\r\n").group(1))
    same(sorted(seen), sorted(f"j{n}" for n in range(1, 13)))
    shell_ends(t, 0)
    jail("-q", "-r", "*")
    status, err, out = world.run(["/mnt/bin/jail", "-f", CONF, "-c"])
    same((status, err, len(out.splitlines())), (0, "", 12))
    jail("-q", "-r", "*")


def many_interrupted():
    """Control-C: what is up stays, what was starting is undone, nothing new begins."""
    many("test $name != j1 && { echo > /log; exec sleep 1000; }; true".replace("'", ""))
    conf(fp.read(CONF).replace("'test", '"test').replace("true'", 'true"'))
    t = Terminal(AROUND.format(f"jail -f {CONF} -c > /dev/null"))
    t.sees(r"\[1/12\] j1\r\n")
    until(lambda: len(pids_of("sleep", "1000")) == 11, "the others' commands")
    t.types("\003")
    t.sees("same modes\r\n")
    t.sees("status 130\r\n")
    same(t.ends(), 130)
    status, _, out = world.run(["/mnt/bin/jls", "-d", "name"])
    same((status, out), (0, "j1\n"))
    jail("-q", "-r", "*")


def one_interrupted():
    conf('a { path = /mnt/r1; persist; exec.release = "echo released"; exec.prepare = "true"; exec.start = "echo on; sleep 1000;"; }')
    t = Terminal(AROUND.format(f"jail -f {CONF} -c a"))
    t.sees("on\r\n")
    t.types("\003")
    t.sees("released\r\n")
    shell_ends(t, 130)


TESTS_HERE = [prompt_and_echo, no_command_is_the_shell, window_size, control_c, control_c_of_a_command, control_backslash, job_control,
              end_of_file, shell_is_killed, jail_is_removed, hang_up, input_from_a_pipe, output_to_a_pipe, job_of_the_hosts_shell,
              start_reads_terminal, many_with_progress, many_interrupted, one_interrupted]


def run_test(test, before):
    try:
        test()
    except (Wrong, OSError) as wrong:
        return f"{wrong}"
    finally:
        Terminal.close_all()
        world.run(["/mnt/bin/jail", "-qR", "*"])
        for n in range(1, 5):
            os.truncate(f"/mnt/r{n}/log", 0)
    left = world.settle(before)
    return "left behind:\n   " + "\n   ".join(left) if left else ""


def first_look():
    """The host as a registry leaves it that has had a jail."""
    conf(ONE)
    jail("-q", "-c", "a")
    jail("-q", "-R", "a")
    return world.look()


def main():
    verbose = "-v" in sys.argv
    bindir, *names = [word for word in sys.argv[1:] if word != "-v"] or sys.exit(__doc__)
    world.enter(bindir)
    world.build()
    world.root_has_sh()
    cases = {test.__name__: test for test in TESTS_HERE if not names or test.__name__ in names}
    return world.run_cases(cases, run_test, first_look, verbose)


if __name__ == "__main__":
    sys.exit(main())
