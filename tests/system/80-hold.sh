#!/usr/bin/env bash
# Replies that come later, and clients that do not wait for them.
. "$(dirname "$0")/lib.sh"

# went N: whether as many clients have gone, and nothing is held
went() {
    http /held && [ "$BODY" = "held 0 gone $1" ]
}

serve "$PROBE"

it "holds a request and answers it later"
start holding curl -s --max-time 20 --unix-socket "$SOCKET" http://localhost/hold
holding=$PID
expect_soon holds 1
http /release
expect_body 1
wait_until gone "$holding" || fail "the client still waits"
http /pid
expect_equal "the reply" "$BODY" "$(cat "$DIR/holding.out")"

it "answers from a timer"
http /later/50
expect_status 200

it "serves others while it holds, or works on the pool"
start holding curl -s --max-time 20 --unix-socket "$SOCKET" http://localhost/offload/1000
started=$(now_ms)
http /pid
expect_status 200
took=$(($(now_ms) - started))
[ "$took" -lt 900 ] || fail "the time an answer took meanwhile" "a few ms" "$took ms"
wait "$PID"
expect_match "the reply" '^[0-9]+$' "$(cat "$DIR/holding.out")"

it "notices at once that a client went away"
start holding curl -s --max-time 20 --unix-socket "$SOCKET" http://localhost/hold
expect_soon holds 1
started=$(now_ms)
kill -KILL "$PID"
expect_soon went 1
took=$(($(now_ms) - started))
[ "$took" -lt 1000 ] || fail "the time until it noticed" "at once" "$took ms"

it "notices it for one of many"
load_start -c 50 -i 1 -p /later/50
start holding curl -s --max-time 20 --unix-socket "$SOCKET" http://localhost/hold
sleep 0.1
kill -KILL "$PID"
load_stop
expect_load_unharmed
expect_soon went 2

it "lets offloaded work end when its client has gone"
start holding curl -s --max-time 20 --unix-socket "$SOCKET" http://localhost/offload/700
sleep 0.1
kill -KILL "$PID"
expect_soon went 3

it "holds many"
start load "$SUPPORT/load" -c 500 -n 500 -p /later/300 "$SOCKET"
wait "$PID"
expect_load_unharmed
expect_equal "answers" 500 "$(load_count answered)"
expect_soon holds 0

it "ends with replies held: they are told, and the server goes"
start holding curl -s --max-time 20 --unix-socket "$SOCKET" http://localhost/hold
expect_soon holds 1
stop_server INT
expect_match "the exit code" '^(0|130)$' "$CODE"

finish
