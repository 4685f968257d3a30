#!/usr/bin/env bash
# An EventSource in a browser: gets what is published, comes back by itself when its worker is killed, and misses
# nothing. A browser speaks no Unix sockets: socat stands between.
. "$(dirname "$0")/lib.sh"
need chromium socat python3 jq
count=300
[ -z "${SLOW:-}" ] || count=60

mkdir "$DIR/site"
cat >"$DIR/site/watch.html" <<'END'
<!doctype html>
<title>watch</title>
<script>
"use strict";
const wanted = Number(new URLSearchParams(location.search).get("count"));
const ids = [];
let opened = 0, done = false;
const source = new EventSource("/events?since_id=0");
source.onopen = () => { opened += 1; fetch("/opened?" + opened); };
source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (String(event.id) !== message.lastEventId) ids.push("odd");
    ids.push(event.id);
    if (ids.length < wanted || done) return;
    done = true;
    const straight = ids.every((id, i) => i === 0 || id === ids[i - 1] + 1);
    fetch("/result?" + (straight && ids.length === wanted ? "straight" : "broken:" + ids.join("-")) + "&" + opened);
};
</script>
END

serve --workers 2 --access-log "$DIR/access.log" "/=site:$DIR/site" /events=events
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
start bridge socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" "UNIX-CONNECT:$SOCKET"

seen() {
    grep -qF "$1" "$DIR/access.log"
}

publish() {
    local i

    for ((i = 0; i < $1; i++)); do
        curl -s --retry 5 --retry-all-errors -o /dev/null --unix-socket "$SOCKET" -H 'Content-Type: application/json' \
            -d "{\"type\":\"test\",\"data\":$i}" http://localhost/events || fail "publishing" "201" "nothing"
    done
}

it "shows an EventSource every event once, in order, over two cuts"
PATIENCE=60
start chromium chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$DIR/profile" \
    "http://localhost:$port/watch.html?count=$count"
expect_soon seen "/opened?1"
publish $((count / 3))
for pid in $(workers); do
    kill -KILL "$pid"
done
expect_soon workers_are 2
publish $((count / 3))
expect_soon seen "/opened?2"
for pid in $(workers); do
    kill -KILL "$pid"
done
expect_soon workers_are 2
publish $((count - 2 * (count / 3)))
expect_soon seen "/result?"
expect_match "what the page found" '/result\?straight&[3-9]"' "$(grep -F '/result?' "$DIR/access.log")"

kill -TERM "$PID" 2>/dev/null
stop_server
finish
