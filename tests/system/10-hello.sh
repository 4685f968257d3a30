#!/usr/bin/env bash
# What somebody sees who starts the hello application and asks it for its page.
. "$(dirname "$0")/lib.sh"

page='<h1>Hello, world!</h1>
<p>This is the index page.</p>'

serve "$EXAMPLES/hello.so"

it "serves exactly the page"
http /index
expect_status 200
expect_body "$page"
expect_equal "the body's bytes" 54 "$(wc -c <"$DIR/body")"
expect_header Content-Type "text/html; charset=utf-8"
expect_header Content-Length 54

it "answers HEAD with the same head and no body"
http /index --head
expect_status 200
expect_header Content-Length 54
expect_header Content-Type "text/html; charset=utf-8"
raw 'HEAD /index HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
expect_status 200
expect_equal "what follows the head" "" "$(sed '1,/^$/d' <<<"$RAW")"

it "keeps the connection"
expect_equal "new connections of the second request" "200 0" "$(
    curl -s --unix-socket "$SOCKET" -o /dev/null http://localhost/index \
        --next -s --unix-socket "$SOCKET" -o /dev/null -w '%{http_code} %{num_connects}' http://localhost/index
)"

it "serves HTTP/1.0"
raw 'GET /index HTTP/1.0\r\n\r\n'
expect_status 200
expect_code 0
expect_match "the page" "This is the index page" "$RAW"

it "answers 404 as problem+json"
http /nowhere
expect_status 404
expect_header Content-Type application/problem+json
expect_match "the status in the body" '"status": ?404' "$BODY"
expect_match "the title in the body" '"title": ?"Not Found"' "$BODY"
expect_no_match "nothing of the server's" "$DIR|$BUILDDIR" "$BODY"

it "answers 404 as a page for a browser"
http /nowhere -H 'Accept: text/html,application/xhtml+xml,*/*;q=0.8'
expect_status 404
expect_header Content-Type "text/html; charset=utf-8"

it "answers 405 with Allow"
http /index -X POST -d x
expect_status 405
expect_equal "the methods allowed" "GET,HEAD,OPTIONS" "$(header Allow | tr -d ' ' | tr , '\n' | sort | paste -sd ,)"

it "answers OPTIONS with Allow"
http /index -X OPTIONS
expect_match "the status" '^20[04]$' "$STATUS"
expect_equal "the methods allowed" "GET,HEAD,OPTIONS" "$(header Allow | tr -d ' ' | tr , '\n' | sort | paste -sd ,)"

it "said where it listens and what to try"
banner=$(cat "$DIR/berth.log" "$DIR/berth.out")
expect_match "the banner" "curl --unix-socket $SOCKET http://localhost/" "$banner"

it "ends orderly and takes its socket along"
stop_server
expect_code 0
expect_false test -e "$SOCKET"

finish
