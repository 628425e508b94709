#!/bin/sh
# Sees to it that the packages for a purpose are there: setup.sh PURPOSE... As root on Debian it installs what is
# missing; else it prints the line that would, and fails. Says nothing and is quick when all are there.
set -eu

packages() {
  case $1 in
    build) echo g++ cmake ninja-build libfmt-dev libmnl-dev nlohmann-json3-dev libgtest-dev python3 ;;
    demo) echo busybox-static iproute2 ;;
    test) echo busybox-static iproute2 nftables procps runit s6 universal-ctags debootstrap cu ;;
    vm) echo python3 qemu-system-x86 busybox-static iproute2 util-linux mount e2fsprogs systemd debootstrap ;;
    bench) echo g++ python3 busybox-static crun runc bubblewrap systemd-container s6 runit tini catatonit strace util-linux ;;
    clang) echo clang-19 libclang-rt-19-dev ;;
    tidy) echo clang-19 clang-tidy-19 ;;
    format) echo clang-format-19 ;;
    freebsd) echo python3 python3-venv ;;
    man) echo mandoc ;;
    *) echo "setup.sh: $1: no such purpose" >&2; exit 2 ;;
  esac
}

wanted=
for purpose; do
  wanted="$wanted $(packages "$purpose")"
done
if ! command -v dpkg-query >/dev/null 2>&1; then
  exit 0 # another distribution: whoever builds here knows its names; what is missing will be named by cmake
fi

# shellcheck disable=SC2086
there=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^installed //p' || true)
missing=
for package in $wanted; do
  case "
$there
" in
    *"
$package
"*) ;;
    *) case " $missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac ;;
  esac
done
[ -n "$missing" ] || exit 0

install="apt-get install --yes --no-install-recommends$missing"
if [ "$(id -u)" != 0 ]; then
  echo "These packages are missing. Install them, then try again:" >&2
  echo "    sudo $install" >&2
  exit 1
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# An index that cannot be fetched (one source of several) is no reason to stop: the packages may be there.
apt-get update -qq >/dev/null 2>&1 || true
if ! $install -qq >/tmp/cellblock-setup.$$ 2>&1; then
  tail -n 20 /tmp/cellblock-setup.$$ >&2
  rm -f /tmp/cellblock-setup.$$
  echo "setup.sh: failed: $install" >&2
  exit 1
fi
rm -f /tmp/cellblock-setup.$$
