"""A jail on a Debian tree, as its host and its people see it. The tree is the lower half of an overlay on box.ROOT."""
import os
import socket
import subprocess
import sys

sys.dont_write_bytecode = True
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, f"{TESTS}/init", f"{TESTS}/lives"]
import box  # noqa: E402
import fingerprint as fp  # noqa: E402
import world  # noqa: E402
from box import same, until  # noqa: E402

TREES = "/mnt/trees"
ADDRESS = "192.0.2.98"  # of the jail's interface, beside the host's va
LINK = "/run/line-a"
# Its own network with one interface; a terminal to the outside.
SETTINGS = f"vnet; vnet.interface = vb; console; console.link = {LINK}; init.signals = auto; exec.timeout = 100; stop.timeout = 10;"


CU_PLACES = ("/var/lock", "/var/spool/uucp", "/var/log/uucp")


def keep_trees(cache):
    """Before the world is built, which hides the host's directories: the trees as a descriptor; after it: on TREES."""
    fd = os.open(cache, os.O_PATH)

    def show():
        os.makedirs(TREES)
        world.mount("--no-canonicalize", "--bind", f"/proc/{os.getpid()}/fd/{fd}", TREES)
        os.close(fd)
    return show


laid = ""  # which tree


def lay(name):
    """A fresh copy of a tree."""
    global laid
    laid = name
    for part in ("upper", "work", "root"):
        os.makedirs(f"{world.WORK}/{part}", exist_ok=True)
    world.mount("-t", "overlay", "-o", f"lowerdir={TREES}/{name},upperdir={world.WORK}/upper,workdir={world.WORK}/work", name, box.ROOT)
    if os.path.exists(box.HOOKS):
        os.unlink(box.HOOKS)


def take_away():
    if os.path.ismount(box.ROOT):
        subprocess.run(["umount", box.ROOT], check=True)
    subprocess.run(["rm", "-rf", f"{world.WORK}/upper", f"{world.WORK}/work", *CU_PLACES, "/var/spool"], check=True)


def text(path):
    return fp.read(f"{box.ROOT}/{path}")


def give_address():
    """Once: a reboot inside keeps it."""
    subprocess.run(["nsenter", f"--net={box.jls('netns')}", "ip", "-batch", "-"], text=True, check=True,
                   input=f"link set lo up\naddr add {ADDRESS}/24 dev vb\nlink set vb up\n")


def connected(port):
    try:
        return socket.create_connection((ADDRESS, port), timeout=5)
    except OSError:
        return None


def reaches(port):
    return until(lambda: connected(port), f"port {port} answers", 40)


def sshd_answers():
    with reaches(22) as line:
        banner = line.recv(100).decode()
    same(banner.startswith("SSH-2.0-OpenSSH"), True, banner)
    words = ["ssh", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR", "root@127.0.0.1", "hostname; id -u"]
    same(box.inside(*words).split(), ["a", "0"])


def page():
    with reaches(80) as line:
        line.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while piece := line.recv(4096):
            answer += piece
    return answer.decode()


def nginx_serves():
    answer = page()
    same((answer.startswith("HTTP/1.1 200"), "Welcome to nginx" in answer), (True, True), answer[:200])


def cron_has_run(times):
    until(lambda: len(text("var/log/job").splitlines()) >= times, f"cron's job, {times} times", 40)


def cu():
    """A person at the other terminal, with what people have for one; it wants its places for locks and logs."""
    for path in CU_PLACES:
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o1777)
    line = box.Terminal(None, words=["/usr/bin/cu", "-l", LINK])
    line.sees("Connected")
    return line


def log_in(line, user="root", word="secret", prompt="# "):
    """From the prompt, which has been seen, to the shell."""
    line.types(f"{user}\r")
    line.sees("Password: $")
    line.types(f"{word}\r")
    line.sees(prompt)


def log_out(line):
    line.types("exit\r")
    line.sees(r"login: $")


def is_refused(line):
    log_in(line, word="wrong", prompt="Login incorrect")
    line.sees(r"login: $")
