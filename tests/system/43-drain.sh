#!/usr/bin/env bash
# Ending gently: what is open may finish, and who is connected is told.
. "$(dirname "$0")/lib.sh"

# Two requests on one connection, the second when told: talk REQUEST-TARGET
converse='
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(sys.argv[1])

def ask():
    s.sendall(b"GET /pid HTTP/1.1\r\nHost: localhost\r\n\r\n")
    reply = b""
    while b"\r\n\r\n" not in reply:
        piece = s.recv(65536)
        if not piece:
            break
        reply += piece
    head = reply.split(b"\r\n\r\n")[0].decode().lower()
    status = head.split(" ")[1] if " " in head else "none"
    print("answer", status, "close" if "connection: close" in head else "kept", flush=True)

ask()
sys.stdin.readline()
if len(sys.argv) < 3:
    ask()
try:
    print("then", len(s.recv(1)), flush=True)
except ConnectionResetError:
    print("then reset", flush=True)
'
need python3

# conversation [ARGUMENT]: begins one; its second half starts with `echo >&7`
conversation() {
    mkfifo "$DIR/go"
    python3 -c "$converse" "$SOCKET" "$@" <"$DIR/go" >"$DIR/talk.out" 2>"$DIR/talk.log" &
    PIDS+=($!)
    TALK=$!
    exec 7>"$DIR/go"
    wait_until grep -q answer "$DIR/talk.out" || bail "no first answer"
}

conversation_end() {
    exec 7>&-
    rm "$DIR/go"
    wait_until gone "$TALK" || fail "the connection does not end"
}

it "gives a kept connection one more answer, with Connection: close"
serve --timeout-graceful-shutdown 10s "$PROBE"
conversation
kill -TERM "$SERVER"
wait_until test ! -e "$SOCKET" || fail "the path is still there"
expect_true alive "$SERVER"
echo >&7
expect_soon grep -q "^then" "$DIR/talk.out"
expect_equal "the conversation" "answer 200 kept;answer 200 close;then 0" "$(paste -sd ';' "$DIR/talk.out")"
conversation_end
wait_until gone "$SERVER" || fail "it still runs, with nothing left to do"
CODE=0
wait "$SERVER" || CODE=$?
expect_code 0

it "closes an idle connection within a second, and waits no longer for it"
serve --timeout-graceful-shutdown 30s "$PROBE"
conversation silent
started=$(now_ms)
kill -TERM "$SERVER"
echo >&7
expect_soon grep -q "^then 0" "$DIR/talk.out"
took=$(($(now_ms) - started))
[ "$took" -ge 500 ] || fail "the time until it closed" "about 1000 ms" "$took ms"
conversation_end
wait_until gone "$SERVER" || fail "it still runs"

it "loses no request on a kept connection that it closes: one is answered, or cannot be sent"
serve --timeout-keep-alive 20ms "$PROBE"
expect_true python3 - "$SOCKET" <<'PYTHON'
import socket, sys, time

REQUEST = b"GET /pid HTTP/1.1\r\nHost: localhost\r\n\r\n"
answered = refused = 0
for attempt in range(300):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(sys.argv[1])
    s.sendall(REQUEST)
    assert s.recv(65536).startswith(b"HTTP/1.1 200 ")
    time.sleep(0.018 + attempt % 60 / 10000)  # what is tried: just before, at, and just after its end
    try:
        s.sendall(REQUEST)
    except BrokenPipeError:
        refused += 1
    else:
        assert s.recv(65536).startswith(b"HTTP/1.1 200 "), "a request was taken, and lost"
        answered += 1
    s.close()
assert answered and refused, (answered, refused)
PYTHON
kill -TERM "$SERVER"
wait_until gone "$SERVER"

it "finishes what is in flight: an answer, a held reply, an upload"
serve --timeout-graceful-shutdown 10s "$PROBE"
for target in /later/800 /offload/800; do
    curl -s --max-time 20 --unix-socket "$SOCKET" -o "$DIR/inflight${target//\//-}" -w '%{http_code}\n' \
        "http://localhost$target" >"$DIR/code${target//\//-}" &
    PIDS+=($!)
done
head -c 300000 /dev/zero |
    curl -s --max-time 20 --unix-socket "$SOCKET" --limit-rate 400K -w '%{http_code} ' -T - -X POST \
        http://localhost/body >"$DIR/code-upload" &
PIDS+=($!)
wait_until holds 1 || fail "nothing is held"
kill -TERM "$SERVER"
wait_until gone "$SERVER" || fail "it still runs"
expect_equal "the held reply" 200 "$(cat "$DIR/code-later-800")"
expect_equal "the offloaded one" 200 "$(cat "$DIR/code-offload-800")"
expect_equal "the upload" "300000 bytes" "$(sed 's/^\(.*\)200 $/\1/' "$DIR/code-upload")"

it "accepts whoever was in the queue when it was told to end"
serve "$PROBE"
load_start -c 20 -1 -p /pid
kill -TERM "$SERVER"
wait_until gone "$SERVER"
load_stop
# After the path is gone, nobody can connect: that is a refusal, and no loss.
expect_equal "requests lost" 0 "$(load_count lost)"
expect_equal "requests without an answer" 0 "$(load_count late)"

it "accepts all of a long queue, and answers it"
serve --timeout-graceful-shutdown 20s "$PROBE"
python3 - "$SOCKET" "$SERVER" >"$DIR/queue.out" <<'PYTHON' || fail "the queue's clients"
import os, signal, socket, sys

def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(sys.argv[1])
    return s

blocker = connect()
blocker.sendall(b"GET /block/800 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
clients = [connect() for _ in range(100)]
for client in clients:
    client.sendall(b"GET /pid HTTP/1.1\r\nHost: localhost\r\n\r\n")
os.kill(int(sys.argv[2]), signal.SIGTERM)
print(sum(client.recv(12) == b"HTTP/1.1 200" for client in clients))
PYTHON
expect_equal "answers to 100 who were in the queue" 100 "$(cat "$DIR/queue.out")"
wait_until gone "$SERVER" || fail "it still runs"

it "waits for offloaded work whose client has gone"
serve --timeout-graceful-shutdown 10s "$PROBE"
start leaving curl -s --max-time 20 --unix-socket "$SOCKET" http://localhost/offload/900
sleep 0.2 # for the request to arrive: nothing shows that it did
kill -KILL "$PID"
wait_until gone "$PID"
started=$(now_ms)
kill -TERM "$SERVER"
wait_until gone "$SERVER" || fail "it still runs"
took=$(($(now_ms) - started))
[ "$took" -gt 300 ] || fail "the time until it ended" "as long as the work took" "$took ms"
expect_false grep -q "offloaded work at the end" "$DIR/berth.log"

it "waits for events that are not stored, and says so when it no longer does"
serve --timeout-graceful-shutdown 300ms --workers 1 /events=events "/=$PROBE"
recorder=$(ps -o pid=,args= --ppid "$SERVER" | awk '$3 == "recorder" { print $1 }')
kill -STOP "$recorder"
# Its client has left when it is told to end: nothing else is open.
expect_false curl -s --max-time 2 --unix-socket "$SOCKET" http://localhost/events --json '{"data": "x"}'
kill -TERM "$SERVER"
expect_log 'still 0 connections, 0 pieces of offloaded work and 1 events that the recorder has not stored'
kill -CONT "$recorder"
wait_until gone "$SERVER" || fail "it still runs"

finish
