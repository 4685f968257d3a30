#!/usr/bin/env bash
# Who may do what: rules in the configuration, and routes that are for the server's own user. Real users ask.
. "$(dirname "$0")/lib.sh"
need setpriv unshare
need_root

# The workers are nobody's from this machine, and must reach what they serve with, wherever this was built.
ADMIN=$DIR/admin.sock
CONF=$DIR/berth.conf
mkdir "$DIR/bin" "$DIR/include"
cp "$BERTH" "$DIR/bin/berth"
cp "$SRCDIR/src/include/berth.h" "$DIR/include/berth.h"
cp "$PROBE" "$DIR/probe.so"
chmod 755 "$DIR/probe.so"
BERTH=$DIR/bin/berth

# Who asks: uid, gid and groups. `www` and `daemon` have names that rules can say.
WWW=$(id -u www-data) DAEMON=$(getent group daemon | cut -d: -f3) NOGROUP=$(getent group nogroup | cut -d: -f3)
declare -A WHO=(
    [root]="0 0"
    [self]="54321 54322"
    [alice]="54331 54331"
    [bob]="54332 54332 54339,$DAEMON"
    [carol]="54333 $DAEMON"
    [www]="$WWW 54334"
    [nobody]="65534 $NOGROUP"
    [dave]="54335 54335 $NOGROUP"
    [proxy]="54336 $DAEMON 54339"
    [leaver]="54341 54341"
)

# ask WHO METHOD TARGET [CURL'S ARGUMENTS…]: as `http`
ask() {
    local who=${WHO[$1]} method=$2 target=$3

    shift 3
    case $method in
    HEAD) set -- -I "$@" ;;
    POST)
        [ $# -gt 0 ] || set -- -d body
        set -- -X POST "$@"
        ;;
    *) set -- -X "$method" "$@" ;;
    esac
    http_as "${who// /:}" "$target" "$@"
}

# Rows of WHO METHOD TARGET STATUS, from standard input; WHO may be several with commas between them.
table() {
    local who method target status each

    while read -r who method target status; do
        [ -n "$who" ] || continue
        for each in ${who//,/ }; do
            ask "$each" "$method" "$target"
            [ "$STATUS" = "$status" ] || fail "$each: $method $target" "$status" "$STATUS; $(head -c 200 <<<"$BODY")"
        done
    done
}

serve_rules() {
    cat >"$CONF"
    serve --config "$CONF"
}

rules='
socket-mode = 0666
user = 54321
group = 54322
workers = 2
trust-proxy = 54336
[listen admin]
uds = '$ADMIN'
socket-mode = 0666
[app /p]
app = '$DIR'/probe.so
deny = GET /pid uid:54331
allow = GET /pid any
deny = POST /body uid:54332
allow = GET,POST /body uid:54331 group:daemon
allow = * /echo/* group:www-data gid:54339 self
allow = GET,HEAD /return/{value} user:www-data
allow = GET /user proxied:54336
deny = GET /user self
allow = GET /user proxied:54335 proxied:root
allow = POST /small nobody-such-listener
allow = * /nothing group:nogroup gid:65534 uid:65534 user:nobody
allow = DELETE,PUT * user:www-data
allow = * * listener:admin
[app /open]
app = '$DIR'/probe.so
[app /open/closed]
app = '$DIR'/probe.so
allow = GET / uid:54331
[app /]
app = status
'
rules=${rules//nobody-such-listener/listener:nosuch}
everybody=root,self,alice,bob,carol,www,nobody,dave

serve_rules <<<"$rules"

it "lets in whom a rule lets in, the first that matches, and refuses the rest"
table <<EOF
alice                                 GET     /p/pid          403
root,self,bob,carol,www,nobody,dave   GET     /p/pid          200
root,self,bob,carol,www,nobody,dave   HEAD    /p/pid          200
alice                                 HEAD    /p/pid          403
alice,carol                           POST    /p/body         200
bob,root,self,www,nobody,dave         POST    /p/body         403
bob,root,self                         POST    /p/echo/x       405
root,self,bob                         GET     /p/echo/x/y     200
alice,carol,nobody,dave               GET     /p/echo/x/y     403
www                                   GET     /p/return/418   418
alice,root,self                       GET     /p/return/418   403
$everybody                            POST    /p/small        403
$everybody                            GET     /p/nothing      403
$everybody                            GET     /p/held         403
$everybody                            GET     /open/pid       200
EOF

it "does not tell what exists: no 404, no 405, no Allow"
table <<EOF
alice                  GET      /p/no-such-page     403
alice                  POST     /p/held             403
alice,carol            OPTIONS  /p/pid              403
alice                  DELETE   /p/held             403
alice                  HEAD     /p/no-such-page     403
root,self              GET      /p                  403
root,self              GET      /p/                 403
www                    DELETE   /p/held             404
www                    DELETE   /p/return/200       405
www                    PUT      /p/no-such-page     404
alice                  GET      /p/body             405
bob                    OPTIONS  /p/echo/x           204
alice                  OPTIONS  /p/echo/x           403
alice                  GET      /popular            404
alice                  GET      /open/no-such-page  404
alice                  DELETE   /open/pid           405
alice                  OPTIONS  /open/pid           204
alice                  GET      /open/closed/       404
alice                  GET      /open/closed/pid    403
bob                    GET      /open/closed/       403
bob                    POST     /open/closed        403
bob                    GET      /open/closed-too    404
EOF

it "refuses in the same words whatever there is"
for method in GET POST DELETE OPTIONS; do
    for target in /p/pid /p/held /p/no-such-page /p; do
        [ "$target $method" != "/p/pid GET" ] || continue
        ask dave "$method" "$target"
        expect_status 403
        expect_body "{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403,\"instance\":\"$target\"}"
        expect_no_match "the fields" '^(Allow|Retry-After|WWW)' "$HEAD"
    done
done

it "knows by which socket somebody came"
main=$SOCKET SOCKET=$ADMIN
table <<EOF
root,dave,nobody   GET      /p/held            200
root,dave          OPTIONS  /p/pid             204
root,dave          GET      /p/no-such-page    404
root,dave          POST     /p/small           200
alice              GET      /p/pid             403
bob                POST     /p/body            403
EOF
SOCKET=$main

it "refuses an upload before it is sent"
head -c 300000 /dev/zero >"$DIR/upload"
ask alice POST /p/pieces -H 'Expect: 100-continue' -T "$DIR/upload"
expect_status 403
expect_equal "what was sent" 0 "$UPLOADED"
expect_no_match "a 100" '100 Continue' "$HEAD"

it "keeps the connection of whoever was refused"
who=${WHO[alice]}
expect_equal "new connections for two requests" "1 0 " "$(as "${who// /:}" curl -s --unix-socket "$SOCKET" \
    -o /dev/null -o /dev/null -w '%{num_connects} ' http://localhost/p/pid http://localhost/p/held)"

it "counts who was refused, and shows it in the access log"
ask root GET /metrics
expect_match "the figure" '^berth_denials_total\{reason="rule"\} [1-9]' "$BODY"
expect_match "the line" ' 54331 uid=54331 pid=[0-9]+ "GET /p/no-such-page" 403 ' "$(cat "$DIR/berth.out")"

it "heeds what a route says of itself where there are no rules"
table <<EOF
root,self                          GET   /metrics   200
root,self                          HEAD  /routes    200
alice,bob,carol,www,nobody,dave    GET   /metrics   403
alice,nobody                       HEAD  /routes    403
$everybody                         GET   /_ping     200
alice                              POST  /metrics   405
EOF
ask alice GET /metrics
expect_match "the detail" '"detail":"this is for the server.s own user and root only"' "$BODY"

it "takes what came through a trusted proxy for nobody's"
table <<EOF
proxy                     GET     /p/pid         200
proxy                     POST    /p/body        403
proxy                     GET     /p/echo/x      403
proxy                     GET     /p/user        200
root,self,bob,dave        GET     /p/user        403
proxy                     GET     /metrics       403
proxy                     GET     /_ping         200
EOF

it "reloads with other rules"
sed -i -e 's|^allow = GET /pid any|allow = GET /held any|' \
    -e 's|^app = status|&\nallow = GET /metrics group:daemon\nallow = GET /_ping any\nallow = POST /events/ uid:54331|' "$CONF"
kill -HUP "$SERVER"
changed() {
    ask dave GET /p/held
    [ "$STATUS" = 200 ]
}
expect_soon changed
table <<EOF
$everybody          GET     /p/held    200
root,bob            GET     /p/pid     403
EOF

it "lets rules open and close such routes, even to root"
table <<EOF
bob,carol           GET     /metrics       200
root,self,alice     GET     /metrics       403
root,self,bob       GET     /routes        403
$everybody          GET     /_ping         200
root,self           GET     /version       403
root                GET     /no-such-page  403
root                GET     /open/pid      200
EOF

it "keeps the old rules when the new ones name nobody"
sed -i -e 's|group:daemon|group:no-such-group|' "$CONF"
: >"$DIR/berth.log"
kill -HUP "$SERVER"
expect_log "no-such-group"
table <<EOF
bob                 GET     /metrics       200
root                GET     /metrics       403
EOF
stop_server

it "opens the log of events to whom a rule names"
serve_rules <<EOF
socket-mode = 0666
[app /events]
app = events
allow = POST / uid:54331
allow = GET / uid:54332
[app /]
app = $DIR/probe.so
allow = GET /echo/* uid:54331
[app /echo]
app = $DIR/probe.so
EOF
json=(-H 'Content-Type: application/json' -d '{"type":"x","data":1}')
ask alice POST /events "${json[@]}"
expect_status 201
ask root POST /events "${json[@]}"
expect_status 403
ask bob GET '/events?follow=0&since_id=0'
expect_status 200
expect_match "the event" '"uid":54331' "$BODY"
ask alice GET '/events?follow=0'
expect_status 403

it "tells only of methods that the peer may use, where others than the longest mount's answer them"
table <<EOF
alice,bob     GET       /echo/pid     200
alice,bob     DELETE    /echo/pid     405
alice,bob     OPTIONS   /echo/pid     204
alice         GET       /echo/x/y     200
bob           GET       /echo/x/y     403
alice         DELETE    /echo/x/y     405
bob           DELETE    /echo/x/y     404
bob           OPTIONS   /echo/x/y     404
bob           OPTIONS   /echo/body    204
alice         OPTIONS   /echo/body    204
alice         DELETE    /echo/no/y    405
alice         OPTIONS   /echo/no/y    204
EOF
allow() {
    ask "$1" OPTIONS "$2"
    header Allow
}
expect_equal "what bob may do" "POST, OPTIONS" "$(allow bob /echo/body)"
expect_equal "what alice may do" "POST, GET, HEAD, OPTIONS" "$(allow alice /echo/body)"
expect_equal "what alice may do elsewhere" "GET, HEAD, OPTIONS" "$(allow alice /echo/no/y)"
stop_server

it "has the rules of a mount for all who share it"
cat >"$CONF" <<EOF
socket-mode = 0666
[app /s]
app = status
allow = GET /version uid:54331
allow = GET /pid uid:54331
allow = * /_ping any
EOF
serve --config "$CONF" "/s=$DIR/probe.so" /s=status
table <<EOF
alice     GET      /s/version        200
bob       GET      /s/version        403
alice     GET      /s/pid            200
bob,root  GET      /s/pid            403
root      GET      /s/metrics        403
bob       GET      /s/no-such-page   403
bob       DELETE   /s/pid            403
bob       DELETE   /s/_ping          405
bob       GET      /s/_ping          200
alice     GET      /elsewhere        404
EOF
stop_server

it "means the same users in workers that come later, although their names are gone"
# An /etc/passwd and an /etc/group of its own, which have names for them while the settings are read.
cp /etc/passwd "$DIR/passwd"
cp /etc/group "$DIR/group"
echo "berth-leaver:x:54341:54341::/:/bin/false" >>"$DIR/passwd"
echo "berth-proxy:x:54336:54341::/:/bin/false" >>"$DIR/passwd"
echo "berth-leavers:x:54341:" >>"$DIR/group"
cat >"$DIR/bin/with-names" <<EOF
#!/bin/sh
mount --bind "$DIR/passwd" /etc/passwd && mount --bind "$DIR/group" /etc/group && exec "\$@"
EOF
chmod 755 "$DIR/bin/with-names"
plain=("${WRAPPER[@]}")
WRAPPER=(unshare -m "$DIR/bin/with-names" "${WRAPPER[@]}")
serve_rules <<EOF
socket-mode = 0666
trust-proxy = berth-proxy
[app /p]
app = $DIR/probe.so
allow = GET /pid  user:berth-leaver self
allow = GET	/held  group:berth-leavers
allow = GET /user proxied:berth-proxy listener:admin
EOF
WRAPPER=("${plain[@]}")
cat /etc/passwd >"$DIR/passwd"
cat /etc/group >"$DIR/group"
worker=$(workers)
kill -KILL "$worker"
replaced() {
    ask root GET /p/pid
    [ "$STATUS" = 200 ] && [ "$BODY" != "$worker" ]
}
expect_soon replaced
table <<EOF
leaver          GET      /p/pid     200
leaver          GET      /p/held    200
leaver          GET      /p/user    403
proxy           GET      /p/user    200
proxy,bob       GET      /p/pid     403
root,bob        GET      /p/held    403
root,bob        GET      /p/user    403
EOF
kill -HUP "$SERVER"
expect_log 'there is no user "berth-leaver"'
stop_server

finish
