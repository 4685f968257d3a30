# shellcheck shell=bash
#
# berth behind a real proxy, with the files of contrib/: the cases of 75-nginx, 76-caddy and 77-apache. They source this,
# say with functions what differs, and call `behind_the_proxy`.
#
# FOLDER          of contrib/
# AWAY            the status with which the proxy says that berth is away
# proxy_check     asks the proxy whether it takes the configuration: sets $CODE, $OUT and $ERR
# proxy_start     starts it: sets $PROXY
#
# As root the proxy is www-data, and berth lets it connect by --socket-group, as README.md says; else both are us.

. "${BASH_SOURCE[0]%/*}/lib.sh"

PATH=$PATH:/usr/sbin # where Debian has them
PORT=
PROXY=
TOGETHER="$SRCDIR/tests/support/behind.py"
SHARE=$DIR/share # as it is installed
# What a stream, or the first byte of one, may take. Under sanitizers and valgrind it only has to come.
SOON_MS=300
[ -z "${SLOW:-}" ] || SOON_MS=5000
HEARTBEAT=30s
if [ "$(id -u)" -eq 0 ]; then
    PROXY_USER=www-data
    LET_IN=(--socket-group www-data)
else
    PROXY_USER=$(id -un)
    LET_IN=()
fi

# The proxy's own children end with it only if it is asked to end. A configuration that it does not take shows in its log.
proxy_end() {
    [ -n "$PROXY" ] && kill -TERM "$PROXY" 2>/dev/null || return 0
    wait_until gone "$PROXY" || echo "  the proxy, pid $PROXY, does not end"
    PROXY=
}
trap 'LEFT=$?; proxy_end; (exit $LEFT); leave' EXIT

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# bundled SED…: the files of contrib/ with the paths and the port of this test put in
bundled() {
    local file

    mkdir -p "$SHARE/$FOLDER" "$DIR/proxy"
    [ "$(id -u)" -ne 0 ] || chown "$PROXY_USER" "$DIR/proxy"
    cp "$SRCDIR/contrib/berth-away.html" "$SHARE/"
    for file in "$SRCDIR/contrib/$FOLDER"/*; do
        sed -E -e "s,/run/berth/http\.sock,$SOCKET,g" -e "s,/usr/local/share/berth,$SHARE,g" \
            -e "s,/var/log/[^ ]*/,$DIR/proxy/,g" "$@" "$file" >"$SHARE/$FOLDER/${file##*/}"
    done
    chmod -R a+rX "$SHARE"
}

# documented COMPLETE: every line of what README.md shows is in the complete file
documented() {
    sed -n "/^\`\`\`$FOLDER\$/,/^\`\`\`\$/p" "$SRCDIR/README.md" | grep -v '^```' | sed 's/^\s*//' >"$DIR/shown"
    expect_true [ -s "$DIR/shown" ]
    expect_equal "lines of README.md that contrib/$FOLDER/$1 has not" "" \
        "$(grep -vxFf <(sed 's/^\s*//' "$SRCDIR/contrib/$FOLDER/$1") "$DIR/shown")"
}

# below_a_path SNIPPET FROM TO COMPLETE BEFORE: puts the example in the comment of a snippet, which shows berth below
# /api, into the complete file, before a line
below_a_path() {
    sed -nE "/$2/,/$3/s/^#\s*//p" "$SHARE/$FOLDER/$1" >"$DIR/below"
    sed -i -e "/$5/{e cat $DIR/below" -e '}' "$SHARE/$FOLDER/$4"
}

# web TARGET [CURL'S ARGUMENTS…]: as `http`, through the proxy
web() {
    local target=$1

    shift
    : >"$DIR/head"
    : >"$DIR/body"
    STATUS=$(curl -s --path-as-is --max-time "$PATIENCE" -D "$DIR/head" -o "$DIR/body" -w '%{http_code}' "$@" \
        "http://127.0.0.1:$PORT$target")
    HEAD=$(tr -d '\r' <"$DIR/head")
    BODY=$(tr -d '\0' <"$DIR/body" | head -c 4096)
}

# web_raw BYTES: as they are, written as for printf
web_raw() {
    # The client's direction stays open until the answer is there: nginx takes its end for the client's.
    BODY=$(python3 -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), int(sys.argv[3]))
s.sendall(sys.argv[2].encode().decode("unicode_escape").encode("latin-1"))
while piece := s.recv(65536):
    sys.stdout.buffer.write(piece)' "$PORT" "$1" "$PATIENCE" | tr -d '\r')
}

web_answers() {
    web /
    [ "$STATUS" != 000 ]
}

web_is() {
    web "$1"
    [ "$STATUS" = "$2" ]
}

# behind.py's verbs
together() {
    run python3 "$TOGETHER" "$PORT" "$@"
    expect_equal "what went wrong" "" "$ERR"
}

# serve_behind ARGUMENT…
serve_behind() {
    serve --workers 1 --timeout-graceful-shutdown 500ms --limit-request-body 60M --heartbeat "$HEARTBEAT" "${LET_IN[@]}" "$@" \
        "site:$DIR/site" status /events=events "$SUPPORT/behind.so" "$EXAMPLES/temperature.so" "$EXAMPLES/jobs.so"
}

connections() {
    curl -s --max-time "$PATIENCE" --unix-socket "$SOCKET" http://localhost/metrics |
        awk '$1 == "berth_connections_total" { print $2 }'
}

# asks N [CURL'S ARGUMENTS…]: so many requests, all of them answered
asks() {
    local n=$1

    shift
    expect_equal "answers" "$n" "$(curl -s --max-time "$PATIENCE" -o /dev/null -w '%{http_code}\n' "$@" \
        "http://127.0.0.1:$PORT/hello.html?[1-$n]" | grep -cx 200)"
}

strong_tag() {
    web /big -I
    [[ $(header ETag) == '"'* ]]
}

nobody_listens() {
    web /listening
    [ "$BODY" = 0 ]
}

somebody_listens() {
    web /listening
    [ "$BODY" = 1 ]
}

expect_away() {
    expect_status "$AWAY"
    expect_match "the page" '<h1>Back in a moment</h1>' "$BODY"
    expect_match "its type" '^text/html' "$(header Content-Type)"
    expect_header Retry-After 2
}

# seen TARGET [CURL'S ARGUMENTS…]: what behind.c is told of a request, in $BODY
seen() {
    web "/seen/$1" "${@:2}"
    expect_status 200
}

# expect_seen NAME VALUE
expect_seen() {
    expect_equal "$1" "$2" "$(tr ' ' '\n' <<<"$BODY" | sed -n "s,^$1=,,p")"
}

# All that a client could say of itself.
SPOOFED=(-H 'X-Forwarded-For: 198.51.100.1' -H 'X-Forwarded-Proto: https' -H 'X-Forwarded-Host: evil.example'
    -H 'X-Forwarded-Prefix: /evil' -H 'X-Forwarded-Port: 1' -H 'X-Forwarded-Server: evil.example'
    -H 'X-Real-IP: 198.51.100.1' -H 'Forwarded: for=198.51.100.1;host=evil.example;proto=https')

expect_unspoofed() {
    expect_seen for 127.0.0.1
    expect_seen proto http
    expect_seen for-host "127.0.0.1:$PORT"
    expect_match "the prefix" 'prefix=(-|)$' "$(tr ' ' '\n' <<<"$BODY" | grep '^prefix=')"
    expect_seen forwarded -
    expect_seen others ---
    expect_seen client 127.0.0.1
    expect_seen scheme http
    expect_seen host "127.0.0.1:$PORT"
    expect_seen root ""
    expect_seen proxied 1
    expect_seen self 0
}

# ---- the cases ----

away_and_back() {
    it "is a configuration that the proxy takes"
    proxy_check
    expect_code 0
    proxy_start
    wait_until web_answers || bail "the proxy does not answer" "" "$(cat "$DIR"/proxy/*.log 2>/dev/null | tail -n 5)"

    it "shows a page of the proxy's own while berth is away"
    web /hello.html
    expect_away

    it "serves as soon as berth is there"
    serve_behind
    web /hello.html
    expect_status 200
    expect_body "Hello through a proxy"
}

plain_requests() {
    it "passes pages, HEAD and berth's own errors on"
    web /hello.html --head
    expect_status 200
    expect_header Content-Length 22
    web /_ping
    expect_status 200
    expect_body OK
    web /nothing
    expect_status 404
    expect_header Content-Type application/problem+json
    expect_match "the problem" '"instance":"/nothing"' "$BODY"
    web '/seen/a%20b//c?d=%2F'
    expect_seen target '/seen/a%20b//c?d=%2F'
    web /seen/a%2Fb
    expect_status 400
    expect_match "the problem" 'an encoded slash' "$BODY"

    it "passes berth's refusal of an upload on, and not a page of the proxy's own"
    head -c 5M "$DIR/site/big" >"$DIR/part"
    for _ in 1 2 3 4 5; do
        web /little --data-binary "@$DIR/part" -H 'Expect:'
        expect_status 413
        expect_header Content-Type application/problem+json
    done
}

ranges() {
    it "serves ranges"
    # Until its file has been left alone for a moment, the site is not certain of a tag.
    expect_soon strong_tag
    web /big -r 1000-1099
    expect_status 206
    expect_header Content-Range "bytes 1000-1099/52428800"
    expect_true cmp "$DIR/body" <(tail -c +1001 "$DIR/site/big" | head -c 100)
    web /big -r 0-9 -H "If-Range: $(header ETag)"
    expect_status 206
    web /big -r 0-9 -H 'If-Range: "another"'
    expect_status 200
    web /hello.html -H "If-None-Match: $(web /hello.html; header ETag)"
    expect_status 304
}

large_bodies() {
    it "passes 50 MiB down, byte for byte"
    web /big
    expect_status 200
    expect_true cmp "$DIR/body" "$DIR/site/big"

    it "passes 50 MiB up while they are sent, and back, byte for byte"
    together upload 52428800
    expect_equal "what came back" "streamed 52428800 same" "$OUT"
    together upload 2000000 chunked
    expect_equal "what came back" "streamed 2000000 same" "$OUT"
}

kept_connections() {
    local before

    it "keeps its connections to berth"
    before=$(connections)
    asks 100
    asks 100 -H 'Connection: close'
    expect_true [ $(($(connections) - before)) -lt 20 ]
}

streams() {
    it "passes events on at once"
    together events "$SOCKET" 10
    expect_true [ "${OUT:-9999}" -le "$SOON_MS" ]

    it "passes an application's stream on at once"
    together first /temperature
    expect_true [ "${OUT:-9999}" -le "$SOON_MS" ]
    web '/jobs?from=big' -X POST
    expect_status 200
    expect_equal "its last line" "done" "$(tail -n 1 "$DIR/body" | sed 's/.*"status":"\([a-z]*\)".*/\1/')"

    it "ends a stream at berth when its client leaves"
    start listener curl -sN "http://127.0.0.1:$PORT/listen"
    expect_soon grep -q '{}' "$DIR/listener.out"
    expect_soon somebody_listens
    kill -TERM "$PID"
    expect_soon nobody_listens
}

restarted() {
    it "shows its page when berth is stopped, and no longer than that"
    stop_server
    web /hello.html
    expect_away
    web /little --data-binary x
    expect_away
    serve_behind --trust-proxy "$PROXY_USER"
    web /hello.html
    expect_status 200
}

trusted() {
    it "tells berth who its client is, whatever that says"
    seen plain
    expect_unspoofed
    seen spoofed "${SPOOFED[@]}"
    expect_unspoofed
    seen twice "${SPOOFED[@]}" -H 'X-Forwarded-For: 198.51.100.2' -H 'x-forwarded-host: evil.example'
    expect_unspoofed

    it "lets no client take that away by naming it in Connection"
    seen connection "${SPOOFED[@]}" -H 'Connection: close, X-Forwarded-For, x-forwarded-proto,X-Forwarded-Host'
    expect_unspoofed

    it "tells it where its clients find it, below a path"
    web /api/seen/below?q=1 "${SPOOFED[@]}"
    expect_status 200
    expect_seen target /seen/below?q=1
    expect_seen prefix /api
    expect_seen root /api
    expect_seen for 127.0.0.1

    it "leads who leaves the slash out to that path"
    web /api
    expect_match "the status" '^30[128]$' "$STATUS"
    expect_match "the place" "^[Ll]ocation: (http://127\.0\.0\.1:$PORT)?/api/\$" "$HEAD"

    it "passes the host on that its client asks for"
    seen host -H 'Host: app.example.org'
    expect_seen host app.example.org
    expect_seen for-host app.example.org

    it "passes a host on that is no client's field"
    seen old --http1.0 -H 'Host:'
    expect_match "the host" ' host=(localhost)? ' "$BODY" # what is known is that there is none
    web_raw 'GET http://app.example.org/seen/absolute HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n'
    expect_seen host app.example.org

    it "does not make its clients the server's own user"
    web /metrics
    expect_status 403
    web /events -H 'Content-Type: application/json' -d '{}'
    expect_status 403
}

behind_the_proxy() {
    need curl python3
    mkdir "$DIR/site"
    echo "Hello through a proxy" >"$DIR/site/hello.html"
    head -c 50M /dev/urandom >"$DIR/site/big"
    PORT=$(free_port)
    cd "$DIR/site" || bail "no folder"
    away_and_back
    plain_requests
    large_bodies
    ranges
    kept_connections
    streams
    restarted
    trusted
    stop_server
    proxy_end
    finish
}
