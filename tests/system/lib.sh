# shellcheck shell=bash disable=SC2034 # its variables are the scripts'
#
# The verbs of the system tests. A script sources this, says `it "does something"` before each case, tries it with
# the verbs below, and ends with `finish`. Everything happens in a temporary folder of its own, $DIR; what it started is
# ended, by pid, however it leaves. Run one by hand from the build folder: tests/system/10-hello.sh
#
# RUN_UNDER   put before berth's command line: valgrind in `make check-valgrind`
# SLOW      set where times mean little: under sanitizers and valgrind
# ROUNDS          how often to kill and to reload, 100
# PATIENCE        seconds to wait for what must happen
# WITHOUT   programs that are left out here on purpose: what needs them is skipped, in CI as well

set -u
export LC_ALL=C

SRCDIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILDDIR=$PWD
BERTH=$BUILDDIR/bin/berth
EXAMPLES=$BUILDDIR/contrib/examples
SUPPORT=$BUILDDIR/tests/support
PROBE=$SUPPORT/probe.so
PATIENCE=${PATIENCE:-10}
read -r -a WRAPPER <<<"${RUN_UNDER:-}"

DIR=$(mktemp -d /tmp/berth-test.XXXXXX)
chmod 755 "$DIR" # others connect to sockets in it
SOCKET=$DIR/http.sock
PIDS=()
CALLER=() # what runs curl as somebody else: http_as
NAME=
PASSED=0
FAILED=0
BROKEN=
FINISHED=

# The environment of a tester is not the test's, and berth warns of variables that it does not know.
for variable in $(compgen -e | grep -E '^(BERTH_|LISTEN_|NOTIFY_SOCKET|WATCHDOG_|JOURNAL_STREAM)' || true); do
    unset "$variable"
done

# ---- cases ----

it() {
    settle
    NAME=$1
    BROKEN=
}

settle() {
    [ -n "$NAME" ] || return 0
    if [ -n "$BROKEN" ]; then
        FAILED=$((FAILED + 1))
        echo "FAILED  $NAME"
    else
        PASSED=$((PASSED + 1))
        echo "passed  $NAME"
    fi
    NAME=
}

# fail WHAT [EXPECTED SEEN]
fail() {
    BROKEN=yes
    echo "  in \"$NAME\", ${BASH_SOURCE[-1]##*/}:${BASH_LINENO[-2]}: $1"
    if [ $# -gt 1 ]; then
        printf '    expected: %s\n    seen:     %s\n' "$2" "$3"
    fi
}

# Gives up on the whole script.
bail() {
    fail "$@"
    exit 1
}

# Without what it needs a script is skipped, except in CI, where everything is there.
skip() {
    echo "skipped: $1"
    if [ "${CI:-}" = true ]; then
        NAME=${NAME:-everything}
        bail "nothing is skipped in CI"
    fi
    FINISHED=yes
    exit 77
}

need() {
    local tool

    for tool; do
        command -v "$tool" >/dev/null && continue
        case " ${WITHOUT:-} " in
        *" $tool "*) CI='' ;;
        esac
        skip "there is no $tool here"
    done
}

need_root() {
    [ "$(id -u)" -ne 0 ] || return 0
    if sudo -n true 2>/dev/null; then
        rm -rf "$DIR"
        trap - EXIT
        export RUN_UNDER="${RUN_UNDER:-}" SLOW="${SLOW:-}"
        exec sudo -n --preserve-env=RUN_UNDER,SLOW,ROUNDS,CI,PATIENCE "$SRCDIR/tests/system/${0##*/}"
    fi
    skip "only root can try this"
}

finish() {
    FINISHED=yes
    exit 0
}

leave() {
    local code=$? pid

    if [ -z "$FINISHED" ] && [ -z "$BROKEN" ]; then
        NAME=${NAME:-the script}
        fail "it ended early, with exit code $code"
    fi
    settle
    no_reports
    exec 2>/dev/null # bash would tell of each that is killed
    for pid in "${PIDS[@]}"; do
        kill -KILL "$pid" 2>/dev/null
    done
    # Workers whose supervisor was killed end by themselves; what does not is shown.
    [ "$FAILED" -eq 0 ] || show_logs
    rm -rf "$DIR"
    if [ "$code" -eq 77 ]; then
        exit 77
    fi
    echo "$PASSED passed, $FAILED failed"
    [ "$FAILED" -eq 0 ] && [ "$code" -eq 0 ] || exit 1
}
trap leave EXIT
trap 'exit 1' TERM INT HUP

# Sanitizers and valgrind write to the logs of what they watch; a script that did not notice would be content.
no_reports() {
    grep -lE 'ERROR: (Address|Leak)Sanitizer|runtime error:|^==[0-9]+==    (at|by) 0x' "$DIR"/*.log >/dev/null 2>&1 || return 0
    NAME="no report of a sanitizer or of valgrind"
    fail "see the logs"
    settle
}

show_logs() {
    local log

    for log in "$DIR"/*.log; do
        [ -s "$log" ] || continue
        echo "---- ${log##*/}"
        tail -n 40 "$log"
    done
}

# ---- waiting ----

now_ms() {
    local now=${EPOCHREALTIME/./}

    echo $((now / 1000))
}

# wait_until COMMAND…: until it succeeds, at most for $PATIENCE seconds
wait_until() {
    local deadline

    deadline=$(($(now_ms) + PATIENCE * 1000))
    until "$@" >/dev/null 2>&1; do
        [ "$(now_ms)" -lt "$deadline" ] || return 1
        sleep 0.01
    done
}

# expect_gone PATH…: nothing is left there
expect_gone() {
    local path

    for path; do
        [ ! -e "$path" ] || fail "what is left" nothing "$path"
    done
}

expect_soon() {
    wait_until "$@" || fail "it did not come about within $PATIENCE s: $*"
}

# ---- processes ----

# In the background, with its standard error in $DIR/NAME.log and its output in $DIR/NAME.out: start NAME COMMAND…
# Its pid is in $PID.
start() {
    local name=$1

    shift
    : >"$DIR/$name.out"
    : >"$DIR/$name.log"
    # Appending, so that a script may empty them meanwhile.
    "$@" >>"$DIR/$name.out" 2>>"$DIR/$name.log" </dev/null &
    PID=$!
    PIDS+=("$PID")
}

# serve ARGUMENT…: berth on $SOCKET, until it answers. Its pid is in $SERVER, its log in $DIR/berth.log.
serve() {
    start_berth --uds "$SOCKET" "$@"
    wait_until answers "$SOCKET" || bail "berth does not answer at $SOCKET"
}

# start_berth ARGUMENT…: the same with its arguments as they are, and without waiting
start_berth() {
    start berth "${WRAPPER[@]}" "$BERTH" serve "$@"
    SERVER=$PID
}

answers() {
    curl -s -o /dev/null --max-time 2 --unix-socket "$1" http://localhost/
}

alive() {
    [ -e "/proc/$1" ] && ! grep -q '^State:.*Z' "/proc/$1/status" 2>/dev/null
}

gone() {
    ! alive "$1"
}

# The children of a process.
children() {
    ps -o pid= --ppid "$1" | tr -d ' '
}

# The workers that run now.
workers() {
    ps -o pid=,stat=,args= --ppid "$SERVER" | awk '$2 !~ /Z/ && / worker [0-9]+/ { print $1 }'
}

workers_are() {
    [ "$(workers | wc -l)" -eq "$1" ]
}

# stop_server [SIGNAL]: ends it and waits; its exit code is in $CODE
stop_server() {
    kill "-${1:-TERM}" "$SERVER"
    wait_until gone "$SERVER" || bail "berth still runs after SIG${1:-TERM}"
    CODE=0
    wait "$SERVER" 2>/dev/null || CODE=$?
}

# run COMMAND…: to its end, at most $PATIENCE seconds; $CODE, $OUT and $ERR
run() {
    CODE=0
    timeout -k 5 "$PATIENCE" "$@" >"$DIR/run.out" 2>"$DIR/run.err" </dev/null || CODE=$?
    OUT=$(cat "$DIR/run.out")
    ERR=$(cat "$DIR/run.err")
}

# run_berth ARGUMENT…: for what ends by itself
run_berth() {
    run "${WRAPPER[@]}" "$BERTH" serve "$@"
}

# ---- HTTP ----

# as UID[:GID[:GROUP,…]] COMMAND…: as that user, who has no other groups
as() {
    local uid gid groups

    IFS=: read -r uid gid groups <<<"$1"
    shift
    setpriv --reuid "$uid" --regid "${gid:-$uid}" "${groups:+--groups=}${groups:---clear-groups}" "$@"
}

# http TARGET [CURL'S ARGUMENTS…]: $STATUS, $HEAD and $BODY, and in $UPLOADED how many bytes were sent; $STATUS is 000
# when there was no answer
http() {
    local target=$1 numbers

    shift
    : >"$DIR/head"
    : >"$DIR/body"
    numbers=$("${CALLER[@]}" curl -s --path-as-is --max-time "$PATIENCE" --unix-socket "$SOCKET" -D "$DIR/head" \
        -o "$DIR/body" -w '%{http_code} %{size_upload}' "$@" "http://localhost$target")
    CURL=$?
    # shellcheck disable=SC2034 # for the tests
    read -r STATUS UPLOADED <<<"$numbers"
    HEAD=$(tr -d '\r' <"$DIR/head")
    BODY=$(tr -d '\0' <"$DIR/body")
}

# http_as UID[:GID[:GROUP,…]] TARGET [CURL'S ARGUMENTS…]: http, as that user
http_as() {
    local CALLER=(as "$1")

    shift
    touch "$DIR/head" "$DIR/body"
    chmod 666 "$DIR/head" "$DIR/body" # which curl writes
    http "$@"
}

# holds N: whether the probe application holds as many replies
holds() {
    http /held && [[ $BODY == "held $1 "* ]]
}

# header NAME: its value in $HEAD
header() {
    sed -n "s/^$1: *//Ip" <<<"$HEAD"
}

# raw BYTES [ARGUMENTS OF tests/support/raw]: sends bytes, written as for printf; what came back is in $RAW, its
# status in $STATUS, and in $CODE whether the server closed (0) or not (4)
raw() {
    local bytes=$1

    shift
    CODE=0
    printf '%b' "$bytes" | "$SUPPORT/raw" "$@" "$SOCKET" >"$DIR/raw.out" || CODE=$?
    RAW=$(tr -d '\r\0' <"$DIR/raw.out")
    STATUS=$(sed -n '1s,^HTTP/1\.[01] \([0-9]*\).*,\1,p' <<<"$RAW")
}

# ---- load ----

# load_start ARGUMENTS OF load…: runs until load_stop
load_start() {
    start load "$SUPPORT/load" "$@" "$SOCKET"
    LOAD=$PID
    wait_until grep -q running "$DIR/load.out" || bail "the load does not run"
}

load_stop() {
    kill -TERM "$LOAD"
    wait "$LOAD" || fail "load failed"
}

# load_count KIND
load_count() {
    awk -v kind="$1" '$1 == kind { n = $2 } END { print n + 0 }' "$DIR/load.out"
}

# Nothing but answers.
expect_load_unharmed() {
    local kind

    for kind in other refused lost dropped late odd; do
        expect_equal "requests of the kind \"$kind\"" 0 "$(load_count "$kind")"
    done
}

# under_load N COMMAND ARGUMENTS OF load…: COMMAND happens so often, and nobody's request is harmed
under_load() {
    local n=$1 command=$2 round

    shift 2
    load_start "$@"
    for ((round = 0; round < n; round++)); do
        "$command"
    done
    load_stop
    expect_load_unharmed
}

# loses_nothing WHAT FIRST REST COMMAND: a case for each way in which clients come, with new connections, kept ones, ones
# that pause, and replies that are held; COMMAND happens FIRST times in the first, and REST times in each other.
loses_nothing() {
    it "loses nothing in $1 under load, with new connections"
    under_load "$2" "$4" -c 4 -1 -p /pid
    it "and with kept connections"
    under_load "$3" "$4" -c 4 -p /pid
    [ "$(load_count closed)" -gt 0 ] || fail "connections closed with notice" "more than 0" "$(load_count closed)"
    it "and with kept connections that are idle in between"
    under_load "$3" "$4" -c 4 -i 50 -p /pid
    it "and with replies that are held"
    under_load "$3" "$4" -c 8 -p /later/100
}

# ---- what is expected ----

# expect_equal WHAT EXPECTED SEEN
expect_equal() {
    [ "$2" = "$3" ] || fail "$1" "$2" "$3"
}

expect_status() {
    [ "$STATUS" = "$1" ] || fail "the status" "$1" "$STATUS; $(head -c 300 <<<"${BODY:-${RAW:-}}")"
}

expect_body() {
    expect_equal "the body" "$1" "$BODY"
}

expect_header() {
    expect_equal "the header $1" "$2" "$(header "$1")"
}

# expect_match WHAT PATTERN SEEN: an extended regular expression
expect_match() {
    grep -qE -- "$2" <<<"$3" || fail "$1" "something like $2" "$3"
}

expect_no_match() {
    ! grep -qE -- "$2" <<<"$3" || fail "$1" "nothing like $2" "$3"
}

expect_log() {
    wait_until grep -qE -- "$1" "$DIR/berth.log" || fail "the log" "something like $1" "$(tail -n 5 "$DIR/berth.log")"
}

expect_code() {
    expect_equal "the exit code" "$1" "$CODE"
}

expect_true() {
    "$@" >/dev/null 2>&1 || fail "this holds" "$*" "it does not"
}

expect_false() {
    ! "$@" >/dev/null 2>&1 || fail "this does not hold" "not $*" "it does"
}
