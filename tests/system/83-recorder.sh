#!/usr/bin/env bash
# The recorder: when there is one, what it takes, what becomes of events when it dies, hangs, is replaced, or its disk is
# full.
. "$(dirname "$0")/lib.sh"
need python3 socat jq

EVENTS=$DIR/events.sock
mkdir "$DIR/store" && chmod 777 "$DIR/store"
JOURNAL=$DIR/store/events.log

# The recorders that run now.
recorders() {
    ps -o pid=,stat=,args= --ppid "$SERVER" | awk '$2 !~ /Z/ && $3 ~ /berth$/ && $4 == "recorder" { print $1 }'
}

recorders_are() {
    [ "$(recorders | wc -l)" -eq "$1" ]
}

# another_than PID: whether a recorder runs that is another
another_than() {
    recorders_are 1 && [ "$(recorders)" != "$1" ]
}

# send TEXT…: a datagram each
send() {
    python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for text in sys.argv[2:]:
    s.sendto(text.encode(), sys.argv[1])
' "$EVENTS" "$@"
}

# All that is in the log, a line each: the data of plain datagrams.
stored() {
    curl -s --max-time "$PATIENCE" --unix-socket "$SOCKET" "http://localhost/events?follow=0&since_id=0" |
        jq -r 'if (.data | type) == "string" then .data else (.data | tojson) end' | paste -sd ' '
}

stored_is() {
    [ "$(stored)" = "$*" ]
}

# expect_stored TEXT…: that, and nothing else, in this order
expect_stored() {
    wait_until stored_is "$@" || fail "what is in the log" "$*" "$(stored)"
}

# post JSON: publishes over HTTP
post() {
    http /events -H 'Content-Type: application/json' -d "$1"
}

# ---- when ----

it "runs no recorder where nothing uses events"
serve "$PROBE"
expect_true recorders_are 0
expect_no_match "the server's descriptors" 'memfd:berth-events' "$(readlink /proc/"$SERVER"/fd/*)"
stop_server
expect_code 0

it "starts one for the events, before it says that it is ready"
start notify "$SUPPORT/receive" "$DIR/notify.sock"
wait_until test -S "$DIR/notify.sock"
NOTIFY_SOCKET=$DIR/notify.sock serve --datagram "events:$EVENTS" /events=events status
expect_soon grep -q '^READY=1$' "$DIR/notify.out"
expect_true recorders_are 1
expect_log 'the recorder \(pid [0-9]+\) is ready'

it "gives the log to the service manager's store"
expect_soon grep -q '^FDNAME=berth-event-log$' "$DIR/notify.out"
expect_true grep -q '^FDSTORE=1$' "$DIR/notify.out"

# ---- datagrams ----

it "takes what socat sends, with who sent it"
echo '{"type":"deploy","data":{"v":2}}' | socat -t 0 - "unix-sendto:$EVENTS"
expect_stored '{"v":2}'
http '/events?follow=0&since_id=0'
expect_match "the record" "\"type\":\"deploy\",\"peer\":\\{\"uid\":$(id -u),\"user\":\"$(id -un)\",\"pid\":[1-9][0-9]*\\}" "$BODY"

it "shows its path, with the usual rights"
expect_true test -S "$EVENTS"
expect_equal "the mode" 660 "$(stat -c %a "$EVENTS")"
expect_match "ss" "$EVENTS" "$(ss -xa 2>/dev/null || cat /proc/net/unix)"

it "keeps the order of very many"
python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(sys.argv[1])
for i in range(20000):
    s.send(b"%d" % i)
' "$EVENTS"
in_order() {
    curl -s --max-time "$PATIENCE" --unix-socket "$SOCKET" "http://localhost/events?follow=0&since_id=0" |
        jq -r 'select(.type == "message").data' | cmp -s - <(seq 0 19999)
}
expect_soon in_order

it "refuses what is no event, closes descriptors, and counts both"
send '{"type":"berth.x"}' '{"typo":1}' '{'
python3 -c '
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"\xff\xfe", sys.argv[1])
s.sendto(b"x" * 90000, sys.argv[1])
s.sendto(b"\"" * 50000, sys.argv[1])
s.connect(sys.argv[1])
s.sendmsg([b"with descriptors"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 50))])
' "$EVENTS"
send last
in_the_end() {
    [[ $(stored) == *" 19999 with descriptors last" ]]
}
expect_soon in_the_end
expect_log "datagrams that were not as they should be"
expect_equal "lines of complaint" 1 "$(grep -c 'not as they should be' "$DIR/berth.log")"
expect_true [ "$(find "/proc/$(recorders)/fd" | wc -l)" -lt 40 ]
http /metrics
expect_match "what was received" '^berth_events_datagrams_total 20009$' "$BODY"
expect_match "what was no event" '^berth_events_datagrams_malformed_total 4$' "$BODY"
expect_match "what was too long" '^berth_events_datagrams_truncated_total 2$' "$BODY"
expect_match "what brought descriptors" '^berth_events_descriptors_total 1$' "$BODY"
expect_match "what was stored" '^berth_events_stored_total 20003$' "$BODY"
stop_server
expect_code 0
expect_gone "$EVENTS" "$EVENTS.lock"

# ---- its death ----

it "is replaced when it is killed, and goes on from the last that was published"
serve --datagram "events:$EVENTS" /events=events
send one two
expect_stored one two
BEFORE=$(recorders)
kill -KILL "$BEFORE"
send three # while there is none
expect_soon another_than "$BEFORE"
expect_stored one two three
post '{"data":"four"}'
expect_status 201
expect_stored one two three four
expect_log 'the recorder \(pid [0-9]+\) was ended by SIGKILL: it is replaced at once'
stop_server
expect_code 0

it "is replaced when it hangs"
serve --worker-timeout 1s --datagram "events:$EVENTS" /events=events
BEFORE=$(recorders)
kill -STOP "$BEFORE"
send one
expect_soon another_than "$BEFORE"
expect_log 'the recorder \(pid [0-9]+\) did not answer within 1000 ms'
expect_stored one

it "does not mind the signals that a whole group gets"
BEFORE=$(recorders)
kill -TERM "$BEFORE"
kill -HUP "$BEFORE"
kill -INT "$BEFORE"
send two
expect_stored one two
expect_equal "the recorder" "$BEFORE" "$(recorders)"
stop_server

# ---- the journal ----

it "keeps events over a restart of the server"
serve --event-log "$JOURNAL" --datagram "events:$EVENTS" /events=events
send one two
post '{"data":"three"}'
expect_stored one two three
stop_server
expect_code 0
serve --event-log "$JOURNAL" --datagram "events:$EVENTS" /events=events
expect_stored one two three
send four
expect_stored one two three four
expect_true jq -se 'map(.id) | . == (sort | unique) and (last - first == 3)' <(
    curl -s --max-time 5 --unix-socket "$SOCKET" "http://localhost/events?follow=0&since_id=0")

it "keeps them when the server is killed, and its recorder outlives it for as long as it must only"
RECORDER=$(recorders)
stop_server KILL
expect_soon gone "$RECORDER"
serve --event-log "$JOURNAL" --datagram "events:$EVENTS" /events=events
expect_stored one two three four
stop_server

it "puts a file aside that is none of its"
echo precious >"$DIR/store/foreign"
serve --event-log "$DIR/store/foreign" --datagram "events:$EVENTS" /events=events
send one
expect_stored one
stop_server
expect_equal "what was there" precious "$(cat "$DIR"/store/foreign.damaged-*)"

it "ends with a clear message where the file cannot be"
run_berth --uds "$SOCKET" --event-log "$DIR/nowhere/events.log" /events=events
expect_code 2
expect_match "the message" "could not start: .*$DIR/nowhere/events.log" "$ERR"
run_berth --uds "$SOCKET" --event-log "$DIR/store" /events=events
expect_code 2
expect_match "the message" "$DIR/store" "$ERR"
expect_gone "$SOCKET"

# ---- reloads ----

it "has another socket after a reload"
cat >"$DIR/berth.conf" <<EOF
uds = $SOCKET
event-log = $JOURNAL
datagram = events:$EVENTS
[app /events]
app = events
EOF
start_berth --config "$DIR/berth.conf"
wait_until answers "$SOCKET" || bail "berth does not answer"
expect_stored one two three four
BEFORE=$(recorders)
OTHER=$DIR/other.sock
sed -i "s,^datagram.*,&\ndatagram = events:$OTHER," "$DIR/berth.conf"
kill -HUP "$SERVER"
expect_log 'reloaded'
expect_true another_than "$BEFORE"
EVENTS=$OTHER send five
send six
expect_stored one two three four five six

it "stays as it is when its settings do"
BEFORE=$(recorders)
: >"$DIR/berth.log"
kill -HUP "$SERVER"
expect_log 'reloaded'
expect_equal "the recorder" "$BEFORE" "$(recorders)"

it "keeps the old settings when the new ones do not do"
: >"$DIR/berth.log"
sed -i "s,^event-log.*,event-log = $DIR/nowhere/events.log," "$DIR/berth.conf"
kill -HUP "$SERVER"
expect_log "the reload failed, everything stays as it was: .*$DIR/nowhere/events.log"
wait_until recorders_are 1 || fail "there is no recorder"
send seven
expect_stored one two three four five six seven
post '{"data":"eight"}'
expect_status 201

it "says that the log keeps its size"
: >"$DIR/berth.log"
sed -i "s,^event-log.*,event-log = $JOURNAL\nevent-log-size = 2M," "$DIR/berth.conf"
kill -HUP "$SERVER"
expect_log 'reloaded'
expect_log "event-log-size: the log of events keeps its 16777216 bytes"
stop_server
expect_code 0

it "begins with a reload that asks for it first"
cat >"$DIR/berth.conf" <<EOF
uds = $SOCKET
[app /]
app = $PROBE
EOF
start_berth --config "$DIR/berth.conf"
wait_until answers "$SOCKET" || bail "berth does not answer"
expect_true recorders_are 0
printf '[app /events]\napp = events\n' >>"$DIR/berth.conf"
kill -HUP "$SERVER"
expect_log 'reloaded'
expect_true recorders_are 1
post '{"data":"hello"}'
expect_status 201
stop_server

it "keeps in a file from a reload on what was there before, and after"
cat >"$DIR/berth.conf" <<EOF
uds = $SOCKET
datagram = events:$EVENTS
[app /events]
app = events
EOF
start_berth --config "$DIR/berth.conf"
wait_until answers "$SOCKET" || bail "berth does not answer"
send one two
expect_stored one two
sed -i "1ievent-log = $DIR/store/later" "$DIR/berth.conf"
kill -HUP "$SERVER"
expect_log 'reloaded'
send three
expect_stored one two three
stop_server
start_berth --config "$DIR/berth.conf"
wait_until answers "$SOCKET" || bail "berth does not answer"
expect_stored one two three

it "puts the events of another log aside"
sed -i "s,^event-log.*,event-log = $JOURNAL," "$DIR/berth.conf"
kill -HUP "$SERVER"
expect_log 'reloaded'
expect_log 'it is not the file of the events that are here'
send four
expect_stored one two three four
stop_server
start_berth --config "$DIR/berth.conf"
wait_until answers "$SOCKET" || bail "berth does not answer"
expect_stored one two three four
stop_server
expect_equal "files set aside" 1 "$(find "$DIR/store" -name 'events.log.damaged-*' | wc -l)"

# ---- a full disk ----

# limit BYTES: no file of the recorder's may grow beyond that. It is told as a full disk is, and needs no disk of its own.
limit() {
    python3 -c '
import resource, sys
resource.prlimit(int(sys.argv[1]), resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
' "$(recorders)" "$1"
}

it "refuses what there is no room for, says so once, and goes on"
serve --event-log "$DIR/store/small" --datagram "events:$EVENTS" /events=events
limit 16384
send one
expect_stored one
python3 -c '
import json, sys
sys.stdout.write(json.dumps({"data": "x" * 30000}))' >"$DIR/large.json"
http /events -H 'Content-Type: application/json' --data-binary "@$DIR/large.json"
expect_status 507
expect_log "--event-log $DIR/store/small: cannot write: File too large"
http /events -H 'Content-Type: application/json' --data-binary "@$DIR/large.json"
expect_status 507
expect_equal "lines" 1 "$(grep -c 'cannot write' "$DIR/berth.log")"
post '{"data":"two"}'
expect_status 201
expect_log "can be written again; events refused meanwhile: 2"
expect_stored one two
stop_server
expect_code 0

# ---- the fd store, and activation ----

# Stands where the service manager would: argv[1] is its notify socket; starts berth, keeps the fd that it is given to
# store, and starts it again with that when it has ended.
cat >"$DIR/manager.py" <<'EOF'
import os, socket, subprocess, sys

notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(sys.argv[1])
stored = None
for generation in range(2):
    command, options = "exec \"$@\"", {}
    if stored is not None:
        command = "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=berth-event-log exec \"$@\""
        options = {"pass_fds": [3], "preexec_fn": lambda: os.dup2(stored, 3)}
    child = subprocess.Popen(["/bin/sh", "-c", command, "sh"] + sys.argv[2:],
                             env=dict(os.environ, NOTIFY_SOCKET=sys.argv[1]), **options)
    print("started", child.pid, flush=True)
    while True:
        text, fds, _, _ = socket.recv_fds(notify, 4096, 4)
        if b"FDSTORE=1\nFDNAME=berth-event-log" in text:
            stored = fds[0]
            print("stored", flush=True)
        if b"STOPPING=1" in text:
            break
    print("ended", child.wait(), flush=True)
EOF

manager_said() {
    [ "$(grep -c "^$1" "$DIR/manager.out")" -ge "$2" ]
}

it "goes on with the log that the service manager has stored"
start manager python3 "$DIR/manager.py" "$DIR/manager.sock" "$BERTH" serve --uds "$SOCKET" \
    --datagram "events:$EVENTS" /events=events
wait_until answers "$SOCKET" || bail "berth does not answer"
send one two
expect_stored one two
kill -TERM "$(sed -n 's/^started //p' "$DIR/manager.out")"
expect_soon manager_said started 2
wait_until answers "$SOCKET" || bail "berth does not answer again"
send three
expect_stored one two three
expect_true grep -q 'going on with the log of events that the service manager has kept' "$DIR/manager.log"
expect_equal "how often it was stored" 1 "$(grep -c '^stored' "$DIR/manager.out")"
kill -TERM "$(sed -n 's/^started //p' "$DIR/manager.out" | tail -1)"
expect_soon manager_said 'ended 0' 2

# hand ARGUMENT…: berth with two sockets handed over, for HTTP and for datagrams that are events
hand() {
    rm -f "$SOCKET" "$EVENTS"
    start berth python3 -c '
import os, socket, sys
http = socket.socket(socket.AF_UNIX)
http.bind(sys.argv[1])
http.listen()
events = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
events.bind(sys.argv[2])
for number, s in enumerate([http, events], 10):
    os.dup2(s.fileno(), number)
for number in (0, 1):
    os.dup2(10 + number, 3 + number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="http:events")
os.closerange(5, 20)
os.execv(sys.argv[3], sys.argv[3:])
' "$SOCKET" "$EVENTS" "$BERTH" serve "$@"
    SERVER=$PID
}

it "takes datagrams by a socket that it was handed"
hand /events=events
wait_until answers "$SOCKET" || bail "berth does not answer"
send one
expect_stored one
stop_server
expect_true test -S "$EVENTS"

it "ends when idle with events only where they are kept"
run "$BERTH" check --exit-idle-time 5 /events=events
expect_code 1
expect_match "the mistake" 'exit-idle-time: the log of events would be gone with berth: say event-log' "$OUT"
hand --exit-idle-time 300ms "$PROBE"
expect_log 'exit-idle-time: events come by the datagram socket that was handed over'
expect_soon gone "$SERVER"
hand --exit-idle-time 300ms --event-log "$JOURNAL" "$PROBE"
expect_log 'idle for --exit-idle-time'
expect_soon gone "$SERVER"
wait "$SERVER"
expect_equal "the exit code" 0 "$?"
rm -f "$SOCKET" "$EVENTS"

# ---- who it is ----

if [ "$(id -u)" -eq 0 ]; then
    it "runs as whom --user says, and its file is that user's"
    serve --user nobody --event-log "$DIR/store/nobodys" --datagram "events:$EVENTS" /events=events
    expect_equal "its uid" "$(id -u nobody)" "$(awk '/^Uid:/ { print $2 }' "/proc/$(recorders)/status")"
    expect_equal "the file's owner" nobody "$(stat -c %U "$DIR/store/nobodys")"
    send one
    expect_stored one
    expect_false setpriv --reuid nobody --clear-groups test -r "/proc/$SERVER/fd/0"
    stop_server
    expect_code 0

    it "says whom it would have to be for a file that it may not open"
    run_berth --uds "$SOCKET" --user nobody --event-log "$DIR/berths.log" /events=events
    expect_code 2
    expect_match "the message" "$DIR/berths.log" "$ERR"
fi

finish
