#!/usr/bin/env bash
# --max-requests: a worker that has answered its share is replaced, and nobody notices.
. "$(dirname "$0")/lib.sh"

serve --max-requests 50 --max-requests-jitter 20 --workers 2 "$PROBE"
wait_until workers_are 2

it "replaces workers under load, and loses nothing"
before=$(workers | sort)
start load "$SUPPORT/load" -c 4 -n 1000 -p /pid "$SOCKET"
PATIENCE=60 wait_until gone "$PID" || fail "the load does not end"
expect_load_unharmed
expect_equal "requests answered" 1000 "$(load_count answered)"
expect_log "max-requests"
[ "$(comm -12 <(echo "$before") <(workers | sort) | wc -l)" -lt 2 ] || fail "no worker was replaced"

it "and with new connections"
start load "$SUPPORT/load" -c 4 -1 -n 1000 -p /pid "$SOCKET"
PATIENCE=60 wait_until gone "$PID" || fail "the load does not end"
expect_load_unharmed
expect_equal "requests answered" 1000 "$(load_count answered)"

it "has as many workers as before"
expect_soon workers_are 2
stop_server
expect_code 0

finish
