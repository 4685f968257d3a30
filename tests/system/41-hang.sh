#!/usr/bin/env bash
# A handler that blocks its worker for longer than --worker-timeout costs that worker, and nothing else.
. "$(dirname "$0")/lib.sh"

serve --workers 2 --worker-timeout 500ms --timeout-graceful-shutdown 2s "$PROBE"
wait_until workers_are 2

it "leaves alone what blocks for a shorter time"
before=$(workers | sort)
http /block/100
expect_status 200
expect_equal "the workers" "$before" "$(workers | sort)"

it "ends the worker that hangs, alone, and replaces it"
http /block/20000
expect_status 000
wait_until workers_are 2
after=$(workers | sort)
expect_equal "workers that are still the same" 1 "$(comm -12 <(echo "$before") <(echo "$after") | wc -l)"
expect_log "hang|hung|does not answer|did not answer|no answer|timeout|blocked"
expect_log "SIGABRT|signal 6|Aborted"

it "goes on serving meanwhile"
curl -s --max-time 5 --unix-socket "$SOCKET" -o /dev/null http://localhost/block/20000 &
PIDS+=($!)
for _ in 1 2 3 4 5; do
    http /pid --retry 5 --retry-all-errors --retry-delay 0
    expect_status 200
done
stop_server
expect_code 0

finish
