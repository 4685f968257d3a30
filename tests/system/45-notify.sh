#!/usr/bin/env bash
# What the service manager is told, and when.
. "$(dirname "$0")/lib.sh"

told() {
    grep -qE "$1" "$DIR/notify.out"
}

cp "$PROBE" "$DIR/app.so"
start notify "$SUPPORT/receive" "$DIR/notify.sock"
wait_until test -S "$DIR/notify.sock"

it "says READY when the first worker accepts, and not before"
NOTIFY_SOCKET=$DIR/notify.sock WATCHDOG_USEC=400000 start berth "${WRAPPER[@]}" "$BERTH" serve --uds "$SOCKET" \
    --timeout-graceful-shutdown 4s "$DIR/app.so"
SERVER=$PID
expect_soon told '^READY=1$'
http /pid
expect_status 200
expect_soon told '^STATUS='

it "does not tell its workers where"
http /environment
expect_no_match "the worker's environment" '^(NOTIFY_SOCKET|WATCHDOG)' "$BODY"

it "feeds the watchdog"
fed() {
    [ "$(grep -c '^WATCHDOG=1$' "$DIR/notify.out")" -ge 3 ]
}
expect_soon fed

it "says RELOADING with the time, and READY again"
: >"$DIR/notify.out"
kill -HUP "$SERVER"
expect_soon told '^RELOADING=1$'
expect_soon told '^MONOTONIC_USEC=[0-9]+$'
expect_soon told '^READY=1$'
expect_equal "the order" "RELOADING=1 READY=1" "$(grep -E '^(RELOADING|READY)=' "$DIR/notify.out" | paste -sd ' ')"

it "says READY also after a reload that failed"
: >"$DIR/notify.out"
mv "$DIR/app.so" "$DIR/away.so"
kill -HUP "$SERVER"
expect_soon told '^READY=1$'
mv "$DIR/away.so" "$DIR/app.so"

it "says STOPPING, and asks for the time that draining takes"
: >"$DIR/notify.out"
start waiting curl -s --max-time 30 --unix-socket "$SOCKET" http://localhost/later/1500
wait_until holds 1
kill -TERM "$SERVER"
expect_soon told '^STOPPING=1$'
expect_soon told '^EXTEND_TIMEOUT_USEC=[0-9]+$'
expect_soon gone "$SERVER"

it "stops feeding the watchdog when no worker's loop answers"
NOTIFY_SOCKET=$DIR/notify.sock WATCHDOG_USEC=400000 start berth "${WRAPPER[@]}" "$BERTH" serve --uds "$SOCKET" "$PROBE"
SERVER=$PID
wait_until answers "$SOCKET"
start blocked curl -s --max-time 30 --unix-socket "$SOCKET" http://localhost/block/4000
starved() {
    local before

    before=$(grep -c '^WATCHDOG=1$' "$DIR/notify.out")
    sleep 0.6
    [ "$(grep -c '^WATCHDOG=1$' "$DIR/notify.out")" -eq "$before" ]
}
expect_soon starved
stop_server KILL

finish
