#!/usr/bin/env bash
# `berth check` about rules: names that nobody has, words that match nobody, and which rule decides; what `berth serve`
# says of the same file, and that it answers as it was explained.
. "$(dirname "$0")/lib.sh"

CONF=$DIR/berth.conf
ME=$(id -un)

# explain ARGUMENT…: of $CONF
explain() {
    run "${WRAPPER[@]}" "$BERTH" check --config "$CONF" --explain "$@"
}

# verdict CODE TEXT ARGUMENT…: the line of the verdict, for that question
verdict() {
    local code=$1 text=$2

    shift 2
    explain "$@"
    expect_equal "the exit code of $*" "$code" "$CODE"
    expect_equal "the verdict on $*" "$text" "$(grep -E '^(allowed|refused): ' <<<"$OUT")"
}

# ---- which rule decides ----

cat >"$CONF" <<-END
	uds = $SOCKET
	trust-proxy = www-data
	[listen admin]
	uds = $DIR/admin.sock
	[app /notes]
	app = $PROBE
	allow = GET,POST /status/* any
	deny = DELETE * any
	; not a rule
	allow = * * group:daemon user:backup listener:admin
	allow = GET /{id} proxied:www-data
	[app /]
	app = status
END

it "names the rule that decides, with its place, and exits with 0 or 1"
verdict 0 "allowed: $CONF:7: allow = GET,POST /status/* any" games GET /notes/status/1
verdict 0 "allowed: $CONF:7: allow = GET,POST /status/* any" games HEAD '/notes/%73tatus/1?x=y'
verdict 1 "refused: $CONF:8: deny = DELETE * any" daemon DELETE /notes/status/1
verdict 0 "allowed: $CONF:10: allow = * * group:daemon user:backup listener:admin" daemon PUT /notes/1
verdict 0 "allowed: $CONF:10: allow = * * group:daemon user:backup listener:admin" backup PUT /notes/1
verdict 1 "refused: no rule of [app /notes] matches ($CONF:5)" games GET /notes
verdict 1 "refused: no rule of [app /notes] matches ($CONF:5)" games GET /notes/1
verdict 1 "refused: no rule of [app /notes] matches ($CONF:5)" root PUT /notes/1
verdict 1 "refused: no rule of [app /notes] matches ($CONF:5)" 4111222333 PUT /notes/1
verdict 0 "allowed: $CONF:10: allow = * * group:daemon user:backup listener:admin" "$(id -u backup)" PUT /notes/1

it "asks by way of a listener"
verdict 0 "allowed: $CONF:10: allow = * * group:daemon user:backup listener:admin" games PUT /notes/1 --listener admin
verdict 1 "refused: no rule of [app /notes] matches ($CONF:5)" games PUT /notes/1 --listener=other
expect_match "the note" "^note: there is no \[listen other\]" "$OUT"

it "knows a trusted proxy by its user, and takes nothing of it for that user"
verdict 0 "allowed: $CONF:11: allow = GET /{id} proxied:www-data" proxied:www-data GET /notes/1
verdict 0 "allowed: $CONF:11: allow = GET /{id} proxied:www-data" www-data GET /notes/1
expect_match "who" "^who: www-data, uid $(id -u www-data), a trusted proxy" "$OUT"
verdict 1 "refused: no rule of [app /notes] matches ($CONF:5)" proxied:www-data POST /notes/1

it "says who and what was asked"
explain backup PUT /notes/1
expect_match "who" "^who: backup, uid $(id -u backup), groups( [0-9]+)* $(id -g backup)( [0-9]+)*$" "$OUT"
expect_match "what" "^what: PUT /notes/1, of \[app /notes\] = $PROBE$" "$OUT"

it "knows the routes of what is built in, and those that are for ourselves only"
verdict 0 "allowed: [app /] has no rules: whoever can connect may ask" games GET /_ping
expect_match "what" "^what: GET /_ping, of \[app /\] = status, route GET /_ping$" "$OUT"
verdict 1 "refused: [app /] has no rules, and GET /metrics is for the server's own user and root only" games GET /metrics
verdict 0 "allowed: [app /] has no rules, and GET /metrics is for the server's own user and root only" root GET /metrics
verdict 0 "allowed: [app /] has no rules: whoever can connect may ask" games GET /nothing
expect_match "the note" "^note: nothing is there" "$OUT"
verdict 0 "allowed: [app /] has no rules: whoever can connect may ask" games DELETE /_ping
expect_match "the note" "^note: no route has this method; there are GET, HEAD, OPTIONS$" "$OUT"

it "takes --user for whom the server runs as"
printf '[app /]\napp = %s\nallow = * * self\n' "$PROBE" >"$CONF"
verdict 0 "allowed: $CONF:3: allow = * * self" games GET / --user games
verdict 0 "allowed: $CONF:3: allow = * * self" root GET / --user games
verdict 1 "refused: no rule of [app /] matches ($CONF:1)" backup GET / --user games
verdict 0 "allowed: $CONF:3: allow = * * self" "$ME" GET /

it "says whom it takes for self where that decides, and only there"
NOTE='^note: "self" is taken for root(,| and uid [0-9]+,) who asks; say --user USER'
verdict 1 "refused: no rule of [app /] matches ($CONF:1)" backup GET /
expect_match "the note" "$NOTE" "$OUT"
verdict 0 "allowed: $CONF:3: allow = * * self" root GET /
expect_no_match "a note about root" "$NOTE" "$OUT"
printf '[app /]\napp = %s\nallow = * * user:games\nallow = * * self\n' "$PROBE" >"$CONF"
verdict 0 "allowed: $CONF:3: allow = * * user:games" games GET /
expect_no_match "a note about a rule that is not asked" "$NOTE" "$OUT"
printf '[app /]\napp = status\n' >"$CONF"
verdict 1 "refused: [app /] has no rules, and GET /metrics is for the server's own user and root only" backup GET /metrics
expect_match "the note about a route for self" "$NOTE" "$OUT"
verdict 1 "refused: [app /] has no rules, and GET /metrics is for the server's own user and root only" \
    backup GET /metrics --user games
expect_no_match "a note where --user says it" "$NOTE" "$OUT"
printf '[app /]\napp = %s\nallow = * * user:games\tself\n' "$PROBE" >"$CONF"
explain backup GET /
expect_match "the note, whatever blanks stand in the rule" "$NOTE" "$OUT"

it "says that a module without rules may keep routes for itself, and whose else the target may be"
printf '[app /]\napp = %s\n[app /x]\napp = %s\nallow = * * any\n' "$EXAMPLES/hello.so" "$PROBE" >"$CONF"
verdict 0 "allowed: [app /] has no rules: whoever can connect may ask, but for routes that are for the server's own user \
and root only" games GET /y
verdict 0 "allowed: $CONF:5: allow = * * any" games GET /x/y
expect_match "the note" "^note: \[app /\] = .*/hello.so is mounted there as well: if it is the one" "$OUT"
printf '[app /x]\napp = status\n' >"$CONF"
verdict 1 "refused: no application is mounted there, so the answer is 404" games GET /y

it "explains what is served when no application is named"
run "${WRAPPER[@]}" "$BERTH" check --explain games GET /events
expect_code 0
expect_match "what" '^what: GET /events, of \[app /events\] = events, route GET /$' "$OUT"

# ---- questions that are none ----

printf '[app /]\napp = status\n' >"$CONF"

# usage TEXT ARGUMENT…
usage() {
    local text=$1

    shift
    run "${WRAPPER[@]}" "$BERTH" check --config "$CONF" "$@"
    expect_equal "the exit code of $*" 2 "$CODE"
    expect_equal "what it says of $*" "$text" "$ERR"
}

it "exits with 2 for a question that is none"
usage "--explain: USER METHOD TARGET must follow, such as alice GET /status" --explain
usage "--explain: USER METHOD TARGET must follow, such as alice GET /status" --explain games GET
usage '--explain: there is no user "no-such-user" on this system' --explain no-such-user GET /
usage '--explain: "G(T" is no method such as GET' --explain games 'G(T' /
usage '--explain: "/a/../b" is no target such as /status: the path has a "." or ".." segment' --explain games GET /a/../b
usage '--explain: "*" is no target such as /status: it is that of no application' --explain games OPTIONS '*'
usage "--explain: games is no trusted proxy; those are named by --trust-proxy" --explain proxied:games GET /
usage "--explain: one question at a time" --explain games GET / --explain games GET /
usage "--listener: NAME must follow, that of a [listen NAME]" --explain games GET / --listener
usage "--listener: only with --explain, whose question is about that listener" --listener admin

it "exits with 2 for settings with mistakes"
printf '[app /]\napp = status\nallow = * * user:no-such-user\n' >"$CONF"
usage "$CONF:3: allow = * * user:no-such-user: there is no user \"no-such-user\" on this system" --explain games GET /

# ---- mistakes, warnings, and what berth serve makes of them ----

cat >"$CONF" <<-END
	uds = $SOCKET
	trust-proxy = no-such-proxy
	[app /]
	app = $EXAMPLES/hello.so
	allow = get * any
	allow = * * user:no-such-user
	deny = * * self group:no-such-group
END

it "shows rules that are none, and names that nobody has, with their lines"
run "${WRAPPER[@]}" "$BERTH" check --config "$CONF"
expect_code 1
expect_equal "what it says" "\
$CONF:2: trust-proxy: there is no user \"no-such-proxy\" on this system
$CONF:5: allow: \"get\" is no method such as GET; a rule is METHODS PATH WHO, such as GET,HEAD /status/* any
$CONF:6: allow = * * user:no-such-user: there is no user \"no-such-user\" on this system
$CONF:7: deny = * * self group:no-such-group: there is no group \"no-such-group\" on this system" "$OUT"

it "does not serve with them, in the same words"
sed -i '/get/d' "$CONF"
run "${WRAPPER[@]}" "$BERTH" check --config "$CONF"
lines=$OUT
run_berth --config "$CONF"
expect_code 2
while read -r line; do
    expect_equal "how often it says $line" 1 "$(grep -cF -- "$line" <<<"$ERR")"
done <<<"$lines"
expect_equal "the lines" 3 "$(wc -l <<<"$lines")"
expect_false test -e "$SOCKET"

it "warns of words that match nobody"
cat >"$CONF" <<-END
	[listen admin]
	uds = $DIR/admin.sock
	[app /]
	app = $EXAMPLES/hello.so
	allow = * * listener:admin self
	allow = * * listener:amdin
	allow = * * uid:65534
	allow = * * gid:65534
	allow = * * proxied
	allow = * * proxied:games
END
run "${WRAPPER[@]}" "$BERTH" check --config "$CONF"
expect_code 0
expect_equal "what it says" "\
warning: $CONF:6: allow = * * listener:amdin: there is no [listen amdin]; only a socket that is handed over could have that name
warning: $CONF:7: allow = * * uid:65534: uid:65534 matches nobody: the kernel shows 65534 for every user that has no number here
warning: $CONF:8: allow = * * gid:65534: gid:65534 matches nobody: the kernel shows 65534 for every group that has no number here
warning: $CONF:9: allow = * * proxied: proxied matches nobody: there is no trust-proxy
warning: $CONF:10: allow = * * proxied:games: proxied:games matches nobody: there is no \"trust-proxy = games\"" \
    "$(grep warning <<<"$OUT")"

it "takes any name for that of a socket that may be handed over, where nothing says where to listen"
printf '[app /]\napp = status\nallow = * * listener:http.socket\n' >"$CONF"
run "${WRAPPER[@]}" "$BERTH" check --config "$CONF"
expect_code 0
expect_no_match "what it says" warning "$OUT"

# ---- as it was explained ----

cat >"$CONF" <<-END
	uds = $SOCKET
	[app /]
	app = $EXAMPLES/hello.so
	deny = GET /index any
	allow = * * self
END

# answers_as_explained METHOD TARGET: we ask; nobody but the server's own user need be there for that
answers_as_explained() {
    local refused

    explain "$ME" "$1" "$2"
    refused=$CODE
    http "$2" -X "$1"
    expect_equal "whether $1 $2 is refused" "$refused" "$([ "$STATUS" = 403 ] && echo 1 || echo 0)"
}

it "answers as it was explained"
serve --config "$CONF"
answers_as_explained GET /index
expect_status 403
answers_as_explained POST /index
answers_as_explained GET /nothing
expect_status 404

it "keeps the rules that it has when a reload brings a name that nobody has"
sed -i 's/^deny.*/allow = * * user:no-such-user/' "$CONF"
kill -HUP "$SERVER"
expect_log "the reload failed, everything stays as it was: $CONF:4: allow = \* \* user:no-such-user: there is no user"
http /index
expect_status 403

it "has others after a reload without mistakes"
sed -i '/no-such-user/d' "$CONF"
kill -HUP "$SERVER"
index_is() {
    http /index
    [ "$STATUS" = "$1" ]
}
expect_soon index_is 200
answers_as_explained GET /index
stop_server
expect_code 0

finish
