#!/usr/bin/env bash
# Sockets that we are handed: by systemd's protocol, or as numbers.
. "$(dirname "$0")/lib.sh"
need systemd-socket-activate python3

# activate NAMES PATH…: berth with a listening socket for each path
activate() {
    local names=$1 arguments=()

    shift
    for path; do
        arguments+=(--listen "$path")
    done
    [ -z "$names" ] || arguments+=(--fdname "$names")
    start berth systemd-socket-activate "${arguments[@]}" --setenv=PATH "$BERTH" serve "$PROBE"
    SERVER=$PID
    for path; do
        wait_until test -S "$path" || bail "systemd-socket-activate does not listen"
    done
}

# handed SCRIPT ARGUMENT…: runs Python that makes fds, then berth with its ARGUMENTs; the script may change `env`, and
# says which fds berth gets
handed() {
    local script=$1

    shift
    run "${WRAPPER[@]}" python3 -c '
import fcntl, os, socket, sys
env = dict(os.environ)

def place(what, number):
    fd = what if isinstance(what, int) else what.detach()
    high = fcntl.fcntl(fd, fcntl.F_DUPFD, 100)
    os.close(fd)
    os.dup2(high, number)
    os.close(high)

def unix(kind=socket.SOCK_STREAM, path=None, listen=True):
    s = socket.socket(socket.AF_UNIX, kind)
    if path:
        s.bind(path)
        if listen:
            s.listen()
    return s

def announce(count, names=None):
    env["LISTEN_PID"] = str(os.getpid())
    env["LISTEN_FDS"] = str(count)
    if names is not None:
        env["LISTEN_FDNAMES"] = names

folder = sys.argv[2] + "/"
exec(sys.argv[1])
os.execve(sys.argv[3], sys.argv[3:], env)
' "$script" "$DIR" "$BERTH" serve "$@"
}

it "serves one socket that it is handed"
activate "" "$SOCKET"
http /pid
expect_status 200

it "removes the variables from what its workers see"
http /environment
expect_status 200
expect_no_match "the worker's environment" '^(LISTEN_|NOTIFY_SOCKET|WATCHDOG_|BERTH_)' "$BODY"
expect_match "the worker's environment" '^PATH=' "$BODY"

it "leaves a socket that it was handed where it is"
stop_server
expect_code 0
expect_true test -S "$SOCKET"
rm -f "$SOCKET"

it "serves several, with names"
activate "http:api" "$SOCKET" "$DIR/two.sock"
http /pid
expect_status 200
expect_true answers "$DIR/two.sock"
stop_server
rm -f "$SOCKET" "$DIR/two.sock"

it "serves several of one name"
activate "http:http" "$SOCKET" "$DIR/two.sock"
http /pid
expect_status 200
expect_true answers "$DIR/two.sock"
stop_server
rm -f "$SOCKET" "$DIR/two.sock"

# refused WHAT PATTERN SCRIPT [ARGUMENT…]
refused() {
    local what=$1 pattern=$2 script=$3

    shift 3
    handed "$script" "$@" "$PROBE"
    expect_equal "the exit code for $what" 2 "$CODE"
    expect_match "the line for $what" "$pattern" "$ERR"
    expect_equal "the number of lines for $what" 1 "$(wc -l <"$DIR/run.err")"
    rm -f "$DIR"/*.sock
}

it "refuses what it cannot serve, with one line and exit code 2"
refused "a closed fd" "3" 'announce(1)'
refused "a count that lies" "4" 'place(unix(path=folder + "a.sock"), 3); announce(2)'
refused "a count that is no number" "LISTEN_FDS" 'place(unix(path=folder + "a.sock"), 3); announce("many")'
refused "a negative count" "LISTEN_FDS" 'announce(-1)'
refused "a huge count" "LISTEN_FDS|closed|open" 'announce(1000000)'
refused "more names than fds" "LISTEN_FDNAMES" 'place(unix(path=folder + "a.sock"), 3); announce(1, "a:b:c")'
refused "TCP" "AF_INET|AF_UNIX|Unix" \
    's = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); place(s, 3); announce(1)'
refused "a socket that does not listen" "listen" 'place(unix(path=folder + "a.sock", listen=False), 3); announce(1)'
refused "SOCK_SEQPACKET" "SEQPACKET|sequential packet" 'place(unix(socket.SOCK_SEQPACKET, folder + "a.sock"), 3); announce(1)'

it "refuses an --fd that it cannot serve, with one line and exit code 2"
refused "a closed fd" "7" '' --fd 7
refused "TCP" "7" 's = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); place(s, 7)' --fd 7
refused "a file" "7" 'place(os.open("/dev/null", os.O_RDWR), 7)' --fd 7
refused "a datagram socket" "7" 'place(unix(socket.SOCK_DGRAM, folder + "a.sock", False), 7)' --fd 7
refused "no number" "fd" '' --fd seven

it "refuses an --fd that was handed over as something else than a listener"
handed 'place(unix(socket.SOCK_DGRAM, folder + "a.sock", False), 3); announce(1)' --fd 3 "$PROBE"
expect_code 2
expect_match "the line" "fd 3 is a datagram socket" "$ERR"
handed 'place(os.memfd_create("x"), 3); announce(1)' --fd 3 "$PROBE"
expect_code 2
expect_match "the line" "fd 3 is a file" "$ERR"
rm -f "$DIR"/*.sock

it "refuses more sockets than it may have, by their number"
refused "513 sockets" "513 sockets .* at most 512" \
    'high = fcntl.fcntl(unix(path=folder + "a.sock").detach(), fcntl.F_DUPFD, 600)
for fd in range(3, 516):
    os.dup2(high, fd)
announce(513)'

it "ignores variables that are another process's"
start berth env LISTEN_PID=1 LISTEN_FDS=1 LISTEN_FDNAMES=x "$BERTH" serve --uds "$SOCKET" "$PROBE"
SERVER=$PID
expect_soon answers "$SOCKET"
http /environment
expect_no_match "the worker's environment" '^LISTEN_' "$BODY"
stop_server

it "serves --fd"
start berth python3 -c '
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
os.dup2(s.fileno(), 9)
os.execv(sys.argv[2], [sys.argv[2], "serve", "--fd", "9", sys.argv[3]])' "$SOCKET" "$BERTH" "$PROBE"
SERVER=$PID
expect_soon answers "$SOCKET"
http /pid
expect_status 200

it "closes in its workers what they have no use for"
worker=$BODY
fds=$(find "/proc/$worker/fd" -type l -printf '%f %l\n')
expect_equal "listening sockets in the worker" 1 "$(
    inode=$(awk -v path="$SOCKET" '$8 == path && $4 == "00010000" { print $7 }' /proc/net/unix)
    grep -c "socket:\[$inode\]" <<<"$fds"
)"
stop_server
expect_true test -S "$SOCKET"

it "keeps the others when one of several is stored or a datagram socket"
start berth python3 -c '
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1] + "/http2.sock")
s.listen()
d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
d.bind(sys.argv[1] + "/log.sock")
m = os.memfd_create("state", 0)
for number, fd in ((3, os.dup(s.fileno())), (4, os.dup(d.fileno())), (5, m)):
    os.dup2(os.dup(fd) if fd < 10 else fd, number + 20)
for number in (3, 4, 5):
    os.dup2(number + 20, number)
    os.close(number + 20)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="3", LISTEN_FDNAMES="http:log:state")
os.execv(sys.argv[2], [sys.argv[2], "serve", sys.argv[3]])' "$DIR" "$BERTH" "$PROBE"
SERVER=$PID
expect_soon answers "$DIR/http2.sock"
stop_server
expect_code 0

finish
