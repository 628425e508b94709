"""A process 1 that is no friend of the host's: it answers with control characters, without an end, with junk, or not at all.

The liar is ordeal_storm in the place of jinit's process 1; warden and commands are the real ones.
"""
import os
import pty
import select
import shutil
import signal
import subprocess
import time

import box
import world
from box import ROOT, until

LIAR = f"{world.WORK}/liar"
HOWS = ("escapes", "junk", "lines", "silence", "gone")
# Of control characters a terminal may get what we say ourselves: ends of lines.
HARMLESS = set("\n\t") | {chr(c) for c in range(0x20, 0x7f)}


def make_liar():
    os.makedirs(LIAR, exist_ok=True)
    for source, name in ((f"{world.WORK}/storm", "jinit"), ("/mnt/bin/jail", "jail")):
        if not os.path.exists(f"{LIAR}/{name}"):
            shutil.copy(source, f"{LIAR}/{name}")


def check_harmless(text, what):
    wrong = sorted({c for c in text if c not in HARMLESS})
    if wrong:
        raise box.Wrong(f"{what}: {wrong} came through: {text[:200]!r}")


def run_against(*words, timeout=25):
    """(status, whether it had to be interrupted, what it said)"""
    with open(f"{world.WORK}/said", "w+b") as file:
        process = subprocess.Popen([f"{LIAR}/jail", "-f", box.CONF, *words], env=world.ENV, stdin=subprocess.DEVNULL, stdout=file,
                                   stderr=subprocess.STDOUT)
        interrupted = False
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            interrupted = True
            process.send_signal(signal.SIGTERM)
            process.wait(20)
        file.seek(0)
        text = file.read(1 << 20).decode("utf-8", errors="surrogateescape")
    check_harmless(text, " ".join(words))
    return process.returncode, interrupted, text


def starts():
    """jail -c: fails and leaves nothing, or waits until it is told not to."""
    make_liar()
    for how in ("escapes", "silence", "gone"):
        box.fresh_root()
        box.put("liar", how)
        box.conf("stop.timeout = 1; init.shutdown_timeout = 2;")
        status, interrupted, text = run_against("-c", "a", timeout=3 if how == "silence" else 25)
        box.same((status != 0, interrupted), (True, how == "silence"), f"{how}: {text[:300]}")
        world.run([box.JAIL, "-f", box.CONF, "-qr", "a"], timeout=30)
        until(box.is_gone, f"{how}: nothing is left")


def with_liar_up(case, last):
    """A jail whose process 1 says `ok` once, then lies in each way; in the last way it is stopped, which has an end."""
    make_liar()
    box.put("liar", "honest")
    box.conf("console; stop.timeout = 1; init.shutdown_timeout = 2;")
    box.same(run_against("-qc", "a")[0], 0)
    for how in HOWS:
        if how != "gone":
            box.put("liar", how)
            case(how)
    box.put("liar", last)
    if last == "gone":
        case(last)
    began = time.monotonic()
    status, interrupted, text = run_against("-r", "a")
    box.same((interrupted, status in (0, 1)), (False, True), f"jail -r, {last}: {text[:300]}")
    until(box.is_gone, f"{last}: it is gone")
    if time.monotonic() - began > 20:
        raise box.Wrong(f"jail -r, {last}: {time.monotonic() - began:.0f} s")


def ask(how):
    status, interrupted, text = run_against("--init", "a", "status", timeout=2 if how == "lines" else 20)
    box.same((interrupted, how == "lines" or status == 1), (how == "lines", True), f"{how}: {text[:300]}")


def words_of_the_host():
    """jail --init: ends by itself with an error, or goes on as long as there are lines; nothing of it reaches the terminal."""
    with_liar_up(ask, "gone")


def on_a_terminal(words, seconds):
    """What a terminal gets, and whether the command ends within that time; then its escape key is typed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(words[0], words, dict(world.ENV, TERM="dumb"))
    text, end, typed = b"", time.monotonic() + seconds, False
    while True:
        ready = select.select([fd], [], [], max(0.0, end - time.monotonic()))[0]
        try:
            text += os.read(fd, 65536) if ready and len(text) < 1 << 20 else b""
        except OSError:
            break
        if not ready and typed:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise box.Wrong(f"{words}: the escape key does not end it: {text[-200:]!r}")
        if not ready:
            os.write(fd, b"\x1dq")
            typed, end = True, time.monotonic() + 10
    os.close(fd)
    return os.waitpid(pid, 0)[1], typed, text.decode("utf-8", errors="surrogateescape")


def look(how):
    _, _, text = on_a_terminal([f"{LIAR}/jail", "--console", "a"], 15)
    check_harmless(text.replace("\r\n", "\n"), f"console, {how}")


def consoles():
    """jail --console: garbage ends it with a sentence; silence ends after a while, or with the escape key."""
    with_liar_up(look, "silence")


def stopped_process1():
    """One that says nothing because it is stopped: words have an end, and a stop works."""
    box.up("stop.timeout = 1; init.shutdown_timeout = 2;")
    os.kill(box.process1(), signal.SIGSTOP)
    began = time.monotonic()
    status, err, _ = world.run([box.JAIL, "-f", box.CONF, "--init", "a", "status"], timeout=30)
    box.same((status, "no answer" in err), (1, True), err)
    box.jail("-qr", "a")
    box.removed(box.STOPPED)
    if time.monotonic() - began > 40:
        raise box.Wrong("too long")


CASES = [starts, words_of_the_host, consoles, stopped_process1]
