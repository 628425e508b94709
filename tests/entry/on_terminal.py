"""Cases on a terminal: who has it, keys, stops, jobs of shells."""
import os

from harness import INSIDE, RUNTIME, Terminal, descendants, field, read, same, until


# --- on a terminal ---

def leader(init, script, **how):
    """A terminal whose session leader is the init."""
    return Terminal([*(RUNTIME if init.inside else []), *init.words, "--", "sh", "-c", script], **how)


def terminal_is_handed_over(init):
    t = leader(init, "read s < /proc/$$/stat; set -- $s; echo group $5 session $6 front $8 self $1; exit 3")
    group, session, front, self = t.sees(r"group (\d+) session (\d+) front (\d+) self (\d+)").groups()
    same((group, front), (self, self))
    same(t.ends(), 3)


def keys_reach_the_command(init):
    for key, status in (("\003", 130), ("\034", 131)):
        t = leader(init, "ulimit -c 0; trap - QUIT; echo go; exec sleep 1000")
        t.sees("go")
        t.types(key)
        same(t.ends(), status)
        t.close()


def stop_key_without_a_shell(init):
    """Nobody could continue it: it goes on, as it would without an init."""
    t = leader(init, "echo go; exec cat")
    t.sees("go")
    t.types("\032")
    t.asks("here\n", "here\r\nhere\r\n")
    t.types("\004")
    same(t.ends(), 0)


def shell_with_jobs(init):
    t = Terminal([*(RUNTIME if init.inside else []), *init.words, "--", "bash", "--norc", "--noprofile", "--noediting", "-i"])
    t.sees(r"^host\$ ")  # and no word about a terminal that it has not
    t.asks("cat\n", "cat\r\n")
    t.asks("one\n", "one\r\none\r\n")
    t.asks("\032", r"Stopped[^\n]*\n(.*\n)*?host\$ ")
    t.asks("fg\n", "cat\r\n")
    t.asks("more\n", "more\r\nmore\r\n")
    t.asks("\003", r"host\$ ")
    t.types("exit 9\n")
    same(t.ends(), 9)


def hang_up(init):
    t = leader(init, "trap 'exit 0' HUP; echo go; while :; do sleep 0.01; done")
    t.sees("go")
    pid = init.find(t.pid)
    os.close(t.master)
    t.master = os.open("/dev/null", os.O_RDONLY)
    until(lambda: not os.path.exists(f"/proc/{pid}") or field(pid, "State") == "Z", "the end")


def daemons_before_it(init):
    """A script that starts a daemon and becomes the init must not lose it to the change of sessions."""
    run = f"sleep 1000 & exec {' '.join(init.words)} -- sh -c 'sleep 0.2; kill -0 '$!' && echo alive; read x; echo got $x; exit 4'"
    t = Terminal([*(RUNTIME if init.inside else []), "sh", "-c", run])
    t.sees("alive")
    t.asks("hello\n", "got hello")
    same(t.ends(), 4)


def bash(init, front=""):
    t = Terminal(["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"])
    t.sees(r"host\$ ")
    t.types(f"J='{front}{' '.join(init.words)}'\n")
    t.sees(r"host\$ ")
    return t


def job_of_a_shell(init, options=""):
    """Stopped by its key, in the background, in the foreground, ended by kill."""
    t = bash(init)
    t.asks(f"$J {options} -- cat\n", "cat\r\n")
    t.asks("one\n", "one\r\none\r\n")
    t.asks("\032", r"Stopped[^\n]*\n(.*\n)*?host\$ ")
    t.asks("fg\n", "cat\r\n")
    t.asks("two\n", "two\r\ntwo\r\n")
    t.asks("\004", r"host\$ ")
    t.asks(f"$J {options} -- cat &\n", r"host\$ ")
    until(lambda: t.asks("jobs\n", r"(Running|Stopped)[^\n]*\n(.*\n)*?host\$ ").group(1) == "Stopped", "a job that reads stops")
    t.asks("fg\n", "cat\r\n")
    t.asks("three\n", "three\r\nthree\r\n")
    t.asks("\003", r"host\$ ")
    t.asks("echo status $?\n", "status 130\r\n")
    t.sees(r"host\$ ")
    t.asks(f"$J {options} -- sleep 1000 &\n", r"host\$ ")
    t.asks("kill %1; wait %1; echo status $?\n", "status 143\r\n")
    t.types("exit 9\n")
    same(t.ends(), 9)


def job_with_a_group(init):
    job_of_a_shell(init, "-g")


def member_of_a_pipeline(init):
    """The rest of the pipeline has the terminal as before."""
    t = bash(init)
    t.types("$J -- sleep 1000 | sh -c 'read x < /dev/tty; echo got $x'\n")
    t.asks("hello\n", "got hello\r\n")
    t.asks("\003", r"host\$ ")
    t.types("exit 9\n")
    same(t.ends(), 9)


def script_goes_on(init):
    """Without job control nobody takes the terminal back but us."""
    for options in ("", "-g"):
        t = Terminal(["sh", "-c", f"{' '.join(init.words)} {options} -- sh -c 'read x; echo got $x; exit 3'; echo $?; read y; echo then $y"])
        t.asks("one\n", "got one\r\n3\r\n")
        t.asks("two\n", "then two")
        same(t.ends(), 0)
        t.close()


def process_1_of_a_job(init):
    """unshare(1) from a shell: the terminal's group is nobody that process 1 could name."""
    t = bash(init, " ".join(INSIDE) + " ")
    t.asks("$J -- cat\n", "cat\r\n")
    t.asks("one\n", "one\r\none\r\n")
    t.asks("\004", r"host\$ ")
    t.asks("$J -- sleep 1000\n", "1000\r\n")
    until(lambda: "sleep" in [read(f"/proc/{p}/comm").strip() for p in descendants(t.pid)], "the command")
    t.asks("\003", r"host\$ ")
    t.types("exit 9\n")
    same(t.ends(), 9)


CASES = [terminal_is_handed_over, keys_reach_the_command, stop_key_without_a_shell, shell_with_jobs, hang_up, daemons_before_it]
OUTSIDE = [job_of_a_shell, job_with_a_group, member_of_a_pipeline, script_goes_on, process_1_of_a_job]
