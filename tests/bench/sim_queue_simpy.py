#!/usr/bin/env python3
"""The M/M/1 queue of sim_queue_bench.cpp as a SimPy model, to be read beside it.

Prints one line in the form of the benchmark: customers per second of processor time, and the mean
sojourn in units of the mean service, which the closed form gives as 1 / (1 - utilisation).
"""

import argparse
import random
import sys
import time

try:
    import simpy
except ImportError:
    print("simpy_mm1: SimPy (Debian: python3-simpy3) is not installed, nothing to compare with")
    sys.exit(0)


class Queue:
    """One server, first come first served, Poisson arrivals, exponential service of mean 1."""

    def __init__(self, utilisation, customers, seed):
        self.env = simpy.Environment()
        self.server = simpy.Resource(self.env, capacity=1)
        self.luck = random.Random(seed)
        self.utilisation = utilisation
        self.customers = customers
        self.total = 0.0
        self.env.process(self.source())

    def source(self):
        """Sends the customers."""
        for _ in range(self.customers):
            yield self.env.timeout(self.luck.expovariate(self.utilisation))
            self.env.process(self.customer())

    def customer(self):
        """One customer, from arrival to departure."""
        arrived = self.env.now
        with self.server.request() as turn:
            yield turn
            yield self.env.timeout(self.luck.expovariate(1.0))
        self.total += self.env.now - arrived


def main():
    """Runs the queue once and prints the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--utilisation", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    queue = Queue(options.utilisation, options.customers, options.seed)
    started = time.process_time()
    queue.env.run()
    seconds = time.process_time() - started
    rate = options.customers / seconds
    print(f"simpy_mm1/{options.utilisation}: {rate / 1e3:.1f} k customers/s, seed {options.seed}, "
          f"mean sojourn {queue.total / options.customers:.3f}, "
          f"closed form {1 / (1 - options.utilisation):.3f}")


if __name__ == "__main__":
    main()
