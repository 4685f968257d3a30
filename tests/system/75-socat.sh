#!/usr/bin/env bash
# The quick way to a browser: socat between a port of the machine and the socket, as README.md has it.
. "$(dirname "$0")/lib.sh"
need socat curl python3

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
line=$(sed -n 's/^ *\(socat tcp-listen:9999,[^ ]* unix-connect:[^ ]*\).*/\1/p' "$SRCDIR/README.md" | head -n 1)

it "is in README.md"
expect_match "the line" '^socat tcp-listen:9999,' "$line"
read -r -a bridge <<<"$(sed "s,9999,$port,; s,unix-connect:.*,unix-connect:$SOCKET," <<<"$line")"

it "shows pages to who asks for localhost and the port"
serve site:"$SRCDIR/www" status /events=events
start bridge "${bridge[@]}"
bridged() {
    STATUS=$(curl -s --max-time "$PATIENCE" -o "$DIR/body" -w '%{http_code}' "${@:2}" "http://localhost:$port$1")
    BODY=$(cat "$DIR/body")
    [ "$STATUS" != 000 ]
}
wait_until bridged / || bail "nothing answers at port $port" "" "$(cat "$DIR/bridge.log")"
bridged /index
expect_status 200
expect_match "the page" '<h1>Hello, world!</h1>' "$BODY"
bridged /nothing
expect_status 404

it "listens on this machine alone"
expect_match "its address" "127\.0\.0\.1:$port" "$(ss -Htln "sport = :$port")"
expect_no_match "another" "(0\.0\.0\.0|\*|\[::\]):$port" "$(ss -Htln "sport = :$port" | awk '{ print $4 }')"

it "answers no page whose name was pointed at this machine"
bridged /index --resolve "evil.example:$port:127.0.0.1" --connect-to "localhost:$port:evil.example:$port" -H "Host: evil.example:$port"
expect_status 421

it "is still there after berth was restarted"
stop_server
serve site:"$SRCDIR/www"
bridged /index
expect_status 200

stop_server
finish
