#!/usr/bin/env bash
# The server about itself: what status shows, to whom, and that what it counts is right, whatever happens to workers.
. "$(dirname "$0")/lib.sh"
rounds=${ROUNDS:-20}
METRICS=$SUPPORT/metrics

# figure NAME{LABELS}: its value in /metrics; 0 where there is none
figure() {
    curl -s --max-time "$PATIENCE" --unix-socket "$SOCKET" http://localhost/metrics >"$DIR/metrics"
    awk -v name="$1" 'substr($0, 1, length(name) + 1) == name " " { print substr($0, length(name) + 2); found = 1 }
        END { if (!found) print 0 }' "$DIR/metrics"
}

figure_is() {
    [ "$(figure "$1")" = "$2" ]
}

# expect_figure NAME{LABELS} VALUE: a request is counted in the moment after its answer was sent
expect_figure() {
    wait_until figure_is "$1" "$2" || fail "the figure $1" "$2" "$(figure "$1")"
}

# All requests by route, added up.
requests() {
    curl -s --max-time "$PATIENCE" --unix-socket "$SOCKET" http://localhost/metrics |
        awk '/^berth_requests_total\{/ && !/route="\/metrics"/ { n += $NF } END { print n + 0 }'
}

requests_are() {
    [ "$(requests)" -eq "$1" ]
}

# Three that look all the time.
watch_start() {
    local i

    WATCHERS=()
    for i in 1 2 3; do
        start "watch$i" "$METRICS" -w "$SOCKET"
        WATCHERS+=("$PID")
        wait_until grep -q running "$DIR/watch$i.out" || bail "the metrics cannot be read" "" "$(cat "$DIR/watch$i.log")"
    done
}

watch_stop() {
    local pid

    for pid in "${WATCHERS[@]}"; do
        kill -TERM "$pid" 2>/dev/null
        wait "$pid" || fail "a reader that looked all the time is content" "" "$(cat "$DIR"/watch?.log)"
    done
    echo "  ($(cat "$DIR"/watch?.out | awk '$1 == "readings" { n += $2 } END { print n }') readings)"
}

another_worker() {
    workers_are 2 && ! workers | grep -qx "$victim"
}

all_new() {
    workers_are 2 && [ -z "$(comm -12 <(sort <<<"$before") <(workers | sort))" ]
}

# ---- what there is without an application ----

serve

it "serves its site and status when no application is named"
http /
expect_status 200
expect_header Content-Type "text/html; charset=utf-8"
http /index
expect_status 200
expect_match "the page" "<h1>Hello, world!</h1>" "$BODY"

it "answers a ping"
http /_ping
expect_status 200
expect_body OK
expect_header Content-Type "text/plain; charset=utf-8"
expect_header Content-Length 2
expect_header Cache-Control no-store
http /_ping --head
expect_status 200
expect_header Content-Length 2
expect_header Cache-Control no-store
http /_ping -X POST
expect_status 405

it "tells its version, and when it was started"
http /version
expect_status 200
expect_header Content-Type application/json
expect_header Cache-Control no-store
expect_match "the version" "\"version\":\"$("$BERTH" --version | sed 's/berth \([^ ]*\) .*/\1/')\"" "$BODY"
expect_match "the ABI" '"abi":[0-9]+,' "$BODY"
expect_match "the libraries" '"libmicrohttpd":"[01]\.[0-9.]+","libuv":"1\.[0-9.]+","jansson":"2\.[0-9.]+"' "$BODY"
expect_match "the kernel" "\"kernel\":\"Linux $(uname -r)\"" "$BODY"
started=$(sed -n 's/.*"started":"\([^"]*\)".*/\1/p' <<<"$BODY")
expect_match "the start" '^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z$' "$started"
age=$(($(date +%s) - $(date -d "$started" +%s)))
expect_match "seconds since the start" '^[0-9]{1,2}$' "$age"

it "is healthy"
http /healthz
expect_status 200
expect_header Cache-Control no-store
expect_body '{"status":"ready"}'

it "lists applications and routes"
http /routes
expect_status 200
expect_header Cache-Control no-store
expect_match "the site" '\{"name":"site","app":"site:[^"]*/www","mount":"/","routes":\[' "$BODY"
expect_match "status" '\{"method":"GET","path":"/metrics"\}' "$BODY"

it "shows figures in the form of Prometheus"
run "$METRICS" "$SOCKET"
expect_code 0
expect_equal "what is wrong with them" "" "$ERR"
expect_match "the memory of the supervisor" '^berth_resident_memory_bytes\{process="supervisor"\} [1-9]' \
    "$(curl -s --unix-socket "$SOCKET" http://localhost/metrics)"
stop_server
expect_code 0

it "can be below a mount"
serve /about=status "$PROBE"
http /about/_ping
expect_body OK
http /_ping
expect_status 404
http /about/routes
expect_match "its path" '"path":"/about/metrics"' "$BODY"
stop_server

# ---- what is counted ----

serve --workers 2 --limit-connections 50 status /x="$PROBE"
wait_until workers_are 2

it "counts requests by route and class"
for _ in 1 2 3 4 5; do
    http /x/pid
done
http /x/return/418
http /x/return/503
http /nowhere
http /x/bytes/1000
expect_figure 'berth_requests_total{method="GET",route="/x/pid",class="2xx"}' 5
expect_figure 'berth_requests_total{method="GET",route="/x/return/{value}",class="4xx"}' 1
expect_figure 'berth_requests_total{method="GET",route="/x/return/{value}",class="5xx"}' 1
expect_figure 'berth_requests_total{method="none",route="none",class="4xx"}' 2 # one was to see whether it answers
expect_figure 'berth_requests_total{method="GET",route="/x/bytes/{size}",class="2xx"}' 1

it "counts what ended without a reply"
curl -s --max-time 0.2 --unix-socket "$SOCKET" http://localhost/x/hold
expect_figure 'berth_requests_total{method="GET",route="/x/hold",class="none"}' 1

it "shows held replies and open connections"
start held curl -s --unix-socket "$SOCKET" http://localhost/x/hold
expect_figure berth_held_replies 1
expect_figure berth_connections 2 # and the one that asks
kill "$PID"
expect_figure berth_held_replies 0
expect_figure berth_connections 1

it "shows whose connections they are, of all workers"
me=$(id -u)
name=$(id -un)
holders=()
for i in 1 2 3; do
    start "held$i" curl -s --unix-socket "$SOCKET" http://localhost/x/hold
    holders+=("$PID")
done
wait_until figure_is berth_held_replies 3
expect_figure "berth_connections_by_user{uid=\"$me\",user=\"$name\"}" 4 # and the one that asks
if [ "$me" -eq 0 ] && command -v setpriv >/dev/null; then
    chmod 666 "$SOCKET"
    start stranger setpriv --reuid 54321 --regid 54321 --clear-groups curl -s --unix-socket "$SOCKET" \
        http://localhost/x/hold
    expect_figure 'berth_connections_by_user{uid="54321"}' 1
    kill "$PID"
    expect_figure 'berth_connections_by_user{uid="54321"}' 0
fi
kill "${holders[@]}"
expect_figure "berth_connections_by_user{uid=\"$me\",user=\"$name\"}" 1

it "measures how long requests take"
before=$(figure 'berth_request_duration_seconds_bucket{le="0.1"}')
slow=$(figure 'berth_request_duration_seconds_bucket{le="+Inf"}')
slow=$((slow - before))
http /x/later/150
http /x/later/200
wait_until figure_is 'berth_requests_total{method="GET",route="/x/later/{ms}",class="2xx"}' 2
quick=$(figure 'berth_request_duration_seconds_bucket{le="0.1"}')
total=$(figure 'berth_request_duration_seconds_bucket{le="+Inf"}')
expect_match "their time" '^0\.[3-9]' "$(figure 'berth_route_seconds_total{method="GET",route="/x/later/{ms}"}')"
[ $((total - quick)) -ge $((slow + 2)) ] || fail "slow requests" "$((slow + 2))" "$((total - quick))"

it "counts what libmicrohttpd answers by itself, once"
host='Host: localhost\r\n'
long=$(head -c 100000 /dev/zero | tr '\0' a)
raw "GET /$long HTTP/1.1\r\n$host\r\n"
expect_status 414
raw "GET / HTTP/1.1\r\n${host}X: $long\r\n\r\n"
expect_status 431
raw "GET / HTTP/9.9\r\n$host\r\n"
expect_status 505
raw "GET / HTTP/1.1\r\n${host}nocolon\r\n\r\n"
expect_status 400
raw "POST /x/body HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n"
expect_status 400
raw "GET / FTP/1.1\r\n$host\r\n"
expect_status 400
expect_figure 'berth_library_errors_total{status="414"}' 1
expect_figure 'berth_library_errors_total{status="431"}' 1
expect_figure 'berth_library_errors_total{status="505"}' 1
expect_figure 'berth_library_errors_total{status="400"}' 3
expect_figure 'berth_library_errors_total{status="other"}' 0
expect_figure 'berth_requests_total{method="POST",route="/x/body",class="4xx"}' 1

it "counts as many requests as were sent, and all of them in the histogram"
before=$(requests)
run "$SUPPORT/load" -c 8 -n 5000 -p /x/pid "$SOCKET"
expect_equal "requests answered" 5000 "$(awk '$1 == "answered" { print $2 }' <<<"$OUT")"
wait_until requests_are $((before + 5000)) || fail "requests counted" "$((before + 5000))" "$(requests)"
expect_equal "those in the histogram" \
    "$(awk '/^berth_request_duration_seconds_count/ { print $2 }' "$DIR/metrics")" \
    "$(awk '/^berth_request_duration_seconds_bucket.*Inf/ { print $2 }' "$DIR/metrics")"
figure x >/dev/null
expect_equal "the histogram and the sum of all routes" \
    "$(awk '/^berth_requests_total/ { n += $NF } END { print n }' "$DIR/metrics")" \
    "$(awk '/^berth_request_duration_seconds_count/ { print $2 }' "$DIR/metrics")"

# ---- whatever happens ----

it "loses no count when a worker that rests is killed"
before=$(requests)
for _ in 1 2 3 4; do
    victim=$(workers | head -n 1)
    kill -KILL "$victim"
    wait_until another_worker || bail "worker $victim was not replaced"
    expect_equal "requests counted" "$before" "$(requests)"
done
expect_figure 'berth_worker_restarts_total{reason="signal"}' 4

it "lets no counter fall in $rounds SIGKILLs under load"
watch_start
load_start -c 8 -p /x/pid
for ((round = 0; round < rounds; round++)); do
    wait_until workers_are 2
    victim=$(workers | sed -n "$((round % 2 + 1))p")
    kill -KILL "$victim"
    wait_until another_worker || bail "worker $victim was not replaced in round $round"
done
load_stop
watch_stop
expect_figure 'berth_worker_restarts_total{reason="signal"}' $((4 + rounds))
# One that is killed may have sent one answer more than it has counted; and none that it has not sent.
counted=$(($(requests) - before))
answered=$(load_count answered)
[ "$counted" -ge $((answered - rounds)) ] || fail "requests counted" "about $answered" "$counted"
[ "$counted" -le $((answered + $(load_count lost))) ] || fail "requests counted" "about $answered" "$counted"

it "nor in $rounds reloads under load, and then has counted every request"
before=$(requests)
watch_start
load_start -c 8 -p /x/pid
for ((round = 0; round < rounds; round++)); do
    old=$before
    before=$(workers)
    kill -HUP "$SERVER"
    wait_until all_new || bail "reload $round did not come about"
    before=$old
done
load_stop
watch_stop
answered=$(load_count answered)
wait_until requests_are $((before + answered)) || fail "requests counted" "$((before + answered))" "$(requests)"
expect_figure 'berth_reloads_total{result="succeeded"}' "$rounds"
expect_figure 'berth_reloads_total{result="failed"}' 0

it "counts a worker that hangs, and those that retire"
stop_server
serve --workers 1 --worker-timeout 500ms --max-requests 40 status /x="$PROBE"
http /x/block/3000 --max-time 5
expect_figure 'berth_worker_restarts_total{reason="timeout"}' 1
run "$SUPPORT/load" -c 1 -n 100 -p /x/pid "$SOCKET"
expect_code 0
[ "$(figure 'berth_worker_restarts_total{reason="max-requests"}')" -ge 1 ] || fail "workers that retired"

it "says that it drains to whoever kept a connection"
stop_server
serve --timeout-graceful-shutdown 5s status "$PROBE"
coproc KEPT { exec socat -t5 - "UNIX-CONNECT:$SOCKET"; }
PIDS+=("$KEPT_PID")
printf 'GET /_ping HTTP/1.1\r\nHost: localhost\r\n\r\n' >&"${KEPT[1]}"
read -r -t "$PATIENCE" line <&"${KEPT[0]}"
expect_match "the answer" "^HTTP/1.1 200" "$line"
kill -TERM "$SERVER"
expect_gone_soon() { [ ! -e "$SOCKET" ]; }
expect_soon expect_gone_soon
expect_log draining
printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n' >&"${KEPT[1]}"
answer=$(timeout "$PATIENCE" cat <&"${KEPT[0]}")
expect_match "the answer" 'HTTP/1.1 503' "$answer"
expect_match "the body" '^\{"status":"draining"\}' "$answer"
expect_soon gone "$SERVER"

# ---- who may see it ----

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
    it "shows figures and routes to its own user and root only"
    serve --socket-mode 0666 status
    for target in /_ping /version /healthz; do
        http_as 54321 "$target"
        expect_status 200
    done
    for target in /metrics /routes; do
        http_as 54321 "$target"
        expect_status 403
        expect_match "the problem" "\"status\":403,\"detail\":\"this is for the server's own user and root only\"" \
            "$BODY"
    done
    http /metrics
    expect_status 200

    it "counts as another user too"
    stop_server
    serve --user nobody --group nogroup --socket-mode 0666 status
    http /metrics
    expect_status 200
    expect_match "the ping" 'berth_resident_memory_bytes\{process="worker 1"\} [1-9]' "$BODY"
    run "$METRICS" "$SOCKET"
    expect_code 0
    stop_server
fi

finish
