"""Directories of s6, under s6-svscan and under jinit: the same record."""
import os
import signal

from sides import same, until

STAYS = "echo begin >> $REC; exec sleep 1000"


def finish_has_its_arguments(side):
    side.script("a/run", "echo run $1 >> $REC; [ -e $TOP/second ] && exec sleep 1000; : > $TOP/second; exit 3")
    side.script("a/finish", "echo finish $1 $2 $3 >> $REC")
    side.put("a/timeout-finish", "0\n")
    side.begin()
    side.sees("run a", 2)
    os.kill(side.pid("a"), signal.SIGUSR1)
    side.sees("finish 256 10 a")
    side.sees("run a", 3)


def finish_may_forbid_another_run(side):
    side.script("a/run", "echo run >> $REC; exit 7")
    side.script("a/finish", "exit 125")
    side.put("a/max-death-tally", "3\n")
    side.begin()
    side.keep("s6-svwait", "-t", "10000", "-D", "a")
    until(lambda: side.status("a").startswith("down (exitcode 7)"), "down for good")
    side.keep("s6-svstat", "a")
    side.keep("s6-svstat", "-o", "wantedup,normallyup,ready,exitcode", "a")


def down_is_not_started(side):
    side.script("a/run", STAYS)
    side.put("a/down", "")
    side.put("a/timeout-kill", "0\n")
    side.begin()
    side.keep("s6-svstat", "a")
    side.keep("s6-svc", "-wu", "-T", "10000", "-u", "a")
    side.sees("begin")
    side.keep("s6-svstat", "a")
    side.keep("s6-svc", "-wD", "-T", "10000", "-D", "a")
    side.keep("s6-svstat", "a")
    side.keep("s6-svc", "-wu", "-T", "10000", "-U", "a")
    side.sees("begin", 2)
    same(os.path.exists(f"{side.scan}/a/down"), False)


def one_is_ready_when_it_says_so(side):
    side.script("a/run", "until [ -e $TOP/go ]; do sleep 0.02; done; printf x >&5; echo >&5; exec sleep 1000 5>&-")
    side.put("a/notification-fd", "5\n")
    side.begin()
    side.keep("s6-svwait", "-t", "10000", "-u", "a")
    side.keep("s6-svwait", "-t", "100", "-U", "a")
    side.let("go")
    side.keep("s6-svwait", "-t", "10000", "-U", "a")
    side.keep("s6-svstat", "a")
    side.keep("s6-svc", "-wR", "-T", "10000", "-r", "a")
    side.keep("s6-svstat", "a")


def the_pipe_of_a_logger_is_kept(side):
    """Either end is killed; not a line is lost, and what goes to standard error is not the logger's."""
    side.script("a/run", "echo run; echo no >&2; while :; do until [ -e $TOP/$((i+1)) ]; do sleep 0.02; done; i=$((i+1)); echo $i; : > $TOP/done$i; done")
    side.script("a/log/run", "exec cat >> $REC")
    side.put("a/timeout-kill", "0\n")
    side.put("a/log/timeout-kill", "0\n")
    side.begin()
    side.let("1")
    side.sees("1")
    side.tool("s6-svc", "-wd", "-T", "10000", "-dk", "a/log")
    side.let("2")
    until(lambda: os.path.exists(f"{side.top}/done2"), "it has written")
    side.tool("s6-svc", "-wd", "-T", "10000", "-dk", "a")
    side.tool("s6-svc", "-u", "a")
    side.tool("s6-svc", "-u", "a/log")
    side.sees("run", 2)
    side.sees("2")
    same("no\n" in side.said(), True)


def a_finish_that_takes_too_long_is_killed(side):
    side.script("a/run", "echo run >> $REC; exec sleep 1000")
    side.script("a/finish", "echo finish >> $REC; exec sleep 1000")
    side.put("a/timeout-finish", "100\n")
    side.begin()
    side.sees("run")
    side.keep("s6-svc", "-wr", "-T", "10000", "-t", "a")
    side.sees("run", 2)


def one_that_is_deaf_is_killed(side):
    side.script("a/run", "trap 'echo deaf >> $REC' TERM; echo run >> $REC; while :; do sleep 0.05; done")
    side.put("a/timeout-kill", "400\n")
    side.begin()
    side.sees("run")
    side.keep("s6-svc", "-wD", "-T", "10000", "-d", "a")
    side.sees("deaf")
    side.keep("s6-svstat", "a")


def the_signal_for_down_is_its_own(side):
    side.script("a/run", "trap 'echo int >> $REC; exit 4' INT; echo run >> $REC; while :; do sleep 0.05; done")
    side.put("a/down-signal", "INT\n")
    side.begin()
    side.sees("run")
    side.keep("s6-svc", "-wD", "-T", "10000", "-d", "a")
    side.keep("s6-svstat", "a")


def so_many_ends_are_remembered(side):
    side.script("a/run", "exit 9")
    side.script("a/finish", "echo end >> $REC; [ $(wc -l < $REC) = 4 ] && exit 125")
    side.put("a/max-death-tally", "3\n")
    side.begin()
    side.sees("end", 4)
    until(lambda: "ready" in side.status("a") and " want up" not in side.status("a"), "it is down")
    text = side.tool("s6-svdt", "a")[1]
    side.kept.append([line.split(None, 1)[1] for line in text.splitlines()])
    same(os.path.getsize(f"{side.scan}/a/supervise/death_tally"), 3 * 14)


SIGNALS = {"a": "ALRM", "b": "ABRT", "q": "QUIT", "h": "HUP", "t": "TERM", "i": "INT", "1": "USR1", "2": "USR2", "y": "WINCH"}


def every_letter_has_its_signal(side):
    traps = "\n".join(f"trap 'echo {name} >> $REC' {name}" for name in SIGNALS.values())
    side.script("a/run", f"{traps}\necho run >> $REC\nwhile :; do sleep 0.02; done")
    side.put("a/timeout-finish", "0\n")
    side.begin()
    side.sees("run")
    for letter, name in SIGNALS.items():
        side.tool("s6-svc", f"-{letter}", "a")
        side.sees(name)
    with open(f"{side.scan}/a/supervise/control", "wb", buffering=0) as control:
        control.write(b"\0\xffzZ~\n#" * 50)  # mean nothing
    for letter in "pc":
        side.tool("s6-svc", f"-{letter}", "a")
        until(lambda letter=letter: ("paused" in side.status("a")) == (letter == "p"), "paused, or not")
        side.keep("s6-svstat", "a")
    side.keep("s6-svc", "-wd", "-T", "10000", "-k", "a")


def once_is_once(side):
    side.script("a/run", STAYS)
    side.put("a/timeout-finish", "0\n")
    side.begin()
    side.sees("begin")
    for letters in ("-o", "-u", "-O"):
        side.tool("s6-svc", letters, "a")
        until(lambda letters=letters: ("want down" in side.status("a")) == (letters != "-u"), letters)
        side.keep("s6-svstat", "a")
    side.keep("s6-svc", "-wD", "-T", "10000", "-t", "a")
    side.keep("s6-svstat", "a")
    side.tool("s6-svc", "-wu", "-T", "10000", "-o", "a")
    side.sees("begin", 2)
    side.keep("s6-svstat", "a")


def who_waits_hears_of_it(side):
    side.script("a/run", "until [ -e $TOP/go ]; do sleep 0.02; done; echo >&3; exec sleep 1000 3>&-")
    side.script("a/finish", "[ -e $TOP/last ] && exit 125; exit 0")
    side.put("a/notification-fd", "3\n")
    side.put("a/down", "")
    side.begin()
    path = f"{side.scan}/a/event/ftrig1:@400000006b030d64286ff419:abcdef"
    os.mkfifo(path, 0o600)
    reader = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    side.tool("s6-svc", "-wu", "-T", "10000", "-u", "a")
    side.let("go")
    side.tool("s6-svwait", "-t", "10000", "-U", "a")
    side.tool("s6-svc", "-wD", "-T", "10000", "-d", "a")
    side.tool("s6-svc", "-wU", "-T", "10000", "-u", "a")
    side.let("last")
    side.tool("s6-svc", "-wD", "-T", "10000", "-t", "a")
    heard = bytearray()

    def is_down_twice():
        try:
            heard.extend(os.read(reader, 100))
        except BlockingIOError:
            pass
        return heard.count(b"D") == 2

    until(is_down_twice, "the last word")
    side.kept.append(bytes(heard))
    os.close(reader)


CASES = [finish_has_its_arguments, finish_may_forbid_another_run, down_is_not_started, one_is_ready_when_it_says_so,
         the_pipe_of_a_logger_is_kept, a_finish_that_takes_too_long_is_killed, one_that_is_deaf_is_killed,
         the_signal_for_down_is_its_own, so_many_ends_are_remembered, every_letter_has_its_signal, once_is_once,
         who_waits_hears_of_it]
