"""Debian trees for jails, made once by debootstrap: one with sysv-rc, and a copy of it with OpenRC in its place.

Each has cron, sshd and nginx; root and anna have the password `secret`; root has a key for itself. What is made
stays in a directory given (a cache); a tree there is whole, or not there.
"""
import fcntl
import os
import re
import shutil
import subprocess
import sys

MIRROR, SUITE = "http://deb.debian.org/debian", "bookworm"
PACKAGES = "sysvinit-core,sysv-rc,cron,openssh-server,nginx-light"
# No daemon is started while a tree is made.
POLICY = "usr/sbin/policy-rc.d"
# A service that writes down what is done with it; and cron's job at a start.
WITNESS = """#!/bin/sh
### BEGIN INIT INFO
# Provides: witness
# Required-Start: $remote_fs
# Required-Stop: $remote_fs
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
echo "$1 ${RUNLEVEL:-none}" >> /var/log/witness
"""
JOB = "@reboot root echo ran >> /var/log/job\n"
LEFT_OUT = "sendsigs umountfs umountnfs.sh umountroot halt reboot killprocs single mountall.sh checkroot.sh checkfs.sh mountkernfs.sh"


class NoTrees(Exception):
    """They cannot be made here, and why."""


def make_or_skip(make_them, cache):
    """Makes them by that function, or says why they cannot be, and ends the program as skipped."""
    try:
        make_them(cache)
    except NoTrees as error:
        print(f"no Debian trees: {error}")
        sys.exit(77)


def sh(words, log, **more):
    """Runs it, in a namespace of processes and mounts that ends with it; what it says goes to `log`."""
    apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", *words]
    with open(log, "a", encoding="utf-8") as out:
        return subprocess.run(apart, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False, **more).returncode == 0


def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def inside(tree, script, log):
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C", "HOME": "/root"}
    script = f"mount -t proc proc /proc && {script}"
    if not sh(["chroot", tree, "/bin/sh", "-ec", script], log, env=env):
        failed(log)


def failed(log):
    """Sorts what went wrong: without a network these tests are skipped, else they fail."""
    text = text_of(log)
    if re.search(r"Temporary failure|Could not resolve|Failed getting release|(Unable|Failed) to fetch|Couldn't download", text):
        raise NoTrees(f"{MIRROR} cannot be reached")
    raise RuntimeError(f"{log}: {text[-1500:]}")


def bootstrap(tree, log):
    if not sh(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, tree, MIRROR], log):
        failed(log)
    write(f"{tree}/{POLICY}", "#!/bin/sh\nexit 101\n", 0o755)
    write(f"{tree}/etc/init.d/witness", WITNESS, 0o755)
    write(f"{tree}/etc/cron.d/job", JOB)
    inside(tree, "useradd -m -s /bin/sh anna; printf 'root:secret\\nanna:secret\\n' | chpasswd; update-rc.d witness defaults;"
                 " mkdir -m 700 /root/.ssh; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519;"
                 " cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys; apt-get install --download-only -qq openrc", log)


def to_openrc(tree, log):
    inside(tree, "apt-get install -y -qq openrc", log)


def prepare(tree):
    """What a machine's part of rc says if it is run: its name."""
    for name in LEFT_OUT.split():
        if os.path.exists(f"{tree}/etc/init.d/{name}"):
            head = re.match(r"(?:#.*\n|\n)*", text_of(f"{tree}/etc/init.d/{name}"))[0]  # its dependencies
            write(f"{tree}/etc/init.d/{name}", f'{head}\necho "{name} $1" >> /var/log/left-out\n', 0o755)


def finish(cache, name):
    prepare(f"{cache}/{name}.new")
    os.rename(f"{cache}/{name}.new", f"{cache}/{name}")


def make(cache):
    """Makes what is missing in `cache`; another that does so already is waited for."""
    if not shutil.which("debootstrap"):
        raise NoTrees("debootstrap is not here")
    os.makedirs(cache, exist_ok=True)
    lock = os.open(cache, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        make_all(cache)
    finally:
        os.close(lock)


def make_all(cache):
    log = f"{cache}/log"
    sysv, openrc = f"{cache}/sysv-rc.new", f"{cache}/openrc.new"
    if os.path.exists(f"{cache}/openrc"):  # the last one
        return
    for name in ("sysv-rc", "sysv-rc.new", "openrc.new"):
        shutil.rmtree(f"{cache}/{name}", ignore_errors=True)
    bootstrap(sysv, log)
    subprocess.run(["cp", "-a", sysv, openrc], check=True)
    to_openrc(openrc, log)
    finish(cache, "sysv-rc")
    finish(cache, "openrc")
    os.unlink(log)
