#!/bin/sh
# A tour of Cellblock on this machine: demo.sh [DIRECTORY]; the programs are looked for in DIRECTORY (build/bin).
# It prints each command before it runs it, and what the command prints. Ends with status 1 at the first step that does
# not do what it should, so it is a test too. Everything is kept in a directory of its own and taken away at the end.
set -eu

die() { printf 'demo.sh: %s\n' "$*" >&2; exit 1; }

cd /work/main
bin=$(cd "${1:-build/bin}" 2>/dev/null && pwd) || die "${1:-build/bin}: no such directory; run make"
for program in jail jls jexec jinit; do
  [ -x "$bin/$program" ] || die "$bin/$program: not there; run make"
done
[ "$(id -u)" = 0 ] || die "jails are started by root: sudo make demo"
busybox=$(command -v busybox) || die "busybox is missing: apt-get install busybox-static"

stage=$(mktemp -d /tmp/tour.XXXXXX)
PATH=$bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH CELLBLOCK_DB="$stage/registry/db" CELLBLOCK_RUN="$stage/registry/run" \
  CELLBLOCK_LOG="$stage/registry/log"
unset CELLBLOCK_STRICT
mkdir "$stage/registry" "$stage/notes"
cd "$stage"
out=notes/out

bold='' dim='' off=''
if [ -t 1 ]; then bold=$(printf '\033[1m') dim=$(printf '\033[2m') off=$(printf '\033[0m'); fi

# Also when it is interrupted or fails: nothing of the tour may stay.
victims=
leave() {
  status=$?
  trap - EXIT INT TERM HUP
  # shellcheck disable=SC2086
  [ -z "$victims" ] || kill -9 $victims 2>/dev/null || true
  if [ -d "$CELLBLOCK_DB" ]; then
    jail --recover >/dev/null 2>&1 || true
    [ -z "$(jls -d name 2>/dev/null)" ] || jail -q -R '*' >/dev/null 2>&1 || true
  fi
  cd /
  rm -rf --one-file-system "$stage"
  exit "$status"
}
trap leave EXIT
trap 'exit 130' INT TERM HUP

chapter() { printf '\n%s%s%s\n' "$bold" "$*" "$off"; }
say() { printf '%s# %s%s\n' "$dim" "$*" "$off"; }
shown() { printf '%s$ %s%s\n' "$bold" "$*" "$off"; }

# run COMMAND: prints and runs it; it must succeed. fails COMMAND: it must not.
run() {
  shown "$1"
  status=0
  eval "$1" >"$out" 2>&1 || status=$?
  sed 's/^/    /' "$out"
  [ "$status" = 0 ] || die "status $status of: $1"
}
fails() {
  shown "$1"
  status=0
  eval "$1" >"$out" 2>&1 || status=$?
  sed 's/^/    /' "$out"
  [ "$status" != 0 ] || die "this should have failed: $1"
  printf '    (status %s)\n' "$status"
}
# What the last command printed must, or must not, have a line that matches.
has() { grep -Eq -- "$1" "$out" || die "the command before did not print: $1"; }
has_not() { ! grep -Eq -- "$1" "$out" || die "the command before printed: $1"; }
lines() { [ "$(wc -l <"$out")" = "$1" ] || die "the command before should have printed $1 lines"; }

# Everything of the host that a jail could change, as text.
fingerprint() {
  echo "# mounts"; sed 's/^[0-9]* [0-9]* //; s/ \(shared\|master\):[0-9]*//g' /proc/self/mountinfo | sort
  echo "# links, addresses, routes"; ip -o link show | sed 's/ state.*//'; ip -o addr show | sed 's/ valid_lft.*//'
  ip route show table all; ip -6 route show table all | sed 's/ expires [^ ]*//'
  echo "# groups"; for v2 in /sys/fs/cgroup/unified /sys/fs/cgroup; do
    [ ! -e $v2/cgroup.procs ] || { find $v2 -maxdepth 1 -type d; find $v2/cellblock* -type d 2>/dev/null; } | sort -u
  done
  echo "# processes of ours"; for stat in /proc/[0-9]*/stat; do # but for those that only wait to be reaped
    { read -r pid word state _ <"$stat"; } 2>/dev/null || continue
    case $word$state in *Z | *X) ;; '(jail)'* | '(jinit)'*)
      ! grep -qs "$stage" "/proc/$pid/environ" "/proc/$pid/cmdline" || echo "$pid $word" ;;
    esac
  done
  echo "# System V objects"; cat /proc/sysvipc/*
  echo "# files"; find /var/db/cellblock /run/cellblock /var/log/cellblock -xdev 2>/dev/null | sort
  find . -path ./notes -prune -o -path ./registry -prune -o -print | sort
  echo "# host name"; hostname
}

# The second act: a jail that is a machine. demo.sh reads this in, in its stage, after the first act.

# --- a person at the console: keys go into a fifo, and notes/screen is what is shown ---

sit_down() {
  [ -e notes/keys ] || mkfifo notes/keys
  : >notes/screen
  typed=0 shown_lines=0
  jail --console "$1" <notes/keys >notes/screen 2>&1 &
  console=$!
  victims=$console
  exec 3>notes/keys
}
# All lines that have come to their end since the last time.
show_screen() {
  sed -n "$((shown_lines + 1)),\$p" notes/screen | sed "$1s/^/    | /"
  shown_lines=$(wc -l <notes/screen)
}
# sees PATTERN: waits until a line matches that came after what was typed last.
sees() {
  tries=0
  until tail -c "+$((typed + 1))" notes/screen | grep -Eq -- "$1"; do
    tries=$((tries + 1))
    [ "$tries" -le 600 ] || { cat notes/screen; die "the console does not show: $1"; }
    sleep 0.05
  done
  show_screen '$d;'
}
types() {
  typed=$(wc -c <notes/screen)
  printf '%s\n' "$1" >&3
}
# The jail has to end, and the console's reader with it: status 2.
stand_up() {
  exec 3>&-
  status=0
  wait "$console" || status=$?
  victims=
  show_screen ''
  [ "$status" = 2 ] || die "jail --console: status $status"
}
logs_in() {
  sees 'login: $'
  types root
  sees 'Password: $'
  types "$1"
  sees '# $'
}
# becomes STATE: waits until the machine's init is in it.
becomes() {
  tries=0
  until jail --init machine status 2>/dev/null | grep -q "^$1"; do
    tries=$((tries + 1))
    [ "$tries" -le 600 ] || die "machine does not become $1"
    sleep 0.05
  done
}

chapter "9. A jail that is a machine"
say "Its root has what a system has: users with passwords, rc, terminals, services, and jinit's client as its init(8)."
run "mkdir -p machine/bin machine/sbin machine/etc machine/dev machine/proc machine/run machine/root machine/www"
run "cp $busybox machine/bin && chroot machine /bin/busybox --install -s /bin"
run "for name in getty reboot halt; do ln -s ../bin/busybox machine/sbin/\$name; done; cp $bin/jinit machine/sbin/init"
run "echo 'root:x:0:0:root:/root:/bin/sh' >machine/etc/passwd && echo 'root:x:0:' >machine/etc/group"
run "echo \"root:\$(busybox mkpasswd -m sha512 secret)::::::\" >machine/etc/shadow"
cat >machine/etc/rc <<'END_OF_RC'
#!/bin/sh
echo "rc: $(hostname) comes up"
ip link set lo up
END_OF_RC
cat >machine/etc/ttys <<'END_OF_TTYS'
# device  program              type   when
console   "/sbin/getty -L 0"   vt100  on secure
END_OF_TTYS
cat >machine/etc/jinit.conf <<'END_OF_SERVICES'
page {
    command = 'echo "Hello from $(hostname), boot $(cat /proc/sys/kernel/random/uuid)" >/www/index.html';
    ready = exit;                       # up when it has ended well
}
web {
    command = "httpd -f -h /www";
    depend = page;
    restart = always;
}
END_OF_SERVICES
run "cat machine/etc/rc machine/etc/ttys machine/etc/jinit.conf"
cat >machine.conf <<END
machine {
    path = "$stage/machine";
    init;  vnet;                        # mounts, console, persist and a host name come with init
    exec.release = "echo the host hears of its end >&2";
}
run "jexec machine ps"
sit_down machine; mkfifo x 2>/dev/null; sees "login: $"
