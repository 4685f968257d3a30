#!/usr/bin/env bash
# HUP: new workers first, then the old ones drain. A hundred times under load, and nothing fails.
. "$(dirname "$0")/lib.sh"
rounds=${ROUNDS:-100}
export PROBE_REFUSE=$DIR/refuse
export PROBE_STOPPED=$DIR/stopped

descriptors() {
    find "/proc/$1/fd" -type l | wc -l
}

# Every worker is new, and the old ones are gone.
reloaded() {
    workers_are 2 && [ -z "$(comm -12 <(sort <<<"$before") <(workers | sort))" ]
}

# Whether these are the workers, and all of them.
those_serve() {
    [ "$(workers | sort)" = "$1" ]
}

reload() {
    before=$(workers)
    kill -HUP "$SERVER"
    wait_until reloaded || bail "the reload did not come about"
}

serve --workers 2 --timeout-graceful-shutdown 5s "$PROBE"
wait_until workers_are 2
reload
fds=$(descriptors "$SERVER")

loses_nothing "$rounds reloads" $((rounds / 4)) $((rounds / 4)) reload

it "leaks no descriptor"
expect_equal "the supervisor's descriptors" "$fds" "$(descriptors "$SERVER")"

it "runs the stop hook in each worker that ends"
expect_true test "$(wc -l <"$PROBE_STOPPED")" -ge "$rounds"

it "keeps the old workers when the start hook refuses, and says why"
before=$(workers | sort)
touch "$PROBE_REFUSE"
: >"$DIR/berth.log"
kill -HUP "$SERVER"
expect_log "told to refuse"
expect_log "[Rr]eload"
http /pid
expect_status 200
expect_soon those_serve "$before"
rm "$PROBE_REFUSE"
reload
stop_server
expect_code 0

it "keeps the old workers when the configuration is bad, and takes a good one"
cp "$PROBE" "$DIR/app.so"
write_configuration() {
    printf 'workers = %s\nuds = %s\n\n[app /]\napp = %s\n' "$1" "$SOCKET" "$DIR/app.so" >"$DIR/berth.conf"
}
write_configuration 2
start_berth --config "$DIR/berth.conf"
wait_until answers "$SOCKET" || bail "it does not serve its configuration"
wait_until workers_are 2 || fail "workers" 2 "$(workers | wc -l)"
before=$(workers | sort)
write_configuration many
: >"$DIR/berth.log"
kill -HUP "$SERVER"
expect_log "berth.conf"
expect_soon those_serve "$before"
write_configuration 3
kill -HUP "$SERVER"
expect_soon workers_are 3

it "keeps the old workers when the module is missing"
expect_soon workers_are 3
before=$(workers | sort)
mv "$DIR/app.so" "$DIR/elsewhere.so"
: >"$DIR/berth.log"
kill -HUP "$SERVER"
expect_log "app\.so"
http /pid
expect_status 200
expect_soon those_serve "$before"
stop_server
expect_code 0

finish
