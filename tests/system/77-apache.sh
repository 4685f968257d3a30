#!/usr/bin/env bash
# berth behind Apache, with contrib/apache.
# shellcheck source=tests/system/proxy.sh
. "$(dirname "$0")/proxy.sh"
need apache2

# Apache notices that a client has left when it has something to send to it.
# shellcheck disable=SC2034 # proxy.sh's
FOLDER=apache AWAY=503 HEARTBEAT=1s

# Its locks are files, so that it needs nothing of the system's.
APACHE=(-f "$SHARE/apache/httpd.conf" -C "Mutex file:$DIR/proxy default")

proxy_check() {
    bundled -e "s,^Listen 80,Listen 127.0.0.1:$PORT," -e "s,\*:80,*:$PORT," -e "s,/run/apache2,$DIR/proxy,"
    below_a_path berth.conf "ProxyPassMatch .*api" "<.Location" httpd.conf "ProxyPass"
    documented httpd.conf
    run apache2 "${APACHE[@]}" -t
}

proxy_start() {
    start apache apache2 "${APACHE[@]}" -DFOREGROUND
    PROXY=$PID
}

behind_the_proxy
