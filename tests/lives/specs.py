"""The jails whose lives are cut short: every kind of act that a start has, in few and short commands."""
HOOKS = "/mnt/work/hooks"  # who ran, a word a line


def hook(word, more=""):
    return f'"echo {word} >> {HOOKS}{more}"'


ALL_HOOKS = "".join(f"exec.{word} = {hook(word)};\n  " for word in
                    ("prepare", "release", "prestart", "poststop", "created", "poststart", "prestop"))

# name: (names on the command line, configuration, whether a jail `other` runs beside it, several workers)
SPECS = {
    # A daemon that a hook leaves is ended by its partner, as an administrator would have it.
    "hooks": ("j", f"""j {{
  path = /mnt/r1; persist; stop.timeout = 2;
  {ALL_HOOKS}
  exec.prestart += "sh -c 'sleep 1000 & echo $! > /mnt/work/daemon'";
  exec.poststop += "kill -9 $(cat /mnt/work/daemon 2> /dev/null) 2> /dev/null; rm -f /mnt/work/daemon";
  exec.start = "true", "sleep 1000 > /dev/null 2>&1 &";
  exec.stop = "true";
}}
""", False, False),
    "vnet": ("j", f"""j {{
  path = /mnt/r1; vnet; vnet.interface = va; persist; mount.devfs; mount.procfs;
  exec.prestart = {hook("prestart")}; exec.poststop = {hook("poststop")};
  exec.start = "/bin/busybox ip addr add 10.9.9.9/24 dev va", "/bin/busybox ip link set va up mtu 1300",
    "/bin/busybox ip route add default via 10.9.9.1", "/bin/busybox ip link set va address 02:00:00:00:00:66";
}}
""", False, False),
    "nested": ("*", f"""p {{ path = /mnt/r1; persist; children.max = 5; exec.prestart = {hook("prestart")}; exec.poststop = {hook("poststop")}; }}
p.c {{ path = /mnt/r1/mnt; persist; depend = p; exec.prestart = {hook("prestart")}; exec.poststop = {hook("poststop")}; }}
""", False, True),
    "transient": ("j", f"""j {{ path = /mnt/r1; exec.start = "true"; exec.prepare = {hook("prepare")}; exec.release = {hook("release")}; }}
""", False, False),
    "busy": ("j", f"""j {{ path = /mnt/r1; stop.timeout = 2; exec.start = "sleep 1000 > /dev/null 2>&1 &"; exec.timeout = 20;
  exec.poststart = {hook("poststart")}; exec.prestop = {hook("prestop")}; }}
""", False, False),
    "mounts": ("j", f"""other {{ path = /mnt/r2; persist; interface = lo; ip4.addr = 10.66.0.7; }}
j {{
  path = /mnt/r1; persist; interface = lo; ip4.addr = 10.66.0.7, 10.66.0.8; ip6.addr = "lo|fd00::66";
  mount.devfs; mount.procfs; mount.fdescfs;
  mount = "tmpfs /mnt/r1/tmp tmpfs rw,size=1m 0 0", "/mnt/r3 /mnt/r1/mnt nullfs ro 0 0";
  exec.prestart = {hook("prestart")}, "mkdir -p /mnt/r1/tmp/made && mount -t tmpfs hook /mnt/r1/tmp/made";
  exec.poststop = {hook("poststop")};
  exec.start = "echo x > /tmp/x; id > /dev/null";
}}
""", True, True),
}

# Of these, the second has to have run where the first began.
PAIRS = (("prepare", "release"), ("prestart", "poststop"), ("poststart", "prestop"))
