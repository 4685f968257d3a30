#!/usr/bin/env bash
# The units for systemd, as make install leaves them: what they say is right, is safe enough, and does with the program.
. "$(dirname "$0")/lib.sh"
need make systemd-analyze systemd-sysusers systemd-tmpfiles systemd-socket-activate socat

# Debian 12's own are needed to check ours: targets that ours refer to.
host=/usr/lib/systemd
[ -e $host/system/sysinit.target ] || host=/lib/systemd
[ -e $host/system/sysinit.target ] || skip "there are no units of systemd here"

root=$DIR/root
run env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$BUILDDIR" install DESTDIR="$root"
prefix=$(cd "$root" && find . -name berth.h)
prefix=${prefix%/include/berth.h}
prefix=${prefix#.}
units=$(find "$root" -name berth.socket -not -path '*/user/*')
units=${units%/berth.socket}
ours=(berth.socket berth-events.socket berth@.socket berth.service berth@.service)
user_ours=(berth.socket berth@.socket berth.service berth@.service)

it "installs the units, and what they need"
expect_code 0
[ -n "$units" ] || bail "nothing was installed: $ERR"
for unit in "${ours[@]}"; do
    expect_true test -f "$units/$unit"
done
for unit in "${user_ours[@]}"; do
    expect_true test -f "${units%/system}/user/$unit"
done
drop_ins=$root$prefix/share/berth/systemd
for file in see-all network notify-reload keep-events berth; do
    expect_true test -f "$drop_ins/$file.conf"
done
expect_equal "what was not filled in" "" "$(grep -rE '@[a-z_]+@' "$units" "${units%/system}/user" "$drop_ins" \
    "$(find "$root" -path '*tmpfiles.d/berth.conf')")"
expect_match "the program" "^ExecStart=$prefix/bin/berth serve --config /etc/berth/berth.conf$" \
    "$(cat "$units/berth.service")"
expect_match "an instance's" "^ExecStart=$prefix/bin/berth serve --config /etc/berth/%i.conf$" \
    "$(cat "$units/berth@.service")"

it "has units that systemd understands, all of each"
mkdir -p "$root/usr/lib/systemd" "$root/bin" "$DIR/runtime"
cp -R "$host/system" "$root/usr/lib/systemd/" # beside ours, if that is where they are
cp /bin/sh "$root/bin/sh"
run systemd-analyze verify --man=no --root="$root" berth.service berth.socket berth-events.socket berth@x.service \
    berth@x.socket
expect_code 0
expect_equal "what it says" "" "$OUT$ERR"
# It knows no --root for users' units: then the program has to be where it is.
cp -R "${units%/system}/user" "$DIR/user"
sed -i "s,^ExecStart=,&$root," "$DIR"/user/*.service
run env XDG_RUNTIME_DIR="$DIR/runtime" systemd-analyze verify --man=no --user "$DIR"/user/berth{,@}.{service,socket}
expect_code 0
expect_equal "what it says" "" "$OUT$ERR"

# exposure UNIT: by "systemd-analyze security", times ten
exposure() {
    systemd-analyze security --offline=yes --no-pager --root="$root" "$1" 2>&1 |
        sed -n 's/^.*Overall exposure level for .*: \([0-9]*\)\.\([0-9]\) .*$/\1\2/p' | sed 's/^0*\(.\)/\1/'
}

it "confines the services: an exposure of at most 1.0"
for unit in berth.service berth@.service; do
    run systemd-analyze security --offline=yes --no-pager --threshold=10 --root="$root" "$unit"
    expect_code 0
    expect_match "it was looked at" "Overall exposure level" "$OUT"
done

it "says in an optional drop-in what it costs"
plain=$(exposure berth.service)
for name in see-all network; do
    install -D -m 644 "$drop_ins/$name.conf" "$root/etc/systemd/system/berth.service.d/$name.conf"
    costs=$(exposure berth.service)
    rm -r "$root/etc/systemd/system"
    expect_match "$name.conf, of ${costs:-nothing} and ${plain:-nothing}, times ten" \
        "^# systemd-analyze security: ${costs%?}\.${costs: -1} instead of 0*${plain%?}\.${plain: -1}$" \
        "$(cat "$drop_ins/$name.conf")"
done

it "never hides from berth who its peers are"
# Where berth is installed in /usr, the host's units that were put beside ours are in the same folder.
expect_equal "PrivateUsers=" "" "$(grep -rE --include='berth*' '^\s*(PrivateUsers|DynamicUser|RootDirectory|RootImage)' \
    "$units" "${units%/system}/user")"
expect_equal "PrivateUsers= in drop-ins" "" "$(grep -rE '^\s*(PrivateUsers|DynamicUser|RootDirectory|RootImage)' "$drop_ins")"
expect_match "PassCredentials" '^PassCredentials=yes$' "$(cat "$units/berth-events.socket")"

it "makes a user, folders, and a configuration where there is none"
run systemd-sysusers --root="$root" --dry-run berth.conf
expect_code 0
expect_match "the user" "Creating user 'berth'" "$OUT$ERR"
if [ "$(id -u)" -eq 0 ]; then
    systemd-sysusers --root="$root" berth.conf 2>/dev/null
    run systemd-tmpfiles --root="$root" --create berth.conf
    expect_code 0
    expect_equal "the configuration" "$(cat "$SRCDIR/contrib/systemd/berth.conf")" "$(cat "$root/etc/berth/berth.conf")"
    uid=$(awk -F: '$1 == "berth" { print $3 }' "$root/etc/passwd")
    expect_equal "the sockets' folder" "755 $uid" "$(stat -c '%a %u' "$root/run/berth")"
    echo "mine = 1" >"$root/etc/berth/berth.conf"
    run systemd-tmpfiles --root="$root" --create berth.conf
    expect_equal "a configuration that is there" "mine = 1" "$(cat "$root/etc/berth/berth.conf")"
fi

it "has a configuration without mistakes"
sed "s,/var/lib/berth,$DIR," "$drop_ins/berth.conf" >"$DIR/berth.conf"
run "$BERTH" check --config "$DIR/berth.conf"
expect_code 0

# The unit's own command line, with only its paths put in.
command_of() {
    sed -n "s,^ExecStart=$prefix/bin/berth,$BERTH,; s,/etc/berth/berth.conf,$DIR/berth.conf,; s,^$BERTH.*,&,p" \
        "$units/berth.service"
}

it "serves what it is handed by several names, with the service's command line"
read -r -a command <<<"$(command_of)"
expect_equal "the command" "$BERTH serve --config $DIR/berth.conf" "${command[*]}"
# As one process gets them from systemd: two listeners and a datagram socket.
start berth python3 -c '
import os, socket, sys
folder = sys.argv[1]
for fd, (kind, name) in enumerate(((socket.SOCK_STREAM, "http"), (socket.SOCK_DGRAM, "events"),
                                   (socket.SOCK_STREAM, "admin")), 3):
    s = socket.socket(socket.AF_UNIX, kind)
    if kind == socket.SOCK_DGRAM:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    s.bind("%s/%s.sock" % (folder, name))
    if kind == socket.SOCK_STREAM:
        s.listen()
    s = s.detach()
    if s != fd:
        os.dup2(s, fd)
    os.set_inheritable(fd, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="3", LISTEN_FDNAMES="http:events:admin")
os.execv(sys.argv[2], sys.argv[2:])' "$DIR" "${command[@]}"
SERVER=$PID
expect_soon answers "$DIR/http.sock"
expect_soon answers "$DIR/admin.sock"
has_event() {
    http "/events?follow=0&since_id=0" && grep -q "\"uid\":$(id -u),.*\"data\":\"datagram\"" <<<"$BODY"
}
echo datagram | socat - "unix-sendto:$DIR/events.sock"
expect_soon has_event
stop_server
expect_code 0
rm -f "$DIR"/*.sock

# systemd-socket-activate binds sockets of one kind: so once for each.
it "is started by the first request, as systemd-socket-activate does it"
start berth systemd-socket-activate --listen "$DIR/http.sock" --listen "$DIR/admin.sock" --fdname http:admin \
    "${command[@]}"
SERVER=$PID
expect_soon test -S "$DIR/admin.sock"
SOCKET=$DIR/admin.sock http /_ping
expect_status 200
http /_ping
expect_status 200
stop_server
rm -f "$DIR"/*.sock

finish
