#!/usr/bin/env bash
# What make install puts where, and that it works there.
. "$(dirname "$0")/lib.sh"
need make

it "installs with DESTDIR"
run env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$BUILDDIR" install DESTDIR="$DIR/root"
expect_code 0
prefix=$(cd "$DIR/root" && find . -name berth.h)
prefix=$DIR/root/${prefix%/include/berth.h}
expect_true test -x "$prefix/bin/berth"
expect_true cmp "$prefix/include/berth.h" "$SRCDIR/src/include/berth.h"

it "installs what proxies include, with the paths of where it is"
share=$prefix/share/berth
for file in nginx/berth.conf caddy/berth.caddy apache/berth.conf; do
    expect_true grep -F "${share#"$DIR/root/."}" "$share/$file"
done
expect_true cmp "$share/berth-away.html" "$SRCDIR/contrib/berth-away.html"

it "compiles an application with the berth.h beside it, from any folder"
BERTH=$prefix/bin/berth
cp "$SRCDIR/contrib/examples/hello.c" "$DIR/hello.c"
cd "$DIR" || bail "no folder"
serve hello.c
http /index
expect_status 200
stop_server

it "needs no header of ours, and nothing to link, for a module"
run gcc -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Werror -shared -fPIC \
    -I"$prefix/include" -o hello.so hello.c
expect_code 0
serve ./hello.so
http /index
expect_status 200
stop_server

finish
