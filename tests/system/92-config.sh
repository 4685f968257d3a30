#!/usr/bin/env bash
# berth.conf, `berth check`, named listeners, and what a reload makes of them.
. "$(dirname "$0")/lib.sh"

CONF=$DIR/berth.conf
LONG=$(printf '%0100d' 0)

# check ARGUMENT…: what it says is in $OUT
check() {
    run "${WRAPPER[@]}" "$BERTH" check "$@"
}

# says LINE TEXT < the file: `berth check` says this of it, and nothing else
says() {
    it "says: $2"
    cat >"$CONF"
    check --config "$CONF"
    expect_code 1
    expect_equal "what it says" "$CONF:$1: $2" "$OUT"
}

# ---- berth check ----

it "finds nothing wrong with what is right, says what it did not look at, and serves nothing"
cat >"$CONF" <<-END
	uds = $SOCKET
	log = $DIR/b.log
	user = $(id -un)
	[listen admin]
	uds = $DIR/admin.sock
	socket-group = $(id -gn)
	[app /]
	app = $EXAMPLES/hello.so
	[app /source]
	app = $SRCDIR/contrib/examples/hello.c
	any = key
	[app /files]
	app = site:$DIR
END
check --config "$CONF"
expect_code 0
expect_match "what it says" "^$CONF: no mistakes; .* routes were not checked$" "$OUT"
expect_false test -e "$SOCKET"

it "shows ten lines for ten mistakes, in their order"
cat >"$CONF" <<-END
	# an ordinary morning
	wrokers = 4
	uds = $DIR/nowhere/a.sock
	socket-mode = 9999
	socket-group = no-such-group
	backlog = 70000
	backlog
	timeout-header = 15 # a comment
	[lisen admin]
	uds = $DIR/admin.sock
	[app files]
	app = ./files.so
	[app /missing]
	app = $DIR/missing.so
END
check --config "$CONF"
expect_code 1
expect_equal "the lines" 10 "$(cat "$DIR/run.out" "$DIR/run.err" | wc -l)"
expect_equal "where they are" "2 3 4 5 6 7 8 9 11 14" "$(sed -n "s,^$CONF:\([0-9]*\): .*,\1,p" <<<"$OUT" | paste -sd ' ')"

says 1 'workres: there is no such option; did you mean workers?' <<<'workres = 2'
says 1 '[aap /x]: there is no such section; did you mean [app /x]?' <<<'[aap /x]'
says 1 '[nonsense]: there is no such section; there are [berth], [app /mount] and [listen NAME]' <<<'[nonsense]'
says 2 'backlog is there twice, the first time in line 1' <<<$'backlog = 1\nbacklog = 2'
says 3 '[app /] is there twice, the first time in line 1' <<<$'[app /]\napp = status\n[app /]'
says 1 '[app /] has no "app = …"' <<<'[app /]'
says 1 '[listen a] has no "uds = …"' <<<$'[listen a]\nbacklog = 3'
says 3 'uds: "/tmp/a" is the path of another listener already' <<<$'uds = /tmp/a\n[listen a]\nuds = /tmp/a'
says 1 'workers: "513" is too large: it must be at most 512' <<<'workers = 513'
says 1 'log-format: "xml" is neither text nor json' <<<'log-format = xml'
says 2 "\"$DIR/x.so\" does not exist; expected a module (./module.so) or a C source (source.c)" <<<"[app /]
app = $DIR/x.so"
for pair in evnets=events site=site:DIR sit:/x=site:DIR status:y=status; do
    app=${pair%=*}
    says 2 "\"$app\" is no application: expected a module (./module.so), a C source (source.c), or a built-in one \
(events, site:DIR, status); did you mean ${pair##*=}?" <<<"[app /]
app = $app"
done
says 2 "$CONF.so: not a shared object; expected what \"cc -shared -fPIC\" makes" < <(
    echo text >"$CONF.so"
    printf '[app /]\napp = %s\n' "$CONF.so"
)
says 2 "$DIR/folder.c: not a regular file" < <(
    mkdir "$DIR/folder.c"
    printf '[app /]\napp = %s\n' "$DIR/folder.c"
)
says 2 "site:$DIR/none: there is no folder $DIR/none" <<<"[app /]
app = site:$DIR/none"
says 1 'socket-user: there is no user "no-such-user" on this system' <<<'socket-user = no-such-user'
says 1 'socket-group: there is no group "no-such-group" on this system' <<<'socket-group = no-such-group'
says 1 'user: there is no user "no-such-user" on this system' <<<'user = no-such-user'
says 1 'group: there is no group "no-such-group" on this system' <<<'group = no-such-group'
says 3 'socket-user: there is no user "no-such-user" on this system' <<<"[listen a]
uds = $DIR/a.sock
socket-user = no-such-user"
says 1 "uds: $DIR/none/a.sock: there is no folder $DIR/none; make it first: mkdir -p $DIR/none" <<<"uds = $DIR/none/a.sock"
says 2 "uds: $DIR/none/a.sock: there is no folder $DIR/none; make it first: mkdir -p $DIR/none" <<<"[listen a]
uds = $DIR/none/a.sock"
says 1 "uds: $CONF is a plain file; it is left alone: remove it, or choose another path" <<<"uds = $CONF"
says 1 "uds: @abstract: an abstract name has no owner and no mode, so every process of this network namespace may connect; \
use a path, or take the risk with --allow-abstract" <<<"uds = @abstract"
says 1 "log: $DIR/none/log: there is no folder $DIR/none" <<<"log = $DIR/none/log"
says 1 "access-log: $DIR/none/log: there is no folder $DIR/none" <<<"access-log = $DIR/none/log"
says 1 "pid: $DIR is a folder; expected a file" <<<"pid = $DIR"
says 1 "user: nobody has the number 4111222333, so it has no group: say --group as well" <<<"user = 4111222333"
says 1 "allow-host: \"http://a.example:80\" is no host: a name such as api.example.org, *.example.org for all below it, \
or an address such as 192.0.2.1 or [2001:db8::1]; no scheme, no port" <<<"allow-host = http://a.example:80"

it "names the length of a path that is too long, and the limit"
echo "uds = /tmp/$LONG$LONG" | cut -c 1-150 >"$CONF"
check --config "$CONF"
expect_code 1
expect_match "what it says" "^$CONF:1: uds: .* is 144 bytes long, and the name of a socket has at most 107" "$OUT"

it "says what is wrong on the command line and in the environment, too"
BERTH_BACKLOG=many BERTH_WROKERS=3 check --worker 3 --uds "$DIR/none/a.sock" x.conf
expect_code 1
expect_equal "what it says" "\
--worker: there is no such option; did you mean --workers?
BERTH_BACKLOG: \"many\" is not a number such as 1
warning: BERTH_WROKERS: there is no such option; did you mean BERTH_WORKERS?
--uds: $DIR/none/a.sock: there is no folder $DIR/none; make it first: mkdir -p $DIR/none
\"x.conf\" is no application; a configuration file is named by --config x.conf" "$OUT"

it "takes an unknown variable for no mistake"
BERTH_WROKERS=3 check
expect_code 0
expect_match "what it says" "^warning: BERTH_WROKERS: .*did you mean BERTH_WORKERS" "$OUT"

it "warns of datagrams whose events nobody can read"
check --datagram "events:$DIR/d.sock" status
expect_code 0
expect_match "what it says" "^warning: --datagram: \"events:$DIR/d.sock\": no application events is served, .*=events" "$OUT"
for more in "" /events=events; do
    # shellcheck disable=SC2086
    check --datagram "events:$DIR/d.sock" $more
    expect_code 0
    expect_false grep -q warning <<<"$OUT"
done

it "names a file that is not there"
check --config "$DIR/none.conf"
expect_code 1
expect_equal "what it says" "$DIR/none.conf: No such file or directory" "$OUT"

it "stops after a hundred lines, and says how many more there are"
yes 'workers' | head -n 150 >"$CONF"
check --config "$CONF"
expect_code 1
expect_equal "the lines" 101 "$(wc -l <<<"$OUT")"
expect_equal "the last one" "and 50 more" "$(tail -n 1 <<<"$OUT")"

it "fails when nobody can read what it says"
CODE=0
"$BERTH" check >/dev/full 2>&1 || CODE=$?
expect_code 1

# ---- berth serve ----

it "shows every mistake when it starts, and exits with 2"
printf 'wrokers = 2\nbacklog = 0\n[foo]\n' >"$CONF"
run_berth --config "$CONF" "$EXAMPLES/hello.so"
expect_code 2
expect_match "the first" "$CONF:1: wrokers: .*did you mean workers" "$ERR"
expect_match "the second" "$CONF:2: backlog: \"0\" is too small" "$ERR"
expect_match "the third" "$CONF:3: \[foo\]: there is no such section" "$ERR"
expect_match "their number" "there are 3 mistakes in the settings" "$ERR"

it "warns of a variable that is none"
BERTH_WROKERS=3 run_berth --uds "$DIR/none/a.sock" "$EXAMPLES/hello.so"
expect_match "the log" "warning: BERTH_WROKERS: there is no such option; did you mean BERTH_WORKERS" "$ERR"

it "listens at every listener, each with its own mode"
cat >"$CONF" <<-END
	uds = $SOCKET
	socket-mode = 0640
	[listen admin]
	uds = $DIR/admin.sock
	socket-mode = 0600
	[listen other]
	uds = $DIR/other.sock
	[app /]
	app = $EXAMPLES/hello.so
END
start_berth --config "$CONF"
for socket in "$SOCKET" "$DIR/admin.sock" "$DIR/other.sock"; do
    expect_soon answers "$socket"
done
expect_equal "the modes" "640 600 640" "$(stat -c %a "$SOCKET" "$DIR/admin.sock" "$DIR/other.sock" | paste -sd ' ')"

it "adds and lets go listeners on a reload, and keeps the others as they are"
inode=$(stat -c %i "$DIR/admin.sock")
cat >"$CONF" <<-END
	[listen admin]
	uds = $DIR/admin.sock
	socket-mode = 0600
	[listen fresh]
	uds = $DIR/fresh.sock
	[app /]
	app = $EXAMPLES/hello.so
END
kill -HUP "$SERVER"
expect_soon answers "$DIR/fresh.sock"
expect_soon test ! -e "$SOCKET"
expect_soon test ! -e "$DIR/other.sock"
expect_true answers "$DIR/admin.sock"
expect_equal "the socket" "$inode" "$(stat -c %i "$DIR/admin.sock")"

it "stays as it is when a reload finds mistakes"
printf 'wrokers = 2\nbacklog = 0\n' >"$CONF"
kill -HUP "$SERVER"
expect_log "$CONF:1: wrokers"
expect_log "$CONF:2: backlog"
expect_log "the reload failed, everything stays as it was: there are 2 mistakes in the settings"
expect_true answers "$DIR/admin.sock"
stop_server
expect_code 0
expect_gone "$DIR/admin.sock" "$DIR/fresh.sock"

it "keeps what it read from a pipe when it is told to reload, since that came only once"
mkfifo "$DIR/pipe"
# shellcheck disable=SC2016
start feeder bash -c 'printf "[app /]\napp = status\n" >"$1"' - "$DIR/pipe"
start_berth --uds "$SOCKET" --config "$DIR/pipe"
expect_soon answers "$SOCKET"
kill -HUP "$SERVER"
expect_log "the reload failed.*--config: \"$DIR/pipe\" is no file that can be read again"
http /_ping
expect_status 200
http /index
expect_status 404
stop_server
expect_code 0

it "listens at nothing else where only named listeners are asked for"
cat >"$CONF" <<-END
	[listen admin]
	uds = $DIR/admin.sock
END
start_berth --config "$CONF" "$EXAMPLES/hello.so"
expect_soon answers "$DIR/admin.sock"
expect_log "berth listens on $DIR/admin.sock"
expect_equal "listeners" 1 "$(grep -c "berth listens on" "$DIR/berth.log")"
stop_server

it "has named listeners of the file beside the command line's --uds"
cat >"$CONF" <<-END
	uds = $DIR/file.sock
	[listen admin]
	uds = $DIR/admin.sock
END
serve --config "$CONF" "$EXAMPLES/hello.so"
expect_true answers "$DIR/admin.sock"
expect_false test -e "$DIR/file.sock"
stop_server
expect_code 0

finish
