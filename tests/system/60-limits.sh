#!/usr/bin/env bash
# Every limit, at N and at N + 1.
. "$(dirname "$0")/lib.sh"

# A text of N bytes.
text() {
    head -c "$1" /dev/zero | tr '\0' "${2:-x}"
}

serve --limit-request-body 1000 --limit-request-target 200 --limit-request-header 4096 --limit-connections 10 \
    --timeout-header 1s --timeout-body 1s --timeout-keep-alive 1s "$PROBE"

it "takes a body of 1000 bytes, and refuses 1001 with 413"
text 1000 >"$DIR/body-1000"
text 1001 >"$DIR/body-1001"
http /body --data-binary "@$DIR/body-1000"
expect_status 200
expect_body "1000 bytes"
http /body --data-binary "@$DIR/body-1001"
expect_status 413
expect_header Content-Type application/problem+json

it "counts a chunked body as it comes"
http /body -T "$DIR/body-1000" -X POST -H 'Transfer-Encoding: chunked'
expect_status 200
http /body -T "$DIR/body-1001" -X POST -H 'Transfer-Encoding: chunked'
expect_match "the status" '^(413|000)$' "$STATUS"

it "counts a body that is taken in pieces"
http /pieces --data-binary "@$DIR/body-1000"
expect_status 200
http /pieces --data-binary "@$DIR/body-1001"
expect_status 413

it "heeds a route's own limit"
http /small --data-binary 1234567890
expect_status 200
http /small --data-binary 12345678901
expect_status 413

it "refuses an announced body before it is sent"
raw 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\nExpect: 100-continue\r\n\r\n'
expect_status 413
expect_code 0

it "takes a target of 200 bytes, and refuses 201 with 414"
http "/echo/$(text 194)"
expect_status 200
http "/echo/$(text 195)"
expect_status 414

it "refuses a head that is too large with 431"
http /pid -H "X-Field: $(text 2000)"
expect_status 200
http /pid -H "X-Field: $(text 5000)"
expect_status 431

it "serves 10 connections, and answers the 11th with 503 and Retry-After"
load_start -c 10 -i 700 -p /pid
all_ten() {
    [ "$(ss -x state connected "src = unix:$SOCKET" 2>/dev/null | grep -c "$SOCKET")" -ge 10 ]
}
wait_until all_ten || fail "there are no 10 connections"
http /pid
expect_status 503
expect_match "Retry-After" '^[0-9]+$' "$(header Retry-After)"
load_stop
expect_load_unharmed
no_more() {
    http /pid && [ "$STATUS" = 200 ]
}
expect_soon no_more

it "ends a head that takes longer than --timeout-header with 408"
started=$(now_ms)
raw 'GET /pid HTTP/1.1\r\nHost: x\r\nX-Field: slooooooooooooooooooooooooooooooooooooooooooooow\r\n\r\n' -b 50
took=$(($(now_ms) - started))
expect_status 408
expect_code 0
[ "$took" -lt 4000 ] || fail "the time it took" "about 1 s" "$took ms"

it "ends a body that takes longer than --timeout-body"
raw "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n$(text 100)" -b 40
expect_code 0
expect_match "the status" '^(408|)$' "$STATUS"

it "closes a connection that is idle for longer than --timeout-keep-alive"
started=$(now_ms)
raw 'GET /pid HTTP/1.1\r\nHost: x\r\n\r\n'
took=$(($(now_ms) - started))
expect_status 200
expect_code 0
[ "$took" -ge 800 ] || fail "the time it took" "about 1 s" "$took ms"
stop_server

it "takes 1 MiB by default, and refuses one byte more"
serve "$PROBE"
text 1048576 >"$DIR/body-1"
text 1048577 >"$DIR/body-2"
http /body --data-binary "@$DIR/body-1"
expect_status 200
expect_body "1048576 bytes"
http /body --data-binary "@$DIR/body-2"
expect_status 413
http /pieces --data-binary "@$DIR/body-1"
expect_body "1048576 bytes in pieces"

it "answers with 8 MiB"
http /bytes/8388608
expect_status 200
expect_equal "bytes" 8388608 "$(wc -c <"$DIR/body")"

it "sends a file, and 404 for one that is missing"
http "/file?path=$DIR/body-2"
expect_status 200
expect_true cmp "$DIR/body" "$DIR/body-2"
http "/file?path=$DIR/missing"
expect_status 404
expect_no_match "nothing of the server's" "$DIR" "${BODY//\"instance\":\"\/file?path=$DIR/}" # what it was asked for
stop_server

it "raises the soft limit on open files to the hard one"
(ulimit -S -n 64 && exec "${WRAPPER[@]}" "$BERTH" serve --uds "$SOCKET" "$PROBE" 2>"$DIR/berth.log") &
SERVER=$!
PIDS+=("$SERVER")
wait_until answers "$SOCKET" || bail "it does not answer"
http /pid
expect_equal "the soft limit" "$(awk '/^Max open files/ { print $5 }' "/proc/$BODY/limits")" \
    "$(awk '/^Max open files/ { print $4 }' "/proc/$BODY/limits")"
load_start -c 200 -i 50 -p /pid
load_stop
expect_load_unharmed
stop_server

it "holds a kept connection's next head to --timeout-header, not to --timeout-keep-alive"
serve --timeout-header 500ms --timeout-keep-alive 60s "$PROBE"
raw 'GET /pid HTTP/1.1\r\nHost: x\r\n\r\nGET /pid HTTP/1.1\r\nHost: x\r\nX-Fie'
expect_code 0
expect_match "what came" '200 OK.*408 ' "$(tr '\n' ' ' <<<"$RAW")"
stop_server

finish
