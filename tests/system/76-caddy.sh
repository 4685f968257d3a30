#!/usr/bin/env bash
# berth behind Caddy, with contrib/caddy.
# shellcheck source=tests/system/proxy.sh
. "$(dirname "$0")/proxy.sh"
need caddy

# shellcheck disable=SC2034 # proxy.sh's
FOLDER=caddy AWAY=502
AS=()
[ "$(id -u)" -ne 0 ] || AS=(setpriv --reuid "$PROXY_USER" --regid "$PROXY_USER" --init-groups)
AS+=(env "HOME=$DIR/proxy" "XDG_CONFIG_HOME=$DIR/proxy" "XDG_DATA_HOME=$DIR/proxy")

proxy_check() {
    # Its way in for administrators is a TCP port, unless it has none.
    bundled -e "s,^:80 ,http://:$PORT ," -e '1s,^# A complete.*,{\n\tadmin off\n\tdefault_bind 127.0.0.1\n},'
    below_a_path berth.caddy "redir .api" "}" Caddyfile "^\timport berth$"
    run caddy fmt --overwrite "$SHARE/caddy/Caddyfile"
    documented Caddyfile
    run "${AS[@]}" caddy validate --config "$SHARE/caddy/Caddyfile" --adapter caddyfile
    expect_no_match "its warnings" '"level":"warn"' "$ERR"
}

proxy_start() {
    start caddy "${AS[@]}" caddy run --config "$SHARE/caddy/Caddyfile" --adapter caddyfile
    PROXY=$PID
}

behind_the_proxy
