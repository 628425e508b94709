"""The lives of a jail on each tree."""
import os
import re

import host
import box
from box import comes_to, inside, jls, process1, removed, same, up

TREES = ("sysv-rc", "openrc")


def witnessed():
    """What the witness's script was told, without the run-level."""
    return [line.split()[0] for line in host.text("var/log/witness").splitlines()]


def works(times, witness=None):
    """All that the tree is there for, after so many boots."""
    host.sshd_answers()
    host.nginx_serves()
    host.cron_has_run(times)
    same(witnessed(), witness or (["start", "stop"] * times)[:-1])
    same(host.text("var/log/left-out"), "", "parts of a machine")


def is_recorded(boots):
    """In utmp this boot and its run-level; in wtmp all of them, each but the last with its end."""
    same("system boot" in inside("who", "-b"), True)
    same((inside("runlevel").split(), "run-level 2" in inside("who", "-r")), (["N", "2"], True))
    last = inside("last", "-x", "-F", "reboot", "shutdown").splitlines()
    same([line.split()[0] for line in last if "system" in line], ["reboot"] + ["shutdown", "reboot"] * (boots - 1), last)
    same([" still running" in line for line in last if line.startswith("reboot")], [True] + [False] * (boots - 1), last)


def who():
    return [tuple(line.split()[:2]) for line in inside("who").splitlines()]


def boots_reboots_and_goes():
    """From `jail -c` to power-off by what a person types at the console, who stays attached over the reboot."""
    up(host.SETTINGS)
    same(f"rc {host.laid}" in box.init("status").splitlines(), True)
    host.give_address()
    works(1)
    before = (jls("jid"), os.readlink(jls("netns")), process1())
    line = box.console()
    line.sees("login: $")
    host.is_refused(line)
    host.log_in(line)
    line.asks("tty\r", "/dev/console")
    same(who(), [("root", "console")])
    host.log_out(line)
    same(who(), [])
    is_recorded(1)
    host.log_in(line, "anna", prompt=r"\$ ")
    host.log_out(line)
    host.log_in(line)
    line.types("shutdown -r now\r")
    line.sees("login: $", 60)
    comes_to("multi_user")
    works(2)
    same((jls("jid"), os.readlink(jls("netns")), process1() != before[2]), (*before[:2], True))
    is_recorded(2)
    host.is_refused(line)
    host.log_in(line)
    line.types("poweroff\r")
    removed()
    same(witnessed(), ["start", "stop"] * 2)
    same(host.text("var/log/left-out"), "", "parts of a machine")
    line.close()


def started():
    """The services that rc-status shows as started, in any run-level."""
    return re.findall(r"^ (\S+) .*\[ +started", inside("/bin/rc-status", "--all", "--nocolor"), re.MULTILINE)


def openrc_knows_its_services():
    """rc-service hands a script of sysv-rc's to the shell, which tells OpenRC nothing; openrc-run does."""
    up(host.SETTINGS)
    host.give_address()
    same({"ssh", "nginx", "cron", "witness", "mountall.sh"} <= set(started()), True, started())
    for words in (["rc-service", "nginx"], ["/sbin/openrc-run", "/etc/init.d/nginx"]):
        host.nginx_serves()
        inside(*words, "stop")
        same(host.connected(80), None)
        same("nginx" in started(), words[0] == "rc-service")
        inside(*words, "start")
    host.nginx_serves()
    same("nginx" in started(), True)


def cu_on_the_line():
    """From prompt to logout; ~. leaves, the getty and whoever comes next have the line."""
    up(host.SETTINGS)
    line = host.cu()
    line.asks("\r", "login: $")
    host.is_refused(line)
    host.log_in(line)
    line.asks("tty; who am i\r", "/dev/console\r\nroot +console ")
    line.sees("# $")
    host.log_out(line)
    line.asks("\r~.", "Disconnected")
    same(line.ends(), 0)
    line.close()
    line = host.cu()
    line.asks("\r", "login: $")
    host.log_in(line, "anna", prompt=r"\$ ")
    reader = box.Terminal(None, words=[box.JAIL, "-f", box.CONF, "--console=read", "a"])
    line.asks("echo both see it\r", "both see it\r\n")
    reader.sees("both see it")
    reader.close()
    host.log_out(line)
    line.close()


def single_user_of_an_insecure_console():
    """With the password as Debian stores it, and the shell that is named."""
    up(host.SETTINGS)
    box.ttys("console none unknown off insecure")
    line = box.console()
    line.sees("login: $")
    box.init("single")
    line.sees("Password:$")
    line.asks("wrong\r", "login failed\r\nPassword:$")
    line.asks("secret\r", "RETURN for /bin/sh: $")
    line.asks("/bin/bash\r", "# $")
    line.asks("echo $0 $BASH; who -r\r", r"-sh /bin/bash\r\n +run-level S ")
    comes_to("single_user")
    line.types("exit\r")
    comes_to("multi_user")
    host.give_address()
    works(1, ["start", "stop", "start"])
    line.close()


def records_follow_nothing():
    """What the jail has put in the place of utmp and wtmp."""
    box.put("root/target", "as it was")
    os.unlink(f"{box.ROOT}/var/log/wtmp")
    os.symlink("/root/target", f"{box.ROOT}/var/log/wtmp")
    box.script("root/rc", "mkfifo /run/utmp; : > /root/ran")
    up(host.SETTINGS + "init.rc = /root/rc; init.shutdown = none;")
    same((host.text("root/target"), os.path.exists(f"{box.ROOT}/root/ran")), ("as it was", True))


CASES = [(name, case) for name in TREES for case in (boots_reboots_and_goes,)]
CASES += [(name, single_user_of_an_insecure_console) for name in TREES]
CASES += [("openrc", openrc_knows_its_services), ("sysv-rc", cu_on_the_line), ("sysv-rc", records_follow_nothing)]
