#!/bin/sh
# A tour of Cellblock on this machine, in two acts: demo.sh [DIRECTORY]; the programs are looked for in DIRECTORY (build/bin).
# It prints each command before it runs it, and what the command prints. Ends with status 1 at the first step that does
# not do what it should, so it is a test too. Everything is kept in a directory of its own and taken away at the end.
set -eu

die() { printf 'demo.sh: %s\n' "$*" >&2; exit 1; }

cd "$(dirname "$0")/.."
script=$PWD/demo
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
  [ "$status" = 0 ] || tail -n 20 notes/screen 2>/dev/null || true
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

# await WHAT COMMAND [WORD]: until COMMAND, which has WORD as $1, succeeds.
await() {
  what=$1 command=$2 tries=0
  shift 2
  until eval "$command"; do
    tries=$((tries + 1))
    [ "$tries" -le 400 ] || die "not within 20 seconds: $what"
    sleep 0.05
  done
}

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

host_is_as_before() {
  shown "diff before after"
  # The kernel takes some milliseconds to put a network namespace away.
  tries=0
  until fingerprint >notes/after && cmp -s notes/before notes/after; do
    tries=$((tries + 1))
    if [ "$tries" -gt 20 ]; then
      diff notes/before notes/after || true
      die "the host is not as it was"
    fi
    sleep 0.1
  done
  printf '    (no difference in %s lines)\n' "$(wc -l <notes/after)"
}

. "$script/first-act.sh"
. "$script/second-act.sh"
