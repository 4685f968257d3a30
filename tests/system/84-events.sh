#!/usr/bin/env bash
# The log of events, as its readers and publishers see it.
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
need curl jq socat

# serve_events ARGUMENT…: with a log of 1 MiB
serve_events() {
    serve --event-log-size 1M "$@" /events=events status
}

# publish JSON: one event; its id is in $ID
publish() {
    http /events -H 'Content-Type: application/json' --data-binary "$1"
    expect_status 201
    ID=$(jq -r '.ids[0]' <<<"$BODY")
}

# follow NAME [QUERY [CURL'S ARGUMENTS…]]: in the background, to $DIR/NAME.out; returns when it has its head
follow() {
    local name=$1 query=${2:-}

    shift $(($# > 1 ? 2 : 1))
    start "$name" curl -sN -D "$DIR/$name.head" --unix-socket "$SOCKET" "$@" "http://localhost/events$query"
    READER=$PID
    wait_until grep -q '^.$' "$DIR/$name.head" || bail "no answer to $name"
}

# has NAME COUNT: whether it has got so many lines of events
has() {
    [ "$(grep -c '"type"' "$DIR/$1.out")" -ge "$2" ]
}

# ids NAME / types NAME: of what it has got, in a line
ids() {
    jq -r .id "$DIR/$1.out" | tr '\n' ' '
}
types() {
    sed 's/^data: //; /^[a-z]*:/d; /^:/d' "$DIR/$1.out" | jq -r .type | tr '\n' ' '
}

# past QUERY: the types of what there is, in a line in $TYPES, the ids in $IDS
past() {
    http "/events?follow=0&$1"
    expect_status 200
    TYPES=$(jq -r .type "$DIR/body" | tr '\n' ' ')
    IDS=$(jq -r .id "$DIR/body" | tr '\n' ' ')
}

expect_400() {
    http "$1" "${@:3}"
    expect_status 400
    expect_match "what is wrong" "$2" "$(jq -r .detail <<<"$BODY")"
}

serve_events --datagram "events:$DIR/datagrams.sock"

it "follows what is published, in both forms"
follow lines
follow sse '' -H 'Accept: text/event-stream'
publish '{"type":"deploy","data":{"v":2}}'
expect_soon has lines 1
expect_soon has sse 1
expect_equal "the event" "$(printf '[%s,"deploy",{"v":2},%s]' "$ID" "$(id -u)")" \
    "$(jq -c '[.id,.type,.data,.peer.uid]' "$DIR/lines.out")"
expect_equal "its data field" "$(cat "$DIR/lines.out")" "$(sed -n 's/^data: //p' "$DIR/sse.out")"
expect_equal "its id field" "$ID" "$(sed -n 's/^id: //p' "$DIR/sse.out")"
FIRST=$ID

it "answers with a head without framing"
HEAD=$(tr -d '\r' <"$DIR/lines.head")
expect_equal "the status line" "HTTP/1.1 200 OK" "${HEAD%%$'\n'*}"
expect_header Content-Type application/x-ndjson
expect_header Cache-Control no-store
expect_header X-Accel-Buffering no
expect_header Connection close
expect_header Content-Length ""
expect_header Transfer-Encoding ""
HEAD=$(tr -d '\r' <"$DIR/sse.head")
expect_header Content-Type text/event-stream

it "answers HEAD"
http /events -I
expect_status 200
expect_header Content-Type application/x-ndjson

it "shows a datagram in every open stream"
echo '{"type":"by.datagram","data":{"v":3}}' | socat - "unix-sendto:$DIR/datagrams.sock"
expect_soon has lines 2
expect_soon has sse 2
expect_equal "the types" "deploy by.datagram " "$(types lines)"
expect_equal "the types" "deploy by.datagram " "$(types sse)"

it "takes many, all of them"
printf '{"type":"job.a","data":1}\n\n{"type":"job.b","data":2}\n{"data":"x"}\n' >"$DIR/many"
http /events -H 'Content-Type: application/x-ndjson' --data-binary "@$DIR/many"
expect_status 201
expect_soon has lines 5
expect_equal "the ids" "$(jq -r '.ids | map(tostring) | join(" ")' <<<"$BODY")" "$(tail -n 3 "$DIR/lines.out" | jq -r .id | xargs)"
expect_equal "the types" "deploy by.datagram job.a job.b message " "$(types lines)"

it "takes none where one is bad, and names its line"
printf '{"type":"good"}\n\n{"type":"bad type"}\n' >"$DIR/many"
expect_400 /events '^line 3: ' -H 'Content-Type: application/x-ndjson' --data-binary "@$DIR/many"
printf '{"type":"good"}\n{"type":"berth.own"}\n' >"$DIR/many"
expect_400 /events '^line 2: ' -H 'Content-Type: application/x-ndjson' --data-binary "@$DIR/many"
expect_400 /events 'no event' -H 'Content-Type: application/x-ndjson' --data-binary $'\n'
expect_400 /events . -H 'Content-Type: application/json' --data-binary '{"type":"good"'
past type=good
expect_equal "what was stored" "" "$TYPES"

it "takes no other types, and nothing too large"
http /events -H 'Content-Type: text/plain' --data-binary x
expect_status 415
expect_match "the types that it takes" 'application/json.*application/x-ndjson' "$BODY"
{ printf '{"data":"'; head -c 65536 /dev/zero | tr '\0' x; printf '"}'; } >"$DIR/large"
http /events -H 'Content-Type: application/json' --data-binary "@$DIR/large"
expect_status 413
{ printf '{"data":"'; head -c 65527 /dev/zero | tr '\0' x; printf '"}'; } >"$DIR/largest"
http /events -H 'Content-Type: application/json' --data-binary "@$DIR/largest"
expect_status 201
expect_soon has lines 6
head -c 1048575 /dev/zero | tr '\0' x | sed 's/xxx/{}\n/g' >"$DIR/many"
http /events -H 'Content-Type: application/x-ndjson' --data-binary "@$DIR/many"
expect_status 413
expect_match "why so many are not taken" '^these are more events than can be stored at once' "$(jq -r .detail <<<"$BODY")"

it "begins behind an id, at every boundary"
past since_id=0
ALL=$IDS
read -r -a all <<<"$IDS"
for i in "${!all[@]}"; do
    past "since_id=${all[i]}"
    expect_equal "the ids behind ${all[i]}" "${all[*]:i+1}" "${IDS% }"
done
past "since_id=$((FIRST - 1))"
expect_equal "the ids" "$ALL" "$IDS"
http "/events?follow=0&since_id=${all[0]}" -H "Last-Event-ID: ${all[2]}"
expect_equal "what Last-Event-ID says" "${all[*]:3}" "$(jq -r .id <<<"$BODY" | xargs)"

it "says that an id is not of this log"
http "/events?follow=0&since_id=5"
expect_equal "the first line" '{"type":"berth.missed","data":{"missed":null}}' "$(head -n 1 "$DIR/body")"
expect_equal "then all" "${ALL% }" "$(tail -n +2 "$DIR/body" | jq -r .id | xargs)"
http "/events?follow=0&format=sse&since_id=5"
expect_equal "without an id" 'data: {"type":"berth.missed","data":{"missed":null}}' \
    "$(grep -m 1 -B 1 berth.missed "$DIR/body" | tail -n 1)"
expect_equal "before it" "retry: 1000||data: {\"type\":\"berth.missed\"" \
    "$(head -n 3 "$DIR/body" | tr '\n' '|' | cut -c 1-41)"
http "/events?follow=0&since_id=18446744073709551615"
expect_equal "all of it" '{"type":"berth.missed","data":{"missed":null}}' "$BODY"

it "begins and ends at times, at every boundary"
past since_id=0
mapfile -t at < <(jq -r '.time * 1000000 | round' "$DIR/body")
for i in "${!all[@]}"; do
    since=$(printf '%d.%06d' $((at[i] / 1000000)) $((at[i] % 1000000)))
    from=$(jq -r --argjson t "${at[i]}" 'select((.time * 1000000 | round) >= $t) | .id' "$DIR/body" | xargs)
    before=$(jq -r --argjson t "${at[i]}" 'select((.time * 1000000 | round) < $t) | .id' "$DIR/body" | xargs)
    cp "$DIR/body" "$DIR/everything"
    past "since=$since"
    expect_equal "from $since on" "$from" "${IDS% }"
    past "until=$since"
    expect_equal "before $since" "$before" "${IDS% }"
    cp "$DIR/everything" "$DIR/body"
done
past since=9999999999
expect_equal "from the future" "" "$IDS"

it "ends by itself at a time that comes"
until=$(awk -v now="$EPOCHREALTIME" 'BEGIN { printf "%.3f", now + 0.5 }')
follow until "?since_id=${all[4]}&until=$until"
expect_soon gone "$READER"
expect_equal "what it got" "${all[5]} " "$(ids until)"

it "passes the types that are asked for"
past "type=job.*"
expect_equal "job.*" "job.a job.b " "$TYPES"
past "type=job.b&type=deploy"
expect_equal "two" "deploy job.b " "$TYPES"
past "type=job"
expect_equal "none" "" "$TYPES"
follow some "?type=news.*"
publish '{"type":"old"}'
publish '{"type":"news.one"}'
expect_soon has some 1
expect_equal "what it got" "news.one " "$(types some)"

it "names the parameter that is bad"
expect_400 '/events?since=yesterday' '^since: "yesterday" '
expect_400 '/events?until=-1' '^until: "-1" '
expect_400 '/events?since_id=x' '^since_id: "x" '
expect_400 '/events' '^Last-Event-ID: "x" ' -H 'Last-Event-ID: x'
expect_400 '/events?follow=yes' '^follow: "yes" '
expect_400 '/events?format=xml' '^format: "xml" '
expect_400 '/events?type=a%20b' '^type: "a b" '
expect_400 "/events?$(printf 'type=a%d&' {1..65})" '^type: at most 64'

it "counts"
http /metrics
expect_match "events" '^berth_events_stored_total 8$' "$BODY"
expect_match "datagrams" '^berth_events_datagrams_total 1$' "$BODY"
expect_match "subscribers" '^berth_events_subscribers 3$' "$BODY"

it "notices at once that a client has gone, and not one that has shut its writing side"
kill "$READER"
subscribers_are() {
    http /metrics && grep -q "^berth_events_subscribers $1\$" <<<"$BODY"
}
expect_soon subscribers_are 2
printf 'GET /events HTTP/1.1\r\nHost: x\r\n\r\n' >"$DIR/half"
start half socat -t 60 "FILE:$DIR/half!!OPEN:$DIR/half.got,creat,append" "UNIX-CONNECT:$SOCKET"
expect_soon subscribers_are 3
publish '{"type":"for.half"}'
expect_soon grep -q for.half "$DIR/half.got"
kill "$PID"

it "neither waits for a slow reader nor grows with it, and tells it what it missed"
follow slow '?type=*'
SLOW_READER=$READER
kill -STOP "$SLOW_READER"
follow fast
before=$(awk '/^VmRSS/ { print $2 }' "/proc/$(workers)/status")
for ((i = 0; i < 40; i++)); do
    http /events -H 'Content-Type: application/json' --data-binary "@$DIR/largest"
    [ "$STATUS" = 201 ] || fail "the status" 201 "$STATUS"
done
publish '{"type":"last"}'
expect_soon grep -q '"last"' "$DIR/fast.out"
expect_true has fast 41
after=$(awk '/^VmRSS/ { print $2 }' "/proc/$(workers)/status")
[ "$after" -lt $((before + 3000)) ] || [ -n "${SLOW:-}" ] || fail "the memory" "not above $before KiB" "$after KiB"
kill -CONT "$SLOW_READER"
expect_soon grep -q '"last"' "$DIR/slow.out"
missed=$(jq -r 'select(.type == "berth.missed") | .data.missed' "$DIR/slow.out")
[ "${missed:-0}" -gt 0 ] || fail "how many it missed" "more than 0" "$missed"
got=$(jq -r 'select(.type != "berth.missed") | .id' "$DIR/slow.out" | wc -l)
expect_equal "got and missed" 41 $((missed + got))

it "sends signs of life to those who get nothing"
stop_server
expect_code 0
rm -f "$DIR"/*.out
serve_events --heartbeat 200ms
follow lines
follow sse '?format=sse'
two_signs() {
    [ "$(grep -c '^$' "$DIR/lines.out")" -ge 2 ] && [ "$(grep -c '^:$' "$DIR/sse.out")" -ge 2 ]
}
expect_soon two_signs

it "ends streams when it drains, with all that there was"
for i in {1..20}; do
    publish "{\"type\":\"n$i\"}"
done
stop_server
expect_code 0
expect_equal "the last one" n20 "$(jq -rs 'last.type' "$DIR/lines.out")"
expect_equal "how many" 20 "$(grep -c '"type"' "$DIR/lines.out")"
expect_equal "how many" 20 "$(grep -c '^data: ' "$DIR/sse.out")"

# collect: follows as a browser does, from one stream to the next; ids to $DIR/collected
collect() {
    local last=

    : >"$DIR/collected"
    until [ -e "$DIR/enough" ]; do
        curl -sN --unix-socket "$SOCKET" ${last:+-H "Last-Event-ID: $last"} "http://localhost/events?format=sse&since_id=0" |
            sed -un 's/^id: //p' >>"$DIR/collected"
        last=$(tail -n 1 "$DIR/collected")
        sleep 0.05
    done
}

it "loses nothing for a reader that comes back, over a worker's death and a reload"
serve_events --workers 2
start collector bash -c "$(declare -f collect); SOCKET=$SOCKET DIR=$DIR; collect"
COLLECTOR=$PID
: >"$DIR/published"
for i in {1..60}; do
    case $i in
    15 | 45) kill -KILL "$(workers | head -n 1)" ;;
    30) kill -HUP "$SERVER" ;;
    esac
    for _ in {1..50}; do
        http /events -H 'Content-Type: application/json' --data-binary "{\"type\":\"n\",\"data\":$i}"
        [ "$STATUS" != 201 ] || break
        sleep 0.05
    done
    expect_status 201
    jq -r '.ids[]' <<<"$BODY" >>"$DIR/published"
done
all_collected() {
    [ "$(tail -n 1 "$DIR/collected")" = "$(tail -n 1 "$DIR/published")" ]
}
expect_soon all_collected
touch "$DIR/enough"
expect_equal "what was collected, but not once and in order" "" \
    "$(diff <(sort -n "$DIR/collected") <(sort -nu "$DIR/collected"))"
expect_equal "what was published, and not collected" "" \
    "$(comm -23 <(sort "$DIR/published") <(sort "$DIR/collected"))"
stop_server
expect_code 0
expect_soon gone "$COLLECTOR"

if command -v python3 >/dev/null; then
    it "keeps answering others while many filters are gone through"
    serve --limit-connections 1000 /events=events
    # 800 readers, each with filters of its own that say no only at their ends; then 20,000 events at once. Meanwhile
    # others ask, and the longest that one of them waited is told, as a part of all the time that it took.
    python3 - "$SOCKET" >"$DIR/waited" <<'PYTHON' || fail "the readers with many filters"
import http.client, socket, sys, threading, time

def connect():
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(60)
    connection.connect(sys.argv[1])
    return connection

def ask(request):
    connection = connect()
    connection.sendall(request)
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, connection

def get(target):
    return ask(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

common = "x" * 40
readers = [get("/events?" + "&".join(f"type={common}{reader}.{i}" for i in range(60)))[1] for reader in range(800)]
last = get("/events?type=last")[1]
body = f'{{"type":"{common}zzzzz"}}\n'.encode() * 10000
waits = []
over = threading.Event()

def wait():
    while not over.is_set():
        began = time.monotonic()
        get("/_ping")[1].close()
        waits.append(time.monotonic() - began)

began = time.monotonic()
waiter = threading.Thread(target=wait, daemon=True)
waiter.start()
for more in body, body, b'{"type":"last"}\n':
    status, connection = ask(b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
                             b"Content-Length: %d\r\n\r\n" % len(more) + more)
    assert status == 201, status
    connection.close()
last.recv(1)
over.set()
waiter.join()
print(int(100 * max(waits) / (time.monotonic() - began)), f"{max(waits):.3f} s of {time.monotonic() - began:.3f} s")
PYTHON
    WAITED=$(cat "$DIR/waited")
    [ "${WAITED%% *}" -lt 15 ] || fail "somebody waited for so many percent of the time: $WAITED"
    stop_server
    expect_code 0
fi

if [ "$(id -u)" -eq 0 ] && id nobody >/dev/null 2>&1; then
    it "lets others read, and not publish"
    serve_events --socket-mode 0666
    as_nobody() {
        setpriv --reuid nobody --clear-groups curl -s --max-time "$PATIENCE" --unix-socket "$SOCKET" "$@"
    }
    expect_equal "the status of POST" 403 "$(as_nobody -o "$DIR/body" -w '%{http_code}' \
        -H 'Content-Type: application/json' -d '{}' http://localhost/events)"
    publish '{"type":"seen"}'
    expect_equal "what nobody reads" seen "$(as_nobody 'http://localhost/events?follow=0' | jq -r .type)"
    stop_server
    expect_code 0
fi

finish
