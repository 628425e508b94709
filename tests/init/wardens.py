"""The warden killed and replaced, around everything that may happen meanwhile; and another program as process 1 (init.program)."""
import os
import signal
import subprocess

import box
import fingerprint as fp
from box import again, comes_to, init, inside, jls, rc, removed, said, same, script, sees, state, until, up


def kill_warden():
    os.kill(box.warden(), signal.SIGKILL)
    until(lambda: not box.warden(), "its end")


def replaced():
    """A command that speaks to the init puts another one in, and process 1 does not notice."""
    before = box.process1()
    same(state(), "multi_user")
    same((box.process1(), bool(box.warden())), (before, True), "process 1, and a warden again")


def warden_is_killed():
    """The jail stays up, and a stop works without one."""
    up()
    kill_warden()
    same(inside("echo", "in").strip(), "in")
    box.jail("-qr", "a")
    removed(box.STOPPED)


def warden_is_replaced():
    """The next command does it; a reboot of either kind is seen by the new one, whose child process 1 is not, and by the next after that."""
    up()
    jid = jls("jid")
    for count, do in ((2, lambda: init("reboot")), (3, lambda: inside("reboot", "-f", want=None)), (4, lambda: init("reboot"))):
        kill_warden()
        replaced()
        again(count, do)
    same(jls("jid"), jid)
    kill_warden()
    replaced()
    inside("poweroff", "-f", want=None)
    removed()


def warden_is_replaced_by_other_commands():
    up()
    for words, want in ((["-qm", "name=a", "persist"], 0), (["-qc", "a"], 1), (["--recover"], 0), (["--recover", "a"], 0)):
        kill_warden()
        box.jail(*words, want=want)
        same(bool(box.warden()), True, str(words))
        same(state(), "multi_user")


def rebooted_without_a_warden():
    """init leaves word of what it is about to do: the next command does what init.on_reboot says, with the same jail."""
    for words, want in ((["--recover"], 0), (["-qc", "a"], 1)):
        box.fresh_root()
        up()
        jid = jls("jid")
        kill_warden()
        box.signal1("INT")
        until(lambda: not box.process1(), "the end of process 1")
        same(said(), ["rc autoboot"])
        box.jail(*words, want=want)
        same((said(), state(), jls("jid"), bool(box.warden())), (["rc autoboot"] * 2, "multi_user", jid, True), str(words))
        again(3, lambda: init("reboot"))
        box.jail("-qr", "a")


def rebooted_before_its_warden_does_anything():
    """A command that is faster than the warden's, or comes when that was killed, does the same as without a warden."""
    for words, want in ((["--recover"], 0), (["-qc", "a"], 1)):
        box.fresh_root()
        up()
        jid = jls("jid")
        os.kill(box.warden(), signal.SIGSTOP)
        init("reboot")
        until(lambda: not box.process1(), "the end of process 1")
        box.jail(*words, want=want)
        comes_to("multi_user")
        until(lambda: len(box.pids_of("jinit", "--warden")) == 1, "the new warden, which makes process 1 before it executes")
        same((jls("jid"), said().count("rc autoboot")), (jid, 2))
        again(3, lambda: init("reboot"))
        box.jail("-qr", "a")
        removed(box.STOPPED)
        os.unlink(box.HOOKS)


def halted_without_a_warden():
    up("init.on_crash = restart;")
    kill_warden()
    box.signal1("USR1")
    until(lambda: not box.process1(), "the end of process 1")
    box.jail("--recover")
    removed()
    same(said(), ["rc autoboot"])


def raw_reboot_without_a_warden():
    """A reboot(2) that init knows nothing of leaves no word: it counts as a crash."""
    for policy, runs in (("remove", 1), ("restart", 2)):
        box.fresh_root()
        up(f"init.on_crash = {policy};")
        kill_warden()
        inside("reboot", "-f", want=None)
        until(lambda: not box.process1(), "the end of process 1")
        box.jail("--recover")
        same((said(), state()), (["rc autoboot"] * runs, "multi_user" if runs == 2 else ""), policy)
        box.jail("-qr", "a", want=None)


def raw_reboot_before_its_warden_does_anything():
    """Only the warden knows of it: a command that is faster leaves it to that one."""
    for words, want in ((["--recover"], 0), (["-qc", "a"], 1)):
        box.fresh_root()
        up()
        jid, before = jls("jid"), box.warden()
        os.kill(before, signal.SIGSTOP)
        inside("reboot", "-f", want=None)
        until(lambda: not box.process1(), "the end of process 1")
        with subprocess.Popen([box.JAIL, "-f", box.CONF, *words], env=box.world.ENV, stderr=subprocess.DEVNULL) as command:
            try:
                command.wait(0.2)  # one that does not wait for the warden is done
            except subprocess.TimeoutExpired:
                pass
            os.kill(before, signal.SIGCONT)
        same(command.returncode, want, str(words))
        sees("rc autoboot", 2)
        comes_to("multi_user")
        same((jls("jid"), box.warden()), (jid, before), str(words))
        box.jail("-qr", "a")


def marks():
    ledger = fp.read(f"{box.world.DB}/jails/{os.listdir(f'{box.world.DB}/jails')[0]}/ledger")
    return [line for line in ledger.splitlines() if line.startswith("!")]


def cut_short():
    """The second rc hangs; whoever boots the jail is killed then, with its warden."""
    sees("rc autoboot", 2)
    kill_warden()
    for pid in box.pids_of("jail", "--ended"):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not box.pids_of("jail", "--ended"), "the engine's end")


def cut_short_with_its_warden():
    """The next command boots the jail again, whether process 1 has ended meanwhile or not."""
    for words, want, ends in ((["--recover"], 0, False), (["-qc", "a"], 1, True)):
        box.fresh_root()
        rc("n=$(sed -n '/^rc/p' /log | sed -n '$='); [ $n = 2 ] && sleep 1000")
        up()
        jid = jls("jid")
        init("reboot", want=None)
        cut_short()
        same(marks()[-1], "! reboot restart 0")
        if ends:
            box.kill1()
            until(lambda: not box.process1(), "the end of process 1")
        box.jail(*words, want=want)
        same((said().count("rc autoboot"), state(), jls("jid"), bool(box.warden())), (3, "multi_user", jid, True), str(words))
        same(marks()[-2:], ["! reboot restart 1", "! up"], str(words))
        same((jls("-d", "status"), box.hooks()), ("up", []))
        again(4, lambda: init("reboot"))
        box.jail("-qr", "a")


def cut_short_and_up_all_the_same():
    """Only the engine is killed: process 1 boots on, and the next command finds the jail to be up."""
    for words, want in ((["--recover"], 0), (["-qc", "a"], 1)):
        box.fresh_root()
        rc("n=$(sed -n '/^rc/p' /log | sed -n '$='); [ $n != 2 ] || until [ -e /go ]; do sleep 0.05; done")
        up()
        init("reboot", want=None)
        sees("rc autoboot", 2)
        for pid in box.pids_of("jail", "--ended"):
            os.kill(pid, signal.SIGKILL)
        until(lambda: not box.pids_of("jail", "--ended"), "the engine's end")
        box.put("go", "")
        comes_to("multi_user")
        pid = box.process1()
        box.jail(*words, want=want)
        same((box.process1(), marks()[-1], jls("-d", "status")), (pid, "! up", "up"), str(words))
        again(3, lambda: init("reboot"))
        box.jail("-qr", "a")


def first_start_cut_short():
    """A jail whose rc reboots it has not been up yet: it is undone."""
    rc("n=$(sed -n '/^rc/p' /log | sed -n '$='); [ $n = 2 ] && sleep 1000; reboot -f")
    start = box.begin()
    cut_short()
    start.kill()
    box.ended(start, -signal.SIGKILL)
    box.jail("--recover")
    until(box.is_gone, "its end")


def warden_that_cannot_be_executed():
    """It is said, and the next command tries again."""
    up()
    kill_warden()
    box.put("none", "\n")
    box.world.mount("--bind", f"{box.ROOT}/none", "/mnt/bin/jinit")
    try:
        status, err, _ = box.world.run([box.JAIL, "--recover", "a"])
    finally:
        box.world.run(["umount", "/mnt/bin/jinit"])
    same((status, err, box.warden()), (1, "jail: a: warden: Exec format error\n", 0))
    replaced()


# --- init.program ---

def program(body, extra=""):
    script("sbin/program", "export PATH=/bin:/sbin\n" + body)
    return up(f"init.program = /sbin/program; init.shutdown_timeout = 2; stop.timeout = 1; {extra}")


def program_is_process_1():
    """What the kernel gives an init, and nothing else of ours: no descriptor, no signal blocked or ignored, container=cellblock."""
    box.put("sbin/program", "#!/bin/tail -f\n")
    up("init.program = /sbin/program; init.shutdown_timeout = 2; stop.timeout = 1;")
    pid = int(jls("pid1"))
    until(lambda: fp.read(f"/proc/{pid}/cmdline").startswith("/bin/tail"), "it runs")
    words = [word for word in fp.read(f"/proc/{pid}/environ").split("\0") if not word.startswith("PATH=")]
    same(sorted(words), ["", "HOME=/root", "TERM=vt220", "container=cellblock"])
    same([box.status_of(pid, name) for name in ("SigBlk", "SigIgn", "NSpid")], ["0" * 16, "0" * 16, f"{pid}\t1"])
    same(set(os.listdir(f"/proc/{pid}/fd")) - {"3"}, {"0", "1", "2"}, "3 is the program's own")
    same((init("status").strip(), inside("echo", "in").strip()), ("program", "in"))


def program_is_stopped():
    program("trap 'echo told >> /log; exit 0' USR2; echo on >> /log; while :; do sleep 1000 & wait; done", "init.stop_signal = USR2;")
    sees("on")
    box.jail("-qr", "a")
    same(said()[-1], "told")
    removed(box.STOPPED)


def program_that_cannot_be():
    for what, text in (("none", ""), ("neither", "#!/nowhere\n")):
        if text:
            box.put("sbin/neither", text)
        said_by = up(f"init.program = /sbin/{what};", want=1)
        same(f"init.program /sbin/{what}: No such file" in said_by, True, said_by)
        until(box.is_gone, "the start is undone")
    same("not an absolute pathname" in up("init.program = sh;", want=1), True)
    same("no such signal" in up("init.program = /bin/sh; init.stop_signal = FOO;", want=1), True)


def program_reboots_and_halts():
    """As an init of the jail does it; the warden speaks for each."""
    program("""echo run >> /log; trap 'reboot -f' USR1; trap 'poweroff -f' USR2; while :; do sleep 1000 & wait; done""",
            "init.stop_signal = USR2;")
    sees("run")
    before, jid = box.warden(), jls("jid")
    for count in (2, 3):
        box.signal1("USR1")
        sees("run", count)
        until(lambda: world_status() == "up", "up again")
    same((jls("jid"), box.warden()), (jid, before))
    box.signal1("USR2")
    removed()


def world_status():
    return jls("-d", "status")


def program_exits():
    for policy, runs in (("remove", 1), ("restart", 2)):
        box.fresh_root()
        os.mkfifo(f"{box.ROOT}/go")
        program("echo run >> /log; [ -e /again ] && exec sleep 1000; : > /again; read line < /go; exit 0", f"init.on_exit = {policy};")
        sees("run")
        with open(f"{box.ROOT}/go", "w", encoding="utf-8") as go:
            go.write("on\n")
        until(lambda: policy == "remove" and box.is_gone() or said().count("run") == runs, policy)
        box.jail("-qr", "a", want=None)


def console():
    """What the console has shown, as a reader sees it who leaves after a while."""
    return box.world.run(["timeout", "1", box.JAIL, "--console=read", "a"])[2]


def program_on_the_console():
    """The warden serves it; killed, it takes the last output along, and the next command has another console."""
    program("echo hello; trap 'echo told > /dev/console' USR1; while :; do sleep 1000 & wait; done", "console;")
    until(lambda: "hello" in console(), "what it says")
    before = box.process1()
    kill_warden()
    same(init("status").strip(), "program")
    same((bool(box.warden()), box.process1()), (True, before))
    same("hello" in console(), False)
    box.signal1("USR1")
    until(lambda: "told" in console(), "what it says on the new one")


CASES = [warden_is_killed, warden_is_replaced, warden_is_replaced_by_other_commands, rebooted_without_a_warden,
         rebooted_before_its_warden_does_anything, halted_without_a_warden,
         raw_reboot_without_a_warden, raw_reboot_before_its_warden_does_anything, cut_short_with_its_warden, cut_short_and_up_all_the_same, first_start_cut_short,
         warden_that_cannot_be_executed, program_is_process_1, program_is_stopped, program_that_cannot_be, program_reboots_and_halts, program_exits, program_on_the_console]
