#!/usr/bin/env bash
# Applications: from source, compiled, and all the ways in which they can be none.
. "$(dirname "$0")/lib.sh"

# refused WHAT PATTERN APP…: exit code 3 and a line that says why
refused() {
    local what=$1 pattern=$2

    shift 2
    run_berth --uds "$SOCKET" "$@"
    expect_equal "the exit code for $what" 3 "$CODE"
    expect_match "the message for $what" "$pattern" "$ERR"
    expect_false test -e "$SOCKET"
}

# A small application: app FILE TEXT
app() {
    cat >"$1" <<EOF
#include <berth.h>
static int page(struct berth_request *request, struct berth_reply *reply)
{
    return berth_reply_text(reply, 200, "$2\n");
}
static const struct berth_route routes[] = { { "GET", "/", page }, { 0 } };
BERTH_APP("page", .routes = routes);
EOF
}

it "compiles a source and serves it"
serve "$SRCDIR/contrib/examples/hello.c"
http /index
expect_status 200
expect_match "the page" "Hello, world" "$BODY"
stop_server

it "compiles anew on HUP, and keeps the old one when that fails"
app "$DIR/page.c" first
serve --workers 2 "$DIR/page.c"
http /
expect_body first
app "$DIR/page.c" second
kill -HUP "$SERVER"
says() {
    http / && [ "$BODY" = "$1" ]
}
expect_soon says second
echo 'this is no C' >>"$DIR/page.c"
: >"$DIR/berth.log"
kill -HUP "$SERVER"
expect_log "page.c:[0-9]+:[0-9]+: error:"
expect_soon says second
app "$DIR/page.c" third
kill -HUP "$SERVER"
expect_soon says third

it "gives a replacement what it compiled, not what is there now"
wait_until workers_are 2
app "$DIR/page.c" never
for worker in $(workers); do
    kill -KILL "$worker"
done
expect_soon says third
expect_soon workers_are 2
stop_server

it "shows the compiler's own messages, and exits with 3"
echo 'int broken(' >"$DIR/broken.c"
refused "a source that does not compile" "broken\.c:[0-9]+:[0-9]+: error:" "$DIR/broken.c"

it "says so when there is no compiler"
CODE=0
CC=$DIR/no-such-compiler run_berth --uds "$SOCKET" "$SRCDIR/contrib/examples/hello.c"
expect_code 3
expect_match "the message" "no-such-compiler" "$ERR"

it "heeds CC and CFLAGS"
cat >"$DIR/flag.c" <<'EOF'
#include <berth.h>
static int page(struct berth_request *request, struct berth_reply *reply)
{
    return berth_reply_text(reply, 200, "%s\n", TEXT);
}
static const struct berth_route routes[] = { { "GET", "/", page }, { 0 } };
BERTH_APP("flag", .routes = routes);
EOF
CC=gcc CFLAGS='-O1 -DTEXT="given"' serve "$DIR/flag.c"
http /
expect_body given
stop_server

it "heeds LDLIBS, which may name a static library"
cat >"$DIR/greet.c" <<'EOF'
const char *greet(void);
const char *greet(void)
{
    return "from a library";
}
EOF
gcc -c -fPIC -o "$DIR/greet.o" "$DIR/greet.c" && ar rc "$DIR/libgreet.a" "$DIR/greet.o"
cat >"$DIR/guest.c" <<'EOF'
#include <berth.h>
const char *greet(void);
static int page(struct berth_request *request, struct berth_reply *reply)
{
    return berth_reply_text(reply, 200, "%s\n", greet());
}
static const struct berth_route routes[] = { { "GET", "/", page }, { 0 } };
BERTH_APP("guest", .routes = routes);
EOF
LDLIBS="-L$DIR -lgreet" serve "$DIR/guest.c"
http /
expect_body "from a library"
stop_server

it "suggests a page: an application's mount, and a folder with its slash"
for app in /events=events "/docs=site:$DIR"; do
    serve "$app"
    expect_log "^    try: curl .*http://localhost${app%%=*}$([ "${app#/docs}" = "$app" ] || echo /)\$"
    stop_server
done

it "refuses what is no application, with exit code 3"
echo 'int x;' | gcc -shared -fPIC -x c -o "$DIR/nosymbol.so" -
refused "a module without the symbol" "berth_app" "$DIR/nosymbol.so"
app "$DIR/old.c" old
sed -i 's/#include <berth.h>/&\n#undef BERTH_ABI\n#define BERTH_ABI 4711/' "$DIR/old.c"
gcc -shared -fPIC -I"$SRCDIR/src/include" -o "$DIR/old.so" "$DIR/old.c"
refused "another ABI" "4711.*1|1.*4711" "$DIR/old.so"
echo 'no ELF' >"$DIR/text.so"
refused "no ELF" "text\.so" "$DIR/text.so"
: >"$DIR/empty.so"
refused "an empty file" "empty\.so" "$DIR/empty.so"
head -c 100 "$EXAMPLES/hello.so" >"$DIR/cut.so"
refused "a file that is cut off" "cut\.so is cut short, after 100 bytes" "$DIR/cut.so"
size=$(stat -c %s "$EXAMPLES/hello.so")
for part in $((size / 2)) $((size - 10)); do
    head -c "$part" "$EXAMPLES/hello.so" >"$DIR/cut.so"
    refused "a file of which $part bytes are there" "cut\.so is cut short, after $part bytes" "$DIR/cut.so"
done
refused "a missing file" "missing\.so" "$DIR/missing.so"
refused "a missing source" "missing\.c" "$DIR/missing.c"

it "refuses an application whose start hook refuses, with exit code 3"
touch "$DIR/refuse"
app "$DIR/nameless.c" x
sed -i 's/"page"/"no name!"/' "$DIR/nameless.c"
refused "an application with a bad name" "letters, digits" "$DIR/nameless.c"
app "$DIR/handlerless.c" x
sed -i 's/"\/", page/"\/", 0/' "$DIR/handlerless.c"
refused "a route without a handler" "handlerless\.c: .*GET /.* no handler" "$DIR/handlerless.c"
PROBE_REFUSE=$DIR/refuse refused "a start hook that refuses" "told to refuse" "$PROBE"

it "refuses a folder and a name that are no applications, with exit code 2 or 3"
mkdir "$DIR/folder.so"
run_berth --uds "$SOCKET" "$DIR/folder.so"
expect_match "the exit code" '^[23]$' "$CODE"
expect_match "the message" "folder.so" "$ERR"
run_berth --uds "$SOCKET" no-such-application
expect_match "the exit code" '^[23]$' "$CODE"
expect_match "the message" "no-such-application" "$ERR"

it "mounts applications below paths"
serve --root-path /api "$EXAMPLES/hello.so" "/probe=$PROBE"
http /index
expect_status 200
http "/probe/echo/a/b?q=1"
expect_body "root=/api/probe path=/probe/echo/a/b rest=a/b q=1 field=-"
http /echo/a/b
expect_status 404
stop_server

it "keeps notes: the example with JSON and state"
printf '[app /]\napp = %s\nmost = 2\n' "$EXAMPLES/notes.so" >"$DIR/notes.conf"
serve --config "$DIR/notes.conf"
http /notes
expect_body "[]"
http /notes --json '{"text": "buy milk"}'
expect_status 201
expect_header Location /notes/1
http /notes/1
expect_status 200
expect_body '{"id":1,"text":"buy milk"}'
http /notes/2
expect_status 404
expect_match "the detail" "there is no note 2" "$BODY"
http /notes/two
expect_status 400
expect_match "the detail" "id" "$BODY"
http /notes --json '{"text": "buy
milk"'
expect_status 400
expect_match "the position" "line|column" "$BODY"
http /notes --json '{"txt": 1}'
expect_status 400
http /notes --json '{"text": "two"}'
expect_status 201
http /notes --json '{"text": "three"}'
expect_status 507
http /notes/1 -X DELETE
expect_status 204
expect_body ""
http /notes/1 -X DELETE
expect_status 404
http /notes --json '{"text": "three"}'
expect_status 201
stop_server

it "tells how warm it is, or how busy: the example with a live stream"
serve "$EXAMPLES/temperature.so"
start live curl -s --no-buffer --max-time 20 --unix-socket "$SOCKET" http://localhost/temperature
two_events() {
    [ "$(grep -cE '^data: \{"(celsius|load)":-?[0-9.]+\}$' "$DIR/live.out")" -ge 2 ]
}
expect_soon two_events
stop_server

it "tells how far a job is, and ends one that is abandoned: the example with a long job"
mkdir "$DIR/files"
truncate -s 10M "$DIR/files/zeroes"
truncate -s 1T "$DIR/files/endless"
echo hello >"$DIR/files/small"
ln -s small "$DIR/files/link"
printf '[app /]\napp = %s\nfolder = %s\n' "$EXAMPLES/jobs.so" "$DIR/files" >"$DIR/jobs.conf"
serve --config "$DIR/jobs.conf"
for name in zeroes small; do
    http "/jobs?from=$name" -X POST
    expect_status 200
    expect_header Content-Type application/x-ndjson
    read -r sum size _ <<<"$(cksum "$DIR/files/$name")"
    expect_equal "the last line" "{\"status\":\"done\",\"from\":\"$name\",\"size\":$size,\"cksum\":$sum}" \
        "$(tail -n 1 "$DIR/body")"
done
http /jobs?from=zeroes -X POST
expect_equal "the lines before" 0,4194304,8388608 \
    "$(sed -n 's/.*"working","current":\([0-9]*\),.*/\1/p' "$DIR/body" | paste -sd ,)"
start endless curl -s --no-buffer --max-time 20 --unix-socket "$SOCKET" -X POST 'http://localhost/jobs?from=endless'
expect_soon grep -q '"working","current":4194304' "$DIR/endless.out"
kill -TERM "$PID"
expect_log 'endless: the job was abandoned after [0-9]+ of 1099511627776 bytes'
for name in none '' .. link small/x; do
    http "/jobs?from=$name" -X POST
    expect_match "the status for \"$name\"" '^40[034]$' "$STATUS"
done
stop_server
expect_code 0

it "counts primes off the loop: the example with slow work"
serve "$EXAMPLES/slow.so"
http /primes/1000000
expect_body "there are 78498 primes up to 1000000"
http /primes/99999999999
expect_status 400
stop_server

finish
