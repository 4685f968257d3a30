#!/usr/bin/env bash
# What one user may have of a worker: connections, requests per second, streams. Others do not notice.
. "$(dirname "$0")/lib.sh"
need setpriv python3
need_root

STREAMS=$SUPPORT/streams.so
ALICE=54331 BOB=54332 PROXY=54335
cp "$SUPPORT/load" "$DIR/load-program"
chmod 755 "$DIR/load-program"

# asks UID TARGET STATUS: for wait_until
asks() {
    http_as "$1" "$2"
    [ "$STATUS" = "$3" ]
}

# denials REASON: how many, as the server's own user sees it
denials() {
    http_as 0 /metrics
    sed -n "s/^berth_denials_total{reason=\"$1\"} //p" <<<"$BODY"
}

# connections.py UID SOCKET N: makes connections and says nothing on them; prints how many are told something at once, and of
# these how many are told 503 and when to come again; until its standard input ends.
cat >"$DIR/connections.py" <<'EOF'
import os, select, socket, sys

uid, path, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
connections = []
for _ in range(count):
    connections.append(socket.socket(socket.AF_UNIX))
    connections[-1].connect(path)
told = set()
texts = []
quiet = 0
while quiet < 5:
    ready = select.select([c for c in connections if c not in told], [], [], 0.1)[0]
    quiet = 0 if ready else quiet + 1
    for connection in ready:
        told.add(connection)
        texts.append(connection.recv(4096))
good = [text for text in texts if text.startswith(b"HTTP/1.1 503 ") and b"\r\nRetry-After: 1\r\n" in text]
print(len(told), len(good), flush=True)
sys.stdin.read()
EOF

# follow NAME UID TARGET: in the background, until its head is there
follow() {
    : >"$DIR/$1.head"
    chmod 666 "$DIR/$1.head" # the user may not make files there
    start "$1" setpriv --reuid "$2" --regid "$2" --clear-groups curl -sN -D "$DIR/$1.head" --unix-socket "$SOCKET" \
        "http://localhost$3"
    wait_until grep -q '^HTTP/1.1 200' "$DIR/$1.head" || fail "the stream $1" "HTTP/1.1 200" "$(head -n 1 "$DIR/$1.head")"
}

# ---- connections ----

serve --socket-mode 0666 --limit-user-connections 3 --trust-proxy "$PROXY" "$PROBE" status /events=events

it "answers a connection too many with 503 and Retry-After"
for uid in "$ALICE" "$PROXY"; do
    start "load-$uid" setpriv --reuid "$uid" --regid "$uid" --clear-groups "$DIR/load-program" -c 3 -i 20 -p /pid "$SOCKET"
    eval "LOAD_$uid=$PID"
    wait_until grep -q running "$DIR/load-$uid.out" || bail "the load does not run"
done
wait_until asks "$ALICE" /pid 503 || fail "the fourth connection's status" 503 "$STATUS"
expect_header Retry-After 1
expect_header Connection close
expect_match "the detail" '"detail":"the limit of one user'\''s connections at a time is 3 here; --limit-user-connections' "$BODY"
[ "$(denials user-connections)" -ge 1 ] || fail "the figure" "1 or more" "$(denials user-connections)"

it "leaves other users alone"
http_as "$BOB" /pid
expect_status 200

it "does not count a trusted proxy's"
for _ in 1 2 3; do
    http_as "$PROXY" /pid
    expect_status 200
done

it "lets the user in again when one has ended"
for uid in "$ALICE" "$PROXY"; do
    pid=LOAD_$uid
    kill "${!pid}"
    wait "${!pid}"
    expect_equal "requests of $uid that failed" 0 "$(awk '$1 != "answered" && $1 != "closed" { n += $2 } END { print n + 0 }' "$DIR/load-$uid.out")"
done
expect_soon asks "$ALICE" /pid 200

it "counts a connection that follows the log of events as long as it does"
for name in 1 2 3; do
    follow "follower-$name" "$ALICE" '/events?follow=1'
    eval "FOLLOWER_$name=$PID"
done
http_as "$ALICE" /pid
expect_status 503
for name in 1 2 3; do
    pid=FOLLOWER_$name
    kill "${!pid}"
done
expect_soon asks "$ALICE" /pid 200

it "lets a few wait to be told, and turns the others away at once"
coproc MANY { python3 "$DIR/connections.py" "$ALICE" "$SOCKET" 60; }
PIDS+=("$MANY_PID")
read -r -t "$PATIENCE" told good <&"${MANY[0]}"
expect_equal "who is told at once, of 60" 41 "$told" # 3 are served, and 16 wait
expect_equal "who is told 503 and when to come again" 41 "$good"
http_as "$BOB" /pid
expect_status 200
eval "exec ${MANY[1]}>&-"
wait "$MANY_PID"
expect_soon asks "$ALICE" /pid 200
stop_server
expect_code 0

# ---- requests per second ----

serve --socket-mode 0666 --limit-user-rate 1 --limit-user-streams 1 --trust-proxy "$PROXY" "$STREAMS" "/probe=$PROBE" status

# How many of 6 requests in a second or so are answered: 1, and one for each second that passes.
it "answers more requests than the rate with 429 and Retry-After, also over new connections"
started=$(now_ms)
answered=0 refused=0
for _ in 1 2 3; do
    statuses=$(as "$ALICE" curl -s --max-time "$PATIENCE" --unix-socket "$SOCKET" -o "/dev/null" -o "/dev/null" \
        -w '%{http_code} %header{retry-after}\n' http://localhost/probe/pid http://localhost/probe/pid)
    answered=$((answered + $(grep -cx '200 ' <<<"$statuses")))
    refused=$((refused + $(grep -cx '429 1' <<<"$statuses")))
done
seconds=$((($(now_ms) - started) / 1000))
expect_equal "answers of either kind" 6 $((answered + refused))
if [ "$answered" -lt 1 ] || [ "$answered" -gt $((seconds + 2)) ]; then
    fail "200s in $seconds s" "1 or a little more" "$answered"
fi
wait_until asks "$ALICE" /probe/pid 429 || fail "the status" 429 "$STATUS"
expect_match "the detail" '"detail":"the limit of one user'\''s requests per second is 1 here; --limit-user-rate' "$BODY"

it "leaves other users alone"
http_as "$BOB" /probe/pid
expect_status 200

it "does not count a trusted proxy's"
for _ in 1 2 3 4; do
    http_as "$PROXY" /probe/pid
    expect_status 200
done

it "refuses an upload before it is sent"
head -c 300000 /dev/zero >"$DIR/upload"
http_as "$ALICE" /probe/pid
http_as "$ALICE" /probe/pieces -X POST -H 'Expect: 100-continue' -T "$DIR/upload"
if [ "$STATUS" = 429 ]; then # unless a second has passed
    expect_equal "what was sent" 0 "$UPLOADED"
fi

it "answers again after a second"
expect_soon asks "$ALICE" /probe/pid 200

it "counts no stream for what it refuses"
for _ in 1 2 3; do
    http_as "$ALICE" /open/never -I
done
expect_no_match "the figure" '^[1-9]' "$(denials user-streams)"
stop_server
expect_code 0

# ---- streams ----

serve --socket-mode 0666 --limit-user-streams 2 --trust-proxy "$PROXY" "$STREAMS" status /events=events

it "answers more streams than the limit with 429 and Retry-After, whatever kind they are of"
follow "$ALICE-events" "$ALICE" '/events?follow=1'
events=$PID
follow "$ALICE-a" "$ALICE" /open/alice
for target in /open/x /lines/3 '/events?follow=1' '/events?follow=0'; do
    http_as "$ALICE" "$target"
    expect_status 429
    expect_header Retry-After 1
    expect_match "the detail" '"detail":"the limit of one user'\''s streams at a time is 2 here; --limit-user-streams' "$BODY"
    http_as "$ALICE" "$target" -I
    expect_status 429
done
expect_equal "the figure" 8 "$(denials user-streams)"

it "goes on answering what is no stream"
http_as "$ALICE" /_ping
expect_status 200

it "leaves other users alone"
follow "$BOB-b" "$BOB" /open/bob

it "does not count a trusted proxy's"
for name in c d e; do
    follow "$PROXY-$name" "$PROXY" "/open/$name"
done

it "lets the user in again when a stream has ended"
http_as "$BOB" /end/alice
expect_soon asks "$ALICE" /lines/3 200

it "and when a client of the log has gone"
follow "$ALICE-b" "$ALICE" /open/again
expect_soon asks "$ALICE" /lines/3 429
kill "$events"
expect_soon asks "$ALICE" /lines/3 200
for _ in 1 2 3 4; do
    http_as "$ALICE" '/events?follow=0'
    expect_status 200
    http_as "$ALICE" '/events?follow=1' -I
    expect_status 200
done
stop_server
expect_code 0

finish
