#!/bin/sh
# Jails at boot and shutdown, as FreeBSD's rc.d/jail does it: cellblock.sh VERB [NAME]...
#
#   start      undo what a crash left, then start all jails, those of jail_list, or those named
#   stop       stop all that run, those of jail_list, or those named
#   restart    stop, then start
#   status     jls -N
#   config     the file that each jail is read from
#   console    a login in the jail NAME
#   onestart, onestop, onerestart   also where jail_enable is not YES
#
# The variables are those of /etc/default/cellblock. The jid of each jail that it started is in /run/cellblock/jail_NAME.id
# (FreeBSD: /var/run/jail_NAME.id). Status 1: a jail that was asked for was not started, or is still there.
# For tests: CELLBLOCK_ETC stands for /etc.
set -u

PATH="$(cd "$(dirname "$0")" && pwd)/../../sbin:$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
etc=${CELLBLOCK_ETC:-/etc}
run=${CELLBLOCK_RUN:-/run/cellblock}

jail_enable=NO
jail_conf=$etc/jail.conf
jail_list=
jail_flags=
jail_parallel_start=NO
jail_reverse_stop=NO
jail_program=jail
jail_jls=jls
jail_jexec=jexec
jail_consolecmd="/bin/login -f root"
# shellcheck source=/dev/null
[ ! -r "$etc/default/cellblock" ] || . "$etc/default/cellblock"

warn() { printf 'cellblock: %s\n' "$*" >&2; }

yes() {
  case $1 in
    [Yy][Ee][Ss] | [Tt][Rr][Uu][Ee] | [Oo][Nn] | 1) return 0 ;;
  esac
  return 1
}

# of_jail NAME WORD: the value of jail_NAME_WORD, empty if it is not set.
of_jail() { eval "printf '%s' \"\${jail_$(printf '%s' "$1" | tr -c '[:alnum:]' _)_$2:-}\""; }

flags_of() {
  own=$(of_jail "$1" flags)
  printf '%s' "${own:-$jail_flags}"
}

canonical() { printf '%s' "$1" | tr /. _; }

reversed() {
  backwards=
  for word; do backwards="$word $backwards"; done
  printf '%s' "$backwards"
}

exists() { "$jail_jls" -j "$1" jid >/dev/null 2>&1; }

# $jail_conf includes files of jail.conf.d itself.
includes_directory() { grep -Eqs "^[[:blank:]]*\.include[[:blank:]]+[\"']?$etc/jail\.conf\.d/" "$jail_conf"; }

# Prints the file that a jail of the list is read from.
conf_of() {
  if [ -n "$(of_jail "$1" rootdir)" ] && [ -n "$(of_jail "$1" hostname)" ]; then
    warn "$1: jail_$1_rootdir and its kin are not read: write a jail.conf"
  fi
  own=$(of_jail "$1" conf)
  own=${own:-$etc/jail.$1.conf}
  shared=$etc/jail.conf.d/$1.conf
  if [ -r "$own" ]; then
    printf '%s' "$own"
  elif [ -r "$shared" ] && ! includes_directory; then
    printf '%s' "$shared"
  elif [ -r "$jail_conf" ]; then
    printf '%s' "$jail_conf"
  else
    warn "$1: no configuration file; the jail is ignored"
    return 1
  fi
}

write_id() {
  mkdir -p "$run"
  echo "$2" >"$run/jail_$1.id"
}

# start_one NAME: the jid is the last line that jail -i prints; what else it says is shown if it fails.
start_one() {
  conf=$(conf_of "$1") || return 1
  said=$(mktemp) || return 1
  # shellcheck disable=SC2046
  if "$jail_program" $(flags_of "$1") -i -f "$conf" -c "$1" >"$said" 2>&1 </dev/null; then
    printf ' %s' "$1"
    write_id "$1" "$("$jail_jls" -j "$1" jid 2>/dev/null)"
    rm -f "$said"
    return 0
  fi
  printf ' cannot start jail "%s":\n%s\n' "$1" "$(cat "$said")"
  rm -f "$said"
  return 1
}

start_list() {
  failed=0
  started=
  for name; do
    name=$(canonical "$name")
    if yes "$jail_parallel_start"; then
      start_one "$name" &
      started="$started $!"
    else
      start_one "$name" || failed=1
    fi
  done
  for process in $started; do wait "$process" || failed=1; done
  return "$failed"
}

start_all() {
  if [ ! -r "$jail_conf" ]; then
    printf ' %s is not there' "$jail_conf"
    return 0
  fi
  one_by_one=-p1
  ! yes "$jail_parallel_start" || one_by_one=
  said=$(mktemp) || return 1
  # shellcheck disable=SC2086
  "$jail_program" $jail_flags -f "$jail_conf" -c $one_by_one >"$said" 2>&1 </dev/null
  status=$?
  if [ "$status" = 0 ]; then
    "$jail_jls" jid name | while read -r jid name; do
      printf ' %s' "$name"
      write_id "$name" "$jid"
    done
  else
    cat "$said"
  fi
  rm -f "$said"
  return "$status"
}

# stop_one NAME OPTION...: what jail says is only of interest if the jail is still there.
stop_one() {
  name=$1
  shift
  said=$(mktemp) || return 1
  printf ' %s' "$name"
  "$jail_program" "$@" -r "$name" >"$said" 2>&1 </dev/null
  status=0
  if exists "$name"; then
    status=1
    printf '\n%s\n' "$(cat "$said")"
  else
    rm -f "$run/jail_$name.id"
  fi
  rm -f "$said"
  return "$status"
}

stop_list() {
  failed=0
  for name; do
    name=$(canonical "$name")
    exists "$name" || continue
    conf=$(conf_of "$name") || { failed=1; continue; }
    stop_one "$name" -q -f "$conf" || failed=1
  done
  return "$failed"
}

stop_all() {
  failed=0
  names=$("$jail_jls" name)
  # shellcheck disable=SC2086
  ! yes "$jail_reverse_stop" || names=$(reversed $names)
  for name in $names; do
    exists "$name" || { rm -f "$run/jail_$name.id"; continue; } # it went with one that it depends on
    # shellcheck disable=SC2086
    stop_one "$name" $jail_flags -f "$jail_conf" || failed=1
  done
  return "$failed"
}

start() {
  status=0
  # What a crash, or the end of power, left. Nothing may be in the way of a start that is not asked to be quick.
  [ $# -gt 0 ] || "$jail_program" --recover </dev/null || status=1
  enabled start || return "$status"
  printf 'Starting jails:'
  # shellcheck disable=SC2086
  [ $# -gt 0 ] || set -- $jail_list
  if [ $# -gt 0 ]; then start_list "$@" || status=1; else start_all || status=1; fi
  echo .
  return "$status"
}

stop() {
  enabled stop || return 0
  printf 'Stopping jails:'
  status=0
  if [ $# -gt 0 ]; then
    stop_list "$@" || status=1
  elif [ -n "$jail_list" ]; then
    # shellcheck disable=SC2046,SC2086
    if yes "$jail_reverse_stop"; then set -- $(reversed $jail_list); else set -- $jail_list; fi
    stop_list "$@" || status=1
  else
    stop_all || status=1
  fi
  echo .
  return "$status"
}

config() {
  # shellcheck disable=SC2086
  [ $# -gt 0 ] || set -- $jail_list
  [ $# -gt 0 ] || printf 'Parameters are in %s.\n' "$jail_conf"
  status=0
  for name; do
    name=$(canonical "$name")
    if conf=$(conf_of "$name"); then printf '%s: parameters are in %s.\n' "$name" "$conf"; else status=1; fi
  done
  return "$status"
}

console() {
  if [ $# != 1 ]; then
    warn "console: say one jail's name"
    return 3
  fi
  own=$(of_jail "$1" consolecmd)
  # shellcheck disable=SC2086
  exec "$jail_jexec" "$1" ${own:-$jail_consolecmd}
}

forced=
enabled() {
  [ -n "$forced" ] || yes "$jail_enable" && return 0
  warn "not asked to $1 jails: set jail_enable=YES in /etc/default/cellblock, or say one$1"
  return 1
}

verb=${1:-}
[ $# = 0 ] || shift
case $verb in
  onestart | onestop | onerestart) forced=1 verb=${verb#one} ;;
esac
case $verb in
  start | stop | config | console) "$verb" "$@" ;;
  restart)
    stop "$@"
    start "$@"
    ;;
  status) exec "$jail_jls" -N ;;
  *)
    echo "usage: $0 [one]start | [one]stop | [one]restart | status | config [NAME]... | console NAME" >&2
    exit 1
    ;;
esac
