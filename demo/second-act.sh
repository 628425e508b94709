# The second act: a jail that is a machine. demo.sh reads this in, in its stage, after the first act.

# --- a person at the console: keys go into a fifo, and what is shown comes to notes/screen ---

sit_down() {
  [ -p notes/keys ] || mkfifo notes/keys
  : >notes/screen
  typed=0 shown_lines=0
  jail --console "$1" <notes/keys >notes/screen 2>&1 &
  console=$!
  victims=$console
  exec 3>notes/keys
}
types() {
  typed=$(screen | wc -c)
  printf '%s\n' "$1" >&3
}
# What has come to the screen, but for the shell's question where the cursor is.
screen() { sed 's/?\[6n//g' notes/screen; }
# sees PATTERN: waits for a line that matches, after what was typed last; prints the lines that are whole by then.
sees() {
  # shellcheck disable=SC2016
  await "the console shows $1" 'screen | tail -c "+$((typed + 1))" | grep -Eq -- "$1"' "$1"
  whole=$(wc -l <notes/screen)
  [ "$whole" = "$shown_lines" ] || screen | sed -n "$((shown_lines + 1)),${whole}s/^/    | /p"
  shown_lines=$whole
}
# The jail ends, and with it the console.
stand_up() {
  status=0
  wait "$console" || status=$?
  exec 3>&-
  victims=
  typed=0
  sees 'the jail has ended'
  [ "$status" = 2 ] || die "jail --console: status $status"
}
logs_in() {
  sees 'machine login: '
  types root
  sees 'Password: '
  types "$1"
  sees '~ # '
}

chapter "9. A jail that is a machine"
say "Its root has what a system has: a user with a password, rc, terminals, services, and jinit."
run "mkdir -p machine/bin machine/sbin machine/etc machine/dev machine/proc machine/run machine/root machine/www"
run "cp $busybox machine/bin/busybox && chroot machine /bin/busybox --install -s /bin"
run "for name in getty reboot halt; do ln -s ../bin/busybox machine/sbin/\$name; done && cp $bin/jinit machine/sbin/jinit"
run "echo 'root:x:0:0:root:/root:/bin/sh' >machine/etc/passwd && echo 'root:x:0:' >machine/etc/group"
run "echo \"root:\$(busybox mkpasswd -m sha512 secret):20000:0:99999:7:::\" >machine/etc/shadow"
cat >machine/etc/rc <<'END'
#!/bin/sh
echo "rc: $(hostname) comes up"
echo $(($(cat /boots 2>/dev/null) + 1)) >/boots
END
cat >machine/etc/ttys <<'END'
console  "/sbin/getty -L 0"  vt100  on  secure
END
cat >machine/etc/jinit.conf <<'END'
page {
    command = 'echo "Hello from $(hostname), boot $(cat /boots)" >/www/index.html';
    ready = exit;               # it is up when it has ended well
}
web {
    command = "httpd -f -h /www";
    depend = page;
    restart = always;
}
END
run "cat machine/etc/rc machine/etc/ttys machine/etc/jinit.conf"
cat >machine.conf <<END
machine {
    path = "$stage/machine";
    init;                       # brings mounts, a console, a host name, and stays
    vnet;
    exec.release = "echo 'exec.release: it has ended' >>$stage/notes/hooks";
}
END
run "cat machine.conf"

chapter "10. It boots"
say "jail -c waits until rc has ended."
run "jail -f machine.conf -c machine"
has '^machine: created$'
await "both services are up" '[ "$(jail --init machine status | grep -c "^service .* up ")" = 2 ]'
run "jail --init machine status"
has '^multi_user$'
has '^session /dev/console pid '
run "jexec machine wget -q -O - http://127.0.0.1/"
has '^Hello from machine, boot 1$'
say "A service that dies runs again."
run "jexec machine killall -9 httpd"
await "web runs again" 'jexec machine wget -q -O - http://127.0.0.1/ >/dev/null 2>&1'
run "jail --init machine status"
has '^service web up .*'

chapter "11. A login at the console, and a reboot from inside"
run "jls -h jid name status pid1"
before=$(sed -n 's/^\([0-9]* machine up\) .*/\1/p' "$out")
shown "jail --console machine"
sit_down machine
logs_in secret
types "tty; pidof httpd"
sees '~ # '
types reboot
sees 'attached again'
say "Process 1 is another one; the jail, its number, its network and its console are the same."
logs_in secret
run "jls -h jid name status pid1"
has "^$before "
run "jexec machine wget -q -O - http://127.0.0.1/"
has '^Hello from machine, boot 2$'

chapter "12. Single user"
say "Still at the console. Everything ends but a shell."
types "jinit single"
await "single user" 'jail --init machine status 2>/dev/null | grep -q "^single_user"'
sees 'RETURN for /bin/sh: '
types ''
sees '~ # '
types 'ps'
sees '~ # '
run "jail --init machine status"
say "When that shell ends the machine comes up again."
types exit
logs_in secret
run "jail --init machine status"
has '^multi_user$'

chapter "13. Halted from inside"
types halt
stand_up
await "the jail is gone" '[ -z "$(jls -d name)" ]'
run "jls -d"
lines 1
run "cat notes/hooks"

chapter "14. The host is exactly as it was, again"
say "The root is ours, and stays when the jail has gone."
run "rm -r machine machine.conf"
host_is_as_before
