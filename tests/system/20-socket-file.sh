#!/usr/bin/env bash
# The socket file: what others see of it, and what happens when something is in its place.
. "$(dirname "$0")/lib.sh"
need lsof ss

mode_of() {
    stat -c %a "$1"
}

serve "$EXAMPLES/hello.so"

it "shows its path to lsof -U and ss -xl"
expect_match "lsof -U" "berth .*$SOCKET" "$(lsof -U 2>/dev/null | grep "$SOCKET")"
expect_match "ss -xl" "LISTEN .*$SOCKET " "$(ss -xl | grep "$SOCKET")"

it "is 0660 by default"
expect_equal "the mode" 660 "$(mode_of "$SOCKET")"

it "refuses a path that is served, and names who serves it"
run_berth --uds "$SOCKET" "$EXAMPLES/hello.so"
expect_code 1
expect_match "the message" "already served by pid $SERVER" "$ERR"
expect_true answers "$SOCKET"

it "withdraws the path and its lock when it ends"
stop_server
expect_code 0
expect_gone "$SOCKET"*

it "replaces what a kill -9 left behind"
serve "$EXAMPLES/hello.so"
stop_server KILL
expect_true test -S "$SOCKET"
serve "$EXAMPLES/hello.so"
http /index
expect_status 200
stop_server

it "takes the mode that it is told, and its group"
serve --socket-mode 0606 --socket-group "$(id -gn)" "$EXAMPLES/hello.so"
expect_equal "the mode" 606 "$(mode_of "$SOCKET")"
expect_equal "the group" "$(id -gn)" "$(stat -c %G "$SOCKET")"
stop_server

it "keeps its mode whatever the umask is"
(umask 0 && exec "${WRAPPER[@]}" "$BERTH" serve --uds "$SOCKET" "$EXAMPLES/hello.so" 2>"$DIR/umask.log") &
SERVER=$!
PIDS+=("$SERVER")
wait_until answers "$SOCKET" || bail "it does not answer"
expect_equal "the mode" 660 "$(mode_of "$SOCKET")"
stop_server

it "refuses a mode that is none"
for mode in 9999 rw 07777 "" 1660 0o660; do
    run_berth --uds "$SOCKET" --socket-mode "$mode" "$EXAMPLES/hello.so"
    expect_equal "the exit code for \"$mode\"" 2 "$CODE"
    expect_match "the message for \"$mode\"" "socket-mode" "$ERR"
done

it "refuses users and groups that are none"
run_berth --uds "$SOCKET" --socket-group no-such-group "$EXAMPLES/hello.so"
expect_code 2
expect_match "the message" "no-such-group" "$ERR"
expect_false test -e "$SOCKET"

it "leaves a plain file, a folder, a symbolic link and a fifo alone"
echo precious >"$DIR/file"
mkdir "$DIR/folder"
mkfifo "$DIR/fifo"
ln -s "$DIR/file" "$DIR/link"
ln -s "$DIR/nowhere" "$DIR/dangling"
for path in file folder link fifo dangling; do
    run_berth --uds "$DIR/$path" "$EXAMPLES/hello.so"
    expect_equal "the exit code for a $path" 1 "$CODE"
    expect_match "the message for a $path" "$DIR/$path" "$ERR"
done
expect_equal "the file" precious "$(cat "$DIR/file")"
expect_true test -d "$DIR/folder"
expect_true test -p "$DIR/fifo"
expect_true test -L "$DIR/dangling"
expect_false test -e "$DIR/nowhere"

it "does not follow a symbolic link to a socket"
serve "$EXAMPLES/hello.so"
ln -s "$SOCKET" "$DIR/socket-link"
run_berth --uds "$DIR/socket-link" "$EXAMPLES/hello.so"
expect_code 1
expect_true test -L "$DIR/socket-link"
expect_true answers "$SOCKET"

it "does not remove a successor's socket"
rm "$SOCKET"
python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()' "$SOCKET"
inode=$(stat -c %i "$SOCKET")
stop_server
expect_code 0
expect_equal "the inode" "$inode" "$(stat -c %i "$SOCKET" 2>/dev/null)"
rm -f "$SOCKET"

it "serves a path of 107 bytes and refuses one of 108, with limit and length"
long=$DIR/$(printf '%0*d' $((107 - ${#DIR} - 1)) 0)
start_berth --uds "$long" "$EXAMPLES/hello.so"
expect_soon answers "$long"
stop_server
run_berth --uds "${long}0" "$EXAMPLES/hello.so"
expect_code 2
expect_match "the message" "108 .*107" "$ERR"

it "refuses an abstract name, unless the risk is asked for by name"
name="@berth-test-$$"
run_berth --uds "$name" "$EXAMPLES/hello.so"
expect_code 2
expect_match "the message" "allow-abstract" "$ERR"
start_berth --uds "$name" --allow-abstract "$EXAMPLES/hello.so"
expect_soon curl -s --abstract-unix-socket "${name#@}" http://localhost/index
stop_server

it "refuses a path that ends with a slash, and a folder that is not there"
run_berth --uds "$DIR/" "$EXAMPLES/hello.so"
expect_code 2
expect_match "the message" "add the name" "$ERR"
run_berth --uds "$DIR/nowhere/http.sock" "$EXAMPLES/hello.so"
expect_code 1
expect_match "the message" "mkdir -p $DIR/nowhere" "$ERR"

it "serves several paths"
start_berth --uds "$DIR/a.sock" --uds "$DIR/b.sock" "$EXAMPLES/hello.so"
expect_soon answers "$DIR/a.sock"
expect_soon answers "$DIR/b.sock"
stop_server
expect_gone "$DIR"/[ab].sock*

it "has one winner when two start at once"
for round in 1 2 3 4 5; do
    start first "$BERTH" serve --uds "$SOCKET" "$EXAMPLES/hello.so"
    first=$PID
    start second "$BERTH" serve --uds "$SOCKET" "$EXAMPLES/hello.so"
    second=$PID
    expect_soon answers "$SOCKET"
    one_is_left() {
        gone "$first" || gone "$second"
    }
    expect_soon one_is_left
    SERVER=$first
    gone "$first" && SERVER=$second
    expect_true alive "$SERVER"
    expect_true answers "$SOCKET"
    stop_server
    expect_equal "the winner's exit code in round $round" 0 "$CODE"
done

finish
