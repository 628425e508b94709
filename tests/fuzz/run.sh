#!/bin/sh
# Runs every fuzzer of a build for some seconds: run.sh BUILD SECONDS JOBS. Starts from the inputs in tests/fuzz/NAME/,
# keeps what it learns in BUILD/corpus/NAME/, and leaves what broke something as BUILD/crash/NAME-*.
set -eu
build=$1 seconds=$2 jobs=$3
mkdir -p "$build/crash"
found=$(ls "$build"/fuzz/*_fuzz 2>/dev/null || true)
[ -n "$found" ] || { echo "no fuzzers"; exit 0; }

# shellcheck disable=SC2016
printf '%s\n' "$found" | xargs -P "$jobs" -I{} sh -c '
  program=$1 build=$2 seconds=$3 name=$(basename "$1" _fuzz)
  mkdir -p "$build/corpus/$name"
  set -- "$build/corpus/$name"
  [ ! -d "tests/fuzz/$name" ] || set -- "$@" "tests/fuzz/$name"
  [ ! -f "tests/fuzz/$name.dict" ] || set -- "$@" "-dict=tests/fuzz/$name.dict"
  if "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -close_fd_mask=1 \
    -artifact_prefix="$build/crash/$name-" "$@" >"$build/$name.log" 2>&1; then
    echo "fuzz $name: $(sed -n "s/^Done \([0-9]*\) runs.*/\1 inputs/p" "$build/$name.log"), nothing found"
  else
    echo "fuzz $name: FAILED"
    tail -n 40 "$build/$name.log"
    exit 1
  fi' sh {} "$build" "$seconds"
