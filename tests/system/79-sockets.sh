#!/usr/bin/env bash
# Who listens? berth sockets beside ss and lsof, among sockets of every kind.
. "$(dirname "$0")/lib.sh"
need ss lsof jq python3 systemd-socket-activate setpriv unshare socat curl
need_root

# Others must reach the program too, in whatever folder this was built.
mkdir "$DIR/bin" "$DIR/s"
cp "$BERTH" "$DIR/bin/berth"
SOCKETS=("${WRAPPER[@]}" "$DIR/bin/berth" sockets)
ABSTRACT=berth-test-$$

# Makes sockets as its arguments say, says "ready", and keeps them until it is killed.
cat >"$DIR/holder.py" <<'END'
import os, signal, socket, sys

types = {"stream": socket.SOCK_STREAM, "datagram": socket.SOCK_DGRAM, "packets": socket.SOCK_SEQPACKET}
kept = []
for argument in sys.argv[1:]:
    kind, name = argument.split(":", 1)
    name = os.fsencode(name).decode("unicode_escape").encode("latin-1")
    made = socket.socket(socket.AF_UNIX, types.get(kind, socket.SOCK_STREAM))
    kept.append(made)
    if kind == "connect":
        made.connect(name)
        continue
    made.bind(b"\0" + name[1:] if name[:1] == b"@" else name)
    if kind not in ("datagram", "bound"):
        made.listen(7)
print("ready", flush=True)
if kind == "accepts":
    kept.append(made.accept()[0])
    print("accepted", flush=True)
signal.pause()
END

# holder NAME KIND:PATH…
holder() {
    local name=$1

    shift
    start "$name" python3 "$DIR/holder.py" "$@"
    wait_until grep -q ready "$DIR/$name.out" || bail "no sockets of $name"
}

sockets() {
    run "${SOCKETS[@]}" "$@"
    expect_code 0
}

# is FILTER WHAT: what jq makes of the listing
is() {
    expect_equal "$1" "$2" "$(jq -r "$1" "$DIR/run.out" 2>&1)"
}

# ---- beside others ----

holder several "stream:$DIR/s/a" "stream:$DIR/s/b" "packets:$DIR/s/p" "datagram:$DIR/s/d" "bound:$DIR/s/n" \
    "stream:@$ABSTRACT"
HOLDER=$PID
holder other "datagram:$DIR/s/e" "connect:$DIR/s/a" "connect:$DIR/s/a"
OTHER=$PID

it "lists what ss lists: listening sockets, and datagram sockets with a name"
# Of this folder: others come and go on this machine.
ss -xaH | awk -v folder="$DIR/s/" '($2 == "LISTEN" || ($1 == "u_dgr" && $2 == "UNCONN")) && index($5, folder) == 1 {
    split($1, type, "_"); print $5, $6, $3 "/" $4, $2 }' | sed 's, [0-9]*/[0-9]* UNCONN, null/null bound,; s/LISTEN/listening/' | sort >"$DIR/ss"
sockets --json --path "$DIR/s/*"
jq -r '.[] | "\(.path) \(.inode) \(.backlog.queued)/\(.backlog.limit) \(.state)"' "$DIR/run.out" | sort >"$DIR/ours"
expect_equal "the sockets" "$(cat "$DIR/ss")" "$(cat "$DIR/ours")"
expect_equal "how many" 5 "$(wc -l <"$DIR/ours")"
is '.[] | select(.path == "'"$DIR"'/s/a") | .backlog | "\(.queued) \(.limit)"' "2 7"
expect_equal "standard error" "" "$ERR"

it "lists the holders that lsof lists, of all sockets of these processes"
lsof -nP -w -U -a -p "$HOLDER,$OTHER" -F pfi | awk '
    /^p/ { pid = substr($0, 2) } /^f/ { fd = substr($0, 2) } /^i/ { print pid, fd, substr($0, 2) }' | sort >"$DIR/lsof"
sockets --json --all
jq -r --arg a "$HOLDER" --arg b "$OTHER" '.[] | .inode as $inode | .holders[] |
    select(.pid == ($a, $b | tonumber)) | "\(.pid) \(.fd) \($inode)"' "$DIR/run.out" | sort >"$DIR/ours"
expect_equal "the holders" "$(cat "$DIR/lsof")" "$(cat "$DIR/ours")"
expect_equal "how many" 9 "$(wc -l <"$DIR/ours")"

it "says who is connected to whom"
holder server "accepts:$DIR/s/served"
SERVER_END=$PID
holder client "connect:$DIR/s/served"
CLIENT_END=$PID
wait_until grep -q accepted "$DIR/server.out" || bail "nobody accepts"
sockets --json --all
is '.[] | select(any(.holders[]; .pid == '"$CLIENT_END"')) | .peer.holders[].pid' "$SERVER_END"
is '.[] | select(.peer and any(.holders[]; .pid == '"$SERVER_END"')) | .peer.holders[].pid' "$CLIENT_END"
sockets --all
expect_match "the client" "connected .* [^ ]+\\[$SERVER_END\\] +- +-\$" "$(grep -E " $CLIENT_END +root " "$DIR/run.out")"
expect_match "the server" "connected .* [^ ]+\\[$CLIENT_END\\] +ok +$DIR/s/served\$" \
    "$(grep -E " $SERVER_END +root .* connected" "$DIR/run.out")"

it "shows both holders of a socket that a service manager hands on"
# The workers of berth are two more.
start activate systemd-socket-activate -l "$DIR/s/handed" "${WRAPPER[@]}" "$BERTH" serve "$PROBE"
wait_until test -S "$DIR/s/handed" || bail "no activated socket"
wait_until answers "$DIR/s/handed" || bail "no answer"
sockets --json --path "$DIR/s/handed"
expect_equal "the holders" "$(lsof -nP -w -t "$DIR/s/handed" | sort -u)" \
    "$(jq -r '.[].holders[].pid' "$DIR/run.out" | sort -u)"
expect_true test "$(jq '.[0].holders | length' "$DIR/run.out")" -ge 2
sockets --path "$DIR/s/handed"
expect_equal "a line each" "$(lsof -nP -w -t "$DIR/s/handed" | sort -u | wc -l)" \
    "$(tail -n +2 "$DIR/run.out" | awk '{ print $2 }' | sort -u | wc -l)"

it "shows abstract sockets, which have no file"
sockets --json --path "@$ABSTRACT"
is '.[] | "\(.abstract) \(.file) \(.mode) \(.holders[0].pid)"' "$ABSTRACT null null $HOLDER"

it "shows owner, group and mode of the file"
chown www-data:daemon "$DIR/s/b"
chmod 0620 "$DIR/s/b"
sockets --json --path "$DIR/s/b"
is '.[] | "\(.file) \(.owner) \(.group) \(.mode)"' "ok www-data daemon 0620"
sockets --path "$DIR/s/b"
expect_match "the line" "listening  0/7 +www-data:daemon  0620  ok    $DIR/s/b\$" "$OUT"

# ---- what became of the path ----

it "marks what was renamed, replaced and removed"
holder moved "stream:$DIR/s/renamed" "stream:$DIR/s/replaced" "stream:$DIR/s/removed" "stream:$DIR/s/kept"
mv "$DIR/s/renamed" "$DIR/s/new name"
rm "$DIR/s/replaced" "$DIR/s/removed"
holder successor "stream:$DIR/s/replaced"
SUCCESSOR=$PID
sockets --json --path "$DIR/s/re*" --path "$DIR/s/kept"
is '[.[] | "\(.path | split("/") | last) \(.file)"] | sort | join(", ")' \
    "kept ok, removed removed, renamed renamed, replaced ok, replaced replaced"
is '.[] | select(.file == "renamed") | .renamed_to' "$DIR/s/new name"
is '.[] | select(.path | endswith("/replaced")) | select(.file == "ok") | .holders[].pid' "$SUCCESSOR"
sockets --path "$DIR/s/renamed"
expect_match "the line" " renamed  $DIR/s/renamed -> $DIR/s/new\\\\x20name\$" "$OUT"

it "tells a path that only the holder sees from one that nobody does"
# shellcheck disable=SC2016 # it is the inner shell's
start inside unshare -m sh -c 'mount -t tmpfs none "$1/s" && exec python3 "$1/holder.py" "stream:$1/s/inside"' - "$DIR"
if wait_until grep -q ready "$DIR/inside.out"; then
    sockets --json --path "$DIR/s/inside"
    is '.[] | "\(.file) \(.mode)"' "elsewhere 0755"
else
    fail "a process with files of its own" "ready" "$(cat "$DIR/inside.log")"
fi

# ---- names ----

it "shows no name as a terminal would obey it, and each as one word; in JSON it is exact"
holder odd "stream:$DIR/s/odd a\\n\\x1b[2J" "stream:$DIR/s/odd \\xff" "stream:@$ABSTRACT\\x00\\n"
sockets --path "$DIR/s/odd*" --path "@$ABSTRACT?*"
expect_no_match "the table" $'\e' "$OUT"
expect_equal "the names" "$(printf '%s\n' "$DIR/s/odd\\x20\\xff" "$DIR/s/odd\\x20a\\n\\x1b[2J" "@$ABSTRACT@\\n" | sort)" \
    "$(tail -n +2 "$DIR/run.out" | awk '{ print $NF }' | sort)"
sockets --json --path "$DIR/s/odd*" --path "@$ABSTRACT?*"
is '.[] | select(.abstract) | .abstract == "'"$ABSTRACT"'\u0000\n"' true
is '.[] | select(.path_hex) | .path_hex' "$(printf '%s/s/odd \xff' "$DIR" | od -An -tx1 | tr -d ' \n')"
is '[.[] | select(.path == "'"$DIR"'/s/odd a\n\u001b[2J")] | length' 1

# ---- what is wanted ----

it "wants only some by command, user and path, all of which must be true"
cp "$(command -v socat)" "$DIR/bin/berth-x y"
start service setpriv --reuid www-data --regid www-data --clear-groups \
    "$DIR/bin/berth-x y" "ABSTRACT-LISTEN:$ABSTRACT-service,fork" OPEN:/dev/null
SERVICE=$PID
listens() {
    ss -xlH | grep -q -- "@$1 "
}
wait_until listens "$ABSTRACT-service" || bail "no service"
for case in "-cberth-x" "-c berth-x" "--command=berth-x -u www-data" "-u root -u www-data -c no -c berth-" \
    "-u 33 --path @$ABSTRACT-s*"; do
    # shellcheck disable=SC2086 # a list
    sockets --json $case
    expect_equal "with $case" "$SERVICE" "$(jq -r '.[] | select(.abstract == "'"$ABSTRACT-service"'") | .holders[].pid' "$DIR/run.out")"
    is "[.[] | select(.path == \"$DIR/s/a\")] | length" 0
done
for case in "-c erth" "-c berth-x -u root" "-u www-data --path /*"; do
    # shellcheck disable=SC2086 # a list
    set -f && sockets --json $case && set +f
    is '[.[] | select(.abstract == "'"$ABSTRACT-service"'")] | length' 0
done
sockets -c berth-x
expect_match "a command of two words" '^berth-x\\x20y ' "$(tail -n 1 <<<"$OUT")"

it "says what is wrong with its arguments"
for case in "-x:no such option" "--pth x:did you mean --path" "--path:GLOB must follow" "-c:COMMAND must follow" \
    "--json=yes:takes no value" "/tmp/x:expected no argument; --path ./tmp/x. looks" "-u nobody-of-that-name:there is no user"; do
    # shellcheck disable=SC2086 # a list
    run "$BERTH" sockets ${case%%:*}
    expect_code 2
    expect_match "what it says" "^berth: sockets: .*${case#*:}" "$ERR"
    expect_equal "the output" "" "$OUT"
done

it "fails where its output does not arrive"
CODE=0
"$BERTH" sockets >/dev/full 2>"$DIR/full.err" || CODE=$?
expect_code 1

# ---- what may not be seen ----

it "says what it may not see, and shows the rest"
run setpriv --reuid www-data --regid www-data --clear-groups "${SOCKETS[@]}" --json
expect_code 0
expect_match "standard error" '^berth: sockets: [0-9]+ processes of other users cannot be looked into, .*run it as root' "$ERR"
expect_equal "lines" 1 "$(wc -l <<<"$ERR")"
is '.[] | select(.path == "'"$DIR"'/s/a") | "\(.file) \(.owner) \(.holders)"' "ok root []"
is '.[] | select(.abstract == "'"$ABSTRACT-service"'") | .holders[].pid' "$SERVICE"

# Debian's python3-minimal has no ctypes; there this is left to the unit tests.
if python3 -c "import ctypes, platform" 2>/dev/null; then
    it "reads /proc/net/unix where the kernel refuses sock_diag"
cat >"$DIR/refuse.py" <<'END'
import ctypes, os, platform, struct, sys
# socket(AF_NETLINK, …) fails with EPERM: seccomp(2)
number = {"x86_64": 41, "aarch64": 198}[platform.machine()]
program = b"".join(struct.pack("HBBI", *line) for line in [
    (0x20, 0, 0, 0), (0x15, 0, 3, number), (0x20, 0, 0, 16), (0x15, 0, 1, 16), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)])
memory = ctypes.create_string_buffer(program)
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 6, ctypes.addressof(memory))), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
END
run python3 "$DIR/refuse.py" "$DIR/bin/berth" sockets --json --path "$DIR/s/[abpd]" --path "$DIR/s/removed"
expect_code 0
expect_match "standard error" '^berth: sockets: the kernel refuses sock_diag \(Operation not permitted\): ' "$ERR"
is '[.[] | "\(.path | split("/") | last) \(.type) \(.state) \(.file) \(.holders | length) \(.backlog)"] | join(", ")' \
    "a stream listening unknown 1 null, b stream listening unknown 1 null, d datagram bound unknown 1 null, p seqpacket listening unknown 1 null, removed stream listening removed 1 null"
fi

# ---- races ----

it "is not troubled by processes that end meanwhile"
start churn python3 -c 'import os, socket, sys
print("ready", flush=True)
for i in range(100000):
    pid = os.fork()
    if pid == 0:
        s = socket.socket(socket.AF_UNIX)
        s.bind("\0%s-churn-%d" % (sys.argv[1], i))
        s.listen()
        os._exit(0)
    os.waitpid(pid, 0)' "$ABSTRACT"
wait_until grep -q ready "$DIR/churn.out" || bail "no churn"
for _ in $(seq "$([ -n "${SLOW:-}" ] && echo 5 || echo 30)"); do
    sockets --all --json
    expect_true jq -e . "$DIR/run.out"
    is '[.[] | select(.path == "'"$DIR"'/s/a" and .state == "listening")] | length' 1
    expect_equal "standard error" "" "$ERR"
done

finish
