#!/bin/sh
# Where a small request's time goes in the node, phase by phase: system calls per request, and the shares that perf and
# callgrind see. For the table in proxyengine/ARCHITECTURE.md.
#
#   tests/bench/profile_h1.sh build/release/proxyengine/daemon/meshwrightd
#
# Needs (Debian): nginx-light wrk nghttp2-client strace linux-perf valgrind curl. Run it on a machine that does nothing else.
set -eu
node=$1
dir=$(mktemp -d)
origin=19721 proxy=19722 admin=19723
trap 'kill $origin_pid $node_pid 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
origin_pid='' node_pid=''

cat > "$dir/origin.conf" <<CONF
worker_processes 1; daemon off; pid $dir/nginx.pid; error_log /dev/null crit; events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000;
 client_body_temp_path $dir/a; proxy_temp_path $dir/b; fastcgi_temp_path $dir/c; uwsgi_temp_path $dir/d; scgi_temp_path $dir/e;
 server { listen 127.0.0.1:$origin; location / { return 200 '{"ok":true}'; } } }
CONF
cat > "$dir/node.yaml" <<CONF
_format_version: "3.0"
services: [{name: origin, url: "http://127.0.0.1:$origin", routes: [{name: all, paths: ["/"], strip_path: false}]}]
CONF

start_node() {
    "$@" "$node" run --config "$dir/node.yaml" --workers 1 --admin-listen 127.0.0.1:$admin --proxy-listen 127.0.0.1:$proxy \
        > "$dir/node.log" 2>&1 &
    node_pid=$!
    until curl -sf -o /dev/null http://127.0.0.1:$proxy/; do sleep 0.2; done
}
stop_node() { kill $node_pid; wait $node_pid || true; node_pid=''; }

nginx -c "$dir/origin.conf" 2>/dev/null &
origin_pid=$!

start_node taskset -c 0
echo "== system calls"
timeout 4 strace -f -c -p $node_pid -o "$dir/strace" 2>/dev/null &
sleep 1
taskset -c 1 wrk -t1 -c64 -d2 http://127.0.0.1:$proxy/ | grep 'requests in'
sleep 2
head -12 "$dir/strace"

echo "== time by call (perf, cpu-clock; shares of all)"
taskset -c 1 wrk -t1 -c64 -d6 http://127.0.0.1:$proxy/ > /dev/null &
sleep 1
perf record -q -e cpu-clock -F 4000 -g -p $node_pid -o "$dir/perf" -- sleep 4
perf report -i "$dir/perf" --no-children --sort dso -g none 2>/dev/null | grep -v '^#' | grep . | head -5
perf report -i "$dir/perf" --children --sort symbol -g none 2>/dev/null | grep -v '^#' \
    | grep -E 'sendHead|sendAnswerHead|__sys_sendto|__sys_recvfrom|do_epoll_wait|do_softirq|startExchange|::parse' | cut -c1-70
stop_node

echo "== instructions of our own (callgrind; of 10 000 requests)"
start_node valgrind --tool=callgrind --callgrind-out-file="$dir/callgrind"
h2load --h1 -t1 -c16 -n10000 http://127.0.0.1:$proxy/ | grep requests:
stop_node
callgrind_annotate --inclusive=yes "$dir/callgrind" 2>/dev/null \
    | grep -E 'ClientConnection::|Parser::parse|Transport::|EventLoop::runTurn' | cut -c1-100 | head -20
