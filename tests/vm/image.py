"""What a machine is booted with: Debian's own kernel, unpacked and never installed, and an initrd made of this host's files."""
import glob
import os
import re
import shutil
import stat
import subprocess
import sys

MERGED = ("bin", "lib", "lib64", "sbin")
KERNEL = "linux-image-cloud-amd64"
HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = ("virtio_pci", "virtio_blk", "overlay", "loop", "veth", "dummy", "ifb", "bridge", "macvlan", "tun")
# Of Python's library, what tests in the machine import.
PYTHON_PACKAGES = ("collections", "ctypes", "encodings", "importlib", "json", "re", "sysconfig")


def output(*command, directory=None):
    done = subprocess.run(command, capture_output=True, text=True, cwd=directory, check=False)
    if done.returncode != 0:
        sys.exit(f"vm: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def fetch_kernel(directory):
    """The directory that the newest kernel package was unpacked to; one that is there already will do."""
    there = glob.glob(f"{directory}/boot/vmlinuz-*")
    if not there:
        newest = re.search(r"Depends: (linux-image-\S+)", output("apt-cache", "depends", KERNEL))
        if not newest:
            sys.exit(f"vm: apt-cache does not know {KERNEL}: run apt-get update")
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o777)  # apt downloads as a user of its own
        output("apt-get", "download", "-qq", newest[1], directory=directory)
        package = glob.glob(f"{directory}/*.deb")[0]
        output("dpkg-deb", "-x", package, directory)
        os.remove(package)
        there = glob.glob(f"{directory}/boot/vmlinuz-*")
    return there[0]


# Units of systemd that want more userland than there is.
UNITS_LEFT_OUT = ("getty.target", "systemd-logind.service", "systemd-user-sessions.service", "systemd-update-utmp.service",
                  "systemd-update-utmp-runlevel.service", "systemd-timesyncd.service", "systemd-networkd.service",
                  "systemd-binfmt.service", "systemd-sysusers.service", "systemd-firstboot.service")
UNITS = {
    "up.service": "[Unit]\nAfter=cellblock.service\n[Service]\nType=oneshot\nExecStart=/vm/say up\n",
    "down.service": "[Unit]\nBefore=cellblock.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"
                    "ExecStop=/vm/say down\n",
}


class Tree:
    """The files of a machine, by path: (mode, contents or target, time). /bin and its kin are links into /usr."""

    def __init__(self):
        self.entries = {}
        for name in MERGED:
            self.directory(f"/usr/{name}")
            self.entries[f"/{name}"] = (stat.S_IFLNK | 0o777, f"usr/{name}".encode(), 0)

    @staticmethod
    def place(path):
        return f"/usr{path}" if path.split("/")[1] in MERGED else path

    def directory(self, path, mode=0o755):
        path = self.place(path) if path.strip("/") else ""
        if path:
            self.directory(os.path.dirname(path))
            if path not in self.entries:
                self.entries[path] = (stat.S_IFDIR | mode, b"", 0)

    def text(self, path, contents, mode=0o644):
        path = self.place(path)
        self.directory(os.path.dirname(path))
        self.entries[path] = (stat.S_IFREG | mode, contents.encode(), 0)

    def link(self, path, target):
        path = self.place(path)
        self.directory(os.path.dirname(path))
        self.entries[path] = (stat.S_IFLNK | 0o777, target.encode(), 0)

    def file(self, source, path=None):
        """A copy; of a symbolic link, what it leads to."""
        path = self.place(path or source)
        self.directory(os.path.dirname(path))
        status = os.stat(source)
        with open(source, "rb") as f:
            self.entries[path] = (stat.S_IFREG | stat.S_IMODE(status.st_mode), f.read(), int(status.st_mtime))

    def program(self, source, path=None):
        """A program or library with the libraries that it names."""
        self.file(source, path)
        said = subprocess.run(["ldd", source], capture_output=True, text=True, check=False).stdout  # static ones: nothing
        for library in re.findall(r"(/\S+) \(0x", said):
            if self.place(library) not in self.entries:
                self.file(library)

    def below(self, source, path=None):
        """Everything below a directory of the host, links as they are."""
        for top, directories, names in os.walk(source):
            there = (source if path is None else path) + top[len(source):]
            self.directory(there)
            for name in directories + names:
                one = f"{top}/{name}"
                if os.path.islink(one):
                    self.link(f"{there}/{name}", os.readlink(one))
                elif os.path.isfile(one):
                    self.file(one, f"{there}/{name}")

    def write(self, name):
        """A cpio archive of the form `newc`."""
        with open(name, "wb") as f:
            for number, (path, (mode, contents, time)) in enumerate(sorted(self.entries.items())):
                self.member(f, number + 1, path[1:], mode, contents, time)
            self.member(f, 0, "TRAILER!!!", 0, b"", 0)

    @staticmethod
    def member(f, number, name, mode, contents, time):
        fields = (number, mode, 0, 0, 1, time, len(contents), 0, 0, 0, 0, len(name) + 1, 0)
        head = "070701" + "".join(f"{field:08x}" for field in fields) + name + "\0"
        f.write(head.encode() + b"\0" * (-len(head) % 4) + contents + b"\0" * (-len(contents) % 4))


def add_modules(tree, kernel):
    """The modules and, before each, those that it depends on: /modules/list is the order to load them in."""
    files = {os.path.basename(path)[:-3].replace("-", "_"): path
             for path in glob.glob(os.path.dirname(os.path.dirname(kernel)) + "/lib/modules/*/**/*.ko", recursive=True)}
    order = []

    def add(name):
        if name in order or name not in files:  # not there: built in
            return
        with open(files[name], "rb") as f:
            needs = re.search(rb"\0depends=([^\0]*)", f.read())
        for need in needs[1].decode().split(",") if needs else []:
            add(need.replace("-", "_"))
        tree.file(files[name], f"/modules/{name}.ko")
        order.append(name)

    for name in MODULES:
        add(name)
    tree.text("/modules/list", "".join(f"{name}\n" for name in order))


def add_python(tree):
    library = glob.glob("/usr/lib/python3.*/os.py")
    if not library:
        sys.exit("vm: /usr/lib/python3*: not there: install python3")
    library = os.path.dirname(library[0])
    tree.program("/usr/bin/python3")
    for path in glob.glob(f"{library}/*.py") + glob.glob(f"{library}/__pycache__/*.pyc"):
        tree.file(path)
    for package in PYTHON_PACKAGES:
        tree.below(f"{library}/{package}")
    for path in glob.glob(f"{library}/lib-dynload/*.so"):
        if re.match(r"_?(ctypes|json|posixsubprocess|random|resource|bisect|heapq|struct|termios|typing)\.", os.path.basename(path)):
            tree.program(path)


def add_systemd(tree):
    """The host's systemd with the libraries that it needs, and units that tell how boot and shutdown went."""
    for path in output("dpkg", "-L", "systemd").split("\n"):
        if path.startswith(("/lib/", "/usr/lib/", "/bin/", "/usr/bin/")) and "-generators/" not in path:
            if os.path.islink(path):
                tree.link(path, os.readlink(path))
            elif os.path.isfile(path):
                (tree.program if os.access(path, os.X_OK) else tree.file)(path)
    tree.text("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    for unit in UNITS_LEFT_OUT:
        tree.link(f"/etc/systemd/system/{unit}", "/dev/null")
    tree.link("/etc/systemd/system/default.target", "/lib/systemd/system/multi-user.target")
    wants = "/etc/systemd/system/multi-user.target.wants"
    tree.link(f"{wants}/cellblock.service", "/usr/local/lib/systemd/system/cellblock.service")
    for name, text in UNITS.items():
        tree.text(f"/etc/systemd/system/{name}", text)
        tree.link(f"{wants}/{name}", f"../{name}")


def add_tests(tree, installed, parts):
    """Tests that are written for any host, with what they use, and the programs in one directory as they expect them."""
    for part in parts:
        for path in glob.glob(f"{HERE}/../{part}/*.py"):
            tree.file(path, f"/vm/suite/{part}/{os.path.basename(path)}")
    tree.file(f"{HERE}/../run_lifecycle.py", "/vm/suite/run_lifecycle.py")
    for name in ("sbin/jail", "sbin/jexec", "sbin/jls", "libexec/cellblock/jinit"):
        tree.program(f"{installed}/usr/local/{name}", f"/vm/bin/{os.path.basename(name)}")
    for name in ("env", "timeout"):
        tree.link(f"/usr/bin/{name}", "/bin/busybox")


def add_programs(tree, installed):
    add_tests(tree, installed, ("programs", "trees", "init", "lives", "terminal"))


def add_hunger(tree, installed, storm):
    add_tests(tree, installed, ("ordeal", "init", "lives", "terminal"))
    tree.program(storm, "/vm/bin/storm")


def trees_disk(cache, scratch):
    """A file system with the trees for tests/programs that want this kernel."""
    name, holds = f"{scratch}/trees.ext4", f"{scratch}/trees"
    shutil.rmtree(holds, ignore_errors=True)
    os.mkdir(holds)
    output("cp", "-al", f"{cache}/systemd", holds)
    with open(name, "wb") as f:
        f.truncate(1 << 29)
    output("mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", holds, name)
    shutil.rmtree(holds)
    return name


def basic(kernel, installed, kernel_test=None):
    """A tree with busybox, ip, Python, what `make install` has put below `installed`, the scripts of guest/,
    and the program of tests/kernel if there is one."""
    tree = Tree()
    for path in ("/dev", "/proc", "/sys", "/run", "/root", "/mnt", "/var/db", "/var/log", "/lib/modules"):
        tree.directory(path)
    tree.directory("/tmp", 0o1777)
    tree.directory("/var/tmp", 0o1777)
    tree.file(shutil.which("busybox"), "/bin/busybox")
    for applet in output("busybox", "--list").split():
        if applet not in ("ip", "busybox"):
            tree.link(f"/bin/{applet}", "busybox")
    # What busybox cannot do, and a shell for which busybox is one command of many.
    for name in ("ip", "unshare", "nsenter", "mount", "umount"):
        tree.program(shutil.which(name), f"/bin/{name}")
    tree.program(shutil.which("dash"), "/bin/sh")
    add_modules(tree, kernel)
    add_python(tree)
    tree.below(installed, "")
    for name in os.listdir(f"{HERE}/guest"):
        if os.path.isfile(f"{HERE}/guest/{name}"):
            tree.file(f"{HERE}/guest/{name}", f"/vm/{name}")
    tree.file(f"{HERE}/../lives/fingerprint.py", "/vm/fingerprint.py")
    if kernel_test:
        tree.program(kernel_test, "/vm/tests/kernel_test")
        tree.link("/vm/tests/jinit", "/usr/local/libexec/cellblock/jinit")
    tree.entries["/init"] = tree.entries["/vm/init"]
    tree.text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n")
    tree.text("/etc/group", "root:x:0:\nnogroup:x:65534:\n")
    tree.text("/etc/fstab", "")
    return tree
