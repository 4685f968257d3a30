#!/usr/bin/env bash
# What a client can do to a worker that others use as well.
. "$(dirname "$0")/lib.sh"

need python3

# crowd COUNT: as many connections, which all leave at once
crowd() {
    python3 - "$SOCKET" "$1" <<'PYTHON'
import socket, sys
crowd = []
for _ in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_UNIX)
    s.setblocking(False)
    try:
        s.connect(sys.argv[1])
    except BlockingIOError:
        pass
    crowd.append(s)
for s in crowd:
    s.close()
PYTHON
}

answers_again() {
    http /pid && [ "$STATUS" = 200 ]
}

it "accepts again after there were more connections than it takes"
serve --limit-connections 4 "$PROBE"
for _ in 1 2 3; do
    crowd 80
    expect_soon answers_again
done
stop_server

it "accepts again after it ran out of descriptors"
serve --limit-connections 1000 "$PROBE"
prlimit --pid "$(workers)" --nofile=50:50
for _ in 1 2 3; do
    crowd 80
    expect_soon answers_again
done
stop_server

it "reads what is sent on after a refusal, so that the refusal is read; but not of many at a time, nor without end"
serve "$PROBE"
worker=$(workers)
before=$(find "/proc/$worker/fd" -type l | wc -l)
python3 - "$SOCKET" "/proc/$worker/fd" >"$DIR/refused.out" <<'PYTHON'
import os, socket, sys

def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(sys.argv[1])
    return s

# Told by the end of the reply that it is over, and sends on.
first = connect()
first.sendall(b"POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
reply = b""
while piece := first.recv(65536):
    reply += piece
print(reply[9:12].decode())
sent = 0
try:
    while sent < 500 << 20:
        sent += first.send(b"x" * 65536)
except (BrokenPipeError, ConnectionResetError):
    pass
print("much" if 32 << 20 < sent < 128 << 20 else sent)

many = []
for _ in range(200):
    s = connect()
    s.sendall(b"POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
    while s.recv(65536):
        pass
    many.append(s)
print(len(os.listdir(sys.argv[2])))
PYTHON
{ read -r status; read -r sent; read -r open_now; } <"$DIR/refused.out"
expect_equal "the status" 404 "$status"
expect_equal "what could be sent" much "$sent"
expect_true [ $((open_now - before)) -ge 60 ]
expect_true [ $((open_now - before)) -le 70 ]
stop_server

it "lets a chunk's extension that fills the buffer take no worker's time"
serve --worker-timeout 2s --timeout-body 4s "$PROBE"
python3 - "$SOCKET" >"$DIR/spin.out" <<'PYTHON' &
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(sys.argv[1])
s.sendall(b"POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 40000)
try:
    print(s.recv(65536).split(b"\r\n")[0].decode())
except ConnectionResetError:
    print("reset")
PYTHON
spinner=$!
PIDS+=("$spinner")
worker=$(workers)
before=$(awk '{ print $14 + $15 }' "/proc/$worker/stat")
wait_until gone "$spinner" || fail "it was not ended"
after=$(awk '{ print $14 + $15 }' "/proc/$worker/stat" 2>/dev/null || echo 1000000)
expect_equal "the worker" "$worker" "$(workers)"
[ $((after - before)) -lt 100 ] || fail "the processor time it took" "less than a second" "$((after - before)) ticks"
expect_match "what it was told" '^(HTTP/1.1 4|reset)' "$(cat "$DIR/spin.out")"

it "answers every head with a reply or a refusal, however its fields and cookies fill the memory"
python3 - "$SOCKET" >"$DIR/fill.out" <<'PYTHON'
import socket, sys

def ask(fields):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(sys.argv[1])
    try:
        s.sendall(b"GET /pid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + b"\r\n")
        reply = b""
        while piece := s.recv(65536):
            reply += piece
    except (ConnectionResetError, BrokenPipeError):
        pass
    s.close()
    return reply[9:12].decode() or "nothing"

seen = set()
for count in range(0, 300):
    seen.add(ask(b"a:b\r\n" * count))
    seen.add(ask((b"Y: " + b"y" * 40 + b"\r\n") * count))
    if count < 125:  # with more, libmicrohttpd itself has no memory left to refuse with
        seen.add(ask(b"Cookie: " + b"; ".join(b"c%d=value" % i for i in range(count)) + b"\r\n"))
print(*sorted(seen))
PYTHON
expect_equal "the statuses" "200 431" "$(cat "$DIR/fill.out")"

it "refuses what the library hides: NULs, folded lines, lines without CR"
refused='^400$'
pkg-config --max-version 0.9.77 libmicrohttpd || refused='^(400|)$'
for bytes in 'GET /pid\0x HTTP/1.1\r\nHost: x\r\n\r\n' \
    'GET /pid HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n' \
    'GET /pid HTTP/1.1\r\nHost: x\r\nX: a\0\r\n\r\n' \
    'GET /pid HTTP/1.1\r\nHost: x\r\nX: a\r\n folded\r\n\r\n' \
    'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n h\r\n\r\nhello' \
    'GET /pid HTTP/1.1\r\nHost: x\r\n folded: at once\r\nX: y\r\n\r\n' \
    'GET /pid HTTP/1.1\nHost: x\n\n' \
    'GET /pid HTTP/1.1\r\nHost: x\nX: y\r\n\r\n' \
    'GET  /pid HTTP/1.1\r\nHost: x\r\n\r\n'; do
    raw "$bytes"
    # From 1.0 on libmicrohttpd refuses these itself, and closes some without a word.
    expect_match "the status of $bytes" "$refused" "$STATUS"
    expect_code 0
done

it "takes what only looks odd: empty values, blanks around values, many fields"
for bytes in 'GET /pid HTTP/1.1\r\nHost: x\r\nX:\r\nY: \r\nZ:z\r\nConnection: close\r\n\r\n' \
    'GET /pid HTTP/1.1\r\nHost:   x\r\nX: \t a\tb \t\r\nConnection: close\r\n\r\n' \
    '\r\nGET /pid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' \
    'GET /pid?a=b&c HTTP/1.1\r\nHost: x\r\nCookie: a=b; c\r\nConnection: close\r\n\r\n' \
    'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello' \
    'GET /pid HTTP/1.1\r\nHost: x\r\n\r\nGET /pid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'; do
    raw "$bytes"
    expect_equal "the status of $bytes" 200 "$STATUS"
done
raw 'GET /pid HTTP/1.0\r\n\r\n'
expect_status 200

it "does not tell a client that was in time that its time is over"
stop_server
serve --timeout-header 1s "$PROBE"
python3 - "$SOCKET" >"$DIR/intime.out" <<'PYTHON'
import socket, sys, time

def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(sys.argv[1])
    return s

late = connect()
late.sendall(b"GET /pid HTTP/1.1\r\nHost: x\r\n")
blocker = connect()
blocker.sendall(b"GET /block/1500 HTTP/1.1\r\nHost: x\r\n\r\n")
time.sleep(0.3)
late.sendall(b"Connection: close\r\n\r\n")
print(late.recv(65536).split(b"\r\n")[0].decode())
PYTHON
expect_equal "the answer" "HTTP/1.1 200 OK" "$(cat "$DIR/intime.out")"

no_reports
finish
