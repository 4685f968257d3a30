#!/usr/bin/env bash
# The supervisor is killed: its workers finish what they have and end, and a new one takes over the path.
. "$(dirname "$0")/lib.sh"

serve --workers 2 --timeout-graceful-shutdown 5s "$PROBE"
wait_until workers_are 2
orphans=$(workers)

all_gone() {
    local orphan

    for orphan in $orphans; do
        gone "$orphan" || return 1
    done
}

it "lets its workers finish, and end"
curl -s --max-time 20 --unix-socket "$SOCKET" -o "$DIR/later" -w '%{http_code}' http://localhost/later/700 \
    >"$DIR/later-code" &
CLIENT=$!
PIDS+=("$CLIENT")
wait_until holds 1 || fail "nothing is held"
kill -KILL "$SERVER"
wait "$CLIENT"
expect_equal "the held reply" 200 "$(cat "$DIR/later-code")"
expect_soon all_gone

it "leaves a path that a new one takes over"
expect_true test -S "$SOCKET"
serve "$PROBE"
http /pid
expect_status 200
stop_server
expect_code 0
expect_false test -e "$SOCKET"

it "can be followed while an orphan still finishes"
serve --timeout-graceful-shutdown 20s "$PROBE"
start holding curl -s --max-time 20 --unix-socket "$SOCKET" http://localhost/hold
wait_until holds 1 || fail "nothing is held"
orphans=$(workers)
kill -KILL "$SERVER"
refused() {
    ! curl -s -o /dev/null --max-time 2 --unix-socket "$SOCKET" http://localhost/pid
}
expect_soon refused
serve "$PROBE"
for orphan in $orphans; do
    expect_true alive "$orphan"
done
http /pid
expect_status 200
kill "$PID" 2>/dev/null

finish
