#!/usr/bin/env python3
"""Whether a console that follows many nodes keeps its memory flat.

Starts NODES meshwrightd on loopback with one service behind them, the console (offscreen) on all of them, and steady
traffic; prints the console's memory and processor time as it goes, then the medians of the second and the last quarter.

    tests/bench/soak.py --build build/dev --nodes 50 --minutes 30

Ends with 1 when the last quarter's median is more than a twentieth above the second's: the first fills caches and rings.
"""
import argparse
import http.client
import http.server
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

START_S = 60.0
GROWTH_MAX = 1.05


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def start_origin():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def document(origin, admins):
    lines = ['_format_version: "3.0"', "mesh: {name: soak}", "nodes:"]
    for name, admin in admins.items():
        where = f", admin: \"http://{admin}\"" if admin else ""
        lines.append(f"- {{name: {name}, role: gateway{where}}}")
    lines += [
        "services:",
        f"- {{name: shop, host: 127.0.0.1, port: {origin}, routes: [{{name: shop, paths: [/]}}]}}",
    ]
    return "\n".join(lines) + "\n"


class Node:
    def __init__(self, program, name, config, folder):
        self.name = name
        self.log_path = os.path.join(folder, name + ".log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [program, "run", "--config", config, "--node", name, "--workers", "1", "--proxy-listen",
                 "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--drain-grace", "1s"],
                stdout=subprocess.DEVNULL, stderr=log)

    def await_ready(self):
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                for line in log:
                    if "node.ready" in line:
                        self.admin = re.search(r" admin=(\S+)", line).group(1)
                        self.proxy = re.search(r"proxy=([0-9.:]+)", line).group(1)
                        return
            time.sleep(0.05)
        raise SystemExit(f"{self.name} did not start: see {self.log_path}")


def post(address, text):
    request = urllib.request.Request(f"http://{address}/config", text.encode(), {"Content-Type": "application/yaml"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        answer.read()


def drive(proxies, per_second, stop):
    """One connection to each node, used in turn."""
    kept = {}
    pause = 1.0 / per_second
    at = 0
    while not stop.wait(pause):
        proxy = proxies[at % len(proxies)]
        at += 1
        try:
            connection = kept.setdefault(proxy, http.client.HTTPConnection(proxy, timeout=5))
            connection.request("GET", f"/item/{at % 97}")
            connection.getresponse().read()
        except OSError:
            kept.pop(proxy, None)


def figures(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return resident / 1024.0, seconds


def run(options, folder, started):
    origin = start_origin()
    empty = os.path.join(folder, "empty.yaml")
    names = [f"edge-{number}" for number in range(1, options.nodes + 1)]
    with open(empty, "w", encoding="utf-8") as file:
        file.write(document(origin, {name: "" for name in names}))
    program = os.path.join(options.build, "proxyengine/daemon/meshwrightd")
    nodes = [Node(program, name, empty, folder) for name in names]
    started += [node.process for node in nodes]
    for node in nodes:
        node.await_ready()
    text = document(origin, {node.name: node.admin for node in nodes})
    for node in nodes:
        post(node.admin, text)
    path = os.path.join(folder, "soak.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    console = subprocess.Popen(
        [os.path.join(options.build, "app/console/meshwright"), path, "--mode", "topology"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": folder})
    started.append(console)
    stop = threading.Event()
    threading.Thread(target=drive, args=([node.proxy for node in nodes], options.rate, stop), daemon=True).start()
    return watch(options, console, stop)


def watch(options, console, stop):
    total_s = options.minutes * 60
    step_s = max(total_s / 120, 1.0)
    rows = []
    begin = time.monotonic()
    print(f"{'minute':>7} {'MiB':>8} {'cpu %':>7}", flush=True)
    last_cpu = 0.0
    while time.monotonic() - begin < total_s:
        time.sleep(step_s)
        if console.poll() is not None:
            print(f"the console ended with {console.returncode}", file=sys.stderr)
            return 1
        resident, cpu = figures(console.pid)
        minute = (time.monotonic() - begin) / 60
        rows.append((minute, resident))
        print(f"{minute:7.1f} {resident:8.1f} {100 * (cpu - last_cpu) / step_s:7.1f}", flush=True)
        last_cpu = cpu
    stop.set()
    quarter = len(rows) // 4
    second = statistics.median(mib for _, mib in rows[quarter:2 * quarter])
    last = statistics.median(mib for _, mib in rows[-quarter:])
    print(f"{options.nodes} nodes, {options.minutes:g} min: second quarter {second:.1f} MiB, last {last:.1f} MiB, "
          f"{100 * (last / second - 1):+.1f} %")
    return 0 if last <= second * GROWTH_MAX else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=100, help="requests per second over all nodes")
    options = parser.parse_args()
    started = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            return run(options, folder, started)
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                process.wait(20)


if __name__ == "__main__":
    sys.exit(main())
