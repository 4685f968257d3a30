#!/usr/bin/env bash
# Asking for help, and being wrong: one clear line and exit code 2.
. "$(dirname "$0")/lib.sh"

# wrong PATTERN ARGUMENT…: exit code 2 and a line of that kind, and nothing on standard output
wrong() {
    local pattern=$1

    shift
    run "$BERTH" "$@"
    expect_equal "the exit code of berth $*" 2 "$CODE"
    expect_match "what berth $* says" "$pattern" "$ERR"
    expect_equal "the output of berth $*" "" "$OUT"
}

it "helps who asks, on standard output"
for arguments in --help "serve --help"; do
    # shellcheck disable=SC2086 # a list
    run "$BERTH" $arguments
    expect_code 0
    expect_match "the help" "^Usage: berth" "$OUT"
    expect_equal "standard error" "" "$ERR"
done
for option in uds fd workers root-path backlog log-level timeout-keep-alive timeout-graceful-shutdown limit-connections \
    limit-request-body max-requests pid socket-mode socket-user socket-group allow-host exit-idle-time worker-timeout \
    user group config; do
    expect_match "the help" "--$option\b" "$OUT"
done
for application in site:DIR status events; do # what is built in, each with what it is
    expect_match "the help" "$application, " "$OUT"
done

it "says its version"
run "$BERTH" --version
expect_code 0
expect_match "the version" '[0-9]+\.[0-9]+\.[0-9]+' "$OUT"

it "says what is wrong with its arguments"
wrong "command" no-such-command
wrong "worker-timeot.*--worker-timeout" serve --worker-timeot 3 "$PROBE"
wrong "workers.*\"0\"|workers.*\"many\"" serve --workers many "$PROBE"
wrong "workers" serve --workers 0 "$PROBE"
wrong "workers" serve --workers
wrong "limit-request-body" serve --limit-request-body -1 "$PROBE"
wrong "timeout-keep-alive" serve --timeout-keep-alive 10x "$PROBE"
wrong "root-path" serve --root-path api "$PROBE"

it "says what is wrong with its environment, by the variable's name"
CODE=0
BERTH_WORKERS=many run "$BERTH" serve --uds "$SOCKET" "$PROBE"
expect_code 2
expect_match "the message" "BERTH_WORKERS" "$ERR"

it "says what is wrong with its file, by file and line"
printf 'workers = 2\nworkres = 3\n' >"$DIR/berth.conf"
wrong "berth.conf:2: .*workres" serve --config "$DIR/berth.conf"
printf 'workers = 2\n\nsocket-mode = 9999\n' >"$DIR/berth.conf"
wrong "berth.conf:3: .*9999" serve --config "$DIR/berth.conf"
wrong "missing.conf" serve --config "$DIR/missing.conf"

it "lets the flag beat the environment, and the environment the file"
printf 'workers = 3\nuds = %s\n\n[app /]\napp = %s\n' "$SOCKET" "$PROBE" >"$DIR/berth.conf"
for case in "3:" "2:BERTH_WORKERS=2" "1:BERTH_WORKERS=2:--workers=1"; do
    IFS=: read -r count environment flag <<<"$case"
    # shellcheck disable=SC2086 # perhaps none
    start berth env $environment "$BERTH" serve --config "$DIR/berth.conf" $flag
    SERVER=$PID
    wait_until answers "$SOCKET" || bail "it does not answer"
    wait_until workers_are "$count" || fail "workers with $case" "$count" "$(workers | wc -l)"
    stop_server
done

finish
