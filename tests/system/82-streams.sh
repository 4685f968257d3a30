#!/usr/bin/env bash
# Replies that go on: what a client of a stream sees, byte by byte, and what the server does with one that does not read,
# or has gone.
. "$(dirname "$0")/lib.sh"
need python3

STREAMS=$SUPPORT/streams.so

# told TEXT: whether the application's counts contain it
told() {
    http /told && [[ " $BODY " == *" $1 "* ]]
}

# watch NAME TARGET [CURL'S ARGUMENTS…]: a curl that shows a stream in $DIR/NAME.out; its pid is in $PID, when it has
# ended its exit code is in $DIR/NAME.code
watch() {
    local name=$1 target=$2

    shift 2
    rm -f "$DIR/$name.code" "$DIR/$name.head"
    # shellcheck disable=SC2016 # for the shell that is started
    start "$name" bash -c 'code=0; "$@" || code=$?; echo $code >"$0.part"; mv "$0.part" "$0"' "$DIR/$name.code" \
        curl -s --no-buffer --max-time 60 --unix-socket "$SOCKET" -D "$DIR/$name.head" "$@" "http://localhost$target"
}

# ended NAME CODE: the watch has, with that exit code of curl
ended() {
    expect_soon test -e "$DIR/$1.code"
    expect_equal "curl's exit code" "$2" "$(cat "$DIR/$1.code")"
}

head_is_there() {
    grep -q $'^\r$' "$DIR/$1.head"
}

# post NAME BYTES: writes to the stream of that name; what the write returned is in $BODY
post() {
    http "/write/$1" --data-binary "$2" "${@:3}"
}

# sends NAME BYTES: what raw sends, in the background; what came back is in $DIR/NAME.out
sends() {
    printf '%b' "$2" >"$DIR/$1.bytes"
    # shellcheck disable=SC2016
    start "$1" bash -c 'exec "$0" "${@:2}" <"$1"' "$SUPPORT/raw" "$DIR/$1.bytes" -t 60000 "${@:3}" "$SOCKET"
}

# body NAME: what came back, without the head, in a form that shows every byte
body() {
    sed '1,/^\r$/d' "$DIR/$1.out" | od -An -c | tr -s ' \n' ' '
}

shown() {
    printf '%b' "$1" | od -An -c | tr -s ' \n' ' '
}

# The memory of the only worker, in KiB.
memory() {
    awk '/^VmRSS/ { print $2 }' "/proc/$(workers)/status"
}

descriptors() {
    find "/proc/$(workers)/fd" -mindepth 1 | wc -l
}

descriptors_are() {
    [ "$(descriptors)" -eq "$1" ]
}

# A client that asks and does not read until it is told to; then it reads so many lines of the streams' numbered ones,
# or until the end, and says how many there were, whether they follow each other, and how it ended.
cat >"$DIR/reader.py" <<'PYTHON'
import socket, sys

s = socket.socket(socket.AF_UNIX)
s.settimeout(30)
s.connect(sys.argv[1])
s.sendall(f"GET {sys.argv[2]} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
print("asked", flush=True)
sys.stdin.readline()
file = s.makefile("rb")
while file.readline() not in (b"\r\n", b""):
    pass
lines = []
rest = b""
end = "enough"
while len(lines) < int(sys.argv[3]):
    head = file.readline()
    if head in (b"", b"0\r\n"):
        end = "complete" if head else "cut"
        break
    size = int(head, 16)
    piece = file.read(size + 2)
    if len(piece) < size + 2:
        end = "cut"
        break
    rest += piece[:-2]
    *more, rest = rest.split(b"\n")
    lines += [int(line) for line in more]
print(len(lines), "lines", "in order" if lines == list(range(len(lines))) else "out of order",
      "rising" if lines == sorted(set(lines)) else "not rising", end, flush=True)
PYTHON

# reader TARGET LINES: begins one; `reader_reads` lets it read and waits for its end
reader() {
    rm -f "$DIR/go"
    mkfifo "$DIR/go"
    : >"$DIR/reader.out"
    python3 "$DIR/reader.py" "$SOCKET" "$@" <"$DIR/go" >"$DIR/reader.out" 2>"$DIR/reader.log" &
    READER=$!
    PIDS+=("$READER")
    exec 7>"$DIR/go"
    wait_until grep -q asked "$DIR/reader.out" || bail "the reader did not ask"
}

reader_reads() {
    echo >&7
    wait_until gone "$READER" || fail "the reader does not end"
    exec 7>&-
}

serve "$STREAMS"
http /told
fds=$(descriptors)

it "sends the head at once, and each write at once"
watch one /open/one
expect_soon head_is_there one
HEAD=$(tr -d '\r' <"$DIR/one.head")
expect_header Content-Type text/plain
expect_header Cache-Control no-store
expect_header X-Accel-Buffering no
expect_header Transfer-Encoding chunked
expect_header Connection ""
expect_equal "what came before anything was written" "" "$(cat "$DIR/one.out")"
post one 'hello '
expect_body 0
expect_soon grep -qx 'hello ' "$DIR/one.out"
post one 'world'
expect_soon grep -qx 'hello world' "$DIR/one.out"
http /end/one
expect_body -32
ended one 0
expect_soon told "open 0 sent 1 failed 0"

it "frames each write as one chunk, and ends with libmicrohttpd's last one"
sends exact 'GET /open/exact HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
expect_soon told "open 1"
post exact a
post exact ''
post exact "$(printf '%26s' '' | tr ' ' b)"
http /end/exact
wait_until gone "$PID" || fail "the connection does not end"
expect_equal "the body" "$(shown '1\r\na\r\n1a\r\nbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n0\r\n\r\n')" "$(body exact)"

it "sends to HTTP/1.0 without chunks, ending with the connection, whoever else is connected"
sends quiet ''
quiet=$PID
sends old 'GET /open/old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'
expect_soon told "open 1"
post old 'first\n'
post old 'second\n'
http /end/old
wait_until gone "$PID" || fail "the connection does not end"
expect_soon told "open 0"
wait_until descriptors_are $((fds + 1)) || fail "descriptors with one quiet client" $((fds + 1)) "$(descriptors)"
expect_equal "the body" "$(shown 'first\\nsecond\\n')" "$(body old)"
expect_false grep -qi '^transfer-encoding' "$DIR/old.out"

it "keeps what the handler writes until the head is out"
sends early 'GET /lines/2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
wait_until gone "$PID" || fail "the connection does not end"
expect_equal "the body" "$(shown 'e\r\nline 0\nline 1\n\r\n0\r\n\r\n')" "$(body early)"

it "answers the next request on the same connection"
raw 'GET /lines/1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /lines/2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
expect_code 0
expect_equal "lines in both" 3 "$(grep -c '^line' <<<"$RAW")"
rm -f "$DIR/kept.out"
start kept curl -s --no-buffer --max-time 30 --unix-socket "$SOCKET" -w '%{num_connects}\n' \
    http://localhost/open/kept http://localhost/lines/1 http://localhost/told
expect_soon told "open 1"
post kept 'late\n'
http /end/kept
wait_until gone "$PID" || fail "curl does not end"
expect_equal "what came, and how many connections each took" 'late\n1;line 0;0' "$(head -n 3 "$DIR/kept.out" | paste -sd ';')"
expect_equal "connections of the third" 0 "$(tail -n 1 "$DIR/kept.out")"

it "sends the head alone to HEAD, and says that it is over"
http /open/head -I
expect_status 200
expect_header Cache-Control no-store
expect_soon told "open 0"
http /lines/1000000 -I
expect_status 200
raw 'HEAD /open/head HTTP/1.1\r\nHost: localhost\r\n\r\n'
expect_code 0
expect_equal "what follows the head" "" "$(sed '1,/^$/d' <<<"$RAW")"
expect_equal "it ends the connection" close "$(sed -n 's/^Connection: //p' <<<"$RAW")"
expect_soon told "open 0"

it "answers with the error of a handler that fails after it began one"
http /fail
expect_status 409
expect_no_match "the body" "never seen" "$BODY"
expect_soon told "open 0"

it "begins one for a held request"
http /held
expect_status 200
expect_body "later"

it "writes what is JSON, an event, a comment, and refuses what cannot be one"
http /formats
expect_status 200
expect_header Content-Type text/event-stream
expect_equal "the short ones" 'id: 7;event: temperature;retry: 5000;data: line 1;data: line 2;;: a comment;{"a":1}' \
    "$(head -n 8 <<<"$BODY" | paste -sd ';')"
expect_equal "the long ones" "6005 0 6001" "$(sed -n '9,11p' <<<"$BODY" | awk '{ printf "%s%d", sep, length($0); sep = " " }')"

it "cuts so that the client sees it"
watch cut /open/cut
expect_soon told "open 1"
post cut 'half'
http /cut/cut
expect_body -32
ended cut 18
expect_equal "what came before" half "$(cat "$DIR/cut.out")"
expect_soon told "open 0"
wait_until descriptors_are $((fds + 1)) || fail "descriptors with one quiet client" $((fds + 1)) "$(descriptors)"
kill -KILL "$quiet"
http /cut
expect_equal "curl's exit code for one that was cut in its handler" 52 "$CURL"

it "works on the thread pool, and tells how far it is"
http /work/3
expect_body "$(printf 'step 1\nstep 2\nstep 3')"

it "ends the work of a client that has gone"
watch gone /long
expect_soon told "open 1"
kill -KILL "$(children "$PID")"
expect_soon told "open 0"
expect_true told "orphaned 0"
http /release
expect_soon told "orphaned 1"

it "writes the line of the access log when it is over: bytes, time, completeness"
watch logged /open/logged
expect_soon told "open 1"
post logged 12345
expect_false grep -q 'GET /open/logged' "$DIR/berth.out"
http /end/logged
expect_soon grep -qE '"GET /open/logged" 200 5 [0-9.]+ms "curl[^"]*"$' "$DIR/berth.out"
expect_soon grep -qE '"GET /open/cut" 200 4 [0-9.]+ms "curl[^"]*" incomplete$' "$DIR/berth.out"
stop_server

# ---- clients that have gone ----

it "notices at once that the client has gone, long before a heartbeat"
serve --heartbeat 1h "$STREAMS"
watch left '/open/left?type=text/event-stream'
expect_soon told "open 1"
started=$(now_ms)
kill -KILL "$(children "$PID")"
expect_soon told "open 0 sent 0 failed 1"
took=$(($(now_ms) - started))
[ -n "${SLOW:-}" ] || [ "$took" -lt 1000 ] || fail "the time until it noticed" "at once" "$took ms"

it "goes on for a client that closes its own direction alone"
sends half 'GET /open/half HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' -h
expect_soon told "open 1"
post half one
post half two
expect_soon grep -q two "$DIR/half.out"
http /end/half
wait_until gone "$PID" || fail "the connection does not end"
expect_equal "the body" "$(shown '3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n')" "$(body half)"
expect_soon told "sent 1 failed 1"
if command -v socat >/dev/null; then
    start bridge bash -c "printf 'GET /open/socat HTTP/1.1\r\nHost: localhost\r\n\r\n' | socat -t 30 - UNIX-CONNECT:'$SOCKET'"
    expect_soon told "open 1"
    post socat through
    expect_soon grep -q through "$DIR/bridge.out"
    http /end/socat
    expect_soon told "open 0 sent 2 failed 1"
fi
stop_server

# ---- clients that do not read ----

it "waits for a reader that stops, and goes on without a gap"
serve "$STREAMS"
http /told
before=$(memory)
reader '/open/slow?ms=1&every=pump&room=pump' 5000
expect_soon told "open 1"
fired() {
    local fired

    http /told
    fired=${BODY#*fired }
    [ "${fired%% *}" -ge "$1" ]
}
expect_soon fired 300
grown=$(($(memory) - before))
[ -n "${SLOW:-}" ] || [ "$grown" -lt 1024 ] || fail "what the worker's memory grew by" "less than 1 MiB" "$grown KiB"
expect_soon told "room 0"
reader_reads
expect_match "what it read" "^5[0-9]+ lines in order rising enough" "$(tail -n 1 "$DIR/reader.out")"
expect_soon told "open 0"
expect_false told "room 0"

it "tells of room only when half of the limit is free"
mkfifo "$DIR/room.fifo"
start sipper python3 -c '
import sys, time
with open(sys.argv[1], "rb", buffering=0) as fifo:
    while fifo.read(65536):
        time.sleep(0.005)
' "$DIR/room.fifo"
watch room '/open/room?ms=100&every=pump&room=half&limit=500000' -o "$DIR/room.fifo"
roomy() {
    http /told
    [[ $BODY =~ room\ ([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge "$1" ]
}
http /told
[[ $BODY =~ room\ ([0-9]+) ]]
expect_soon roomy $((BASH_REMATCH[1] + 5))
http /cut/room
expect_body -32
ended room 18

it "drops whole writes for a reader that stops, and counts them"
http /told
before=$(memory)
reader '/open/lossy?ms=1&every=pump&full=drop&limit=10000' 2000
expect_soon fired 600
grown=$(($(memory) - before))
[ -n "${SLOW:-}" ] || [ "$grown" -lt 1024 ] || fail "what the worker's memory grew by" "less than 1 MiB" "$grown KiB"
reader_reads
expect_match "what it read" "^20[0-9]+ lines out of order rising enough" "$(tail -n 1 "$DIR/reader.out")"
expect_soon told "open 0"
expect_match "what was dropped" "dropped [1-9][0-9]{4}" "$BODY"

it "cuts off a reader that stops"
reader '/open/closed?ms=1&every=pump&full=close' 1000000
expect_soon told "open 0"
reader_reads
expect_match "what it read" "^[0-9]+ lines in order rising cut" "$(tail -n 1 "$DIR/reader.out")"

it "sends what is kept after the end, complete"
reader '/open/rest?ms=1&every=pump' 1000000
expect_soon fired 900
http /end/rest
expect_body -32
expect_soon told "open 1"
reader_reads
expect_match "what it read" "^[0-9]+ lines in order rising complete" "$(tail -n 1 "$DIR/reader.out")"
expect_soon told "open 0"

it "takes a write that is longer than the limit where nothing else waits, and then no other"
reader '/open/large?limit=10' 1
expect_soon told "open 1"
head -c 900000 /dev/zero | tr '\0' '\n' >"$DIR/large"
http /write/large --data-binary "@$DIR/large"
expect_body 0
post large x
expect_body -11
reader_reads
expect_soon told "open 0"

it "is safe whatever its callbacks call"
for in_every in end cut once slower watch; do
    watch every "/open/every?ms=1&every=$in_every"
    case $in_every in
    end) ended every 0 ;;
    cut) ended every 18 ;;
    *)
        expect_soon told "open 1"
        expect_soon fired 901
        http /end/every
        ended every 0
        ;;
    esac
    expect_soon told "open 0"
done
for in_room in end cut; do
    reader "/open/room?ms=1&every=pump&room=$in_room" 1000000
    expect_soon told "open 1"
    expect_soon fired 1000
    reader_reads
    expected=complete
    [ "$in_room" = end ] || expected='cut'
    expect_match "what it read when room is answered with $in_room" "lines in order rising $expected" \
        "$(tail -n 1 "$DIR/reader.out")"
    expect_soon told "open 0"
done
stop_server

# ---- the heartbeat ----

it "says something on streams that are silent, in the form of their type"
serve --heartbeat 100ms "$STREAMS"
watch events '/open/events?type=text/event-stream'
watch lines '/open/lines?type=application/x-ndjson;x=1'
watch plain /open/plain
watch middle '/open/middle?type=text/event-stream'
expect_soon told "open 4"
post middle 'data: in a line'
expect_soon grep -q 'in a line' "$DIR/middle.out"
has_lines() {
    [ "$(wc -l <"$DIR/$1.out")" -ge "$2" ]
}
expect_soon has_lines events $(($(wc -l <"$DIR/events.out") + 3))
expect_soon has_lines lines 3
expect_equal "what an event stream has" ":" "$(sort -u "$DIR/events.out")"
expect_equal "what lines have" "" "$(sort -u "$DIR/lines.out")"
expect_equal "what others have" "" "$(cat "$DIR/plain.out")"
expect_equal "what follows the middle of a line" "data: in a line" "$(tail -n 1 "$DIR/middle.out")"
post middle $'\n\n'
expect_soon grep -qx : "$DIR/middle.out"
for name in events lines plain middle; do
    http "/end/$name"
    ended "$name" 0
done
stop_server

it "says nothing with --heartbeat 0, and nothing too early"
serve --heartbeat 0 "$STREAMS"
watch silent '/open/silent?type=text/event-stream'
watch other '/open/other?ms=50'
expect_soon has_lines other 5
expect_equal "what was said" "" "$(cat "$DIR/silent.out")"
stop_server

# ---- the server's end ----

for signal in TERM HUP; do
    it "lets streams say a last word on $signal, and ends them"
    serve --timeout-graceful-shutdown 20s "$STREAMS"
    watch word /open/word
    watch itself '/open/itself?drain=end'
    watch early '/open/early?drain=cut'
    expect_soon told "open 3"
    kill "-$signal" "$SERVER"
    ended word 0
    expect_equal "the last word" "last word" "$(cat "$DIR/word.out")"
    ended itself 0
    expect_equal "the last word of one that ends itself" "last word" "$(cat "$DIR/itself.out")"
    ended early 18
    expect_log "streams: 2 sent, 1 failed, 3 drained"
    [ "$signal" != HUP ] || stop_server
    expect_soon gone "$SERVER"
done

it "leaves a stream that wants to end itself until --timeout-graceful-shutdown, and tells it then"
serve --timeout-graceful-shutdown 300ms "$STREAMS"
watch keeps '/open/keeps?drain=keep'
expect_soon told "open 1"
stop_server
ended keeps 18
expect_equal "the last word" "last word" "$(cat "$DIR/keeps.out")"
expect_log "streams: 0 sent, 1 failed, 1 drained"
expect_false grep -q "was not told" "$DIR/berth.log"

it "drains a stream that begins when the server is already ending"
serve --timeout-graceful-shutdown 20s "$STREAMS"
cat >"$DIR/late.py" <<'PYTHON'
import socket, sys

s = socket.socket(socket.AF_UNIX)
s.settimeout(30)
s.connect(sys.argv[1])
s.sendall(b"GET /lines/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
first = b""
while not first.endswith(b"\r\n0\r\n\r\n"):
    first += s.recv(4096)
print("asked", flush=True)
sys.stdin.readline()
s.sendall(b"GET /open/late HTTP/1.1\r\nHost: localhost\r\n\r\n")
late = b""
while piece := s.recv(4096):
    late += piece
print("close" if b"\r\nConnection: close\r\n" in late else "kept", late.split(b"\r\n\r\n", 1)[1], flush=True)
PYTHON
rm -f "$DIR/go"
mkfifo "$DIR/go"
python3 "$DIR/late.py" "$SOCKET" <"$DIR/go" >"$DIR/late.out" 2>"$DIR/late.log" &
READER=$!
PIDS+=("$READER")
exec 7>"$DIR/go"
expect_soon grep -q asked "$DIR/late.out"
kill -TERM "$SERVER"
expect_soon test ! -e "$SOCKET"
reader_reads
expect_equal "what it got" "close b'a\\r\\nlast word\\n\\r\\n0\\r\\n\\r\\n'" "$(tail -n 1 "$DIR/late.out")"
expect_soon gone "$SERVER"

it "cuts all of them on INT, and tells the application"
serve "$STREAMS"
watch first /open/first
expect_soon told "open 1"
stop_server INT
ended first 18
expect_log "streams: 0 sent, 1 failed"
expect_false grep -q "was not told" "$DIR/berth.log"

it "shows a worker's crash as a cut"
serve "$STREAMS"
watch crash /open/crash
expect_soon told "open 1"
post crash 'before'
http /crash
ended crash 18
stop_server

# ---- many ----

it "leaves nothing behind of a thousand streams"
ulimit -n 4096 2>/dev/null || skip "no thousand descriptors here"
serve --limit-connections 1100 "$STREAMS"
cat >"$DIR/many.py" <<'PYTHON'
import socket, sys

def connect(i, type):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(sys.argv[1])
    s.sendall(f"GET /open/many{i}?type={type} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return s

clients = [connect(i, "text/event-stream") for i in range(1000)]
for client in clients:
    assert client.recv(4096).startswith(b"HTTP/1.1 200")
print("open", flush=True)
sys.stdin.readline()
PYTHON
many() {
    rm -f "$DIR/go"
    mkfifo "$DIR/go"
    : >"$DIR/many.out"
    python3 "$DIR/many.py" "$SOCKET" <"$DIR/go" >"$DIR/many.out" 2>"$DIR/many.log" &
    PIDS+=($!)
    exec 7>"$DIR/go"
    expect_soon grep -q open "$DIR/many.out"
    expect_soon told "open 1000"
    MEMORY=$(memory)
    exec 7>&-
    expect_soon told "open 0"
}
http /told
fds=$(descriptors)
for _ in 1 2 3 4; do # the allocator finds its places
    many
done
expect_soon descriptors_are "$fds"
before=$MEMORY
for _ in 1 2 3; do
    many
done
expect_soon descriptors_are "$fds"
grown=$((MEMORY - before))
[ -n "${SLOW:-}" ] || [ "$grown" -lt 1024 ] || fail "what three thousand more cost" "less than 1 MiB" "$grown KiB"
stop_server
expect_code 0

no_reports
finish
