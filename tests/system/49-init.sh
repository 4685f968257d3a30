#!/usr/bin/env bash
# As process 1 of a container, berth also reaps whom others left behind.
. "$(dirname "$0")/lib.sh"
need unshare
need_root
unshare --pid --fork true 2>/dev/null || skip "no process name space can be made here"

it "serves as process 1"
start berth unshare --pid --fork --kill-child "$BERTH" serve --uds "$SOCKET" "$PROBE"
OUTSIDE=$PID
wait_until answers "$SOCKET" || bail "it does not answer"
SERVER=$(children "$OUTSIDE")
expect_equal "its pid inside" 1 "$(awk '/^NSpid:/ { print $NF }' "/proc/$SERVER/status")"

it "reaps strangers"
for _ in 1 2 3; do
    http /stranger
    expect_status 200
done
no_strangers() {
    [ "$(children "$SERVER" | wc -l)" -eq 1 ]
}
expect_soon no_strangers
expect_true workers_are 1

it "ends on TERM, which process 1 would ignore by default"
kill -TERM "$SERVER"
expect_soon gone "$OUTSIDE"
expect_gone "$SOCKET"

finish
