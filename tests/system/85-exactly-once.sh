#!/usr/bin/env bash
# The promise about events: 100,000 of them, each once and in order, for a reader that comes back with the last number that
# it saw, while workers and the recorder are killed, reloads run, and the service is restarted with its journal.
. "$(dirname "$0")/lib.sh"
need python3 systemd-socket-activate
count=100000
[ -z "${SLOW:-}" ] || count=20000

recorder() {
    ps -o pid=,stat=,args= --ppid "$SERVER" | awk '$2 !~ /Z/ && / recorder/ { print $1 }'
}

# As a service manager does: the socket is there before the server, and after it. systemd-socket-activate becomes berth at
# the first connection.
activate() {
    rm -f "$SOCKET"
    start berth systemd-socket-activate -l "$SOCKET" \
        "${WRAPPER[@]}" "$BERTH" serve --no-access-log --workers 2 --event-log "$DIR/journal" /events=events status
    SERVER=$PID
    wait_until test -S "$SOCKET" || bail "there is no socket"
}

random_worker() {
    workers | shuf -n 1
}

# disturb KIND
disturb() {
    local pid

    case $1 in
    worker) pid=$(random_worker) ;;
    recorder) pid=$(recorder) ;;
    reload) pid=$SERVER ;;
    restart)
        kill -TERM "$SERVER"
        wait_until gone "$SERVER" || bail "berth did not end"
        activate
        return
        ;;
    esac
    [ -n "$pid" ] || return
    case $1 in
    reload) kill -HUP "$pid" ;;
    *) kill -KILL "$pid" 2>/dev/null ;;
    esac
}

it "loses nothing and repeats nothing in $count events, whoever is killed"
activate
start reader python3 "$SRCDIR/tests/support/exactly_once.py" "$SOCKET" "$count"
reader=$PID
rounds=0
while alive "$reader"; do
    for kind in worker recorder reload worker recorder restart recorder worker; do
        alive "$reader" || break
        disturb "$kind"
        rounds=$((rounds + 1))
        sleep "0.$((RANDOM % 20 + 10))"
    done
done
wait "$reader" || fail "the reader" "every event once" "$(tail -n 3 "$DIR/reader.log")"
echo "  $(cat "$DIR/reader.out"); $rounds disturbances"
expect_true test "$rounds" -ge 20

stop_server
finish
