#!/usr/bin/env python3
"""How long POST /config takes with many routes, and what requests feel of it.

Starts a node and an origin (nginx) on loopback, loads the node with wrk, and replaces the whole
configuration in the middle of one second. The answer to POST comes when every worker runs the new
one, so its time is the time until it is live. Prints the times of the pushes and the 99th
percentile of seconds with and without a push; ends with 1 when a request failed.

    tests/bench/config_swap.py --node build/release/proxyengine/daemon/meshwrightd [--routes 10000]

Needs (Debian): nginx-light wrk
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ORIGIN, PROXY, ADMIN = 19711, 19712, 19713


def document(routes, generation):
    lines = ['_format_version: "3.0"', "services:", "- name: origin", f"  url: http://127.0.0.1:{ORIGIN}", "  routes:",
             '  - {name: all, paths: ["/"], strip_path: false}']
    lines += [f'  - {{name: r{i}, paths: ["/r/{generation}/{i}"], strip_path: false}}' for i in range(routes)]
    return "\n".join(lines) + "\n"


def as_json(routes, generation):
    named = [{"name": f"r{i}", "paths": [f"/r/{generation}/{i}"], "strip_path": False} for i in range(routes)]
    catch_all = {"name": "all", "paths": ["/"], "strip_path": False}
    service = {"name": "origin", "url": f"http://127.0.0.1:{ORIGIN}", "routes": [catch_all, *named]}
    return json.dumps({"_format_version": "3.0", "services": [service]})


def origin_conf(directory):
    temp = "".join(f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return (f"daemon off; master_process off; pid {directory}/nginx.pid; error_log /dev/null crit; events {{}} "
            f"http {{ access_log off; keepalive_requests 1000000000; {temp} server {{ listen 127.0.0.1:{ORIGIN}; "
            "location / { return 200 ok; } } }")


def wrk(seconds):
    return subprocess.Popen(["wrk", "-t1", "-c32", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{PROXY}/x"],
                            stdout=subprocess.PIPE, text=True)


def p99_of(load):
    text = load.communicate()[0]
    if re.search(r"Non-2xx|Socket errors", text):
        sys.exit("a request failed: " + text)
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def push(text):
    kind = "application/json" if text.startswith("{") else "text/yaml"
    request = urllib.request.Request(f"http://127.0.0.1:{ADMIN}/config", data=text.encode(),
                                     headers={"Content-Type": kind}, method="POST")
    began = time.monotonic()
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()
    return (time.monotonic() - began) * 1000


def wait_for(url):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=1).read()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{url} does not answer")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--node", required=True)
    parser.add_argument("--routes", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="push JSON instead of YAML, as the console does")
    options = parser.parse_args()
    text_of = as_json if options.json else document
    with tempfile.TemporaryDirectory(prefix="config_swap") as directory:
        os.chmod(directory, 0o755)
        Path(directory, "origin.conf").write_text(origin_conf(directory))
        Path(directory, "node.yaml").write_text(document(options.routes, 0))
        origin = subprocess.Popen(["nginx", "-c", f"{directory}/origin.conf"], stderr=subprocess.DEVNULL)
        node = subprocess.Popen([options.node, "run", "--config", f"{directory}/node.yaml", "--workers", str(options.workers),
                                 "--admin-listen", f"127.0.0.1:{ADMIN}", "--proxy-listen", f"127.0.0.1:{PROXY}"],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{PROXY}/x")
            p99_of(wrk(1))
            normal, during, pushes = [], [], []
            for generation in range(1, options.rounds + 1):
                text = text_of(options.routes, generation)  # Not beside the load: it costs a core for a while.
                normal.append(p99_of(wrk(1)))
                load = wrk(1)
                time.sleep(0.4)
                pushes.append(push(text))
                during.append(p99_of(load))
        finally:
            for process in (node, origin):
                process.terminate()
                process.wait()
    median = statistics.median
    print(f"{options.routes} routes, {options.workers} worker(s): POST /config {median(pushes):.0f} ms (worst {max(pushes):.0f}); "
          f"p99 {median(normal):.2f} ms, in a second with a push {median(during):.2f} ms ({median(during) / median(normal):.2f} x)")


if __name__ == "__main__":
    main()
