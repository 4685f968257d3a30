#!/usr/bin/env bash
# berth behind nginx, with contrib/nginx.
# shellcheck source=tests/system/proxy.sh
. "$(dirname "$0")/proxy.sh"
need nginx

# shellcheck disable=SC2034 # proxy.sh's
FOLDER=nginx AWAY=502

NGINX=(nginx -e "$DIR/proxy/error.log" -p "$DIR/proxy" -c "$SHARE/nginx/nginx.conf")

proxy_check() {
    bundled -e "s,listen 80;,listen 127.0.0.1:$PORT;," -e "s,/run/nginx.pid,$DIR/proxy/nginx.pid," \
        -e "s,^http \{,&$(printf "%s_temp_path $DIR/proxy/%s;" client_body{,} proxy{,} fastcgi{,} uwsgi{,} scgi{,}),"
    below_a_path berth.conf "location .api." "}" nginx.conf "location . "
    documented nginx.conf
    run "${NGINX[@]}" -t
}

proxy_start() {
    start nginx "${NGINX[@]}" -g 'daemon off;'
    PROXY=$PID
}

behind_the_proxy
