#!/usr/bin/env bash
# A parent that keeps the listening socket restarts berth under load, as a service manager does: whoever connects
# meanwhile waits in the queue, and nobody is refused or cut off.
. "$(dirname "$0")/lib.sh"
need python3
rounds=${ROUNDS:-20}
[ "$rounds" -le 20 ] || rounds=20

# Restarts berth at each USR1, and says with which exit code the one before ended; ends it, and itself, at TERM.
start parent python3 -c '
import os, signal, socket, subprocess, sys

signals = {signal.SIGUSR1, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(1024)
os.dup2(listener.fileno(), 9)
number = signal.SIGUSR1
while number == signal.SIGUSR1:
    berth = subprocess.Popen(sys.argv[2:], pass_fds=[9])
    number = signal.sigwait(signals)
    berth.send_signal(signal.SIGTERM)
    print("ended", berth.wait(), flush=True)
' "$SOCKET" "${WRAPPER[@]}" "$BERTH" serve --fd 9 --no-access-log --workers 2 --timeout-graceful-shutdown 5s "$PROBE"
PARENT=$PID
wait_until answers "$SOCKET" || bail "it does not answer"
http /pid

# Until another worker than the one before answers.
another_answers() {
    http /pid && [ "$STATUS" = 200 ] && [ "$BODY" != "$before" ]
}

restarts=0
restart() {
    before=$BODY
    restarts=$((restarts + 1))
    kill -USR1 "$PARENT"
    wait_until restarted || bail "berth did not end"
    wait_until another_answers || bail "it does not answer after a restart"
}

restarted() {
    [ "$(grep -c '^ended' "$DIR/parent.out")" -eq "$restarts" ]
}

loses_nothing "$rounds restarts" "$rounds" $((rounds / 4)) restart

it "ends with exit code 0 each time, and leaves the socket where it is"
kill -TERM "$PARENT"
expect_soon gone "$PARENT"
expect_equal "exit codes" "ended 0" "$(sort -u "$DIR/parent.out")"
expect_true test -S "$SOCKET"

it "is not asked without end when it is gone for good: the load gives up"
timeout "$PATIENCE" "$SUPPORT/load" -c 2 -g 100 "$DIR/nobody.sock" >"$DIR/load.out"
expect_equal "its exit code" 0 $?
expect_match "what became of it" "refused [1-9]" "$(cat "$DIR/load.out")"

finish
