#!/usr/bin/env bash
# What is no HTTP, or could be read in two ways, is refused and its connection closed. The server lives on.
. "$(dirname "$0")/lib.sh"

serve "$PROBE"
http /pid
worker=$BODY

# refuses STATUS WHAT BYTES: that status, and the connection closed
refuses() {
    it "refuses $2"
    raw "$3"
    expect_match "the status" "^($1)\$" "$STATUS"
    expect_code 0
    expect_equal "answers that are no refusal" 0 "$(grep -cE '^HTTP/1.[01] [123]' <<<"$RAW")"
}

# serves WHAT BYTES: 200
serves() {
    it "serves $1"
    raw "$2" -h
    expect_status 200
}

get='GET /pid HTTP/1.1\r\n'
post='POST /body HTTP/1.1\r\nHost: x\r\n'
next='GET /pid HTTP/1.1\r\nHost: smuggled\r\n\r\n'

serves "a plain request" "${get}Host: localhost\r\n\r\n"
serves "HTTP/1.0 without a Host" 'GET /pid HTTP/1.0\r\n\r\n'
serves "an empty Host" "${get}Host:\r\n\r\n"
serves "an absolute-form target" 'GET http://localhost/pid HTTP/1.1\r\nHost: localhost\r\n\r\n'
serves "a chunked body" "${post}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"

refuses 400 "two Hosts" "${get}Host: a\r\nHost: b\r\n\r\n"
refuses 400 "two equal Hosts" "${get}Host: a\r\nHost: a\r\n\r\n"
refuses 400 "a missing Host on HTTP/1.1" "${get}\r\n"
refuses 400 "a Host with a space" "${get}Host: a b\r\n\r\n"
refuses 400 "a Host with a user" "${get}Host: me@localhost\r\n\r\n"
refuses 400 "a Host with a bad port" "${get}Host: localhost:99999\r\n\r\n"
refuses 400 "a Host with a bad bracket" "${get}Host: [::1\r\n\r\n"
refuses 400 "two Content-Lengths" "${post}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc$next"
refuses 400 "two equal Content-Lengths" "${post}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc$next"
refuses 400 "Content-Length with Transfer-Encoding" \
    "${post}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$next"
refuses 400 "a Content-Length that is no number" "${post}Content-Length: three\r\n\r\nabc$next"
refuses 400 "a negative Content-Length" "${post}Content-Length: -3\r\n\r\nabc$next"
refuses 400 "a Content-Length with a sign" "${post}Content-Length: +3\r\n\r\nabc$next"
refuses '400|413' "a Content-Length beyond 64 bits" "${post}Content-Length: 99999999999999999999\r\n\r\nabc$next"
refuses '400|501' "an unknown Transfer-Encoding" "${post}Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n$next"
refuses '400|501' "chunked and something else" "${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n$next"
refuses '400|501' "identity" "${post}Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc$next"
refuses 400 "Transfer-Encoding on HTTP/1.0" \
    'POST /body HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
refuses 400 "a bad chunk" "${post}Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n"
refuses 400 "a space before the colon" "${post}Content-Length : 3\r\n\r\nabc"
refuses 400 "a name that is no token" "${get}Host: x\r\nX(Field): 1\r\n\r\n"
refuses 400 "a line without a colon" "${get}Host: x\r\nwhat is this\r\n\r\n"
refuses 400 "a control character in a value" "${get}Host: x\r\nX-Field: a\001b\r\n\r\n"
refuses '400|501' "a method that is no token" 'GE(T /pid HTTP/1.1\r\nHost: x\r\n\r\n'
refuses '400|405|501' "CONNECT" 'CONNECT /pid HTTP/1.1\r\nHost: x\r\n\r\n'
refuses '400|505' "HTTP/1.2" 'GET /pid HTTP/1.2\r\nHost: x\r\n\r\n'
refuses '400|505' "HTTP/2.0" 'GET /pid HTTP/2.0\r\nHost: x\r\n\r\n'
refuses '400|505' "HTTP/9.9" 'GET /pid HTTP/9.9\r\nHost: x\r\n\r\n'
refuses 421 "a host of others" "${get}Host: evil.example.com\r\nConnection: close\r\n\r\n"

it "names the flag that would allow that host"
expect_match "the body" "allow-host" "$RAW"

it "refuses a NUL in a value, or cuts the value there: 0.9.75 hides what follows"
raw 'GET /echo/a HTTP/1.1\r\nHost: x\r\nX-Field: a\0000b\r\nConnection: close\r\n\r\n'
expect_match "the status" '^(200|400)$' "$STATUS"
[ "$STATUS" = 400 ] || expect_match "what the application read" 'field=a$' "$RAW"

it "refuses a folded header, or does not take its parts for others"
raw "${get}Host: x\r\nX-Field: a\r\n b\r\nConnection: close\r\n\r\n"
expect_match "the status" '^(200|400)$' "$STATUS"

for path in '/echo/../pid' '/echo/%2e%2e/pid' '/echo/a%2Fb' '/echo/a%00b' '/echo/%zz' '/echo/%4'; do
    it "refuses the path $path with 400"
    http "$path"
    expect_status 400
done

it "decodes once"
http '/echo/a%2520b?q=%2541+c'
expect_status 200
expect_body 'root= path=/echo/a%20b rest=a%20b q=%41 c field=-'

it "allows local hosts, and those it is told"
for host in localhost localhost:8080 foo.localhost docker 127.0.0.1 '[::1]:80' /run/x.sock; do
    http /pid -H "Host: $host"
    expect_equal "the status for $host" 200 "$STATUS"
done
http /pid -H 'Host: other.example.com'
expect_status 421

it "drops what is no HTTP at all"
raw '\026\003\001\002\000\001\000\001\374\003\003'"$(printf '%0600d' 0)"'\r\n\r\n'
expect_code 0

it "never takes descriptors that are pushed at it"
before=$(find "/proc/$worker/fd" -type l | wc -l)
python3 -c '
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(5)
s.connect(sys.argv[1])
fds = array.array("i", [os.open("/dev/null", os.O_RDONLY) for _ in range(100)])
for _ in range(3):
    s.sendmsg([b"GET /pid HTTP/1.1\r\nHost: x\r\n\r\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    print(s.recv(65536)[:12].decode())
print(len([fd for fd in os.listdir("/proc/%s/fd" % sys.argv[2])]))
' "$SOCKET" "$worker" >"$DIR/pushed"
expect_equal "the answers" "HTTP/1.1 200 HTTP/1.1 200 HTTP/1.1 200" "$(head -n 3 "$DIR/pushed" | paste -sd ' ')"
expect_equal "the worker's descriptors with that connection" $((before + 1)) "$(tail -n 1 "$DIR/pushed")"

it "lives: the same worker serves"
http /pid
expect_status 200
expect_body "$worker"

it "answers what handlers do wrong"
http /nothing
expect_status 500
http /return/-2
expect_status 404
http /return/-13
expect_status 403
http /return/418
expect_status 418
http /return/77
expect_status 500
http /block/soon
expect_status 400
expect_match "the detail" "ms.*soon|soon.*ms" "$BODY"
stop_server

it "allows a host by --allow-host"
serve --allow-host other.example.com "$PROBE"
http /pid -H 'Host: other.example.com'
expect_status 200
http /pid -H 'Host: evil.example.com'
expect_status 421
stop_server
expect_code 0

finish
