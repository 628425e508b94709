"""Directories of runit, under runsvdir and under jinit: the same record."""
import os
import signal

from sides import until

SV = ("sv", "-w", "10")


def runit(side, name, run, finish="true"):
    """`check` says whose it is."""
    side.script(f"{name}/run", run)
    side.script(f"{name}/finish", finish)
    side.script(f"{name}/check", "exit 0")


def here(side, name):
    return f"{side.scan}/{name}"


def finish_has_runits_arguments(side):
    runit(side, "a", "echo run $# >> $REC; [ -e $TOP/second ] && exec sleep 1000; : > $TOP/second; exit 3", "echo finish $# $1 $2 >> $REC")
    side.begin()
    side.sees("run 0", 2)
    side.tool("sv", "1", here(side, "a"))
    side.sees("finish 2 -1 10")
    side.sees("run 0", 3)


def sv_says_and_does(side):
    runit(side, "a", "echo run >> $REC; exec sleep 1000")
    runit(side, "b", "echo b >> $REC; exec sleep 1000")
    side.put("b/down", "")
    side.begin()
    side.sees("run")
    for words in (("status", "a"), ("status", "b"), ("start", "b"), ("status", "b"), ("pause", "a"), ("status", "a"), ("cont", "a"), ("status", "a"),
                  ("restart", "a"), ("stop", "a"), ("status", "a"), ("once", "a"), ("status", "a"), ("stop", "b"), ("force-stop", "a"), ("check", "b")):
        said = side.tool(*SV, words[0], here(side, words[1]))
        if words[0] != "once":  # sv may have looked before it was started
            side.kept.append(said)
        if words[0] in ("restart", "once"):
            side.sees("run", 2 if words[0] == "restart" else 3)  # before the next word ends it
    side.kept.append([open(f"{side.scan}/{name}/supervise/stat", encoding="utf-8").read() for name in "ab"])


def every_letter_has_its_signal(side):
    names = {"alarm": "ALRM", "quit": "QUIT", "hup": "HUP", "interrupt": "INT", "1": "USR1", "2": "USR2", "term": "TERM"}
    traps = "\n".join(f"trap 'echo {name} >> $REC' {name}" for name in names.values())
    runit(side, "a", f"{traps}\necho run >> $REC\nwhile :; do sleep 0.02; done", "echo finish $1 $2 >> $REC")
    side.begin()
    side.sees("run")
    for word, name in names.items():
        side.tool("sv", word, here(side, "a"))
        side.sees(name)
    side.keep("sv", "status", here(side, "a"))
    side.tool("sv", "kill", here(side, "a"))
    side.sees("finish -1 9")
    side.sees("run", 2)


def its_logger_has_its_output(side):
    runit(side, "a", "echo run; exec sleep 1000")
    runit(side, "a/log", "exec cat >> $REC")
    side.begin()
    side.sees("run")
    side.keep("sv", "status", here(side, "a"))
    os.kill(int(open(f"{side.scan}/a/log/supervise/pid", encoding="utf-8").read()), signal.SIGKILL)
    until(lambda: side.tool("sv", "status", here(side, "a"))[1].count("run: ") == 2, "the logger is back")
    side.keep(*SV, "restart", here(side, "a"))
    side.sees("run", 2)


CASES = [finish_has_runits_arguments, sv_says_and_does, every_letter_has_its_signal, its_logger_has_its_output]
