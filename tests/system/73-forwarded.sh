#!/usr/bin/env bash
# What a trusted proxy says of its client is believed, from nobody else; and pages of other sites change nothing.
. "$(dirname "$0")/lib.sh"
need setpriv
need_root

PROXY=54321
STRANGER=54399

# expect_asked CLIENT SCHEME HOST ROOT
expect_asked() {
    expect_status 200
    expect_equal "what was asked" "client=$1 scheme=$2 host=$3 root=$4" "$(head -n 4 <<<"$BODY" | paste -sd ' ')"
}

# The line of the last request in the access log, once it is there.
last_line() {
    wait_until grep -q "$1" "$DIR/berth.out" || fail "the access log" "$1" "$(tail -n 3 "$DIR/berth.out")"
    LINE=$(grep "$1" "$DIR/berth.out" | tail -n 1)
}

mkdir -p "$DIR/site/folder"
echo "<p>here" >"$DIR/site/folder/index.html"
chmod -R a+rX "$DIR/site"

cat >"$DIR/berth.conf" <<EOF2
uds = $SOCKET
socket-mode = 0666
trust-proxy = $PROXY
allow-origin = https://friend.example
root-path = /own
[app /probe]
app = $PROBE
[app /files]
app = site:$DIR/site
[app /status]
app = status
[app /events]
app = events
allow = GET,POST * any
EOF2
start_berth --config "$DIR/berth.conf"
wait_until answers "$SOCKET" || bail "berth does not answer"

# ---- who is believed ----

it "takes what others say away, and believes none of it"
spoofed=(-H "X-Forwarded-For: 203.0.113.7" -H "X-Forwarded-Proto: https" -H "X-Forwarded-Host: evil.example"
    -H "X-Forwarded-Prefix: /evil" -H "Forwarded: for=203.0.113.8" -H "X-Real-IP: 203.0.113.9"
    -H "x-forwarded-user: admin" -H "X-Forwarded-Port: 1" -H "X-Other: stays")
http_as $STRANGER "/probe/asked?spoofed" "${spoofed[@]}"
expect_asked "" http localhost /own/probe
expect_match "not proxied" '^proxied=0$' "$BODY"
expect_match "not found by name" '^by name=\(none\)$' "$BODY"
expect_no_match "no field of a proxy" '[Ff]orwarded|203\.0\.113|evil|admin|Real' "$(sed '1,/^$/d' <<<"$BODY")"
expect_match "other fields" '^X-Other: stays$' "$BODY"
last_line '/probe/asked?spoofed'
expect_match "the line" "uid=$STRANGER pid=[0-9]+ \"GET" "$LINE"

it "nor what root says, whom nobody has named"
http /probe/asked "${spoofed[@]}"
expect_asked "" http localhost /own/probe
expect_match "root is at home" '^self=1$' "$BODY"

it "believes a trusted proxy"
http_as $PROXY /probe/asked -H "X-Forwarded-For: 203.0.113.7" -H "X-Forwarded-Proto: https" \
    -H "X-Forwarded-Host: app.example.org:8443" -H "X-Forwarded-Prefix: /below/it"
expect_asked 203.0.113.7 https app.example.org:8443 /below/it/probe
expect_match "proxied" '^proxied=1$' "$BODY"
expect_match "found by name" '^by name=203.0.113.7$' "$BODY"
expect_match "seen in the walk" '^X-Forwarded-Prefix: /below/it$' "$BODY"

it "also by RFC 7239"
http_as $PROXY /probe/asked -H 'Forwarded: for="[2001:db8::7]:4711";proto=https;host="app.example.org";by=_me'
expect_asked 2001:db8::7 https app.example.org /own/probe

it "knows no client where it says nothing"
http_as $PROXY "/probe/asked?quiet"
expect_asked "" http localhost /own/probe
last_line '/probe/asked?quiet'
expect_match "the line" "uid=$PROXY pid=[0-9]+ client=- \"GET" "$LINE"

# ---- lists, mistakes, contradictions ----

it "believes the last entry of the last line"
http_as $PROXY /probe/asked -H "X-Forwarded-For: 198.51.100.1" -H "X-Forwarded-For: 198.51.100.2, 203.0.113.7" \
    -H "X-Forwarded-Proto: http, https" -H "X-Forwarded-Host: evil.example, app.example.org"
expect_asked 203.0.113.7 https app.example.org /own/probe
http_as $PROXY /probe/asked -H 'Forwarded: for="a, for=198.51.100.1", for=198.51.100.2;host=evil.example, for=203.0.113.7'
expect_asked 203.0.113.7 http localhost /own/probe

it "takes what is malformed for nothing"
http_as $PROXY /probe/asked -H "X-Forwarded-For: <script>" -H "X-Forwarded-Proto: gopher" -H "X-Forwarded-Host: a/b" \
    -H "X-Forwarded-Prefix: //evil.example"
expect_asked "" http localhost /own/probe
http_as $PROXY /probe/asked -H "X-Forwarded-For: 203.0.113.7," -H "X-Forwarded-Prefix: /../x" -H "X-Forwarded-Proto;"
expect_asked "" http localhost /own/probe
http_as $PROXY /probe/asked -H 'Forwarded: for="203.0.113.7'
expect_asked "" http localhost /own/probe

it "believes nothing where both kinds of fields contradict each other"
http_as $PROXY /probe/asked -H "X-Forwarded-For: 203.0.113.7" -H "Forwarded: for=203.0.113.7;proto=https"
expect_asked 203.0.113.7 https localhost /own/probe
http_as $PROXY /probe/asked -H "X-Forwarded-For: 203.0.113.7" -H "X-Forwarded-Proto: https" -H "Forwarded: for=198.51.100.1"
expect_asked "" http localhost /own/probe

it "takes a list as long as a head may be"
long=$(printf '198.51.100.%d, ' $(seq 0 255))
http_as $PROXY /probe/asked -H "X-Forwarded-For: ${long}203.0.113.7"
expect_asked 203.0.113.7 http localhost /own/probe

# ---- what follows from it ----

it "leaves hosts to the proxy, but not what is none"
http_as $STRANGER /probe/asked -H "Host: app.example.org"
expect_status 421
http_as $PROXY /probe/asked -H "Host: app.example.org"
expect_asked "" http app.example.org /own/probe
http_as $PROXY /probe/asked -H "Host: a@b"
expect_status 400

it "redirects below the prefix"
http_as $PROXY /files/folder -H "X-Forwarded-Prefix: /below"
expect_header Location /below/files/folder/
http_as $PROXY /files/folder -H "X-Forwarded-Prefix: /"
expect_header Location /files/folder/
http_as $STRANGER /files/folder -H "X-Forwarded-Prefix: /evil"
expect_header Location /own/files/folder/

it "shows the client in the access log"
http_as $PROXY "/probe/asked?shown" -H "X-Forwarded-For: 203.0.113.7" -A tester
last_line '/probe/asked?shown'
expect_match "the line" " $PROXY uid=$PROXY pid=[0-9]+ client=203\.0\.113\.7 \"GET /probe/asked\?shown\" 200 " "$LINE"

it "shows the client in events"
json=(-H "Content-Type: application/json")
http_as $PROXY /events "${json[@]}" -d '{"type": "a", "data": 1}' -H "X-Forwarded-For: 203.0.113.7"
expect_status 201
http_as $PROXY /events "${json[@]}" -d '{"type": "a", "data": 2}'
expect_status 201
http_as $STRANGER /events "${json[@]}" -d '{"type": "a", "data": 3}' -H "X-Forwarded-For: 203.0.113.7"
expect_status 201
http_as $PROXY '/events?follow=0&since_id=0' -H "X-Forwarded-For: 203.0.113.9"
expect_match "the first" \
    "\"peer\":\{\"uid\":$PROXY,\"user\":\"$PROXY\",\"pid\":[0-9]+,\"client\":\"203.0.113.7\"\},\"data\":1" "$BODY"
expect_match "the second" "\"pid\":[0-9]+,\"client\":null\},\"data\":2" "$BODY"
expect_match "the third" "\"uid\":$STRANGER,\"user\":\"$STRANGER\",\"pid\":[0-9]+\},\"data\":3" "$BODY"

it "and of who reads them, when the reading is over"
last_line '/events?follow=0'
expect_match "the line" " uid=$PROXY pid=[0-9]+ client=203\.0\.113\.9 \"GET /events" "$LINE"

# ---- pages of other sites ----

it "refuses what a page of another site would change, with the way out"
http_as $STRANGER /probe/asked -d x -H "Sec-Fetch-Site: cross-site" -H "Origin: https://evil.example"
expect_status 403
expect_match "the detail" 'pages of another site \(https://evil\.example\) may not change anything here: --allow-origin' "$BODY"
http_as $STRANGER /probe/asked -d x -H "Sec-Fetch-Site: same-site"
expect_status 403
http_as $STRANGER /probe/asked -d x -H "Origin: https://evil.example"
expect_status 403
http_as $STRANGER /probe/asked -d x -H "Origin: null"
expect_status 403
http_as $STRANGER /probe/asked -d x -H "Origin: http://localhost" -H "Origin: http://localhost"
expect_status 403
http /probe/asked -d x -H "Origin: https://evil.example"
expect_status 403

it "and counts it"
http /status/metrics
expect_match "the figure" '^berth_denials_total\{reason="origin"\} 6$' "$BODY"

it "before it reads a body"
head -c 1000000 /dev/zero >"$DIR/large"
chmod 644 "$DIR/large"
http_as $STRANGER /probe/asked -H "Expect: 100-continue" --data-binary "@$DIR/large" -H "Sec-Fetch-Site: cross-site"
expect_status 403
expect_equal "what was uploaded" 0 "$UPLOADED"

it "but lets it read"
http_as $STRANGER /probe/asked -H "Sec-Fetch-Site: cross-site" -H "Origin: https://evil.example"
expect_status 200

it "lets the site's own pages change things, and programs"
http_as $STRANGER /probe/asked -d x
expect_status 200
http_as $STRANGER /probe/asked -d x -H "Sec-Fetch-Site: same-origin"
expect_status 200
http_as $STRANGER /probe/asked -d x -H "Sec-Fetch-Site: none"
expect_status 200
http_as $STRANGER /probe/asked -d x -H "Origin: http://localhost"
expect_status 200
http_as $STRANGER /probe/asked -d x -H "Host: localhost:9999" -H "Origin: http://localhost:9999"
expect_status 200
http_as $STRANGER /probe/asked -d x -H "Host: localhost:9999" -H "Origin: http://localhost"
expect_status 403

it "knows its own site by what a trusted proxy says"
http_as $PROXY /probe/asked -d x -H "Origin: https://app.example.org" -H "X-Forwarded-Host: app.example.org"
expect_status 200
http_as $PROXY /probe/asked -d x -H "Origin: https://app.example.org" -H "Host: app.example.org" -H "X-Forwarded-Proto: https"
expect_status 200
http_as $PROXY /probe/asked -d x -H "Origin: http://app.example.org" -H "Host: app.example.org" -H "X-Forwarded-Proto: https"
expect_status 403
http_as $STRANGER /probe/asked -d x -H "Origin: https://app.example.org" -H "X-Forwarded-Host: app.example.org"
expect_status 403

it "lets pages of --allow-origin change things"
http_as $STRANGER /probe/asked -d x -H "Sec-Fetch-Site: cross-site" -H "Origin: https://friend.example"
expect_status 200
http_as $STRANGER /probe/asked -d x -H "Origin: https://friend.example:443"
expect_status 200
http_as $STRANGER /probe/asked -d x -H "Origin: http://friend.example"
expect_status 403
stop_server

# ---- self ----

it "is at home to nobody who comes through a proxy, also root's"
serve --socket-mode 0666 --trust-proxy root --log-format json "/probe=$PROBE" status
http /metrics
expect_status 403
http /probe/asked -H "X-Forwarded-For: 2001:DB8::7"
expect_asked 2001:db8::7 http localhost /probe
expect_match "not self" '^self=0$' "$BODY"
last_line '/probe/asked'
expect_match "the line" '"user":"root","uid":0,"pid":[0-9]+,"client":"2001:db8::7","method":"GET"' "$LINE"
last_line '/metrics'
expect_match "the line" '"pid":[0-9]+,"client":null,"method":"GET"' "$LINE"
stop_server

# ---- starting ----

it "refuses a proxy that nobody is"
run_berth --uds "$SOCKET" --trust-proxy no-such-user "$PROBE"
expect_false test "$CODE" = 0
expect_match "the message" '--trust-proxy: .*"no-such-user"' "$ERR"

it "refuses the user whom strangers are shown as"
run_berth --uds "$SOCKET" --trust-proxy 65534 "$PROBE"
expect_false test "$CODE" = 0
expect_match "the message" '--trust-proxy: "65534" has the number 65534' "$ERR"

it "refuses an origin that is none"
run_berth --uds "$SOCKET" --allow-origin app.example.org "$PROBE"
expect_code 2
expect_match "the message" '--allow-origin: "app.example.org" is no origin' "$ERR"

finish
