#!/usr/bin/env python3
"""The 99th percentile of the node beside nginx and HAProxy when all are asked for the same.

Starts an origin (nginx) and the three proxies on loopback, one worker each on CPU 0, origin and
generator on CPU 1. h2load asks each in turn for the same number of requests per second, well below
what any of them can do, for several rounds. Prints the median of the rounds' percentiles in
microseconds for every rate; ends with 1 when a request failed.

    tests/bench/equal_load.py --node build/release/proxyengine/daemon/meshwrightd [--rates 10000,30000]

Needs (Debian): nginx-light haproxy nghttp2-client
"""
import argparse
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ORIGIN, NGINX, HAPROXY, NODE, ADMIN = 19721, 19722, 19723, 19724, 19725
CLIENTS = 50


def temporary(directory, kind):
    parts = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "".join(f"{part}_temp_path {directory}/{kind}_{part};" for part in parts)


def nginx_conf(directory, kind, rest):
    return (f"worker_processes 1; daemon off; pid {directory}/{kind}.pid; error_log /dev/null crit; "
            f"events {{ worker_connections 4096; multi_accept on; }} http {{ access_log off; keepalive_requests 1000000000; "
            f"keepalive_timeout 600s; {temporary(directory, kind)} {rest} }}")


def write_confs(directory):
    conf = {
        "origin": nginx_conf(directory, "origin", f"server {{ listen 127.0.0.1:{ORIGIN}; location / {{ return 200 '{'x' * 120}'; }} }}"),
        "nginx": nginx_conf(directory, "nginx", 'proxy_http_version 1.1; proxy_set_header Connection ""; upstream o { server '
                            f"127.0.0.1:{ORIGIN}; keepalive 512; keepalive_requests 1000000000; }} server {{ listen 127.0.0.1:{NGINX}; "
                            "location / { proxy_pass http://o; } }"),
        "haproxy": "global\n nbthread 1\ndefaults\n mode http\n timeout connect 5s\n timeout client 600s\n timeout server 600s\n"
                   f" http-reuse always\nlisten l\n bind 127.0.0.1:{HAPROXY}\n server s 127.0.0.1:{ORIGIN}\n",
        "node": f'_format_version: "3.0"\nservices:\n- name: origin\n  url: http://127.0.0.1:{ORIGIN}\n  routes:\n'
                '  - {name: all, paths: ["/"], strip_path: false}\n',
    }
    for name, text in conf.items():
        Path(directory, f"{name}.conf").write_text(text)


def await_port(port):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 0.3).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nobody listens on port {port}")


def percentile_us(port, rate, seconds, directory):
    log = Path(directory, "h2load.log")
    log.unlink(missing_ok=True)
    command = ["taskset", "-c", "1", "h2load", "--h1", "-t1", f"-c{CLIENTS}", f"--rps={rate // CLIENTS}", f"-D{seconds}",
               f"--log-file={log}", f"http://127.0.0.1:{port}/x"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if not re.search(r" 0 failed, 0 errored, 0 timeout", text):
        sys.exit("a request failed: " + text)
    times = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines())
    return times[len(times) // 2], times[len(times) * 99 // 100], len(times) / seconds


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--node", required=True)
    options.add_argument("--rates", default="10000,30000", help="requests per second, separated by commas")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="equal_load") as directory:
        os.chmod(directory, 0o755)
        write_confs(directory)
        commands = {
            "origin": ["taskset", "-c", "1", "nginx", "-c", f"{directory}/origin.conf"],
            "nginx": ["taskset", "-c", "0", "nginx", "-c", f"{directory}/nginx.conf"],
            "haproxy": ["taskset", "-c", "0", "haproxy", "-db", "-f", f"{directory}/haproxy.conf"],
            "node": ["taskset", "-c", "0", chosen.node, "run", "--config", f"{directory}/node.conf", "--workers", "1",
                     "--admin-listen", f"127.0.0.1:{ADMIN}", "--proxy-listen", f"127.0.0.1:{NODE}"],
        }
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
        processes = [subprocess.Popen(command, **quiet) for command in commands.values()]
        try:
            ports = {"node": NODE, "nginx": NGINX, "haproxy": HAPROXY}
            for port in (ORIGIN, *ports.values()):
                await_port(port)
            for rate in map(int, chosen.rates.split(",")):
                found = {name: [] for name in ports}
                for _ in range(chosen.rounds):
                    for name, port in ports.items():
                        found[name].append(percentile_us(port, rate, chosen.seconds, directory))
                print(f"{rate} requests/s")
                for name, rounds in found.items():
                    half, most, done = (statistics.median(each) for each in zip(*rounds))
                    print(f"  {name:8s} p50 {half:6.0f} us  p99 {most:6.0f} us  {done:7.0f} answered/s")
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()


if __name__ == "__main__":
    main()
