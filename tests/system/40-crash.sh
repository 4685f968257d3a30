#!/usr/bin/env bash
# Workers that die: a hundred times under load; only what was in flight on the one that dies fails.
. "$(dirname "$0")/lib.sh"
rounds=${ROUNDS:-100}

a_new_worker() {
    workers_are 2 && [ "$(workers | paste -sd ' ')" != "$before" ] && ! workers | grep -qx "$victim"
}

serve --workers 2 "$PROBE"

it "survives $rounds SIGKILLs of a worker under load"
load_start -c 8 -w -p /pid
killed=" "
for ((round = 0; round < rounds; round++)); do
    wait_until workers_are 2 || bail "there are no two workers in round $round" 2 "$(workers | wc -l)"
    before=$(workers | paste -sd ' ')
    victim=$(workers | sed -n "$((round % 2 + 1))p")
    killed="$killed$victim "
    kill -KILL "$victim"
    wait_until a_new_worker || bail "worker $victim was not replaced in round $round"
done
load_stop
for kind in other refused dropped late odd; do
    expect_equal "requests of the kind \"$kind\"" 0 "$(load_count "$kind")"
done

it "loses nothing but what was in flight on the worker that was killed"
while read -r _ worker; do
    # 0: a connection that had no answer yet, so nobody knows whose it was
    [ "$worker" -eq 0 ] || grep -q " $worker " <<<"$killed" ||
        fail "a request was lost by a worker that nobody killed" "one of$killed" "$worker"
done < <(grep '^lost-by ' "$DIR/load.out")
lost=$(load_count lost)
[ "$lost" -le $((rounds * 8)) ] || fail "requests lost" "at most $((rounds * 8))" "$lost"
[ "$(load_count answered)" -gt "$rounds" ] || fail "requests answered" "more than $rounds" "$(load_count answered)"

it "says which signal it was"
expect_log "SIGKILL|signal 9|Killed"

it "says so when one crashes by itself, and replaces it"
wait_until workers_are 2
http /crash
expect_status 000
expect_log "SIGABRT|signal 6|Aborted"
expect_soon workers_are 2
http /pid
expect_status 200

it "keeps trying when an application crashes again and again, with a growing pause"
for _ in 1 2 3 4 5 6; do
    http /crash
done
expect_soon answers "$SOCKET"
expect_true alive "$SERVER"

it "leaves no zombies"
expect_equal "zombies" 0 "$(ps -o stat= --ppid "$SERVER" | grep -c Z)"
stop_server
expect_code 0

it "replaces it within 100 ms: the best of five, since the machine has other work"
serve "$PROBE"
best=999999
for _ in 1 2 3 4 5; do
    sleep 0.3 # one that crashes right after its start is a failed start, and there is a pause before the next
    http /crash
    started=$(now_ms)
    http /pid # waits in the queue for the one that comes
    took=$(($(now_ms) - started))
    expect_status 200
    [ "$took" -ge "$best" ] || best=$took
done
most=100
[ -z "${SLOW:-}" ] || most=1000
[ "$best" -lt "$most" ] || fail "the time until somebody answered" "less than $most ms" "$best ms"
stop_server

finish
