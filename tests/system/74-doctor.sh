#!/usr/bin/env bash
# Why does my proxy answer 502? Every cause is made for real, and berth doctor names it, with its remedy.
. "$(dirname "$0")/lib.sh"
need setpriv unshare python3 socat
need_root

# Others must reach the program too, in whatever folder this was built.
mkdir "$DIR/bin"
cp "$BERTH" "$DIR/bin/berth"
DOCTOR=$DIR/bin/berth
# Whom nobody else is, not even another test that runs now, and who has no entry in any database.
STRANGER=$((30000 + $$ % 20000))
TMP="a service with PrivateTmp=yes sees another /tmp than we do; /run is the same for all"

# Where all that www-data runs is a service with PrivateTmp=yes, it would be right that nothing below /tmp is well.
start proxy setpriv --reuid www-data --regid www-data --clear-groups sleep 60

doctor() {
    run "${WRAPPER[@]}" "$DOCTOR" doctor "$@"
}

# says MARK CHECK TEXT: there is exactly this line
says() {
    local line

    line=$(printf '%-7s%-9s%s' "$1" "$2" "$3")
    grep -qxF -- "$line" <<<"$OUT" || fail "a line of the report" "$line" "$OUT$ERR"
}

# finds CHECK TEXT REMEDY: this is the one thing that is wrong
finds() {
    says wrong "$1" "$2"
    expect_equal "the number of wrong things" 1 "$(grep -c '^wrong ' <<<"$OUT")"
    expect_equal "the last line" "Remedy: $3" "$(tail -n 1 <<<"$OUT")"
    expect_equal "standard error" "" "$ERR"
    expect_code 1
}

well() {
    expect_equal "the last line" "All is well: $1 gets an answer at this socket." "$(tail -n 1 <<<"$OUT")"
    expect_no_match "the report" '^(wrong|Remedy)' "$OUT"
    expect_equal "standard error" "" "$ERR"
    expect_code 0
}

# listener KIND PATH [TEXT]: one of tests/support/listeners.py, until it listens
listener() {
    start listener python3 "$SRCDIR/tests/support/listeners.py" "$@"
    wait_until grep -q ready "$DIR/listener.out" || bail "no listener of the kind $1"
}

# acl FILE UID PERMISSIONS: lets this user do that (acl(5)), whatever the others may; all else is as the mode says
acl() {
    python3 - "$@" <<-'END'
	import os, struct, sys
	path, uid, permissions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
	mode, none = os.stat(path).st_mode, 0xffffffff
	entries = [(1, mode >> 6 & 7, none), (2, permissions, uid), (4, mode >> 3 & 7, none), (16, 7, none), (32, mode & 7, none)]
	acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
	os.setxattr(path, "system.posix_acl_access", acl)
	END
}

# ---- how it is called ----

# wrong_usage MESSAGE ARGUMENT…
wrong_usage() {
    local message=$1

    shift
    doctor "$@"
    expect_code 2
    expect_equal "what is said" "berth: doctor: $message" "$ERR"
    expect_equal "the output" "" "$OUT"
}

it "says what is wrong with how it is called, with exit code 2"
wrong_usage "PATH is missing: the socket that your proxy is told to use"
wrong_usage '"" is not the path of a socket' ""
wrong_usage '"/b": one PATH at a time, and "/a" is there already' /a /b
wrong_usage "--has: there is no such option; did you mean --as?" --has x /a
wrong_usage '-x: there is no such option; "berth doctor --help" lists them' -x /a
wrong_usage "--as: USER must follow" /a --as
wrong_usage '--as: there is no user "no-such-user" on this system' --as no-such-user /a
wrong_usage '--host: "a b" is not a host such as api.example.org' "--host=a b" /a
doctor --help
expect_code 0
expect_match "the help" "^  --as USER  +look as this user" "$OUT"

# ---- all is well ----

it "says of each check what it found, when all is well"
serve --socket-group www-data /=status
doctor --as www-data "$SOCKET"
expect_equal "the report" "\
ok     user     www-data, uid $(id -u www-data)
ok     path     $SOCKET: ${#SOCKET} bytes of at most 107
hint   tmp      $TMP
ok     folders  www-data may pass each up to $DIR
ok     file     a socket of root:www-data, mode 0660
ok     server   berth (pid $SERVER) of root listens; queue 0, limit 2048
ok     connect  www-data may connect
ok     http     200 OK to GET /_ping for the host localhost

All is well: www-data gets an answer at this socket." \
    "$(sed "s,^\(hint   tmp      \).* of www-data sees another .*,\1$TMP," "$DIR/run.out")"
well www-data

it "goes as the caller where nobody is named, and says that root is no proxy"
doctor "$SOCKET"
says hint user "root may do everything, a proxy's user may not: name it, such as --as www-data"
well root
run setpriv --reuid "$STRANGER" --regid www-data --clear-groups "$DOCTOR" doctor "$SOCKET"
says ok user "$STRANGER, uid $STRANGER"
well "$STRANGER"

it "asks as that user, not as root"
doctor --as www-data "$SOCKET"
expect_soon grep -qE "www-data .*\"GET /_ping\" 200" "$DIR/berth.out"

it "takes a relative path, and says that a proxy needs the whole one"
cd "$DIR" || exit 1
doctor --as=www-data -- http.sock
cd "$BUILDDIR" || exit 1
says hint path "http.sock is $SOCKET here: a proxy runs elsewhere, give it the whole path"
well www-data

# ---- the path and the way ----

it "finds a path that is too long"
long=$DIR/$(printf '%0100d' 0).sock
doctor "$long"
finds path "$long: ${#long} bytes, and the name of a socket has at most 107" \
    "choose a shorter path, for the server (--uds) and for the proxy"

it "finds a path that cannot be a socket's"
doctor "$DIR/"
finds path "$DIR/ is a folder; add the name that the socket is to have in it" "give the proxy the path of the socket itself"

it "finds a folder that the user may not pass"
mkdir -m 0700 "$DIR/home"
mkdir "$DIR/home/in"
doctor --as www-data "$DIR/home/in/x.sock"
finds folders "www-data may not pass $DIR/home, a folder of root:root, mode 0700" \
    "chmod o+x $DIR/home, or for www-data alone: setfacl -m u:www-data:x $DIR/home; or let the server make its socket below /run"
chgrp www-data "$DIR/home"
doctor --as www-data "$DIR/home/in/x.sock"
expect_match "the remedy" "^Remedy: chmod g\+x $DIR/home, " "$OUT"
chown "$STRANGER" "$DIR/home"
chmod 0077 "$DIR/home"
doctor --as "$STRANGER" "$DIR/home/in/x.sock"
says hint user "$STRANGER has no entry in the user database: taken to be in no group"
expect_match "the remedy" "^Remedy: chmod u\+x $DIR/home, " "$OUT"

it "believes an ACL, since it tries"
mkdir -m 0700 "$DIR/acl"
acl "$DIR/acl" "$(id -u www-data)" 1
start other "$BERTH" serve --uds "$DIR/acl/x.sock" --socket-mode 0666 /=status
expect_soon answers "$DIR/acl/x.sock"
doctor --as www-data "$DIR/acl/x.sock"
well www-data
chmod 0755 "$DIR/acl"
acl "$DIR/acl" "$(id -u www-data)" 0
doctor --as www-data "$DIR/acl/x.sock"
finds folders "www-data may not pass $DIR/acl, a folder of root:root, mode 0775" \
    "the mode would let it pass: an ACL (getfacl $DIR/acl) or AppArmor or SELinux does not"
acl "$DIR/acl" "$(id -u www-data)" 7
acl "$DIR/acl/x.sock" "$(id -u www-data)" 0
doctor --as www-data "$DIR/acl/x.sock"
finds connect "www-data may not connect, though the socket's mode lets it" \
    "look for an ACL (getfacl $DIR/acl/x.sock), a symbolic link in a folder such as /tmp (fs.protected_symlinks), or AppArmor or SELinux (dmesg)"

it "finds a folder that is not there, or is none"
doctor "$DIR/no/where/x.sock"
finds folders "there is no folder $DIR/no" \
    "give the proxy the path that the server was given (--uds); if it is this one: mkdir -p $DIR/no, or RuntimeDirectory= in the server's unit"
touch "$DIR/plain"
doctor "$DIR/plain/x.sock"
finds folders "$DIR/plain is not a folder" "give the proxy the path that the server was given (--uds)"

it "shows symbolic links, and looks where they lead"
ln -s "$DIR" "$DIR/here"
ln -s http.sock "$DIR/link.sock"
doctor --as www-data "$DIR/here/link.sock"
says hint link "$DIR/here is a symbolic link to $DIR"
says hint link "$DIR/link.sock is a symbolic link to http.sock"
well www-data
ln -s nowhere "$DIR/dangling"
doctor "$DIR/dangling"
finds file "there is no $DIR/nowhere" \
    "start the server: berth serve --uds $DIR/nowhere; it does not follow the link and would not take $DIR/dangling"
ln -s loop "$DIR/loop"
doctor "$DIR/loop/x.sock"
finds folders "$DIR/loop: too many symbolic links" "give the proxy a path without links that lead to each other"
ln -s home/in "$DIR/inner"
doctor --as "$STRANGER" "$DIR/inner/x.sock"
says wrong folders "$STRANGER may not pass $DIR/home, a folder of $STRANGER:www-data, mode 0077"

# ---- what is there ----

it "finds that nothing is there, and what was meant perhaps"
mkdir "$DIR/run"
doctor "$DIR/run/api.sock"
finds file "there is no $DIR/run/api.sock" "start the server: berth serve --uds $DIR/run/api.sock"
listener bound "$DIR/run/something-else"
doctor "$DIR/run/api.sock"
finds file "there is no $DIR/run/api.sock" \
    "the only socket in that folder is $DIR/run/something-else: give the proxy that one if it is meant, else start the server: berth serve --uds $DIR/run/api.sock"
listener bound "$DIR/run/api2.sock"
touch "$DIR/run/ap.sock"
doctor "$DIR/run/api.sock"
finds file "there is no $DIR/run/api.sock" \
    "there is a socket $DIR/run/api2.sock: give the proxy that one if it is meant, else start the server: berth serve --uds $DIR/run/api.sock"

it "finds a server whose socket was removed"
listener silent "$DIR/removed.sock"
rm "$DIR/removed.sock"
doctor "$DIR/removed.sock"
finds file "there is no $DIR/removed.sock, but somebody listens on a socket that was made under this name" \
    "restart that server: somebody removed its socket, or it sees another folder than we do (PrivateTmp=yes, a container); ss -xlp shows which it is"

it "finds what is no socket, and opens none of it"
mkfifo -m 0644 "$DIR/fifo"
chmod 0644 "$DIR/plain"
find "$DIR" -printf '%p %m %U %G %i %T@ %A@\n' | grep -vE "^$DIR(/run\.|/[a-z]*\.(out|log))? ?" | sort >"$DIR/before"
for case in "plain:a plain file of root:root, mode 0644" "fifo:a FIFO of root:root, mode 0644" \
    "run:a folder of root:root, mode 0755"; do
    doctor "$DIR/${case%%:*}"
    finds file "$DIR/${case%%:*} is ${case#*:}, not a socket" \
        "give the proxy the path that the server was given (--uds); if it is this one, move away what is there and start the server: berth leaves it alone"
done
find "$DIR" -printf '%p %m %U %G %i %T@ %A@\n' | grep -vE "^$DIR(/run\.|/[a-z]*\.(out|log))? ?" | sort >"$DIR/after"
expect_equal "the files" "$(grep -v /before "$DIR/before")" "$(grep -vE '/(before|after)' "$DIR/after")"
doctor /dev/null
says wrong file "/dev/null is a device of root:root, mode $(stat -c %04a /dev/null), not a socket"

it "finds another /tmp: PrivateTmp"
# shellcheck disable=SC2016 # its sh expands them
hide='mount -t tmpfs none /tmp && exec setpriv --reuid "$1" --regid "$1" --clear-groups sleep 60'
start hidden unshare -m sh -c "$hide" - "$STRANGER"
hidden=$PID
wait_until test "!" -e "/proc/$hidden/root$DIR" || bail "there is no other /tmp"
wait_until grep -qx sleep "/proc/$hidden/comm" || bail "nobody is there"
chmod 0666 "$SOCKET"
doctor --as "$STRANGER" "$SOCKET"
finds tmp "sleep (pid $hidden) of $STRANGER sees another /tmp, where this path is no socket (PrivateTmp=yes)" \
    "let the server make its socket below /run, which all services see alike, or say PrivateTmp=no in the unit of sleep (pid $hidden) (systemctl edit), and restart it"
start visible setpriv --reuid "$STRANGER" --regid "$STRANGER" --clear-groups sleep 60
visible=$PID
wait_until grep -qx sleep "/proc/$visible/comm" || bail "nobody is there"
doctor --as "$STRANGER" "$SOCKET"
says hint tmp "sleep (pid $hidden) of $STRANGER sees another /tmp: what follows is true of ours"
well "$STRANGER"
kill "$hidden" "$visible"
wait "$hidden" "$visible" 2>/dev/null
doctor --as "$STRANGER" "$SOCKET"
says hint tmp "$TMP"
well "$STRANGER"
chmod 0660 "$SOCKET"

# ---- the server ----

it "finds a file whose server was killed"
listener stuck "$DIR/stale.sock"
kill -KILL "$PID"
wait "$PID" 2>/dev/null
doctor --as www-data "$DIR/stale.sock"
finds server "nobody listens: the file is what a server left that was killed" \
    "start the server again: berth serve --uds $DIR/stale.sock replaces such a file"

it "takes a connection that outlives its server for no server"
listener left "$DIR/left.sock"
doctor "$DIR/left.sock"
says wrong server "nobody listens: the file is what a server left that was killed"

it "finds a socket on which nobody listens yet"
doctor "$DIR/run/api2.sock"
finds server "a process has bound this socket, but does not listen on it" \
    "wait until the server is ready, or look into its log"

it "finds sockets of another type"
listener datagram "$DIR/datagram.sock"
doctor "$DIR/datagram.sock"
finds server "a datagram socket: it takes single messages, such as events, and no HTTP" \
    "give the proxy the socket of --uds, not that of --datagram"
listener packets "$DIR/packets.sock"
doctor "$DIR/packets.sock"
finds server "a seqpacket socket, and HTTP needs a stream socket" "give the proxy the socket of --uds"

it "finds a full queue"
listener full "$DIR/full.sock"
doctor "$DIR/full.sock"
finds server "the queue of connections is full; queue 1, limit 0" \
    "the server does not accept: see whether it hangs or is stopped (its log, ps); if it is only too slow, --workers makes it faster, and --backlog its queue longer"

it "looks at abstract names"
listener says "@berth-doctor-$$" 'HTTP/1.1 404 Not Found\r\n\r\n'
doctor "@berth-doctor-$$"
says ok http "404 Not Found to GET /_ping for the host localhost"
well root
doctor "@berth-doctor-$$-none"
finds server "nobody listens at this abstract name in our network namespace" \
    "start the server, in the proxy's network namespace (PrivateNetwork=, containers)"

# ---- the right to connect ----

# denied MODE USER GROUP WHOM FLAGS: www-data is kept out by such a socket, and gets in with these flags
denied() {
    start_berth --uds "$DIR/m.sock" --socket-mode "$1" --socket-user "$2" --socket-group "$3" /=status
    expect_soon answers "$DIR/m.sock"
    doctor --as www-data "$DIR/m.sock"
    finds connect "www-data may not connect: the socket is of $2:$3, mode $1, and does not let $4 write" \
        "berth serve $5 (of a systemd socket unit: SocketUser=, SocketGroup=, SocketMode=)"
    stop_server
    read -r -a flags <<<"$5"
    start_berth --uds "$DIR/m.sock" --socket-mode "$1" --socket-user "$2" --socket-group "$3" "${flags[@]}" /=status
    expect_soon answers "$DIR/m.sock"
    doctor --as www-data "$DIR/m.sock"
    well www-data
    stop_server
}

first=$SERVER
it "finds a socket that others may not write to, with the flags that help"
denied 0660 root root others "--socket-group www-data"
denied 0600 root root others "--socket-group www-data --socket-mode 0660"
denied 0640 root www-data "its group" "--socket-mode 0660"
denied 0440 www-data root "its owner" "--socket-mode 0660"
SERVER=$first

it "knows the groups that the user is in, and only those"
cp /etc/group "$DIR/group"
echo "berth-test:x:54322:www-data" >>"$DIR/group"
start_berth --uds "$DIR/m.sock" --socket-group 54322 /=status
expect_soon answers "$DIR/m.sock"
# shellcheck disable=SC2016 # its sh expands them
mounted='mount --bind "$1" /etc/group && shift && exec "$@"'
run unshare -m sh -c "$mounted" - "$DIR/group" "$DOCTOR" doctor --as www-data "$DIR/m.sock"
well www-data
run setpriv --groups 54322,0 "$DOCTOR" doctor --as www-data "$DIR/m.sock"
finds connect "www-data may not connect: the socket is of root:54322, mode 0660, and does not let others write" \
    "berth serve --socket-group www-data (of a systemd socket unit: SocketUser=, SocketGroup=, SocketMode=)"
stop_server
SERVER=$first

it "says so where only its modes are known"
run setpriv --reuid "$STRANGER" --regid www-data --clear-groups "$DOCTOR" doctor --as nobody "$SOCKET"
says hint user "only root can become nobody: what it may do is computed from owners and modes, not tried"
finds connect "nobody may not connect: the socket is of root:www-data, mode 0660, and does not let others write (computed)" \
    "berth serve --socket-group $(id -gn nobody) (of a systemd socket unit: SocketUser=, SocketGroup=, SocketMode=)"
run setpriv --reuid "$STRANGER" --regid www-data --clear-groups "$DOCTOR" doctor --as www-data "$SOCKET"
says ok connect "www-data may connect, by the socket's mode (computed)"
well www-data
run setpriv --reuid "$STRANGER" --regid "$STRANGER" --clear-groups "$DOCTOR" doctor --as www-data "$SOCKET"
finds http "we may not connect ourselves, so nobody has asked the server" \
    "ask again as root: sudo berth doctor --as www-data $SOCKET"
run setpriv --reuid "$STRANGER" --regid "$STRANGER" --clear-groups "$DOCTOR" doctor "$SOCKET"
finds connect "$STRANGER may not connect: the socket is of root:www-data, mode 0660, and does not let others write" \
    "berth serve --socket-group $STRANGER (of a systemd socket unit: SocketUser=, SocketGroup=, SocketMode=)"
run setpriv --reuid "$STRANGER" --regid "$STRANGER" --clear-groups "$DOCTOR" doctor --as root "$DIR/acl/x.sock"
says ok connect "root may connect, by the socket's mode (computed)"

# ---- what it answers ----

it "finds a host that is not allowed, and the flag that allows it"
doctor --as www-data --host api.example.org "$SOCKET"
finds http "421 Misdirected Request to GET /_ping for the host api.example.org" \
    "berth serve --allow-host api.example.org, or --trust-proxy www-data if that is whom your proxy runs as, or let the proxy ask for localhost (nginx: proxy_set_header Host localhost)"
doctor --host api.example.org "$SOCKET"
finds http "421 Misdirected Request to GET /_ping for the host api.example.org" \
    "berth serve --allow-host api.example.org, or let the proxy ask for localhost (nginx: proxy_set_header Host localhost)"
doctor --as www-data --host api.localhost "$SOCKET"
well www-data
stop_server
for flags in "--allow-host api.example.org" "--trust-proxy www-data"; do
    # shellcheck disable=SC2086 # two words
    serve --socket-group www-data $flags /=status
    doctor --as www-data --host api.example.org "$SOCKET"
    well www-data
    stop_server
done

it "finds a server that is full"
serve --limit-connections 1 /=status
start client socat "unix-connect:$SOCKET" "exec:sleep 60,nofork"
client=$PID
full() {
    http /_ping && [ "$STATUS" = 503 ]
}
wait_until full || bail "it does not get full"
doctor "$SOCKET"
finds http "503 Service Unavailable to GET /_ping for the host localhost" \
    "the server is full or about to end: wait a moment; if it stays so, raise its --limit-connections, or --workers"
kill "$client"
stop_server

# answer TEXT: a server that says this to everybody
answer() {
    rm -f "$DIR/says.sock"
    listener says "$DIR/says.sock" "$1"
    doctor "$DIR/says.sock"
    kill "$PID"
}

it "takes every HTTP for well, and shows the server's name"
answer 'HTTP/1.0 403\r\nServer:  some thing/1.0 \r\n\r\n'
says ok http "403 to GET /_ping for the host localhost; Server: some thing/1.0"
well root

it "finds a server that fails by itself"
answer 'HTTP/1.1 502 Bad Gateway\r\n\r\n'
finds http "502 Bad Gateway to GET /_ping for the host localhost" \
    "the way to the server is fine: the server itself fails, and its log says why"
answer 'HTTP/1.1 503 No\r\n\r\n'
says wrong http "503 No to GET /_ping for the host localhost"
expect_match "the remedy" "^Remedy: the way to the server is fine" "$OUT"

it "finds a server that does not speak HTTP"
for text in 'hello\x1b[2J\nyou' 'HTTP is not for me' 'HTTP/1.1 2xx'; do
    answer "$text"
    expect_match "the report" '^wrong  http     the server does not speak HTTP: it says "' "$OUT"
done
answer 'hello\x1b[2J\nyou'
finds http 'the server does not speak HTTP: it says "hello\x1b[2J\nyou"' \
    "give the proxy the socket of a server that speaks HTTP/1.1, or tell it the protocol (nginx: fastcgi_pass, uwsgi_pass)"
answer '\x15\x03\x01\x00\x02\x02\x46'
finds http "the server speaks TLS" \
    "let the proxy speak TLS to it, or the server plain HTTP: nobody listens in on a Unix socket"
listener closes "$DIR/closes.sock"
doctor "$DIR/closes.sock"
finds http "the server closes the connection and answers nothing" \
    "look into the server's log; if it speaks another protocol, tell the proxy which (nginx: fastcgi_pass, uwsgi_pass)"

it "finds a server that does not answer, or does not even accept, within 2 s"
listener silent "$DIR/silent.sock"
listener stuck "$DIR/stuck.sock"
start stuck "$DOCTOR" doctor "$DIR/stuck.sock"
stuck=$PID
# A database of groups that nobody ever writes to, for the case after this one.
mkfifo "$DIR/never"
start never unshare -m sh -c "$mounted" - "$DIR/never" timeout -k 1 8 "$DOCTOR" doctor --as www-data "$DIR/stuck.sock"
never=$PID
began=$(now_ms)
doctor "$DIR/silent.sock"
took=$(($(now_ms) - began))
finds http "the server says nothing within 2 s" \
    "see whether the server hangs (its log, ps); if it speaks another protocol, tell the proxy which (nginx: fastcgi_pass, uwsgi_pass)"
expect_true test "$took" -ge 1990 -a "$took" -lt 3500
CODE=0
wait "$stuck" || CODE=$?
OUT=$(cat "$DIR/stuck.out")
finds http "the server accepts no connection within 2 s; queue 1" \
    "see whether the server hangs or is stopped (its log, ps), and restart it"

it "gives up where the system itself does not answer"
CODE=0
wait "$never" || CODE=$?
expect_code 1
expect_equal "what is said" \
    "berth: doctor: gave up after 4 s: a folder on the way, /proc or the user database does not answer" "$(cat "$DIR/never.log")"

finish
