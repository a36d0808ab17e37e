#!/usr/bin/env python3
"""How much the difference of two equal programs spreads from block to block, by how a block's four runs are made: what
docs/prove.md says of duets. bench/README.md says how to read it."""

import argparse
import math
import os
import random
import statistics
import sys
import time

from harness import figures, machine, targets
from harness.figures import Table

import prove

ORDERS = ((0, 1, 1, 0), (1, 0, 0, 1))
WAYS = {  # name: (how many of the four runs are made at once, on how many CPUs)
    "in turn, on one CPU": (1, 1),
    "two and two at once, on two CPUs": (2, 2),
    "two and two at once, on one CPU": (2, 1),
    "all four at once, on one CPU": (4, 1),
}


def start(words, cpu, environment):
    begun = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.sched_setaffinity(0, [cpu])
        os.execve(words[0], words, environment)
    return pid, begun


def wait(started):
    """Wall seconds of each, without those in which it was ready to run and another one had the CPU."""
    walls = {}
    while len(walls) < len(started):
        pid = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT).si_pid
        now = time.monotonic()
        with open("/proc/%d/schedstat" % pid) as file:
            queued = int(file.read().split()[1]) / 1e9
        os.waitpid(pid, 0)
        walls[pid] = now - queued
    return [walls[pid] - begun for pid, begun in started]


def block(words, at_once, cpus, random_source):
    """ln B - ln A of one block, and what each side's runs differ by."""
    environment = dict(os.environ, PYTHONHASHSEED=str(random_source.randrange(1, 1 << 31)))
    order, values = random_source.choice(ORDERS), ([], [])
    for first in range(0, len(order), at_once):
        sides = order[first:first + at_once]
        started = [start(words, cpus[i % len(cpus)], environment) for i in range(len(sides))]
        for side, wall in zip(sides, wait(started)):
            values[side].append(math.log(wall))
    return (sum(values[1]) - sum(values[0])) / 2, [v[0] - v[1] for v in values]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", default="3.11,3.13", help="versions")
    parser.add_argument("--blocks", type=int, default=20, help="of each way")
    parser.add_argument("--seed", type=int, default=5, help="of orders and hash seeds")
    options = parser.parse_args()
    usable = sorted(os.sched_getaffinity(0))
    print(machine.describe())
    table = Table("python", "the four runs of a block", "spread of B - A", "of a side against itself", "seconds a block")
    for name, python in targets.pick_pythons(options.pythons, []):
        source = prove.LOOP % prove.calibrate(python)[0]
        random_source = random.Random(options.seed)
        results = {way: [] for way in WAYS}
        for _ in range(options.blocks):
            for way, (at_once, count) in WAYS.items():
                begin = time.monotonic()
                difference, controls = block([python, "-c", source], at_once, usable[-count:], random_source)
                results[way].append((difference, controls, time.monotonic() - begin))
        for way, blocks in results.items():
            table.add(name, way, "%.1f %%" % (100 * statistics.stdev(b[0] for b in blocks)),
                      "%.1f %%" % (100 * statistics.stdev(c for b in blocks for c in b[1])),
                      "%.2f" % figures.median([b[2] for b in blocks]))
    table.show()


if __name__ == "__main__":
    sys.exit(main())
