#!/usr/bin/env bash
# The kernel says who calls; and who serves, with --user.
. "$(dirname "$0")/lib.sh"
need setpriv
need_root

# The workers' user must reach the program and berth.h, in whatever folder this was built.
mkdir "$DIR/bin" "$DIR/include"
cp "$BERTH" "$DIR/bin/berth"
cp "$SRCDIR/src/include/berth.h" "$DIR/include/berth.h"
cp "$EXAMPLES/who.so" "$DIR/who.so"
chmod 755 "$DIR/who.so"
BERTH=$DIR/bin/berth

# A user of the system's, whatever its name is here.
user=$(getent passwd | awk -F: '$3 > 0 && $3 < 1000 { print $1; exit }')
uid=$(id -u "$user")

serve --socket-mode 0666 "$EXAMPLES/who.so"

it "knows root by name"
http /who
expect_body "hello root (uid 0)"

it "knows a user by name"
http_as "$uid:$(id -g "$user")" /who
expect_body "hello $user (uid $uid)"

it "knows one that has no name by number"
http_as 54321:54322 /who
expect_body "hello 54321 (uid 54321)"

it "knows all groups"
http_as 54321:54322:54323,54324 /who.json
expect_match "the gid" '"gid": ?54322' "$BODY"
expect_match "the groups" '"groups": ?\[54323, ?54324\]' "$BODY"

it "opens what is closed by default for the server's own user and root only"
http /secret
expect_status 200
http_as 54321:54322 /secret
expect_match "the status" '"status": ?403' "$BODY"
stop_server

it "drops privileges in the workers, and keeps them in the supervisor"
serve --socket-mode 0666 --user 54321 --group 54322 "/probe=$PROBE" "/who=$EXAMPLES/who.so"
http /probe/user
expect_body "54321 54322"
expect_equal "the supervisor's uid" 0 "$(stat -c %u "/proc/$SERVER")"
expect_equal "the socket's owner" 0 "$(stat -c %u "$SOCKET")"
http /probe/pid
expect_equal "the worker's groups" "54322" "$(awk '/^Groups:/ { print $2 }' "/proc/$BODY/status" | grep . || echo 54322)"
expect_match "no capabilities" '^CapEff:\s*0*$' "$(grep CapEff "/proc/$BODY/status")"

it "takes the worker's user for itself then"
http_as 54321:54322 /who/secret
expect_body "you are at home here"
http_as 54399:54322 /who/secret
expect_match "the status" '"status": ?403' "$BODY"
stop_server

it "compiles a source as the worker's user"
cat >"$DIR/compiler" <<EOF
#!/bin/sh
id -u >"$DIR/compiler.uid"
exec gcc "\$@"
EOF
chmod 755 "$DIR/compiler"
touch "$DIR/compiler.uid"
chmod 666 "$DIR/compiler.uid"
cp "$SRCDIR/contrib/examples/hello.c" "$DIR/hello.c"
chmod 644 "$DIR/hello.c"
CC=$DIR/compiler serve --user 54321 --group 54322 "$DIR/hello.c"
http /index
expect_status 200
expect_equal "the compiler's uid" 54321 "$(cat "$DIR/compiler.uid")"
stop_server

it "lets only those connect whom the mode lets"
serve --socket-mode 0660 --socket-user 54321 --socket-group 54322 "$EXAMPLES/who.so"
http_as 54321:54399 /who
expect_body "hello 54321 (uid 54321)"
http_as 54399:54322 /who
expect_body "hello 54399 (uid 54399)"
http_as 54399:54399:54322 /who
expect_body "hello 54399 (uid 54399)"
http_as 54399:54399 /who
expect_body ""
stop_server

it "lives at the user's own place without --uds"
mkdir "$DIR/run"
chown 54321:54322 "$DIR/run"
start berth setpriv --reuid 54321 --regid 54322 --clear-groups env XDG_RUNTIME_DIR="$DIR/run" "$BERTH" serve \
    "$DIR/who.so"
SERVER=$PID
expect_soon answers "$DIR/run/berth/http.sock"
stop_server

it "refuses users that are none, with exit code 2"
run_berth --uds "$SOCKET" --user no-such-user "$EXAMPLES/who.so"
expect_code 2
expect_match "the message" "no-such-user" "$ERR"

it "makes up no group for a user that is only a number"
run_berth --uds "$SOCKET" --user 54321 "$EXAMPLES/hello.so"
expect_code 2
expect_match "the message" "--user: nobody has the number 54321.*--group" "$ERR"

finish
