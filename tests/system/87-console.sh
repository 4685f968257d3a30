#!/usr/bin/env bash
# The console in a browser: what it shows to whom, through socat and through nginx, over restarts, and by keyboard.
# Pictures of it stay in the build folder: tests/system/console-*.png
# shellcheck source=tests/system/lib.sh
. "$(dirname "$0")/lib.sh"
need chromium nginx socat python3 jq curl
need_root # a trusted proxy is another user than the server's own

PICTURES=$BUILDDIR/tests/system
[ -z "${SLOW:-}" ] || PATIENCE=60
PATIENCE=$((PATIENCE < 15 ? 15 : PATIENCE))
PROXY_USER=www-data
IDS=()
RULES=()

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# The default set, with the page.
serve_console() {
    serve --workers 2 --event-log "$DIR/events" --timeout-graceful-shutdown 500ms --trust-proxy "$PROXY_USER" \
        --socket-group "$PROXY_USER" "${RULES[@]}"
}

# publish JSON: one event, noted in $IDS
publish() {
    http /events --json "$1"
    expect_status 201
    IDS+=("$(jq -r '.ids[0]' <<<"$BODY")")
}

# ---- the browser ----

# browser COMMAND…: of tests/support/browser.py; its answer is in $ANSWER
browser() {
    ANSWER=
    echo "$*" >&"${BROWSER[1]}"
    read -r -t $((3 * PATIENCE)) ANSWER <&"${BROWSER[0]}" || bail "the browser does not answer to $1"
}

# see EXPRESSION: soon it is true in the page
see() {
    browser wait "$1"
    [ "$ANSWER" = true ] && return
    browser eval "document.body.innerText.slice(0, 2000)"
    fail "the page" "$1" "$ANSWER"
}

# press_until ID: the Tab key, until the element has the focus
press_until() {
    local i

    for ((i = 0; i < 20; i++)); do
        browser key Tab
        browser eval "document.activeElement.id"
        [ "$ANSWER" = "\"$1\"" ] && return
    done
    fail "the focus" "$1" "$ANSWER"
}

# What a browser itself says of a status or a connection that was lost is no fault of the page.
expect_no_problems() {
    browser problems
    expect_equal "what the page complains of" "" "$(jq -r '.[]' <<<"$ANSWER" | grep -vE "^network: ${1:-nothing}")"
}

# The rows of events, from the first to the last, without those that came before: each published one, once.
expect_all_events() {
    see "[...document.querySelectorAll('#log li[data-id]')].map((row) => row.dataset.id).reverse().join(' ') === '${IDS[*]}'"
    see "!document.querySelector('#log [data-kind=missed]')"
}

LIVE="document.getElementById('link').dataset.state === 'live'"
TEXT="document.body.innerText"

# survives_a_restart [COMMAND…]: the page says so, and has every event once. COMMAND: what must come about meanwhile
survives_a_restart() {
    publish '{"type":"before"}'
    stop_server
    expect_code 0
    see "/Connection lost at [0-9:]+\\. Trying again/.test($TEXT)"
    [ $# -eq 0 ] || expect_soon "$@"
    serve_console
    publish '{"type":"between"}'
    see "/Live, back since [0-9:]+, after /.test($TEXT)"
    publish '{"type":"after"}'
    expect_all_events
    see "document.querySelector('#log [data-kind=lost]') && document.querySelector('#log [data-kind=back]')"
}

web=$(free_port)
bridge=$(free_port)
mkdir "$DIR/nginx"
chown "$PROXY_USER" "$DIR/nginx"
cat >"$DIR/nginx.conf" <<END
user $PROXY_USER;
daemon off;
pid $DIR/nginx/pid;
error_log $DIR/nginx.log;
events { worker_connections 64; }
http {
    access_log $DIR/nginx/access;
    client_body_temp_path $DIR/nginx;
    proxy_temp_path $DIR/nginx;
    fastcgi_temp_path $DIR/nginx;
    uwsgi_temp_path $DIR/nginx;
    scgi_temp_path $DIR/nginx;
    server {
        listen 127.0.0.1:$web;
        location /ops/ {
            proxy_pass http://unix:$SOCKET:/;
            proxy_set_header Host \$host;
            proxy_set_header X-Forwarded-For \$remote_addr;
        }
    }
}
END
serve_console
start socat socat "TCP-LISTEN:$bridge,bind=127.0.0.1,reuseaddr,fork" "UNIX-CONNECT:$SOCKET"
start nginx nginx -c "$DIR/nginx.conf"
NGINX=$PID
coproc BROWSER { PATIENCE=$PATIENCE exec python3 "$SRCDIR/tests/support/browser.py" "$DIR" 2>"$DIR/browser.err"; }
PIDS+=("$BROWSER_PID")
BROWSING=$BROWSER_PID

# ---- as the server's own user ----

it "is linked from the index page, and shows the server to its own user"
browser look 1280 light
browser open "http://127.0.0.1:$bridge/index"
expect_equal "loading" true "$ANSWER"
browser eval "document.querySelector('a').click()"
see "location.pathname === '/console' && $LIVE"
see "[...document.querySelectorAll('#routes-rows code')].some((code) => code.textContent === '/metrics')"
see "document.querySelectorAll('#processes-rows tr').length === 3"
see "[...document.querySelectorAll('#routes-rows tr')].some((row) => /status/.test(row.cells[1].textContent))"
see "/^root *uid 0/.test(document.getElementById('users-rows').innerText.replaceAll('\n', ' '))"
see "[...document.querySelectorAll('.notice')].every((notice) => notice.hidden)"
see "document.getElementById('sockets').hidden"
see "/none in the last/.test($TEXT)"

it "shows an event that curl posts"
publish '{"type":"job.begun","data":{"text":"<img src=x onerror=alert(1)><b>bold</b>"}}'
see "document.querySelector('[data-id=\"${IDS[-1]}\"] code').textContent.includes('<b>bold</b>')"
see "!document.querySelector('#log img') && !document.querySelector('#log b')"

it "pauses and filters by keyboard, with the focus in sight"
press_until pause
see "getComputedStyle(document.activeElement).outlineStyle === 'solid'"
browser key Enter
see "document.activeElement.getAttribute('aria-pressed') === 'true'"
publish '{"type":"deploy","data":{"version":"2.1","by":"alice"}}'
see "/paused, 1 new/.test($TEXT)"
see "!document.querySelector('[data-id=\"${IDS[-1]}\"]')"
browser key Space
see "document.querySelector('[data-id=\"${IDS[-1]}\"]')"
press_until filter-type
browser type 'job.*'
see "/1 of 2 shown/.test($TEXT) && document.querySelector('#log .type').textContent === 'job.begun'"
browser eval "document.activeElement.select()"
browser type deploy
see "/1 of 2 shown/.test($TEXT) && document.querySelector('#log .type').textContent === 'deploy'"
publish '{"type":"job.done"}'
see "/1 of 3 shown/.test($TEXT)"
browser eval "document.activeElement.select()"
browser key Backspace
press_until filter-text
browser type ALICE
see "/1 of 3 shown/.test($TEXT) && document.querySelector('#log .type').textContent === 'deploy'"
browser eval "document.activeElement.select()"
browser key Backspace
expect_all_events

it "draws what /metrics says"
curl -s -o /dev/null --unix-socket "$SOCKET" "http://localhost/_ping?[1-40]"
publish '{"type":"temperature","data":{"celsius":48.5}}'
for tile in requests median slow connections memory; do
    see "/L/.test(document.querySelector('[data-key=$tile] .line').getAttribute('d'))"
done
see "[...document.querySelectorAll('#routes-rows tr')].some((row) => /_ping/.test(row.innerText) && /\\b40\\b/.test(row.innerText))"
see "[...document.querySelectorAll('#routes-rows .line')].some((line) => /L/.test(line.getAttribute('d')))"

it "has nothing to complain of"
expect_no_problems

it "asks for nothing while it cannot be seen"
browser eval "Object.defineProperty(document, 'hidden', { value: true, configurable: true })"
see "(globalThis.then ??= performance.now()) < performance.now() - 300"
browser eval "globalThis.asked = performance.getEntriesByType('resource').length"
see "globalThis.then < performance.now() - 1600"
see "performance.getEntriesByType('resource').length === globalThis.asked"
browser eval "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))"
see "performance.getEntriesByType('resource').length > globalThis.asked"

it "survives a restart, without an event lost or doubled"
survives_a_restart
expect_no_problems 'Failed to load resource: net::'

it "shows a worker that was replaced"
kill -KILL "$(workers | head -n 1)"
see "/Workers that crashed\\s+1/.test($TEXT)"
see "$LIVE"

it "is not wider than a phone, and leaves pictures"
mkdir -p "$PICTURES"
browser shot "$PICTURES/console-light.png"
browser look 1280 dark
browser shot "$PICTURES/console-dark.png"
browser look 375 light
see "document.documentElement.scrollWidth <= 375"
browser shot "$PICTURES/console-narrow.png"
for picture in light dark narrow; do
    [ "$(stat -c %s "$PICTURES/console-$picture.png")" -gt 20000 ] || fail "the picture console-$picture.png"
done
browser problems
browser look 1280 light

# ---- through a proxy, below a prefix ----

it "says what may not be seen through nginx, and shows the rest"
browser open "http://127.0.0.1:$web/ops/console"
see "/You may not see \\/metrics/.test($TEXT) && /allow = GET \\/metrics/.test($TEXT)"
see "/You may not see \\/routes/.test($TEXT)"
see "document.querySelector('.tiles').hidden && document.getElementById('users').hidden"
see "$LIVE && /0\\.[0-9.]+, up [0-9]/.test($TEXT)"
expect_all_events
publish '{"type":"by.nginx","data":1}'
expect_all_events
browser shot "$PICTURES/console-refused.png"
expect_no_problems 'Failed to load resource: the server responded with a status of 40[34] .*/ops/(metrics|routes|sockets)$'

it "survives a restart behind nginx, which answers 502 meanwhile, and shows what rules open then"
printf '[app /]\napp = status\ndeny = GET /routes any\nallow = GET * any\n[app /events]\napp = events\nallow = * * any\n' >"$DIR/berth.conf"
RULES=(--config "$DIR/berth.conf" "site:$BUILDDIR/www" status /events=events)
# After a 502 an EventSource gives up: the page begins another.
survives_a_restart grep -q 'GET /ops/events.* 502 ' "$DIR/nginx/access"
see "document.querySelectorAll('#processes-rows tr').length === 3 && !document.querySelector('.tiles').hidden"
see "/$PROXY_USER/.test(document.getElementById('users-rows').innerText)"
see "/You may not see \\/routes/.test($TEXT) && !/You may not see \\/metrics/.test($TEXT)"
see "/\\/metrics/.test(document.getElementById('routes-rows').innerText)"
expect_no_problems 'Failed to load resource: (net::|the server responded with a status of (40[34]|502) )'

it "shows whose event it is that came through the proxy"
IDS+=("$(curl -s --json '{"type":"from.afar"}' "http://127.0.0.1:$web/ops/events" | jq -r '.ids[0]')")
see "/^127\\.0\\.0\\.1, through $PROXY_USER,/.test(document.querySelector('[data-id=\"${IDS[-1]}\"] .who').title)"
expect_all_events

# ---- elsewhere ----

it "finds status at /status, as in the configuration that comes with berth, and what lies above it"
stop_server
RULES=("/page=site:$BUILDDIR/www" /status=status /events=events)
serve_console
browser open "http://127.0.0.1:$bridge/page/console"
see "$LIVE && document.querySelectorAll('#processes-rows tr').length === 3"
expect_all_events
expect_no_problems 'Failed to load resource: the server responded with a status of 404 .*/(version|status/version|events)$'

hang_up=${BROWSER[1]}
exec {hang_up}>&-
wait_until gone "$BROWSING" || fail "the browser ends"
kill -TERM "$NGINX"
wait_until gone "$NGINX" || fail "nginx ends"
stop_server
finish
