#!/bin/sh
# boot/cellblock.sh with real jails below a PREFIX and an /etc of its own: boot_test.sh BUILD/bin. Needs root.
set -u
cd "$(dirname "$0")/.." || exit 1
bin=$(cd "${1:-build/bin}" && pwd) || exit 1
if [ "$(id -u)" != 0 ]; then
  echo "jails are started by root"
  exit 77
fi

top=$(mktemp -d /tmp/boot-test.XXXXXX)
export CELLBLOCK_DB="$top/db" CELLBLOCK_RUN="$top/run" CELLBLOCK_LOG="$top/log" CELLBLOCK_ETC="$top/etc"
unset CELLBLOCK_STRICT
finish() {
  "$bin/jail" -q -R '*' >/dev/null 2>&1
  "$bin/jail" --recover >/dev/null 2>&1
  cd / && rm -rf --one-file-system "$top"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# The tree that `make install` makes; jail tells what it was asked before it does it.
mkdir -p "$top/prefix/sbin" "$top/prefix/libexec/cellblock" "$top/etc/default" "$top/etc/jail.conf.d" "$top/root"
cp boot/cellblock.sh "$top/prefix/libexec/cellblock"
ln -s "$bin/jls" "$bin/jexec" "$top/prefix/sbin"
printf '#!/bin/sh\necho "$*" >>%s/calls\nexec %s/jail "$@"\n' "$top" "$bin" >"$top/prefix/sbin/jail"
chmod 755 "$top/prefix/sbin/jail"
boot="$top/prefix/libexec/cellblock/cellblock.sh"

tests=0
bad=0
check() { # check SENTENCE WANTED FOUND
  tests=$((tests + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $tests $1"
  else
    echo "not ok $tests $1"
    printf '  wanted: %s\n  found:  %s\n' "$2" "$3"
    bad=$((bad + 1))
  fi
}
begin() { # begin: no jail, no calls, and /etc/default/cellblock from standard input
  "$bin/jail" -q -R '*' >/dev/null 2>&1
  rm -rf "$top/calls" "$top"/run/jail_*.id "$top"/etc/jail.*.conf "$top"/etc/jail.conf.d/*
  cat >"$top/etc/default/cellblock"
  printf '%s\n' "path = \"$top/root\"; persist; stop.timeout = 0;" 'a { depend = c; } b {} c {} one_two {}' >"$top/etc/jail.conf"
}
own_file() { printf '%s\n' "path = \"$top/root\"; persist; stop.timeout = 0; host.hostname = $3; $2 {}" >"$1"; }
calls() { sed "s|$top|TOP|g" "$top/calls" 2>/dev/null | grep -v -- --recover | tr '\n' ','; }
running() { "$bin/jls" name | tr '\n' ' '; }
jid_of() { "$bin/jls" -j "$1" jid || echo "$1 does not run"; }
host_name() { "$bin/jls" -j "$1" host.hostname; }

begin </dev/null
$boot start 2>"$top/said"
check "WithoutJailEnableNothingStarts" "" "$(running)"
check "ButWhatCrashedIsUndone" "--recover" "$(cat "$top/calls")"
check "AndItSaysWhy" \
  "cellblock: not asked to start jails: set jail_enable=YES in /etc/default/cellblock, or say onestart" "$(cat "$top/said")"
said=$($boot onestart)
check "OnestartStartsAllTheSame" "b c one_two a " "$(running)"
check "AStartNamesTheJails" "Starting jails: b c one_two a." "$said"

begin <<END
jail_enable=YES
jail_flags=-v
END
$boot start >/dev/null
check "AStartOfAllIsOneCommandWithOneAtATime" "-v -f TOP/etc/jail.conf -c -p1," "$(calls)"
check "EachJailHasAnIdFile" "$(jid_of a)" "$(cat "$top/run/jail_a.id")"
rm "$top/calls"
said=$($boot stop)
check "AStopOfAllTakesThemAsTheyRun" \
  "-v -f TOP/etc/jail.conf -r b,-v -f TOP/etc/jail.conf -r c,-v -f TOP/etc/jail.conf -r one_two," "$(calls)"
check "AStopSaysNothingOfWhatWentWell" "Stopping jails: b c one_two." "$said"
check "AfterAStopNothingRuns" "" "$(running)"
check "AfterAStopThereIsNoIdFile" "" "$(cd "$top/run" && echo jail_[a-z]*.id | grep -v '\*')"

begin <<END
jail_enable=yes
jail_parallel_start=YES
END
$boot start >/dev/null
check "AParallelStartHasNoLimit" "-f TOP/etc/jail.conf -c," "$(calls)"
begin <<END
jail_enable=YES
jail_reverse_stop=YES
END
$boot start >/dev/null
check "AReverseStopTakesTheLastFirst" "Stopping jails: a one_two c b." "$($boot stop)"
check "AReverseStopEndsAll" "" "$(running)"

begin <<END
jail_enable=YES
jail_list="b one/two"
jail_flags=-q
jail_one_two_flags="-v -p2"
END
said=$($boot start)
check "AListStartsItsJailsInItsOrder" "-q -i -f TOP/etc/jail.conf -c b,-v -p2 -i -f TOP/etc/jail.conf -c one_two," "$(calls)"
check "SlashesAndDotsBecomeUnderscores" "Starting jails: b one_two." "$said"
check "OnlyTheListRuns" "b one_two " "$(running)"
check "AJailOfTheListHasAnIdFile" "$(jid_of one_two)" "$(cat "$top/run/jail_one_two.id")"
rm "$top/calls"
said=$($boot stop)
check "AStopOfAListIsQuiet" "-q -f TOP/etc/jail.conf -r b,-q -f TOP/etc/jail.conf -r one_two," "$(calls)"

begin <<END
jail_enable=YES
jail_list="b c"
jail_reverse_stop=YES
END
$boot start >/dev/null
check "AReverseStopTurnsTheListAround" "Stopping jails: c b." "$($boot stop)"
$boot start c b >/dev/null
check "NamedJailsAreStartedInTheOrderNamed" "c b " "$(running)"
check "NamesThatWereGivenAreNeverReversed" "Stopping jails: c b." "$($boot stop c b a)"

begin <<END
jail_enable=YES
jail_elsewhere_conf=$top/etc/elsewhere
END
own_file "$top/etc/jail.b.conf" b own
own_file "$top/etc/jail.conf.d/b.conf" b shared
own_file "$top/etc/jail.conf.d/c.conf" c shared
own_file "$top/etc/elsewhere" elsewhere variable
$boot start b c elsewhere one.two >/dev/null
check "AFileOfItsOwnComesFirst" own "$(host_name b)"
check "ThenTheFileInTheDirectory" shared "$(host_name c)"
check "TheVariableNamesTheFile" variable "$(host_name elsewhere)"
check "ElseTheFileOfAll" "\"\"" "$(host_name one_two)"
check "ConfigTellsTheFile" "b: parameters are in $top/etc/jail.b.conf." "$($boot config b)"
$boot stop b c elsewhere one_two >/dev/null
check "EachIsStoppedByItsFile" "" "$(running)"
printf '  .include "%s/etc/jail.conf.d/*.conf";\n' "$top" >>"$top/etc/jail.conf"
check "ADirectoryThatIsIncludedIsNotReadTwice" "c: parameters are in $top/etc/jail.conf." "$($boot config c)"
rm "$top/etc/jail.conf"
check "AJailWithoutAFileIsIgnoredWithAWarning" "cellblock: a: no configuration file; the jail is ignored
status 1" "$($boot start a 2>&1 >/dev/null; echo "status $?")"

begin <<END
jail_enable=YES
jail_parallel_start=YES
END
own_file "$top/etc/jail.bad.conf" "bad { exec.start = false; } more" bad
said=$($boot start bad b one_two; echo "status $?")
check "AParallelStartOfAListStartsWhatItCan" "b one_two " "$(running | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/^ //')"
check "AFailedStartIsToldWithWhatJailSaid" "1 1" \
  "$(echo "$said" | grep -c 'cannot start jail "bad":') $(echo "$said" | grep -c 'jail: bad: false: failed')"
check "AFailedStartIsInTheStatus" "status 1" "$(echo "$said" | tail -n 1)"
[ -e "$top/run/jail_bad.id" ]
check "AFailedStartHasNoIdFile" 1 $?

begin <<END
jail_enable=YES
END
own_file "$top/etc/jail.conf" "held { exec.prestop = 'echo not now; false'; } free" x
$boot start >/dev/null
said=$($boot stop; echo "status $?")
check "AJailThatRefusesToStopIsToldAboutAndStays" "held " "$(running)"
check "WhatItSaidIsShown" 1 "$(echo "$said" | grep -c '^not now$')"
check "ARefusedStopIsInTheStatus" "status 1" "$(echo "$said" | tail -n 1)"
check "StatusListsNamesToo" 1 "$($boot status | grep -c held)"
check "AnUnknownVerbIsAUsageError" 1 "$($boot begone 2>/dev/null; echo $?)"

echo "$((tests - bad)) passed, $bad failed"
[ "$bad" = 0 ]
