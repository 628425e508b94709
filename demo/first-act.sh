# The first act: starts, and what becomes of them. demo.sh reads this in, in its stage.

chapter "1. A root tree and a jail.conf"
say "One static busybox is the whole system of each jail."
run "mkdir -p db/bin db/etc db/dev db/proc db/scratch db/www"
run "cp $busybox db/bin/busybox && chroot db /bin/busybox --install -s /bin"
run "echo 'root:x:0:0:root:/:/bin/sh' >db/etc/passwd"
run "for jail in app web late; do cp -al db \$jail; done"
cat >jail.conf <<END
# Defaults, for every jail.
\$jails = "$stage";                # a variable
path = "\$jails/\$name";                 # \$name is the jail's own
host.hostname = "\$name.example.org";
exec.clean;  mount.devfs;  mount.procfs;  persist;

db {
    exec.start = "echo Hello from \$(hostname) >/www/index.html";
}
app {
    depend = db;
    mount = "\$jails/db/www \$path/www nullfs ro 0 0";
    exec.prestart = "mount -t tmpfs scratch \$path/scratch";      # a hook that mounts something
}
web {
    depend = app;
    vnet;
    mount = "\$jails/db/www \$path/www nullfs ro 0 0";
    exec.start = "httpd -h /www";
}
late {
    exec.prestart = "mount -t tmpfs scratch \$path/scratch";
    exec.start = "/bin/start-of-late";
}
END
run "cat jail.conf"
fingerprint >notes/before
say "The state of the host is written down: mounts, links, addresses, routes, groups, processes, files."

chapter "2. What would happen?"
say "Every value, and the line of the file that it comes from."
run "jail -f jail.conf --explain web"
has 'host.hostname +web.example.org +jail.conf:4'
say "A start is a list of acts, each with an undo. Here is the list; nothing is done."
run "jail -f jail.conf --plan -c app"
has 'view "'
has 'hook prestart'
run "jls"
lines 1

chapter "3. Three jails, in the order of their dependencies"
say "Only web is asked for. It needs app, which needs db."
run "jail -f jail.conf -c web"
[ "$(tr '\n' ' ' <"$out")" = "db: created app: created web: created " ] || die "not started in order"
run "jls"
lines 4
run "jls -h jid name status pid1 path vnet"
has ' web up '
run "jls --libxo json,pretty -j web name host.hostname vnet"
has '"host.hostname": *"web.example.org"'

chapter "4. Inside"
run "jexec web ps"
has '^ +1 '
has 'httpd'
say "web has a network of its own, a page that db wrote, and a server that shows it."
run "jexec web ip addr show"
has 'inet 127.0.0.1'
run "jexec web wget -q -O - http://127.0.0.1/"
has '^Hello from db.example.org$'
say "The hook's mount is in app alone. The host does not see it, nor any other mount of a jail: only one pin each."
run "jexec app mount | grep -v ' on /proc/'"
has 'scratch on /scratch type tmpfs'
run "grep $stage /proc/self/mounts | cut -d ' ' -f 1-3"
lines 4
has_not '(scratch|www|dev|proc)( |$)'
say "The page is read-only in app. jexec's status is the command's."
fails "jexec app touch /www/index.html"
has 'Read-only'

chapter "5. A start that is killed half-way"
say "late's start does not come to its end. We wait until it is in the middle, and kill the command with SIGKILL."
run "mkfifo late/half-way && printf '%s\n' '#!/bin/sh' 'echo here >/half-way' 'exec sleep 1000' >late/bin/start-of-late &&
  chmod 755 late/bin/start-of-late"
shown "jail -f jail.conf -c late &"
jail -f jail.conf -c late >notes/late 2>&1 &
command=$!
victims=$command
read -r _ <late/half-way
sed 's/^/    /' notes/late
# One process schedules, and each start has a process that does it: a crash is the end of both.
victims="$command $(cat "/proc/$command/task/$command/children")"
# shellcheck disable=SC2086
shown kill -9 $victims
# shellcheck disable=SC2086
kill -9 $victims
wait "$command" 2>/dev/null || true
for victim in $victims; do while [ -e "/proc/$victim/fd/0" ]; do :; done; done
victims=
say "What is there is known: each act was written into the jail's ledger before it was done."
run "jls -d name status"
has '^late (partial|broken)$'
run "cat \$(grep -l '^ledger .* late ' $CELLBLOCK_DB/jails/*/ledger)"
has '^= view'
run "jail -f jail.conf --plan -r late"
has 'undo view'
say "Any next command finishes the undo. -v shows the half start being ended, then the new one."
run "printf '%s\n' '#!/bin/sh' 'echo \"late: this time it is quick\"' >late/bin/start-of-late"
run "jail -f jail.conf -v -c late"
has '^late: created$'
has 'this time it is quick'
run "jls -d name status"
has '^late up$'
lines 4

chapter "6. A start that fails undoes itself"
say "The same jail again, restarted with a start that fails."
run "printf '%s\n' '#!/bin/sh' 'echo \"late: no disk\"; exit 1' >late/bin/start-of-late"
fails "jail -f jail.conf -rc late"
has 'no disk'
run "jls -d name"
has_not late
lines 3

chapter "7. Everything stops, dependents first"
say "A stop is the ledger read backwards, and never today's file: it may even be gone."
run "mv jail.conf gone.conf && jail -v -r db && mv gone.conf jail.conf"
run "jls -d"
lines 1

chapter "8. The host is exactly as it was"
say "The page that db wrote, and what we put into late's root, are files of the jails, and stay when they stop."
run "rm db/www/index.html late/bin/start-of-late late/half-way"
host_is_as_before
