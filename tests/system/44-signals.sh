#!/usr/bin/env bash
# What each signal does.
. "$(dirname "$0")/lib.sh"

it "TERM drains, with exit code 0"
serve "$PROBE"
stop_server TERM
expect_code 0

for signal in INT QUIT; do
    it "$signal stops at once, whatever is open"
    serve --timeout-graceful-shutdown 60s "$PROBE"
    start waiting curl -s --max-time 30 --unix-socket "$SOCKET" http://localhost/hold
    wait_until holds 1 || fail "nothing is held"
    started=$(now_ms)
    stop_server "$signal"
    took=$(($(now_ms) - started))
    [ "$took" -lt 5000 ] || fail "the time it took" "less than 5 s" "$took ms"
    expect_match "the exit code" '^(0|130|131)$' "$CODE"
    expect_false test -e "$SOCKET"
done

it "a second TERM or INT does not wait for what is open"
serve --timeout-graceful-shutdown 60s "$PROBE"
start waiting curl -s --max-time 30 --unix-socket "$SOCKET" http://localhost/hold
wait_until holds 1 || fail "nothing is held"
kill -TERM "$SERVER"
wait_until test ! -e "$SOCKET"
kill -INT "$SERVER"
expect_soon gone "$SERVER"

it "TTIN adds a worker and TTOU takes one away, but not the last"
serve "$PROBE"
kill -TTIN "$SERVER"
expect_soon workers_are 2
kill -TTIN "$SERVER"
expect_soon workers_are 3
kill -TTOU "$SERVER"
expect_soon workers_are 2
kill -TTOU "$SERVER"
expect_soon workers_are 1
kill -TTOU "$SERVER"
http /pid
expect_status 200
expect_true workers_are 1
stop_server

it "USR1 opens the log file again"
serve --log "$DIR/file.log" --workers 2 "$PROBE"
wait_until workers_are 2
expect_soon test -s "$DIR/file.log"
mv "$DIR/file.log" "$DIR/rotated.log"
kill -USR1 "$SERVER"
expect_soon test -e "$DIR/file.log"
logs_go_there() {
    [ "$(find "/proc/$(workers | head -n 1)/fd/2" -printf %l)" = "$DIR/file.log" ]
}
expect_soon logs_go_there
kill -TTIN "$SERVER"
expect_soon test -s "$DIR/file.log"
stop_server

it "USR1 and TTOU say so when there is nothing to do"
serve "$PROBE"
kill -USR1 "$SERVER"
expect_log "SIGUSR1: there is neither --log nor --access-log"
kill -TTOU "$SERVER"
expect_log "workers: 1; there can't be fewer"
stop_server

it "USR2 is refused with a line, until upgrades in place are possible"
serve "$PROBE"
kill -USR2 "$SERVER"
expect_log "SIGUSR2: ignored"
http /pid
expect_status 200
stop_server
expect_code 0
expect_gone "$SOCKET"*

it "workers do not listen to signals that are not for them"
serve --workers 2 "$PROBE"
both_ready() {
    [ "$(grep -c 'is ready$' "$DIR/berth.log")" -eq 2 ]
}
wait_until both_ready || fail "they are not ready"
before=$(workers)
for worker in $before; do
    expect_equal "what worker $worker blocks" 0000000000000000 "$(sed -n 's/^SigBlk:[[:space:]]*//p' "/proc/$worker/status")"
done
for signal in HUP INT QUIT USR1 USR2 TERM; do
    for worker in $before; do
        kill "-$signal" "$worker"
    done
done
http /pid
expect_status 200
expect_equal "the workers" "$before" "$(workers)"
stop_server
expect_code 0

it "writes its pid where --pid says, and removes it"
serve --pid "$DIR/berth.pid" "$PROBE"
expect_equal "the pid" "$SERVER" "$(cat "$DIR/berth.pid")"
stop_server
expect_false test -e "$DIR/berth.pid"

finish
