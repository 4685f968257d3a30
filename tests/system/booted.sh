#!/usr/bin/env bash
# What contrib/check-systemd runs in the Debian that it has booted, as root: berth as it was installed, under the units
# that came with it.
. "$(dirname "$0")/lib.sh"

SOCKET=/run/berth/http.sock
ROUNDS=${ROUNDS:-50}

# as_alice COMMAND…: uid 1000, who is in berth's group; as_bob: uid 1001, who is not
as_alice() {
    setpriv --reuid alice --regid alice --init-groups "$@"
}

as_bob() {
    setpriv --reuid bob --regid bob --init-groups "$@"
}

is() {
    [ "$(systemctl is-active "$1")" = "$2" ]
}

# property UNIT NAME
property() {
    systemctl show --value --property "$2" "$1"
}

configure() {
    cat >/etc/berth/berth.conf
}

# What went wrong is in the journal.
at_exit() {
    local code=$?

    [ -z "$FINISHED" ] || [ "$FAILED" -gt 0 ] || return 0
    journalctl --no-pager --boot --quiet | tail -n 60
    return "$code"
}

useradd --create-home --uid 1000 alice
useradd --create-home --uid 1001 bob

it "is installed by the commands that the README gives"
expect_true systemd-sysusers
expect_true systemd-tmpfiles --create
expect_true systemctl daemon-reload
expect_true systemctl enable --now berth.socket berth-events.socket
usermod --append --groups berth alice
expect_true is berth.socket active
expect_true is berth.service inactive

it "is started by the first request, and serves what is built in"
http /index
expect_status 200
expect_true is berth.service active
expect_equal "the server's user" berth "$(stat -c %U "/proc/$(property berth.service MainPID)")"

it "is confined"
main=$(property berth.service MainPID)
expect_match "no capabilities" '^CapBnd:\s0+$' "$(grep CapBnd "/proc/$main/status")"
expect_match "a filter of system calls" '^Seccomp:\s2$' "$(grep Seccomp: "/proc/$main/status")"
expect_match "no new privileges" '^NoNewPrivs:\s1$' "$(grep NoNewPrivs "/proc/$main/status")"
expect_equal "the user name space" "$(readlink /proc/1/ns/user)" "$(readlink "/proc/$main/ns/user")"

finish
