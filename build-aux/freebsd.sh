#!/bin/sh
# Compiles all that lies above os/, and os/'s shared headers, for FreeBSD against its real headers: freebsd.sh JOBS.
# The compiler is zig's clang, which brings FreeBSD's headers and libc++ with it; it comes from PyPI into build/zig.
# Nothing is linked: there is no os/freebsd yet.
set -eu
jobs=${1:-2}
version=0.17.1
target=x86_64-freebsd.14.0

if [ ! -x build/zig/bin/python3 ] || ! build/zig/bin/python3 -c 'import ziglang' 2>/dev/null; then
  echo "Installing ziglang from PyPI into build/zig"
  if ! { python3 -m venv --clear build/zig && build/zig/bin/pip install -q --disable-pip-version-check "ziglang==$version"; }; then
    echo "freebsd: ziglang could not be installed (pip install ziglang==$version needs PyPI), so nothing was checked" >&2
    exit 1
  fi
fi

# Only these two of the host's headers: all others must be FreeBSD's own.
mkdir -p build/freebsd/include
ln -sfn /usr/include/fmt build/freebsd/include/fmt
ln -sfn /usr/include/nlohmann build/freebsd/include/nlohmann

layers=$(ls -d base conf ledger sup plan init cmd 2>/dev/null || true)
# Not ported yet: each is a piece of work to do, not a difference to keep.
unported="init/main.cc"

mkdir -p build/freebsd/os
for header in os/*.h; do echo "#include \"$header\""; done >build/freebsd/os/headers.cc
# shellcheck disable=SC2086
files=$(find $layers build/freebsd/os -name '*.cc' | grep -Fvx "$unported" | sort)
export target ZIG_GLOBAL_CACHE_DIR="$PWD/build/freebsd/cache" ZIG_LOCAL_CACHE_DIR="$PWD/build/freebsd/cache"
# -Wconversion is left to the other compilers: the widths of mode_t and its kin differ here.
# shellcheck disable=SC2016
printf '%s\n' "$files" | xargs -P "$jobs" -I{} sh -c '
  faults=; [ "$1" != base/fault.cc ] || faults=-DCELLBLOCK_FAULTS
  object=build/freebsd/$(echo "$1" | tr / _).o
  build/zig/bin/python3 -m ziglang c++ -std=c++23 -target $target -c -o "$object" -Wall -Wextra -Wshadow -Werror \
    -DFMT_HEADER_ONLY -DCELLBLOCK_VERSION="\"0\"" $faults -I. -isystem build/freebsd/include "$1" ||
    { echo "$1 does not compile for FreeBSD"; exit 1; }' sh {}
echo "$(printf '%s\n' "$files" | wc -l) files compile for FreeBSD; not ported: $unported"
