#!/usr/bin/env bash
# What contrib/check-systemd runs in the Debian that it has booted, as root: berth as it was installed, under the units
# that came with it.
. "$(dirname "$0")/lib.sh"

SOCKET=/run/berth/http.sock
ROUNDS=${ROUNDS:-50}

# as_alice COMMAND…: uid 1000, who is in berth's group; as_bob: uid 1001, who is not
as_alice() {
    setpriv --reuid alice --regid alice --init-groups "$@"
}

as_bob() {
    setpriv --reuid bob --regid bob --init-groups "$@"
}

is() {
    [ "$(systemctl is-active "$1")" = "$2" ]
}

# events [ARGUMENTS]: those that are in the log, $BODY
events() {
    http "/events?follow=0&since_id=0$1"
}

has_event() {
    events "" && grep -q "$1" <<<"$BODY"
}

# drop_in TEXT: for berth.service, instead of the one before; none without a text
drop_in() {
    rm -rf /etc/systemd/system/berth.service.d
    if [ $# -gt 0 ]; then
        mkdir /etc/systemd/system/berth.service.d
        printf '%s\n' "$1" >/etc/systemd/system/berth.service.d/test.conf
    fi
    systemctl daemon-reload
}

# property UNIT NAME
property() {
    systemctl show --value --property "$2" "$1"
}

# configure NAME, with the text on standard input
configure() {
    cat >"/etc/berth/$1.conf"
}

# What went wrong is in the journal.
show_journal() {
    local code=$?

    if [ "$FAILED" -gt 0 ] || [ -n "$BROKEN" ]; then
        journalctl --no-pager --boot --quiet | grep -v '"GET /' | tail -n 80
    fi
    (exit "$code")
    leave
}
trap show_journal EXIT

useradd --create-home --uid 1000 alice
useradd --create-home --uid 1001 bob

it "is installed by the commands that the README gives"
expect_true systemd-sysusers
expect_true systemd-tmpfiles --create
expect_true systemctl daemon-reload
expect_true systemctl enable --now berth.socket berth-events.socket
usermod --append --groups berth alice
expect_true is berth.socket active
expect_true is berth.service inactive

it "is started by the first request, and serves what is built in"
http /index
expect_status 200
expect_soon is berth.service active
expect_equal "the server's user" berth "$(stat -c %U "/proc/$(property berth.service MainPID)")"

it "is confined"
main=$(property berth.service MainPID)
expect_match "no capabilities" '^CapBnd:\s0+$' "$(grep CapBnd "/proc/$main/status")"
expect_match "a filter of system calls" '^Seccomp:\s2$' "$(grep Seccomp: "/proc/$main/status")"
expect_match "no new privileges" '^NoNewPrivs:\s1$' "$(grep NoNewPrivs "/proc/$main/status")"
expect_equal "the user name space" "$(readlink /proc/1/ns/user)" "$(readlink "/proc/$main/ns/user")"

it "finds the journal where the unit made a place for it"
http /events --json '{"type": "kept", "data": 1}'
expect_status 201
expect_true test -s /var/lib/berth/events.log
expect_equal "the folder's mode, and the file's" "711 600" \
    "$(stat -c %a /var/lib/berth /var/lib/berth/events.log | paste -sd ' ')"

it "reloads: what is new is served, and nobody's request is harmed"
configure berth <<END
workers = 2
timeout-graceful-shutdown = 5s
[app /]
app = $PROBE
[app /events]
app = events
[app /who]
app = $EXAMPLES/who.so
END
is_new() {
    http /pid && [ "$STATUS" = 200 ]
}
main=$(property berth.service MainPID)
expect_true systemctl reload berth.service
expect_soon is_new
expect_equal "the server's pid" "$main" "$(property berth.service MainPID)"
reload() {
    systemctl reload berth.service || fail "systemctl reload"
}
under_load 10 reload -c 4 -1 -p /pid
expect_soon is berth.service active

it "knows its peers, as the kernel does and through all that confines it"
BODY=$(as_alice curl -s --unix-socket "$SOCKET" http://localhost/who/who.json)
expect_match "who calls" '"user": ?"alice", ?"uid": ?1000,' "$BODY"
expect_match "the groups" "\"groups\": ?\\[[0-9, ]*\\b$(getent group berth | cut -d: -f3)\\b" "$BODY"
logged() {
    journalctl --quiet --unit berth.service | grep -q 'alice uid=1000 pid=[0-9]* "GET /who/who.json" 200'
}
expect_soon logged
expect_equal "how it ends for bob, who is not in the group" 7 \
    "$(as_bob curl -s --unix-socket "$SOCKET" http://localhost/who/who; echo $?)"

it "takes events as datagrams, and knows who sent them"
echo 'from alice' | as_alice socat - unix-sendto:/run/berth/events.sock
expect_soon has_event '"uid":1000,"user":"alice",.*"data":"from alice"'
echo 'from bob' | as_bob socat - unix-sendto:/run/berth/events.sock 2>/dev/null && fail "bob may send as well"

it "is started by a datagram, whose sender is known although it came before"
systemctl stop berth.service 2>/dev/null
expect_true systemctl restart berth-events.socket # one that berth has not seen
expect_true is berth.service inactive
echo 'early' | as_alice socat - unix-sendto:/run/berth/events.sock
expect_soon is berth.service active
expect_soon has_event '"uid":1000,"user":"alice",.*"data":"early"'

it "keeps the events over a restart, without a journal"
http /events --json '{"type": "before", "data": "the restart"}'
expect_status 201
id=$(grep -o '[0-9]\+' <<<"$BODY")
expect_true systemctl restart berth.service
expect_soon has_event "\"id\":$id,.*\"type\":\"before\""
expect_match "the first of them" '"data":"early"' "$BODY"
http /events --json '{"type": "after"}'
expect_equal "the next number" "$((id + 1))" "$(grep -o '[0-9]\+' <<<"$BODY")"

restart() {
    systemctl restart berth.service ||
        bail "it was not restarted" active "$(systemctl is-active berth.service)"
}
loses_nothing "$ROUNDS restarts" "$ROUNDS" $(((ROUNDS + 3) / 4)) restart

it "is ended by systemd when it hangs, and started again"
drop_in $'[Service]\nWatchdogSec=2s'
restart
main=$(property berth.service MainPID)
kill -STOP "$main"
another() {
    now=$(property berth.service MainPID)
    [ "$now" != 0 ] && [ "$now" != "$main" ] && is berth.service active
}
expect_soon another
expect_equal "restarts by systemd" 1 "$(property berth.service NRestarts)"
expect_match "why" "Watchdog timeout" "$(journalctl --quiet --unit berth.service)"
http /pid
expect_status 200
drop_in

it "waits with its clients for a mistake to be corrected"
systemctl stop berth.service 2>/dev/null
cp /etc/berth/berth.conf /etc/berth/right.conf
configure berth <<<'wrokers = 2'
start waiting curl -s --max-time "$PATIENCE" --unix-socket "$SOCKET" -o /dev/null -w '%{http_code}' http://localhost/pid
client=$PID
failed_often() {
    [ "$(property berth.service NRestarts)" -ge 3 ]
}
expect_soon failed_often
expect_match "the mistake" "berth.conf:1: wrokers: there is no such option" "$(journalctl --quiet --unit berth.service)"
expect_true is berth.socket active
mv /etc/berth/right.conf /etc/berth/berth.conf
wait "$client"
expect_equal "the client's answer" 200 "$(cat "$DIR/waiting.out")"

it "serves each application by an instance of its own, which ends when it is idle"
configure who <<END
exit-idle-time = 300ms
[app /]
app = $EXAMPLES/who.so
END
expect_true systemctl enable --now berth@who.socket
SOCKET=/run/berth/who.sock
for _ in 1 2; do
    expect_true is berth@who.service inactive
    BODY=$(as_alice curl -s --unix-socket "$SOCKET" http://localhost/who)
    expect_body "hello alice (uid 1000)"
    expect_soon is berth@who.service inactive
    expect_equal "how it ended" success "$(property berth@who.service Result)"
done
expect_true is berth@who.socket active
expect_true is berth.service active

it "runs an instance as a user of its own, where a drop-in says so"
useradd --system notes
configure notes <<END
event-log = /var/lib/berth/notes/events.log
[app /]
app = $EXAMPLES/who.so
[app /events]
app = events
END
mkdir /etc/systemd/system/berth@notes.service.d
printf '[Service]\nUser=notes\nGroup=notes\n' >/etc/systemd/system/berth@notes.service.d/user.conf
systemctl daemon-reload
expect_true systemctl enable --now berth@notes.socket
BODY=$(as_alice curl -s --unix-socket /run/berth/notes.sock http://localhost/who)
expect_body "hello alice (uid 1000)"
expect_equal "the server's user" notes "$(stat -c %U "/proc/$(property berth@notes.service MainPID)")"
expect_equal "its file's" notes "$(stat -c %U /var/lib/berth/notes/events.log)"

it "leaves the sockets to whom they belong when a service starts"
expect_equal "the socket" "660 berth berth" "$(stat -c '%a %U %G' "$SOCKET")"
expect_equal "its folder" "755 berth berth" "$(stat -c '%a %U %G' /run/berth)"

it "runs with the optional drop-ins, and gets from them what they are for"
SOCKET=/run/berth/http.sock
drop_ins=$(find / -xdev -path '*/share/berth/systemd/see-all.conf' -not -path '/proc/*')
drop_ins=${drop_ins%/*}
drop_in "$(cat "$drop_ins/see-all.conf")"
restart
main=$(property berth.service MainPID)
expect_match "its capabilities: DAC_READ_SEARCH and SYS_PTRACE" \
    '^CapEff:\s0*80004$' "$(grep CapEff "/proc/$main/status")"
expect_equal "the network name space" "$(readlink /proc/1/ns/net)" "$(readlink "/proc/$main/ns/net")"
drop_in "$(cat "$drop_ins/network.conf")"
restart
main=$(property berth.service MainPID)
expect_equal "the network name space" "$(readlink /proc/1/ns/net)" "$(readlink "/proc/$main/ns/net")"
http /pid
expect_status 200
drop_in

it "serves a user by units of the user's own"
mkdir -p /home/alice/.config/berth
printf '[app /]\napp = %s\n' "$EXAMPLES/who.so" | tee /home/alice/.config/berth/{berth,mine}.conf >/dev/null
chown -R alice: /home/alice/.config
install -d -m 0700 -o alice /run/user/1000
# As user@1000.service would, without PAM and a bus.
systemd-run --quiet --unit=alice --uid=alice --property=Type=notify --property=Delegate=yes \
    --setenv=XDG_RUNTIME_DIR=/run/user/1000 /lib/systemd/systemd --user || fail "there is no service manager for alice"
as_alice env HOME=/home/alice XDG_RUNTIME_DIR=/run/user/1000 systemctl --quiet --user enable --now \
    berth.socket berth@mine.socket || fail "systemctl --user enable"
for SOCKET in /run/user/1000/berth/http.sock /run/user/1000/berth/mine.sock; do
    http /who
    expect_body "hello root (uid 0)"
    expect_equal "the socket" "600 alice" "$(stat -c '%a %U' "$SOCKET")"
done
BODY=$(as_alice curl -s --unix-socket "$SOCKET" http://localhost/secret)
expect_body "you are at home here"

finish
