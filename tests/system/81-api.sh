#!/usr/bin/env bash
# What berth.h says of its functions, one after the other, and what it says of calling them wrongly.
. "$(dirname "$0")/lib.sh"

API=$SUPPORT/api.so

serve --root-path /proxied --socket-mode 0666 "/api=$API"

# says TARGET TEXT [CURL'S ARGUMENTS…]: answered with 200 and that line
says() {
    local target=$1 text=$2

    shift 2
    http "/api$target" "$@"
    expect_status 200
    expect_equal "the body" "$text" "$BODY"
}

# dated PATH: its reply has one Date, that of now or of a moment ago
dated() {
    local before date

    before=$(date +%s)
    http "$1"
    date=$(header date)
    expect_equal "the number of its dates" 1 "$(wc -l <<<"$date")"
    DATE=$(date -d "$date" +%s)
    if [ "$DATE" -lt $((before - 1)) ] || [ "$DATE" -gt "$(date +%s)" ]; then
        fail "its date" "$before" "$DATE"
    fi
}

later_than() {
    dated "$1"
    [ "$DATE" -gt "$2" ]
}

it "dates a reply when it is sent, a constant too"
for path in /api/constant /nowhere; do
    dated "$path"
    expect_soon later_than "$path" "$DATE"
done

it "sends a constant, as often as it is asked for, and to HEAD without its body"
for _ in 1 2 3; do
    http /api/constant
    expect_status 203
    expect_equal "the body" "always the same" "$BODY"
    expect_equal "its type" text/x-constant "$(header content-type)"
done
http /api/constant -I
expect_status 203
expect_equal "its length" 16 "$(header content-length)"
says /constant/bad -74

it "redirects with the statuses that redirect, and no others"
for status in 301 302 303 307 308; do
    http "/api/redirect/$status"
    expect_status "$status"
    expect_equal "the location" "/elsewhere?a=1" "$(header location)"
done
http /api/redirect/304
expect_status 500
expect_soon grep -q "the handler of /redirect/{status} failed: Bad message" "$DIR/berth.log"
expect_equal "the location of an error" "" "$(header location)"

it "reads targets, parameters, repeated ones and fields, cookies"
says "/reads/a%20b/c?q=1&q=2+3&n=42" \
    "/api/reads/a%20b/c?q=1&q=2+3&n=42|/api/reads/a b/c|/proxied/api|n=42|q=1,2 3,(none)|h=one,two|c=abc" \
    -H 'X-H: one' -H 'X-H: two' -H 'Cookie: other=1; session="abc"'
says /reads/ "/api/reads/|/api/reads/|/proxied/api|n=7|q=(none),(none),(none)|h=(none),(none)|c=(none)"
http "/api/reads/?n=18446744073709551616"
expect_status 400
expect_match "the detail" 'n: .*18446744073709551616.*is too large' "$BODY"
http "/api/reads/?q=%zz"
expect_status 400

it "reads numbers with a sign"
says /integer/-9223372036854775808 -9223372036854775808
says /integer/9223372036854775807 9223372036854775807
for bad in -9223372036854775809 9223372036854775808 --1 - 1.5 x; do
    http "/api/integer/$bad"
    expect_status 400
    expect_match "the detail" "n: .\"$bad.\" is not a whole number" "$BODY"
done

it "adds 64 fields, and no 65th"
says /fields/64 0
expect_equal "the last field" here "$(header x-field-63)"
says /fields/65 -7
expect_equal "one field too many" "" "$(header x-field-64)"

it "refuses fields that are its own, or no fields"
says /fields/mistakes "-74 -74 -74 -74 -74 -74"
expect_equal "an injected field" "" "$(header set-cookie)"

it "does not say of an error what was meant for a page"
http /api/fields/failure
expect_status 404
expect_equal "the field" "" "$(header cache-control)"

it "tells its own mistakes from the client's"
http /api/parameter
expect_status 500
expect_soon grep -q "the handler of /parameter failed: Required key not available" "$DIR/berth.log"
http /api/number
expect_status 500
expect_soon grep -q "returned 7, which is neither" "$DIR/berth.log"

it "lets a reply have the fields that fit, and answers in any case"
says /room/1000 0
expect_equal "the field's length" 1000 "$(header x-long | tr -d '\n' | wc -c | tr -d ' ')"
says /room/60000 -7

it "sends the first of two replies, and an error where there is none"
says /twice first
http /api/nothing
expect_status 500
expect_soon grep -q "returned 0 without a reply" "$DIR/berth.log"

it "tells who holds a reply when the handler fails after all, and not when it replies"
http /api/hold/fail
expect_status 409
says /gone 1
says /hold/reply "at once"
says /gone 0

it "lets offloaded work alone answer"
says /offload/reply "done, and nobody else could"
says /offload/twice "done, in two steps"
http /api/offload/fail
expect_status 507
http /api/offload/fail
expect_status 507

it "fires timers that stop themselves"
says /timer "the loop lives"

it "knows whoever calls by number until it knows the name"
if [ "$(id -u)" -eq 0 ]; then
    http /api/pieces -d x
    expect_status 200
    as_daemon=$(setpriv --reuid 1 --regid 1 --clear-groups curl -s --max-time 20 --unix-socket "$SOCKET" \
        -d x http://localhost/api/pieces)
    expect_equal "the user in a handler" daemon "$as_daemon"
    expect_match "the user in a piece" 'a piece from "(1|daemon)"' "$(cat "$DIR/berth.log")"
fi

no_reports
finish
