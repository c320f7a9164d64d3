#!/usr/bin/env python3
"""The simulator's figures in one run beside a SimPy model of the same queue, as one table.

sim_table.py --build DIR runs sim_queue_bench and sim_mesh_bench of that build and sim_queue_simpy.py,
one after the other, and prints what they reached beside what they should. The exit code is 1 when a
target is missed by more than --slack (a busy machine is no reason to fail: say --slack 1).
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# What is read, from which run and counter, in which unit, and what DESIGN.md asks for.
ROWS = (
    ("M/M/1 customers/s", "mm1/80", "items_per_second", 1e6, "M/s", 15.0),
    ("hops/s, no policies", "tree/services:15/instances:3/policies:0/seconds:10", "hops/s", 1e6, "M/s", None),
    ("hops/s, all policies", "tree/services:15/instances:3/policies:1/seconds:10", "hops/s", 1e6, "M/s", 1.5),
    ("1 000 services x 10, 1 000 roots/s", "tree/services:1000/instances:10/policies:1/seconds:60",
     "times_real", 1.0, "x real time", 50.0),
    ("bytes per service", "memory/iterations:1", "bytes_per_service", 1.0, "B", None),
    ("bytes per instance", "memory/iterations:1", "bytes_per_instance", 1.0, "B", None),
    ("bytes per request in flight", "memory/iterations:1", "bytes_per_request", 1.0, "B", None),
)


def runs_of(program, selected, seconds):
    """The runs of one benchmark program, by name."""
    result = subprocess.run(
        [str(program), f"--benchmark_filter={selected}", "--benchmark_format=json",
         f"--benchmark_min_time={seconds}"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return {run["name"]: run for run in json.loads(result.stdout)["benchmarks"]}


def simpy_rate(customers):
    """Customers per second of the SimPy model; None when SimPy is not installed."""
    text = subprocess.run(
        ["/usr/bin/python3", str(HERE / "sim_queue_simpy.py"), "--customers", str(customers)],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    found = re.search(r"([0-9.]+) k customers/s", text)
    return float(found.group(1)) * 1e3 if found else None


def main():
    """Runs everything once and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=2.0, help="at least, of each benchmark")
    parser.add_argument("--customers", type=int, default=200_000, help="of the SimPy model")
    parser.add_argument("--slack", type=float, default=0.0, help="share of a target that may be missed")
    options = parser.parse_args()
    bench = options.build / "tests" / "bench"
    runs = runs_of(bench / "sim_queue_bench", "^mm1/80$", options.seconds)
    runs.update(runs_of(bench / "sim_mesh_bench", "^(tree|memory)", options.seconds))
    rate = simpy_rate(options.customers)

    missed = 0
    print(f"{'':36} {'measured':>12} {'':12} {'target':>8}")
    for title, name, counter, unit, word, target in ROWS:
        value = runs[name][counter] / unit
        is_missed = target is not None and value < target * (1.0 - options.slack)
        missed += is_missed
        shown = "" if target is None else f"{target:g}"
        print(f"{title:36} {value:12,.2f} {word:12} {shown:>8}{'  missed' if is_missed else ''}")
    if rate is None:
        print("M/M/1 in SimPy: not installed (Debian: python3-simpy3), nothing to compare with")
    else:
        ours = runs["mm1/80"]["items_per_second"]
        print(f"{'M/M/1 in SimPy, customers/s':36} {rate / 1e6:12,.3f} {'M/s':12} "
              f"{'':8}  {ours / rate:,.0f} times slower")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
