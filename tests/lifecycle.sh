#!/bin/sh
# Runs the recorded lifecycle cases: tests/lifecycle.sh BINDIR [OPTION...] [CASE...]
#
# The recordings were made with a root user whose shell is /bin/sh; so the runner gets a passwd file of its own, in a
# mount namespace of its own. One step clears the whole environment: there the wrapper of jail(8) finds the
# directories of its case again, by the working directory.
set -eu
here=$(dirname "$0")
bindir=$(cd "$1" && pwd)
shift
if [ "${LIFECYCLE_INSIDE:-}" != yes ]; then
  LIFECYCLE_INSIDE=yes exec unshare -m --propagation private "$0" "$bindir" "$@"
fi
scratch=$(mktemp -d /tmp/lifecycle.XXXXXX)
trap 'umount /etc/passwd 2>/dev/null; rm -rf "$scratch"' EXIT INT TERM
sed 's,^\(root:.*:\)[^:]*$,\1/bin/sh,' /etc/passwd > "$scratch/passwd"
mount --bind "$scratch/passwd" /etc/passwd
mkdir "$scratch/bin"
for program in jls jexec; do ln -s "$bindir/$program" "$scratch/bin/$program"; done
cat > "$scratch/bin/jail" <<EOF
#!/bin/sh
if [ -z "\${CELLBLOCK_DB:-}" ]; then
  top=\$(dirname "\$PWD")
  export CELLBLOCK_DB="\$top/db" CELLBLOCK_RUN="\$top/run" CELLBLOCK_LOG="\$top/log" CELLBLOCK_STRICT=freebsd
fi
exec "$bindir/jail" "\$@"
EOF
chmod 755 "$scratch/bin/jail"
python3 "$here/run_lifecycle.py" --known "$here/lifecycle.known" "$scratch/bin" "$here/corpus/lifecycle" "$@"
