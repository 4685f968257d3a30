#!/usr/bin/env bash
# The logs: a line for each request, whatever becomes of those who read them.
. "$(dirname "$0")/lib.sh"
need jq socat

TIME='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}(Z|[+-][0-9]{2}:[0-9]{2})'
LINE="^$TIME [^ ]+ uid=[0-9]+ pid=[0-9]+ \"[A-Z]+ /[^ ]*\" [0-9]{3} [0-9]+ [0-9]+\.[0-9]{3}ms \"[^\"]*\"\$"
MISSING="^$TIME berth worker [0-9]+: ([0-9]+) lines? (is|are) missing here\$"

# serve_to FILE ARGUMENT…: as serve does, with standard output there
serve_to() {
    local file=$1

    shift
    # shellcheck disable=SC2016
    start berth bash -c 'exec "${@:2}" >>"$1"' - "$file" "${WRAPPER[@]}" "$BERTH" serve --uds "$SOCKET" "$@" 7>&-
    SERVER=$PID
    wait_until answers "$SOCKET" || bail "berth does not answer at $SOCKET"
}

# requests N [ARGUMENTS OF load…]: all are answered, soon enough
requests() {
    local n=$1

    shift
    run "$SUPPORT/load" -t 5000 -n "$n" -p /pid "$@" "$SOCKET"
    expect_code 0
    expect_match "the requests that were answered" "^answered +$n\$" "$OUT"
}

# lines FILE: of the requests that `requests` made
lines() {
    grep -cE '"GET /pid"' "$1"
}

lines_are() {
    [ "$(lines "$1")" -eq "$2" ]
}

missing() {
    sed -nE "s/$MISSING/\\2/p" "$1" | awk '{ n += $1 } END { print n + 0 }'
}

# What was made up by more than one writer, or cut, is no line.
expect_whole_lines() {
    expect_equal "lines that are none" "" "$(grep -avE "$LINE|$MISSING" "$1" | head -n 3)"
    expect_equal "the last byte" "" "$(tail -c 1 "$1" | tr -d '\n')"
}

adds_up() {
    [ $(($(lines "$1") + $(missing "$1"))) -eq "$2" ]
}

# ---- lines ----

it "writes a line for each request to standard output, and none of its own there"
serve "$PROBE"
http '/echo/a%20b?c=d' -A 'an agent'
http /nowhere
stop_server
out=$(cat "$DIR/berth.out")
expect_match "the access log" "^$TIME $(id -un) uid=$(id -u) pid=[0-9]+ \"GET /echo/a%20b\\?c=d\" 200 [0-9]+ [0-9.]+ms \"an agent\"\$" "$out"
expect_match "the access log" '"GET /nowhere" 404 ' "$out"
expect_no_match "the access log" 'ready|draining' "$out"
expect_no_match "the error log" '"GET /' "$(cat "$DIR/berth.log")"

it "--no-access-log writes none"
serve --no-access-log "$PROBE"
http /pid
stop_server
expect_equal "the access log" "" "$(cat "$DIR/berth.out")"

it "--log-format json makes both logs lines of JSON"
serve --log-format json --log "$DIR/json" "$PROBE"
http "/echo/\"quoted\"?\\" -A "an \"agent\"\\"
http /return/-5
stop_server
expect_true jq -es 'map(select(.target == "/echo/\"quoted\"?\\" and .user_agent == "an \"agent\"\\" and .complete
    and (.uid | type) == "number" and (.pid | type) == "number" and (.milliseconds | type) == "number"
    and (.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T")))) | length == 1' "$DIR/berth.out"
expect_true jq -es 'map(select(.role == "berth" and .level == "info" and (.message | test("^SIGTERM"))
    and (.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T")))) | length == 1' "$DIR/json"

for format in text json; do
    it "hostile bytes stay in their line, as $format"
    serve --log-format "$format" "$PROBE"
    expect_soon test -s "$DIR/berth.out" # serve's own request
    before=$(wc -l <"$DIR/berth.out")
    raw 'GET /a"b\\\\c\xff\xc2\x9b?\x01\x1b[31m HTTP/1.1\r\nHost: localhost\r\nUser-Agent: "\\\\\xff\xfe\xc2\x9b31m\r\nConnection: close\r\n\r\n'
    raw 'G\x1bT" / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: x\x1by\r\nConnection: close\r\n\r\n'
    raw "GET /$(printf 'x%.0s' {1..4000}) HTTP/1.1\r\nHost: localhost\r\nUser-Agent: $(printf '%.0s"' {1..2000})\r\nConnection: close\r\n\r\n"
    stop_server
    expect_equal "the lines" 3 $(($(wc -l <"$DIR/berth.out") - before))
    expect_equal "control characters" 0 "$(LC_ALL=C grep -caP '[\x00-\x08\x0b-\x1f\x7f]|\xff|\xc2\x9b' "$DIR/berth.out")"
    expect_equal "lines of 2 KiB and more" 0 "$(awk 'length($0) > 2047' "$DIR/berth.out" | wc -l)"
    expect_match "what was cut" 'xxx….*""""…|xxx….*(\\")+…' "$(tail -n 1 "$DIR/berth.out")"
    [ "$format" = text ] || expect_equal "lines of JSON" 3 "$(tail -n 3 "$DIR/berth.out" | jq -c .status | wc -l)"
done

it "what libmicrohttpd answers by itself has one line, with who it was"
serve "$PROBE"
expect_soon test -s "$DIR/berth.out"
before=$(wc -l <"$DIR/berth.out")
raw "GET /$(printf 'x%.0s' {1..200000}) HTTP/1.1\r\nHost: localhost\r\n\r\n"
expect_status 414
raw 'GET / HTTP/3.7\r\nHost: localhost\r\n\r\n'
expect_match "the status" '^(400|505)$' "$STATUS"
refused=$STATUS
raw 'GET / HTTP/1.1\r\nno colon\r\n\r\n'
expect_status 400
stop_server
tail -n +$((before + 1)) "$DIR/berth.out" >"$DIR/lines"
expect_equal "the statuses" "414 $refused 400 " "$(sed -nE "s/^$TIME $(id -un) uid=[0-9]+ pid=[0-9]+ \"[^\"]*\" ([0-9]+) .*/\\2/p" "$DIR/lines" | tr '\n' ' ')"
expect_equal "the lines" 3 "$(wc -l <"$DIR/lines")"

# ---- files ----

it "USR1 opens --access-log again, and no line is lost in between"
serve --access-log "$DIR/access" --workers 2 "$PROBE"
wait_until workers_are 2
expect_equal "the mode" 640 "$(umask 022; stat -c %a "$DIR/access")"
load_start -c 4 -i 1 -p /pid
for turn in 1 2 3; do
    mv "$DIR/access" "$DIR/access.$turn"
    kill -USR1 "$SERVER"
    wait_until test -s "$DIR/access" || fail "nothing comes to the new file"
done
load_stop
expect_load_unharmed
stop_server
cat "$DIR"/access.[123] "$DIR/access" >"$DIR/all"
expect_whole_lines "$DIR/all"
expect_equal "lines" "$(load_count answered)" "$(lines "$DIR/all")"
expect_equal "standard output" "" "$(cat "$DIR/berth.out")"

it "USR1 with a file that cannot be opened keeps the one that there is"
serve --access-log "$DIR/access" "$PROBE"
mv "$DIR/access" "$DIR/kept"
mkdir "$DIR/access"
kill -USR1 "$SERVER"
expect_log "cannot open \"$DIR/access\""
http /pid
expect_soon grep -q '"GET /pid"' "$DIR/kept"
stop_server
rmdir "$DIR/access"

it "a reload moves the access log, and one to where it cannot go changes nothing"
echo "access-log = $DIR/one" >"$DIR/berth.conf"
serve --config "$DIR/berth.conf" "$PROBE"
http /pid
echo "access-log = $DIR/two" >"$DIR/berth.conf"
kill -HUP "$SERVER"
expect_log 'reloaded: '
http /pid
expect_soon grep -q '"GET /pid"' "$DIR/two"
expect_equal "lines in the first" 1 "$(lines "$DIR/one")"
echo "access-log = $DIR/none/three" >"$DIR/berth.conf"
kill -HUP "$SERVER"
expect_log 'the reload failed.*--access-log: cannot open'
http /pid
expect_soon lines_are "$DIR/two" 2
stop_server

it "a file that cannot be opened is said at the start"
run_berth --uds "$SOCKET" --access-log "$DIR/none/access" "$PROBE"
expect_code 1
expect_match "the error" '--access-log: cannot open "[^"]*/none/access": No such file' "$ERR"

it "a FIFO that nobody reads is not waited for, neither at the start nor at a signal"
mkfifo "$DIR/unread"
for log in log access-log; do
    run_berth --uds "$SOCKET" "--$log" "$DIR/unread" "$PROBE"
    expect_code 1
    expect_match "the error" "--$log: cannot open \"[^\"]*/unread\": nobody reads it" "$ERR"
done
exec 8<>"$DIR/unread" # opened for both, it waits for nobody
serve --log "$DIR/unread" "$PROBE" 8>&-
start reader cat "$DIR/unread"
exec 8>&-
expect_soon grep -q 'is ready' "$DIR/reader.out"
kill "$PID"
wait "$PID" 2>/dev/null
kill -USR1 "$SERVER"
http /pid
stop_server
expect_code 0
rm "$DIR/unread"

it "where files may not grow it says what it cannot do, and is not killed"
# shellcheck disable=SC2016
run bash -c 'ulimit -f 16; exec "$@"' - "${WRAPPER[@]}" "$BERTH" serve --uds "$SOCKET" "$PROBE"
expect_code 1
expect_match "the error" 'error: .*: File too large' "$ERR"

it "a reload to a log that cannot be opened changes nothing"
printf 'log = %s\n' "$DIR/log" >"$DIR/berth.conf"
serve --config "$DIR/berth.conf" "$PROBE"
printf 'log = %s\nworkers = 2\n' "$DIR/none/log" >"$DIR/berth.conf"
kill -HUP "$SERVER"
wait_until grep -q 'the reload failed.*--log: cannot open' "$DIR/log" || fail "the log" "that it failed" "$(cat "$DIR/log")"
expect_equal "workers" 1 "$(workers | wc -l)"
printf 'log = %s\n' "$DIR/log.2" >"$DIR/berth.conf"
kill -HUP "$SERVER"
expect_soon grep -q 'reloaded: ' "$DIR/log.2"
stop_server

it "a full device loses lines and nothing else"
serve_to /dev/full --workers 2 "$PROBE" /status=status
requests 500
expect_log "the access log cannot be written: No space left on device"
expect_equal "complaints" yes "$([ "$(grep -c 'cannot be written' "$DIR/berth.log")" -le 2 ] && echo yes)"
http /status/metrics
expect_match "the metrics" '^berth_log_[a-z_]*dropped[a-z_]* [1-9][0-9]{2}' "$BODY"
stop_server
expect_code 0

it "a disk that was full and is freed goes on with a line that says how many are missing"
mkdir "$DIR/small"
trap 'code=$?; umount -l "$DIR/small" 2>/dev/null; (exit "$code"); leave' EXIT
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=64k none "$DIR/small" 2>/dev/null; then
    serve --access-log "$DIR/small/access" --workers 2 "$PROBE"
    requests 2000
    expect_log "the access log cannot be written: No space left on device"
    cp "$DIR/small/access" "$DIR/full"
    : >"$DIR/small/access"
    expect_soon grep -qE "$MISSING" "$DIR/small/access"
    requests 20
    expect_soon lines_are "$DIR/small/access" 20
    stop_server
    cat "$DIR/full" "$DIR/small/access" >"$DIR/all"
    umount "$DIR/small"
    # Each worker may have one line torn: it is ended before the next, and counts as missing.
    torn=$(grep -avE "$LINE|$MISSING" "$DIR/all" | grep -c .)
    expect_equal "torn lines" yes "$([ "$torn" -le 2 ] && echo yes)"
    whole=$(grep -aE "$LINE" "$DIR/all" | grep -ac '"GET /pid"')
    expect_equal "lines and those that are missing" 2020 $((whole + $(missing "$DIR/all")))
else
    echo "  only root can mount a small tmpfs: not tried"
fi

it "standard output that is closed gets no log, and nothing else gets it by accident"
# shellcheck disable=SC2016
start berth bash -c 'exec "$@" >&-' - "${WRAPPER[@]}" "$BERTH" serve --uds "$SOCKET" --workers 2 "$PROBE"
SERVER=$PID
wait_until answers "$SOCKET" || bail "berth does not answer at $SOCKET"
requests 100
expect_equal "standard output" /dev/null "$(find "/proc/$SERVER/fd/1" -printf %l)"
expect_no_match "the error log" 'error|warning' "$(cat "$DIR/berth.log")"
stop_server
expect_code 0

# ---- pipes ----

it "two workers' lines do not cut into each other in a slow pipe, and those that are dropped are counted"
mkfifo "$DIR/fifo"
exec 7<>"$DIR/fifo"
serve_to "$DIR/fifo" --workers 2 "$PROBE"
wait_until workers_are 2
started=$(now_ms)
requests 5000 -c 8
expect_equal "soon" yes "$([ $(($(now_ms) - started)) -lt 8000 ] && echo yes)"
expect_equal "what berth was handed is still as it was" 0 "$((0$(awk '/^flags/ { print $2 }' "/proc/$SERVER/fdinfo/1") & 04000))"
start reader cat "$DIR/fifo"
READER=$PID
exec 7>&-
expect_soon adds_up "$DIR/reader.out" 5000
expect_match "those that are missing" '^[1-9]' "$(missing "$DIR/reader.out")"
requests 100
expect_soon adds_up "$DIR/reader.out" 5100
expect_whole_lines "$DIR/reader.out"

it "a reader that goes away ends the log with a line, and the requests go on"
kill "$READER"
wait "$READER" 2>/dev/null
requests 100
expect_log "berth worker [12]: warning: the access log ends: whoever read it is gone"
requests 100
expect_equal "said by each worker at most once" yes "$([ "$(grep -c 'the access log ends' "$DIR/berth.log")" -le 2 ] && echo yes)"
stop_server
expect_code 0

it "an error log whose reader stops keeps nobody waiting"
mkfifo "$DIR/errors"
exec 7<>"$DIR/errors"
# shellcheck disable=SC2016
start berth bash -c 'exec "${@:2}" 2>"$1"' - "$DIR/errors" "${WRAPPER[@]}" "$BERTH" serve --uds "$SOCKET" \
    --log-level debug "$PROBE" 7>&-
SERVER=$PID
wait_until answers "$SOCKET" || bail "berth does not answer at $SOCKET"
run "$SUPPORT/load" -t 5000 -n 1500 -p /nothing "$SOCKET"
expect_match "the requests that were answered" "^other +1500\$" "$OUT"
start reader cat "$DIR/errors"
exec 7>&-
is_told() {
    http /nothing
    grep -qE 'worker 1: warning: [0-9]+ lines are missing here: nobody took them' "$DIR/reader.out"
}
expect_soon is_told
stop_server

# ---- a service manager's ----

it "under systemd the error log has its levels, and both come whole through its socket"
cat >"$DIR/unit" <<UNIT
#!/bin/bash
export JOURNAL_STREAM=\$(stat -L -c %d:%i /proc/self/fd/2)
echo \$\$ >"$DIR/unit.pid"
exec ${WRAPPER[*]} "$BERTH" serve --uds "$SOCKET" --workers 2 "$PROBE"
UNIT
chmod +x "$DIR/unit"
start journal socat -u "EXEC:$DIR/unit,stderr" "OPEN:$DIR/journal,creat,append"
wait_until answers "$SOCKET" || bail "berth does not answer at $SOCKET"
SERVER=$(cat "$DIR/unit.pid")
expect_equal "its standard output" socket "$(find /proc/"$SERVER"/fd/1 -printf %l | cut -d: -f1)"
wait_until workers_are 2
requests 500
expect_soon lines_are "$DIR/journal" 500
kill -TERM "$SERVER"
expect_soon gone "$SERVER"
expect_equal "lines that are none" "" "$(grep -avE "$LINE|^<[0-9]>[A-Za-z]" "$DIR/journal" | head -n 3)"
expect_true grep -qE '^<6>worker [12] \(pid [0-9]+\) is ready$' "$DIR/journal"

finish
