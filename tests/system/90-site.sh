#!/usr/bin/env bash
# A folder of files as a site: what is found in it, what is said about it, and what never comes out of it.
. "$(dirname "$0")/lib.sh"

SITE=$DIR/site
hour_ago=$(date -d '1 hour ago' '+%F %T')

# put PATH: standard input as a file of the site, old enough for a strong entity tag
put() {
    mkdir -p "$(dirname "$SITE/$1")"
    cat >"$SITE/$1"
    touch -d "$hour_ago" "$SITE/$1"
}

# expect_file PATH: the body is that file
expect_file() {
    expect_true cmp "$DIR/body" "$SITE/$1"
}

seq 1 1500 | put numbers.txt # kept in memory
seq 1 5000 | put more.txt    # sent from the disk
put index.html <"$SRCDIR/www/index.html"
head -c 3000000 /dev/urandom | put large.bin

# ---- starting ----

it "refuses a folder that is not there, or is none"
run_berth --uds "$SOCKET" "/=site:$DIR/nowhere"
expect_code 3
expect_match "the line" "site: .*$DIR/nowhere.*No such file or directory" "$ERR"
run_berth --uds "$SOCKET" "/=site:$SITE/numbers.txt"
expect_code 3
expect_match "the line" "site: .*numbers.txt.*Not a directory" "$ERR"

serve "/=site:$SITE" "/files=site:$SITE"
WORKER=$(workers)

# ---- what a path stands for ----

it "serves the tutorial's page at /, /index and /index.html"
for target in / /index /index.html; do
    http "$target"
    expect_status 200
    expect_header Content-Type "text/html; charset=utf-8"
    expect_file index.html
done
expect_true grep -qxF '<h1>Hello, world!</h1>' "$DIR/body"
expect_true grep -qxF '<p>This is the index page.</p>' "$DIR/body"

it "says what a file is, how large, how old, and which one"
http /numbers.txt
expect_status 200
expect_file numbers.txt
expect_header Content-Type "text/plain; charset=utf-8"
expect_header Content-Length "$(stat -c %s "$SITE/numbers.txt")"
expect_header Last-Modified "$(date -u -r "$SITE/numbers.txt" '+%a, %d %b %Y %H:%M:%S GMT')"
expect_header Accept-Ranges bytes
expect_header X-Content-Type-Options nosniff
expect_header Vary ""
expect_match "the entity tag" '^"[0-9a-f-]+"$' "$(header ETag)"

it "answers HEAD with the same head"
get=$(grep -v '^Date' <<<"$HEAD")
http /numbers.txt --head
expect_status 200
expect_equal "the head" "$get" "$(grep -v '^Date' <<<"$HEAD")"
raw 'HEAD /large.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
expect_status 200
expect_equal "what follows the head" "" "$(sed '1,/^$/d' <<<"$RAW")"

it "sends a large file, and an empty one"
http /large.bin
expect_file large.bin
expect_header Content-Type application/octet-stream
: | put empty.css
http /empty.css
expect_status 200
expect_header Content-Length 0
expect_header Content-Type "text/css; charset=utf-8"

it "leaves other methods to others"
http /numbers.txt -X DELETE
expect_status 405
expect_match "Allow" GET "$(header Allow)"
expect_true test -f "$SITE/numbers.txt"

it "sends who asks for a folder to its inside, with root and query"
seq 1 3 | put 'sub/a b/index.html'
for pair in /sub:/sub/ /files:/files/ '/files?x=1:/files/?x=1' '/files/sub?x=1&y=%20:/files/sub/?x=1&y=%20' \
    /sub/a%20b:/sub/a%20b/ /sub/%61%20%62:/sub/a%20b/; do
    http "${pair%%:*}"
    expect_status 308
    expect_header Location "${pair#*:}"
done
http /sub/a%20b/
expect_file 'sub/a b/index.html'
http /sub/
expect_status 404

it "sends nobody to another host"
mkdir -p "$SITE/evil.example" "$SITE/\\evil"
http //evil.example
expect_status 404
http /files//evil.example
expect_status 404
http '/%5Cevil'
expect_status 308
expect_header Location /%5Cevil/

# ---- conditions ----

http /numbers.txt
TAG=$(header ETag)
DATE=$(header Last-Modified)
EARLIER=$(date -u -d "$DATE 1 second ago" '+%a, %d %b %Y %H:%M:%S GMT')

# The states of a field are the words of each list: not there, the file's own, another one, and nonsense.
tags=("" "$TAG" '"another"' another)
dates=("" "$DATE" "$EARLIER" yesterday)

# what RFC 9110 section 13.2.2 expects: expected GET? MATCH UNMODIFIED NONE-MATCH MODIFIED RANGE?
expected() {
    if [ "$2" -ne 0 ]; then
        [ "$2" -eq 1 ] || { echo 412 && return; }
    elif [ "$3" -eq 2 ]; then
        echo 412 && return
    fi
    if [ "$4" -ne 0 ]; then
        [ "$4" -ne 1 ] || { echo 304 && return; }
    elif [ "$5" -eq 1 ]; then
        echo 304 && return
    fi
    if [ "$1" = GET ] && [ "$6" = yes ]; then echo 206; else echo 200; fi
}

# field NAME VALUE: a line of curl's configuration
field() {
    [ -z "$2" ] || printf 'header = "%s: %s"\n' "$1" "${2//\"/\\\"}"
}

it "heeds the four conditions in every combination, with GET, HEAD and Range"
for method in GET HEAD; do
    for range in no yes; do
        for number in {0..255}; do
            m=$((number % 4)) u=$((number / 4 % 4)) n=$((number / 16 % 4)) s=$((number / 64))
            printf 'url = "http://localhost/numbers.txt"\nunix-socket = "%s"\noutput = "/dev/null"\nsilent\n' "$SOCKET"
            printf 'write-out = "%s%%{http_code}\\\\n"\n' "$method $range $number "
            [ "$method" = GET ] || echo head
            [ "$range" = no ] || field Range bytes=0-1
            field If-Match "${tags[m]}"
            field If-Unmodified-Since "${dates[u]}"
            field If-None-Match "${tags[n]}"
            field If-Modified-Since "${dates[s]}"
            echo next
            echo "$method $range $number $(expected $method $m $u $n $s $range)" >&3
        done
    done
done >"$DIR/requests" 3>"$DIR/expected"
sed -i '$d' "$DIR/requests"
curl -K "$DIR/requests" >"$DIR/answers" 2>"$DIR/curl.err" || fail "curl" "nothing" "$(head -3 "$DIR/curl.err")"
expect_equal "requests" 1024 "$(wc -l <"$DIR/answers")"
expect_equal "differences" "" "$(diff "$DIR/expected" "$DIR/answers" | head -20)"
expect_equal "kinds of answer" "200 206 304 412" "$(awk '{ print $4 }' "$DIR/answers" | sort -u | paste -sd ' ')"

it "says in a 304 what a cache needs, and nothing else"
http /numbers.txt -H "If-None-Match: $TAG"
expect_status 304
expect_header ETag "$TAG"
expect_header Content-Type ""
expect_header Last-Modified ""
expect_header Content-Length "$(stat -c %s "$SITE/numbers.txt")"
expect_body ""
raw "GET /numbers.txt HTTP/1.1\r\nHost: x\r\nIf-None-Match: $TAG\r\nConnection: close\r\n\r\n"
expect_status 304
expect_equal "what follows the head" "" "$(sed '1,/^$/d' <<<"$RAW")"

it "keeps the connection past a 304, a 206 and a 412"
raw "GET /numbers.txt HTTP/1.1\r\nHost: x\r\nIf-None-Match: $TAG\r\n\r\nGET /numbers.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\nGET /numbers.txt HTTP/1.1\r\nHost: x\r\nIf-Match: \"x\"\r\n\r\nGET /large.bin HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\nGET /sub HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
expect_equal "the answers" "304 206 412 304 308" "$(grep -aoE '^HTTP/1.1 [0-9]+' <<<"$RAW" | cut -d' ' -f2 | paste -sd ' ')"

# ---- ranges ----

# piece FILE FIRST SIZE
piece() {
    tail -c +$(($2 + 1)) "$SITE/$1" | head -c "$3"
}

# expect_piece FILE FIRST SIZE
expect_piece() {
    local all

    all=$(stat -c %s "$SITE/$1")
    expect_status 206
    expect_header Content-Range "bytes $2-$(($2 + $3 - 1))/$all"
    expect_header Content-Length "$3"
    piece "$@" | cmp -s - "$DIR/body" || fail "the bytes" "those of $1 from $2" "others"
}

it "sends a part of a file, small or large, from memory and from the disk"
for file in numbers.txt more.txt large.bin; do
    all=$(stat -c %s "$SITE/$file")
    http "/$file" -r 0-0
    expect_piece "$file" 0 1
    http "/$file" -r 100-1099
    expect_piece "$file" 100 1000
    http "/$file" -r 5000-
    expect_piece "$file" 5000 $((all - 5000))
    http "/$file" -r -500
    expect_piece "$file" $((all - 500)) 500
    http "/$file" -r "5-$((all * 2))"
    expect_piece "$file" 5 $((all - 5))
    http "/$file" -r "$all-"
    expect_status 416
    expect_header Content-Range "bytes */$all"
    expect_header Content-Type application/problem+json
    http "/$file" -r -0
    expect_status 416
    http "/$file" -r 5-4
    expect_status 200
    expect_file "$file"
done
http /large.bin -r 16384-32767
expect_piece large.bin 16384 16384
http /large.bin -r 16384-32768
expect_piece large.bin 16384 16385
expect_header ETag "$(http /large.bin --head && header ETag)"
http /empty.css -r 0-
expect_status 416
http /empty.css -r -1
expect_status 200

it "sends several parts as multipart/byteranges"
http /numbers.txt -r 0-9,1000-1009,-5
expect_status 206
expect_header Content-Range ""
boundary=$(header Content-Type | sed -n 's/^multipart\/byteranges; boundary=//p')
expect_match "the boundary" '^[0-9a-f]{32}$' "$boundary"
all=$(stat -c %s "$SITE/numbers.txt")
{
    for part in 0:10 1000:10 $((all - 5)):5; do
        first=${part%:*} size=${part#*:}
        [ "$first" = 0 ] || printf '\r\n'
        printf -- '--%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes %d-%d/%d\r\n\r\n' \
            "$boundary" "$first" $((first + size - 1)) "$all"
        piece numbers.txt "$first" "$size"
    done
    printf -- '\r\n--%s--\r\n' "$boundary"
} >"$DIR/parts"
expect_true cmp "$DIR/parts" "$DIR/body"
expect_header Content-Length "$(stat -c %s "$DIR/parts")"
http /large.bin -r 0-999999,2000000-2999999
expect_status 206
expect_equal "its length" "$(header Content-Length)" "$(stat -c %s "$DIR/body")"

it "joins what overlaps, and sends the whole when it is asked for too much"
http /numbers.txt -r 0-99,50-149
expect_piece numbers.txt 0 150
http /numbers.txt -r "$(seq 0 100 1600 | sed 's/.*/&-&/' | paste -sd ,)"
expect_status 200
expect_file numbers.txt
http /numbers.txt -r "$(seq 0 100 1500 | sed 's/.*/&-&/' | paste -sd ,)"
expect_status 206

it "continues only the file that was begun: If-Range"
http /numbers.txt -r 10-19 -H "If-Range: $TAG"
expect_piece numbers.txt 10 10
http /numbers.txt -r 10-19 -H "If-Range: $DATE"
expect_piece numbers.txt 10 10
for other in '"another"' "W/$TAG" "$EARLIER" yesterday; do
    http /numbers.txt -r 10-19 -H "If-Range: $other"
    expect_status 200
    expect_file numbers.txt
done
http /numbers.txt -r 99999999- -H 'If-Range: "another"'
expect_status 200

it "has no ranges for HEAD"
http /numbers.txt --head -r 10-19
expect_status 200
expect_header Content-Range ""

# ---- encodings ----

it "sends the encoded file beside the original to who takes it"
seq 1 2000 | put script.js
gzip -9kn "$SITE/script.js"
echo "pretend that this is brotli" | put script.js.br
http /script.js
expect_header Vary Accept-Encoding
expect_header Content-Encoding ""
expect_file script.js
plain=$(header ETag)
http /script.js -H 'Accept-Encoding: gzip'
expect_header Vary Accept-Encoding
expect_header Content-Encoding gzip
expect_header Content-Type "text/javascript; charset=utf-8"
expect_file script.js.gz
packed=$(header ETag)
http /script.js -H 'Accept-Encoding: gzip, deflate, br'
expect_header Content-Encoding br
expect_file script.js.br
expect_equal "entity tags" 3 "$(printf '%s\n' "$plain" "$packed" "$(header ETag)" | sort -u | wc -l)"
http /script.js -H 'Accept-Encoding: br;q=0.1, gzip;q=0.2'
expect_header Content-Encoding gzip
http /script.js -H 'Accept-Encoding: gzip;q=0, br;q=0'
expect_header Content-Encoding ""
http /script.js --compressed -H 'Accept-Encoding: gzip'
expect_file script.js

it "takes ranges and conditions of an encoded file by its own tag"
http /script.js -H 'Accept-Encoding: gzip' -r 10-19 -H "If-Range: $packed"
expect_piece script.js.gz 10 10
expect_header Content-Encoding gzip
http /script.js -r 10-19 -H "If-Range: $packed"
expect_status 200
expect_file script.js
http /script.js -H 'Accept-Encoding: gzip' -H "If-None-Match: $packed"
expect_status 304
expect_header Vary Accept-Encoding
http /script.js -H "If-None-Match: $packed"
expect_status 200

it "sends no encoded file that is older than the original"
put stale.txt <<<new
put stale.txt.gz <<<old
touch -d '2 hours ago' "$SITE/stale.txt.gz"
http /stale.txt -H 'Accept-Encoding: gzip'
expect_header Content-Encoding ""
expect_file stale.txt

# ---- a hostile folder ----

it "lets nothing out by links, dots or encodings"
echo secret >"$DIR/secret.txt"
mkdir "$DIR/outside"
echo secret >"$DIR/outside/index.html"
ln -s "$DIR/secret.txt" "$SITE/absolute.txt"
ln -s ../secret.txt "$SITE/relative.txt"
ln -s ../../secret.txt "$SITE/sub/up.txt"
ln -s "$DIR/outside" "$SITE/outside"
ln -s ../outside "$SITE/beside"
ln -s /proc/self/root "$SITE/magic"
ln -s /proc/self/cwd "$SITE/cwd"
ln -s loop "$SITE/loop"
ln -s . "$SITE/self"
echo secret | put .hidden
echo secret | put .git/config
echo secret | put sub/.htpasswd
for target in /absolute.txt /relative.txt /sub/up.txt /outside /outside/ /outside/index.html /beside/ /beside/index.html \
    /magic /magic/ "/magic$DIR/secret.txt" "/cwd/" /loop /loop/ /loop/x /.hidden /%2ehidden /.git/config \
    /.git/ /.git /sub/.htpasswd "//$DIR/secret.txt" "/$DIR/secret.txt"; do
    http "$target"
    expect_status 404
    expect_no_match "what comes out of $target" "secret$" "$BODY"
done
for target in /../secret.txt /sub/../../secret.txt /..%2fsecret.txt /%2e%2e/secret.txt /.%2e/secret.txt \
    /sub/%2e%2e%2f%2e%2e%2fsecret.txt /numbers.txt%00.html /sub/..; do
    http "$target"
    expect_status 400
done
http /..%5csecret.txt
expect_status 404

it "follows links that stay inside"
ln -s ../numbers.txt "$SITE/sub/inside.txt"
ln -s sub "$SITE/linked"
http /sub/inside.txt
expect_status 200
expect_file numbers.txt
http /linked/a%20b/
expect_status 200
http /self/self/self/numbers.txt
expect_status 200

it "serves only regular files, and waits for none"
mkfifo "$SITE/fifo" "$SITE/fifo.html" "$SITE/index.txt"
"$SUPPORT/receive" "$SITE/socket" >/dev/null 2>&1 &
PIDS+=("$!")
expect_soon test -S "$SITE/socket"
targets=(/fifo /fifo.html /index.txt /socket)
if [ "$(id -u)" -eq 0 ] && mknod "$SITE/null" c 1 3 2>/dev/null; then
    mknod "$SITE/zero.html" c 1 5
    targets+=(/null /zero.html /zero)
fi
started=$(now_ms)
for target in "${targets[@]}"; do
    http "$target"
    expect_status 404
done
[ $(($(now_ms) - started)) -lt 5000 ] || fail "the time it took" "less than 5 s" "$(($(now_ms) - started)) ms"

it "serves names of any bytes"
# shellcheck disable=SC2016 # nothing is to expand here
for name in 'with space' "with'quote" 'with"quotes"' $'with\nnewline' $'with\ttab' 'with%percent' 'with?mark' 'with#hash' \
    'with\backslash' $'latin-\xe9' 'über' '日本語' '&lt;b>' '$(id)' '*' '-rf' '~'; do
    printf '%s' "$name" | put "odd/$name"
    encoded=$(printf '%s' "$name" | od -An -v -tx1 | tr -d '\n' | sed 's/ /%/g')
    http "/odd/$encoded"
    expect_status 200
    expect_file "odd/$name"
    rm "$SITE/odd/$name"
    mkdir "$SITE/odd/$name"
    folder_is_seen() {
        http "/odd/$encoded" && [ "$STATUS" = 308 ]
    }
    expect_soon folder_is_seen
    http "/odd/$encoded/missing"
    expect_status 404
    rmdir "$SITE/odd/$name"
done
expect_no_match "the log's control characters" $'\t|\x1b' "$(cat "$DIR/berth.log")"

it "finds names of 255 bytes, and nothing beyond"
long=$(head -c 251 /dev/zero | tr '\0' x)
echo long | put "$long.txt"
http "/$long.txt"
expect_status 200
http "/x$long.txt"
expect_status 404
mkdir -p "$SITE/$long/$long/$long/$long"
http "/$long/$long/$long/$long/"
expect_status 404
http "/$long/$long/$long/$long"
expect_status 308
stop_server

it "says 403 of a file that it may not read"
echo unreadable | put closed.txt
chmod 000 "$SITE/closed.txt"
if [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$SITE"
    serve --user nobody "/=site:$SITE"
else
    serve "/=site:$SITE"
fi
http /closed.txt
expect_status 403
expect_no_match "nothing of the server's" "$DIR" "$BODY"
http /numbers.txt
expect_status 200
stop_server

# ---- changes ----

serve --root-path /app "/=site:$SITE"
WORKER=$(workers)

it "puts --root-path before redirects"
http /sub
expect_header Location /app/sub/

it "notices a file that is written to, replaced, removed and put back"
shows() {
    http /changing.txt && [ "$STATUS" = 200 ] && [ "$BODY" = "$1" ]
}
is_missing() {
    http /changing.txt && [ "$STATUS" = 404 ]
}
echo one >"$SITE/changing.txt"
expect_soon shows one
first=$(header ETag)
echo two >"$SITE/changing.txt"
expect_soon shows two
[ "$first" != "$(header ETag)" ] || fail "the entity tag" "another" "the same"
echo three >"$SITE/changing.new"
mv "$SITE/changing.new" "$SITE/changing.txt"
expect_soon shows three
rm "$SITE/changing.txt"
expect_soon is_missing
ln -s "$DIR/secret.txt" "$SITE/changing.txt"
expect_soon is_missing
rm "$SITE/changing.txt"
echo four >"$SITE/changing.txt"
expect_soon shows four

it "calls a new file's tag weak, and strong once it has settled"
http /changing.txt
expect_match "the tag of a new file" '^W/"[0-9a-f-]+-new"$' "$(header ETag)"
http /changing.txt -H "If-None-Match: $(header ETag)"
expect_status 304
is_settled() {
    http /changing.txt && [[ $(header ETag) == '"'* ]]
}
expect_soon is_settled

it "never mixes two versions of a file"
head -c 60000 /dev/zero | tr '\0' a | put version.txt
head -c 60000 /dev/zero | tr '\0' b >"$DIR/b.txt"
head -c 60000 /dev/zero | tr '\0' a >"$DIR/a.txt"
(for i in {1..200}; do
    cp "$DIR/a.txt" "$SITE/version.new" && mv "$SITE/version.new" "$SITE/version.txt"
    cp "$DIR/b.txt" "$SITE/version.new" && mv "$SITE/version.new" "$SITE/version.txt"
done) &
writer=$!
while alive "$writer"; do
    http /version.txt
    cmp -s "$DIR/body" "$DIR/a.txt" || cmp -s "$DIR/body" "$DIR/b.txt" || fail "the file" "one of two" "neither"
done

it "ends the connection, and nothing else, when a file shrinks while it is sent"
head -c 30000000 /dev/zero | put shrinking.bin
started=$(now_ms)
start slow curl -s --limit-rate 1M --unix-socket "$SOCKET" -o "$DIR/slow" http://localhost/shrinking.bin
begun() {
    [ -s "$DIR/slow" ]
}
expect_soon begun
truncate -s 1000000 "$SITE/shrinking.bin"
code=0
wait "$PID" || code=$?
expect_equal "curl's exit code: the transfer is incomplete" 18 "$code"
took=$(($(now_ms) - started))
[ "$took" -lt 25000 ] || fail "the time it took" "less than the 30 s of the whole file" "$took ms"
expect_log "shrinking.bin: the file became shorter while it was sent"
expect_equal "the worker" "$WORKER" "$(workers)"
http /shrinking.bin --head
expect_header Content-Length 1000000

it "also when it has grown again before anybody looked"
head -c 8000000 /dev/zero | put regrown.bin
python3 - "$SOCKET" "$SITE/regrown.bin" >"$DIR/regrown.out" <<'PYTHON'
import os, socket, sys

client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.settimeout(20)
client.sendall(b"GET /regrown.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
client.recv(1)  # it is being sent
os.truncate(sys.argv[2], 1000)
client.settimeout(0.3)
try:
    while client.recv(1 << 16):
        pass
except TimeoutError:
    pass
os.truncate(sys.argv[2], 8000000)
client.settimeout(20)
try:
    while client.recv(1 << 16):
        pass
    print("closed")
except TimeoutError:
    print("nothing came for 20 seconds")
PYTHON
expect_equal "what the client saw" closed "$(cat "$DIR/regrown.out")"

it "keeps sending a file that is replaced or removed meanwhile"
head -c 3000000 /dev/urandom | put going.bin
cp "$SITE/going.bin" "$DIR/going.bin"
start slow curl -s --limit-rate 2M --unix-socket "$SOCKET" -o "$DIR/slow" http://localhost/going.bin
: >"$DIR/slow"
expect_soon begun
rm "$SITE/going.bin"
code=0
wait "$PID" || code=$?
expect_equal "curl's exit code" 0 "$code"
expect_true cmp "$DIR/slow" "$DIR/going.bin"

it "keeps no more files open than it says, and lets go of them"
for i in {1..600}; do
    head -c 70000 /dev/zero | put "many/$i.bin"
done
for i in {1..600}; do
    printf 'url = "http://localhost/many/%s.bin"\noutput = "/dev/null"\n' "$i"
done | curl -s --unix-socket "$SOCKET" -w '%{http_code} %{size_download}\n' -K - | sort | uniq -c >"$DIR/many"
expect_equal "the answers" "600 200 70000" "$(xargs <"$DIR/many")"
open_files() {
    find "/proc/$WORKER/fd" -lname "$SITE/*" 2>/dev/null | wc -l
}
count=$(open_files)
expect_equal "open files: 512, each for its reply and for parts of it" 1024 "$count"
stop_server
expect_code 0

# A worker that drains no longer watches its listener.
watched() {
    cat "/proc/$WORKER/fdinfo/"* 2>/dev/null | grep -c '^tfd:'
}
drains() {
    [ "$(watched)" -lt "$before" ]
}

it "closes kept connections with their next answer while it drains, whatever that is"
serve "/=site:$SITE"
http /numbers.txt
tag=$(header ETag)
for request in "/numbers.txt:X: y:200" "/large.bin:X: y:200" "/numbers.txt:If-None-Match: $tag:304" \
    "/large.bin:If-None-Match: *:304" "/large.bin:Range: bytes=0-9:206" "/large.bin:Range: bytes=0-9,500-509:206"; do
    IFS=: read -r target name value status <<<"$request"
    coproc KEPT { exec socat -t 0.1 - "UNIX-CONNECT:$SOCKET"; }
    kept=$KEPT_PID
    PIDS+=("$kept")
    exec 7<&"${KEPT[0]}" 8>&"${KEPT[1]}"
    printf 'GET /empty.css HTTP/1.1\r\nHost: x\r\n\r\n' >&8
    while IFS= read -r -t 5 line <&7 && [ "$line" != $'\r' ]; do :; done
    WORKER=$(workers)
    before=$(watched)
    kill -TERM "$SERVER"
    expect_soon drains
    printf 'GET %s HTTP/1.1\r\nHost: x\r\n%s:%s\r\n\r\n' "$target" "$name" "$value" >&8
    timeout 5 cat <&7 >"$DIR/last" || fail "the end of the connection" "an end" "none within 5 s"
    exec 7<&- 8>&-
    expect_match "the answer to $request" "^HTTP/1.1 $status " "$(head -1 "$DIR/last")"
    expect_equal "Connection, in the answer to $request" close "$(sed '/^\r$/,$d' "$DIR/last" | tr -d '\r' | sed -n 's/^Connection: //p')"
    if [ "$status" = 200 ]; then
        expect_true cmp <(tail -c "$(stat -c %s "$SITE$target")" "$DIR/last") "$SITE$target"
    fi
    wait "$kept" 2>/dev/null
    wait_until gone "$SERVER" || fail "berth" "its end" "it runs"
    serve "/=site:$SITE"
done
stop_server

it "goes on with few descriptors"
(ulimit -n 60 && exec "${WRAPPER[@]}" "$BERTH" serve --uds "$SOCKET" "/=site:$SITE" >>"$DIR/berth.log" 2>&1) &
SERVER=$!
PIDS+=("$SERVER")
wait_until answers "$SOCKET" || bail "it does not answer"
for i in {1..100}; do
    printf 'url = "http://localhost/many/%s.bin"\noutput = "/dev/null"\n' "$i"
done | curl -s --unix-socket "$SOCKET" -w '%{http_code} %{size_download}\n' -K - | sort | uniq -c >"$DIR/many"
expect_equal "the answers" "100 200 70000" "$(xargs <"$DIR/many")"
stop_server

finish
