"""What lies over or beside the Debian trees of tests/trees: packages unpacked, not installed, and a tree with systemd."""
import fcntl
import glob
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, f"{os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}/trees")
import tree  # noqa: E402

# A layer, and the packages in it. `machine`: the scripts of a whole machine as Debian has them, in the place of tests/trees' traps.
LAYERS = {"machine": ["initscripts"], "runit": ["runit", "runit-init"],
          "s6": ["s6", "execline", "libskarnet2.13", "libexecline2.9", "libs6-2.11"]}
WITNESS = """[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'echo start >> /var/log/witness'
ExecStop=/bin/sh -c 'echo stop >> /var/log/witness'
[Install]
WantedBy=multi-user.target
"""


def merge(layer):
    """/sbin and its kin are links into /usr in the tree below: a directory would hide them."""
    for part in ("bin", "sbin", "lib", "lib64"):
        if os.path.isdir(f"{layer}/{part}"):
            os.makedirs(f"{layer}/usr/{part}", exist_ok=True)
            subprocess.run(["cp", "-a", f"{layer}/{part}/.", f"{layer}/usr/{part}"], check=True)
            shutil.rmtree(f"{layer}/{part}")


def unpack(cache, name):
    new, log = f"{cache}/{name}.new", f"{cache}/log"
    shutil.rmtree(new, ignore_errors=True)
    os.mkdir(new)
    os.chmod(new, 0o777)  # apt downloads as a user of its own
    if not tree.sh(["apt-get", "download", "-qq", *LAYERS[name]], log, cwd=new):
        tree.failed(log)
    for package in glob.glob(f"{new}/*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, new], check=True)
        os.unlink(package)
    merge(new)
    os.chmod(new, 0o755)
    os.rename(new, f"{cache}/{name}")


def make_systemd(cache):
    new, log = f"{cache}/systemd.new", f"{cache}/log"
    shutil.rmtree(new, ignore_errors=True)
    if not tree.sh(["debootstrap", "--variant=minbase", "--include=systemd-sysv,dbus,login", tree.SUITE, new, tree.MIRROR], log):
        tree.failed(log)
    tree.write(f"{new}/etc/systemd/system/witness.service", WITNESS)
    tree.inside(new, "echo root:secret | chpasswd; systemctl enable witness; echo uninitialized > /etc/machine-id", log)
    os.rename(new, f"{cache}/systemd")


def make(cache, whole=True):
    """Makes what is missing, one at a time; tree.NoTrees where nothing can be fetched. Not `whole`: what tests/vm wants."""
    os.makedirs(cache, exist_ok=True)
    with open(f"{cache}/layers.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if whole:
            tree.make(cache)
        for name in LAYERS if whole else ():
            if not os.path.isdir(f"{cache}/{name}"):
                unpack(cache, name)
        if not os.path.isdir(f"{cache}/systemd"):
            make_systemd(cache)
