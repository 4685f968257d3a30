#!/usr/bin/env bash
# --exit-idle-time: under activation only, never while somebody is connected, and nobody who comes then is lost.
. "$(dirname "$0")/lib.sh"
need python3

# Listens at argv[1] and runs berth with the socket for as long as there are clients: what systemd does.
manager='
import os, select, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(128)
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
while True:
    select.select([s], [], [])
    child = subprocess.Popen(["/bin/sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"", "sh"] + sys.argv[2:],
                             pass_fds=[3])
    print("started", child.pid, flush=True)
    print("ended", child.wait(), flush=True)
'

starts() {
    grep -c '^started' "$DIR/manager.out"
}

ended() {
    [ "$(grep -c '^ended 0' "$DIR/manager.out")" -ge "$1" ]
}

start manager python3 -c "$manager" "$SOCKET" "$BERTH" serve --exit-idle-time 300ms \
    --event-log "$DIR/journal" /events=events "/streams=$SUPPORT/streams.so" "$PROBE"
wait_until test -S "$SOCKET"

it "starts for the first client and ends when there was none for a while"
http /pid
expect_status 200
expect_soon ended 1

it "starts again for the next"
http /pid
expect_status 200
expect_equal "starts" 2 "$(starts)"
expect_soon ended 2

it "stays for a reply that is held"
http /later/1200
expect_status 200
expect_equal "starts" 3 "$(starts)"
expect_equal "ends" 2 "$(grep -c '^ended' "$DIR/manager.out")"
expect_soon ended 3

it "stays for an open stream, and for a client that follows events"
ends=3
for target in /streams/open/idle /events; do
    code=0
    curl -s --no-buffer --max-time 1.2 --unix-socket "$SOCKET" -o /dev/null "http://localhost$target" || code=$?
    expect_equal "curl's exit code for $target: its own time was over" 28 "$code"
    expect_equal "ends" "$ends" "$(grep -c '^ended' "$DIR/manager.out")"
    ends=$((ends + 1))
    expect_soon ended "$ends"
done

it "loses nobody who comes while it ends"
load_start -c 3 -1 -i 299 -p /pid
# Pauses about as long as the idle time, so that clients come just when it is about to go.
busy() {
    [ "$(starts)" -ge 8 ]
}
PATIENCE=15 wait_until busy
load_stop
expect_load_unharmed

it "is refused when the socket is its own: nobody would start it again"
run_berth --uds "$DIR/own.sock" --exit-idle-time 1s "$PROBE"
expect_code 2
expect_match "the message" "exit-idle-time" "$ERR"
expect_gone "$DIR"/own.sock*

finish
